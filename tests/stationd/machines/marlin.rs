//! Jobs on machines that run Marlin: drawn, disturbed, stopped, unplugged.

use serde_json::{Value, json};
use stationd::firmware::Faults;

use super::{
    await_device, await_lines, bench::Machine, device, geometry::assert_drawn, queue_has_looked,
    submit, with_devices, zigzag,
};
use crate::support::{Station, eventually};

/// What makes this printer safe.
const ON_STOP: [&str; 3] = ["M104 S0", "M140 S0", "M107"];

fn printer(speed: f64, faults: Faults) -> (tempfile::TempDir, Machine, Station) {
    let directory = tempfile::tempdir().unwrap();
    let machine = Machine::of("marlin", directory.path(), speed, faults);
    let device = json!([{"name": "printer", "driver": "marlin", "port": machine.port,
        "timeout": "10s", "on_stop": ON_STOP}]);
    let station = with_devices(&device).start();
    (directory, machine, station)
}

/// The lines that a machine was sent, without numbers, checksums and questions.
fn sent(machine: &Machine) -> Vec<String> {
    let heard = String::from_utf8(machine.heard()).unwrap();
    let code = |line: &str| {
        let line = line.split_once('*').map_or(line, |(code, _)| code);
        let numbered = line.strip_prefix('N').and_then(|line| line.split_once(' '));
        numbered.map_or(line, |(_, code)| code).to_owned()
    };
    let asks = ["", "M105", "M110 N0", "M115", "M155 S4"];
    heard.lines().map(code).filter(|line| !asks.contains(&line.as_str())).collect()
}

#[test]
fn a_job_says_that_it_heats_and_is_not_complete_before_the_machine_stands_still() {
    let (_directory, _machine, station) = printer(1.0, Faults::default());
    let file = "G21\nG90\nM109 S36\nG1 X5 F6000\nG1 X10\nG1 X60 F1200\n";
    let id = submit(&station, "device=printer", file);
    let message =
        eventually("it heats", || station.job(&id)["message"].as_str().map(str::to_owned));
    assert!(message.starts_with("waits for its heaters: T0 "), "{message}");
    assert!(message.ends_with(" of 36 °C"), "{message}");
    await_lines(&station, &id, 6);
    let mut seen = Vec::new();
    eventually("it is done", || {
        let job = station.job(&id);
        if job["state"] == "COMPLETED" {
            return Some(());
        }
        assert_eq!(job["message"], Value::Null, "it is warm");
        seen.push((job["progress_percentage"].as_f64()?, job["eta_seconds"].as_f64()?));
        None
    });
    assert!(seen.is_sorted_by(|(before, _), (after, _)| before <= after), "{seen:?}");
    assert!(seen.iter().any(|(percent, left)| (20.0..80.0).contains(percent) && *left > 0.0));
}

/// The points that a machine has drawn to, in hundredths.
fn drawn(machine: &Machine) -> Vec<[i64; 2]> {
    #[expect(clippy::cast_possible_truncation, reason = "a few hundred millimetres")]
    let hundredths = |value: f64| (value * 100.0).round() as i64;
    let moves = machine.drawing().moves;
    moves.iter().filter(|to| to.draw).map(|to| [0, 1].map(|axis| hundredths(to.to[axis]))).collect()
}

/// Where the strokes of a zigzag of so many lines end.
fn strokes(lines: i64) -> Vec<[i64; 2]> {
    let stroke = |line: i64| [1000 * (line % 2), line];
    std::iter::once([0, 0]).chain((1..=lines).map(stroke)).collect()
}

#[test]
fn a_job_draws_its_file_on_a_simulated_machine() {
    let station = Station::with().simulate("marlin").set("simulator.speed", "0").start();
    // It does not move where it is.
    let file = zigzag(200).replace("G0 X0 Y0\n", "");
    let id = submit(&station, "name=zigzag.gcode", &file);
    let job = station.await_job(&id, "COMPLETED");
    assert_eq!((&job["device"], &job["driver"]), (&json!("sim-marlin"), &json!("marlin")));
    assert_eq!(job["lines_acknowledged"], 205, "{job}");
    let drawing = station.local().get("/api/v1/devices/sim-marlin/drawing").expect(200);
    assert_drawn(&file, &drawing);
}

#[test]
fn temperatures_are_shown_while_it_heats() {
    let station = Station::with().simulate("marlin").set("simulator.speed", "20").start();
    let id = submit(&station, "name=heat.gcode", "M140 S40\nM104 S100\nM190 S40\nM109 S100\n");
    eventually("it is warm", || {
        let all = device(&station, "sim-marlin")["temperatures"].as_array()?.clone();
        let part = |part: &str, target: f64| {
            all.iter().any(|it| {
                it["part"] == part
                    && it["target"] == target
                    && it["celsius"].as_f64() > Some(target - 1.0)
            })
        };
        (part("T0", 100.0) && part("bed", 40.0)).then_some(())
    });
    station.await_job(&id, "COMPLETED");
}

