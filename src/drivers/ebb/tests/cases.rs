//! What happens in this case and in that.
#![expect(clippy::float_cmp, reason = "a machine stands on whole steps")]

use super::*;

pub(super) const VERSIONS: [EbbVersion; 2] = [EbbVersion::V2, EbbVersion::V3];

const DRAWN: [(f64, f64, bool); 8] = [
    (10.0, 0.0, false),
    (15.0, 0.0, true),
    (20.0, 0.0, true),
    (20.0, 5.0, true),
    (20.0, 10.0, true),
    (30.0, 10.0, false),
    (35.0, 10.0, true),
    (0.0, 0.0, false),
];

#[test]
fn a_file_is_drawn_as_it_is_and_the_motors_are_off_at_the_end() {
    for version in VERSIONS {
        let mut bench = Bench::ready_with(Faults::default(), version);
        assert_eq!(bench.driver.machine.depth, if version == EbbVersion::V3 { 4 } else { 1 });
        bench.run(STROKES);
        assert_eq!(bench.end(), End::Completed);
        let mut expected = vec!["SP,1,100".to_owned(), "EM,1,1".to_owned(), "SL,3,4".to_owned()];
        expected.extend(sendable(STROKES));
        expected.extend(["SL,4,4".to_owned(), "EM,0,0".to_owned()]);
        assert_eq!(bench.lines()[Bench::greeting(version)..], expected);
        assert_eq!(bench.drawn(), DRAWN);
        let checkpoint = bench.driver.checkpoint();
        assert_eq!((checkpoint.lines_acknowledged, checkpoint.lines_sent), (COMMANDS, COMMANDS));
        assert_eq!((checkpoint.acknowledged_line, checkpoint.sent_line), (14, 14));
        assert_eq!((checkpoint.planner_lines, checkpoint.receive_lines), (0, 0));
        assert_eq!(bench.faults(), Vec::<&String>::new());
        bench.until("it is idle", |bench| bench.status() == Some(DeviceStatus::Idle));
        // Nobody knows where it is with its motors off.
        assert!(matches!(
            bench.events.iter().rfind(|event| matches!(event, Event::Position(..))),
            Some(Event::Position(None, Some(true)))
        ));
    }
}

#[test]
fn a_board_that_was_left_in_the_new_syntax_or_within_a_command_is_understood() {
    for left in ["CU,10,1\r", "CU,10,1\rXM,100,80", "XM,100,80,8"] {
        let mut bench = Bench::new(Faults::default(), EbbVersion::V3);
        bench.machine.power_on(bench.now);
        bench.up.clear();
        bench.machine.receive(left.as_bytes(), bench.now);
        let mut said = Vec::new();
        bench.machine.transmit(&mut said);
        bench.driver.closed("again", bench.now);
        bench.driver.opened(bench.now);
        bench.until("it is idle", |bench| bench.status() == Some(DeviceStatus::Idle));
        assert!(bench.has(&Event::Identified("3.0.2".to_owned())));
        assert_eq!(bench.drawn(), [], "nothing has moved");
    }
}

#[test]
fn a_silent_machine_is_an_error_and_gets_nothing_but_questions() {
    let mut bench = Bench::new(Faults { silent: true, ..Faults::default() }, EbbVersion::V3);
    bench.until("it is given up", |bench| bench.status() == Some(DeviceStatus::Error));
    assert!(bench.lines().iter().all(|line| line == "V"), "{:?}", bench.lines());
}

#[test]
fn motors_without_power_are_found_out_before_anything_moves() {
    let mut bench =
        Bench::new(Faults { no_motor_power: true, ..Faults::default() }, EbbVersion::V3);
    bench.until("it says so", |bench| bench.status() == Some(DeviceStatus::Error));
    bench.run(STROKES);
    let End::Interrupted { reason, position_known: true } = bench.end() else {
        panic!("{:?}", bench.events)
    };
    assert_eq!(reason, "nothing was sent: the motors have no power: plug in the supply");
    bench.machine.power_motors(true);
    bench.until("it is plugged in", |bench| bench.status() == Some(DeviceStatus::Idle));
    bench.events.clear();
    bench.run(&STROKES.repeat(5));
    bench.until("it draws", |bench| bench.machine.drawing().total >= 4);
    bench.machine.power_motors(false);
    let End::Interrupted { reason, position_known: false } = bench.end() else {
        panic!("{:?}", bench.events)
    };
    assert_eq!(reason, "the motors have lost their power");
}

