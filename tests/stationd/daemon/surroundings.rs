//! Odd places to be started in, and what the environment says.

use std::{
    fs,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use serde_json::json;

use crate::support::{Station, eventually, program, run_with};

#[test]
fn the_later_source_of_a_setting_wins() {
    let name = |station: Station| station.local().get("/api/v1/status").expect(200)["name"].clone();
    let builder = Station::with;
    let file = "station: {name: of-the-file}";
    let variable = "STATIOND_STATION__NAME";
    assert_eq!(name(builder().start()), "bench-1");
    assert_eq!(name(builder().config(file).start()), "of-the-file");
    assert_eq!(name(builder().config(file).env(variable, "of-env").start()), "of-env");
    let all = builder().config(file).env(variable, "of-env");
    assert_eq!(name(all.set("station.name", "a").set("station.name", "of-set").start()), "of-set");
}

#[test]
fn an_unknown_variable_is_a_warning_with_the_nearest_name() {
    let station = Station::with().env("STATIOND_LOGGING__LEVLE", "debug").start();
    eventually("the warning is logged", || {
        let log = station.log();
        let line = log.lines().find(|line| line.contains("STATIOND_LOGGING__LEVLE"))?;
        assert!(line.contains("WARN") && line.contains("STATIOND_LOGGING__LEVEL"), "{line}");
        Some(())
    });
}

#[test]
fn variables_name_workspace_and_configuration() {
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("c.yaml");
    fs::write(&config, "station: {name: by-variable}").unwrap();
    let shown = run_with(
        program(home.path())
            .args(["config", "show", "--json"])
            .env("STATIOND_CONFIG", &config)
            .env("STATIOND_DATA_DIR", home.path().join("data"))
            .env("STATIOND_LOG_LEVEL", "debug"),
    )
    .exited(0)
    .json();
    assert_eq!(shown["station"]["name"], "by-variable");
    assert_eq!(shown["station"]["workspace"], json!(home.path().join("data")));
    assert_eq!(shown["logging"]["level"], "debug");
}

fn everything_in(directory: &Path) -> Vec<PathBuf> {
    let mut found = vec![directory.to_owned()];
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(everything_in(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}

#[test]
fn an_empty_environment_a_deleted_directory_and_any_umask_will_do() {
    for umask in ["000", "077"] {
        let builder = Station::with();
        let gone = builder.home().join("gone");
        fs::create_dir(&gone).unwrap();
        let script = format!(
            "cd '{0}' && rmdir '{0}' && umask {umask} && exec env -i \"$0\" \"$@\"",
            gone.display()
        );
        let pid_file = builder.home().join("run/station.pid");
        let log = builder.workspace().join("logs/stationd.log");
        let station = builder
            .shell(&script)
            .set("logging.file", log.to_str().unwrap())
            .set("heartbeat.mode", "0600")
            .arg("--pid-file")
            .arg(&pid_file)
            .start();
        let program = ["/bin/sh", "-c", "echo said"];
        let id = station.submit(&json!({"command": program, "labels": {"umask": umask}}));
        station.await_job(&id, "COMPLETED");
        assert_eq!(fs::metadata(&pid_file).unwrap().permissions().mode() & 0o777, 0o644);
        let workspace = station.workspace();
        for path in everything_in(&workspace) {
            let found = fs::metadata(&path).unwrap();
            let name = path.file_name().unwrap().to_str().unwrap();
            let expected = match name {
                _ if found.is_dir() => 0o750,
                _ if found.file_type().is_socket() => 0o600,
                "stationd.heartbeat" => 0o600,
                _ => 0o640,
            };
            let mode = found.permissions().mode() & 0o7777;
            assert_eq!(mode, expected, "{mode:o} of {} under {umask}", path.display());
        }
    }
}

#[test]
fn a_station_without_anybody_to_talk_to_runs_all_the_same() {
    for script in [
        "exec \"$0\" \"$@\" <&- >&- 2>&-",
        // A reader that goes away at once.
        "exec \"$0\" \"$@\" > /dev/full 2>&1",
    ] {
        let mut station = Station::with().shell(script).start();
        let id = station.submit(&json!({"command": ["echo", "x"]}));
        station.await_job(&id, "COMPLETED");
        assert_eq!(station.stop(), 0, "{script}");
    }
}

#[test]
fn options_of_log_reach_the_log() {
    let station = Station::with().arg("--log-format").arg("json").arg("-l").arg("debug").start();
    let line = eventually("a line is written", || {
        station.log().lines().find(|line| line.contains("is ready: ")).map(str::to_owned)
    });
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["level"], "INFO");
    assert!(line["time"].is_string() && line["target"].is_string() && line["msg"].is_string());
}

#[test]
fn root_is_given_up_for_the_user_that_was_named() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("skipped: only root can become somebody else");
        return;
    }
    let nobody = nix::unistd::User::from_name("nobody").unwrap().unwrap();
    let builder = Station::with();
    fs::set_permissions(builder.home(), fs::Permissions::from_mode(0o755)).unwrap();
    let pid_file = builder.home().join("run/station.pid");
    let mut station = builder
        .arg("--user")
        .arg("nobody")
        .arg("--nice")
        .arg("5")
        .arg("--pid-file")
        .arg(&pid_file)
        .start();
    let status = fs::read_to_string(format!("/proc/{}/status", station.pid())).unwrap();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(field("Uid:").iter().all(|uid| *uid == nobody.uid.to_string()), "{status}");
    assert!(field("Gid:").iter().all(|gid| *gid == nobody.gid.to_string()), "{status}");
    assert!(field("Groups:").iter().all(|gid| *gid != "0"), "{status}");
    for path in everything_in(&station.workspace()) {
        let owner = fs::metadata(&path).unwrap().uid();
        assert_eq!(owner, nobody.uid.as_raw(), "{}", path.display());
    }
    let id = station.submit(&json!({"command": ["id", "-un"]}));
    station.await_job(&id, "COMPLETED");
    let said = station.local().get(&format!("/api/v1/jobs/{id}/log")).text();
    assert_eq!(said, "nobody\n");
    assert_eq!(station.stop(), 0);
    assert!(!pid_file.exists(), "it can still be removed");
}
