//! The PID file: whoever holds its lock runs; the number in it is for people and scripts.
//!
//! A file that is left behind has no lock on it, so it never stands in the way, whatever number
//! it names and whoever has that number now. Only a holder of the lock writes or removes the
//! file, and a lock counts only on the file that the path still names: whoever waited for a file
//! that was removed meanwhile starts over.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use log::warn;
use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
    libc,
};

use super::{
    Identity, StartError,
    workspace::{check_writable, make_directory, read_pid, write_pid},
};

/// What a PID file can hold at most. Anything larger is somebody's file, named by mistake.
const LARGEST_BYTES: u64 = 64;

/// A PID file that names this process; dropping it removes it.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
    lock: Flock<File>,
}

impl PidFile {
    /// Locks `path` and writes this process's number into it. A missing directory is created;
    /// file and new directories are given to `owner` if root is to become somebody else.
    ///
    /// # Errors
    /// A running process holds it, it is no PID file, or it cannot be written.
    pub fn claim(path: &Path, owner: Option<&Identity>) -> Result<Self, StartError> {
        let failed = |error: io::Error| {
            StartError::storage(format!("cannot write PID file {}", path.display()), error)
        };
        if let Some(directory) = directory(path) {
            make_directory(directory, 0o755, owner)?;
        }
        loop {
            let file = open(path)?;
            let mut lock = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(lock) => lock,
                Err((mut file, Errno::EWOULDBLOCK)) => {
                    let pid = read_pid(&mut file);
                    return Err(StartError::PidFileHeld { path: path.to_owned(), pid });
                }
                Err((_, error)) => return Err(failed(error.into())),
            };
            if is_at(&lock, path).map_err(failed)? {
                // For everybody to read, whatever the umask.
                lock.set_permissions(Permissions::from_mode(0o644)).map_err(failed)?;
                owner.map_or(Ok(()), |owner| owner.own(&*lock)).map_err(failed)?;
                write_pid(&mut lock).map_err(failed)?;
                return Ok(Self { path: path.to_owned(), lock });
            }
        }
    }

    /// Makes sure that the process, as the user it is now, can remove the file at the end.
    ///
    /// # Errors
    /// It cannot; the message names the directory.
    pub fn check_removable(&self) -> Result<(), StartError> {
        directory(&self.path).map_or(Ok(()), check_writable)
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        let removed = is_at(&self.lock, &self.path)
            .and_then(|ours| if ours { fs::remove_file(&self.path) } else { Ok(()) });
        if let Err(error) = removed {
            warn!("cannot remove PID file {}: {error}", self.path.display());
        }
    }
}

fn directory(path: &Path) -> Option<&Path> {
    path.parent().filter(|directory| !directory.as_os_str().is_empty())
}

fn open(path: &Path) -> Result<File, StartError> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o644)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)
        .and_then(|file| file.metadata().map(|found| (file, found)));
    match file {
        Ok((file, found))
            if found.is_file() && found.len() <= LARGEST_BYTES && found.nlink() <= 1 =>
        {
            Ok(file)
        }
        Ok(_) => Err(StartError::Configuration(format!(
            "{} is there and is no PID file: remove it, or choose another --pid-file",
            path.display()
        ))),
        Err(error) if error.raw_os_error() == Some(libc::ELOOP) => {
            Err(StartError::Configuration(format!(
                "PID file {} is a symbolic link, which is not followed: choose another --pid-file",
                path.display()
            )))
        }
        Err(error) => {
            Err(StartError::storage(format!("cannot open PID file {}", path.display()), error))
        }
    }
}

/// True if `path` still names this very file.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let ours = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(there) => Ok(ours.dev() == there.dev() && ours.ino() == there.ino()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::{PermissionsExt as _, symlink},
        process, thread,
    };

    use tempfile::tempdir;

    use super::{PidFile, StartError};

    #[test]
    fn it_names_the_process_and_goes_with_it() {
        let directory = tempdir().unwrap();
        let path = directory.path().join("run").join("station.pid");
        let file = PidFile::claim(&path, None).unwrap();
        file.check_removable().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", process::id()));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o644);
        match PidFile::claim(&path, None) {
            Err(StartError::PidFileHeld { pid, .. }) => assert_eq!(pid, Some(process::id())),
            other => panic!("{other:?}"),
        }
        drop(file);
        assert!(!path.exists());
    }

    #[test]
    fn a_stale_one_is_replaced_whatever_it_names() {
        let directory = tempdir().unwrap();
        let path = directory.path().join("station.pid");
        for stale in [String::new(), "99999999 and more".to_owned(), process::id().to_string()] {
            fs::write(&path, stale).unwrap();
            let file = PidFile::claim(&path, None).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", process::id()));
            drop(file);
        }
    }

    #[test]
    fn links_and_other_files_are_left_alone() {
        let directory = tempdir().unwrap();
        let (precious, link) = (directory.path().join("precious"), directory.path().join("link"));
        fs::write(&precious, "1\n").unwrap();
        symlink(&precious, &link).unwrap();
        let error = PidFile::claim(&link, None).unwrap_err();
        assert!(error.to_string().contains("symbolic link"), "{error}");
        fs::remove_file(&link).unwrap();
        fs::hard_link(&precious, &link).unwrap();
        PidFile::claim(&link, None).unwrap_err();
        assert_eq!(fs::read_to_string(&precious).unwrap(), "1\n");
        fs::remove_file(&link).unwrap();
        fs::write(&precious, "x".repeat(1000)).unwrap();
        let error = PidFile::claim(&precious, None).unwrap_err();
        assert!(error.to_string().contains("is no PID file"), "{error}");
    }

    #[test]
    fn never_two_hold_it_while_it_comes_and_goes() {
        let directory = tempdir().unwrap();
        let path = directory.path().join("station.pid");
        let held = std::sync::Mutex::new(());
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        if let Ok(file) = PidFile::claim(&path, None) {
                            let only = held.try_lock().expect("nobody else holds it");
                            drop(only);
                            drop(file);
                        }
                    }
                });
            }
        });
    }

    #[test]
    fn a_file_that_is_no_longer_there_is_not_taken_for_ours() {
        let directory = tempdir().unwrap();
        let path = directory.path().join("station.pid");
        let first = PidFile::claim(&path, None).unwrap();
        fs::remove_file(&path).unwrap();
        let second = PidFile::claim(&path, None).unwrap();
        drop(first);
        assert!(path.exists(), "it is the second one's");
        drop(second);
        assert!(!path.exists());
    }
}
