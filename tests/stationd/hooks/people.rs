//! What people see and try: the list, the history, a test, subscribers, metrics, mistakes.

use serde_json::{Value, json};

use super::{await_written, hooked, write_down};
use crate::support::{Station, WebSocket, eventually};

#[test]
fn a_broadcast_reaches_those_who_asked_and_nobody_else() {
    let station = hooked(&json!({"COMPLETED": [{"websocket": true}]})).start();
    let (tcp, hold) = (station.tcp(), json!({"command": ["true"], "hold": true}));
    let (one, other) = (station.submit(&hold), station.submit(&hold));
    let channel = format!("job:{one}");
    let mut all = WebSocket::subscribed(&tcp, &["all"]);
    let mut own = WebSocket::subscribed(&tcp, &[&channel]);
    let mut system = WebSocket::subscribed(&tcp, &["daemons", "devices", "logs"]);
    let mut silent = WebSocket::connect(&tcp);
    for job in [&other, &one] {
        station.act(job, "release").expect(200);
        station.await_job(job, "COMPLETED");
    }
    let mut heard = Vec::new();
    while heard.len() < 2 {
        heard.push(all.until(|it| it["type"] == "hook"));
    }
    heard.sort_by_key(|it| it["about"] != json!(format!("job:{other}")));
    assert_eq!(heard[0]["about"], format!("job:{other}"));
    let message = &heard[1];
    assert_eq!(
        (&message["event"], &message["hook"], &message["about"]),
        (&json!("COMPLETED"), &json!("COMPLETED[0]"), &json!(channel))
    );
    assert_eq!(message["details"]["job_id"], json!(one));
    assert!(message["timestamp"].is_string() && message["seq"].is_null(), "{message}");
    let own = own.until(|it| it["type"] == "hook");
    assert_eq!(&own, message);
    // Whatever they hear up to their own pong, no hook is among it.
    system.send(&json!({"type": "PING"}));
    system.until(|it| {
        assert_ne!(it["type"], "hook", "{it}");
        it["type"] == "pong"
    });
    silent.send(&json!({"type": "PING"}));
    assert_eq!(silent.message()["type"], "pong");
}

#[test]
fn hooks_are_listed_tried_and_counted() {
    let builder = Station::with();
    let file = builder.home().join("words");
    let hooks = json!({
        "COMPLETED": [write_down(&file, &["{job_name}", "{reason}"]), {"command": ["false"]}],
        "device:alarm": [{"webhook": "https://hooks.example/token/in/path"}],
    });
    let station = builder.config(&json!({"hooks": hooks}).to_string()).start();
    let list = station.cli(["hook", "list", "--json"]).exited(0).stdout;
    let list: Value = serde_json::from_str(&list).unwrap();
    let shown: Vec<_> = list["items"].as_array().unwrap().iter().map(|it| &it["hook"]).collect();
    assert_eq!(shown, ["COMPLETED[0]", "COMPLETED[1]", "device:alarm[0]"]);
    let webhook = &list["items"][2];
    assert_eq!(
        (&webhook["target"], &webhook["last_run"]),
        (&json!("https://hooks.example/…"), &Value::Null)
    );
    assert_eq!(
        (&webhook["timeout_seconds"], &list["items"][0]["timeout_seconds"]),
        (&json!(10.0), &json!(30.0))
    );

    let tried = station.cli(["hook", "test", "completed"]).exited(1);
    assert!(tried.stdout.contains("SUCCEEDED") && tried.stdout.contains("FAILED"), "{tried:?}");
    assert!(tried.stderr.contains("1 of 2 hooks failed"), "{tried:?}");
    assert_eq!(await_written(&file, 2), ["sample.gcode", "a test"]);
    let none = station.cli(["hook", "test", "daemon:FAILED"]).exited(1);
    assert!(none.stderr.contains("no hook waits for daemon:FAILED"), "{none:?}");
    let unknown = station.cli(["hook", "test", "COMPLETE"]).exited(1);
    assert!(unknown.stderr.contains("the nearest is COMPLETED"), "{unknown:?}");

    let failed = station.hook_runs("?state=FAILED");
    assert_eq!(failed.len(), 1);
    let id = failed[0]["id"].as_str().unwrap();
    let shown = station.cli(["hook", "show", id]).exited(0).stdout;
    assert!(shown.contains("error: the program exited with 1"), "{shown}");
    let metrics = station.tcp().get("/metrics").text();
    for line in [
        "stationd_hook_runs_total{kind=\"command\",outcome=\"succeeded\"} 1",
        "stationd_hook_runs_total{kind=\"command\",outcome=\"failed\"} 1",
        "stationd_hook_duration_seconds_count{kind=\"command\"} 2",
        "stationd_hook_outbox_length 0",
    ] {
        assert!(metrics.lines().any(|it| it == line), "{line}: {metrics}");
    }
}

#[test]
fn only_an_admin_runs_programs_by_them() {
    let station = hooked(&json!({"COMPLETED": [{"command": ["false"]}]})).start();
    let (admin, operator) = (station.local(), station.tcp());
    let test = json!({"event": "COMPLETED"});
    operator.post("/api/v1/hooks/test", &test).refused(403);
    let begun = admin.post("/api/v1/hooks/test", &test).expect(202);
    let path = format!("/api/v1/hooks/runs/{}", begun["runs"][0].as_str().unwrap());
    eventually("it has failed", || {
        (operator.get(&path).expect(200)["state"] == "FAILED").then_some(())
    });
    operator.post(&format!("{path}/retry"), &Value::Null).refused(403);
    assert_eq!(operator.get("/api/v1/hooks").expect(200)["items"][0]["hook"], "COMPLETED[0]");
    assert_eq!(admin.get("/api/v1/hooks/runs?state=lost").status, 422);
    assert_eq!(admin.get("/api/v1/hooks/runs?cursor=zz").status, 422);
    assert_eq!(admin.get("/api/v1/hooks/runs/none").status, 404);
    let audit = admin.get("/api/v1/events?type=audit&limit=100").expect(200);
    let actions: Vec<_> =
        audit["items"].as_array().unwrap().iter().map(|it| &it["action"]).collect();
    assert!(actions.contains(&&json!("hook.test")), "{actions:?}");
}
