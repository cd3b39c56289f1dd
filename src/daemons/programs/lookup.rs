//! Where a program's file is, and why it cannot be run.

use std::{
    ffi::{CString, OsStr},
    fs,
    os::unix::{ffi::OsStrExt as _, fs::PermissionsExt as _},
    path::{Path, PathBuf},
};

use nix::errno::Errno;

use super::{environment::Environment, words::plain};
use crate::sys::spawn::Step;

/// As `execve` takes it.
///
/// # Errors
/// A sentence.
pub(in crate::daemons) fn text(bytes: &[u8]) -> Result<CString, String> {
    CString::new(bytes).map_err(|_| "its command contains a NUL".to_owned())
}

/// The file of a program: looked for in `PATH` if it has no `/`.
///
/// # Errors
/// The rest of a sentence.
pub(in crate::daemons) fn find(
    name: &str,
    directory: &Path,
    environment: &Environment,
) -> Result<PathBuf, String> {
    if name.contains('/') {
        return Ok(directory.join(name));
    }
    let mut forbidden = false;
    for place in environment.path().as_bytes().split(|byte| *byte == b':') {
        let place = Path::new(OsStr::from_bytes(place));
        let file = directory.join(place).join(name);
        match fs::metadata(&file) {
            Ok(found) if found.is_file() && found.permissions().mode() & 0o111 != 0 => {
                return Ok(file);
            }
            Ok(found) => forbidden |= found.is_file(),
            Err(_) => {}
        }
    }
    Err(if forbidden { "permission denied" } else { "no such program" }.to_owned())
}

/// Why a program did not get as far as running; `user` is whom it was to become.
pub(in crate::daemons) fn explain(
    (step, errno): (Step, Errno),
    file: &Path,
    directory: &Path,
    user: Option<&str>,
) -> String {
    let why = plain(&errno.into());
    match (step, errno) {
        (Step::Fork, Errno::EAGAIN) => "the process table is full".to_owned(),
        (Step::Cgroup, _) => format!("cannot join its control group: {why}"),
        (Step::Limit, _) => format!("cannot set its limits and priority: {why}"),
        (Step::Identity, _) => format!("cannot become {}: {why}", user.unwrap_or("another")),
        (Step::Directory, _) => format!("cannot enter {}: {why}", directory.display()),
        (Step::Exec, Errno::ENOENT) if file.exists() => {
            "the interpreter named in its first line does not exist".to_owned()
        }
        (Step::Exec, Errno::ENOENT) => "no such program".to_owned(),
        (Step::Exec, Errno::EAGAIN) => "its user runs as many processes as it may".to_owned(),
        (Step::Exec, Errno::ENOEXEC) => {
            "it is no program of this machine's, and no script with #! in its first line".to_owned()
        }
        (Step::Fork | Step::Exec, _) => why,
    }
}
