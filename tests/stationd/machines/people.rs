//! What a person does at a machine: another one plugged in, moves by hand.

use std::{fs, os::unix::fs::symlink, path::Path};

use serde_json::{Value, json};
use stationd::firmware::Faults;

use super::{
    SIM, await_device, bench::Machine, device, drawing, simulated, submit, with_mill, zigzag,
};
use crate::support::{Station, WebSocket, eventually};

/// Lets udev's directory say that the machine on `port` is this one.
fn name_it(by_id: &Path, port: &str, identity: &str) {
    if let Ok(old) = fs::read_dir(by_id) {
        old.flatten().for_each(|link| fs::remove_file(link.path()).unwrap());
    }
    symlink(port, by_id.join(identity)).unwrap();
}

#[test]
fn another_machine_on_the_same_port_is_refused_until_a_person_accepts_it() {
    let directory = tempfile::tempdir().unwrap();
    let by_id = directory.path().join("by-id");
    fs::create_dir(&by_id).unwrap();
    let mill = Machine::serial(directory.path(), 10.0, Faults::default());
    name_it(&by_id, &mill.port, "usb-mill-1");
    let mut station = with_mill(&mill.port).env("SERIAL_BY_ID", &by_id).start();
    let known = await_device(&station, "mill", "idle")["identity"].clone();
    assert_eq!(known, json!(by_id.join("usb-mill-1")));

    // Plugged out, another one plugged in; also while the station is down.
    for restarts in [false, true] {
        mill.plug(false);
        await_device(&station, "mill", "disconnected");
        name_it(&by_id, &mill.port, "usb-laser-2");
        if restarts {
            station.stop();
            station.again();
        }
        mill.plug(true);
        let refused = await_device(&station, "mill", "error");
        let message = refused["error_message"].as_str().unwrap();
        assert!(message.starts_with("another machine is on "), "{message}");
        assert!(message.contains("usb-laser-2") && message.contains("usb-mill-1"), "{message}");
        let id = submit(&station, "device=mill", &zigzag(3));
        assert_eq!(station.job(&id)["state"], "QUEUED");
        assert_eq!(mill.heard(), b"", "it was not even asked who it is");
        station.act(&id, "cancel").expect(200);
        if !restarts {
            mill.plug(false);
            name_it(&by_id, &mill.port, "usb-mill-1");
            mill.plug(true);
            station.cli(["device", "connect", "mill"]).exited(0);
            await_device(&station, "mill", "idle");
        }
    }
    station.cli(["device", "connect", "mill", "--accept"]).exited(0);
    let accepted = await_device(&station, "mill", "idle");
    assert_eq!(accepted["identity"], json!(by_id.join("usb-laser-2")));
    let audited = station.log();
    assert!(audited.contains("device.connect device:mill: ok whatever machine is there"));
}

#[test]
fn what_is_plugged_in_is_connected_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let mill = Machine::serial(directory.path(), 10.0, Faults::default());
    mill.plug(false);
    let station = with_mill(&mill.port).arg("--log-level").arg("debug").start();
    // By then the next try is eight seconds away.
    eventually("it is tried less and less often", || {
        station.log().contains("\"mill\": next try in 8 s").then_some(())
    });
    let tries = station.log().matches("\"mill\": next try in").count();
    mill.plug(true);
    await_device(&station, "mill", "idle");
    let after = station.log().matches("\"mill\": next try in").count();
    assert!(after <= tries + 1, "{tries} and {after} tries: it waited for the next one");
}

fn x_of(device: &Value) -> f64 {
    device["position"]["x"].as_f64().unwrap_or(f64::NAN)
}

#[test]
fn a_tool_is_moved_by_hand_and_stopped() {
    let station = simulated("1").start();
    await_device(&station, SIM, "idle");
    station.cli(["device", "jog", SIM, "--x", "10", "--z", "2.5", "--feed", "6000"]).exited(0);
    let at = eventually("it is there", || {
        let at = device(&station, SIM);
        (at["status"] == "idle" && (x_of(&at) - 10.0).abs() < 1e-3).then_some(at)
    });
    assert!((at["position"]["z"].as_f64().unwrap() - 2.5).abs() < 1e-3, "{at}");
    assert!(drawing(&station)["moves"].as_array().unwrap().iter().all(|it| it[3] == 0));

    station.cli(["device", "jog", SIM, "--x", "200", "--feed", "300"]).exited(0);
    await_device(&station, SIM, "busy");
    station.cli(["device", "jog", SIM, "--stop"]).exited(0);
    let stopped = await_device(&station, SIM, "idle");
    assert!(x_of(&stopped) < 100.0, "{stopped}");

    for (body, pointer) in [
        (json!({}), "/x"),
        (json!({"x": 5000}), "/x"),
        (json!({"x": 1, "feed": 0}), "/feed"),
        (json!({"x": 1, "feed": 1e9}), "/feed"),
        (json!({"x": 1, "stop": true}), "/stop"),
        (json!({"x": "1"}), "/x"),
        (json!({"w": 1}), ""),
    ] {
        let answer = station.local().post(&format!("/api/v1/devices/{SIM}/jog"), &body);
        let problem = answer.expect(422);
        if !pointer.is_empty() {
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
        }
    }
    let none = station.cli(["device", "jog", SIM, "--x", "nan"]).exited(2);
    assert!(none.stderr.contains("a number is needed"), "{none:?}");
    let job = submit(&station, "", &zigzag(500));
    station.await_job(&job, "RUNNING");
    let refused = station.cli(["device", "jog", SIM, "--x", "1"]).exited(1);
    assert!(refused.stderr.contains("a job is on it"), "{refused:?}");
}

