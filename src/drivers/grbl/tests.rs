//! The driver against the simulated firmware, in one thread, on a clock of their own.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{
    firmware::{self, Faults, Firmware},
    toolpath::{Next, Splitter},
};

const SQUARE: &str = "G21 G90 (mm)\nG0 X10 Y10\nM3 S1000\nG1 X20 F1200 ; first side\n\nG1 Y20\n\
    G1 X10\nG1 Y10\nM5\nG0 X0 Y0\n";

/// A driver and a machine with a wire between them.
struct Bench {
    driver: Grbl,
    machine: firmware::Grbl,
    now: Duration,
    /// All that went to the machine.
    wire: Vec<u8>,
    up: Vec<u8>,
    down: Vec<u8>,
    file: Option<Vec<u8>>,
    events: Vec<Event>,
    random: u64,
}

impl Bench {
    fn new(faults: Faults) -> Self {
        Self::with(faults, 1.0, &["M5", "G0 Z5"])
    }

    fn with(faults: Faults, speed: f64, on_stop: &[&str]) -> Self {
        let options = Options {
            timeout: Duration::from_secs(10),
            start_lines: vec!["G21".to_owned()],
            end_lines: vec!["M5".to_owned()],
            on_stop: on_stop.iter().map(|line| (*line).to_owned()).collect(),
        };
        let random = faults.seed | 1;
        let mut bench = Self {
            driver: Grbl::new(options),
            machine: firmware::Grbl::new(speed, faults),
            now: Duration::from_secs(1),
            wire: Vec::new(),
            up: Vec::new(),
            down: Vec::new(),
            file: None,
            events: Vec::new(),
            random,
        };
        bench.machine.power_on(bench.now);
        bench.driver.opened(bench.now);
        bench
    }

    fn ready(faults: Faults) -> Self {
        let mut bench = Self::new(faults);
        bench.until("it is idle", |bench| bench.status() == Some(DeviceStatus::Idle));
        bench
    }

    fn status(&self) -> Option<DeviceStatus> {
        self.driver.shown.as_ref().map(|shown| shown.0)
    }

    fn dice(&mut self) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random % 1000).unwrap()
    }

    fn run(&mut self, file: &str) {
        self.file = Some(file.as_bytes().to_vec());
        self.command(Command::Start);
    }

    fn command(&mut self, command: Command) {
        self.driver.command(command, self.now);
        self.step();
    }

    /// Moves some bytes each way, or the clock.
    fn step(&mut self) {
        while self.driver.wants_file()
            && let Some(file) = &mut self.file
        {
            if file.is_empty() {
                self.driver.end_of_file(self.now);
                self.file = None;
            } else {
                let piece: Vec<u8> = file.drain(..file.len().min(50)).collect();
                self.driver.supply(&piece, self.now);
            }
        }
        self.driver.transmit(&mut self.up);
        self.machine.transmit(&mut self.down);
        let mut quiet = true;
        if !self.up.is_empty() {
            let count = 1 + self.dice() % self.up.len();
            let piece: Vec<u8> = self.up.drain(..count).collect();
            self.machine.receive(&piece, self.now);
            self.wire.extend(piece);
            quiet = false;
        }
        if !self.down.is_empty() {
            let count = 1 + self.dice() % self.down.len();
            let piece: Vec<u8> = self.down.drain(..count).collect();
            self.driver.receive(&piece, self.now);
            quiet = false;
        }
        if quiet {
            let next = [self.driver.deadline(), self.machine.wake()].into_iter().flatten().min();
            // A clock that stands would be a busy loop in the link.
            self.now = next.unwrap_or(self.now).max(self.now + Duration::from_micros(50));
        } else {
            self.now += Duration::from_micros(100);
        }
        self.machine.advance(self.now);
        if self.driver.deadline().is_some_and(|at| at <= self.now) {
            self.driver.tick(self.now);
        }
        while let Some(event) = self.driver.event() {
            self.events.push(event);
        }
    }

    fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let limit = self.now + Duration::from_hours(1);
        for _ in 0..2_000_000 {
            if done(self) {
                return;
            }
            self.step();
            assert!(self.now < limit, "waited an hour until {what}: {:?}", self.events);
        }
        panic!("waited in vain until {what}: {:?}", self.events);
    }

    fn end(&mut self) -> End {
        self.until("the job ends", |bench| bench.ends().next().is_some());
        // Nothing may follow that ends it again.
        for _ in 0..200 {
            self.step();
        }
        assert_eq!(self.ends().count(), 1, "{:?}", self.events);
        assert_eq!(self.machine.drawing().overflows, 0, "the receive buffer overflowed");
        self.ends().next().unwrap()
    }

    fn ends(&self) -> impl Iterator<Item = End> {
        self.events.iter().filter_map(|event| match event {
            Event::Ended(end) => Some(end.clone()),
            _ => None,
        })
    }

    fn has(&self, wanted: &Event) -> bool {
        self.events.contains(wanted)
    }

    /// The lines that went over the wire, realtime bytes left out.
    fn lines(&self) -> Vec<String> {
        let text: Vec<u8> =
            self.wire.iter().copied().filter(|byte| !b"?!~\x18".contains(byte)).collect();
        String::from_utf8(text).unwrap().lines().map(str::to_owned).collect()
    }

    /// Where it drew, X Y, and whether it drew.
    fn drawn(&self) -> Vec<(f64, f64, bool)> {
        self.machine.drawing().moves.iter().map(|to| (to.to[0], to.to[1], to.draw)).collect()
    }
}

