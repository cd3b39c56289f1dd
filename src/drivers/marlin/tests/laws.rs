//! What holds in every case.

use proptest::prelude::*;

use super::*;

/// Relative moves: a line that is sent twice or left out shifts all that follows.
fn plot() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        4 => (1_i32..20, -20_i32..20).prop_map(|(x, y)| format!("G1 X{x} Y{y} F3000")),
        1 => (-20_i32..20, 1_i32..20).prop_map(|(x, y)| format!("g0x{x}y{y}.5 ; over there!")),
        1 => Just("; nothing".to_owned()),
        1 => Just("M117 Layer (1) of 3?".to_owned()),
        1 => Just("G4 P100".to_owned()),
        1 => Just("M104 S30".to_owned()),
    ];
    proptest::collection::vec(line, 1..60)
        .prop_map(|lines| format!("G21\nG91\n{}\n", lines.join("\n")))
}

fn dialect() -> impl Strategy<Value = Dialect> {
    proptest::sample::select(dialects())
}

/// Lines of a file that go to the machine.
fn sendable(file: &str) -> u64 {
    file.lines().filter(|line| !line.starts_with(';')).count() as u64
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever way bytes are split on the wire, whatever bytes and answers get lost, doubled or
    /// late: what is drawn is the file.
    #[test]
    fn what_is_drawn_is_the_file(
        file in plot(),
        dialect in dialect(),
        seed in 1_u64..,
        delay in 0_u64..20,
        garbage in prop_oneof![Just(0.0), Just(0.1)],
        lose_byte in prop_oneof![Just(0.0), Just(0.001)],
        fault in 0_u8..4,
        line in 3_u64..40,
    ) {
        let mut faults = Faults {
            seed,
            delay: Duration::from_millis(delay),
            garbage,
            lose_byte,
            ..Faults::default()
        };
        match fault {
            0 => faults.drop_ok = Some(line),
            1 => faults.double_ok = Some(line),
            2 => faults.late_ok = Some((line, Duration::from_millis(seed % 8000))),
            _ => {}
        }
        let mut bench = ready(dialect, faults);
        bench.run(&file);
        prop_assert_eq!(bench.end(), End::Completed, "{:?}", bench);
        prop_assert_eq!(bench.drawn(), picture(&file), "{:?}", bench);
        prop_assert_eq!(bench.machine.drawing().overflows, 0);
        prop_assert_eq!(bench.checkpoint().lines_acknowledged, sendable(&file));
    }

    /// Whatever goes wrong and whenever a person interferes, a job ends exactly once, what was drawn
    /// is a beginning of the file, and no buffer overflows.
    #[test]
    fn a_job_ends_once_whatever_happens(
        file in plot(),
        dialect in dialect(),
        seed in 1_u64..,
        fault in 0_u8..9,
        line in 3_u64..40,
        act in 0_u8..6,
        at in 0_u64..5000,
    ) {
        let delay = Duration::from_millis(seed % 7);
        let mut faults = Faults { seed, delay, ..Faults::default() };
        match fault {
            0 => faults.drop_ok = Some(line),
            1 => faults.reset_at_line = Some(line),
            2 => faults.error_at_line = Some((line, 24)),
            3 => faults.alarm_at_line = Some((line, 1)),
            4 => faults.silent_at_line = Some(line),
            5 => faults.garbage = 0.3,
            6 => faults.storm_at_line = Some(line),
            7 => faults.double_ok = Some(line),
            _ => {}
        }
        let mut bench = ready(dialect, faults);
        bench.run(&file);
        bench.tries(Duration::from_millis(at), |bench| bench.ends().next().is_some());
        match act {
            0 => bench.command(Command::Cancel),
            1 => bench.command(Command::Interrupt("stopping".to_owned())),
            2 => bench.command(Command::Estop),
            3 => {
                bench.command(Command::Pause);
                bench.command(Command::Resume);
            }
            4 => bench.unplug(),
            _ => {}
        }
        if act == 2 {
            // Nothing confirms the stop of a machine that says nothing but a person.
            bench.pass(Duration::from_secs(20));
            let total = bench.machine.drawing().total;
            bench.pass(Duration::from_secs(20));
            prop_assert_eq!(bench.machine.drawing().total, total, "it was stopped");
            bench.command(Command::ClearEstop);
        }
        bench.end();
        let (drawn, file) = (bench.drawn(), picture(&file));
        let same = drawn.iter().zip(&file).take_while(|(drawn, file)| drawn == file).count();
        // A move that was cut short, and the pen that goes up.
        prop_assert!(drawn.len() <= same + 2, "{:?} is no beginning of {:?}: {:?}", drawn, file, bench);
        if act != 2 {
            prop_assert_eq!(bench.machine.drawing().overflows, 0, "{:?}", bench);
        }
    }
}
