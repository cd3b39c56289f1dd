//! What happens when something goes wrong.

use super::*;

/// Every line but the first goes a millimetre on: one that is sent twice or left out shows.
fn steps(lines: usize) -> String {
    format!("G91\n{}", "G1 X1 F3000\n".repeat(lines))
}

fn drawn_once(bench: &Bench, lines: usize) -> bool {
    let xs: Vec<f64> = bench.drawn().iter().map(|to| to.0).collect();
    xs.len() == lines && xs.iter().zip(1_u32..).all(|(x, step)| (x - f64::from(step)).abs() < 1e-6)
}

#[test]
fn a_lost_acknowledgement_costs_seconds_and_nothing_else() {
    for dialect in dialects() {
        for line in [4, 12, 24, 25] {
            let faults = Faults { drop_ok: Some(line), ..Faults::default() };
            let mut bench = ready(dialect, faults);
            let began = bench.now;
            bench.run(&steps(20));
            assert_eq!(bench.end(), End::Completed, "{dialect:?} {bench:?}");
            assert!(drawn_once(&bench, 20), "{dialect:?} {line} {bench:?}");
            assert!(bench.ended < Some(began + Duration::from_secs(20)), "{:?}", bench.ended);
            assert_eq!(bench.checkpoint().lines_acknowledged, 21);
        }
    }
}

#[test]
fn acknowledgements_that_come_twice_or_late_do_no_harm() {
    for dialect in dialects() {
        for faults in [
            Faults { double_ok: Some(9), ..Faults::default() },
            Faults { late_ok: Some((9, Duration::from_secs(7))), ..Faults::default() },
            Faults { late_ok: Some((9, Duration::from_millis(200))), ..Faults::default() },
        ] {
            let mut bench = ready(dialect, faults);
            bench.run(&steps(20));
            assert_eq!(bench.end(), End::Completed, "{dialect:?} {bench:?}");
            assert!(drawn_once(&bench, 20), "{dialect:?} {bench:?}");
            assert_eq!(bench.machine.drawing().overflows, 0);
        }
    }
}

#[test]
fn lost_bytes_are_found_out_and_sent_again() {
    for dialect in dialects() {
        for seed in 1..6 {
            let faults = Faults { seed, lose_byte: 0.002, ..Faults::default() };
            let mut bench = new(dialect, faults);
            bench.until_idle();
            bench.run(&steps(100));
            let end = bench.end();
            assert_eq!(end, End::Completed, "{dialect:?} {seed} {bench:?}");
            assert!(drawn_once(&bench, 100), "{dialect:?} {seed} {bench:?}");
        }
    }
}

#[test]
fn a_machine_that_understands_nothing_ends_the_job() {
    for dialect in dialects() {
        let faults = Faults { storm_at_line: Some(20), ..Faults::default() };
        let mut bench = with(dialect, faults, &[]);
        bench.until_idle();
        bench.run(&steps(100));
        let End::Interrupted { reason, .. } = bench.end() else { panic!("{bench:?}") };
        assert!(reason.contains("asked for lines again"), "{reason}");
        // What makes it safe needs no number then.
        assert!(bench.lines().contains(&"M104 S0".to_owned()), "{bench:?}");
        assert!(bench.machine.drawing().lines > 24, "{bench:?}");
    }
}

#[test]
fn a_reset_in_the_middle_ends_the_job_before_the_next_line() {
    for dialect in dialects() {
        let faults = Faults { reset_at_line: Some(12), ..Faults::default() };
        let mut bench = ready(dialect, faults);
        bench.run(&steps(100));
        let reason = "the machine was reset".to_owned();
        assert_eq!(bench.end(), End::Interrupted { reason, position_known: false });
        bench.until_idle();
        let last = bench.lines();
        let asked = last.iter().rposition(|line| line == "M110 N0").unwrap();
        assert!(last[asked..].iter().all(|line| !line.starts_with('G')), "{last:?}");
    }
}

#[test]
fn a_machine_that_halts_says_why_and_stays_halted_until_it_is_switched_on() {
    let faults = Faults { alarm_at_line: Some((12, 0)), ..Faults::default() };
    let mut bench = ready(Dialect::default(), faults);
    bench.run(&steps(100));
    let reason = "the machine has halted: Thermal Runaway, system stopped! Heater_ID: 0".to_owned();
    assert_eq!(bench.end(), End::Interrupted { reason, position_known: false });
    assert_eq!(bench.status(), Some(DeviceStatus::Alarm));
    bench.command(Command::Send("M105".to_owned()));
    assert!(bench.has(&Event::Answered(Err(Refused::Busy("it has halted")))));
    bench.command(Command::Unlock);
    assert!(bench.any(|event| matches!(event, Event::Answered(Err(Refused::Line(_))))));
    bench.run("G1 X1\n");
    assert_eq!(bench.ends().count(), 2);
    bench.unplug();
    bench.plug();
    bench.until_idle();
}

#[test]
fn a_machine_that_falls_silent_is_noticed_and_the_job_does_not_end_well() {
    for dialect in dialects() {
        let faults = Faults { silent_at_line: Some(12), ..Faults::default() };
        let mut bench = ready(dialect, faults);
        bench.run(&steps(100));
        let End::Interrupted { reason, position_known } = bench.end() else { panic!("{bench:?}") };
        assert!(reason.contains("for 10 s; the machine did not confirm"), "{reason}");
        assert!(!position_known);
        bench.until("it is given up", |bench| bench.status() == Some(DeviceStatus::Error));
    }
}

#[test]
fn a_lost_link_ends_the_job_and_nothing_follows_but_the_question_who_it_is() {
    let mut bench = ready(Dialect::default(), Faults::default());
    bench.run(&steps(100));
    bench.until("it draws", |bench| bench.machine.drawing().total >= 5);
    bench.unplug();
    let reason = "the link was lost".to_owned();
    assert_eq!(bench.end(), End::Interrupted { reason, position_known: false });
    assert!(bench.checkpoint().lines_acknowledged >= 5);
    assert!(bench.checkpoint().planner_lines > 0);
    bench.wire.clear();
    bench.plug();
    bench.until_idle();
    bench.pass(Duration::from_mins(1));
    let harmless = ["M110 N0", "M115", "M155 S4", "M105"];
    assert!(bench.lines().iter().all(|line| harmless.contains(&line.as_str())), "{bench:?}");
}

#[test]
fn noise_is_no_answer() {
    for dialect in dialects() {
        let faults = Faults { garbage: 0.3, seed: 7, ..Faults::default() };
        let mut bench = ready(dialect, faults);
        bench.run(SQUARE);
        assert_eq!(bench.end(), End::Completed, "{dialect:?} {bench:?}");
        assert_eq!(bench.drawn(), picture(SQUARE));
    }
}
