//! What holds in every case.

use proptest::prelude::*;

use super::*;

fn drawing() -> impl Strategy<Value = Drawing> {
    let point =
        (0_u32..3000, 0_u32..2180).prop_map(|(x, y)| [f64::from(x) / 10.0, f64::from(y) / 10.0]);
    let stroke = proptest::collection::vec(point, 1..6);
    proptest::collection::vec(stroke, 1..4).prop_map(|strokes| Drawing {
        layers: vec![Layer { strokes, ..Layer::default() }],
        size: Some([300.0, 218.0]),
        ..Drawing::default()
    })
}

fn commands(drawing: &Drawing) -> String {
    let options = EbbOptions { speed_down_mm_s: 150.0, raise_ms: 100, ..EbbOptions::default() };
    let mut out = Vec::new();
    plan(drawing, &options, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// What the machine makes of the file alone.
fn alone(file: &str) -> Vec<(f64, f64, bool)> {
    let mut bench = Bench::new(Faults::default(), EbbVersion::V3);
    bench.machine = firmware::Ebb::new(0.0, Faults::default());
    bench.machine.receive(sendable(file).join("\r").as_bytes(), bench.now);
    bench.machine.receive(b"\r", bench.now);
    bench.drawn()
}

fn version(newer: bool) -> EbbVersion {
    if newer { EbbVersion::V3 } else { EbbVersion::V2 }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever way bytes are split on the wire and however late answers come: what is drawn is the
    /// file, and the bytes on the wire are the file.
    #[test]
    fn what_is_drawn_is_the_file(
        drawing in drawing(), seed in 1_u64.., delay in 0_u64..20, newer in any::<bool>(),
        noise in prop_oneof![Just(0.0), Just(0.1)],
    ) {
        let faults = Faults { seed, delay: Duration::from_millis(delay), garbage: noise, ..Faults::default() };
        let file = commands(&drawing);
        let mut bench = Bench::ready_with(faults, version(newer));
        bench.run(&file);
        prop_assert_eq!(bench.end(), End::Completed);
        let lines = bench.lines();
        let begin = lines.iter().position(|line| line == "SL,3,4").unwrap() + 1;
        prop_assert_eq!(&lines[begin..lines.len() - 2], &sendable(&file)[..]);
        prop_assert_eq!(bench.drawn(), alone(&file));
        prop_assert_eq!(bench.machine.strain().0, 0);
    }

    /// Wherever a job is paused, what is drawn is the same.
    #[test]
    fn a_pause_changes_nothing(drawing in drawing(), seed in 1_u64.., at in 0_u64..8000, newer in any::<bool>()) {
        let file = commands(&drawing);
        let mut bench = Bench::ready_with(Faults { seed, ..Faults::default() }, version(newer));
        bench.run(&file);
        let time = bench.now + Duration::from_millis(at);
        bench.until("it is time", |bench| bench.now >= time || bench.ends().count() > 0);
        bench.command(Command::Pause);
        bench.until("it is paused or over", |bench| bench.has(&Event::Paused(Halt::Asked)) || bench.ends().count() > 0);
        bench.command(Command::Resume);
        prop_assert_eq!(bench.end(), End::Completed);
        prop_assert_eq!(bench.drawn(), alone(&file));
    }

    /// Whatever goes wrong and whenever a person interferes, a job ends exactly once, and what went
    /// over the wire is a prefix of the file.
    #[test]
    fn a_job_ends_once_whatever_happens(
        drawing in drawing(),
        seed in 1_u64..,
        fault in 0_usize..9,
        line in 12_u64..80,
        act in 0_usize..6,
        at in 0_u64..3000,
        newer in any::<bool>(),
    ) {
        let mut faults = Faults { seed, delay: Duration::from_millis(seed % 7), ..Faults::default() };
        match fault {
            0 => faults.drop_ok = Some(line),
            1 => faults.reset_at_line = Some(line),
            2 => faults.error_at_line = Some((line, 6)),
            3 => faults.alarm_at_line = Some((line, 1)),
            4 => faults.silent_at_line = Some(line),
            5 => faults.garbage = 0.3,
            6 => faults.double_ok = Some(line),
            7 => faults.press_button_at_line = Some(line),
            _ => {}
        }
        let file = commands(&drawing);
        let mut bench = Bench::with(faults, version(newer), 1.0, &[]);
        bench.until("it is idle or in vain", |bench| matches!(
            bench.status(), Some(DeviceStatus::Idle | DeviceStatus::Error | DeviceStatus::Alarm)));
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
        for _ in 0..20_000 {
            bench.step();
        }
        // Nothing confirms the stop of a silent machine but a person.
        bench.command(Command::ClearEstop);
        while bench.ends().count() == 0 {
            bench.until("it is paused or over", |bench| {
                bench.status() == Some(DeviceStatus::Paused) || bench.ends().count() > 0
            });
            bench.command(Command::Resume);
        }
        bench.end();
        let (lines, file) = (bench.lines(), sendable(&file));
        let Some(begin) = lines.iter().position(|line| line == "SL,3,4") else { return Ok(()) };
        let own = |line: &String| {
            ["V", "ES", "EM,0,0", "SP,1", "SP,1,100", "SP,0,100", "SL,4,4"].contains(&line.as_str())
                || ["SL,165", "SC,4", "SC,5", "CU,"].iter().any(|start| line.starts_with(start))
        };
        let moves = |lines: &[String]| -> Vec<String> {
            lines.iter().filter(|line| !own(line)).cloned().collect()
        };
        let (sent, wanted) = (moves(&lines[begin + 1..]), moves(&file));
        prop_assert!(wanted.starts_with(&sent), "{sent:?} is not the beginning of {wanted:?}");
    }
}
