//! What the command line says about a start.

use std::path::PathBuf;

use nix::{
    sys::{
        prctl::set_pdeathsig,
        signal::{Signal, raise},
    },
    unistd::getppid,
};

use super::roster::Selection;
use crate::config::Sources;

/// How a station is to be started. Paths are absolute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StartOptions {
    /// Bind address.
    pub host: Option<String>,
    /// Bind port; 0 for any free one.
    pub port: Option<u16>,
    /// Where all state lies.
    pub workspace: Option<PathBuf>,
    /// The configuration file that must exist.
    pub config: Option<PathBuf>,
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub log_level: Option<String>,
    /// `text` or `json`.
    pub log_format: Option<String>,
    /// Detach.
    pub daemonize: bool,
    /// Where the process id is written.
    pub pid_file: Option<PathBuf>,
    /// Drop to this user.
    pub user: Option<String>,
    /// Drop to this group.
    pub group: Option<String>,
    /// Scheduling priority.
    pub nice: Option<i32>,
    /// Start the daemons of this profile and what they depend on; all if none.
    pub profile: Option<String>,
    /// Start these daemons and what they depend on; all if empty.
    pub daemons: Vec<String>,
    /// Attach a simulated machine per driver named here, of every driver if empty; none if absent.
    pub simulate: Option<Vec<String>>,
    /// Configuration keys set by `--set`, in order.
    pub set: Vec<String>,
    /// End when this process, the parent, ends.
    pub parent: Option<u32>,
}

impl StartOptions {
    /// Which daemons are to run.
    pub(super) fn selection(&self) -> Selection<'_> {
        Selection { profile: self.profile.as_deref(), daemons: &self.daemons }
    }

    /// Arranges for a SIGTERM when the parent that was named ends. Called before anything else, on
    /// the main thread.
    pub fn follow_parent(&self) -> nix::Result<()> {
        let Some(parent) = self.parent else { return Ok(()) };
        set_pdeathsig(Signal::SIGTERM)?;
        // It may have ended before this was arranged.
        if u32::try_from(getppid().as_raw()) == Ok(parent) {
            Ok(())
        } else {
            raise(Signal::SIGTERM)
        }
    }

    /// Where the configuration of this start comes from.
    pub fn sources(&self) -> Sources {
        let sources = Sources {
            file: self.config.clone(),
            workspace: self.workspace.clone(),
            set: self.set.clone(),
            ..Sources::from_process()
        };
        sources
            .flag("--host", "websocket.host", self.host.as_ref())
            .flag("--port", "websocket.port", self.port)
            .flag("--log-level", "logging.level", self.log_level.as_ref())
            .flag("--log-format", "logging.format", self.log_format.as_ref())
    }
}