#[test]
fn pause_waits_for_the_pen_to_be_up_and_resume_goes_on() {
    for version in VERSIONS {
        let mut bench = Bench::ready_with(Faults::default(), version);
        bench.run(STROKES);
        bench.until("it draws", |bench| bench.drawn().len() >= 2);
        bench.command(Command::Pause);
        bench.until("it is paused", |bench| bench.has(&Event::Paused(Halt::Asked)));
        assert_eq!(bench.drawn(), DRAWN[..5], "at the end of the stroke");
        assert_eq!(bench.machine.drawing().moves.back().unwrap().to, [20.0, 10.0, 1.0]);
        let until = bench.now + Duration::from_mins(2);
        bench.until("two minutes are over", |bench| bench.now > until);
        assert_eq!(bench.drawn(), DRAWN[..5]);
        assert_eq!(bench.status(), Some(DeviceStatus::Paused));
        bench.command(Command::Resume);
        bench.until("it goes on", |bench| bench.has(&Event::Resumed));
        assert_eq!(bench.end(), End::Completed);
        assert_eq!(bench.drawn(), DRAWN);
    }
}

#[test]
fn a_pause_within_a_long_stroke_lifts_the_pen_and_puts_it_down_where_it_was() {
    let stroke = "XM,250,400,0\nXM,250,-400,0\n".repeat(50);
    let mut bench = Bench::ready(Faults::default());
    bench.run(&format!("SP,0,100\n{stroke}SP,1,100\n"));
    bench.until("it draws", |bench| bench.drawn().len() >= 2);
    let asked = bench.now;
    bench.command(Command::Pause);
    bench.command(Command::Pause);
    bench.until("it is paused", |bench| bench.has(&Event::Paused(Halt::Asked)));
    // Three seconds of patience, and what was in the queue.
    assert!(bench.now < asked + Duration::from_secs(6), "{:?}", bench.now.saturating_sub(asked));
    let up = bench.machine.drawing().moves.back().unwrap().to;
    assert!((up[2] - 1.0).abs() < 1e-9, "the pen is up");
    bench.command(Command::Resume);
    bench.until("it goes on", |bench| bench.has(&Event::Resumed));
    let down = bench.machine.drawing().moves.back().unwrap().to;
    assert_eq!(down, [up[0], up[1], 0.0], "the pen is down where it was");
    assert_eq!(bench.end(), End::Completed);
    assert_eq!(bench.drawn().len(), 100);
    assert!(bench.drawn().iter().all(|(_, _, draw)| *draw));
}

#[test]
fn resume_right_after_pause_is_not_lost() {
    let mut bench = Bench::ready(Faults::default());
    bench.run(STROKES);
    bench.until("it draws", |bench| bench.drawn().len() >= 2);
    bench.command(Command::Pause);
    bench.command(Command::Resume);
    assert_eq!(bench.end(), End::Completed);
    assert!(bench.has(&Event::Paused(Halt::Asked)) && bench.has(&Event::Resumed));
    assert_eq!(bench.drawn(), DRAWN);
}

#[test]
fn the_button_pauses() {
    for version in VERSIONS {
        let mut bench = Bench::ready_with(Faults::default(), version);
        bench.run(STROKES);
        bench.until("it draws", |bench| bench.drawn().len() >= 2);
        bench.machine.press();
        let reason = "the button of the machine was pressed".to_owned();
        bench.until("it is paused", |bench| {
            bench.has(&Event::Paused(Halt::Machine(reason.clone())))
        });
        bench.command(Command::Resume);
        assert_eq!(bench.end(), End::Completed);
        assert_eq!(bench.drawn(), DRAWN);
    }
}

#[test]
fn cancel_stops_within_the_move_lifts_the_pen_goes_home_and_switches_off() {
    for version in VERSIONS {
        let mut bench = Bench::ready_with(Faults::default(), version);
        bench.run(STROKES);
        bench.until("it draws", |bench| bench.drawn().len() >= 2);
        let asked = bench.now;
        bench.command(Command::Cancel);
        bench.until("it stands", |bench| bench.ends().count() > 0);
        assert!(
            bench.now < asked + Duration::from_secs(3),
            "{:?}",
            bench.now.saturating_sub(asked)
        );
        assert_eq!(bench.end(), End::Cancelled);
        assert!(bench.drawn().len() < 5, "it did not draw on: {:?}", bench.drawn());
        let lines = bench.lines();
        assert_eq!(lines[lines.len() - 4..], ["ES", "SP,1,100", "HM,3000", "EM,0,0"]);
        assert_eq!(bench.machine.drawing().moves.back().unwrap().to, [0.0, 0.0, 1.0]);
        assert_eq!(bench.status(), Some(DeviceStatus::Idle));
        assert_eq!(bench.faults(), Vec::<&String>::new());
    }
}

