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