#[test]
fn what_is_said_to_a_machine_and_by_it_is_heard_by_who_looks_at_its_console() {
    let directory = tempfile::tempdir().unwrap();
    let mill = Machine::serial(directory.path(), 10.0, Faults::default());
    let station = with_mill(&mill.port).start();
    await_device(&station, "mill", "idle");
    let mut console = WebSocket::subscribed(&station.tcp(), &["device:mill"]);
    let mut others = WebSocket::subscribed(&station.tcp(), &["device:other", "devices"]);
    let mut hears = |text: &str| {
        let heard = console.until(|message| message["message"] == text);
        assert_eq!((&heard["type"], &heard["target"]), (&json!("log"), &json!("device:mill")));
    };
    station.cli(["device", "send", "mill", "$I"]).exited(0);
    hears("> $I");
    hears("[OPT:V,15,128]");
    mill.say(b"[MSG:<b>ink</b> is low]\r\n");
    hears("[MSG:<b>ink</b> is low]");
    station.cli(["device", "send", "mill", "G999"]).exited(1);
    hears("> G999");
    console.until(|heard| heard["message"].as_str().is_some_and(|it| it.starts_with("error:20")));
    station.cli(["device", "home", "mill"]);
    others.until(|message| {
        assert_ne!(message["type"], "log", "{message}");
        message["type"] == "device_status" && message["status"] == "busy"
    });
}

#[test]
fn a_layer_is_skipped_only_at_a_stop() {
    let station = simulated("1").start();
    let job = submit(&station, "", &zigzag(500));
    station.await_job(&job, "RUNNING");
    assert!(station.act(&job, "skip").refused(409).contains("cannot be told to skip"));
    station.act(&job, "pause").expect(200);
    assert!(station.act(&job, "skip").refused(409).contains("not at a stop of its file"));
    let command = station.submit(&json!({"kind": "command", "command": ["sleep", "60"]}));
    station.await_job(&command, "RUNNING");
    station.act(&command, "pause").expect(200);
    station.act(&command, "skip").refused(409);
    assert_eq!(station.job(&command)["state"], "PAUSED");
    for id in [job, command] {
        station.act(&id, "cancel").expect(200);
    }
}

#[test]
fn a_station_that_was_told_nothing_takes_any_machine() {
    // No by-id directory, as on a computer without udev: nothing is known, nothing is refused.
    let directory = tempfile::tempdir().unwrap();
    let mill = Machine::serial(directory.path(), 10.0, Faults::default());
    let nowhere = directory.path().join("nowhere");
    let station: Station = with_mill(&mill.port).env("SERIAL_BY_ID", nowhere).start();
    assert_eq!(await_device(&station, "mill", "idle")["identity"], Value::Null);
}

#[test]
fn a_port_is_asked_only_when_a_person_wants_it() {
    let directory = tempfile::tempdir().unwrap();
    let unknown = Machine::serial(directory.path(), 10.0, Faults::default());
    let elsewhere = tempfile::tempdir().unwrap();
    let own = Machine::serial(elsewhere.path(), 10.0, Faults::default());
    let station = with_mill(&own.port).start();
    await_device(&station, "mill", "idle");
    station.cli(["device", "detect"]).exited(0);
    assert_eq!(unknown.heard(), b"");

    let nothing = directory.path().join("ttyNONE").to_str().unwrap().to_owned();
    let ports = [&unknown.port, &own.port, &nothing, "/dev/null"];
    let found =
        station.local().post("/api/v1/devices/detect", &json!({"ports": ports})).expect(200);
    let items = found["items"].as_array().unwrap();
    assert_eq!((&items[0]["driver"], &items[0]["baud_rate"]), (&json!("grbl"), &json!(115_200)));
    assert!(items[0]["firmware"].as_str().unwrap().starts_with("Grbl 1.1h"), "{}", items[0]);
    assert!(items[1]["error"].as_str().unwrap().contains("is device \"mill\" of this station"));
    // One that is in use is asked nothing but how it is.
    assert_eq!(String::from_utf8(own.heard()).unwrap().replace('?', ""), "$I\n");
    assert!(items[2]["error"].as_str().unwrap().contains("No such file"), "{}", items[2]);
    assert_eq!(items[3]["error"], "it is not a serial port");
    let shown = station.cli(["device", "detect", "--probe", &unknown.port]).exited(0).stdout;
    assert!(shown.contains("grbl") && shown.contains("115200"), "{shown}");
}