#[test]
fn a_stop_comes_soon_even_within_a_command_that_lasts_a_minute() {
    for version in VERSIONS {
        let mut bench = Bench::ready_with(Faults::default(), version);
        bench.run(&"SP,0,100\nXM,60000,4000,0\nXM,60000,4000,0\n".repeat(4));
        let until = bench.now + Duration::from_secs(20);
        bench.until("it draws", |bench| bench.now > until);
        let asked = bench.now;
        bench.command(Command::Estop);
        bench.until("it stands", |bench| bench.has(&Event::EstopConfirmed));
        assert!(
            bench.now < asked + Duration::from_millis(100),
            "{:?}",
            bench.now.saturating_sub(asked)
        );
        let moves = bench.machine.drawing().moves.len();
        let until = bench.now + Duration::from_mins(3);
        bench.until("three minutes are over", |bench| bench.now > until);
        let after: Vec<_> = bench.machine.drawing().moves.iter().skip(moves).collect();
        assert!(after.iter().all(|to| !to.draw), "{after:?}");
    }
}

#[test]
fn a_refused_command_stops_the_machine_and_is_named() {
    for (version, error) in [
        (EbbVersion::V2, "!4 Err: Missing parameter(s)"),
        (EbbVersion::V3, "!4 Err: Missing parameter(s)"),
    ] {
        let mut bench = Bench::ready_with(Faults::default(), version);
        bench.run("SP,0,100\n\nXM,250,400\nXM,250,400,0\n");
        let End::Failed { line, message } = bench.end() else { panic!("{:?}", bench.events) };
        assert_eq!((line, message), (Some(3), format!("{error}: XM,250,400")));
        assert_eq!(bench.drawn(), []);
        assert!(bench.lines().ends_with(&["HM,3000".to_owned(), "EM,0,0".to_owned()]));
    }
}

#[test]
fn commands_that_would_put_it_out_of_step_are_never_sent() {
    for line in ["CU,10,0", "cu,1,0", "RB", "BL", "R", "CU,54,1", &"X".repeat(256)] {
        let mut bench = Bench::ready(Faults::default());
        bench.run(&format!("SP,1\n{line}\n"));
        let End::Failed { line: Some(2), message } = bench.end() else {
            panic!("{:?}", bench.events)
        };
        assert!(!bench.lines().contains(&line.to_owned()), "{message}");
        bench.command(Command::Send(line.to_owned()));
        let refused = |event: &Event| {
            matches!(event, Event::Answered(Err(Refused::Line(_) | Refused::Busy(_))))
        };
        bench.until("it is refused", |bench| bench.events.iter().any(refused));
    }
}

#[test]
fn a_reset_in_the_middle_ends_the_job_before_the_next_move() {
    for version in VERSIONS {
        let faults = Faults { reset_at_line: Some(60), ..Faults::default() };
        let mut bench = Bench::ready_with(faults, version);
        bench.run(&STROKES.repeat(20));
        let End::Interrupted { reason, position_known: false } = bench.end() else {
            panic!("{:?}", bench.events)
        };
        // A board of the old syntax says nothing of it: its silence is noticed first.
        let expected = ["the machine was reset", "the machine has acknowledged nothing for 5 s"];
        assert!(expected.iter().any(|text| reason.starts_with(text)), "{reason}");
    }
}

#[test]
fn a_lost_answer_ends_the_job_as_a_stall_and_nothing_is_sent_twice() {
    for version in VERSIONS {
        // The 25th is a move of the file, whatever was asked before.
        let mut bench =
            Bench::ready_with(Faults { drop_ok: Some(40), ..Faults::default() }, version);
        bench.run(&"NI\n".repeat(200));
        let End::Interrupted { reason, .. } = bench.end() else { panic!("{:?}", bench.events) };
        assert_eq!(reason, "the machine has acknowledged nothing for 5 s");
        let lines = bench.lines();
        let sent = lines.iter().filter(|line| *line == "NI").count();
        assert_eq!(bench.driver.checkpoint().lines_sent, sent as u64);
        assert_eq!(bench.driver.checkpoint().lines_acknowledged, sent as u64 - 1);
    }
}

