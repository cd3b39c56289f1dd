//! Exit codes, and the reasons for which a station does not start.

use std::{io, net::SocketAddr, path::PathBuf};

use thiserror::Error;

use super::ports::Process;

/// It is done.
pub const DONE: u8 = 0;
/// It failed.
pub const FAILED: u8 = 1;
/// The command line makes no sense.
pub const USAGE: u8 = 2;
/// The station is not running.
pub const NOT_RUNNING: u8 = 3;
/// Not allowed.
pub const NOT_ALLOWED: u8 = 4;
/// There is no such thing.
pub const NO_SUCH_THING: u8 = 5;
/// The database is newer than this program, or unusable (`EX_DATAERR`).
pub const DATABASE: u8 = 65;
/// The address cannot be listened on (`EX_UNAVAILABLE`).
pub const UNAVAILABLE: u8 = 69;
/// A fault of the program itself (`EX_SOFTWARE`).
pub const INTERNAL: u8 = 70;
/// Files cannot be written or read (`EX_IOERR`).
pub const STORAGE: u8 = 74;
/// Another station holds the workspace, the PID file or the socket (`EX_TEMPFAIL`).
pub const HELD: u8 = 75;
/// The configuration is wrong (`EX_CONFIG`).
pub const CONFIGURATION: u8 = 78;
/// Interrupted from the keyboard.
pub const INTERRUPTED: u8 = 130;

/// Why a station did not start, or did not end well.
#[derive(Debug, Error)]
pub enum StartError {
    /// The configuration or an option is wrong; the text says what and where.
    #[error("{0}")]
    Configuration(String),
    /// Another station runs on this workspace.
    #[error(
        "workspace {} is in use by another station{}: stop that one, or choose another --workspace",
        workspace.display(), named(*pid)
    )]
    WorkspaceHeld {
        /// The workspace.
        workspace: PathBuf,
        /// Who holds it, where that can be told.
        pid: Option<u32>,
    },
    /// Another process holds the PID file.
    #[error("PID file {} is held by a running process{}", path.display(), named(*pid))]
    PidFileHeld {
        /// The PID file.
        path: PathBuf,
        /// Who holds it, where that can be told.
        pid: Option<u32>,
    },
    /// Another process answers on the control socket.
    #[error("socket {} is in use by a running process{}", path.display(), named(*pid))]
    SocketHeld {
        /// The socket.
        path: PathBuf,
        /// Who answers on it, where that can be told.
        pid: Option<u32>,
    },
    /// Another process listens on the port.
    #[error(
        "address {address} is in use{}: choose another --port",
        owner.as_ref().map(|owner| format!(" by {owner}")).unwrap_or_default()
    )]
    PortInUse {
        /// What was to be bound.
        address: SocketAddr,
        /// Who listens there, where that can be told.
        owner: Option<Process>,
    },
    /// The address cannot be bound for another reason.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// What was to be bound.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The database is newer than this program, or unusable.
    #[error("{0}")]
    Database(String),
    /// Files or directories cannot be made, read or written.
    #[error("{what}: {source}")]
    Storage {
        /// What was tried, with the path.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
    /// A fault of the program itself.
    #[error("{0}")]
    Internal(String),
}

impl StartError {
    /// The exit code that tells this reason.
    pub fn code(&self) -> u8 {
        match self {
            Self::Configuration(_) => CONFIGURATION,
            Self::WorkspaceHeld { .. } | Self::PidFileHeld { .. } | Self::SocketHeld { .. } => HELD,
            Self::PortInUse { .. } | Self::Listen { .. } => UNAVAILABLE,
            Self::Database(_) => DATABASE,
            Self::Storage { .. } => STORAGE,
            Self::Internal(_) => INTERNAL,
        }
    }

    /// Why `address` could not be bound, with the process that listens there already.
    pub fn listen(address: SocketAddr, source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::AddrInUse {
            Self::PortInUse { address, owner: super::ports::listening_process(address.port()) }
        } else {
            Self::Listen { address, source }
        }
    }

    /// A file or directory could not be made, read or written: `what` says which and how.
    pub fn storage(what: impl Into<String>, source: impl Into<io::Error>) -> Self {
        Self::Storage { what: what.into(), source: source.into() }
    }
}

fn named(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (PID {pid})")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{HELD, StartError};

    #[test]
    fn a_held_workspace_names_its_holder() {
        let error =
            StartError::WorkspaceHeld { workspace: PathBuf::from("/srv/bench"), pid: Some(4711) };
        assert_eq!(error.code(), HELD);
        assert_eq!(
            error.to_string(),
            "workspace /srv/bench is in use by another station (PID 4711): \
             stop that one, or choose another --workspace"
        );
    }
}
