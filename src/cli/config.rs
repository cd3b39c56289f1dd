//! `stationd config …`: what is configured, whether it is right, where it comes from. These work
//! without a running station.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use serde::Serialize;

use super::failure::plain;
use crate::config::{Loaded, Problem, SAMPLE, Sources, load};

/// The configuration cannot be used.
const BAD_CONFIGURATION: u8 = 78;

/// What to do with the configuration.
#[derive(Subcommand, Clone, Debug, PartialEq, Eq)]
pub enum ConfigCommand {
    /// Report everything that is wrong with a configuration (exit code 78 if anything is)
    Check {
        /// The file to check instead of the one in use
        file: Option<PathBuf>,
    },
    /// Print the configuration as the station would use it
    Show {
        /// Print where each value comes from as well
        #[arg(long)]
        effective: bool,
    },
    /// Print the file in use, or where it would be looked for first
    Path,
    /// Write a file with every key at its default, explained
    Init {
        /// Replace a file that is there
        #[arg(long)]
        force: bool,
    },
}

impl ConfigCommand {
    /// Does it, and returns the exit code. Results go to `out` (as JSON if so wanted), problems to
    /// `err`. The error is one of writing to these.
    pub fn run(
        &self,
        sources: &Sources,
        json: bool,
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> io::Result<u8> {
        match self {
            Self::Check { file } => check(file.as_deref(), sources, json, out, err),
            Self::Show { effective } => show(*effective, sources, json, out, err),
            Self::Path => path(sources, json, out, err),
            Self::Init { force } => init(*force, sources, json, out, err),
        }
    }
}

fn check(
    file: Option<&Path>,
    sources: &Sources,
    json: bool,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<u8> {
    let mut sources = sources.clone();
    if let Some(file) = file {
        sources.file = Some(file.to_path_buf());
    }
    let (problems, code) = match load(&sources) {
        Ok(loaded) => (loaded.warnings, 0),
        Err(problems) => (problems, BAD_CONFIGURATION),
    };
    if json {
        print_json(out, &problems)?;
    } else {
        report(&problems, err)?;
        if code == 0 {
            writeln!(out, "ok")?;
        }
    }
    Ok(code)
}

fn show(
    effective: bool,
    sources: &Sources,
    json: bool,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<u8> {
    let loaded = match load(sources) {
        Ok(loaded) => loaded,
        Err(problems) => {
            report(&problems, err)?;
            return Ok(BAD_CONFIGURATION);
        }
    };
    report(&loaded.warnings, err)?;
    match (effective, json) {
        (true, true) => print_json(out, &loaded.effective())?,
        (true, false) => table(&loaded, out)?,
        (false, true) => print_json(out, &loaded.document())?,
        (false, false) => {
            let yaml = serde_yaml::to_string(&loaded.document()).map_err(io::Error::other)?;
            out.write_all(yaml.as_bytes())?;
        }
    }
    Ok(0)
}

/// A line for each key: `KEY: VALUE  # SOURCE`.
fn table(loaded: &Loaded, out: &mut dyn Write) -> io::Result<()> {
    let settings = loaded.effective().into_iter().map(|setting| {
        let value = serde_json::to_string(&setting.value).map_err(io::Error::other)?;
        Ok((format!("{}: {value}", setting.key), setting.source))
    });
    let lines = settings.collect::<io::Result<Vec<_>>>()?;
    let width = lines.iter().map(|(text, _)| text.chars().count()).max().unwrap_or(0).min(60);
    for (text, source) in lines {
        writeln!(out, "{text:width$}  # {source}")?;
    }
    Ok(())
}

fn path(sources: &Sources, json: bool, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    let Some(path) = sources.path() else { return homeless(err) };
    if json {
        print_json(out, &serde_json::json!({"path": path, "exists": path.exists()}))?;
    } else {
        writeln!(out, "{}", path.display())?;
    }
    Ok(0)
}

fn init(
    force: bool,
    sources: &Sources,
    json: bool,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<u8> {
    let Some(path) = sources.new_file() else { return homeless(err) };
    match write_sample(&path, force) {
        Ok(()) if json => print_json(out, &serde_json::json!({"path": path}))?,
        Ok(()) => writeln!(out, "wrote {}", path.display())?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            writeln!(err, "{} exists: use --force to replace it", path.display())?;
            return Ok(1);
        }
        Err(error) => {
            let why = plain(&error.to_string());
            writeln!(err, "cannot write {}: {why}", path.display())?;
            return Ok(1);
        }
    }
    Ok(0)
}

fn write_sample(path: &Path, force: bool) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).mode(0o640);
    if force {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    options.open(path)?.write_all(SAMPLE.as_bytes())
}

fn homeless(err: &mut dyn Write) -> io::Result<u8> {
    writeln!(err, "there is no home directory: set HOME or name a file with --config")?;
    Ok(1)
}

fn report(problems: &[Problem], err: &mut dyn Write) -> io::Result<()> {
    problems.iter().try_for_each(|problem| writeln!(err, "{problem}"))
}

fn print_json(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::*;

    struct Ran {
        code: u8,
        out: String,
        err: String,
    }

    fn sources(home: &Path) -> Sources {
        let env = BTreeMap::from([("HOME".to_owned(), home.display().to_string())]);
        Sources { env, directory: home.to_path_buf(), ..Sources::default() }
    }

    fn run(command: &ConfigCommand, sources: &Sources, json: bool) -> Ran {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = command.run(sources, json, &mut out, &mut err).unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { code, out: text(out), err: text(err) }
    }

    #[test]
    fn init_writes_a_file_that_checks_and_is_not_replaced_unasked() {
        let home = tempfile::tempdir().unwrap();
        let sources = sources(home.path());
        let file = home.path().join(".config/stationd/config.yaml");
        let path = run(&ConfigCommand::Path, &sources, false);
        assert_eq!(path.out, format!("{}\n", file.display()));
        assert_eq!(run(&ConfigCommand::Init { force: false }, &sources, false).code, 0);
        let check = run(&ConfigCommand::Check { file: None }, &sources, false);
        assert_eq!((check.code, check.out.as_str(), check.err.as_str()), (0, "ok\n", ""));
        fs::write(&file, "station: {name: mine}").unwrap();
        let again = run(&ConfigCommand::Init { force: false }, &sources, false);
        assert_eq!(again.code, 1);
        assert_eq!(again.err, format!("{} exists: use --force to replace it\n", file.display()));
        assert_eq!(fs::read_to_string(&file).unwrap(), "station: {name: mine}");
        assert_eq!(run(&ConfigCommand::Init { force: true }, &sources, false).code, 0);
        assert_eq!(fs::read_to_string(&file).unwrap(), SAMPLE);
    }

    #[test]
    fn check_says_everything_and_exits_78() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("bad.yaml");
        fs::write(&file, "websocket:\n  prot: 1\n  port: fast\n").unwrap();
        let command = ConfigCommand::Check { file: Some(file.clone()) };
        let text = run(&command, &sources(home.path()), false);
        assert_eq!((text.code, text.err.lines().count(), text.out.as_str()), (78, 2, ""));
        assert!(text.err.starts_with(&format!("{}:2:3: error: websocket.prot: ", file.display())));
        let json = run(&command, &sources(home.path()), true);
        let list: Vec<Value> = serde_json::from_str(&json.out).unwrap();
        assert_eq!((json.code, list.len()), (78, 2));
        assert_eq!(list[1]["key"], "websocket.port");
        assert_eq!((&list[1]["line"], &list[1]["column"]), (&3.into(), &9.into()));
    }

    #[test]
    fn show_prints_values_and_their_sources() {
        let home = tempfile::tempdir().unwrap();
        let mut sources = sources(home.path());
        sources.set = vec!["websocket.api_key=swordfish".into(), "websocket.port=9".into()];
        let plain = run(&ConfigCommand::Show { effective: false }, &sources, false);
        assert!(plain.out.contains("port: 9\n") && plain.out.contains("api_key: '***'\n"));
        let json = run(&ConfigCommand::Show { effective: false }, &sources, true);
        let document: Value = serde_json::from_str(&json.out).unwrap();
        assert_eq!(document["websocket"]["port"], 9);
        let effective = run(&ConfigCommand::Show { effective: true }, &sources, false);
        let line = effective.out.lines().find(|line| line.starts_with("websocket.port:")).unwrap();
        assert_eq!(
            line.split_whitespace().collect::<Vec<_>>().join(" "),
            "websocket.port: 9 # --set websocket.port"
        );
        let json = run(&ConfigCommand::Show { effective: true }, &sources, true);
        let list: Vec<Value> = serde_json::from_str(&json.out).unwrap();
        assert!(
            list.iter()
                .any(|entry| entry["key"] == "queue.retention" && entry["source"] == "default")
        );
        for ran in [plain, json, effective] {
            assert!(!ran.out.contains("swordfish") && !ran.err.contains("swordfish"));
        }
    }
}
