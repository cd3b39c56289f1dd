//! Programs start, end and are stopped.

use std::{
    os::unix::fs::PermissionsExt,
    time::{Duration, Instant},
};

use super::support::*;
use crate::{
    domain::{Daemon, DaemonState, HealthStatus, Program, RestartMode},
    supervision::{CheckHealth, Policy},
};

#[actix::test]
async fn a_program_starts_stops_and_starts_again() {
    let place = Place::new();
    let station = place.run_one(program(&["sleep", "1000"]), policy());
    let first = station.running().await;
    let pid = i32::try_from(first.pid.unwrap()).unwrap();
    assert_eq!((first.health.status, first.health.message.as_str()), (HealthStatus::Healthy, "ok"));
    assert_eq!(place.read("run/it.pid"), format!("{pid}\n"));
    let stopped = station.stop().await;
    assert_eq!(stopped.state, DaemonState::Stopped);
    assert_eq!(stopped.last_exit.as_deref(), Some("was killed by SIGTERM"));
    assert!(is_gone(pid) && !place.file("run/it.pid").exists());
    assert!(!place.file("run/it.json").exists());
    let second = station.start().await.unwrap();
    assert_ne!(second.pid, first.pid);
    let third = station.restart().await.unwrap();
    assert_ne!(third.pid, second.pid);
    station.shut_down(ms(10_000)).await;
    assert!(is_gone(i32::try_from(third.pid.unwrap()).unwrap()));
}

#[actix::test]
async fn how_a_program_ended_is_told_with_its_last_lines() {
    let place = Place::new();
    let script = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo line $i; done; echo oh >&2; exit 3";
    let station = place.run_one(shell(script), policy());
    let it = station.ended().await;
    assert_eq!(it.state, DaemonState::Failed);
    assert_eq!(it.last_error.as_deref(), Some("failed: exited with 3"));
    assert_eq!(it.last_lines.len(), 10);
    assert_eq!(it.last_lines[8..], ["line 12", "oh"]);
    assert!(place.read("logs/it.log").starts_with("line 1\nline 2\n"));
}

#[actix::test]
async fn a_program_that_was_killed_is_replaced() {
    let place = Place::new();
    let station = place.run_one(program(&["sleep", "1000"]), again());
    let first = station.running().await;
    let pid = i32::try_from(first.pid.unwrap()).unwrap();
    kill(pid);
    let second = station.when("replaced", |it| it.pid.is_some() && it.pid != first.pid).await;
    assert_eq!(second.last_error.as_deref(), Some("failed: was killed by SIGKILL"));
    assert!(is_gone(pid));
    station.shut_down(ms(10_000)).await;
}

#[actix::test]
async fn an_expected_code_is_no_failure() {
    let place = Place::new();
    let expected = Program { exit_codes: vec![0, 7], ..shell("exit 7") };
    let policy = Policy { restart: RestartMode::OnFailure, ..policy() };
    let station = place.run_one(expected, policy);
    let it = station.ended().await;
    assert_eq!((it.state, it.last_exit.as_deref()), (DaemonState::Stopped, Some("exited with 7")));
    assert_eq!(it.last_error, None);
}

#[actix::test]
async fn what_cannot_be_started_is_said_in_one_sentence() {
    let place = Place::new();
    std::fs::write(place.file("script"), "#!/no/such/interpreter\n").unwrap();
    std::fs::set_permissions(place.file("script"), PermissionsExt::from_mode(0o755)).unwrap();
    let script = place.file("script").display().to_string();
    let no_place = Program { directory: Some("/no/such/place".into()), ..shell("true") };
    let nobody = Program { user: Some("no-such-user".into()), ..shell("true") };
    let no_file = Program { environment_file: Some("/no/file".into()), ..shell("true") };
    let interpreter = "the interpreter named in its first line does not exist";
    let cases = [
        (program(&["no-such-program"]), "no-such-program", "no such program"),
        (program(&["/no/such/program"]), "/no/such/program", "no such program"),
        (program(&["/etc/passwd"]), "/etc/passwd", "permission denied"),
        (program(&[&script]), &script, interpreter),
        (no_place, "sh", "there is no directory /no/such/place"),
        (nobody, "sh", "there is no user no-such-user"),
        (no_file, "sh", "environment file /no/file: no such file or directory"),
    ];
    for (program, name, why) in cases {
        let station = place.run_one(program, policy());
        let error = station.ended().await.last_error.unwrap();
        assert_eq!(error, format!("failed: failed to start \"{name}\": {why}"));
    }
    let station = place.run_one(program(&[]), policy());
    let error = station.ended().await.last_error.unwrap();
    assert_eq!(error, "failed: there is no program to run");
}

#[actix::test]
async fn many_programs_are_up_soon() {
    let place = Place::new();
    let names: Vec<_> = (0..50).map(|number| format!("daemon {number}")).collect();
    let sleeper = || program(&["sleep", "1000"]);
    let programs = names.iter().map(|name| (name.as_str(), sleeper(), policy()));
    let station = place.run(programs.collect());
    let is_up = |it: &Daemon| it.state == DaemonState::Running && it.pid.is_some();
    let deadline = Instant::now() + Duration::from_secs(20);
    while !station.list().await.iter().all(is_up) {
        assert!(Instant::now() < deadline);
        actix::clock::sleep(ms(2)).await;
    }
    let pids: Vec<_> = station.list().await.into_iter().filter_map(|it| it.pid).collect();
    station.shut_down(ms(20_000)).await;
    assert!(pids.iter().all(|pid| is_gone(i32::try_from(*pid).unwrap())));
    assert_eq!(std::fs::read_dir(place.file("run")).unwrap().count(), 0);
}

#[actix::test]
async fn a_pid_file_that_somebody_removes_is_written_again() {
    let place = Place::new();
    let station = place.run_one(program(&["sleep", "1000"]), policy());
    let pid = station.running().await.pid.unwrap();
    for content in [None, Some("1\n")] {
        let file = place.file("run/it.pid");
        match content {
            None => std::fs::remove_file(file).unwrap(),
            Some(content) => std::fs::write(file, content).unwrap(),
        }
        station.supervisor.send(CheckHealth).await.unwrap();
        assert_eq!(place.read("run/it.pid"), format!("{pid}\n"));
    }
    station.shut_down(ms(10_000)).await;
}