#[test]
fn the_emergency_stop_goes_first_and_stays_until_it_is_cleared() {
    for version in VERSIONS {
        let mut bench = Bench::ready_with(Faults::default(), version);
        bench.run(STROKES);
        bench.until("it draws", |bench| bench.drawn().len() >= 2);
        bench.driver.transmit(&mut bench.up);
        bench.up.clear();
        bench.driver.command(Command::Estop, bench.now);
        bench.driver.transmit(&mut bench.up);
        assert_eq!(bench.up, b"ES\rES\rEM,0,0\rSP,1\r");
        let reason = "emergency stop".to_owned();
        assert_eq!(bench.end(), End::Interrupted { reason, position_known: false });
        assert!(bench.has(&Event::EstopConfirmed));
        bench.until("it is known again", |bench| bench.status() == Some(DeviceStatus::Alarm));
        assert_eq!(bench.machine.drawing().moves.back().map(|last| last.to[2]), Some(1.0));
        bench.command(Command::Send("XM,100,80,0".to_owned()));
        assert!(bench.has(&Event::Answered(Err(Refused::Estop))));
        bench.command(Command::ClearEstop);
        bench.until("it is idle", |bench| bench.status() == Some(DeviceStatus::Idle));
    }
}

#[test]
fn an_emergency_stop_pressed_without_a_link_is_sent_first_when_there_is_one() {
    let mut bench = Bench::ready(Faults::default());
    bench.driver.closed("the link was lost", bench.now);
    (bench.up, bench.down) = (Vec::new(), Vec::new());
    bench.command(Command::Estop);
    assert!(bench.up.is_empty());
    bench.driver.opened(bench.now);
    bench.driver.transmit(&mut bench.up);
    assert!(bench.up.starts_with(b"ES\r"));
    bench.until("it is confirmed", |bench| bench.has(&Event::EstopConfirmed));
}

#[test]
fn a_lost_link_ends_the_job_and_nothing_moves_afterwards() {
    let mut bench = Bench::ready(Faults::default());
    bench.run(STROKES);
    bench.until("it draws", |bench| bench.drawn().len() >= 2);
    bench.driver.closed("the link was lost", bench.now);
    bench.machine.power_on(bench.now);
    (bench.up, bench.down) = (Vec::new(), Vec::new());
    bench.wire.clear();
    bench.driver.opened(bench.now);
    let reason = "the link was lost".to_owned();
    assert_eq!(bench.end(), End::Interrupted { reason, position_known: false });
    bench.until("it is idle", |bench| bench.status() == Some(DeviceStatus::Idle));
    let lines = bench.lines();
    assert!(
        lines.iter().all(|line| !line.starts_with("XM") && !line.starts_with("HM")),
        "{lines:?}"
    );
}

#[test]
fn a_stop_between_pens_waits_for_a_person_with_the_pen_up() {
    let stops = vec![StopPoint {
        line: 10,
        instead: false,
        message: "red".to_owned(),
        layer_end: Some(99),
    }];
    for skip in [false, true] {
        let mut bench = Bench::ready(Faults::default());
        bench.run_from(STROKES, Start { stops: stops.clone(), ..Start::default() });
        let red = Event::Paused(Halt::Stop("red".to_owned()));
        bench.until("a pen is asked for", |bench| bench.has(&red));
        assert_eq!(bench.driver.checkpoint().acknowledged_line, 9);
        assert_eq!(bench.machine.drawing().moves.back().unwrap().to, [20.0, 10.0, 1.0]);
        let until = bench.now + Duration::from_hours(1);
        while bench.now < until {
            bench.step();
        }
        assert_eq!(bench.drawn(), DRAWN[..5]);
        bench.command(if skip { Command::SkipLayer } else { Command::Resume });
        assert_eq!(bench.end(), End::Completed);
        assert_eq!(bench.drawn().len(), if skip { 5 } else { 8 });
        assert_eq!(bench.driver.checkpoint().lines_acknowledged, COMMANDS);
    }
}

#[test]
fn a_job_begins_at_the_origin_wherever_the_carriage_was_moved_by_hand() {
    let mut bench = Bench::ready(Faults::default());
    bench.command(Command::Jog(crate::domain::Jog {
        x: 10.0,
        y: -5.0,
        feed: 600.0,
        ..Default::default()
    }));
    bench.until("that is taken", |bench| bench.has(&Event::Answered(Ok(Vec::new()))));
    bench.until("it moves", |bench| bench.status() == Some(DeviceStatus::Busy));
    bench.until("it stands", |bench| bench.status() == Some(DeviceStatus::Idle));
    assert_eq!(bench.drawn(), [(10.0, 5.0, false)]);
    bench.run(STROKES);
    assert_eq!(bench.end(), End::Completed);
    assert_eq!(bench.drawn()[1], (0.0, 0.0, false));
    assert_eq!(bench.drawn()[2..], DRAWN);
}