fn sendable(file: &str) -> Vec<String> {
    let mut splitter = Splitter::new();
    splitter.supply(file.as_bytes());
    splitter.finish();
    let (mut line, mut lines) = (Vec::new(), Vec::new());
    while let Next::Line(_) = splitter.next_line(&mut line) {
        lines.push(String::from_utf8(line.clone()).unwrap());
    }
    lines
}

#[test]
fn a_file_is_drawn_as_it_is_and_everything_is_acknowledged() {
    let mut bench = Bench::ready(Faults::default());
    assert!(bench.has(&Event::Identified("1.1h".to_owned())));
    bench.run(SQUARE);
    assert_eq!(bench.end(), End::Completed);
    let mut expected = vec!["$I".to_owned(), "G21".to_owned()];
    expected.extend(sendable(SQUARE));
    expected.push("M5".to_owned());
    assert_eq!(bench.lines(), expected);
    let square = [(10.0, 10.0, false), (20.0, 10.0, true), (20.0, 20.0, true), (10.0, 20.0, true)];
    assert_eq!(bench.drawn()[..4], square);
    assert_eq!(bench.drawn()[4..], [(10.0, 10.0, true), (0.0, 0.0, false)]);
    let checkpoint = bench.driver.checkpoint();
    assert_eq!((checkpoint.lines_acknowledged, checkpoint.lines_sent), (9, 9));
    assert_eq!((checkpoint.acknowledged_line, checkpoint.sent_line), (10, 10));
    assert_eq!((checkpoint.planner_lines, checkpoint.receive_lines), (0, 0));
    bench.until("it is idle", |bench| bench.status() == Some(DeviceStatus::Idle));
}

#[test]
fn a_machine_that_does_not_greet_is_reset_and_then_identified() {
    let mut bench = Bench::new(Faults { no_banner: true, ..Faults::default() });
    bench.until("it is idle", |bench| bench.status() == Some(DeviceStatus::Idle));
    assert_eq!(bench.wire.first(), Some(&RESET));
}

#[test]
fn a_silent_machine_is_an_error_and_gets_nothing_but_resets() {
    let mut bench = Bench::new(Faults { silent: true, ..Faults::default() });
    bench.until("it is given up", |bench| bench.status() == Some(DeviceStatus::Error));
    assert!(bench.wire.iter().all(|byte| *byte == RESET), "{:?}", bench.wire);
}

#[test]
fn pause_holds_still_and_resume_goes_on_where_it_was() {
    let mut bench = Bench::ready(Faults::default());
    bench.run(SQUARE);
    bench.until("it draws", |bench| bench.machine.drawing().total >= 2);
    bench.command(Command::Pause);
    bench.until("it is paused", |bench| bench.has(&Event::Paused(None)));
    let total = bench.machine.drawing().total;
    let until = bench.now + Duration::from_mins(2);
    bench.until("two minutes are over", |bench| bench.now > until);
    assert_eq!(bench.machine.drawing().total, total);
    assert_eq!(bench.status(), Some(DeviceStatus::Paused));
    bench.command(Command::Resume);
    bench.until("it goes on", |bench| bench.has(&Event::Resumed));
    assert_eq!(bench.end(), End::Completed);
    assert_eq!(bench.drawn().len(), 6);
}

#[test]
fn resume_right_after_pause_is_not_lost() {
    let mut bench = Bench::ready(Faults::default());
    bench.run(SQUARE);
    bench.until("it draws", |bench| bench.machine.drawing().total >= 1);
    bench.command(Command::Pause);
    bench.command(Command::Resume);
    assert_eq!(bench.end(), End::Completed);
    assert!(bench.has(&Event::Resumed));
}

