//! What a program finds when it starts: environment, descriptors, identity, limits.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _};

use serde_json::{Value, json};

use crate::support::{Station, eventually, sh};

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// The lines of `NAME: VALUE` or `NAME=VALUE` in a text.
fn fields(text: &str, separator: char) -> BTreeMap<&str, &str> {
    let lines = text.lines().filter_map(|line| line.split_once(separator));
    lines.map(|(name, value)| (name, value.trim())).collect()
}

#[test]
fn a_program_finds_what_it_was_given_and_nothing_of_the_stations() {
    let builder = Station::with().env("STATIOND_WEBSOCKET__API_KEY", "geheim").env("SECRET", "no");
    fs::create_dir_all(builder.workspace()).unwrap();
    fs::write(builder.file("camera.env"), "# of the camera\nFROM_FILE='a b'\nBOTH=file\n").unwrap();
    let script = "env > env.txt; ls -l /proc/self/fd > fd.txt; umask > umask.txt; nice > nice.txt; \
        pwd > pwd.txt; cat /proc/self/status > status.txt; echo \"[$0][$1]\" > args.txt; \
        cat; echo \"end of input\" > input.txt; exec sleep 600";
    let more = json!({"umask": "027", "nice": 5, "no_new_privileges": true,
        "environment": {"GIVEN": "x y", "BOTH": "table"}, "environment_file": builder.file("camera.env")});
    let mut daemon = sh("Bench.camera", script, &more);
    daemon["command"].as_array_mut().unwrap().extend([json!("a  b"), json!("$HOME;*")]);
    let station = builder.daemons(&json!([daemon])).start();
    assert_eq!(station.await_file("input.txt"), "end of input\n", "stdin is at its end");
    let text = |name: &str| fs::read_to_string(station.workspace().join(name)).unwrap();

    let env = text("env.txt");
    let env = fields(&env, '=');
    for (name, value) in [("GIVEN", "x y"), ("FROM_FILE", "a b"), ("BOTH", "table")] {
        assert_eq!(env.get(name), Some(&value), "{env:?}");
    }
    assert!(env.contains_key("PATH") && !env.contains_key("SECRET"), "{env:?}");
    assert!(!env.values().any(|value| value.contains("geheim")), "{env:?}");
    let ours: Vec<&&str> = env.keys().filter(|name| name.starts_with("STATIOND_")).collect();
    assert_eq!(ours, [&"STATIOND_DAEMON", &"STATIOND_RUN", &"STATIOND_STATION"]);
    assert_eq!(env["STATIOND_DAEMON"], "Bench.camera");
    assert_eq!(env.get("NOTIFY_SOCKET"), None);

    // `ls` itself opens the directory that it lists.
    let descriptors = text("fd.txt");
    let open: Vec<&str> =
        descriptors.lines().filter_map(|it| it.split_once(" -> ")).map(|it| it.1).collect();
    assert_eq!(open.len(), 4, "{descriptors}");
    assert_eq!(open[0], "/dev/null");
    assert!(open[1].ends_with("/fd.txt") && open[2].starts_with("pipe:"), "{descriptors}");
    assert_eq!(text("umask.txt").trim_start_matches('0'), "27\n");
    assert_eq!(text("nice.txt"), "5\n");
    assert_eq!(text("args.txt"), "[a  b][$HOME;*]\n", "no shell has read them");
    let status = text("status.txt");
    let status = fields(&status, ':');
    assert_eq!(status["NoNewPrivs"], "1");
    for mask in ["SigBlk", "SigIgn"] {
        // What is beyond is the C library's own.
        let standard = u64::from_str_radix(status[mask], 16).unwrap() & 0x7fff_ffff;
        assert_eq!(standard, 0, "{mask}: {status:?}");
    }
    let workspace = fs::canonicalize(station.workspace()).unwrap();
    assert_eq!(text("pwd.txt").trim_end(), workspace.to_str().unwrap());

    // Its PID file is there exactly as long as it is.
    let shown = station.daemon("bench.camera");
    let file = shown["pid_file"].as_str().unwrap();
    assert!(file.ends_with("run/Bench.camera.pid"), "{file}");
    assert_eq!(fs::read_to_string(file).unwrap(), format!("{}\n", shown["pid"]));
    let allowed = fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(allowed & 0o137, 0, "{allowed:o}");
    assert!(shown["log_file"].as_str().unwrap().ends_with("logs/Bench.camera.log"), "{shown}");
    station.order("bench.camera", "stop");
    assert!(!fs::exists(file).unwrap());
}

