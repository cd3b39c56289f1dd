//! The workspace: all state of one station, which holds it for its life.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Read as _, Seek as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process,
};

use log::warn;
use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
    libc,
    unistd::{AccessFlags, access},
};

use super::{Identity, StartError};

/// Where things lie in a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// The workspace itself.
    pub root: PathBuf,
    /// `stationd.db`.
    pub database: PathBuf,
    /// `stationd.sock`, unless configured elsewhere.
    pub socket: PathBuf,
    /// `stationd.heartbeat`, unless configured elsewhere.
    pub heartbeat: PathBuf,
    /// `files/`: large job files by their SHA-256.
    pub files: PathBuf,
    /// `jobs/`: a directory per job, with checkpoint and output.
    pub jobs: PathBuf,
    /// `logs/`.
    pub logs: PathBuf,
    /// `backups/`.
    pub backups: PathBuf,
    /// `plugins/`, unless configured elsewhere.
    pub plugins: PathBuf,
    /// `run/`: PID files of process daemons.
    pub run: PathBuf,
    /// `.lock`, held by the running station.
    pub lock: PathBuf,
}

impl Paths {
    /// The paths in workspace `root`, which should be absolute.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        Self {
            database: root.join("stationd.db"),
            socket: root.join("stationd.sock"),
            heartbeat: root.join("stationd.heartbeat"),
            files: root.join("files"),
            jobs: root.join("jobs"),
            logs: root.join("logs"),
            backups: root.join("backups"),
            plugins: root.join("plugins"),
            run: root.join("run"),
            lock: root.join(".lock"),
            root,
        }
    }

    /// The log file of a station that runs in the background.
    pub fn log_file(&self) -> PathBuf {
        self.logs.join("stationd.log")
    }

    fn directories(&self) -> [&Path; 7] {
        [&self.root, &self.files, &self.jobs, &self.logs, &self.backups, &self.plugins, &self.run]
    }
}

/// A workspace that this process holds.
#[derive(Debug)]
pub struct Workspace {
    /// Where things lie in it.
    pub paths: Paths,
    /// Held for the life of the process; the kernel lets go of it even after a kill.
    lock: Flock<File>,
}

impl Workspace {
    /// Creates what is missing of the workspace (directories 0750, given to `owner` if root is to
    /// become somebody else) and takes its lock.
    ///
    /// # Errors
    /// Another station holds it, or it cannot be created.
    pub fn claim(root: &Path, owner: Option<&Identity>) -> Result<Self, StartError> {
        let paths = Paths::new(root);
        for directory in paths.directories() {
            make_directory(directory, 0o750, owner)?;
        }
        let lock = lock(&paths, owner)?;
        Ok(Self { paths, lock })
    }

    /// Makes sure that the process, as the user it is now, may write in the workspace.
    ///
    /// # Errors
    /// It may not; the message says which directory.
    pub fn check_writable(&self) -> Result<(), StartError> {
        for directory in self.paths.directories() {
            check_writable(directory)?;
        }
        Ok(())
    }
}

impl Drop for Workspace {
    /// The number of a process that is gone must not be told to anybody.
    fn drop(&mut self) {
        let _ = self.lock.set_len(0);
    }
}

fn lock(paths: &Paths, owner: Option<&Identity>) -> Result<Flock<File>, StartError> {
    let path = &paths.lock;
    let failed =
        |error: io::Error| StartError::storage(format!("cannot lock {}", path.display()), error);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o640)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)
        .map_err(failed)?;
    if let Some(owner) = owner {
        owner.own(&file).map_err(failed)?;
    }
    file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(mut lock) => {
            // The number is for people and messages; the lock alone decides.
            if let Err(error) = write_pid(&mut lock) {
                warn!("cannot write {}: {error}", path.display());
            }
            return Ok(lock);
        }
        Err((file, Errno::EWOULDBLOCK)) => file,
        Err((_, error)) => return Err(failed(error.into())),
    };
    Err(StartError::WorkspaceHeld { workspace: paths.root.clone(), pid: read_pid(&mut file) })
}

/// Creates `path` and its missing parents with `mode` whatever the umask, each given to `owner`;
/// a directory that is there stays as it is.
pub(super) fn make_directory(
    path: &Path,
    mode: u32,
    owner: Option<&Identity>,
) -> Result<(), StartError> {
    let failed = |error: io::Error| {
        StartError::storage(format!("cannot create directory {}", path.display()), error)
    };
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Ok(()),
        Ok(_) => return Err(failed(io::ErrorKind::NotADirectory.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        make_directory(parent, mode, owner)?;
    }
    match DirBuilder::new().mode(mode).create(path) {
        Ok(()) => {}
        // Two that start at once on a new workspace both get here; the lock decides.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(failed(error)),
    }
    let directory = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_DIRECTORY)
        .open(path)
        .map_err(failed)?;
    directory.set_permissions(Permissions::from_mode(mode)).map_err(failed)?;
    owner.map_or(Ok(()), |owner| owner.own(&directory)).map_err(failed)
}

/// Makes sure that the process may create and remove files in `directory`.
pub(super) fn check_writable(directory: &Path) -> Result<(), StartError> {
    access(directory, AccessFlags::W_OK | AccessFlags::X_OK).map_err(|error| {
        let what =
            format!("directory {} is not writable by the station's user", directory.display());
        StartError::storage(what, error)
    })
}

/// Replaces what is in `file` by this process's number.
pub(super) fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(format!("{}\n", process::id()).as_bytes())
}

/// The number that another process wrote into `file`.
pub(super) fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _, process, thread};

    use nix::sys::stat::{Mode, umask};
    use tempfile::tempdir;

    use super::{StartError, Workspace};
    use crate::station::testing::{in_child, rerun};

    #[test]
    fn one_of_fifty_gets_it_and_the_others_are_told_who() {
        let directory = tempdir().unwrap();
        let root = directory.path().join("new").join("bench");
        let claims: Vec<_> = thread::scope(|scope| {
            let claims: Vec<_> =
                (0..50).map(|_| scope.spawn(|| Workspace::claim(&root, None))).collect();
            claims.into_iter().map(|claim| claim.join().unwrap()).collect()
        });
        assert_eq!(claims.iter().filter(|claim| claim.is_ok()).count(), 1);
        match Workspace::claim(&root, None) {
            Err(StartError::WorkspaceHeld { pid, .. }) => assert_eq!(pid, Some(process::id())),
            other => panic!("{other:?}"),
        }
        drop(claims);
        Workspace::claim(&root, None).unwrap().check_writable().unwrap();
    }

    #[test]
    fn directories_are_for_owner_and_group_whatever_the_umask() {
        if in_child() {
            umask(Mode::from_bits_truncate(0o777));
            let directory = tempdir().unwrap();
            fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
            let workspace = Workspace::claim(&directory.path().join("bench"), None).unwrap();
            for directory in workspace.paths.directories() {
                let mode = fs::metadata(directory).unwrap().permissions().mode();
                assert_eq!(mode & 0o7777, 0o750, "{}", directory.display());
            }
            return;
        }
        let test = "directories_are_for_owner_and_group_whatever_the_umask";
        let output = rerun(&format!("station::workspace::tests::{test}")).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    #[test]
    fn a_file_in_its_place_is_told() {
        let directory = tempdir().unwrap();
        let root = directory.path().join("bench");
        fs::write(&root, "").unwrap();
        let error = Workspace::claim(&root, None).unwrap_err();
        assert_eq!(error.code(), crate::station::exit::STORAGE);
        assert!(error.to_string().contains("cannot create directory"), "{error}");
    }
}
