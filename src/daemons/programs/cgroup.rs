//! Control groups (v2), where a part of the tree was delegated to the station.
//!
//! ```text
//!   BASE                 what /proc/self/cgroup named when the station started
//!   ├── station          the station itself: a group with controllers may hold no process
//!   ├── daemons
//!   │   └── NAME         one program, with its limits; killed as a whole
//!   └── jobs
//!       └── ID           the same for a job that has limits
//! ```

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use nix::unistd::{AccessFlags, access};

use super::census::Member;

/// Where the station itself goes.
const STATION: &str = "station";

/// The controllers that limits need.
const WANTED: [&str; 3] = ["memory", "cpu", "pids"];

/// The part of the tree that is the station's.
#[derive(Clone, Debug)]
pub(in crate::daemons) struct Base {
    programs: PathBuf,
}

impl Base {
    /// Finds the part that was delegated, and moves the station out of the way; none if nothing
    /// was. `kind` is `daemons` or `jobs`.
    pub(in crate::daemons) fn find(kind: &str) -> Option<Self> {
        let mount = mount_point(&fs::read_to_string("/proc/self/mountinfo").ok()?)?;
        let cgroup = fs::read_to_string("/proc/self/cgroup").ok()?;
        let own = mount.join(own_path(&cgroup)?.strip_prefix('/')?);
        // Executed anew, the station is where it went before.
        let base = own.parent().filter(|_| own.ends_with(STATION));
        Self::below(base.unwrap_or(&own), kind).ok()
    }

    /// Takes `base`, which must be writable, with this process in it.
    fn below(base: &Path, kind: &str) -> io::Result<Self> {
        for file in ["", "cgroup.procs", "cgroup.subtree_control"] {
            access(&base.join(file), AccessFlags::W_OK)?;
        }
        let (station, programs) = (base.join(STATION), base.join(kind));
        make(&station)?;
        make(&programs)?;
        fs::write(station.join("cgroup.procs"), "0")?;
        for group in [base, &programs] {
            for controller in WANTED {
                // What cannot be enabled is found missing when a limit is to be set.
                let _ = fs::write(group.join("cgroup.subtree_control"), format!("+{controller}"));
            }
        }
        Ok(Self { programs })
    }

    /// A group for the program whose files are called `name`.
    pub(in crate::daemons) fn group(&self, name: &str) -> io::Result<Cgroup> {
        let path = self.programs.join(name);
        make(&path)?;
        Ok(Cgroup { path })
    }
}

fn make(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// The group of one program.
#[derive(Clone, Debug)]
pub(in crate::daemons) struct Cgroup {
    path: PathBuf,
}

impl Cgroup {
    /// What a process writes `0` to, to join.
    pub(in crate::daemons) fn door(&self) -> io::Result<File> {
        OpenOptions::new().write(true).open(self.path.join("cgroup.procs"))
    }

    /// Sets a limit; false if there is no such controller here.
    pub(in crate::daemons) fn limit(&self, file: &str, value: &str) -> bool {
        fs::write(self.path.join(file), value).is_ok()
    }

    /// Who is in it.
    pub(in crate::daemons) fn members(&self) -> Vec<Member> {
        let pids = fs::read_to_string(self.path.join("cgroup.procs")).unwrap_or_default();
        pids.lines().filter_map(|pid| Member::find(pid.parse().ok()?)).collect()
    }

    /// Kills everybody in it at once.
    pub(in crate::daemons) fn kill(&self) {
        // A kernel before 5.14 cannot; then its members are killed one by one.
        let _ = fs::write(self.path.join("cgroup.kill"), "1");
    }

    /// Removes it; one that is in use again stays.
    pub(in crate::daemons) fn remove(&self) {
        let _ = fs::remove_dir(&self.path);
    }
}

/// Where the tree is mounted.
fn mount_point(mountinfo: &str) -> Option<PathBuf> {
    let mount = mountinfo.lines().find_map(|line| {
        let (mount, kind) = line.split_once(" - ")?;
        kind.starts_with("cgroup2 ").then(|| mount.split(' ').nth(4))?
    });
    mount.map(|path| PathBuf::from(path.replace("\\040", " ")))
}

/// Which part this process is in; the root is nobody's to take.
fn own_path(cgroup: &str) -> Option<&str> {
    cgroup.lines().find_map(|line| line.strip_prefix("0::")).filter(|path| *path != "/")
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn the_mount_and_the_own_part_are_found() {
        let mounts = "23 1 0:22 / /proc rw - proc proc rw\n\
                      31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n\
                      32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
                      41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:4 - cgroup2 c rw";
        assert_eq!(mount_point(mounts), Some("/sys/fs/cgroup/unified".into()));
        assert_eq!(mount_point("23 1 0:22 / /proc rw - proc proc rw"), None);
        let own = "4:memory:/x\n0::/system.slice/stationd.service\n";
        assert_eq!(own_path(own), Some("/system.slice/stationd.service"));
        assert_eq!(own_path("1:cpu:/\n0::/\n"), None);
        assert_eq!(own_path("1:cpu:/\n"), None);
    }

    #[test]
    fn what_is_not_writable_is_not_taken() {
        assert!(Base::below(Path::new("/no/such/group"), "jobs").is_err());
    }

    #[test]
    fn a_group_is_joined_looked_into_and_killed_as_a_whole() {
        let mount = mount_point(&fs::read_to_string("/proc/self/mountinfo").unwrap());
        let name = format!("stationd-test-{}", std::process::id());
        let Some(daemons) = mount.map(|mount| mount.join(name)) else { return };
        if make(&daemons).is_err() {
            return; // only root can, and not everywhere
        }
        let group = Base { programs: daemons.clone() }.group("it").unwrap();
        let mut sleeper = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
        write!(group.door().unwrap(), "{}", sleeper.id()).unwrap();
        let pid = i32::try_from(sleeper.id()).unwrap();
        assert_eq!(group.members(), [Member::find(pid).unwrap()]);
        assert!(!group.limit("no.such.controller", "1"));
        group.kill();
        assert_eq!(sleeper.wait().unwrap().to_string(), "signal: 9 (SIGKILL)");
        group.remove();
        fs::remove_dir(&daemons).unwrap();
    }
}
