//! What holds in every case.

use proptest::prelude::*;

use super::*;

fn plot() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        (0_u32..10_000, 0_u32..7000).prop_map(|(x, y)| format!("PD{x},{y};")),
        (0_u32..10_000, 0_u32..7000).prop_map(|(x, y)| format!("PU{x},{y};")),
        (0_u32..10_000, 0_u32..7000).prop_map(|(x, y)| format!("PA{x},{y},{y},{x};")),
        Just("SP2;".to_owned()),
        Just("PU;".to_owned()),
    ];
    proptest::collection::vec(line, 1..80).prop_map(|lines| format!("IN;\n{}\n", lines.join("\n")))
}

/// What the machine makes of the file alone.
fn alone(file: &str) -> Vec<(f64, f64)> {
    let mut machine = firmware::Hpgl::new(0.0, Faults::default());
    machine.receive(file.as_bytes(), Duration::ZERO);
    machine.drawing().moves.iter().filter(|to| to.draw).map(|to| (to.to[0], to.to[1])).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever way bytes are split on the wire and however late answers come: what is drawn is the
    /// file, the bytes on the wire are the file, and no buffer overflows. A pause changes nothing.
    #[test]
    fn what_is_drawn_is_the_file(
        file in plot(), seed in 1_u64.., delay in 0_u64..40, at in 0_u64..60_000,
        buffer in prop_oneof![Just(255_usize), Just(1024)], noise in prop_oneof![Just(0.0), Just(0.05)],
    ) {
        let faults = Faults { seed, delay: Duration::from_millis(delay), garbage: noise, ..Faults::default() };
        let mut bench = Bench::with(faults, 1.0, buffer, HpglOptions::default());
        bench.until("it is idle", |bench| bench.status() == Some(DeviceStatus::Idle));
        bench.run(&file);
        let time = bench.now + Duration::from_millis(at);
        bench.until("it is time", |bench| bench.now >= time || bench.ends().count() > 0);
        bench.command(Command::Pause);
        bench.until("it is paused or over", |bench| bench.has(&Event::Paused(Halt::Asked)) || bench.ends().count() > 0);
        bench.command(Command::Resume);
        prop_assert_eq!(bench.end(), End::Completed);
        prop_assert_eq!(bench.drawn(), alone(&file));
        let own = |line: &&String| !matches!(line.as_str(), "PU" | "PD");
        let (sent, wanted) = (bench.lines(), sendable(&file));
        let begin = sent.iter().position(|line| line == "PT.3").unwrap() + 1;
        let sent: Vec<&String> = sent[begin..sent.len()].iter().filter(own).collect();
        let wanted: Vec<&String> = wanted.iter().filter(own).collect();
        prop_assert_eq!(&sent[..wanted.len()], &wanted[..]);
        prop_assert!(sent.len() == wanted.len() + 1, "and SP0");
    }

    /// Whatever goes wrong and whenever a person interferes, a job ends exactly once, what went over
    /// the wire is a prefix of the file, and no buffer overflows.
    #[test]
    fn a_job_ends_once_whatever_happens(
        file in plot(),
        seed in 1_u64..,
        fault in 0_usize..6,
        line in 3_u64..60,
        act in 0_usize..6,
        at in 0_u64..10_000,
    ) {
        let mut faults = Faults { seed, delay: Duration::from_millis(seed % 7), ..Faults::default() };
        match fault {
            0 => faults.reset_at_line = Some(line),
            1 => faults.error_at_line = Some((line, 3)),
            2 => faults.silent_at_line = Some(line),
            3 => faults.garbage = 0.2,
            _ => {}
        }
        let mut bench = Bench::with(faults, 1.0, 1024, HpglOptions::default());
        bench.until("it is idle", |bench| bench.status() == Some(DeviceStatus::Idle));
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
        for _ in 0..3000 { bench.step(); }
        // Nothing confirms the stop of a silent machine but a person.
        bench.command(Command::ClearEstop);
        bench.end();
        let (lines, file) = (bench.lines(), sendable(&file));
        let Some(begin) = lines.iter().position(|line| line == "PT.3") else { return Ok(()) };
        let own = |line: &&String| !matches!(line.as_str(), "PU" | "PD" | "SP0" | "PU0,0");
        let sent: Vec<&String> = lines[begin + 1..].iter().filter(own).collect();
        let wanted: Vec<&String> = file.iter().filter(own).collect();
        let same = sent.iter().zip(&wanted).take_while(|(sent, line)| sent == line).count();
        // An instruction may have been cut off by the stop.
        prop_assert!(sent.len() - same <= 1, "{sent:?} is not the beginning of {wanted:?}");
    }
}
