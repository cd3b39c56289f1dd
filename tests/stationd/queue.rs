//! The queue as a whole: its order, its rules, what it waits for.

mod batch;
mod modes;
mod races;
mod rules;
mod schedules;

use serde_json::{Value, json};

use crate::support::{Answer, Station, eventually};

/// Changes a waiting job.
fn patch(station: &Station, id: &str, body: &Value, version: Option<&str>) -> Answer {
    let mut headers = vec![("Content-Type", "application/json")];
    headers.extend(version.map(|version| ("If-Match", version)));
    let path = format!("/api/v1/jobs/{id}");
    station.local().request("PATCH", &path, &headers, body.to_string().as_bytes())
}

fn queue(station: &Station) -> Value {
    station.local().get("/api/v1/queue").expect(200)
}

/// What a waiting job waits for, in a word and in a sentence.
fn why(station: &Station, id: &str) -> (String, String) {
    let queue = queue(station);
    let items = queue["items"].as_array().unwrap();
    let job = items.iter().find(|job| job["id"] == id).unwrap_or_else(|| panic!("{id} in {queue}"));
    let text = |name: &str| job[name].as_str().unwrap().to_owned();
    (text("waits_for"), text("why"))
}

/// The names of what waits, in its order.
fn order(station: &Station) -> Vec<String> {
    let queue = queue(station);
    let items = queue["items"].as_array().unwrap();
    items.iter().map(|job| job["name"].as_str().unwrap().to_owned()).collect()
}

fn waiting(station: &Station, name: &str) -> String {
    station.submit(&json!({"command": ["true"], "name": name}))
}

#[test]
fn waiting_jobs_are_moved_and_changed_from_the_command_line_and_by_the_api() {
    let station = Station::start();
    station.cli(["queue", "pause"]).exited(0);
    let [a, b, c] = ["a", "b", "c"].map(|name| waiting(&station, name));
    assert_eq!(order(&station), ["a", "b", "c"]);
    station.cli(["job", "move", &c, "--before", &b]).exited(0);
    assert_eq!(order(&station), ["a", "c", "b"]);
    station.cli(["job", "move", &b, "--first"]).exited(0);
    assert_eq!(order(&station), ["b", "a", "c"]);
    station.cli(["job", "move", &b, "--last"]).exited(0);
    assert_eq!(order(&station), ["a", "c", "b"]);
    station.cli(["job", "move", &b, "--priority", "high"]).exited(0);
    assert_eq!(order(&station), ["b", "a", "c"]);
    // A hundred moves leave no number between two neighbours.
    for turn in 0..120 {
        let (moved, before) = if turn % 2 == 0 { (&c, &a) } else { (&a, &c) };
        patch(&station, moved, &json!({"before": before}), None).expect(200);
    }
    assert_eq!(order(&station), ["b", "a", "c"]);

    let job = station.local().get(&format!("/api/v1/jobs/{a}"));
    let tag = job.header("etag").unwrap().to_owned();
    let edited = json!({"name": "first", "labels": {"for": "smith"}, "not_before": "+1h"});
    let answer = patch(&station, &a, &edited, Some(&tag));
    assert_ne!(answer.header("etag"), Some(tag.as_str()));
    let job = answer.expect(200);
    assert_eq!((&job["name"], &job["labels"]["for"]), (&json!("first"), &json!("smith")));
    assert_eq!(why(&station, &a).0, "paused");
    let stale = patch(&station, &a, &json!({"priority": 3}), Some(&tag)).refused(412);
    assert!(stale.contains("changed meanwhile"), "{stale}");
    let stale = station.local().with_header("If-Match", &tag);
    stale.post(&format!("/api/v1/jobs/{a}/cancel"), &json!({})).refused(412);
    patch(&station, &a, &json!({"not_before": null}), None).expect(200);
    for (body, pointer) in [
        (json!({}), ""),
        (json!({"not_before": "soon"}), "/not_before"),
        (json!({"name": ""}), "/name"),
        (json!({"state": "RUNNING"}), ""),
        (json!({"before": b, "place": "first"}), "/place"),
    ] {
        let problem = patch(&station, &a, &body, None).json();
        assert_eq!(problem["status"], 422, "{problem}");
        let found = problem["errors"][0]["pointer"].as_str().unwrap();
        assert!(found.starts_with(pointer), "{problem}");
    }
    station.cli(["queue", "resume"]).exited(0);
    station.await_job(&a, "COMPLETED");
    patch(&station, &a, &json!({"priority": 3}), None).refused(409);
    station.cli(["job", "move", &a, "--first"]).exited(1);
}

#[test]
fn a_job_tells_what_happened_to_it_why_and_by_whom() {
    let station = Station::start();
    let id = station.submit(&json!({"command": ["false"], "hold": true}));
    station.act(&id, "release").expect(200);
    station.await_job(&id, "FAILED");
    let history = station.local().get(&format!("/api/v1/jobs/{id}/history")).expect(200);
    let items = history["items"].as_array().unwrap();
    let moves: Vec<_> = items.iter().map(|it| it["to_state"].as_str().unwrap()).collect();
    assert_eq!(moves, ["HELD", "QUEUED", "RUNNING", "FAILED"]);
    assert_eq!(items[0]["from_state"], Value::Null);
    for change in &items[..2] {
        assert!(change["actor"].as_str().unwrap().starts_with("uid:"), "{change}");
    }
    assert_eq!(items[3]["reason"], "the program exited with 1");
    let shown = station.cli(["job", "show", &id, "--history"]).exited(0).stdout;
    assert!(shown.contains("release") && shown.contains("exited with 1"), "{shown}");
    let shown = station.cli(["job", "show", &id, "--history", "--json"]).exited(0).json();
    assert_eq!(shown["history"].as_array().unwrap().len(), 4);
}

#[test]
fn failed_jobs_are_found_and_tried_again_together() {
    let station = Station::start();
    let flag = station.home().join("flag");
    let test = json!({"command": ["test", "-e", flag], "labels": {"kind": "dead"}});
    let ids = [(); 3].map(|()| station.submit(&test));
    for id in &ids {
        station.await_job(id, "FAILED");
    }
    let other = station.submit(&json!({"command": ["true"], "name": "well"}));
    station.await_job(&other, "COMPLETED");
    let listed = |args: &[&str]| {
        let all = ["job", "list", "--json"].iter().chain(args).copied();
        station.cli(all).exited(0).json()["items"].as_array().unwrap().len()
    };
    assert_eq!(listed(&["--state", "FAILED"]), 3);
    assert_eq!(listed(&["--label", "kind=dead"]), 3);
    assert_eq!(listed(&["--label", "kind", "--limit", "2"]), 2);
    assert_eq!(listed(&["--label", "kind=alive"]), 0);
    assert_eq!(listed(&["--name", "we*"]), 1);
    assert_eq!(listed(&["--kind", "device"]), 0);
    assert_eq!(listed(&["--submitted-by", "nobody"]), 0);
    std::fs::write(&flag, "").unwrap();
    station.cli(["job", "retry", "--all-failed"]).exited(0);
    for id in &ids {
        station.await_job(id, "COMPLETED");
    }
    eventually("no job has failed", || (listed(&["--state", "FAILED"]) == 0).then_some(()));
}
