//! Ports: listening on them, and who does already, as `/proc` tells.

use std::{
    fmt, fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs as _},
    path::{Path, PathBuf},
};

use nix::{
    libc,
    sys::socket::{Backlog, listen},
};

use super::StartError;

/// Connections that may wait to be accepted: a thousand browsers that come back at once.
const BACKLOG: i32 = 1024;

/// How often another free port is tried when 0 was asked for and the first is free on one
/// address only.
const FREE_PORT_ATTEMPTS: usize = 16;

/// Listens on `port` of `host`, an address or a name: on `127.0.0.1`, and on `::1` where present, for
/// `localhost`; on all its addresses for another name. 0 is a free port, the same on each.
///
/// # Errors
/// The name is unknown, or an address cannot be bound; who listens there is named.
pub fn bind(host: &str, port: u16) -> Result<Vec<TcpListener>, StartError> {
    let addresses = resolve(host)?;
    for _ in 1..FREE_PORT_ATTEMPTS {
        match bind_all(&addresses, port) {
            Err(StartError::PortInUse { .. }) if port == 0 => {}
            bound => return bound,
        }
    }
    bind_all(&addresses, port)
}

fn resolve(host: &str) -> Result<Vec<IpAddr>, StartError> {
    if host == "localhost" {
        return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    let host = host.trim_matches(['[', ']']);
    let unknown = |reason: String| StartError::Configuration(format!("host {host}: {reason}"));
    let mut addresses: Vec<IpAddr> = (host, 0)
        .to_socket_addrs()
        .map_err(|error| unknown(error.to_string()))?
        .map(|address| address.ip())
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    if addresses.is_empty() { Err(unknown("it has no address".to_owned())) } else { Ok(addresses) }
}

fn bind_all(addresses: &[IpAddr], port: u16) -> Result<Vec<TcpListener>, StartError> {
    let mut port = port;
    let mut listeners = Vec::new();
    for address in addresses {
        let address = SocketAddr::new(*address, port);
        match listen_on(address) {
            Ok(listener) => {
                port = listener.local_addr().map_or(port, |bound| bound.port());
                listeners.push(listener);
            }
            Err(error) if !listeners.is_empty() && is_absent(&error) => {}
            Err(error) => return Err(StartError::listen(address, error)),
        }
    }
    Ok(listeners)
}

fn listen_on(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listen(&listener, Backlog::new(BACKLOG)?)?; // with room for more than the standard library's 128
    Ok(listener)
}

/// This machine does not have the address, as `::1` where IPv6 is turned off.
fn is_absent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable
        || error.raw_os_error() == Some(libc::EAFNOSUPPORT)
}

/// Where a browser finds the dashboard, if anywhere.
pub(super) fn address(host: &str, listeners: &[TcpListener]) -> Option<String> {
    let address = listeners.first()?.local_addr().ok()?;
    let host = match (host, address.ip()) {
        ("localhost", _) => "localhost".to_owned(),
        (_, IpAddr::V6(ip)) => format!("[{ip}]"),
        (_, IpAddr::V4(ip)) => ip.to_string(),
    };
    Some(format!("http://{host}:{}", address.port()))
}

/// A process, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its process id.
    pub pid: u32,
    /// Its short name.
    pub name: String,
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (PID {})", self.name, self.pid)
    }
}

/// The process that listens on TCP `port`, if it may be known: other users' processes are seen by
/// root only.
pub fn listening_process(port: u16) -> Option<Process> {
    let sockets: Vec<PathBuf> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .into_iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| listening_sockets(&table, port))
        .map(|inode| PathBuf::from(format!("socket:[{inode}]")))
        .collect();
    if sockets.is_empty() {
        return None;
    }
    fs::read_dir("/proc").ok()?.flatten().find_map(|process| {
        let pid = process.file_name().to_str()?.parse().ok()?;
        holds(&process.path(), &sockets).then(|| Process { pid, name: name(&process.path()) })
    })
}

/// The inodes of sockets in state LISTEN (0A) on `port` in a table of `proc_pid_net(5)`.
fn listening_sockets(table: &str, port: u16) -> Vec<u64> {
    let suffix = format!(":{port:04X}");
    let inode = |line: &str| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let local = fields.next()?;
        let state = fields.nth(1)?;
        let inode = fields.nth(5)?;
        (state == "0A" && local.ends_with(&suffix)).then(|| inode.parse().ok())?
    };
    table.lines().skip(1).filter_map(inode).collect()
}

fn holds(process: &Path, sockets: &[PathBuf]) -> bool {
    fs::read_dir(process.join("fd")).is_ok_and(|descriptors| {
        descriptors
            .flatten()
            .filter_map(|descriptor| fs::read_link(descriptor.path()).ok())
            .any(|target| sockets.contains(&target))
    })
}

fn name(process: &Path) -> String {
    let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
    let name: String = name.trim().chars().filter(|char| !char.is_control()).collect();
    if name.is_empty() { "a process".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, process};

    use super::{StartError, bind, listening_process};
    use crate::station::testing::eventually;

    #[test]
    fn the_listener_is_named() {
        for address in ["127.0.0.1:0", "0.0.0.0:0"] {
            let listener = TcpListener::bind(address).unwrap();
            let port = listener.local_addr().unwrap().port();
            assert_eq!(listening_process(port).map(|owner| owner.pid), Some(process::id()));
            drop(listener);
            eventually("it is gone", || listening_process(port).is_none().then_some(()));
        }
    }

    #[test]
    fn localhost_is_one_port_on_every_loopback_address() {
        let listeners = bind("localhost", 0).unwrap();
        let ports: Vec<u16> =
            listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        assert!(listeners.iter().all(|listener| listener.local_addr().unwrap().ip().is_loopback()));
        assert!(ports.iter().all(|port| *port == ports[0] && *port != 0), "{ports:?}");
        match bind("127.0.0.1", ports[0]) {
            Err(StartError::PortInUse { owner, .. }) => {
                assert_eq!(owner.map(|owner| owner.pid), Some(process::id()));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_address_that_is_not_here_is_told() {
        let error = bind("192.0.2.1", 0).unwrap_err();
        assert_eq!(error.code(), crate::station::exit::UNAVAILABLE);
        assert!(error.to_string().starts_with("cannot listen on 192.0.2.1:0: "), "{error}");
        assert!(bind("[::1]", 0).is_ok() || bind("::1", 0).is_err());
    }
}
