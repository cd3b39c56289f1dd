//! Serial ports, real and pseudo.

use std::{
    fs, io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
    time::Duration,
};

use nix::{
    fcntl::{FcntlArg, OFlag, fcntl},
    sys::termios::{FlushArg, tcflush},
    unistd,
};
use serialport::{FlowControl, TTYPort};

use super::port::Link;
use crate::sys;

/// An open serial port, claimed for this process alone.
pub(super) struct Serial {
    fd: OwnedFd,
}

impl Serial {
    /// Opens a port, 8N1, with this handshake. serialport claims it by TIOCEXCL and flock: the first
    /// does not stop root, the second does.
    pub(super) fn open(path: &Path, baud_rate: u32, flow: FlowControl) -> io::Result<Self> {
        let name = path.display();
        let port = TTYPort::open(
            &serialport::new(path.to_string_lossy(), baud_rate)
                .flow_control(flow)
                .timeout(Duration::ZERO),
        )
        .map_err(|error| {
            let error = io::Error::from(error);
            match holder(path) {
                Some(holder) => io::Error::new(
                    io::ErrorKind::ResourceBusy,
                    format!("{name} is in use by {holder}"),
                ),
                None => io::Error::new(error.kind(), format!("{name}: {error}")),
            }
        })?;
        let fd = sys::serial::into_fd(port);
        // serialport clears O_NONBLOCK once the port is open.
        fcntl(&fd, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        Ok(Self { fd })
    }
}

impl Link for Serial {
    fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(unistd::read(&self.fd, buffer)?)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(unistd::write(&self.fd, bytes)?)
    }

    fn discard(&mut self) {
        // Best effort: a port that is gone has nothing left to throw away.
        let _ = tcflush(&self.fd, FlushArg::TCOFLUSH);
    }
}

/// Another process that has the port open, as `pid 42 (ModemManager)`, as far as it can be seen.
fn holder(path: &Path) -> Option<String> {
    let device = fs::canonicalize(path).ok()?;
    let own = std::process::id();
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        let Ok(descriptors) = fs::read_dir(process.path().join("fd")) else { continue };
        let opens = |entry: fs::DirEntry| fs::read_link(entry.path()).is_ok_and(|to| to == device);
        if pid != own && descriptors.flatten().any(opens) {
            let program = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some(format!("pid {pid} ({})", program.trim()));
        }
    }
    None
}
