//! What happens in this case and in that.

use super::{super::PEN_UP_MM, *};
use crate::domain::{Jog, Position};

#[test]
fn a_file_is_drawn_as_it_is() {
    let mut bench = Bench::ready(Faults::default());
    assert!(bench.has(&Event::Identified("7475A".to_owned())));
    assert_eq!(bench.driver.machine.size, 1024);
    bench.run(SQUARE);
    assert_eq!(bench.end(), End::Completed);
    let mut expected = vec!["PU".to_owned(), "PT.3".to_owned()];
    expected.extend(sendable(SQUARE));
    expected.extend(["SP0".to_owned(), "PU".to_owned()]);
    assert_eq!(bench.lines(), expected);
    assert_eq!(bench.drawn(), DRAWN);
    let checkpoint = bench.driver.checkpoint();
    assert_eq!((checkpoint.lines_acknowledged, checkpoint.lines_sent), (LINES, LINES));
    assert_eq!((checkpoint.acknowledged_line, checkpoint.sent_line), (LINES, LINES));
    assert_eq!(bench.faults(), Vec::<&String>::new());
    bench.until("it is idle", |bench| bench.status() == Some(DeviceStatus::Idle));
}

#[test]
fn what_it_does_not_understand_is_told_at_the_end() {
    let mut bench = Bench::ready(Faults::default());
    bench.run("IN;\nXX1;\nPU0,0;\n");
    assert_eq!(bench.end(), End::Completed);
    let expected = "the plotter reports error 1: an instruction that it does not know";
    assert_eq!(bench.faults(), [expected]);
}

#[test]
fn a_silent_machine_is_an_error_and_gets_nothing_but_questions() {
    let mut bench = Bench::new(Faults { silent: true, ..Faults::default() });
    bench.until("it is given up", |bench| bench.status() == Some(DeviceStatus::Error));
    assert_eq!(bench.lines(), Vec::<String>::new());
}

#[test]
fn a_long_file_keeps_the_buffer_busy_and_never_overflows_it() {
    for buffer in [255, 1024] {
        for handshake in [Handshake::Poll, Handshake::XonXoff] {
            let options = HpglOptions { handshake, ..HpglOptions::default() };
            let mut bench = Bench::with(Faults::default(), 1.0, buffer, options);
            bench.until("it is idle", |bench| bench.status() == Some(DeviceStatus::Idle));
            let file = "PD400,400;\nPD0,400;\nPD0,0;\n".repeat(200);
            let started = bench.now;
            bench.run(&file);
            bench.until("it draws", |bench| bench.drawn().len() > 100);
            let checkpoint = bench.driver.checkpoint();
            let drawn = bench.drawn().len() as u64;
            assert!(checkpoint.lines_acknowledged <= drawn + 2, "{checkpoint:?} {drawn}");
            assert!(checkpoint.lines_sent > checkpoint.lines_acknowledged + 15, "{checkpoint:?}");
            assert_eq!(bench.end(), End::Completed);
            // 10 mm at 381 mm/s and back diagonally, six hundred moves: no time is lost between.
            let seconds = bench.now.saturating_sub(started).as_secs_f64();
            assert_eq!(bench.drawn().len(), 600);
            let least = 200.0 * (10.0 + 10.0 + 200_f64.sqrt()) / 381.0;
            assert!(seconds < 450.0 && least > 17.0, "{seconds}");
        }
    }
}

#[test]
fn pause_lets_the_buffer_be_drawn_and_resume_goes_on() {
    let mut bench = Bench::ready(Faults::default());
    let file = format!("VS5;\n{}", "PD400,0;\nPD0,0;\n".repeat(300));
    bench.run(&file);
    bench.until("it draws", |bench| bench.drawn().len() > 10);
    bench.command(Command::Pause);
    bench.until("it is paused", |bench| bench.has(&Event::Paused(Halt::Asked)));
    let (drawn, sent) = (bench.drawn().len(), bench.driver.checkpoint().lines_sent);
    assert_eq!(drawn as u64 + 1, sent);
    assert_eq!(bench.driver.checkpoint().lines_acknowledged, sent);
    assert!(!bench.machine.drawing().moves.back().unwrap().draw, "the pen is up");
    let until = bench.now + Duration::from_mins(2);
    bench.until("two minutes are over", |bench| bench.now > until);
    assert_eq!(bench.drawn().len(), drawn);
    assert_eq!(bench.status(), Some(DeviceStatus::Paused));
    bench.command(Command::Resume);
    assert_eq!(bench.end(), End::Completed);
    assert_eq!(bench.drawn().len(), 600, "the pen was down again");
}

