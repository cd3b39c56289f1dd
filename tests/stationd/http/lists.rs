//! Lists in pages, filters, and keys that make a repetition harmless.

use serde_json::{Value, json};

use super::FILE;
use crate::support::{Client, Station};

fn names(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|job| job["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_list_is_read_page_by_page_though_jobs_come_meanwhile() {
    let station = Station::start();
    let submit = |name: &str| {
        station.submit(&json!({"command": ["true"], "hold": true, "name": name}));
    };
    (0..7).for_each(|index| submit(&format!("job-{index}")));
    let mut path = "/api/v1/jobs?limit=3".to_owned();
    let mut all = Vec::new();
    loop {
        let page = station.tcp().get(&path).expect(200);
        assert!(names(&page).len() <= 3);
        all.extend(names(&page));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/api/v1/jobs?limit=3&cursor={cursor}");
        submit("late");
    }
    let expected: Vec<String> = (0..7).rev().map(|index| format!("job-{index}")).collect();
    assert_eq!(all, expected, "newest first, each once");
}

#[test]
fn jobs_are_filtered_by_state_kind_and_machine() {
    let station = Station::with().simulate("grbl").set("simulator.speed", "0").start();
    station.submit(&json!({"command": ["true"], "hold": true, "name": "held"}));
    let done = station.submit(&json!({"command": ["true"], "name": "done"}));
    station.await_job(&done, "COMPLETED");
    let file = station.tcp().request("POST", "/api/v1/jobs?name=plot", &[], FILE).expect(201);
    station.await_job(file["id"].as_str().unwrap(), "COMPLETED");
    let list =
        |query: &str| names(&station.tcp().get(&format!("/api/v1/jobs?{query}")).expect(200));
    assert_eq!(list("state=HELD"), ["held"]);
    assert_eq!(list("state=COMPLETED"), ["plot", "done"]);
    assert_eq!(list("state=COMPLETED&kind=command"), ["done"]);
    assert_eq!(list("device=sim-grbl"), ["plot"]);
    assert_eq!(list("state=FAILED"), Vec::<String>::new());
}

#[test]
fn events_are_filtered_and_read_on_from_where_a_reader_stopped() {
    let station = Station::start();
    let ids: Vec<String> =
        (0..5).map(|_| station.submit(&json!({"command": ["true"], "hold": true}))).collect();
    let events = |query: &str| station.tcp().get(&format!("/api/v1/events?{query}")).expect(200);
    let numbers = |page: &Value| -> Vec<u64> {
        page["items"].as_array().unwrap().iter().map(|it| it["seq"].as_u64().unwrap()).collect()
    };
    let all = numbers(&events("since=0&limit=1000"));
    assert_eq!(all, (1..=all.len() as u64).collect::<Vec<_>>());
    let (mut read, mut since) = (Vec::new(), "0".to_owned());
    loop {
        let page = events(&format!("since={since}&limit=4"));
        read.extend(numbers(&page));
        let Some(next) = page["next_cursor"].as_str() else { break };
        next.clone_into(&mut since);
    }
    assert_eq!(read, all);
    assert_eq!(numbers(&events("limit=3")), all[all.len() - 3..], "the newest, oldest first");
    for event in events(&format!("since=0&resource=job:{}", ids[2]))["items"].as_array().unwrap() {
        assert_eq!(event["resource"], format!("job:{}", ids[2]));
    }
    let jobs = events("since=0&channel=jobs");
    assert_eq!(jobs["items"].as_array().unwrap().len(), 5);
    let audit = events("since=0&type=audit");
    assert_eq!(audit["items"].as_array().unwrap().len(), 5);
    let time = audit["items"][2]["timestamp"].as_str().unwrap();
    assert!(numbers(&events(&format!("since={time}&limit=1000"))).len() <= all.len());
    assert_eq!(numbers(&events("since=2001-01-01T00:00:00Z&limit=1000")), all);
    assert_eq!(numbers(&events("since=2101-01-01T00:00:00Z")), Vec::<u64>::new());
}

#[test]
fn a_key_makes_a_repeated_submission_the_same_job() {
    let station = Station::with().simulate("grbl").set("simulator.speed", "0").start();
    let keyed: Client = station.local().with_header("Idempotency-Key", "one");
    let job = json!({"command": ["true"], "name": "mine"});
    let first = keyed.post("/api/v1/jobs", &job).expect(201);
    let again = keyed.post("/api/v1/jobs", &job);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.expect(201)["id"], first["id"]);
    let other = json!({"command": ["false"], "name": "mine"});
    assert!(keyed.post("/api/v1/jobs", &other).refused(422).contains("Idempotency-Key"));
    let file = station.local().with_header("Idempotency-Key", "two");
    let plot = file.request("POST", "/api/v1/jobs?name=a.nc", &[], FILE).expect(201);
    assert_eq!(
        file.request("POST", "/api/v1/jobs?name=a.nc", &[], FILE).expect(201)["id"],
        plot["id"]
    );
    file.request("POST", "/api/v1/jobs?name=a.nc", &[], b"G0 X2\n").refused(422);
    let ids: Vec<String> = std::thread::scope(|scope| {
        let submit = || {
            let client = station.local().with_header("Idempotency-Key", "three");
            client.post("/api/v1/jobs", &job).expect(201)["id"].to_string()
        };
        let all: Vec<_> = (0..8).map(|_| scope.spawn(submit)).collect();
        all.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(
        station.local().get("/api/v1/jobs").expect(200)["items"].as_array().unwrap().len(),
        3
    );
    for key in [&"x".repeat(256), "\u{e4}"] {
        station.local().with_header("Idempotency-Key", key).post("/api/v1/jobs", &job).refused(400);
    }
}

#[test]
fn a_job_that_has_ended_can_be_deleted_and_no_other() {
    let station = Station::start();
    let id = station.submit(&json!({"command": ["sh", "-c", "echo gone"], "hold": true}));
    let path = format!("/api/v1/jobs/{id}");
    assert!(station.tcp().delete(&path).refused(409).contains("HELD"));
    station.act(&id, "release").expect(200);
    station.await_job(&id, "COMPLETED");
    assert_eq!(station.tcp().delete(&path).status, 204);
    station.tcp().get(&path).refused(404);
    station.tcp().delete(&path).refused(404);
}