#[test]
fn a_lost_acknowledgement_delays_a_job_and_changes_nothing() {
    let faults = Faults { drop_ok: Some(40), ..Faults::default() };
    let (_directory, machine, station) = printer(0.0, faults);
    let id = submit(&station, "", &zigzag(60));
    let job = station.await_job(&id, "COMPLETED");
    assert_eq!(job["lines_acknowledged"], 66);
    assert_eq!(drawn(&machine), strokes(60));
}

#[test]
fn bytes_that_are_lost_are_sent_again() {
    let faults = Faults { lose_byte: 0.002, seed: 11, ..Faults::default() };
    let (_directory, machine, station) = printer(0.0, faults);
    let id = submit(&station, "", &zigzag(150));
    station.await_job(&id, "COMPLETED");
    assert_eq!(drawn(&machine), strokes(150));
    assert!(sent(&machine).len() > 158, "some were sent again");
}

#[test]
fn a_machine_that_asks_for_everything_again_ends_the_job_with_the_reason() {
    let faults = Faults { storm_at_line: Some(30), ..Faults::default() };
    let (_directory, machine, station) = printer(0.0, faults);
    let id = submit(&station, "", &zigzag(100));
    let job = station.await_job(&id, "INTERRUPTED");
    let error = job["error"].as_str().unwrap();
    assert!(error.contains("asked for lines again") && error.contains("cable"), "{error}");
    let sent = sent(&machine);
    assert!(ON_STOP.iter().all(|line| sent.iter().any(|sent| sent == line)), "{sent:?}");
}

#[test]
fn a_cancelled_job_stops_and_switches_the_heaters_off() {
    let (_directory, machine, station) = printer(10.0, Faults::default());
    let id = submit(&station, "", &format!("M104 S200\n{}", zigzag(2000)));
    await_lines(&station, &id, 60);
    assert_eq!(station.act(&id, "cancel").expect(200)["state"], "CANCELLED");
    let after = sent(&machine);
    let stop = after.iter().rposition(|line| line == "M410").expect("it is stopped at once");
    assert!(after[stop..].windows(3).any(|lines| lines == ON_STOP), "{:?}", &after[stop..]);
    let total = machine.drawing().total;
    queue_has_looked(&station);
    assert_eq!(machine.drawing().total, total, "nothing moves any more");
    eventually("the heater is off", || {
        let device = await_device(&station, "printer", "idle");
        let mut all = device["temperatures"].as_array()?.iter();
        all.find(|it| it["part"] == "T0" && it["target"] == 0.0).map(drop)
    });
}

#[test]
fn a_halted_machine_can_be_disconnected() {
    let (_directory, _machine, station) = printer(1.0, Faults::default());
    await_device(&station, "printer", "idle");
    // It is under way when it halts.
    station.cli(["device", "send", "printer", "G1 X50 F300"]).exited(0);
    station.cli(["device", "send", "printer", "M112"]).exited(1);
    let halted = await_device(&station, "printer", "alarm");
    assert!(halted["error_message"].as_str().unwrap().contains("has halted"), "{halted}");
    station.cli(["device", "disconnect", "printer"]).exited(0);
    await_device(&station, "printer", "disconnected");
}

#[test]
fn an_unplugged_machine_interrupts_its_job_and_nothing_is_sent_by_itself() {
    let (_directory, machine, station) = printer(10.0, Faults::default());
    let id = submit(&station, "", &zigzag(2000));
    await_lines(&station, &id, 60);
    machine.plug(false);
    let job = station.await_job(&id, "INTERRUPTED");
    assert!(job["lines_acknowledged"].as_u64() >= Some(60), "{job}");
    assert_eq!(await_device(&station, "printer", "disconnected")["position"], Value::Null);
    machine.plug(true);
    await_device(&station, "printer", "idle");
    queue_has_looked(&station);
    assert_eq!(sent(&machine), [""; 0], "it is only asked who it is");
    assert_eq!(station.job(&id)["state"], "INTERRUPTED");
}

#[test]
fn the_emergency_stop_halts_the_machine_until_it_is_reset() {
    let (_directory, machine, station) = printer(10.0, Faults::default());
    let id = submit(&station, "", &zigzag(2000));
    await_lines(&station, &id, 60);
    station.local().post("/api/v1/devices/printer/estop", &Value::Null).expect(200);
    let job = station.await_job(&id, "INTERRUPTED");
    assert!(job["error"].as_str().unwrap().contains("emergency stop"), "{job}");
    assert!(sent(&machine).contains(&"M112".to_owned()));
    await_device(&station, "printer", "alarm");
}
