//! Plugins come and go while the station runs.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use tokio::task::spawn_blocking;

use super::{control::Station, run::load};
use crate::{
    config::{Plugin, PluginStatus, Problem, read_plugin},
    domain::same_name,
};

/// What went wrong, a line each.
type Lines = Vec<String>;

/// Shows what was found, and says in the station's health what is broken.
pub(super) fn show(station: &crate::http::App, plugins: Vec<Plugin>) {
    let broken = plugins.iter().find(|plugin| plugin.status == PluginStatus::Broken);
    let trouble = broken.map(|plugin| {
        let why = plugin.errors.first().map_or("no reason is known", String::as_str);
        format!("plugin \"{}\" is broken: {why}", plugin.name)
    });
    station.board.set_trouble("plugins", trouble);
    station.set_plugins(plugins);
}

/// Copies the plugin in `from` to where plugins lie, and takes it into use. Answers with its name;
/// one that would be broken there is refused and leaves nothing behind.
pub(super) async fn install(station: &mut Station, from: PathBuf) -> Result<String, Lines> {
    let (options, home) = (station.options.clone(), station.configuration.plugins.dir.clone());
    let work = move || -> Result<(String, PathBuf), Lines> {
        let loaded = load(&options).map_err(|problems| lines(&problems))?;
        let plugin =
            read_plugin(&from, &options.sources(), &loaded).map_err(|problems| lines(&problems))?;
        if let Some(other) = loaded.plugins.iter().find(|it| same_name(&it.name, &plugin.name)) {
            let at = other.path.display();
            return Err(vec![format!("{} is installed already, in {at}", plugin.name)]);
        }
        let to = home.join(&plugin.name);
        take_in(&from, &to).map_err(|error| {
            vec![format!("failed to copy {} to {}: {error}", from.display(), to.display())]
        })?;
        Ok((plugin.name, to))
    };
    let (name, to) = in_background(work).await?;
    let reloaded = station.reload().await;
    let own = station.app.plugins().iter().find(|plugin| plugin.name == name).cloned();
    let trouble = match (reloaded, own) {
        (Err(problems), _) => problems,
        (Ok(_), Some(Plugin { status: PluginStatus::Broken, errors, .. })) => errors,
        (Ok(_), Some(_)) => return Ok(name),
        (Ok(_), None) => vec![format!("{name} was not found in {}", to.display())],
    };
    let removed = in_background(move || remove_all(&to)).await;
    drop(station.reload().await); // as it was before
    Err(trouble.into_iter().chain(removed.err().unwrap_or_default()).collect())
}

/// Takes a plugin out of use and removes its directory. Answers with its name.
pub(super) async fn uninstall(station: &mut Station, name: String) -> Result<String, Lines> {
    let plugins = station.app.plugins();
    let Some(plugin) = plugins.iter().find(|plugin| same_name(&plugin.name, &name)) else {
        return Err(vec![format!("no plugin is called \"{name}\"")]);
    };
    let (name, path) = (plugin.name.clone(), plugin.path.clone());
    in_background(move || remove_all(&path)).await?;
    station.reload().await?;
    Ok(name)
}

/// Files of any size are copied and removed beside the supervisor, not in its stead.
async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Lines> + Send + 'static,
) -> Result<T, Lines> {
    spawn_blocking(work).await.unwrap_or_else(|error| Err(vec![error.to_string()]))
}

fn lines(problems: &[Problem]) -> Lines {
    problems.iter().map(ToString::to_string).collect()
}

fn remove_all(path: &Path) -> Result<(), Lines> {
    fs::remove_dir_all(path)
        .map_err(|error| vec![format!("failed to remove {}: {error}", path.display())])
}

/// Copies a directory to a place that does not exist, whole or not at all.
fn take_in(from: &Path, to: &Path) -> io::Result<()> {
    if to.try_exists()? {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is something already"));
    }
    let parent = to.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::create_dir_all(parent)?;
    // Hidden while it is not whole: what is hidden is no plugin.
    let name = to.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    let new = parent.join(format!(".{name}.new"));
    if new.try_exists()? {
        fs::remove_dir_all(&new)?; // an earlier attempt was cut short
    }
    copy(from, &new).and_then(|()| fs::rename(&new, to)).inspect_err(|_| {
        let _ = fs::remove_dir_all(&new); // it stays hidden
    })
}

/// Copies files and directories; nobody but their owner may write to the copies.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy(&entry.path(), &target)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), &target)?;
            let mode = fs::metadata(&target)?.permissions().mode();
            fs::set_permissions(&target, fs::Permissions::from_mode(mode & 0o755))?;
        } else {
            let what = format!("{} is neither a file nor a directory", entry.path().display());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
    }
    let mode = fs::metadata(from)?.permissions().mode();
    fs::set_permissions(to, fs::Permissions::from_mode(mode & 0o755))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_directory_is_taken_in_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("plugins/it"));
        fs::create_dir_all(from.join("bin")).unwrap();
        fs::write(from.join("bin/run"), "#!/bin/sh\n").unwrap();
        fs::set_permissions(from.join("bin/run"), fs::Permissions::from_mode(0o777)).unwrap();
        take_in(&from, &to).unwrap();
        let mode = fs::metadata(to.join("bin/run")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
        assert!(take_in(&from, &to).is_err(), "there is one already");

        symlink("/etc/passwd", from.join("link")).unwrap();
        let other = dir.path().join("plugins/other");
        let refused = take_in(&from, &other).unwrap_err().to_string();
        assert!(refused.contains("link is neither a file nor a directory"), "{refused}");
        let left: Vec<_> = fs::read_dir(dir.path().join("plugins")).unwrap().flatten().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }
}
