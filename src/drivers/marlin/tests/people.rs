//! Where a person is in the loop.

use super::*;
use crate::{domain::Jog, drivers::StopPoint};

#[test]
fn pause_waits_for_the_motion_and_resume_goes_on_where_it_was() {
    for dialect in dialects() {
        let mut bench = ready(dialect, Faults::default());
        bench.run(SQUARE);
        bench.until("it draws", |bench| bench.machine.drawing().total >= 2);
        bench.command(Command::Pause);
        bench.until("it is paused", |bench| bench.has(&Event::Paused(Halt::Asked)));
        let total = bench.machine.drawing().total;
        bench.pass(Duration::from_mins(10));
        assert_eq!(bench.machine.drawing().total, total);
        assert_eq!(bench.status(), Some(DeviceStatus::Paused));
        assert_eq!(bench.checkpoint().planner_lines, 0, "what was planned is carried out");
        bench.command(Command::Resume);
        assert_eq!(bench.end(), End::Completed, "{bench:?}");
        assert!(bench.has(&Event::Resumed));
        assert_eq!(bench.drawn(), picture(SQUARE));
    }
}

#[test]
fn resume_right_after_pause_is_not_lost() {
    let mut bench = ready(Dialect::default(), Faults::default());
    bench.run(SQUARE);
    bench.command(Command::Pause);
    bench.command(Command::Resume);
    assert_eq!(bench.end(), End::Completed);
    assert!(bench.has(&Event::Resumed));
}

#[test]
fn cancel_stops_at_once_and_makes_safe() {
    for dialect in dialects() {
        let mut bench = with(dialect, Faults::default(), &[]);
        bench.until_idle();
        bench.run(&"G1 X300 F3000\nG1 X0\n".repeat(50));
        bench.until("it draws", |bench| bench.machine.drawing().total >= 2);
        let began = bench.now;
        bench.command(Command::Cancel);
        assert_eq!(bench.end(), End::Cancelled, "{bench:?}");
        // A board without the parser reads on once a move has made room.
        let limit = if dialect.emergency_parser { 3 } else { 10 };
        let took = bench.ended.unwrap().saturating_sub(began);
        assert!(took < Duration::from_secs(limit), "{dialect:?} {took:?} {:#?}", bench.events);
        let lines = bench.lines();
        let stop = lines.iter().rposition(|line| line == "M410").unwrap();
        let safe = ["M114", "M110 N0", "M104 S0", "M140 S0", "M107", "M84", "M400", "M114"];
        assert_eq!(lines[stop + 1..][..8], safe);
        bench.until_idle();
        let total = bench.machine.drawing().total;
        bench.pass(Duration::from_mins(1));
        assert_eq!(bench.machine.drawing().total, total, "it stands");
    }
}

#[test]
fn cancel_does_not_wait_for_heat() {
    let mut bench = ready(Dialect::default(), Faults::default());
    bench.run("M109 S250\nG1 X10\n");
    bench.pass(Duration::from_secs(5));
    let began = bench.now;
    bench.command(Command::Cancel);
    assert_eq!(bench.end(), End::Cancelled);
    assert!(bench.ended.unwrap() < began + Duration::from_secs(3));
    assert_eq!(bench.drawn(), [(0.0, 0.0, false)], "the pen goes up, by on_stop");
}

#[test]
fn m0_and_actions_of_the_machine_pause_the_job() {
    let mut bench = ready(Dialect::default(), Faults::default());
    bench.run("G1 X10 F3000\nM0 change the pen\nG1 X20\nM118 A1 action:pause\nG1 X30\n");
    bench.until("it waits", |bench| {
        bench.has(&Event::Paused(Halt::Machine("the machine waits for a person".to_owned())))
    });
    bench.pass(Duration::from_hours(1));
    assert_eq!(bench.status(), Some(DeviceStatus::Paused));
    bench.command(Command::Resume);
    bench.until("it asks for a pause", |bench| {
        bench.has(&Event::Paused(Halt::Machine("the machine asks for a pause".to_owned())))
    });
    bench.command(Command::Resume);
    assert_eq!(bench.end(), End::Completed);
    assert_eq!(bench.drawn().len(), 3);
}

#[test]
fn the_emergency_stop_goes_first_and_stays_until_it_is_cleared_and_the_machine_reset() {
    for dialect in dialects() {
        let mut bench = ready(dialect, Faults::default());
        bench.run(SQUARE);
        bench.until("it draws", |bench| bench.machine.drawing().total >= 1);
        bench.driver.transmit(&mut bench.up);
        bench.up.clear();
        bench.driver.command(Command::Estop, bench.now);
        bench.driver.transmit(&mut bench.up);
        assert_eq!(bench.up, b"\nM112\n");
        let reason = "emergency stop".to_owned();
        assert_eq!(bench.end(), End::Interrupted { reason, position_known: false });
        assert!(bench.has(&Event::EstopConfirmed));
        bench.command(Command::Send("G0 X1".to_owned()));
        assert!(bench.has(&Event::Answered(Err(Refused::Estop))));
        assert_eq!(bench.status(), Some(DeviceStatus::Alarm));
        bench.command(Command::ClearEstop);
        bench.pass(Duration::from_mins(1));
        assert_eq!(bench.status(), Some(DeviceStatus::Alarm), "it has halted for good");
        bench.unplug();
        bench.plug();
        bench.until_idle();
    }
}