#[test]
fn cancel_holds_resets_and_puts_the_pen_up_without_an_alarm() {
    let mut bench = Bench::ready(Faults::default());
    bench.run(SQUARE);
    bench.until("it draws", |bench| bench.machine.drawing().total >= 2);
    bench.command(Command::Cancel);
    assert_eq!(bench.end(), End::Cancelled);
    let stop = bench.wire.iter().position(|byte| *byte == b'!').unwrap();
    let after: Vec<u8> = bench.wire[stop..].iter().copied().filter(|byte| *byte != b'?').collect();
    assert_eq!(after, b"!\x18M5\nG0 Z5\n");
    assert_eq!(bench.machine.drawing().moves.back().map(|last| last.to[2]), Some(5.0));
    assert_eq!(bench.status(), Some(DeviceStatus::Idle));
    assert!(
        !bench.events.iter().any(|event| matches!(event, Event::Fault(_))),
        "{:?}",
        bench.events
    );
}

#[test]
fn an_error_stops_the_machine_and_names_line_and_meaning() {
    let mut bench = Bench::ready(Faults::default());
    bench.run("G21 G90\n\nG0 X10\nG99 X1\nG0 X20\n");
    let End::Failed { line, message } = bench.end() else { panic!("{:?}", bench.events) };
    assert_eq!(line, Some(4));
    assert_eq!(message, "error:20: a word or command that is not supported: G99 X1");
    assert!(bench.lines().ends_with(&["M5".to_owned(), "G0 Z5".to_owned()]));
}

#[test]
fn a_line_that_grbl_would_cut_off_is_never_sent() {
    let mut bench = Bench::ready(Faults::default());
    bench.run(&format!("G21 G90\nG1 X{}\n", "1".repeat(90)));
    let End::Failed { line, message } = bench.end() else { panic!("{:?}", bench.events) };
    assert_eq!(line, Some(2));
    assert_eq!(message, "the line has 93 characters, the machine takes at most 79");
}

#[test]
fn eeprom_lines_go_alone() {
    let mut bench = Bench::ready(Faults { delay: Duration::from_millis(50), ..Faults::default() });
    let file = "G21 G90\nG0 X1\nG10 L20 P1 X0\nG0 X1\nG54\nG0 X2\n";
    bench.run(file);
    for line in ["G10 L20 P1 X0\n", "G54\n"] {
        bench.until(line, |bench| bench.lines().iter().any(|sent| sent == line.trim()));
        assert_eq!(
            bench.driver.window.oldest().map(|(_, text)| text.to_vec()),
            Some(line.trim().into())
        );
        assert_eq!(bench.driver.window.of_file().0, 1, "{line}");
    }
    assert_eq!(bench.end(), End::Completed);
}

#[test]
fn a_reset_in_the_middle_ends_the_job_before_the_next_byte() {
    let mut bench = Bench::ready(Faults { reset_at_line: Some(6), ..Faults::default() });
    bench.run(&SQUARE.repeat(20));
    let End::Interrupted { reason, position_known } = bench.end() else {
        panic!("{:?}", bench.events)
    };
    assert_eq!((reason.as_str(), position_known), ("the machine was reset", false));
    assert_eq!(bench.lines().iter().filter(|line| *line == "$I").count(), 2);
    assert_eq!(bench.lines().last().map(String::as_str), Some("$I"));
    let checkpoint = bench.driver.checkpoint();
    assert!(checkpoint.receive_lines > 0 && checkpoint.lines_sent > checkpoint.lines_acknowledged);
}

#[test]
fn a_lost_ok_ends_the_job_as_a_stall_and_nothing_is_sent_twice() {
    let mut bench = Bench::ready(Faults { drop_ok: Some(5), ..Faults::default() });
    bench.run(SQUARE);
    let End::Interrupted { reason, position_known } = bench.end() else {
        panic!("{:?}", bench.events)
    };
    assert_eq!(reason, "the machine stands still and has acknowledged nothing for 10 s");
    assert!(position_known);
    let lines = bench.lines();
    assert_eq!(lines[2..lines.len() - 3], sendable(SQUARE));
}

#[test]
fn a_machine_that_falls_silent_is_held_reset_and_given_up() {
    let mut bench = Bench::ready(Faults { silent_at_line: Some(5), ..Faults::default() });
    bench.run(SQUARE);
    let End::Interrupted { reason, position_known } = bench.end() else {
        panic!("{:?}", bench.events)
    };
    assert!(reason.ends_with("the machine did not confirm that it stopped"), "{reason}");
    assert!(!position_known);
    assert!(bench.wire.windows(2).any(|pair| pair == b"!?" || pair == b"!\x18"));
}

