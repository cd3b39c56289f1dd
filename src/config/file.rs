//! The files of a configuration: found, judged by who may write them, read.

use std::{
    fs::{self, File},
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use nix::unistd::{Gid, Group, Uid, User};

use super::{
    document::{self, MAX_BYTES, Mark, Yaml},
    problem::{Place, Problem},
};

/// A file as it was read.
pub(super) struct Source {
    pub(super) path: Arc<Path>,
    pub(super) yaml: Yaml,
    /// Anybody may read it.
    pub(super) public: bool,
}

impl Source {
    /// A place in the file.
    pub(super) fn place(path: &Arc<Path>, mark: Mark) -> Place {
        Place::Line { file: Arc::clone(path), line: mark.line, column: mark.column }
    }

    /// Reads a file that must exist.
    pub(super) fn read(path: &Path) -> Result<Self, Problem> {
        let path: Arc<Path> = Arc::from(path);
        let fail = |message: String| Problem::error(Place::File(Arc::clone(&path)), "", message);
        let unreadable = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => fail("there is no such file".into()),
            _ => fail(format!("cannot be read: {error}")),
        };
        let file = File::open(&path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        if metadata.is_dir() {
            return Err(fail("is a directory, allowed: a file".into()));
        }
        if metadata.is_file() && others_write(&metadata) {
            let mode = metadata.mode() & 0o777;
            return Err(fail(format!(
                "others may write to it (mode {mode:04o}), allowed: chmod go-w"
            )));
        }
        let mut bytes = Vec::new();
        file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        let public = metadata.is_file() && metadata.mode() & 0o004 != 0;
        match document::read(&bytes) {
            Ok(yaml) => Ok(Self { path, yaml, public }),
            Err((mark, message)) => Err(Problem::error(Self::place(&path, mark), "", message)),
        }
    }
}

/// True if somebody else than the owner could change the file. A group that is the owner's own,
/// as many systems give to each user, is nobody else.
fn others_write(metadata: &fs::Metadata) -> bool {
    let own_group = || {
        let user = User::from_uid(Uid::from_raw(metadata.uid())).ok().flatten();
        let group = Group::from_gid(Gid::from_raw(metadata.gid())).ok().flatten();
        match (user, group) {
            (Some(user), Some(group)) => {
                user.name == group.name && group.mem.iter().all(|member| *member == user.name)
            }
            _ => false,
        }
    };
    metadata.mode() & 0o002 != 0 || (metadata.mode() & 0o020 != 0 && !own_group())
}

/// `conf.d/*.yaml` beside a file, in name order; hidden ones are left out.
pub(super) fn beside(file: &Path) -> Result<Vec<PathBuf>, Problem> {
    let Some(directory) = file.parent().map(|parent| parent.join("conf.d")) else {
        return Ok(Vec::new());
    };
    let fail = |error: io::Error| {
        let place = Place::File(Arc::from(directory.as_path()));
        Problem::error(place, "", format!("cannot be read: {error}"))
    };
    let entries = match fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(Vec::new()),
        Err(error) => return Err(fail(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(fail)?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
