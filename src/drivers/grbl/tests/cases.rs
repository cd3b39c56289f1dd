//! What happens in this case and in that.

use super::*;

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
    // It may have been running all along: nothing but a question comes before the reset.
    let others = bench.wire.iter().find(|byte| **byte != b'?');
    assert_eq!((bench.wire.first(), others), (Some(&b'?'), Some(&RESET)));
}

#[test]
fn a_silent_machine_is_an_error_and_gets_nothing_but_questions_and_resets() {
    let mut bench = Bench::new(Faults { silent: true, ..Faults::default() });
    bench.until("it is given up", |bench| bench.status() == Some(DeviceStatus::Error));
    assert!(bench.wire.iter().all(|byte| [RESET, b'?'].contains(byte)), "{:?}", bench.wire);
}

#[test]
fn pause_holds_still_and_resume_goes_on_where_it_was() {
    let mut bench = Bench::ready(Faults::default());
    bench.run(SQUARE);
    bench.until("it draws", |bench| bench.machine.drawing().total >= 2);
    bench.command(Command::Pause);
    bench.until("it is paused", |bench| bench.has(&Event::Paused(Halt::Asked)));
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
    // A report that was on its way when the hold was sent says nothing about the hold.
    for asked in [false, true] {
        let mut bench = Bench::ready(Faults::default());
        bench.run(SQUARE);
        bench.until("it draws", |bench| {
            let asked_it = bench.driver.out.is_empty() && bench.up.is_empty();
            let on_its_way = bench.driver.polled.outstanding && asked_it;
            bench.machine.drawing().total >= 2 && on_its_way == asked
        });
        bench.command(Command::Cancel);
        assert_eq!(bench.end(), End::Cancelled);
        let stop = bench.wire.iter().position(|byte| *byte == b'!').unwrap();
        let after: Vec<u8> =
            bench.wire[stop..].iter().copied().filter(|byte| *byte != b'?').collect();
        assert_eq!(after, b"!\x18M5\nG0 Z5\n");
        let height = bench.machine.drawing().moves.back().map(|last| last.to[2]);
        assert_eq!(height, Some(5.0));
        assert_eq!(bench.status(), Some(DeviceStatus::Idle));
        let faults = bench.events.iter().any(|event| matches!(event, Event::Fault(_)));
        assert!(!faults, "{:?}", bench.events);
    }
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
        bench.events.iter().any(|e| matches!(e, Event::Paused(Halt::Machine(_))))
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
fn an_emergency_stop_pressed_without_a_link_is_sent_first_when_there_is_one() {
    let mut bench = Bench::ready(Faults { no_banner: true, ..Faults::default() });
    bench.driver.closed("the link was lost", bench.now);
    (bench.up, bench.down) = (Vec::new(), Vec::new());
    bench.command(Command::Estop);
    assert!(bench.up.is_empty());
    bench.driver.opened(bench.now);
    bench.driver.transmit(&mut bench.up);
    assert_eq!(bench.up, b"!\x18");
    bench.until("it is confirmed", |bench| bench.has(&Event::EstopConfirmed));
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
    // At once, not with the next report: whoever waited for it goes on from there.
    assert_eq!(bench.status(), Some(DeviceStatus::Idle));
}

#[test]
fn a_machine_that_ran_on_is_met_when_it_is_done_and_keeps_its_place() {
    let mut bench = Bench::ready(Faults { no_banner: true, ..Faults::default() });
    bench.run("G21\nG90\nG1 X40 F600\nG1 Y30\nG1 X0\nG1 X40 Y0\n");
    bench.until("it draws", |bench| bench.driver.checkpoint().lines_acknowledged > 3);
    bench.driver.closed("the link was lost", bench.now);
    (bench.up, bench.down) = (Vec::new(), Vec::new());
    bench.wire.clear();
    bench.driver.opened(bench.now);
    let watched = |bench: &Bench| bench.driver.shown.as_ref().is_some_and(|(_, why)| why.is_some());
    bench.until("it is watched", watched);
    bench.until("it is idle", |bench| bench.status() == Some(DeviceStatus::Idle));
    bench.until("it is known", |bench| bench.has(&Event::RanOn));
    assert_eq!(bench.drawn().last(), Some(&(40.0, 0.0, true)), "nothing of what it held is lost");
    let reset = bench.wire.iter().position(|byte| *byte == 0x18).unwrap();
    assert!(bench.wire[..reset].iter().all(|byte| *byte == b'?'), "it is only asked");
    assert_eq!(bench.lines(), ["$I"]);
}

#[test]
fn a_machine_that_was_off_is_not_said_to_have_kept_its_place() {
    for no_banner in [false, true] {
        let mut bench = Bench::ready(Faults { no_banner, ..Faults::default() });
        bench.run("G1 X40 F6000\n");
        assert_eq!(bench.end(), End::Completed);
        bench.driver.closed("the link was lost", bench.now);
        bench.machine.power_on(bench.now);
        (bench.up, bench.down) = (Vec::new(), Vec::new());
        bench.driver.opened(bench.now);
        bench.until("it is idle", |bench| bench.status() == Some(DeviceStatus::Idle));
        let soon = bench.now + Duration::from_secs(5);
        bench.until("it has been asked", |bench| bench.now > soon);
        assert!(!bench.has(&Event::RanOn));
    }
}
