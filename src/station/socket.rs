//! The control socket: the station's own clients on this machine.

use std::{
    fs, io,
    os::{
        fd::{AsRawFd as _, OwnedFd},
        unix::{
            fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, chown},
            net::{UnixListener, UnixStream},
        },
    },
    path::{Path, PathBuf},
};

use log::{info, warn};
use nix::{
    sys::{
        socket::{
            AddressFamily, Backlog, SockFlag, SockType, UnixAddr, bind, getsockopt, listen, socket,
            sockopt::PeerCredentials,
        },
        stat::{Mode, fchmod},
    },
    unistd::Group,
};

use super::StartError;

/// The longest path of a Unix socket, `unix(7)`: `sun_path` without its final NUL.
const LONGEST_PATH_BYTES: usize = 107;

/// The socket's name in the file system; dropping it removes it.
#[derive(Debug)]
pub struct ControlSocket {
    path: PathBuf,
    inode: (u64, u64),
}

impl ControlSocket {
    /// Listens on `path` with mode 0600, or 0660 for `group`. A socket that nobody answers on is
    /// replaced. To be called with the workspace's lock held.
    ///
    /// # Errors
    /// The path is too long or no socket, the group is unknown, somebody answers there, or it
    /// cannot be bound.
    pub fn bind(path: &Path, group: Option<&str>) -> Result<(UnixListener, Self), StartError> {
        check_length(path)?;
        let group = group.map(find_group).transpose()?;
        remove_stale(path)?;
        let failed = |error: io::Error| {
            StartError::storage(format!("cannot listen on socket {}", path.display()), error)
        };
        let listener = listen_private(path).map_err(failed)?;
        if let Some(gid) = group {
            chown(path, None, Some(gid)).map_err(failed)?;
            fs::set_permissions(path, fs::Permissions::from_mode(0o660)).map_err(failed)?;
        }
        let found = fs::symlink_metadata(path).map_err(failed)?;
        Ok((listener, Self { path: path.to_owned(), inode: (found.dev(), found.ino()) }))
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        let ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|found| (found.dev(), found.ino()) == self.inode);
        if ours && let Err(error) = fs::remove_file(&self.path) {
            warn!("cannot remove socket {}: {error}", self.path.display());
        }
    }
}

/// Refuses a path that no Unix socket can have.
///
/// # Errors
/// It is too long; the message says by how much.
pub fn check_length(path: &Path) -> Result<(), StartError> {
    let length = path.as_os_str().len();
    if length <= LONGEST_PATH_BYTES {
        return Ok(());
    }
    Err(StartError::Configuration(format!(
        "socket path {} has {length} bytes, a socket's path at most {LONGEST_PATH_BYTES}: \
         set station.socket_path or STATIOND_SOCKET_PATH to a shorter one",
        path.display()
    )))
}

fn find_group(name: &str) -> Result<u32, StartError> {
    match name.parse() {
        Ok(gid) => Ok(gid),
        Err(_) => match Group::from_name(name) {
            Ok(Some(group)) => Ok(group.gid.as_raw()),
            _ => Err(StartError::Configuration(format!(
                "station.socket_group: there is no group {name}"
            ))),
        },
    }
}

fn remove_stale(path: &Path) -> Result<(), StartError> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            return Err(StartError::storage(format!("cannot look at {}", path.display()), error));
        }
    };
    if !found.file_type().is_socket() {
        return Err(StartError::Configuration(format!(
            "{} is there and is no socket: remove it, or set station.socket_path",
            path.display()
        )));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(_) => return Err(StartError::SocketHeld { path: path.to_owned(), pid: None }),
        Ok(stream) => {
            let peer = getsockopt(&stream, PeerCredentials).ok();
            let pid = peer.and_then(|peer| u32::try_from(peer.pid()).ok());
            return Err(StartError::SocketHeld { path: path.to_owned(), pid });
        }
    }
    info!("removing socket {}, which a station left behind", path.display());
    fs::remove_file(path).map_err(|error| {
        StartError::storage(format!("cannot remove stale socket {}", path.display()), error)
    })
}

/// Binds with mode 0600 from the first moment: the mode of an unbound socket becomes its file's.
fn listen_private(path: &Path) -> io::Result<UnixListener> {
    let socket: OwnedFd =
        socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    fchmod(&socket, Mode::from_bits_truncate(0o600))?;
    bind(socket.as_raw_fd(), &UnixAddr::new(path)?)?;
    listen(&socket, Backlog::new(128)?)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _, os::unix::net::UnixListener, process};

    use tempfile::tempdir;

    use super::{ControlSocket, StartError};

    #[test]
    fn a_stale_socket_is_replaced_and_a_live_one_is_not() {
        let directory = tempdir().unwrap();
        let path = directory.path().join("station.sock");
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        let (listener, socket) = ControlSocket::bind(&path, None).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        match ControlSocket::bind(&path, None) {
            Err(StartError::SocketHeld { pid, .. }) => assert_eq!(pid, Some(process::id())),
            other => panic!("{other:?}"),
        }
        drop((listener, socket));
        assert!(!path.exists());
    }

    #[test]
    fn another_file_is_left_alone() {
        let directory = tempdir().unwrap();
        let path = directory.path().join("precious");
        fs::write(&path, "data").unwrap();
        ControlSocket::bind(&path, None).unwrap_err();
        assert_eq!(fs::read_to_string(&path).unwrap(), "data");
    }

    #[test]
    fn the_longest_path_works_and_one_more_byte_is_told() {
        let directory = tempdir().unwrap();
        let room = 107 - directory.path().as_os_str().len() - 1;
        ControlSocket::bind(&directory.path().join("s".repeat(room)), None).unwrap();
        let error =
            ControlSocket::bind(&directory.path().join("s".repeat(room + 1)), None).unwrap_err();
        assert!(error.to_string().contains("has 108 bytes"), "{error}");
    }

    #[test]
    fn a_group_may_be_let_in() {
        let directory = tempdir().unwrap();
        let path = directory.path().join("station.sock");
        let own = nix::unistd::getegid().to_string();
        let (_listener, _socket) = ControlSocket::bind(&path, Some(&own)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o660);
        let error = ControlSocket::bind(&path, Some("no-such-group")).unwrap_err();
        assert!(error.to_string().contains("no-such-group"), "{error}");
    }
}
