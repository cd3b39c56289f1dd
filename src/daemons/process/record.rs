//! What is written down of a running program: its PID for people and scripts, and enough for the
//! next start to find it again.

use std::{
    fmt::Write as _,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::census::Member;
use crate::domain::Program;

/// Identifies one run of a program, even after the machine was restarted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Record {
    pub(super) pid: i32,
    /// In ticks since the machine started.
    pub(super) start_time: u64,
    pub(super) boot_id: String,
    /// What its processes carry as `STATIOND_RUN`.
    pub(super) run: String,
    /// The daemon.
    pub(super) name: String,
    /// What was started, by [`fingerprint`].
    #[serde(default)]
    pub(super) program: String,
}

impl Record {
    /// The process, if it lives.
    pub(super) fn process(&self, boot_id: &str) -> Option<Member> {
        let recorded = Member { pid: self.pid, started: self.start_time };
        (self.boot_id == boot_id && self.pid > 1 && recorded.lives()).then_some(recorded)
    }
}

/// Tells programs apart that are started differently; how one is watched and kept does not count.
pub(super) fn fingerprint(program: &Program) -> String {
    let Program { command, directory, environment, environment_file, user, group, .. } = program;
    let identity = (user, group, program.umask, program.nice, program.no_new_privileges);
    let limits = &program.limits;
    let limits = (limits.memory, limits.cpu, limits.open_files, limits.processes);
    let whole = (command, directory, environment, environment_file, identity, limits);
    // Of texts and numbers, neither can fail.
    let bytes = serde_json::to_vec(&whole).unwrap_or_default();
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Where it is written down.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pid: PathBuf,
    record: PathBuf,
}

impl Files {
    pub(super) fn of(run: &Path, name: &str) -> Self {
        let name = file_name(name);
        Self { pid: run.join(format!("{name}.pid")), record: run.join(format!("{name}.json")) }
    }

    /// What was written down last; what cannot be read is as good as nothing.
    pub(super) fn read(&self) -> Option<Record> {
        serde_json::from_slice(&fs::read(&self.record).ok()?).ok()
    }

    pub(super) fn write(&self, record: &Record) -> io::Result<()> {
        replace(&self.record, &serde_json::to_vec(record)?)?;
        replace(&self.pid, format!("{}\n", record.pid).as_bytes())
    }

    /// True if the files say just that.
    pub(super) fn tell(&self, record: &Record) -> bool {
        let pid = fs::read_to_string(&self.pid).ok().and_then(|text| text.trim().parse().ok());
        pid == Some(record.pid) && self.read().as_ref() == Some(record)
    }

    /// Removes what was written of this run; what another has written stays.
    pub(super) fn remove(&self, run: &str) {
        if self.read().is_none_or(|record| record.run == run) {
            let _ = fs::remove_file(&self.pid);
            let _ = fs::remove_file(&self.record);
        }
    }
}

/// All records in `run`.
pub(super) fn all(run: &Path) -> Vec<Record> {
    let files = fs::read_dir(run).into_iter().flatten().flatten().map(|entry| entry.path());
    let records = files.filter(|path| path.extension().is_some_and(|it| it == "json"));
    records.filter_map(|path| serde_json::from_slice(&fs::read(path).ok()?).ok()).collect()
}

/// Readers see the old file or the new one, never a part.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_added_extension("new");
    let mut options = OpenOptions::new();
    let mut file = options.create(true).write(true).truncate(true).mode(0o640).open(&new)?;
    file.write_all(bytes).and_then(|()| fs::rename(&new, path)).inspect_err(|_| {
        let _ = fs::remove_file(&new); // it says nothing
    })
}

/// A daemon's name as the name of a file: what would be none, or would be hidden, is written as
/// `%XX`.
pub fn file_name(name: &str) -> String {
    let mut file = String::with_capacity(name.len());
    for (at, letter) in name.chars().enumerate() {
        if letter.is_control() || matches!(letter, '/' | '%') || (at == 0 && letter == '.') {
            let mut bytes = [0; 4];
            for byte in letter.encode_utf8(&mut bytes).bytes() {
                // To a text, this cannot fail.
                let _ = write!(file, "%{byte:02X}");
            }
        } else {
            file.push(letter);
        }
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_names_of_files() {
        let names = ["web", "my web.2", "..", ".x", "a/b", "50%", "a\nb", "\u{9f}é"];
        let files = names.map(file_name);
        let expected = ["web", "my web.2", "%2E.", "%2Ex", "a%2Fb", "50%25", "a%0Ab", "%C2%9Fé"];
        assert_eq!(files, expected);
    }

    #[test]
    fn a_record_is_of_this_boot_this_process_and_this_start() {
        let own = Member::find(i32::try_from(std::process::id()).unwrap()).unwrap();
        let record = Record {
            pid: own.pid,
            start_time: own.started,
            boot_id: "b".into(),
            run: "r".into(),
            name: "web".into(),
            program: String::new(),
        };
        assert_eq!(record.process("b"), Some(own));
        assert_eq!(record.process("c"), None);
        assert_eq!(Record { start_time: own.started + 1, ..record.clone() }.process("b"), None);
        assert_eq!(Record { pid: 1, ..record }.process("b"), None);
    }

    #[test]
    fn files_are_replaced_and_removed_by_their_own_run_only() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::of(dir.path(), "web");
        let record = |run: &str| Record {
            pid: 7,
            start_time: 1,
            boot_id: "b".into(),
            run: run.into(),
            name: "web".into(),
            program: String::new(),
        };
        files.write(&record("r1")).unwrap();
        assert_eq!(fs::read_to_string(dir.path().join("web.pid")).unwrap(), "7\n");
        files.write(&record("r2")).unwrap();
        files.remove("r1");
        assert_eq!(files.read(), Some(record("r2")));
        assert_eq!(all(dir.path()), [record("r2")]);
        files.remove("r2");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
