//! Where a person is in the loop: stops of the file, jobs that go on, moves by hand.

use super::*;
use crate::{domain::Jog, drivers::StopPoint};

/// Three strokes with a pen change before the second and the third.
const LAYERS: &str = "G21G90\nG0X0Y0\nM3S1000\nG1X10F1200\nM5\nG0X0Y5\nM3\nG1X10\nM5\nG0X0Y9\nM3\nG1X10\n\
    M5\nG0X0Y0\n";

fn stops() -> Vec<StopPoint> {
    let stop = |(line, end)| StopPoint {
        line,
        instead: false,
        message: format!("pen {line}"),
        layer_end: Some(end),
    };
    [(6, 10), (10, 15)].map(stop).into()
}

fn is_asked(bench: &Bench, line: u64) -> bool {
    bench.has(&Event::Paused(Halt::Stop(format!("pen {line}"))))
}

/// Which of the three strokes were drawn.
fn strokes(bench: &Bench) -> Vec<f64> {
    bench.drawn().into_iter().filter(|(_, _, draw)| *draw).map(|(_, y, _)| y).collect()
}

#[test]
fn a_stop_waits_for_the_machine_and_then_for_a_person() {
    let mut bench = Bench::ready(Faults::default());
    bench.run_from(LAYERS, Start { stops: stops(), ..Start::default() });
    for line in [6, 10] {
        bench.until("a pen is asked for", |bench| is_asked(bench, line));
        assert_eq!(bench.status(), Some(DeviceStatus::Paused));
        assert_eq!(bench.driver.checkpoint().acknowledged_line, line - 1);
        let (sent, until) = (bench.lines(), bench.now + Duration::from_hours(1));
        while bench.now < until {
            bench.step();
        }
        assert_eq!(bench.lines(), sent, "nothing is sent while a person is waited for");
        assert_eq!(
            bench.events.iter().filter(|event| **event == Event::Resumed).count(),
            usize::from(line == 10)
        );
        bench.command(Command::Resume);
    }
    assert_eq!(bench.end(), End::Completed);
    assert_eq!(strokes(&bench), [0.0, 5.0, 9.0]);
    assert_eq!(bench.driver.checkpoint().lines_acknowledged, 14);
}

#[test]
fn a_layer_that_is_skipped_is_not_drawn_and_counts_as_done() {
    let mut bench = Bench::ready(Faults::default());
    bench.run_from(LAYERS, Start { stops: stops(), ..Start::default() });
    bench.command(Command::SkipLayer);
    bench.until("the first pen is asked for", |bench| is_asked(bench, 6));
    bench.command(Command::SkipLayer);
    bench.until("the second one too", |bench| is_asked(bench, 10));
    assert_eq!(bench.driver.checkpoint().lines_acknowledged, 9);
    bench.command(Command::Resume);
    assert_eq!(bench.end(), End::Completed);
    assert_eq!(strokes(&bench), [0.0, 9.0]);
    assert_eq!(bench.driver.checkpoint().lines_acknowledged, 14);
}

#[test]
fn a_job_at_a_stop_is_cancelled_and_paused_like_any_other() {
    let mut bench = Bench::ready(Faults::default());
    bench.run_from(LAYERS, Start { stops: stops(), ..Start::default() });
    bench.until("a pen is asked for", |bench| is_asked(bench, 6));
    bench.command(Command::Pause);
    assert_eq!(bench.status(), Some(DeviceStatus::Paused));
    bench.command(Command::Cancel);
    assert_eq!(bench.end(), End::Cancelled);
    assert_eq!(strokes(&bench), [0.0]);
    assert_eq!(bench.lines().last().map(String::as_str), Some("G0 Z5"), "on_stop was sent");
}

#[test]
fn a_job_goes_on_behind_the_lines_that_are_done() {
    let mut bench = Bench::ready(Faults::default());
    let preamble = ["G21G90F1200", "G0X0Y5", "M3S1000"].map(str::to_owned).to_vec();
    bench.run_from(LAYERS, Start { preamble: Some(preamble), skip: 7, stops: stops() });
    bench.until("the second pen is asked for", |bench| is_asked(bench, 10));
    assert!(!is_asked(&bench, 6));
    assert_eq!(bench.driver.checkpoint().lines_acknowledged, 9);
    bench.command(Command::Resume);
    let sent = "$I,G21G90F1200,G0X0Y5,M3S1000,G1X10,M5,G0X0Y9,M3,G1X10,M5,G0X0Y0,M5";
    assert_eq!(bench.end(), End::Completed);
    assert_eq!(bench.lines().join(","), sent);
}

#[test]
fn a_move_by_hand_leaves_the_modes_alone_and_can_be_called_off() {
    let mut bench = Bench::ready(Faults::default());
    bench.command(Command::Send("G91".to_owned()));
    bench.until("that is taken", |bench| bench.has(&Event::Answered(Ok(Vec::new()))));
    bench.events.clear();
    bench.command(Command::Jog(Jog { x: 100.0, z: -0.5, feed: 600.0, ..Jog::default() }));
    bench.until("that is taken", |bench| bench.has(&Event::Answered(Ok(Vec::new()))));
    assert!(bench.lines().contains(&"$J=G91G21X100.000Z-0.500F600".to_owned()));
    bench.until("it moves", |bench| bench.status() == Some(DeviceStatus::Busy));
    let soon = bench.now + Duration::from_secs(2);
    bench.command(Command::StopJog);
    bench.until("it stands", |bench| bench.status() == Some(DeviceStatus::Idle));
    assert!(bench.now < soon);
    let reached = bench.drawn().last().map_or(0.0, |to| to.0);
    assert!(reached < 50.0, "{reached}");
}