#[test]
fn an_alarm_ends_the_job_and_locks_the_machine() {
    for (number, fails) in [(1, false), (2, true), (5, true)] {
        let mut bench =
            Bench::ready(Faults { alarm_at_line: Some((5, number)), ..Faults::default() });
        bench.run(SQUARE);
        match bench.end() {
            End::Failed { line, message } if fails => {
                assert_eq!(line, Some(3), "{message}");
            }
            End::Interrupted { reason, .. } if !fails => assert!(reason.starts_with("ALARM:1: ")),
            end => panic!("ALARM:{number} {end:?}"),
        }
        bench.until("it is locked", |bench| bench.status() == Some(DeviceStatus::Alarm));
        bench.run(SQUARE);
        bench.until("it is refused", |bench| bench.ends().count() == 2);
        bench.command(Command::Unlock);
        bench.until("it is idle", |bench| bench.status() == Some(DeviceStatus::Idle));
    }
}

#[test]
fn a_long_move_is_no_stall() {
    let mut bench = Bench::ready(Faults::default());
    bench.run("G21 G90\nG1 X100 F10\nG4 P60\nG0 X0\n");
    assert_eq!(bench.end(), End::Completed);
    assert!(bench.now > Duration::from_mins(11));
}

#[test]
fn m0_pauses_the_job_until_it_is_resumed() {
    let mut bench = Bench::ready(Faults::default());
    bench.run("G21 G90\nG0 X10\nM0\nG0 X20\n");
    bench.until("it pauses", |bench| {
        bench.events.iter().any(|e| matches!(e, Event::Paused(Some(_))))
    });
    bench.command(Command::Resume);
    assert_eq!(bench.end(), End::Completed);
}

#[test]
fn the_emergency_stop_goes_first_and_stays_until_it_is_cleared() {
    let mut bench = Bench::ready(Faults::default());
    bench.run(SQUARE);
    bench.until("it draws", |bench| bench.machine.drawing().total >= 1);
    bench.driver.transmit(&mut bench.up);
    bench.up.clear();
    bench.driver.command(Command::Estop, bench.now);
    bench.driver.transmit(&mut bench.up);
    assert_eq!(bench.up, b"!\x18");
    assert_eq!(
        bench.end(),
        End::Interrupted { reason: "emergency stop".into(), position_known: false }
    );
    assert!(bench.has(&Event::EstopConfirmed));
    bench.command(Command::Send("G0 X1".to_owned()));
    assert!(bench.has(&Event::Answered(Err(Refused::Estop))));
    assert_eq!(bench.status(), Some(DeviceStatus::Alarm));
    bench.command(Command::ClearEstop);
    bench.command(Command::Unlock);
    bench.until("it is idle", |bench| bench.status() == Some(DeviceStatus::Idle));
}

#[test]
fn a_lost_link_ends_the_job_and_nothing_is_sent_afterwards_but_the_question_who_it_is() {
    let mut bench = Bench::ready(Faults::default());
    bench.run(SQUARE);
    bench.until("it draws", |bench| bench.machine.drawing().total >= 1);
    bench.driver.closed("the link was lost", bench.now);
    bench.machine.power_on(bench.now);
    (bench.up, bench.down) = (Vec::new(), Vec::new());
    bench.wire.clear();
    bench.driver.opened(bench.now);
    assert_eq!(
        bench.end(),
        End::Interrupted { reason: "the link was lost".into(), position_known: false }
    );
    bench.until("it is idle", |bench| bench.status() == Some(DeviceStatus::Idle));
    assert_eq!(bench.lines(), ["$I"]);
}

#[test]
fn a_console_line_collects_its_answer() {
    let mut bench = Bench::ready(Faults::default());
    bench.command(Command::Send("$G".to_owned()));
    bench.until("it answers", |b| {
        b.events
            .iter()
            .any(|e| matches!(e, Event::Answered(Ok(lines)) if lines[0].starts_with("[GC:G0")))
    });
    bench.command(Command::Send("?".to_owned()));
    bench.until("it reports", |b| {
        b.events
            .iter()
            .any(|e| matches!(e, Event::Answered(Ok(lines)) if lines[0].starts_with("<Idle|")))
    });
    bench.command(Command::Send("G77".to_owned()));
    bench.until("it refuses", |b| b.events.iter().any(|e| matches!(e, Event::Answered(Err(Refused::Machine { message, .. })) if message.starts_with("error:20"))));
    bench.command(Command::Send("G0 X1\nG0 X2".to_owned()));
    bench.until("it is refused", |b| {
        b.events.iter().any(|e| matches!(e, Event::Answered(Err(Refused::Line(_)))))
    });
}

