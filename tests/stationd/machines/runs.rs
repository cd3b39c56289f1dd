//! A file from its submission to its end, and people who pause it.

use serde_json::{Value, json};

use super::{
    ROSETTE, SIM, await_device, await_lines, bench::Machine, drawing, geometry::assert_drawn,
    history, simulated, submit, with_mill, zigzag,
};
use crate::support::{Station, WebSocket};

#[test]
fn the_sample_is_drawn_as_its_file_says() {
    let station = simulated("0").start();
    let id = submit(&station, "name=rosette.gcode", ROSETTE);
    let job = station.await_job(&id, "COMPLETED");
    assert_drawn(ROSETTE, &drawing(&station));
    let lines = ROSETTE.lines().filter(|line| !line.starts_with([';', '('])).count();
    assert_eq!(job["lines_total"], lines);
    assert_eq!(job["lines_acknowledged"], lines);
    assert_eq!(job["progress_percentage"], 100.0);
    assert_eq!((&job["device"], &job["driver"]), (&json!(SIM), &json!("grbl")));
    assert_eq!((&job["attempts"], &job["error"]), (&json!(1), &Value::Null));
    let (box_min, box_max) = (&job["analysis"]["min"], &job["analysis"]["max"]);
    assert_eq!((box_min, box_max), (&json!([0.0, 0.0, 0.0]), &json!([292.0, 210.0, 5.0])));
    let moves = history(&station, &id);
    let steps =
        [(Value::Null, "QUEUED"), (json!("QUEUED"), "RUNNING"), (json!("RUNNING"), "COMPLETED")];
    assert_eq!(moves, steps.map(|(from, to)| (from, json!(to))));
}

#[test]
fn progress_only_rises_and_ends_at_a_hundred_before_the_job_does() {
    let station = simulated("40").start();
    let mut socket = WebSocket::subscribed(&station.tcp(), &["jobs"]);
    let id = submit(&station, "", ROSETTE);
    let (mut last, mut seen, mut full) = (0.0, 0, 0);
    loop {
        let message = socket.message();
        assert_eq!(message["job_id"], *id, "{message}");
        if message["type"] == "job_state_change" {
            if message["to_state"] == "COMPLETED" {
                break;
            }
            continue;
        }
        assert_eq!(message["type"], "job_progress", "{message}");
        let percent = message["progress_percentage"].as_f64().unwrap();
        assert!(percent >= last, "{percent} after {last}");
        (last, seen) = (percent, seen + 1);
        full += u32::from(percent >= 100.0);
        let share = message["progress"].as_f64().unwrap();
        assert!((share * 100.0 - percent).abs() < 0.1, "{message}");
        for (name, twin) in
            [("lines_acknowledged", "points_plotted"), ("lines_total", "total_points")]
        {
            assert!(message[name].is_u64() && message[name] == message[twin], "{message}");
        }
        assert_eq!(message.get("eta_seconds"), message.get("estimated_remaining"));
        assert!(message.get("eta_seconds").is_none_or(Value::is_number), "never null: {message}");
        for name in ["total_time_seconds", "pen_down_time_seconds", "current_layer", "total_layers"]
        {
            assert!(message[name].is_number(), "{name}: {message}");
        }
        assert!(message["position"]["x"].is_number() && message.get("seq").is_none(), "{message}");
    }
    assert_eq!(full, 1, "one message says 100, before COMPLETED");
    assert!(seen > 10, "only {seen} messages of progress");
    assert_drawn(ROSETTE, &drawing(&station));
}

#[test]
fn a_paused_job_stands_still_and_goes_on_where_it_was() {
    let station = simulated("10").start();
    let file = zigzag(150);
    let id = submit(&station, "", &file);
    await_lines(&station, &id, 40);
    assert_eq!(station.act(&id, "pause").expect(200)["state"], "PAUSED");
    await_device(&station, SIM, "paused");
    let before = drawing(&station);
    assert_eq!(station.act(&id, "pause").expect(200)["state"], "PAUSED", "again is fine");
    assert!(station.act(&id, "release").refused(409).contains("PAUSED"));
    // Polls go on meanwhile: a machine that moved would show it.
    super::queue_has_looked(&station);
    assert_eq!(drawing(&station)["total"], before["total"]);
    assert_eq!(station.act(&id, "resume").expect(200)["state"], "RUNNING");
    station.await_job(&id, "COMPLETED");
    assert_drawn(&file, &drawing(&station));
    assert!(station.act(&id, "pause").refused(409).contains("COMPLETED"));
    let states: Vec<Value> = history(&station, &id).into_iter().map(|(_, to)| to).collect();
    assert_eq!(states, ["QUEUED", "RUNNING", "PAUSED", "RUNNING", "COMPLETED"]);
}

