//! Stops: cancelled, emergency, and of the station itself. Each leaves the machine safe.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use stationd::firmware::Faults;

use super::{
    SIM, await_device, await_lines, bench::Machine, device, drawing, queue_has_looked,
    runs::sent_lines, simulated, submit, with_mill, zigzag,
};
use crate::support::{Station, eventually};

/// Sent to a simulated machine, and to the mill, after every stop.
const ON_STOP: [&str; 2] = ["M5", "G90 G0 Z5"];

fn last_move(drawing: &Value) -> Value {
    drawing["moves"].as_array().unwrap().last().unwrap().clone()
}

#[test]
fn a_cancelled_job_stops_and_puts_the_pen_up() {
    let station = simulated("10").start();
    let (id, waiting) = (submit(&station, "", &zigzag(400)), submit(&station, "", "G0 X3\n"));
    await_lines(&station, &id, 40);
    assert_eq!(station.act(&waiting, "cancel").expect(200)["state"], "CANCELLED");
    let cancelled = station.act(&id, "cancel").expect(200);
    assert_eq!(cancelled["state"], "CANCELLED");
    assert!(cancelled["finished_at"].is_string(), "{cancelled}");
    let stopped = drawing(&station);
    let end = last_move(&stopped);
    assert_eq!((&end[2], &end[3]), (&json!(5.0), &json!(0)), "the pen is up: {end}");
    assert!(stopped["total"].as_u64() < Some(400), "{}", stopped["total"]);
    queue_has_looked(&station);
    assert_eq!(drawing(&station)["total"], stopped["total"], "nothing moves any more");
    assert_eq!(station.act(&id, "cancel").expect(200)["state"], "CANCELLED", "again is fine");
    let idle = await_device(&station, SIM, "idle");
    assert_eq!((&idle["current_job_id"], &idle["estop"]), (&Value::Null, &Value::Null));
    let next = submit(&station, "", "G0 X1\n");
    station.await_job(&next, "COMPLETED");
}

#[test]
fn a_paused_job_can_be_cancelled() {
    let directory = tempfile::tempdir().unwrap();
    let mill = Machine::serial(directory.path(), 10.0, Faults::default());
    let station = with_mill(&mill.port).start();
    let id = submit(&station, "", &zigzag(400));
    await_lines(&station, &id, 30);
    station.act(&id, "pause").expect(200);
    station.act(&id, "resume").expect(200);
    station.act(&id, "pause").expect(200);
    assert_eq!(station.act(&id, "cancel").expect(200)["state"], "CANCELLED");
    let asked = ["PAUSED", "RUNNING", "PAUSED", "CANCELLED"].map(|it| format!("{it} by me"));
    assert_eq!(station.moves_of(&id)[1..], asked, "who asked is noted");
    assert!(sent_lines(&mill).ends_with(&ON_STOP.map(str::to_owned)), "{:?}", sent_lines(&mill));
    await_device(&station, "mill", "idle");
}

/// Presses the button in the middle of a job by `press`, and looks at everything that follows.
fn emergency(press: impl FnOnce(&Station)) {
    let station = simulated("2").start();
    let (id, next) = (submit(&station, "", &zigzag(400)), submit(&station, "", "G0 X3\n"));
    await_lines(&station, &id, 5);
    press(&station);
    let job = station.await_job(&id, "INTERRUPTED");
    assert!(job["error"].as_str().unwrap().contains("emergency stop"), "{job}");
    let stopped = drawing(&station);
    let latched = await_device(&station, SIM, "alarm");
    assert_eq!(latched["estop"]["confirmed"], true, "{latched}");
    assert_eq!(latched["error_message"], "emergency stop");
    queue_has_looked(&station);
    assert_eq!(station.job(&next)["state"], "QUEUED", "it waits for a person");
    let on = |action: &str, body: &Value| {
        station.tcp().post(&format!("/api/v1/devices/{SIM}/{action}"), body)
    };
    assert!(on("send", &json!({"line": "G0 X1"})).refused(409).contains("emergency stop"));
    assert!(on("home", &Value::Null).refused(409).contains("emergency stop"));
    assert_eq!(drawing(&station)["total"], stopped["total"], "nothing moves");
    on("estop", &json!({"clear": true})).expect(200);
    let locked = eventually("the stop is cleared", || {
        Some(device(&station, SIM)).filter(|device| device["estop"].is_null())
    });
    // It was stopped in motion: the firmware itself does not know where it is.
    assert_eq!(locked["status"], "alarm", "{locked}");
    queue_has_looked(&station);
    assert_eq!(station.job(&next)["state"], "QUEUED");
    on("unlock", &Value::Null).expect(200);
    await_device(&station, SIM, "idle");
    queue_has_looked(&station);
    assert_eq!(station.job(&next)["state"], "QUEUED", "half a job lies on the machine");
    station.act(&id, "cancel").expect(200);
    station.await_job(&next, "COMPLETED");
    let alerts = station.local().get("/api/v1/events?type=system_alert&since=0").expect(200);
    let titles: Vec<&Value> =
        alerts["items"].as_array().unwrap().iter().map(|alert| &alert["title"]).collect();
    assert_eq!(titles, ["Emergency stop", "Emergency stop confirmed", "Emergency stop cleared"]);
}

