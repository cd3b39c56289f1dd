//! The station is killed, at any moment: nothing is left running that should not be, and nothing
//! runs twice.

use std::{
    collections::BTreeMap,
    fs,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    os::unix::ffi::OsStrExt as _,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use serde_json::json;

use crate::support::{Station, daemons, lives, marked, sh};

const ROUNDS: u32 = 50;

/// A number below `end`, another one each time.
fn any(end: u64) -> u64 {
    RandomState::new().build_hasher().finish() % end
}

/// One run of a daemon: its name, and what marks the run.
type Run = (String, String);

/// The run that a process belongs to.
fn run_of(process: &Path, station: &Path) -> Option<Run> {
    let environment = fs::read(process.join("environ")).ok()?;
    let variable = |name: &str| {
        let mut lines = environment.split(|byte| *byte == 0);
        lines.find_map(|line| line.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
    };
    let is_ours = variable("STATIOND_STATION")? == station.as_os_str().as_bytes();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    is_ours.then_some((text(variable("STATIOND_DAEMON")?), text(variable("STATIOND_RUN")?)))
}

/// Two runs of one daemon that live at the same time, if there are such.
fn twice(station: &Path) -> Option<String> {
    let mut runs: BTreeMap<String, BTreeMap<String, u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        if let Some((daemon, run)) = run_of(&entry.path(), station) {
            runs.entry(daemon).or_default().insert(run, pid);
        }
    }
    // A look takes its time. Those that are seen at its end too have lived all along.
    for (daemon, mut runs) in runs.into_iter().filter(|(_, runs)| runs.len() > 1) {
        runs.retain(|run, pid| {
            let now = run_of(&Path::new("/proc").join(pid.to_string()), station);
            now == Some((daemon.clone(), run.clone())) && lives(u64::from(*pid))
        });
        if runs.len() > 1 {
            return Some(format!("{daemon} runs twice: {runs:?}"));
        }
    }
    None
}

#[test]
fn fifty_kills_leave_nothing_behind_and_nothing_runs_twice() {
    let escape = "(setsid sh -c 'trap \"\" TERM HUP; while :; do sleep 0.1; done' &); \
        (setsid sleep 603 &) & exec sleep 600";
    let forks = "while :; do (setsid sleep 0.3 &) ; sleep 0.02; done";
    let all = json!([
        sh("plain", "exec sleep 600", &json!({})),
        sh("escapes", escape, &json!({"stop_timeout": "1s"})),
        sh("forks", forks, &json!({})),
        sh("ends", "sleep 0.05; exit 1", &json!({"restart_policy": {"max_restarts": 100_000}})),
        sh("detached", "exec sleep 600", &json!({"detach": true})),
    ]);
    let mut station = Station::with().daemons(&all).start();
    let detached = station.await_pid("detached");
    station.await_pid("escapes");
    let workspace = fs::canonicalize(station.workspace()).unwrap();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut seen = None;
            while !over.load(Ordering::Relaxed) {
                seen = seen.or_else(|| twice(&workspace));
            }
            seen
        });
        for round in 0..ROUNDS {
            // A moment of its life, or of its start, that nobody could foresee.
            thread::sleep(Duration::from_millis(any(200)));
            station.kill();
            assert!(lives(detached), "round {round}");
            if round % 2 == 0 {
                station.again();
            } else {
                station.again_at_once();
            }
        }
        station.kill();
        station.again();
        over.store(true, Ordering::Relaxed);
        assert_eq!(watch.join().unwrap(), None);
    });
    let again = station.await_daemon("detached", "is found again", |it| it["state"] == "RUNNING");
    assert_eq!(again["pid"], detached, "{again}");
    assert_eq!(again["health"]["message"], "ok, found running when the station started");
    for name in ["plain", "escapes", "forks"] {
        station.await_pid(name);
    }
    station.order("detached", "stop");
    assert!(!lives(detached));
    assert_eq!(station.stop(), 0);
    assert_eq!(marked(&workspace), []);
}

#[test]
fn what_is_detached_and_configured_otherwise_is_another_one() {
    let detached = |script: &str| sh("keeper", script, &json!({"detach": true}));
    let write = |station: &Station, script: &str| {
        fs::write(station.config_file(), daemons(&json!([detached(script)]))).unwrap();
    };
    let mut station = Station::with().daemons(&json!([detached("exec sleep 600")])).start();
    let first = station.await_pid("keeper");
    write(&station, "exec sleep 601");
    station.cli(["reload"]).exited(0);
    let second = station.await_daemon("keeper", "is another one", |it| {
        it["state"] == "RUNNING" && it["pid"].is_u64() && it["pid"] != first
    });
    let second = second["pid"].as_u64().unwrap();
    assert!(!lives(first) && lives(second));
    // The same while the station does not run.
    assert_eq!(station.stop(), 0);
    write(&station, "exec sleep 602");
    station.again();
    let third = station.await_pid("keeper");
    assert!(third != second && !lives(second));
    // How it is watched may change under it.
    station.kill();
    let mut same = detached("exec sleep 602");
    same["health"] = json!({"command": ["true"]});
    fs::write(station.config_file(), daemons(&json!([same]))).unwrap();
    station.again();
    assert_eq!(station.await_pid("keeper"), third);
}

#[test]
fn what_is_detached_outlives_the_station_and_is_found_again() {
    let script = "trap 'echo told to stop; exit 0' TERM; \
        n=0; while :; do n=$((n+1)); echo line $n; sleep 0.1; done";
    let keeper = sh("keeper", script, &json!({"detach": true}));
    let mut station = Station::with().daemons(&json!([keeper])).start();
    let pid = station.await_pid("keeper");
    let file = station.workspace().join("run/keeper.pid");
    let lines = |station: &Station| {
        let log = fs::read_to_string(station.workspace().join("logs/keeper.log")).unwrap();
        log.lines().count()
    };
    for clean in [true, false] {
        if clean {
            assert_eq!(station.stop(), 0);
        } else {
            station.kill();
        }
        assert!(lives(pid), "clean: {clean}");
        let before = lines(&station);
        crate::support::eventually("it writes on without the station", || {
            (lines(&station) > before + 1).then_some(())
        });
        assert_eq!(fs::read_to_string(&file).unwrap(), format!("{pid}\n"));
        station.again();
        let found = station.await_daemon("keeper", "is found again", |it| it["state"] == "RUNNING");
        assert_eq!((&found["pid"], &found["restarts"]), (&json!(pid), &json!(0)), "{found}");
        assert!(found["health"]["message"].as_str().unwrap().contains("found running"), "{found}");
    }
    // What it writes is heard, and it is watched like any other.
    let mut socket = crate::support::WebSocket::subscribed(&station.tcp(), &["daemon:keeper"]);
    socket.until(|message| message["type"] == "log" && message["target"] == "daemon:keeper");
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap()),
        nix::sys::signal::Signal::SIGKILL,
    )
    .unwrap();
    let next = station.await_daemon("keeper", "is replaced", |it| {
        it["state"] == "RUNNING" && it["pid"].is_u64() && it["pid"] != pid
    });
    // One that nobody knows any more is not left to itself.
    let pid = next["pid"].as_u64().unwrap();
    assert_eq!(station.stop(), 0);
    assert!(lives(pid));
    fs::write(station.config_file(), "").unwrap();
    station.again();
    assert!(!lives(pid) && station.marked().is_empty());
}
