//! Plotters behind a real pseudo-terminal: an EBB and an HP-GL one.

use super::*;
use crate::{
    link::{Halt, Start, StopPoint},
    toolpath::{
        Drawing, Layer,
        plan::{EbbOptions, plan},
    },
};

fn station(driver: &str, speed: f64) -> Station {
    let on_stop = if driver == "ebb" { vec!["HM,4000".to_owned()] } else { Vec::new() };
    Station::with(LinkOptions {
        name: "plotter".to_owned(),
        driver: driver.to_owned(),
        port: format!("sim:{driver}"),
        baud_rate: 115_200,
        timeout: Duration::from_secs(5),
        identity: None,
        start_lines: Vec::new(),
        end_lines: Vec::new(),
        on_stop,
        plotter: Plotter::default(),
        simulator: SimulatorOptions { speed, ..SimulatorOptions::default() },
    })
}

/// Two pens, three strokes; the lines of the second pen begin at the line that is returned.
fn file(driver: &str) -> (String, u64) {
    let stroke = |y: f64| vec![[10.0, y], [60.0, y], [60.0, y + 5.0]];
    if driver == "hpgl" {
        let text = |y: u32| format!("PU400,{y};\nPD2400,{y},2400,{};\nPU;\n", y + 200);
        return (format!("IN;\nSP1;\n{}{}SP2;\n{}", text(400), text(800), text(1200)), 9);
    }
    let layer =
        |name: &str, strokes| Layer { name: name.to_owned(), colour: None, stop: false, strokes };
    let drawing = Drawing {
        layers: vec![
            layer("one", vec![stroke(10.0), stroke(20.0)]),
            layer("two", vec![stroke(30.0)]),
        ],
        size: Some([300.0, 218.0]),
        ..Drawing::default()
    };
    let mut out = Vec::new();
    let options = EbbOptions { raise_ms: 50, lower_ms: 50, ..EbbOptions::default() };
    let found = plan(&drawing, &options, &mut out).unwrap();
    (String::from_utf8(out).unwrap(), found.layers[1].line)
}

/// Corners that were drawn, whatever lies between them.
fn corners(station: &Station, driver: &str) -> Vec<[i64; 2]> {
    let drawing = station.link.drawing().unwrap();
    let moves = drawing.moves.iter().filter(|to| to.draw);
    #[expect(clippy::cast_possible_truncation, reason = "millimetres of a sheet")]
    let at = |to: &crate::link::Move| {
        let y = if driver == "ebb" { 218.0 - to.to[1] } else { to.to[1] };
        [to.to[0].round() as i64, y.round() as i64]
    };
    let on_corner = |at: &[i64; 2]| at[0] == 60 && at[1] % 5 == 0;
    let mut corners: Vec<[i64; 2]> = moves.map(at).filter(on_corner).collect();
    corners.dedup();
    corners
}

/// Waits until something is being drawn.
fn until_drawn(station: &Station, driver: &str) {
    let before = station.link.drawing().unwrap().total;
    let deadline = Instant::now() + PATIENCE;
    while station.link.drawing().unwrap().total < before + 5 {
        assert!(Instant::now() < deadline, "{driver} draws nothing");
        std::thread::yield_now();
    }
}

const ALL: [[i64; 2]; 6] = [[60, 10], [60, 15], [60, 20], [60, 25], [60, 30], [60, 35]];

#[test]
fn plotters_draw_pause_and_stop_for_pens() {
    for driver in ["ebb", "hpgl"] {
        let station = station(driver, 5.0);
        station.until_status(DeviceStatus::Idle);
        let (text, line) = file(driver);
        let job = JobId::new();
        let stops = vec![StopPoint {
            line,
            instead: false,
            message: "the red pen".to_owned(),
            layer_end: None,
        }];
        let start = Start { stops, ..Start::default() };
        station.link.run(Run { job, source: Source::Bytes(text.into_bytes()), start });
        station.link.pause(job);
        station.until("a pause", |report| {
            matches!(report, Report::Paused { halt: Halt::Asked, .. }).then_some(())
        });
        station.link.resume(job);
        station.until("going on", |report| matches!(report, Report::Resumed { .. }).then_some(()));
        let message = |report: &Report| match report {
            Report::Paused { halt: Halt::Stop(message), .. } => Some(message.clone()),
            _ => None,
        };
        assert_eq!(station.until("a stop", message), "the red pen");
        assert_eq!(corners(&station, driver), ALL[..4], "{driver}");
        station.link.resume(job);
        assert_eq!(station.end(job).0, End::Completed, "{driver}");
        assert_eq!(corners(&station, driver), ALL, "{driver}");
        assert_eq!(station.link.drawing().unwrap().overflows, 0);
    }
}

#[test]
fn plotters_are_cancelled_stopped_in_an_emergency_and_unplugged() {
    for driver in ["ebb", "hpgl"] {
        let station = station(driver, 2.0);
        station.until_status(DeviceStatus::Idle);
        let text = file(driver).0.repeat(20);
        let job = station.run(&text);
        until_drawn(&station, driver);
        station.link.cancel(job);
        assert_eq!(station.end(job).0, End::Cancelled, "{driver}");
        station.until_status(DeviceStatus::Idle);

        let job = station.run(&text);
        let estop = station.link.estop();
        until_drawn(&station, driver);
        estop.press();
        let (end, _) = station.end(job);
        let reason = "emergency stop".to_owned();
        assert_eq!(end, End::Interrupted { reason, position_known: false }, "{driver}");
        station.until_status(DeviceStatus::Alarm);
        station.link.clear_estop();
        station.until_status(DeviceStatus::Idle);

        let job = station.run(&text);
        until_drawn(&station, driver);
        station.link.plug(false);
        assert!(matches!(station.end(job).0, End::Interrupted { position_known: false, .. }));
        // Until it is plugged in again, a plotter goes on with what it has; then it is told to
        // forget it.
        station.link.plug(true);
        station.until_status(DeviceStatus::Idle);
        let ask = || {
            let question = if driver == "ebb" { "QS" } else { "OA" };
            station.link.send(question).blocking_recv().unwrap().unwrap();
            station.link.drawing().unwrap().total
        };
        let drawn = ask();
        assert_eq!(ask(), drawn, "{driver} went on by itself");
    }
}