#[test]
fn cancel_forgets_the_buffer_and_puts_the_pen_away() {
    let mut bench = Bench::ready(Faults::default());
    bench.run(&format!("VS5;\n{}", "PD400,0;\nPD0,0;\n".repeat(300)));
    bench.until("it draws", |bench| bench.drawn().len() > 10);
    let drawn = bench.drawn().len();
    bench.command(Command::Cancel);
    assert_eq!(bench.end(), End::Cancelled);
    assert!(bench.drawn().len() <= drawn + 1, "only the line under way was drawn");
    assert!(bench.lines().ends_with(&["PU", "SP0", "PU0,0"].map(str::to_owned)));
    bench.until("it is idle", |bench| bench.status() == Some(DeviceStatus::Idle));
}

#[test]
fn the_emergency_stop_empties_the_buffer_and_stays_until_it_is_cleared() {
    let mut bench = Bench::ready(Faults::default());
    bench.run(&format!("VS5;\n{}", "PD400,0;\nPD0,0;\n".repeat(300)));
    bench.until("it draws", |bench| bench.drawn().len() > 10);
    let drawn = bench.drawn().len();
    bench.driver.transmit(&mut bench.up);
    bench.up.clear();
    bench.driver.command(Command::Estop, bench.now);
    bench.driver.transmit(&mut bench.up);
    assert_eq!(bench.up, b"\x1b.KPU;\x1b.O");
    let reason = "emergency stop".to_owned();
    assert_eq!(bench.end(), End::Interrupted { reason, position_known: false });
    assert!(bench.has(&Event::EstopConfirmed));
    bench.until("it is known again", |bench| bench.status() == Some(DeviceStatus::Alarm));
    assert!(bench.drawn().len() <= drawn + 1);
    bench.command(Command::Send("PA1,1".to_owned()));
    assert!(bench.has(&Event::Answered(Err(Refused::Estop))));
    bench.command(Command::ClearEstop);
    bench.until("it is idle", |bench| bench.status() == Some(DeviceStatus::Idle));
}

#[test]
fn a_plotter_that_is_held_at_its_panel_is_paused_and_not_given_up() {
    let mut bench = Bench::ready(Faults::default());
    bench.run(SQUARE);
    bench.until("it draws", |bench| bench.drawn().len() > 1);
    bench.machine.view(true);
    bench.until("it is seen", |bench| bench.status() == Some(DeviceStatus::Paused));
    let until = bench.now + Duration::from_mins(10);
    bench.until("ten minutes are over", |bench| bench.now > until);
    assert_eq!(bench.ends().count(), 0);
    bench.machine.view(false);
    assert_eq!(bench.end(), End::Completed);
    assert_eq!(bench.drawn(), DRAWN);
}

#[test]
fn a_plotter_that_is_switched_off_and_on_ends_the_job() {
    let mut bench = Bench::ready(Faults { reset_at_line: Some(30), ..Faults::default() });
    bench.run(&SQUARE.repeat(20));
    let reason = "the machine was reset".to_owned();
    assert_eq!(bench.end(), End::Interrupted { reason, position_known: false });
    let lines = bench.lines();
    assert_eq!(lines.last().map(String::as_str), Some("PU"), "nothing but what connects it");
}

#[test]
fn a_machine_that_falls_silent_ends_the_job() {
    let mut bench = Bench::ready(Faults { silent_at_line: Some(20), ..Faults::default() });
    bench.run(&SQUARE.repeat(20));
    let End::Interrupted { reason, position_known: false } = bench.end() else {
        panic!("{:?}", bench.events)
    };
    let expected =
        "the machine has not answered for 5 s; the machine did not confirm that it stopped";
    assert_eq!(reason, expected);
}

