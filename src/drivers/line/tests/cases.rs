//! What happens in this case and in that.

use proptest::prelude::*;

use super::*;

fn long() -> String {
    let lines: Vec<_> = (1..200).map(|x| format!("G1 X{} F3000\n", x % 50)).collect();
    lines.concat()
}

#[test]
fn a_file_is_sent_line_by_line_and_all_of_it_is_drawn() {
    let mut bench = ready(Faults::default());
    assert!(bench.has(&Event::Identified("line machine ready".to_owned())));
    bench.run(SQUARE);
    assert_eq!(bench.end(), End::Completed, "{bench:?}");
    let lines = ["begin", "G1 X10 F3000", "G1 Y10", "G1 X0", "hello there", "G1 Y0", "end"];
    assert_eq!(bench.lines(), lines);
    let checkpoint = bench.checkpoint();
    assert_eq!((checkpoint.lines_acknowledged, checkpoint.acknowledged_line), (5, 6));
    bench.pass(Duration::from_secs(5));
    assert_eq!(bench.drawn().len(), 4);
}

#[test]
fn a_machine_without_a_banner_is_ready_after_a_while() {
    let options = LineOptions { banner: None, ..line_options() };
    let mut bench = with(options, Faults { no_banner: true, ..Faults::default() });
    let began = bench.now;
    bench.until_idle();
    assert_eq!(bench.now.saturating_sub(began).as_secs(), 2);
    assert_eq!(bench.wire, b"", "nothing was asked");
}

#[test]
fn a_refused_line_fails_the_job_and_the_machine_is_made_safe() {
    let mut bench = ready(Faults::default());
    bench.run("G1 X10\n\nbad line\nG1 X20\n");
    let End::Failed { line, message } = bench.end() else { panic!("{bench:?}") };
    assert_eq!((line, message.as_str()), (Some(3), "error: line 3 is not understood"));
    assert_eq!(bench.lines()[3..], ["!", "G0 Z5", "off"]);
    bench.until_idle();
}

#[test]
fn a_cancel_halts_the_machine_at_once() {
    let mut bench = ready(Faults::default());
    bench.run(&long());
    bench.until("it draws", |bench| bench.machine.drawing().total >= 3);
    let began = bench.now;
    bench.command(Command::Cancel);
    assert_eq!(bench.end(), End::Cancelled);
    assert!(bench.ended.unwrap() < began + Duration::from_secs(3), "{:?}", bench.ended);
    let lines = bench.lines();
    assert_eq!(lines[lines.len() - 3..], ["!", "G0 Z5", "off"]);
}

#[test]
fn without_halt_lines_a_cancel_waits_for_the_line_under_way() {
    let mut bench = with(LineOptions { halt: Vec::new(), ..line_options() }, Faults::default());
    bench.until_idle();
    bench.run(&long());
    bench.until("it draws", |bench| bench.machine.drawing().total >= 3);
    bench.command(Command::Cancel);
    assert_eq!(bench.end(), End::Cancelled);
    let lines = bench.lines();
    assert_eq!(lines[lines.len() - 2..], ["G0 Z5", "off"]);
}

#[test]
fn pause_and_resume_have_their_lines() {
    let mut bench = ready(Faults::default());
    bench.run(&long());
    bench.until("it draws", |bench| bench.machine.drawing().total >= 3);
    bench.command(Command::Pause);
    bench.until("it is paused", |bench| bench.has(&Event::Paused(Halt::Asked)));
    assert_eq!(bench.status(), Some(DeviceStatus::Paused));
    let lines = bench.lines();
    assert_eq!(lines.last().unwrap(), "hold");
    bench.pass(Duration::from_secs(30));
    assert_eq!(bench.lines(), lines, "nothing is sent");
    bench.command(Command::Resume);
    assert_eq!(bench.lines()[lines.len()], "go");
    assert_eq!(bench.end(), End::Completed);
    assert!(bench.has(&Event::Resumed));
    assert_eq!(bench.checkpoint().lines_acknowledged, 199);
}

#[test]
fn a_lost_acknowledgement_ends_the_job_and_nothing_is_sent_twice() {
    let mut bench = ready(Faults { drop_ok: Some(12), ..Faults::default() });
    bench.run(&long());
    let End::Interrupted { reason, .. } = bench.end() else { panic!("{bench:?}") };
    assert_eq!(reason, "the machine has not acknowledged a line for 10 s");
    let lines = bench.lines();
    assert_eq!(lines[11..], ["G1 X11 F3000", "!", "G0 Z5", "off"]);
    let checkpoint = bench.checkpoint();
    assert_eq!((checkpoint.lines_acknowledged, checkpoint.receive_lines), (10, 1));
}

