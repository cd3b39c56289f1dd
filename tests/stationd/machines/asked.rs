//! Questions on a terminal.

use std::{
    fs::File,
    io::Read,
    process::{Child, Stdio},
};

use nix::{
    pty::openpty,
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{await_lines, queue_has_looked, resume::strokes, submit};
use crate::support::{Station, program};

/// A command of which a person at a terminal has read the end of its question.
fn asked(station: &Station, args: &[&str], question: &str) -> (Child, File) {
    let pair = openpty(None, None).unwrap();
    let end = || Stdio::from(pair.slave.try_clone().unwrap());
    let mut command = program(station.home());
    command.arg("--workspace").arg(station.workspace()).args(args);
    let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
    let (mut screen, mut read) = (File::from(pair.master), Vec::new());
    let mut piece = [0; 1024];
    while !String::from_utf8_lossy(&read).ends_with(question) {
        let count = screen.read(&mut piece).expect("the question comes");
        read.extend(&piece[..count]);
    }
    (child, screen)
}

#[test]
fn who_interrupts_the_question_whether_the_way_is_clear_moves_nothing() {
    let mut station = super::simulated("1").start();
    let id = submit(&station, "", &strokes(100));
    await_lines(&station, &id, 2);
    station.kill();
    station.again();
    let (mut child, _screen) = asked(&station, &["job", "resume", &id], "[y/N] ");
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    queue_has_looked(&station);
    assert_eq!(station.job(&id)["state"], "INTERRUPTED");
}
