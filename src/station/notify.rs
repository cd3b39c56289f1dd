//! What the service manager is told, by the protocol of `sd_notify(3)`.
//!
//! The variables of that protocol are taken out of the environment, so that no child speaks in
//! the station's name; the address is kept here instead.

use std::{
    ffi::{OsStr, OsString},
    os::{
        linux::net::SocketAddrExt,
        unix::{
            ffi::OsStrExt,
            net::{SocketAddr, UnixDatagram},
        },
    },
    process,
    sync::Arc,
    time::Duration,
};

use log::debug;
use nix::time::{ClockId, clock_gettime};

use crate::sys::process::take_env;

/// The variables of the protocol.
const VARIABLES: [&str; 3] = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"];

/// Speaks to the service manager, or to nobody if there is none.
#[derive(Clone, Debug, Default)]
pub struct Notifier {
    socket: Option<Arc<UnixDatagram>>,
    watchdog: Option<Duration>,
    taken: Arc<Vec<(&'static str, OsString)>>,
}

impl Notifier {
    /// Takes `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` out of the environment. Only
    /// before the first thread is started; [`launch`](super::launch::launch) does it.
    pub(crate) fn take_from_env() -> Self {
        let take = |name| take_env(name).map(|value| (name, value));
        let taken: Vec<_> = VARIABLES.into_iter().filter_map(take).collect();
        let value = |name| taken.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
        let [address, usec, pid] = VARIABLES.map(|name| value(name).cloned());
        Self {
            socket: address.and_then(|address| connect(&address)).map(Arc::new),
            watchdog: watchdog(usec.as_deref(), pid.as_deref(), process::id()),
            taken: Arc::new(taken),
        }
    }

    /// What was taken out of the environment, for a process that takes this one's place.
    pub(super) fn environment(&self) -> impl Iterator<Item = (&'static str, &OsString)> {
        self.taken.iter().map(|(name, value)| (*name, value))
    }

    /// True if somebody starts this process anew when it fails: systemd says so by
    /// `INVOCATION_ID`, a script of `OpenRC` has `RC_SVCNAME`.
    pub fn is_supervised(&self) -> bool {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        self.socket.is_some() || set("INVOCATION_ID") || set("RC_SVCNAME")
    }

    /// Start-up is over; `status` is for people.
    pub fn ready(&self, status: &str) {
        self.send(&format!("READY=1\nSTATUS={}\n", one_line(status)));
    }

    /// The configuration is being read again; [`ready`](Self::ready) ends it.
    pub fn reloading(&self) {
        let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from).unwrap_or_default();
        self.send(&format!("RELOADING=1\nMONOTONIC_USEC={}\n", now.as_micros()));
    }

    /// The stop has begun.
    pub fn stopping(&self) {
        self.send("STOPPING=1\nSTATUS=stopping\n");
    }

    /// One line for people, shown by `systemctl status`.
    pub fn status(&self, status: &str) {
        self.send(&format!("STATUS={}\n", one_line(status)));
    }

    /// How often to call [`alive`](Self::alive), if a watchdog is set: twice in its period.
    pub fn watchdog_interval(&self) -> Option<Duration> {
        self.watchdog.map(|period| period / 2)
    }

    /// Feeds the watchdog. Only after proof that the station does its work.
    pub fn alive(&self) {
        if self.watchdog.is_some() {
            self.send("WATCHDOG=1\n");
        }
    }

    fn send(&self, state: &str) {
        if let Some(socket) = &self.socket
            && let Err(error) = socket.send(state.as_bytes())
        {
            debug!("the service manager could not be told: {error}");
        }
    }
}

fn connect(address: &OsStr) -> Option<UnixDatagram> {
    let address = match address.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(address),
    };
    let socket = UnixDatagram::unbound().ok()?;
    socket.set_nonblocking(true).ok()?;
    socket.connect_addr(&address.ok()?).ok()?;
    Some(socket)
}

fn watchdog(usec: Option<&OsStr>, pid: Option<&OsStr>, own_pid: u32) -> Option<Duration> {
    let number = |text: &OsStr| text.to_str()?.parse::<u64>().ok();
    if let Some(pid) = pid
        && number(pid) != Some(u64::from(own_pid))
    {
        return None;
    }
    usec.and_then(number).filter(|usec| *usec > 0).map(Duration::from_micros)
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use std::{ffi::OsStr, os::unix::net::UnixDatagram, sync::Arc, time::Duration};

    use tempfile::tempdir;

    use super::{Notifier, connect, watchdog};

    #[test]
    fn the_manager_hears_each_word() {
        let directory = tempdir().unwrap();
        let path = directory.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        manager.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut notifier =
            Notifier { socket: connect(path.as_os_str()).map(Arc::new), ..Notifier::default() };
        let heard = || {
            let mut word = [0; 256];
            let length = manager.recv(&mut word).unwrap();
            String::from_utf8_lossy(&word[..length]).into_owned()
        };
        notifier.ready("two\nlines");
        assert_eq!(heard(), "READY=1\nSTATUS=two lines\n");
        notifier.reloading();
        let word = heard();
        let usec = word.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
        assert!(usec.trim().parse::<u64>().unwrap() > 0);
        notifier.alive();
        notifier.stopping();
        assert_eq!(heard(), "STOPPING=1\nSTATUS=stopping\n", "no watchdog is set");
        notifier.watchdog = Some(Duration::from_secs(30));
        notifier.alive();
        assert_eq!(heard(), "WATCHDOG=1\n");
        assert_eq!(notifier.watchdog_interval(), Some(Duration::from_secs(15)));
    }

    #[test]
    fn without_a_manager_nothing_happens() {
        let notifier = Notifier::default();
        notifier.ready("");
        assert_eq!(notifier.watchdog_interval(), None);
    }

    #[test]
    fn a_watchdog_is_for_one_process() {
        let word = |text: &'static str| Some(OsStr::new(text));
        assert_eq!(watchdog(word("30000000"), word("7"), 7), Some(Duration::from_secs(30)));
        assert_eq!(watchdog(word("30000000"), None, 7), Some(Duration::from_secs(30)));
        assert_eq!(watchdog(word("30000000"), word("8"), 7), None);
        assert_eq!(watchdog(word("0"), None, 7), None);
        assert_eq!(watchdog(None, word("7"), 7), None);
    }
}