#[test]
fn as_root_a_program_becomes_the_user_that_it_is_given_to() {
    if !is_root() {
        eprintln!("not checked: only root can become another user");
        return;
    }
    // The directory of a test is its user's alone, so it works elsewhere and says it aloud.
    let script = "id -u; id -g; id -G; echo $HOME $USER; touch /proc/1/comm; exec sleep 600";
    let more = json!({"user": "nobody", "directory": "/"});
    let other = json!({"user": "nobody", "group": "daemon", "directory": "/"});
    let daemons = json!([sh("poor", script, &more), sh("other", script, &other)]);
    let station = Station::with().daemons(&daemons).start();
    let said = |name: &str| {
        eventually(&format!("{name} has said who it is"), || {
            let text =
                fs::read_to_string(station.workspace().join(format!("logs/{name}.log"))).ok()?;
            (text.lines().count() >= 4).then_some(text)
        })
    };
    let nobody = nix::unistd::User::from_name("nobody").unwrap().unwrap();
    let daemon = nix::unistd::Group::from_name("daemon").unwrap().unwrap();
    let home = format!("{} nobody", nobody.dir.display());
    let poor = said("poor");
    let lines: Vec<&str> = poor.lines().collect();
    let (uid, gid) = (nobody.uid.to_string(), nobody.gid.to_string());
    assert_eq!(lines[..2], [uid.as_str(), gid.as_str()], "{poor}");
    assert!(!lines[2].split(' ').any(|group| group == "0"), "root's groups are gone: {poor}");
    assert_eq!(lines[3], home);
    assert_eq!(said("other").lines().nth(1), Some(daemon.gid.to_string().as_str()));
    // And it is stopped all the same.
    station.order("poor", "stop");
    station.await_nothing_left("poor");
}

#[test]
fn one_that_eats_more_than_its_limit_fails_and_is_restarted() {
    let eat = "echo hungry; s=x; while :; do s=$s$s; done";
    let more = json!({"limits": {"memory": "64MB", "open_files": 32, "cpu": 0.5},
                      "restart_policy": {"max_restarts": 2}});
    let frugal = json!({"limits": {"memory": "64MB", "open_files": 32}});
    let daemons = json!([
        sh("eater", eat, &more),
        sh("frugal", "ulimit -n > files.txt; exec sleep 600", &frugal),
    ]);
    let station = Station::with().daemons(&daemons).start();
    let failed = station.await_state("eater", "FAILED");
    assert_eq!(failed["restarts"], 2, "{failed}");
    let error = failed["last_error"].as_str().unwrap();
    assert!(error.contains("exited with 2") || error.contains("killed by SIG"), "{failed}");
    assert_eq!(station.await_file("files.txt"), "32\n");
    let frugal = station.await_daemon("frugal", "runs", |it| it["pid"].is_u64());
    let limits: Vec<&str> =
        frugal["limits"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    assert!(
        matches!(limits[0], "memory 64 MB (cgroup)" | "memory 64 MB: address space (rlimit)"),
        "{limits:?}"
    );
    assert_eq!(limits[1..], ["open files 32 (rlimit)"]);
    let shown = station.cli(["daemon", "show", "frugal"]).exited(0).stdout;
    assert!(shown.contains("memory 64 MB"), "{shown}");
    assert_eq!(station.tcp().get("/health").status, 200);
}

#[test]
fn memory_and_time_of_each_are_told() {
    let busy = "while :; do :; done";
    let daemons = json!([sh("busy", busy, &json!({})), sh("idle", "exec sleep 600", &json!({}))]);
    let station = Station::with().daemons(&daemons).set("metrics.interval", "200ms").start();
    let pid = station.await_pid("idle");
    let measured = |name: &str, wanted: fn(f64) -> bool| {
        station.await_daemon(name, "is measured", |it: &Value| {
            it["memory_bytes"].as_u64() > Some(100_000)
                && it["cpu_usage"].as_f64().is_some_and(wanted)
        })
    };
    measured("busy", |share| share > 0.05);
    measured("idle", |share| share < 0.05);
    let wide = station.cli(["daemon", "list", "--wide"]).exited(0).stdout;
    let line = wide.lines().find(|line| line.contains("] idle - ")).unwrap();
    assert!(line.starts_with(&format!("[OK] idle - PID: {pid}, Uptime: ")), "{line}");
    assert!(line.contains("MB, CPU: ") && line.ends_with('%'), "{line}");
    let metrics = station.tcp().get("/metrics").text();
    for family in ["memory_bytes", "cpu_usage_ratio", "uptime_seconds", "restarts_total"] {
        let line = format!("\nstationd_daemon_{family}{{daemon=\"busy\"}} ");
        assert!(metrics.contains(&line), "{line}: {metrics}");
    }
}
