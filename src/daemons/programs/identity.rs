//! Whom a program becomes, looked up before the fork.

use std::ffi::{CString, OsString};

use nix::unistd::{Gid, Group, Uid, User, getegid, geteuid, getgrouplist};

/// A user with all its groups.
#[derive(Clone, Debug)]
pub(in crate::daemons) struct Identity {
    pub(in crate::daemons) uid: Uid,
    pub(in crate::daemons) gid: Gid,
    pub(in crate::daemons) groups: Vec<Gid>,
    user: Option<User>,
}

impl Identity {
    /// Whom `user` and `group` mean, by name or number; none if there is nothing to change.
    ///
    /// # Errors
    /// A sentence: there is no such user or group, or the station may not become it.
    pub(in crate::daemons) fn find(
        user: Option<&str>,
        group: Option<&str>,
    ) -> Result<Option<Self>, String> {
        if user.is_none() && group.is_none() {
            return Ok(None);
        }
        let (uid, account) = match user {
            Some(user) => find_user(user)?,
            None => (geteuid(), User::from_uid(geteuid()).ok().flatten()),
        };
        let gid = match (group, &account) {
            (Some(group), _) => find_group(group)?,
            (None, Some(account)) => account.gid,
            (None, None) => {
                return Err(format!("user {uid} is not in the user database: name a group too"));
            }
        };
        if !geteuid().is_root() {
            return if uid == geteuid() && gid == getegid() {
                Ok(None)
            } else {
                Err("only a station that runs as root can give a program another user".to_owned())
            };
        }
        let name = account.as_ref().and_then(|account| CString::new(account.name.as_str()).ok());
        let groups = name.and_then(|name| getgrouplist(&name, gid).ok());
        let groups = groups.unwrap_or_else(|| vec![gid]);
        Ok(Some(Self { uid, gid, groups, user: account }))
    }

    /// What its environment says of it.
    pub(in crate::daemons) fn variables(&self) -> impl Iterator<Item = (&'static str, OsString)> {
        let user = self.user.as_ref().map(|user| {
            [
                ("HOME", user.dir.clone().into()),
                ("USER", user.name.clone().into()),
                ("LOGNAME", user.name.clone().into()),
                ("SHELL", user.shell.clone().into()),
            ]
        });
        user.into_iter().flatten()
    }
}

fn find_user(user: &str) -> Result<(Uid, Option<User>), String> {
    let failed = |error: nix::errno::Errno| format!("user {user}: {}", error.desc());
    if let Ok(number) = user.parse() {
        let uid = Uid::from_raw(number);
        return Ok((uid, User::from_uid(uid).map_err(failed)?));
    }
    let found = User::from_name(user).map_err(failed)?;
    let found = found.ok_or_else(|| format!("there is no user {user}"))?;
    Ok((found.uid, Some(found)))
}

fn find_group(group: &str) -> Result<Gid, String> {
    if let Ok(number) = group.parse() {
        return Ok(Gid::from_raw(number));
    }
    let found = Group::from_name(group);
    let found = found.map_err(|error| format!("group {group}: {}", error.desc()))?;
    found.map(|group| group.gid).ok_or_else(|| format!("there is no group {group}"))
}
