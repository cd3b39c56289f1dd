//! What happens in this case and in that, with a machine that does nothing wrong.

use super::*;

#[test]
fn a_file_is_drawn_as_it_is_and_everything_is_acknowledged() {
    for dialect in dialects() {
        let mut bench = ready(dialect, Faults::default());
        assert!(bench.has(&Event::Identified("Marlin 2.1.2.1".to_owned())));
        bench.run(SQUARE);
        assert_eq!(bench.end(), End::Completed, "{bench:?}");
        assert_eq!(bench.drawn(), picture(SQUARE), "{dialect:?}");
        let checkpoint = bench.checkpoint();
        assert_eq!((checkpoint.lines_acknowledged, checkpoint.lines_sent), (9, 9));
        assert_eq!((checkpoint.acknowledged_line, checkpoint.sent_line), (10, 10));
        assert_eq!((checkpoint.planner_lines, checkpoint.receive_lines), (0, 0));
        assert_eq!(bench.machine.drawing().overflows, 0);
        bench.until_idle();
    }
}

#[test]
fn every_line_of_a_job_has_a_number_and_a_checksum() {
    let mut bench = ready(Dialect::default(), Faults::default());
    bench.pass(Duration::from_secs(1));
    bench.wire.clear();
    bench.run(SQUARE);
    bench.until("it ends", |bench| bench.ended.is_some());
    let wire = String::from_utf8(bench.wire.clone()).unwrap();
    assert!(wire.lines().all(|line| line.starts_with('N') && line.contains('*')), "{wire}");
    let mut expected = vec!["G21"];
    expected.extend(["G21 G90", "G0 X10 Y10 F3000", "M3 S200", "G1 X20 F1200", "G1 Y20"]);
    expected.extend(["G1 X10", "G1 Y10", "M5", "G0 X0 Y0", "M5", "M400", "M114"]);
    assert_eq!(bench.lines(), expected);
}

#[test]
fn a_machine_that_does_not_greet_is_asked_and_a_silent_one_is_an_error() {
    let mut bench = new(Dialect::default(), Faults { no_banner: true, ..Faults::default() });
    bench.until_idle();
    assert_eq!(bench.wire[..17], *b"\nN0 M110 N0*125\nN");
    let mut bench = new(Dialect::default(), Faults { silent: true, ..Faults::default() });
    bench.until("it is given up", |bench| bench.status() == Some(DeviceStatus::Error));
    assert!(bench.lines().iter().all(|line| matches!(line.as_str(), "M110 N0" | "M115")));
}

#[test]
fn the_end_of_a_job_is_the_end_of_its_motion() {
    let mut bench = ready(Dialect::default(), Faults::default());
    bench.run("G90\nG1 X100 F600\n");
    bench.until("all is acknowledged", |bench| bench.checkpoint().lines_acknowledged == 2);
    assert_eq!(bench.checkpoint().planner_lines, 2, "and perhaps not carried out");
    assert_eq!(bench.ends().count(), 0);
    assert_eq!(bench.end(), End::Completed);
    assert_eq!(bench.drawn(), [(100.0, 0.0, true)]);
    let position = Some(Position { x: 100.0, y: 0.0, z: 0.0 });
    assert!(bench.any(|event| matches!(event, Event::Position(at, _) if *at == position)));
}

#[test]
fn long_waits_are_no_stalls() {
    for dialect in dialects() {
        // A board that never says that it is busy must be given the time that its moves take.
        let feed = if dialect.busy_every.is_some() { 30 } else { 3000 };
        let heat = "M104 S60\nM190 S80\nM109 S220\nG28\n";
        let file = format!("{heat}G1 X100 F{feed}\nG4 S60\nG1 X0\nM104 S0\n");
        let mut bench = ready(dialect, Faults::default());
        bench.run(&file);
        assert_eq!(bench.end(), End::Completed, "{dialect:?} {bench:?}");
    }
}

#[test]
fn a_job_that_waits_for_heaters_says_so_until_it_goes_on() {
    for dialect in dialects() {
        let mut bench = ready(dialect, Faults::default());
        bench.run("G28\nM109 S80\nG1 X100 F3000\nM190 S40\nG1 X0\n");
        assert_eq!(bench.end(), End::Completed, "{dialect:?} {bench:?}");
        let warming = bench.events.iter().filter_map(|event| match event {
            Event::Warming(is_warming) => Some(*is_warming),
            _ => None,
        });
        assert_eq!(warming.collect::<Vec<_>>(), [true, false, true, false], "{dialect:?}");
    }
}

#[test]
fn temperatures_are_told_whether_asked_for_or_not() {
    for dialect in [Dialect::default(), Dialect::old()] {
        let mut bench = ready(dialect, Faults::default());
        bench.run("M104 S200\nG4 S30\n");
        bench.until("it is warm", |bench| {
            bench.any(|event| {
                let Event::Temperatures(all) = event else { return false };
                all.iter().any(|t| t.part == "T0" && t.celsius > 60.0 && t.target > 199.0)
                    && all.iter().any(|t| t.part == "bed" && t.target < 1.0)
            })
        });
        assert_eq!(bench.end(), End::Completed);
    }
}

#[test]
fn a_line_that_marlin_would_cut_off_is_never_sent() {
    let mut bench = ready(Dialect::default(), Faults::default());
    bench.run(&format!("G90\nM117 {}\n", "x".repeat(90)));
    let End::Failed { line, message } = bench.end() else { panic!("{bench:?}") };
    assert_eq!(line, Some(2));
    assert!(message.starts_with("the line has 1"), "{message}");
}

#[test]
fn files_may_have_numbers_of_their_own() {
    let mut bench = ready(Dialect::default(), Faults::default());
    bench.run("N1 G90*17\nM110 N50\nN51 G1 X10 F3000*99\nN1 G1 X20\n");
    assert_eq!(bench.end(), End::Completed);
    assert_eq!(bench.drawn(), [(10.0, 0.0, true), (20.0, 0.0, true)]);
}

#[test]
fn more_than_one_line_is_under_way_only_if_the_machine_tells_its_room() {
    for (dialect, most) in [(Dialect::default(), 1), (Dialect::advanced(), 4)] {
        let faults = Faults { delay: Duration::from_millis(20), ..Faults::default() };
        let mut bench = ready(dialect, faults);
        bench.run(&"G1 X1 F3000\nG1 X2\n".repeat(30));
        let mut seen = 0;
        while bench.ends().next().is_none() {
            bench.step();
            seen = seen.max(bench.checkpoint().receive_lines);
        }
        assert_eq!(seen, most);
        assert_eq!(bench.machine.drawing().overflows, 0);
    }
}

#[test]
fn an_unknown_command_is_told_and_an_error_ends_the_job() {
    let mut bench = ready(Dialect::default(), Faults::default());
    bench.run("G90\nG77 X1\nG1 X10 F3000\n");
    assert_eq!(bench.end(), End::Completed);
    assert!(bench.has(&Event::Fault("Unknown command: \"G77 X1\"".to_owned())));
    // M115, M155, then the fifth of the job.
    let faults = Faults { error_at_line: Some((8, 3)), ..Faults::default() };
    let mut bench = ready(Dialect::default(), faults);
    bench.run("G90\nG1 X10 F3000\nG1 X20\nG1 X30\nG1 X40\n");
    let End::Failed { line, message } = bench.end() else { panic!("{bench:?}") };
    assert_eq!((line, message.as_str()), (Some(4), "Error: simulated error 3"));
    let lines = bench.lines().join(" ");
    assert!(lines.contains("M110 N0 M5 G0 Z5 M400 M114"), "{lines}");
}