#[test]
fn a_question_that_is_lost_is_asked_again() {
    let mut lost = 0;
    for line in 10..20 {
        let mut bench = Bench::new(Faults { error_at_line: Some((line, 1)), ..Faults::default() });
        bench.until("it is idle", |bench| bench.status() == Some(DeviceStatus::Idle));
        bench.run(SQUARE);
        assert_eq!(bench.end(), End::Completed, "line {line}");
        let fault = Event::Fault("an answer of the plotter was lost".to_owned());
        lost += u32::from(bench.has(&fault));
    }
    assert_eq!(lost, 1, "one of them was the question whether it is done");
}

#[test]
fn stops_wait_for_a_person() {
    let stops = vec![StopPoint {
        line: 8,
        instead: false,
        message: "red".to_owned(),
        layer_end: Some(LINES + 1),
    }];
    for skip in [false, true] {
        let mut bench = Bench::ready(Faults::default());
        bench.run_from(SQUARE, Start { stops: stops.clone(), ..Start::default() });
        bench.until("a pen is asked for", |bench| {
            bench.has(&Event::Paused(Halt::Stop("red".to_owned())))
        });
        assert_eq!(bench.driver.checkpoint().acknowledged_line, 7);
        let until = bench.now + Duration::from_hours(1);
        while bench.now < until {
            bench.step();
        }
        assert_eq!(bench.drawn(), DRAWN[..4]);
        bench.command(if skip { Command::SkipLayer } else { Command::Resume });
        assert_eq!(bench.end(), End::Completed);
        assert_eq!(bench.drawn().len(), if skip { 4 } else { 5 });
        assert_eq!(bench.driver.checkpoint().lines_acknowledged, LINES);
    }
}

#[test]
fn a_person_who_changes_the_pens_is_asked_for_each() {
    let options = HpglOptions { single_pen: true, ..HpglOptions::default() };
    let mut bench = Bench::with(Faults::default(), 1.0, 1024, options);
    bench.until("it is idle", |bench| bench.status() == Some(DeviceStatus::Idle));
    bench.run(SQUARE);
    let second = Event::Paused(Halt::Machine("put pen 2 into the holder".to_owned()));
    bench.until("the second pen is asked for", |bench| bench.has(&second));
    assert_eq!(bench.drawn(), DRAWN[..4]);
    bench.command(Command::Resume);
    assert_eq!(bench.end(), End::Completed);
    assert_eq!(bench.drawn(), DRAWN);
    assert_eq!(bench.events.iter().filter(|event| matches!(event, Event::Paused(_))).count(), 1);
}

#[test]
fn a_person_asks_goes_home_and_moves_by_hand() {
    let mut bench = Bench::ready(Faults::default());
    bench.command(Command::Jog(Jog { x: 10.0, y: 5.0, ..Default::default() }));
    bench.until("that is taken", |bench| bench.has(&Event::Answered(Ok(Vec::new()))));
    bench.until("it stands", |bench| bench.status() == Some(DeviceStatus::Idle));
    bench.command(Command::Send("oa".to_owned()));
    let there = Event::Answered(Ok(vec!["400,200,0".to_owned()]));
    bench.until("it answers", |bench| bench.has(&there));
    assert_eq!(bench.status(), Some(DeviceStatus::Idle), "the next may be asked at once");
    bench.events.clear();
    bench.command(Command::Home);
    bench.until("it is home", |bench| bench.has(&Event::Answered(Ok(Vec::new()))));
    assert_eq!(bench.machine.drawing().moves.back().unwrap().to[..2], [0.0, 0.0]);
    assert_eq!(bench.status(), Some(DeviceStatus::Idle), "a job may go on at once");
    assert!(matches!(
        bench.events.iter().find(|event| matches!(event, Event::Position(..))),
        Some(Event::Position(Some(_), Some(true)))
    ));
}