#[test]
fn a_machine_on_the_network_draws_the_sample_too() {
    let mill = Machine::tcp(0.0, stationd::firmware::Faults::default());
    let station = with_mill(&mill.port).start();
    assert_eq!(await_device(&station, "mill", "idle")["link"], "tcp");
    let id = submit(&station, "", ROSETTE);
    station.await_job(&id, "COMPLETED");
    assert_drawn(ROSETTE, &serde_json::to_value(mill.drawing()).unwrap());
    station.local().get("/api/v1/devices/mill/drawing").refused(404);
}

#[test]
fn start_and_end_lines_frame_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let mill = Machine::serial(directory.path(), 0.0, stationd::firmware::Faults::default());
    let station =
        super::with_devices(&json!([{"name": "mill", "driver": "grbl", "port": mill.port,
        "start_lines": ["G21 G90", "; nothing"], "end_lines": ["G0 X1 Y2"], "on_stop": ["M5"]}]))
        .start();
    await_device(&station, "mill", "idle");
    let id = submit(&station, "", "G0 X5\nG0 X7 (last)\n");
    let job = station.await_job(&id, "COMPLETED");
    let sent = sent_lines(&mill);
    assert_eq!(sent, ["$I", "G21 G90", "G0 X5", "G0 X7", "G0 X1 Y2"]);
    assert_eq!(job["lines_total"], 2, "lines of the file alone");
}

/// The lines that a machine was sent, without the single bytes of real time.
pub(super) fn sent_lines(mill: &Machine) -> Vec<String> {
    let heard = mill.heard().into_iter().filter(|byte| !b"?!~\x18".contains(byte)).collect();
    String::from_utf8(heard).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn jobs_of_one_machine_run_one_after_the_other_by_priority() {
    let station = simulated("10").start();
    let first = submit(&station, "name=first", &zigzag(30));
    station.await_job(&first, "RUNNING");
    let low = submit(&station, "name=low&priority=low", &zigzag(2));
    let high = submit(&station, "name=high&priority=high", &zigzag(2));
    let normal = submit(&station, "name=normal", &zigzag(2));
    let queue = station.local().get("/api/v1/queue").expect(200);
    let names = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|job| job["name"].as_str().unwrap().into()).collect()
    };
    assert_eq!(names(&queue["active"]), ["first"]);
    assert_eq!(names(&queue["items"]), ["high", "normal", "low"]);
    let started = |id: &str| station.await_job(id, "COMPLETED")["started_at"].to_string();
    let (high, normal, low) = (started(&high), started(&normal), started(&low));
    let end = station.job(&first)["finished_at"].to_string();
    assert!(end <= high && high < normal && normal < low, "{end} {high} {normal} {low}");
}

#[test]
fn a_line_by_hand_is_answered_and_refused_while_a_job_runs() {
    let station: Station = simulated("10").start();
    let send = |line: &str| {
        station.tcp().post(&format!("/api/v1/devices/{SIM}/send"), &json!({"line": line}))
    };
    let reply = send("$I").expect(200)["reply"].clone();
    assert_eq!(reply, json!(["[VER:1.1h.20190830:]", "[OPT:V,15,128]"]));
    assert!(send("G99").refused(409).contains("error:20"));
    assert!(send("G0 X1\nG0 X2").status == 422 && send("").status == 422);
    let id = submit(&station, "", &zigzag(100));
    await_lines(&station, &id, 1);
    assert!(send("G0 X0").refused(409).contains("busy"));
    station.act(&id, "cancel").expect(200);
}

#[test]
fn a_job_is_over_only_when_its_machine_stands_still() {
    let station = simulated("1").start();
    let id = submit(&station, "", "G21 G90\nG1 X30 F6000\n");
    let job = station.await_job(&id, "COMPLETED");
    let time = |name: &str| -> jiff::Timestamp { job[name].as_str().unwrap().parse().unwrap() };
    let took = time("finished_at").duration_since(time("started_at"));
    assert!(took.as_secs_f64() >= 0.3, "30 mm at 100 mm/s: {took}");
    assert_eq!(drawing(&station)["moves"][0][0], 30.0);
}
