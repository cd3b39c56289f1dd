//! What a program says of itself, by `sd_notify(3)`.
//!
//! The kernel tells who sends each message. It is listened to if it comes from the program's
//! family, and from its user or root. A helper that has ended by the time it is looked for is
//! taken at its user's word: who runs as that user can do to the program whatever it likes.

use std::{
    cell::{Cell, RefCell},
    convert::Infallible,
    fs,
    future::pending,
    io::{self, IoSliceMut},
    os::{
        fd::AsRawFd as _,
        linux::net::SocketAddrExt as _,
        unix::{
            fs::MetadataExt as _,
            net::{SocketAddr, UnixDatagram as StdDatagram},
        },
    },
    time::Instant,
};

use nix::{
    cmsg_space,
    sys::socket::{
        ControlMessageOwned, MsgFlags, UnixCredentials, recvmsg, setsockopt, sockopt::PassCred,
    },
};
use tokio::{io::Interest, net::UnixDatagram, sync::Notify};
use uuid::Uuid;

use super::census::{Family, read_marks, read_stat};

/// How many generations lie between a program and its helper, at most.
const GENERATIONS: usize = 32;
/// How much of a status is shown.
const STATUS: usize = 200;

/// The socket of one program.
pub(super) struct Socket {
    end: UnixDatagram,
    /// As in `NOTIFY_SOCKET`.
    pub(super) address: String,
    pub(super) said: Said,
}

/// What it has said so far.
pub(super) struct Said {
    pub(super) ready: Cell<bool>,
    pub(super) status: RefCell<Option<String>>,
    /// The number of the error by which it says that it ends.
    pub(super) errno: Cell<Option<i32>>,
    /// When it last said that it is alive.
    pub(super) alive: Cell<Instant>,
    /// Something of this has changed.
    pub(super) news: Notify,
}

impl Socket {
    /// Opens a socket that no file stands for, so none is left behind.
    ///
    /// # Errors
    /// No socket can be opened.
    pub(super) fn open() -> io::Result<Self> {
        let name = format!("stationd-notify-{}", Uuid::now_v7().simple());
        let socket = StdDatagram::bind_addr(&SocketAddr::from_abstract_name(&name)?)?;
        socket.set_nonblocking(true)?;
        setsockopt(&socket, PassCred, &true)?;
        let said = Said {
            ready: Cell::new(false),
            status: RefCell::new(None),
            errno: Cell::new(None),
            alive: Cell::new(Instant::now()),
            news: Notify::new(),
        };
        Ok(Self { end: UnixDatagram::from_std(socket)?, address: format!("@{name}"), said })
    }

    /// Listens to `family`, for as long as it is polled.
    pub(super) async fn listen(&self, family: &Family) -> Infallible {
        let fd = self.end.as_raw_fd();
        loop {
            match self.end.async_io(Interest::READABLE, || receive(fd)).await {
                Ok((message, Some(sender))) if may_speak(family, &sender) => {
                    self.said.take(&message);
                }
                Ok(_) => {}
                Err(_) => return pending().await,
            }
            tokio::task::yield_now().await;
        }
    }
}

impl Said {
    /// Until it has said that it is up.
    pub(super) async fn ready(&self) {
        while !self.ready.get() {
            self.news.notified().await;
        }
    }

    /// Takes lines of `WORD=VALUE`.
    fn take(&self, message: &[u8]) {
        for line in String::from_utf8_lossy(message).lines() {
            match line.split_once('=') {
                Some(("READY", "1")) => self.ready.set(true),
                Some(("WATCHDOG", "1")) => self.alive.set(Instant::now()),
                Some(("STATUS", status)) => {
                    let status: String =
                        status.chars().filter(|it| !it.is_control()).take(STATUS).collect();
                    self.status.replace(Some(status).filter(|it| !it.is_empty()));
                }
                Some(("STOPPING", "1")) => {
                    self.status.borrow_mut().get_or_insert_with(|| "stopping".to_owned());
                }
                Some(("ERRNO", number)) => self.errno.set(number.parse().ok()),
                _ => {}
            }
        }
        self.news.notify_waiters();
    }
}

fn receive(fd: i32) -> io::Result<(Vec<u8>, Option<UnixCredentials>)> {
    let (mut bytes, mut space) = ([0; 4096], cmsg_space!(UnixCredentials));
    let mut parts = [IoSliceMut::new(&mut bytes)];
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_CMSG_CLOEXEC;
    let message = recvmsg::<()>(fd, &mut parts, Some(&mut space), flags)?;
    let sender = message.cmsgs()?.find_map(|control| match control {
        ControlMessageOwned::ScmCredentials(sender) => Some(sender),
        _ => None,
    });
    let length = message.bytes;
    Ok((bytes.get(..length).unwrap_or_default().to_vec(), sender))
}

fn may_speak(family: &Family, sender: &UnixCredentials) -> bool {
    let owner = fs::metadata(format!("/proc/{}", family.main.pid)).map(|found| found.uid());
    if sender.uid() != 0 && owner.ok() != Some(sender.uid()) {
        return false;
    }
    let mut pid = sender.pid();
    for generation in 0..GENERATIONS {
        let Some(mut entry) = read_stat(pid) else { return generation == 0 };
        entry.marks = read_marks(pid);
        if family.claims(&entry) {
            return true;
        }
        pid = entry.parent;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemons::process::census::{Marks, Member};

    #[actix::test]
    async fn words_are_taken_and_what_is_unknown_is_left_out() {
        let socket = Socket::open().unwrap();
        socket.said.take(b"STATUS=loading \x07model\nMAINPID=7\nnonsense\nREADY=0");
        assert!(!socket.said.ready.get());
        assert_eq!(socket.said.status.borrow().as_deref(), Some("loading model"));
        socket.said.take(b"READY=1\nSTATUS=\nERRNO=13\n");
        assert!(socket.said.ready.get());
        assert_eq!(*socket.said.status.borrow(), None);
        assert_eq!(socket.said.errno.get(), Some(13));
    }

    #[test]
    fn a_stranger_may_not_speak() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let own = UnixCredentials::new();
        let family = |pid| Family {
            main: Member::find(pid).unwrap(),
            leads: true,
            marks: Marks::default(),
            known: Vec::new(),
        };
        assert!(may_speak(&family(pid), &own));
        let mut other = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let other_pid = i32::try_from(other.id()).unwrap();
        assert!(!may_speak(&family(other_pid), &own));
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
