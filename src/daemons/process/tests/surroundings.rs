//! What a program finds around it.

use nix::unistd::{User, geteuid};

use super::support::*;
use crate::domain::{Limits, Program};

/// What it writes in its whole life.
async fn written_by(place: &Place, program: Program) -> String {
    let station = place.run_one(program, policy());
    let it = station.ended().await;
    assert_eq!(it.last_exit.as_deref(), Some("exited with 0"), "{:?}", it.last_lines);
    place.read("logs/it.log")
}

#[actix::test]
async fn its_environment_is_the_few_inherited_and_what_is_configured() {
    let place = Place::new();
    std::fs::write(place.file("variables"), "A=file\nB='from file'\n").unwrap();
    let program = Program {
        environment: [("A".to_owned(), "configured".to_owned())].into(),
        environment_file: Some(place.file("variables")),
        ..program(&["env"])
    };
    let written = written_by(&place, program).await;
    let mut names: Vec<_> = written.lines().filter_map(|line| line.split('=').next()).collect();
    names.sort_unstable();
    let allowed = "A B HOME LANG LC_ALL LOGNAME PATH SHELL STATIOND_DAEMON STATIOND_RUN \
                   STATIOND_STATION TZ USER XDG_RUNTIME_DIR";
    assert!(names.iter().all(|name| allowed.split(' ').any(|it| it == *name)), "{names:?}");
    assert!(written.contains("A=configured\nB=from file\n"), "{written}");
    assert!(written.contains("STATIOND_DAEMON=it\n"));
    assert!(written.contains(&format!("STATIOND_STATION={}\n", place.path().display())));
}

#[actix::test]
async fn it_has_no_descriptor_but_three_and_no_input() {
    let place = Place::new();
    let script = "ls /proc/$$/fd; readlink /proc/$$/fd/0; pwd; cat /proc/$$/comm";
    let written = written_by(&place, shell(script)).await;
    let pwd = place.path().canonicalize().unwrap();
    assert_eq!(written, format!("0\n1\n2\n/dev/null\n{}\nsh\n", pwd.display()));
}

#[actix::test]
async fn mask_priority_limits_and_privileges_are_set() {
    let place = Place::new();
    let limits = Limits {
        memory: Some(512 << 20),
        cpu: Some(0.5),
        open_files: Some(64),
        processes: Some(900),
    };
    let script = "umask; nice; ulimit -v; ulimit -n; grep 'Max processes' /proc/self/limits; \
                  grep NoNewPrivs /proc/self/status";
    let program = Program {
        umask: Some(0o027),
        nice: Some(7),
        no_new_privileges: true,
        limits,
        ..shell(script)
    };
    let written = written_by(&place, program.clone()).await;
    let lines: Vec<_> = written.split_whitespace().collect();
    let expected = "0027 7 524288 64 Max processes 900 900 processes NoNewPrivs: 1";
    assert_eq!(lines.join(" "), expected);
    let sleeper = Program { command: vec!["sleep".into(), "1000".into()], ..program };
    let station = place.run_one(sleeper, policy());
    let it = station.running().await;
    assert_eq!(it.limits.len(), 4);
    assert!(it.limits[1].starts_with("cpu 0.5"), "{:?}", it.limits);
    station.stop().await;
}

#[actix::test]
async fn it_becomes_another_user_with_what_is_theirs() {
    let (Ok(Some(nobody)), true) = (User::from_name("nobody"), geteuid().is_root()) else {
        return; // only root can
    };
    let place = Place::new();
    let program = Program {
        user: Some("nobody".to_owned()),
        directory: Some("/".into()),
        ..shell("id -u; id -g; id -G; echo $HOME $USER")
    };
    let written = written_by(&place, program).await;
    let (uid, gid) = (nobody.uid, nobody.gid);
    let expected = format!("{uid}\n{gid}\n{gid}\n{} nobody\n", nobody.dir.display());
    assert_eq!(written, expected);
}