#[test]
fn an_emergency_stop_pressed_without_a_link_is_sent_first_when_there_is_one() {
    let mut bench = ready(Dialect::default(), Faults { no_banner: true, ..Faults::default() });
    bench.unplug();
    bench.command(Command::Estop);
    bench.wire.clear();
    bench.plug();
    bench.until("it is confirmed", |bench| bench.has(&Event::EstopConfirmed));
    assert!(bench.wire.starts_with(b"\nM112\n"));
}

#[test]
fn a_console_line_collects_its_answer() {
    for dialect in dialects() {
        let mut bench = ready(dialect, Faults::default());
        let answers = |bench: &Bench| {
            let all = bench.events.iter();
            all.filter(|event| matches!(event, Event::Answered(_))).cloned().collect::<Vec<_>>()
        };
        for (count, line) in
            ["M115", "M105", "G77", "G0 X1\nG0 X2", "; nothing", "M110 N5"].into_iter().enumerate()
        {
            bench.command(Command::Send(line.to_owned()));
            bench.until("it answers", |bench| answers(bench).len() > count);
        }
        let said = answers(&bench);
        assert!(matches!(&said[0], Event::Answered(Ok(l)) if l.len() == 6), "{said:?}");
        assert!(matches!(&said[1], Event::Answered(Ok(l)) if l[0].starts_with("T:21.00 /0.00")));
        let unknown = "echo:Unknown command: \"G77\"";
        assert!(matches!(&said[2], Event::Answered(Ok(l)) if l[..] == [unknown]));
        for refused in &said[3..] {
            assert!(matches!(refused, Event::Answered(Err(Refused::Line(_)))), "{refused:?}");
        }
        bench.until_idle();
    }
}

#[test]
fn home_answers_when_it_is_there_and_a_jog_moves_by_hand() {
    let mut bench = ready(Dialect::default(), Faults::default());
    bench.command(Command::Jog(Jog { x: 30.0, y: -2.0, z: 0.0, feed: 600.0 }));
    bench.until("it is on its way", |bench| bench.any(|e| matches!(e, Event::Answered(Ok(_)))));
    assert!(!bench.driver.is_still());
    assert_eq!(bench.status(), Some(DeviceStatus::Busy));
    bench.until("it stands", |bench| bench.driver.is_still());
    assert_eq!(bench.drawn(), [(30.0, -2.0, false)]);
    let position = Some(Position { x: 30.0, y: -2.0, z: 0.0 });
    assert!(bench.any(|event| matches!(event, Event::Position(at, _) if *at == position)));
    bench.command(Command::Home);
    bench.until("it is home", |bench| {
        bench.events.iter().filter(|e| matches!(e, Event::Answered(Ok(_)))).count() == 2
    });
    assert_eq!(bench.drawn().last(), Some(&(0.0, 0.0, false)));
    assert!(bench.driver.is_still(), "a job may go on at once");
    // And one that is called off.
    bench.command(Command::Jog(Jog { x: 300.0, y: 0.0, z: 0.0, feed: 600.0 }));
    bench.pass(Duration::from_secs(2));
    bench.command(Command::StopJog);
    bench.until("it stands", |bench| bench.driver.is_still());
    assert!(bench.drawn().last().unwrap().0 < 40.0);
}

#[test]
fn a_stop_of_the_file_waits_for_the_machine_and_then_for_a_person() {
    let file = "G90\nG1 X10 F600\nM600\nG1 X20\nG1 X30\n";
    let stop = |line, instead| StopPoint {
        line,
        instead,
        message: format!("pen {line}"),
        layer_end: None,
    };
    let stops = vec![stop(3, true), stop(5, false)];
    let mut bench = ready(Dialect::default(), Faults::default());
    bench.run_from(file, Start { stops, ..Start::default() });
    for (line, drawn) in [(3, 1), (5, 2)] {
        bench.until("a pen is asked for", |bench| {
            bench.has(&Event::Paused(Halt::Stop(format!("pen {line}"))))
        });
        bench.pass(Duration::from_mins(2));
        assert_eq!(bench.drawn().len(), drawn);
        bench.command(Command::Resume);
    }
    assert_eq!(bench.end(), End::Completed);
    assert_eq!(bench.checkpoint().lines_acknowledged, 5);
    assert!(!bench.lines().contains(&"M600".to_owned()));
}

#[test]
fn where_the_tool_is_is_not_known_while_a_file_moves_it() {
    let mut bench = ready(Dialect::default(), Faults::default());
    let stops =
        vec![StopPoint { line: 3, instead: true, message: "turn it".to_owned(), layer_end: None }];
    let start = Start { stops, ..Start::default() };
    bench.run_from("G90\nG1 X50 F3000\nM0\nG1 X100\n", start);
    let tells =
        |event: &Event| matches!(event, Event::Position(told, _) if *told == Some(at(50.0)));
    let stands = |event: &Event| matches!(event, Event::Paused(_));
    bench.until("it stands and tells", |bench| bench.any(stands) && bench.any(tells));
    bench.command(Command::Resume);
    assert_eq!(bench.end(), End::Completed);
    let told = bench.events.iter().filter_map(|event| match event {
        Event::Position(position, _) => Some(*position),
        _ => None,
    });
    let told: Vec<_> = told.collect();
    assert!(told.ends_with(&[Some(at(50.0)), None, Some(at(100.0))]), "{told:?}");
}

fn at(x: f64) -> Position {
    Position { x, ..Position::default() }
}