#[test]
fn home_answers_when_it_is_there() {
    let mut bench = Bench::ready(Faults::default());
    bench.command(Command::Send("G0 X100".to_owned()));
    bench.until("it is idle", |bench| {
        bench.machine.drawing().total == 1 && bench.status() == Some(DeviceStatus::Idle)
    });
    bench.command(Command::Home);
    bench.until("it is home", |b| {
        b.events.iter().filter(|e| matches!(e, Event::Answered(Ok(_)))).count() == 2
    });
    assert_eq!(bench.machine.drawing().moves.back().map(|last| last.to), Some([0.0; 3]));
}

fn plot() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        (0_u32..300, 0_u32..218).prop_map(|(x, y)| format!("G1 X{x} Y{y} F3000")),
        (0_u32..300, 0_u32..218).prop_map(|(x, y)| format!("g0x{x}y{y}.5 (over ! there?)")),
        Just("; nothing".to_owned()),
        Just("G10 L20 P2 X0".to_owned()),
        Just("M3 S500".to_owned()),
        Just("M5".to_owned()),
        Just("G4 P0.1".to_owned()),
    ];
    proptest::collection::vec(line, 1..60)
        .prop_map(|lines| format!("G21 G90\n{}\n", lines.join("\n")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever way bytes are split on the wire and however late answers come: what is drawn is
    /// the file, the bytes on the wire are the file, and no buffer overflows.
    #[test]
    fn what_is_drawn_is_the_file(file in plot(), seed in 1_u64.., delay in 0_u64..20, noise in prop_oneof![Just(0.0), Just(0.1)]) {
        let faults = Faults { seed, delay: Duration::from_millis(delay), garbage: noise, ..Faults::default() };
        let mut bench = Bench::ready(faults);
        bench.run(&file);
        prop_assert_eq!(bench.end(), End::Completed);
        let lines = bench.lines();
        prop_assert_eq!(&lines[2..lines.len() - 1], &sendable(&file)[..]);
        let picture = crate::toolpath::preview(file.as_bytes(), 10_000).unwrap();
        let expected: Vec<(f64, f64, bool)> = (1..picture.draw.len())
            .map(|i| (picture.points[2 * i], picture.points[2 * i + 1], picture.draw[i] == 1))
            .collect();
        prop_assert_eq!(bench.drawn(), expected);
    }

    /// Whatever goes wrong and whenever a person interferes, a job ends exactly once, what went
    /// over the wire is a prefix of the file, and no buffer overflows.
    #[test]
    fn a_job_ends_once_whatever_happens(
        file in plot(),
        seed in 1_u64..,
        fault in 0_usize..8,
        line in 3_u64..40,
        act in 0_usize..6,
        at in 0_u64..3000,
    ) {
        let mut faults = Faults { seed, delay: Duration::from_millis(seed % 7), ..Faults::default() };
        match fault {
            0 => faults.drop_ok = Some(line),
            1 => faults.reset_at_line = Some(line),
            2 => faults.error_at_line = Some((line, 24)),
            3 => faults.alarm_at_line = Some((line, 1 + u8::try_from(seed % 9).unwrap())),
            4 => faults.silent_at_line = Some(line),
            5 => faults.garbage = 0.3,
            _ => {}
        }
        let mut bench = Bench::ready(faults);
        bench.run(&file);
        let time = bench.now + Duration::from_millis(at);
        bench.until("it is time", |bench| bench.now >= time || bench.ends().count() > 0);
        match act {
            0 => bench.command(Command::Cancel),
            1 => bench.command(Command::Interrupt("stopping".to_owned())),
            2 => bench.command(Command::Estop),
            3 => {
                bench.command(Command::Pause);
                bench.command(Command::Resume);
            }
            4 => bench.driver.closed("pulled", bench.now),
            _ => {}
        }
        if act == 2 && fault == 4 {
            // Nothing confirms the stop of a silent machine but a person.
            for _ in 0..1000 { bench.step(); }
            bench.command(Command::ClearEstop);
        }
        bench.end();
        let (lines, file) = (bench.lines(), sendable(&file));
        let sent: Vec<&String> = lines.iter().filter(|line| *line != "$I").skip(1).collect();
        let same = sent.iter().zip(&file).take_while(|(sent, line)| **sent == *line).count();
        let rest = &sent[same..];
        prop_assert!(rest.len() <= 3, "sent after the file: {rest:?}");
        prop_assert!(rest.iter().all(|line| *line == "M5" || *line == "G0 Z5"), "{rest:?}");
    }
}
