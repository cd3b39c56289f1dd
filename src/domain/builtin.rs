//! The daemons that every station has.

/// A built-in daemon: what is known of it before there is a station.
#[derive(Clone, Copy, Debug)]
pub struct Builtin {
    /// What it is called.
    pub name: &'static str,
    /// What it is for, in one sentence.
    pub description: &'static str,
    /// The group it is shown in.
    pub category: &'static str,
    /// True if the station is unhealthy without it.
    pub critical: bool,
    /// What must run before it.
    pub depends_on: &'static [&'static str],
}

const fn daemon(
    name: &'static str,
    description: &'static str,
    category: &'static str,
    critical: bool,
    depends_on: &'static [&'static str],
) -> Builtin {
    Builtin { name, description, category, critical, depends_on }
}

/// All of them, in the order in which they are shown.
pub const BUILTINS: [Builtin; 7] = [
    daemon(
        "job-queue",
        "starts jobs in order and follows them to their end",
        "core",
        true,
        &["device-manager"],
    ),
    daemon(
        "device-manager",
        "keeps every machine connected and runs jobs on it",
        "core",
        true,
        &[],
    ),
    daemon("hooks", "does what was configured for each event", "automation", false, &[]),
    daemon("heartbeat", "tells checkers outside that the station lives", "monitoring", false, &[]),
    daemon("metrics", "measures host and station", "monitoring", false, &[]),
    daemon("sync", "copies database and job files elsewhere", "storage", false, &[]),
    daemon(
        "watchdog",
        "looks after disk space, memory and daemons that stand still",
        "monitoring",
        false,
        &[],
    ),
];