#[test]
fn a_silent_machine_did_not_confirm_that_it_stopped() {
    let mut bench = ready(Faults { silent_at_line: Some(5), ..Faults::default() });
    bench.run(&long());
    let End::Interrupted { reason, position_known } = bench.end() else { panic!("{bench:?}") };
    assert!(reason.ends_with("the machine did not confirm that it stopped"), "{reason}");
    assert!(!position_known);
}

#[test]
fn a_reset_interrupts_the_job_before_the_next_line() {
    let mut bench = ready(Faults { reset_at_line: Some(5), ..Faults::default() });
    bench.run(&long());
    let reason = "the machine was reset".to_owned();
    assert_eq!(bench.end(), End::Interrupted { reason, position_known: false });
    assert_eq!(bench.lines().len(), 5);
}

#[test]
fn the_emergency_stop_goes_first_and_is_repeated_until_the_machine_says_anything() {
    let mut bench = ready(Faults::default());
    bench.run(&long());
    bench.until("it draws", |bench| bench.machine.drawing().total >= 3);
    bench.command(Command::Estop);
    let reason = "emergency stop".to_owned();
    assert_eq!(bench.end(), End::Interrupted { reason, position_known: false });
    assert!(bench.has(&Event::EstopConfirmed));
    bench.command(Command::Send("hello".to_owned()));
    assert!(bench.has(&Event::Answered(Err(Refused::Estop))));
    bench.command(Command::ClearEstop);
    bench.until_idle();
    let mut silent = ready(Faults { silent_at_line: Some(1), ..Faults::default() });
    silent.run("G1 X5\n");
    silent.pass(Duration::from_secs(1));
    silent.wire.clear();
    silent.command(Command::Estop);
    silent.pass(Duration::from_secs(50));
    assert_eq!(silent.lines(), ["!"; 20], "not for ever");
    silent.command(Command::ClearEstop);
    let reason = "emergency stop, not confirmed by the machine".to_owned();
    assert_eq!(silent.end(), End::Interrupted { reason, position_known: false });
}

#[test]
fn a_console_line_collects_its_answer() {
    let mut bench = ready(Faults::default());
    for line in ["hello", "bad one", "two\nlines", "home"] {
        let before = bench.events.len();
        bench.command(Command::Send(line.to_owned()));
        bench.until("it answers", |bench| {
            bench.events[before..].iter().any(|event| matches!(event, Event::Answered(_)))
        });
    }
    assert!(bench.has(&Event::Answered(Ok(vec!["ok".to_owned()]))));
    let message = "error: line 2 is not understood".to_owned();
    let refused = Refused::Machine { message, lines: Vec::new() };
    assert!(bench.has(&Event::Answered(Err(refused))));
    bench.command(Command::Home);
    assert!(bench.any(|event| matches!(event, Event::Answered(Err(Refused::Line(_))))));
    bench.until_idle();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever goes wrong and whenever a person interferes, a job ends exactly once and what was
    /// drawn is a beginning of the file.
    #[test]
    fn a_job_ends_once_whatever_happens(
        seed in 1_u64..,
        fault in 0_u8..8,
        line in 1_u64..60,
        act in 0_u8..6,
        at in 0_u64..5000,
    ) {
        let delay = Duration::from_millis(seed % 7);
        let mut faults = Faults { seed, delay, ..Faults::default() };
        match fault {
            0 => faults.drop_ok = Some(line),
            1 => faults.reset_at_line = Some(line),
            2 => faults.error_at_line = Some((line, 24)),
            3 => faults.silent_at_line = Some(line),
            4 => faults.garbage = 0.3,
            5 => faults.double_ok = Some(line),
            6 => faults.late_ok = Some((line, Duration::from_millis(seed % 15_000))),
            _ => {}
        }
        let file = long();
        let mut bench = ready(faults);
        bench.run(&file);
        bench.tries(Duration::from_millis(at), |bench| bench.ends().next().is_some());
        match act {
            0 => bench.command(Command::Cancel),
            1 => bench.command(Command::Interrupt("stopping".to_owned())),
            2 => {
                bench.command(Command::Estop);
                bench.pass(Duration::from_mins(1));
                bench.command(Command::ClearEstop);
            }
            3 => {
                bench.command(Command::Pause);
                bench.command(Command::Resume);
            }
            4 => bench.unplug(),
            _ => {}
        }
        let end = bench.end();
        let drawn = bench.drawn();
        let same = drawn.iter().zip(1_i32..).take_while(|(to, x)| {
            (to.0 - f64::from(x % 50)).abs() < 1e-6
        });
        let same = same.count();
        prop_assert!(drawn.len() <= same + 2, "{:?} {:?}: {:?}", end, drawn, bench);
        prop_assert_eq!(bench.machine.drawing().overflows, 0);
    }
}
