//! Who listens on a port, as `/proc` tells.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

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

    use super::listening_process;
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
}
