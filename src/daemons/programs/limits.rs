//! How a program's limits are enforced: by its control group where there is one, else by
//! resource limits.

use nix::sys::resource::{Resource, getrlimit};

use super::cgroup::Cgroup;
use crate::domain::Limits;

/// Microseconds over which `cpu.max` is counted.
const CPU_PERIOD_US: f64 = 100_000.0;

/// What the new process sets for itself, and everything in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::daemons) struct Enforced {
    pub(in crate::daemons) resources: Vec<(Resource, u64)>,
    pub(in crate::daemons) words: Vec<String>,
}

impl Enforced {
    /// Sets what the control group can enforce, and plans the rest.
    pub(in crate::daemons) fn plan(limits: &Limits, cgroup: Option<&Cgroup>) -> Self {
        let by_group = |file: &str, value: String| cgroup.is_some_and(|it| it.limit(file, &value));
        let mut plan = Self::default();
        if let Some(memory) = limits.memory {
            let size = size(memory);
            if by_group("memory.max", memory.to_string()) {
                plan.words.push(format!("memory {size} (cgroup)"));
            } else {
                let note = format!("memory {size}: address space (rlimit)");
                plan.resource(Resource::RLIMIT_AS, memory, note);
            }
        }
        if let Some(cpu) = limits.cpu {
            let quota = format!("{:.0} {CPU_PERIOD_US:.0}", cpu * CPU_PERIOD_US);
            plan.words.push(if by_group("cpu.max", quota) {
                format!("cpu {cpu} (cgroup)")
            } else if cgroup.is_some() {
                format!("cpu {cpu}: not limited (no cpu controller)")
            } else {
                format!("cpu {cpu}: not limited (no cgroup delegated)")
            });
        }
        if let Some(files) = limits.open_files {
            plan.resource(Resource::RLIMIT_NOFILE, files, format!("open files {files} (rlimit)"));
        }
        if let Some(processes) = limits.processes {
            if by_group("pids.max", processes.to_string()) {
                plan.words.push(format!("processes {processes} (cgroup)"));
            } else {
                let note = format!("processes {processes}: all of its user's (rlimit)");
                plan.resource(Resource::RLIMIT_NPROC, processes, note);
            }
        }
        plan
    }

    /// What is more than the station may give is cut down to that, and said.
    fn resource(&mut self, resource: Resource, wanted: u64, note: String) {
        let most = match getrlimit(resource) {
            Ok((_, hard)) if !nix::unistd::geteuid().is_root() => hard,
            _ => u64::MAX,
        };
        self.resources.push((resource, wanted.min(most)));
        self.words.push(if wanted > most {
            format!("{note}, cut down to {most}: the station may give no more")
        } else {
            note
        });
    }
}

/// `512 MB`, exactly.
fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 6] = [
        (1 << 30, "GiB"),
        (1_000_000_000, "GB"),
        (1 << 20, "MiB"),
        (1_000_000, "MB"),
        (1 << 10, "KiB"),
        (1000, "kB"),
    ];
    let unit = UNITS.iter().find(|(unit, _)| bytes >= *unit && bytes.is_multiple_of(*unit));
    unit.map_or_else(|| format!("{bytes} B"), |(unit, name)| format!("{} {name}", bytes / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_group_what_is_limited_and_how_is_said() {
        let limits = Limits {
            memory: Some(512_000_000),
            cpu: Some(0.5),
            open_files: Some(100),
            processes: Some(20),
        };
        let plan = Enforced::plan(&limits, None);
        let expected = [
            "memory 512 MB: address space (rlimit)",
            "cpu 0.5: not limited (no cgroup delegated)",
            "open files 100 (rlimit)",
            "processes 20: all of its user's (rlimit)",
        ];
        assert_eq!(plan.words, expected);
        assert_eq!(plan.resources.len(), 3);
        assert_eq!(Enforced::plan(&Limits::default(), None), Enforced::default());
    }

    #[test]
    fn sizes_are_exact() {
        let sizes = [0, 1, 1500, 2000, 1 << 20, 1 << 31, 2_000_000_000].map(size);
        assert_eq!(sizes, ["0 B", "1 B", "1500 B", "2 kB", "1 MiB", "2 GiB", "2 GB"]);
    }
}