#[test]
fn where_a_move_by_hand_has_led_is_asked_once_it_is_made() {
    let mut bench = Bench::ready(Faults::default());
    let at = |x, y, z| Event::Position(Some(Position { x, y, z }), Some(z > 0.0));
    bench.command(Command::Home);
    bench.until("it is home", |bench| bench.has(&at(0.0, 0.0, PEN_UP_MM)));
    bench.command(Command::Jog(Jog { x: 10.0, y: 5.0, ..Jog::default() }));
    assert!(bench.has(&Event::Position(None, None)), "it is under way");
    bench.until("that is known", |bench| bench.has(&at(10.0, 5.0, PEN_UP_MM)));
    bench.until("it stands", |bench| bench.status() == Some(DeviceStatus::Idle));
    bench.command(Command::Send("PD400,200".to_owned()));
    bench.until("that is known too", |bench| bench.has(&at(10.0, 5.0, 0.0)));
    bench.command(Command::Jog(Jog { x: 100.0, ..Jog::default() }));
    bench.command(Command::StopJog);
    bench.until("it stands again", |bench| bench.status() == Some(DeviceStatus::Idle));
    bench.until("it tells where", |bench| matches!(bench.driver.position_shown, (Some(_), _)));
    assert_eq!(bench.status(), Some(DeviceStatus::Idle));
}

#[test]
fn a_lost_link_ends_the_job_and_what_was_left_in_the_buffer_is_forgotten() {
    let mut bench = Bench::ready(Faults::default());
    bench.run(&format!("VS5;\n{}", "PD400,0;\nPD0,0;\n".repeat(300)));
    bench.until("it draws", |bench| bench.drawn().len() > 10);
    bench.driver.closed("the link was lost", bench.now);
    (bench.up, bench.down) = (Vec::new(), Vec::new());
    let drawn = bench.drawn().len();
    bench.driver.opened(bench.now);
    let reason = "the link was lost".to_owned();
    assert_eq!(bench.end(), End::Interrupted { reason, position_known: false });
    bench.until("it is idle", |bench| bench.status() == Some(DeviceStatus::Idle));
    assert!(bench.drawn().len() <= drawn + 1);
}

#[test]
fn answers_to_who_asked_before_it_was_opened_are_nobodys() {
    // The last one could be the answer to how large the buffer is.
    let half = format!("\x1b.K{}\x1b.O\x1b.B", "PD400,0;PD0,0;".repeat(30));
    let some = ["\x1b.B", "\x1b.O", "\x1b.B\x1b.O", "\x1b.O\x1b.B", "\x1b.L\x1b.B", "OA;\x1b.B"];
    for stale in some.into_iter().chain([half.as_str()]) {
        for delay in [0, 5, 50] {
            let delay = Duration::from_millis(delay);
            let mut bench = Bench::ready(Faults { delay, ..Faults::default() });
            bench.run(&format!("VS5;\n{}", "PD400,0;\nPD0,0;\n".repeat(300)));
            bench.until("it draws", |bench| bench.drawn().len() > 10);
            // Killed; the next one finds what is on its way.
            bench.driver = Hpgl::new(bench.driver.options.clone());
            bench.up = stale.as_bytes().to_vec();
            bench.events.clear();
            bench.driver.opened(bench.now);
            bench.until("it is idle", |bench| bench.status() == Some(DeviceStatus::Idle));
            assert!(bench.has(&Event::Identified("7475A".to_owned())), "{:?}", bench.events);
            assert_eq!(bench.driver.machine.size, 1024, "{stale:?} {delay:?}");
            let before = bench.drawn().len();
            bench.run(&format!("VS5;\n{}", "PD400,0;\nPD0,0;\n".repeat(300)));
            bench.until("it draws", |bench| bench.drawn().len() > before + 20);
            let drawn = (bench.drawn().len() - before) as u64;
            let checkpoint = bench.driver.checkpoint();
            assert!(
                checkpoint.lines_acknowledged <= drawn + 3,
                "{stale:?}: {checkpoint:?} {drawn}"
            );
            assert_eq!(bench.end(), End::Completed, "{stale:?} {delay:?}");
        }
    }
}
