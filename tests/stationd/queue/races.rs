//! Several people ask different things of one job at the same time (F-44).

use std::thread;

use serde_json::json;

use super::patch;
use crate::support::Station;

const JOBS: usize = 40;

/// Whatever the order in which pause, cancel, retry, release, an edit and deletion meet: the job's
/// changes form one line through the table of states, and the end is one state that lasts.
#[test]
fn races_of_people_end_in_one_state() {
    let station = Station::with().set("queue.max_concurrent_commands", "4").start();
    for round in 0..JOBS {
        let hold = round % 3 == 0;
        let job = json!({"command": ["sleep", "0.02"], "hold": hold});
        let id = station.submit(&job);
        let act = |verb: &str| match verb {
            "delete" => station.local().delete(&format!("/api/v1/jobs/{id}")).status,
            "edit" => patch(&station, &id, &json!({"priority": 5}), None).status,
            verb => station.act(&id, verb).status,
        };
        let verbs = ["pause", "cancel", "delete", "release", "resume", "retry", "edit", "cancel"];
        let statuses: Vec<u16> = thread::scope(|scope| {
            let asked: Vec<_> = (0..verbs.len())
                .map(|n| {
                    let verb = verbs[(n * (2 * round + 1) + round) % verbs.len()];
                    scope.spawn(move || act(verb))
                })
                .collect();
            asked.into_iter().map(|one| one.join().unwrap()).collect()
        });
        for status in &statuses {
            assert!([200, 204, 404, 409].contains(status), "round {round}: {statuses:?}");
        }
        let path = format!("/api/v1/events?resource=job:{id}&type=job_state_change&limit=1000");
        let settled = crate::support::eventually("the job stays as it is", || {
            let state = station.local().get(&format!("/api/v1/jobs/{id}"));
            if state.status == 404 {
                return Some(None);
            }
            let state = state.expect(200)["state"].as_str().unwrap().to_owned();
            match state.as_str() {
                "PAUSED" | "HELD" => drop(station.act(&id, "cancel")),
                _ => {}
            }
            ["COMPLETED", "FAILED", "CANCELLED"].contains(&state.as_str()).then_some(Some(state))
        });
        let events = station.local().get(&path).expect(200);
        let changes = events["items"].as_array().unwrap();
        for pair in changes.windows(2) {
            assert_eq!(pair[0]["to_state"], pair[1]["from_state"], "round {round}: {events}");
        }
        if let Some(state) = settled {
            assert_eq!(changes.last().unwrap()["to_state"], state.as_str(), "round {round}");
        }
    }
    let counts = station.local().get("/api/v1/status").expect(200);
    assert_eq!((&counts["active_jobs"], &counts["queue_length"]), (&json!(0), &json!(0)));
}
