//! What programs write.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    time::Duration,
};

use super::support::*;
use crate::domain::{DaemonState, OutputRules, Program};

#[actix::test]
async fn output_is_kept_and_published() {
    let place = Place::new();
    let script = "echo one; printf 'two\\r\\n' >&2; printf 'th\\377ree'";
    let station = place.run_one(shell(script), policy());
    station.ended().await;
    assert_eq!(fs::read(place.file("logs/it.log")).unwrap(), b"one\ntwo\r\nth\xffree");
    assert_eq!(*place.lines.lock().unwrap(), ["one", "two", "th\u{fffd}ree"]);
    let mode = fs::metadata(place.file("logs/it.log")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640 & !current_umask());
}

fn current_umask() -> u32 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let umask = status.lines().find_map(|line| line.strip_prefix("Umask:\t")).unwrap();
    u32::from_str_radix(umask, 8).unwrap()
}

#[actix::test]
async fn a_flood_is_rotated_and_holds_nobody_up() {
    let place = Place::new();
    let log = OutputRules { max_size: 100_000, backup_count: 3, compress: true };
    let flood = Program { log, ..program(&["yes"]) };
    let sleeper = program(&["sleep", "1000"]);
    let station = place.run(vec![("it", flood, policy()), ("other", sleeper, policy())]);
    station.running().await;
    eventually("its log is rotated", || place.file("logs/it.log.3.gz").exists()).await;
    let left_out = "more lines in 1s are only in the log file";
    let told = || place.lines.lock().unwrap().iter().any(|line| line.contains(left_out));
    eventually("lines are left out", told).await;
    let others = station.list().await;
    assert!(others.iter().all(|it| it.state == DaemonState::Running), "{others:?}");
    station.stop().await;
    let files = fs::read_dir(place.file("logs")).unwrap().flatten();
    let files: Vec<_> = files.map(|it| it.file_name().into_string().unwrap()).collect();
    assert!(files.len() <= 5, "{files:?}");
    assert!(place.lines.lock().unwrap().len() < 4000);
    station.shut_down(Duration::from_secs(10)).await;
}

#[actix::test]
async fn a_log_that_was_moved_away_is_begun_anew() {
    let place = Place::new();
    let station = place.run_one(shell("while :; do echo tick; sleep 0.01; done"), policy());
    eventually("it writes", || place.read("logs/it.log").contains("tick")).await;
    fs::rename(place.file("logs/it.log"), place.file("logs/moved")).unwrap();
    station.host.reopen_logs();
    eventually("it writes again", || place.read("logs/it.log").contains("tick")).await;
    station.stop().await;
}

#[actix::test]
async fn a_full_disk_loses_lines_and_nothing_else() {
    let place = Place::new();
    symlink("/dev/full", place.file("logs/it.log")).unwrap();
    let station = place.run_one(shell("echo one; echo two; exit 5"), policy());
    let it = station.ended().await;
    assert_eq!(it.last_error.as_deref(), Some("failed: exited with 5"));
    assert_eq!(it.last_lines, ["one", "two"]);
}

#[actix::test]
async fn a_log_that_a_program_writes_itself_is_rotated_too() {
    let place = Place::new();
    let script = "i=0; while [ ! -e enough ]; do i=$((i+1)); echo line $i of many; done; \
                  while :; do echo last; sleep 0.01; done";
    let log = OutputRules { max_size: 20_000, backup_count: 2, compress: true };
    let station = place.run_one(Program { log, detach: true, ..shell(script) }, policy());
    eventually("its log is rotated", || place.file("logs/it.log.2.gz").exists()).await;
    fs::write(place.file("enough"), "").unwrap();
    eventually("it goes on in the file it holds", || place.read("logs/it.log").ends_with("last\n"))
        .await;
    let published = || place.lines.lock().unwrap().iter().any(|line| line.starts_with("line "));
    eventually("it is published", published).await;
    station.stop().await;
}
