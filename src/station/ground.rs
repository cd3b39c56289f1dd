//! What a station takes possession of before it starts, in this order: workspace lock, PID file,
//! ports; then it gives up root for good.

use std::path::Path;

use super::{Identity, PidFile, StartError, Workspace, privileges::forbid_core_dumps};

/// What to take possession of. Paths are absolute.
#[derive(Clone, Copy, Debug)]
pub struct Claims<'a> {
    /// The workspace, created if missing.
    pub workspace: &'a Path,
    /// `--pid-file`.
    pub pid_file: Option<&'a Path>,
    /// `--user`, by name or number.
    pub user: Option<&'a str>,
    /// `--group`, by name or number.
    pub group: Option<&'a str>,
    /// Secrets are configured: no core dumps.
    pub secrets: bool,
}

/// What belongs to this station until it is dropped. Ports are given back first, the workspace
/// last.
#[derive(Debug)]
pub struct Ground<P> {
    /// What the caller bound.
    pub ports: P,
    /// Removed when dropped.
    pub pid_file: Option<PidFile>,
    /// Locked until dropped.
    pub workspace: Workspace,
}

impl Claims<'_> {
    /// Takes all of it, or nothing; `bind` binds the ports, as root if the process is root still.
    ///
    /// # Errors
    /// The first thing that cannot be had.
    pub fn take<P>(
        &self,
        bind: impl FnOnce() -> Result<P, StartError>,
    ) -> Result<Ground<P>, StartError> {
        let identity = Identity::resolve(self.user, self.group)?;
        let workspace = Workspace::claim(self.workspace, identity.as_ref())?;
        let pid_file =
            self.pid_file.map(|path| PidFile::claim(path, identity.as_ref())).transpose()?;
        let ports = bind()?;
        if let Some(identity) = identity {
            identity.assume()?;
        }
        if self.secrets {
            forbid_core_dumps()?;
        }
        workspace.check_writable()?;
        if let Some(pid_file) = &pid_file {
            pid_file.check_removable()?;
        }
        Ok(Ground { ports, pid_file, workspace })
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt as _, path::Path};

    use nix::unistd::geteuid;
    use tempfile::{TempDir, tempdir};

    use super::{Claims, Ground, StartError};
    use crate::station::testing::{in_child, rerun};

    fn open_directory() -> TempDir {
        let directory = tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        directory
    }

    fn claims<'a>(workspace: &'a Path, pid_file: &'a Path) -> Claims<'a> {
        Claims { workspace, pid_file: Some(pid_file), user: None, group: None, secrets: false }
    }

    #[test]
    fn a_port_in_use_gives_everything_back() {
        let directory = open_directory();
        let (workspace, pid_file) =
            (directory.path().join("bench"), directory.path().join("station.pid"));
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let bind =
            || TcpListener::bind(address).map_err(|error| StartError::listen(address, error));
        let error = claims(&workspace, &pid_file).take(bind).unwrap_err();
        assert_eq!(error.code(), crate::station::exit::UNAVAILABLE);
        assert!(error.to_string().contains(&format!("(PID {})", std::process::id())), "{error}");
        assert!(!pid_file.exists());
        claims(&workspace, &pid_file).take(|| Ok(())).unwrap();
    }

    #[test]
    #[expect(clippy::print_stderr, reason = "a test that was skipped must say so")]
    fn root_is_given_up_and_what_was_taken_is_the_users() {
        if !geteuid().is_root() {
            eprintln!("skipped: only root can become somebody else");
            return;
        }
        let test = "root_is_given_up_and_what_was_taken_is_the_users";
        if !in_child() {
            let output = rerun(&format!("station::ground::tests::{test}")).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
            return;
        }
        let directory = open_directory();
        let workspace = directory.path().join("a").join("bench");
        let pid_file = directory.path().join("run").join("station.pid");
        let claims = Claims {
            user: Some("4242"),
            group: Some("2424"),
            secrets: true,
            ..claims(&workspace, &pid_file)
        };
        let ground: Ground<TcpListener> = claims
            .take(|| {
                assert!(geteuid().is_root(), "low ports can be bound");
                let address = "127.0.0.1:0".parse().unwrap();
                TcpListener::bind(address).map_err(|error| StartError::listen(address, error))
            })
            .unwrap();
        let status = fs::read_to_string("/proc/self/status").unwrap();
        for line in ["Uid:\t4242\t4242\t4242\t4242", "Gid:\t2424\t2424\t2424\t2424"] {
            assert!(status.contains(line), "{status}");
        }
        assert!(status.contains("Groups:\t2424 \n"), "{status}");
        assert!(!nix::sys::prctl::get_dumpable().unwrap());
        fs::write(ground.workspace.paths.log_file(), "mine").unwrap();
        drop(ground);
        assert!(!pid_file.exists());
        Claims { user: None, group: None, ..claims }.take(|| Ok(())).unwrap();
    }
}
