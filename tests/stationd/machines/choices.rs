//! Which machine a job is for, who has to agree, and names that mean harm.

use std::fs;

use serde_json::json;

use super::{queue_has_looked, simulated, submit, with_devices};
use crate::support::Station;

fn two() -> Station {
    with_devices(&json!([
        {"name": "Left-Mill", "driver": "grbl", "port": "sim:grbl"},
        {"name": "right", "driver": "grbl", "port": "sim:grbl"},
    ]))
    .set("simulator.speed", "10")
    .start()
}

#[test]
fn a_job_that_names_no_machine_takes_one_that_is_free() {
    let station = two();
    let first = submit(&station, "", &super::zigzag(100));
    let second = submit(&station, "", &super::zigzag(100));
    let on = |id: &str| station.await_job(id, "RUNNING")["device"].as_str().unwrap().to_owned();
    let mut machines = [on(&first), on(&second)];
    machines.sort();
    assert_eq!(machines, ["Left-Mill", "right"], "both at the same time");
}

#[test]
fn a_named_machine_is_found_and_an_unknown_one_refused_with_the_choices() {
    let station = two();
    let id = submit(&station, "device=left_mill", "G0 X1\n");
    assert_eq!(station.await_job(&id, "COMPLETED")["device"], "Left-Mill");
    let refusal = |query: &str| {
        let path = format!("/api/v1/jobs?{query}");
        let problem = station.tcp().request("POST", &path, &[], b"G0 X1\n").expect(422);
        (problem["errors"][0]["pointer"].clone(), problem["errors"][0]["detail"].to_string())
    };
    let (pointer, detail) = refusal("device=middle");
    assert_eq!(pointer, "/device");
    assert!(detail.contains("Left-Mill, right"), "{detail}");
    let (pointer, detail) = refusal("driver=ebb");
    assert_eq!(pointer, "/driver");
    assert!(detail.contains("ebb"), "{detail}");
    assert_eq!(refusal("device=right&driver=ebb").0, "/driver");
}

#[test]
fn a_file_without_any_machine_for_it_is_refused() {
    let station = Station::start();
    let refused = station.tcp().request("POST", "/api/v1/jobs", &[], b"G0 X1\n").refused(422);
    assert!(refused.contains("there is no device that takes gcode files"), "{refused}");
    assert_eq!(station.local().get("/api/v1/jobs").expect(200)["items"], json!([]));
}

#[test]
fn a_machine_that_wants_a_persons_word_gets_it() {
    let station = with_devices(&json!([{"name": "laser", "driver": "grbl", "port": "sim:grbl",
        "require_confirmation": true}]))
    .set("simulator.speed", "0")
    .start();
    let (free, named) =
        (submit(&station, "", "G0 X1\n"), submit(&station, "device=laser", "G0 X2\n"));
    queue_has_looked(&station);
    for id in [&free, &named] {
        assert_eq!(station.job(id)["state"], "HELD");
    }
    // Held jobs are no obstacle for a released one.
    station.act(&named, "release").expect(200);
    station.await_job(&named, "COMPLETED");
    assert_eq!(station.job(&free)["state"], "HELD");
    assert_eq!(station.act(&free, "cancel").expect(200)["state"], "CANCELLED");
}

#[test]
fn names_that_mean_harm_are_only_names() {
    let station = simulated("0").start();
    for (given, kept) in [
        ("a;touch%20x.gcode", "a_touch x.gcode"),
        ("%24(touch%20x)", "_(touch x)"),
        ("%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E", "_img src=x onerror=alert(1)_"),
        ("..%2F..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("%2Fetc%2Fcron.d%2Fx", "x"),
        ("C%3A%5Cautoexec.bat", "autoexec.bat"),
        ("--help", "help"),
        ("a%00b%0D%0ASet-Cookie%3Ax.nc", "a_b__Set-Cookie_x.nc"),
        ("%E2%80%AEexe.nc", "_exe.nc"),
    ] {
        let id = submit(&station, &format!("name={given}"), "G0 X1\n");
        let job = station.await_job(&id, "COMPLETED");
        assert_eq!(job["name"], kept);
        let file = station.local().get(&format!("/api/v1/jobs/{id}/file"));
        let shown = file.header("content-disposition").unwrap();
        assert!(shown.starts_with("attachment"), "{shown}");
        assert!(file.header("set-cookie").is_none());
    }
    let names = |path| -> Vec<String> {
        let entries = fs::read_dir(path).unwrap();
        entries.map(|entry| entry.unwrap().file_name().to_str().unwrap().to_owned()).collect()
    };
    let mut around = names(station.home().to_owned());
    around.sort();
    assert_eq!(around, ["config.yaml", "station.log", "workspace"]);
    assert_eq!(names(station.workspace().join("files")), Vec::<String>::new());
    let shown = station.cli(["job", "list"]).exited(0).stdout;
    assert!(!shown.chars().any(|it| it.is_control() && it != '\n'), "{shown:?}");
}
