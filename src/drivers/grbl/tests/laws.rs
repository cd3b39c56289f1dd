//! What holds in every case.

use proptest::prelude::*;

use super::*;

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
        let picture = crate::toolpath::preview(file.as_bytes(), &crate::domain::Machine::unknown("grbl"), 10_000).unwrap();
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
