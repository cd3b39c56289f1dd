//! Notices that a port may have come.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor},
};

/// Watches the directory that a port will appear in. udev makes a device file first and lets others
/// than root open it a moment later, so a change of its mode counts too.
pub(super) struct Hotplug {
    inotify: Inotify,
    port: PathBuf,
    watched: Option<(PathBuf, WatchDescriptor)>,
}

impl Hotplug {
    /// Watches for `port`. Fails if the system gives no watch.
    pub(super) fn new(port: &Path) -> io::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
        let mut hotplug = Self { inotify, port: port.to_owned(), watched: None };
        hotplug.watch()?;
        Ok(hotplug)
    }

    /// For polling.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }

    /// Takes in what has happened; true if it is worth a try to open the port.
    pub(super) fn happened(&mut self) -> bool {
        let mut any = false;
        loop {
            match self.inotify.read_events() {
                Ok(events) => any |= !events.is_empty(),
                Err(Errno::EINTR) => {}
                Err(_) => break,
            }
        }
        // The directory itself comes and goes with the first and the last port in it.
        let watched = any && self.watch().is_ok();
        watched && self.port.exists()
    }

    /// Watches the nearest directory above the port that there is.
    fn watch(&mut self) -> io::Result<()> {
        let nearest = self.port.ancestors().skip(1).find(|above| above.is_dir());
        let nearest = nearest.filter(|above| !above.as_os_str().is_empty());
        let nearest = nearest.ok_or(io::ErrorKind::NotFound)?;
        if self.watched.as_ref().is_some_and(|(watched, _)| watched == nearest) {
            return Ok(());
        }
        if let Some((_, old)) = self.watched.take() {
            // A directory that is gone took its watch along.
            let _ = self.inotify.rm_watch(old);
        }
        let what = AddWatchFlags::IN_CREATE
            | AddWatchFlags::IN_MOVED_TO
            | AddWatchFlags::IN_ATTRIB
            | AddWatchFlags::IN_DELETE_SELF;
        self.watched = Some((nearest.to_owned(), self.inotify.add_watch(nearest, what)?));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_port_is_noticed_in_a_directory_that_was_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let port = dir.path().join("serial/by-id/usb-a");
        let mut hotplug = Hotplug::new(&port).unwrap();
        assert!(!hotplug.happened());
        fs::create_dir(dir.path().join("serial")).unwrap();
        assert!(!hotplug.happened(), "a directory is no port");
        fs::create_dir(dir.path().join("serial/by-id")).unwrap();
        assert!(!hotplug.happened());
        fs::write(port.with_file_name("usb-b"), "").unwrap();
        assert!(!hotplug.happened(), "another port");
        fs::write(&port, "").unwrap();
        assert!(hotplug.happened());
        assert!(!hotplug.happened(), "once");
        fs::remove_dir_all(dir.path().join("serial")).unwrap();
        assert!(!hotplug.happened());
        fs::create_dir_all(port.parent().unwrap()).unwrap();
        assert!(!hotplug.happened());
        fs::write(&port, "").unwrap();
        assert!(hotplug.happened(), "again after everything was gone");
    }
}