#[test]
fn an_emergency_stop_over_http_is_confirmed_and_latched() {
    emergency(|station| {
        let path = format!("/api/v1/devices/{SIM}/estop");
        let answer = station.tcp().post(&path, &Value::Null).expect(200);
        assert_eq!(answer["estop"]["confirmed"], true, "{answer}");
        let latency = answer["estop"]["latency_seconds"].as_f64().unwrap();
        assert!(latency > 0.0 && latency < 0.5, "{latency} s");
        let counted = "stationd_estop_latency_seconds_count 1\n";
        eventually("it is counted", || {
            station.tcp().get("/metrics").text().contains(counted).then_some(())
        });
    });
}

#[test]
fn an_emergency_stop_by_the_command_line_is_confirmed_and_latched() {
    emergency(|station| {
        let said = station.cli(["device", "estop", SIM]).exited(0);
        assert!(said.stdout.contains("confirmed") || said.stdout.contains("stopped"), "{said:?}");
    });
}

#[test]
fn whatever_was_stopped_shows_that_it_was_until_it_is_cleared() {
    let station =
        Station::with().simulate("grbl,marlin,ebb,hpgl").set("simulator.speed", "0").start();
    for driver in ["grbl", "marlin", "ebb", "hpgl"] {
        let name = format!("sim-{driver}");
        await_device(&station, &name, "idle");
        let all = format!("/api/v1/events?type=device_status&resource=device:{name}&since=0");
        let before = station.local().get(&all).expect(200)["items"].as_array().unwrap().len();
        let path = format!("/api/v1/devices/{name}/estop");
        let answer = station.local().post(&path, &Value::Null).expect(200);
        assert_eq!(answer["estop"]["confirmed"], true, "{answer}");
        assert_eq!(answer["status"], "alarm", "{answer}");
        // The press is known a moment before what the machine makes of it; nothing but the stop
        // is shown from then on.
        let told = eventually("the stop is told", || {
            let events = station.local().get(&all).expect(200);
            let told = events["items"].as_array().unwrap()[before..].to_vec();
            (told.last()?["error_message"] == "emergency stop").then_some(told)
        });
        let mut stopped = told.iter().skip_while(|event| event["status"] == "idle");
        assert!(stopped.all(|event| event["status"] == "alarm"), "{driver}: {told:?}");
        let shown = device(&station, &name);
        assert_eq!(
            (&shown["status"], &shown["estop"]["confirmed"]),
            (&json!("alarm"), &json!(true))
        );
    }
}

#[test]
fn a_button_pressed_with_a_broken_body_is_pressed() {
    let station = simulated("0").start();
    let path = format!("/api/v1/devices/{SIM}/estop");
    let answer = station.tcp().request("POST", &path, &[], b"{\"clear\":tru").expect(200);
    assert_eq!(answer["estop"]["confirmed"], true, "{answer}");
}

#[test]
fn a_stopped_station_leaves_a_long_job_interrupted_and_its_machine_safe() {
    let directory = tempfile::tempdir().unwrap();
    let mill = Machine::serial(directory.path(), 1.0, Faults::default());
    let mut station = with_mill(&mill.port).set("queue.shutdown_grace", "1s").start();
    let file = zigzag(900);
    let (id, next) = (submit(&station, "", &file), submit(&station, "", "G0 X3\n"));
    await_lines(&station, &id, 10);
    let start = Instant::now();
    assert_eq!(station.stop(), 0);
    assert!(start.elapsed() < Duration::from_secs(11), "{:?}", start.elapsed());
    let sent = sent_lines(&mill);
    assert!(sent.ends_with(&ON_STOP.map(str::to_owned)), "{sent:?}");
    let drawn = mill.drawing();
    assert!((drawn.moves.back().unwrap().to[2] - 5.0).abs() < 1e-6, "the pen is up");
    station.again();
    let job = station.job(&id);
    assert_eq!(job["state"], "INTERRUPTED");
    let error = job["error"].as_str().unwrap();
    assert!(error.contains("the station was stopped") && error.contains("line"), "{error}");
    assert!(job["lines_acknowledged"].as_u64() >= Some(10), "{job}");
    await_device(&station, "mill", "idle");
    queue_has_looked(&station);
    assert_eq!(station.job(&next)["state"], "QUEUED", "half a job lies on the machine");
    station.act(&id, "cancel").expect(200);
    station.await_job(&next, "COMPLETED");
}

#[test]
fn a_stopping_station_lets_a_short_job_end() {
    let mut station = simulated("10").start();
    let id = submit(&station, "", &zigzag(60));
    await_lines(&station, &id, 10);
    let tcp = station.tcp();
    station.signal(Signal::SIGTERM);
    let reason = eventually("it says that it stops", || {
        let answer = tcp.get("/ready");
        (answer.status == 503).then(|| answer.json()["reason"].clone())
    });
    assert_eq!(reason, "the station is stopping");
    assert_eq!(station.exit_code(), 0);
    station.again();
    assert_eq!(station.job(&id)["state"], "COMPLETED");
}

#[test]
fn a_second_signal_stops_at_once_and_still_safely() {
    let directory = tempfile::tempdir().unwrap();
    let mill = Machine::serial(directory.path(), 1.0, Faults::default());
    let mut station = with_mill(&mill.port).start();
    let id = submit(&station, "", &zigzag(100)); // 20 s: within the grace
    await_lines(&station, &id, 10);
    let tcp = station.tcp();
    station.signal(Signal::SIGTERM);
    eventually("it says that it stops", || (tcp.get("/ready").status == 503).then_some(()));
    let start = Instant::now();
    assert_eq!(station.stop(), 0);
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
    assert!(sent_lines(&mill).ends_with(&ON_STOP.map(str::to_owned)), "{:?}", sent_lines(&mill));
    station.again();
    assert_eq!(station.job(&id)["state"], "INTERRUPTED");
}
