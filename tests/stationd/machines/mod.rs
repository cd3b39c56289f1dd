//! Jobs on machines: simulated ones of the station, and ones on a bench of the tests' own.

mod asked;
mod bench;
mod choices;
mod drawings;
mod faults;
mod geometry;
mod line;
mod losses;
mod marlin;
mod pens;
mod people;
mod plotters;
mod points;
mod preflight;
mod resume;
mod runs;
mod stops;

use serde_json::{Value, json};

use crate::support::{Builder, Station, eventually};

/// The shipped sample.
const ROSETTE: &str = include_str!("../../../static/samples/rosette.gcode");

const SIM: &str = "sim-grbl";

/// A station with one simulated machine that moves `speed` times as fast as a real one.
fn simulated(speed: &str) -> Builder {
    Station::with().simulate("grbl").set("simulator.speed", speed)
}

/// A station with the machine `mill` on this port.
fn with_mill(port: &str) -> Builder {
    with_devices(&json!([{"name": "mill", "driver": "grbl", "port": port,
        "on_stop": ["M5", "G90 G0 Z5"]}]))
}

fn with_devices(devices: &Value) -> Builder {
    // JSON is YAML.
    Station::with().config(&json!({"devices": devices}).to_string())
}

/// A zigzag of so many lines, each 10 mm long and a fifth of a second at full size.
fn zigzag(lines: u32) -> String {
    let stroke = |line| format!("G1 X{} Y{} F3000\n", 10 * (line % 2), f64::from(line) / 100.0);
    let strokes: String = (1..=lines).map(stroke).collect();
    format!("G21\nG90\nG0 Z5\nG0 X0 Y0\nG1 Z0 F3000\n{strokes}G0 Z5\n")
}

/// Submits a file; the new job's id.
#[track_caller]
fn submit(station: &Station, query: &str, file: &str) -> String {
    let path = format!("/api/v1/jobs?{query}");
    let job = station.local().request("POST", &path, &[], file.as_bytes()).expect(201);
    job["id"].as_str().unwrap().to_owned()
}

#[track_caller]
fn device(station: &Station, name: &str) -> Value {
    station.local().get(&format!("/api/v1/devices/{name}")).expect(200)
}

/// Waits until a machine has this status.
#[track_caller]
fn await_device(station: &Station, name: &str, status: &str) -> Value {
    eventually(&format!("{name} is {status}"), || {
        let device = device(station, name);
        (device["status"] == status).then_some(device)
    })
}

/// What the simulated machine has drawn.
#[track_caller]
fn drawing(station: &Station) -> Value {
    station.local().get(&format!("/api/v1/devices/{SIM}/drawing")).expect(200)
}

/// Waits until so many lines of a job are acknowledged.
#[track_caller]
fn await_lines(station: &Station, id: &str, lines: u64) -> Value {
    eventually(&format!("{lines} lines of job {id} are acknowledged"), || {
        let job = station.job(id);
        (job["lines_acknowledged"].as_u64() >= Some(lines)).then_some(job)
    })
}

/// Waits until a long job is done: for each quarter of it no longer than for anything else.
#[track_caller]
fn await_done(station: &Station, id: &str) -> Value {
    let total = station.job(id)["lines_total"].as_u64().unwrap();
    for part in 1..=4 {
        await_lines(station, id, total * part / 4);
    }
    station.await_job(id, "COMPLETED")
}

/// Waits until the queue has certainly looked at everything that waits: a job of its own has come
/// and gone.
#[track_caller]
fn queue_has_looked(station: &Station) {
    let id = station.submit(&json!({"command": ["true"]}));
    station.await_job(&id, "COMPLETED");
}

/// Every event about a job, oldest first.
#[track_caller]
fn history(station: &Station, id: &str) -> Vec<(Value, Value)> {
    let path = format!("/api/v1/events?resource=job:{id}&type=job_state_change&since=0&limit=1000");
    let events = station.local().get(&path).expect(200);
    let moves = events["items"].as_array().unwrap().iter();
    moves.map(|event| (event["from_state"].clone(), event["to_state"].clone())).collect()
}
