//! What the process may do: user and groups, priority, core dumps, file modes.

use std::{ffi::CString, fmt, io, os::fd::AsFd};

use nix::{
    errno::Errno,
    sys::{
        prctl,
        resource::{Resource, setrlimit},
        stat::{Mode, umask},
    },
    unistd::{
        Gid, Group, Uid, User, fchown, getegid, geteuid, initgroups, setgid, setgroups, setuid,
    },
};

use super::StartError;
use crate::sys::process;

/// A user and group to become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user's name, whose supplementary groups come along; a bare number has none.
    name: Option<CString>,
    uid: Uid,
    gid: Gid,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => f.write_str(&name.to_string_lossy()),
            None => write!(f, "{}:{}", self.uid, self.gid),
        }
    }
}

impl Identity {
    /// Whom `--user` and `--group` mean, by name or number; `None` if there is nothing to change.
    ///
    /// # Errors
    /// There is no such user or group, or this process is not root and may not change.
    pub fn resolve(user: Option<&str>, group: Option<&str>) -> Result<Option<Self>, StartError> {
        if user.is_none() && group.is_none() {
            return Ok(None);
        }
        let account = user.map(find_user).transpose()?;
        let gid = group.map(find_group).transpose()?;
        let wanted = match account {
            Some(Account::Known(user)) => Self {
                gid: gid.unwrap_or(user.gid),
                uid: user.uid,
                name: CString::new(user.name).ok(),
            },
            Some(Account::Number(uid)) => Self {
                gid: gid.ok_or_else(|| {
                    StartError::Configuration(format!(
                        "--user {uid} is not in the user database: name a --group too"
                    ))
                })?,
                uid,
                name: None,
            },
            None => Self { gid: gid.unwrap_or_else(getegid), uid: geteuid(), name: None },
        };
        if geteuid().is_root() {
            Ok(Some(wanted))
        } else if wanted.uid == geteuid() && wanted.gid == getegid() {
            Ok(None)
        } else {
            Err(StartError::Configuration(
                "--user and --group need root: leave them out, or start as root".to_owned(),
            ))
        }
    }

    /// Gives an open file or directory to this user and group.
    pub(super) fn own(&self, file: impl AsFd) -> io::Result<()> {
        fchown(file, Some(self.uid), Some(self.gid)).map_err(Into::into)
    }

    /// Becomes this user for good, supplementary groups included.
    ///
    /// Only before the first thread is started, after what only root may do: binding low ports,
    /// [`Workspace::claim`](super::Workspace::claim), [`PidFile::claim`](super::PidFile::claim).
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn assume(&self) -> Result<(), StartError> {
        let refused = |error: Errno| {
            StartError::Configuration(format!("cannot become user {self}: {}", error.desc()))
        };
        match &self.name {
            Some(name) => initgroups(name, self.gid),
            None => setgroups(&[self.gid]),
        }
        .map_err(refused)?;
        setgid(self.gid).map_err(refused)?;
        setuid(self.uid).map_err(refused)?;
        if !self.uid.is_root() && setuid(Uid::from_raw(0)).is_ok() {
            return Err(StartError::Internal(format!("user {self} can become root again")));
        }
        Ok(())
    }
}

enum Account {
    Known(User),
    Number(Uid),
}

fn find_user(user: &str) -> Result<Account, StartError> {
    let unknown = |reason: &str| StartError::Configuration(format!("--user {user}: {reason}"));
    let number = user.parse().ok().map(Uid::from_raw);
    let found = match number {
        Some(uid) => User::from_uid(uid),
        None => User::from_name(user),
    };
    match (found.map_err(|error| unknown(error.desc()))?, number) {
        (Some(user), _) => Ok(Account::Known(user)),
        (None, Some(uid)) => Ok(Account::Number(uid)),
        (None, None) => Err(unknown("there is no such user")),
    }
}

fn find_group(group: &str) -> Result<Gid, StartError> {
    let unknown = |reason: &str| StartError::Configuration(format!("--group {group}: {reason}"));
    if let Ok(gid) = group.parse() {
        return Ok(Gid::from_raw(gid));
    }
    let found = Group::from_name(group).map_err(|error| unknown(error.desc()))?;
    found.map(|group| group.gid).ok_or_else(|| unknown("there is no such group"))
}

/// Files and directories that this process creates are for its user and group only: a mask of
/// 0027, whatever it was started with.
pub(super) fn restrict_file_modes() {
    umask(Mode::from_bits_truncate(0o027));
}

/// Sets the scheduling priority of everything that is started from now on, -20 (first) to 19.
///
/// # Errors
/// Only root may go below the present value.
pub(super) fn set_nice(nice: i32) -> Result<(), StartError> {
    process::set_nice(nice)
        .map_err(|error| StartError::Configuration(format!("--nice {nice}: {error}")))
}

/// No core dump of this process is ever written, and no other process of this user may read its
/// memory: for a station that knows secrets. After [`Identity::assume`], which sets the same flag
/// anew.
///
/// # Errors
/// The kernel refuses.
pub fn forbid_core_dumps() -> Result<(), StartError> {
    setrlimit(Resource::RLIMIT_CORE, 0, 0)
        .and_then(|()| prctl::set_dumpable(false))
        .map_err(|error| StartError::Internal(format!("cannot turn core dumps off: {error}")))
}

#[cfg(test)]
mod tests {
    use nix::unistd::geteuid;

    use super::Identity;

    #[test]
    fn unknown_names_are_told() {
        let error = Identity::resolve(Some("no-such-user"), None).unwrap_err();
        assert_eq!(error.to_string(), "--user no-such-user: there is no such user");
        let error = Identity::resolve(None, Some("no-such-group")).unwrap_err();
        assert_eq!(error.to_string(), "--group no-such-group: there is no such group");
        let error = Identity::resolve(Some("4242424"), None).unwrap_err();
        assert!(error.to_string().contains("name a --group too"), "{error}");
    }

    #[test]
    fn only_root_may_change() {
        assert_eq!(Identity::resolve(None, None).unwrap(), None);
        let other = Identity::resolve(Some("4242424"), Some("4242424"));
        assert_eq!(other.is_ok(), geteuid().is_root());
    }
}
