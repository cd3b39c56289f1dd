//! Daemons: which there are, why they are as they are, and orders to one or many.

use serde_json::{Value, json};

use crate::support::{Client, Station, eventually};

const BUILTINS: [&str; 7] =
    ["job-queue", "device-manager", "hooks", "heartbeat", "metrics", "sync", "watchdog"];

fn names(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect()
}

#[track_caller]
fn wrong(client: &Client, path: &str, body: &Value) -> Vec<String> {
    let problem = client.post(path, body).expect(422);
    let errors = problem["errors"].as_array().unwrap().iter();
    errors.map(|error| error["pointer"].as_str().unwrap().to_owned()).collect()
}

/// What the audit trail says of an action on this daemon, once it says it `count` times.
#[track_caller]
fn records(station: &Station, action: &str, name: &str, count: usize) -> Vec<Value> {
    let path = format!("/api/v1/events?since=0&type=audit&resource=daemon:{name}");
    eventually(&format!("{action} of {name} is written down"), || {
        let mut events = station.local().get(&path).expect(200)["items"].as_array()?.clone();
        events.retain(|event| event["action"] == action);
        (events.len() == count).then_some(events)
    })
}

#[test]
fn the_list_is_narrowed_by_category_and_state() {
    let station = Station::start();
    let tcp = station.tcp();
    tcp.post("/api/v1/daemons/metrics/stop", &Value::Null).expect(200);
    let list = |query: &str| tcp.get(&format!("/api/v1/daemons{query}")).expect(200);
    for (query, expected) in [
        ("", &BUILTINS[..]),
        ("?category=core", &["job-queue", "device-manager"]),
        ("?category=CORE&state=stopped", &[]),
        ("?state=Stopped", &["metrics"]),
        ("?category=monitoring&state=RUNNING", &["heartbeat", "watchdog"]),
        ("?category=nothing", &[]),
    ] {
        assert_eq!(names(&list(query)), expected, "{query}");
    }
    let refused = tcp.get("/api/v1/daemons?state=dancing").expect(422);
    assert_eq!(refused["errors"][0]["pointer"], "/state");
    assert!(refused["detail"].as_str().unwrap().contains("BACKOFF"), "{refused}");
    assert_eq!(tcp.get("/api/v1/daemons?kind=builtin").status, 422);
}

#[test]
fn a_daemon_tells_why_it_is_as_it_is() {
    let station = Station::start();
    let tcp = station.tcp();
    tcp.post("/api/v1/daemons/sync/stop", &Value::Null).expect(200);
    for daemon in [
        tcp.get("/api/v1/daemons/sync").expect(200),
        tcp.get("/api/v1/daemons?state=stopped").expect(200)["items"][0].clone(),
    ] {
        let why = &daemon["why"];
        assert!(why["since"].is_string() && why["next"].is_string(), "{daemon}");
        for cause in why["causes"].as_array().unwrap() {
            assert!(
                cause["text"].is_string() && (cause["at"].is_string() || cause["at"].is_null())
            );
        }
        for moment in daemon["timeline"].as_array().unwrap() {
            assert!(moment["at"].is_string() && moment["state"].is_string(), "{moment}");
        }
        for list in ["dependencies", "limits", "last_lines"] {
            assert!(daemon[list].is_array(), "{list}: {daemon}");
        }
    }
}

#[test]
fn an_order_says_what_it_did() {
    let station = Station::start();
    let tcp = station.tcp();
    let order = |verb: &str, body: &Value| tcp.post(&format!("/api/v1/daemons/Sync/{verb}"), body);
    let did = |verb: &str| {
        let done = order(verb, &Value::Null).expect(200);
        assert_eq!(done["name"], "sync");
        (done["did"].as_str().unwrap().to_owned(), done["state"].as_str().unwrap().to_owned())
    };
    assert_eq!(did("start"), ("was running already".to_owned(), "RUNNING".to_owned()));
    assert_eq!(did("stop"), ("stopped".to_owned(), "STOPPED".to_owned()));
    assert_eq!(did("stop").1, "STOPPED", "a done thing is done");
    assert_eq!(did("start").1, "RUNNING");
    assert_eq!(did("restart").1, "RUNNING");
    assert_eq!(order("restart", &json!({"force": true})).expect(200)["state"], "RUNNING");
    assert_eq!(records(&station, "daemon.stop", "sync", 2)[0]["outcome"], "ok");
    assert_eq!(records(&station, "daemon.restart", "sync", 2)[0]["actor"], "loopback");
    let path = |verb: &str| format!("/api/v1/daemons/sync/{verb}");
    assert_eq!(wrong(&tcp, &path("start"), &json!({"force": true})), ["/force"]);
    assert_eq!(wrong(&tcp, &path("stop"), &json!({"now": true})), ["/now"]);
    assert_eq!(wrong(&tcp, &path("stop"), &json!({"force": 1})), ["/force"]);
    let refused = tcp.post("/api/v1/daemons/synk/restart", &Value::Null).refused(404);
    assert!(refused.contains("did you mean \"sync\"?"), "{refused}");
    assert_eq!(records(&station, "daemon.restart", "synk", 1)[0]["outcome"], "failed");
}

#[test]
fn many_are_ordered_about_at_once_and_each_is_written_down() {
    let station = Station::start();
    let tcp = station.tcp();
    let bulk =
        |verb: &str, body: Value| tcp.post(&format!("/api/v1/daemons/{verb}"), &body).expect(200);
    let stopped = bulk("stop", json!({"names": ["metrics", "SYNC", "synk"]}));
    assert_eq!(names(&stopped), ["metrics", "sync", "synk"]);
    for item in &stopped["items"].as_array().unwrap()[..2] {
        assert_eq!(
            (&item["ok"], &item["did"], &item["error"]),
            (&json!(true), &json!("stopped"), &Value::Null)
        );
        assert_eq!(item["daemon"]["state"], "STOPPED");
    }
    let unknown = &stopped["items"][2];
    assert_eq!((&unknown["ok"], &unknown["daemon"]), (&json!(false), &Value::Null));
    assert!(unknown["error"].as_str().unwrap().contains("\"sync\""), "{unknown}");
    assert_eq!(stopped["stopped_at"], Value::Null);
    assert_eq!(records(&station, "daemon.stop", "metrics", 1)[0]["outcome"], "ok");
    assert_eq!(records(&station, "daemon.stop", "sync", 1)[0]["outcome"], "ok");
    assert_eq!(records(&station, "daemon.stop", "synk", 1)[0]["outcome"], "failed");

    let started = bulk("start", json!({"category": "Monitoring"}));
    assert_eq!(names(&started), ["heartbeat", "metrics", "watchdog"]);
    let restarted = bulk("restart", json!({"all": true}));
    assert_eq!(names(&restarted), BUILTINS);
    let all = tcp.get("/api/v1/daemons").expect(200);
    assert!(all["items"].as_array().unwrap().iter().all(|it| it["state"] == "RUNNING"), "{all}");
    assert_eq!(names(&bulk("stop", json!({"all": true}))), BUILTINS);
    assert_eq!(names(&tcp.get("/api/v1/daemons?state=RUNNING").expect(200)), [""; 0]);
    assert_eq!(names(&bulk("start", json!({"all": true}))), BUILTINS);
    eventually("all is well again", || {
        (tcp.get("/health").json()["status"] == "healthy").then_some(())
    });
}

#[test]
fn a_rolling_restart_takes_what_is_needed_first() {
    let station = Station::start();
    let tcp = station.tcp();
    let started_at = |daemons: &Value, name: &str| {
        let all = daemons["items"].as_array().unwrap();
        let one = all.iter().find(|it| it["name"] == name).unwrap();
        one["started_at"].as_str().unwrap().to_owned()
    };
    let before = tcp.get("/api/v1/daemons").expect(200);
    let rolled = tcp.post("/api/v1/daemons/restart", &json!({"rolling": true})).expect(200);
    let order = names(&rolled);
    let place = |name: &str| order.iter().position(|it| *it == name).unwrap();
    assert_eq!(order.len(), 7);
    assert!(place("device-manager") < place("job-queue"), "{order:?}");
    let after = tcp.get("/api/v1/daemons").expect(200);
    let mut last = String::new();
    for name in order {
        let now = started_at(&after, name);
        assert!(now > started_at(&before, name), "{name} is another one");
        assert!(now >= last, "{name} came after the one before");
        last = now;
    }
    for item in rolled["items"].as_array().unwrap() {
        assert_eq!(item["daemon"]["health"]["status"], "healthy", "{item}");
    }
    let refused = tcp.post("/api/v1/daemons/restart", &json!({"names": ["x"], "rolling": true}));
    refused.refused(404);
    assert_eq!(tcp.get("/api/v1/daemons/restart").status, 404, "no daemon is called so");
}

#[test]
fn an_order_to_many_must_say_to_whom() {
    let station = Station::start();
    let tcp = station.tcp();
    for verb in ["start", "stop", "restart"] {
        let path = format!("/api/v1/daemons/{verb}");
        for body in [
            json!({}),
            json!({"names": []}),
            json!({"all": false}),
            json!({"names": ["sync"], "all": true}),
            json!({"category": "core", "all": true}),
        ] {
            assert_eq!(wrong(&tcp, &path, &body), [""], "{verb} {body}");
        }
        assert_eq!(wrong(&tcp, &path, &json!({"names": "sync"})), ["/names"]);
        assert_eq!(wrong(&tcp, &path, &json!({"names": ["sync", 1]})), ["/names/1"]);
        assert_eq!(wrong(&tcp, &path, &json!({"all": true, "soon": true})), ["/soon"]);
        tcp.request("POST", &path, &[], b"{]").refused(400);
        assert_eq!(tcp.delete(&path).header("allow"), Some("GET, POST"));
        let refused = tcp.post(&path, &json!({"category": "food"})).refused(404);
        assert!(refused.contains("core, monitoring, storage"), "{refused}");
    }
    let wrong = |verb: &str, body: Value| wrong(&tcp, &format!("/api/v1/daemons/{verb}"), &body);
    assert_eq!(wrong("start", json!({"all": true, "rolling": true})), ["/rolling"]);
    assert_eq!(wrong("start", json!({"all": true, "force": true})), ["/force"]);
    assert_eq!(wrong("stop", json!({"rolling": true})), ["/rolling"]);
    let all = tcp.get("/api/v1/daemons?state=RUNNING").expect(200);
    assert_eq!(names(&all), BUILTINS, "nothing was done");
}

#[test]
fn what_a_builtin_writes_is_in_the_stations_log() {
    let station = Station::start();
    let tcp = station.tcp();
    let refused = tcp.get("/api/v1/daemons/sync/log").refused(404);
    assert!(refused.contains("the station"), "{refused}");
    tcp.get("/api/v1/daemons/synk/log").refused(404);
    for query in ["?lines=0", "?lines=10001", "?lines=many", "?dance=1"] {
        let path = format!("/api/v1/daemons/sync/log{query}");
        assert_eq!(tcp.get(&path).status, 422, "{query}");
    }
}

#[test]
fn all_is_as_it_should_be_after_a_reconciliation() {
    let station = Station::start();
    let tcp = station.tcp();
    let checked = tcp.post("/api/v1/reconcile", &Value::Null).expect(200);
    assert!(checked["checked"].as_u64() >= Some(5) && checked["mended"] == json!([]), "{checked}");
    let one = tcp.post("/api/v1/reconcile", &json!({"name": "Sync"})).expect(200);
    assert_eq!(one, json!({"checked": 1, "mended": []}));
    tcp.post("/api/v1/reconcile", &json!({"name": "synk"})).refused(404);
    assert_eq!(wrong(&tcp, "/api/v1/reconcile", &json!({"all": true})), ["/all"]);
}

#[test]
fn plug_ins_are_looked_at_by_all_and_changed_by_admins() {
    let station = Station::start();
    let tcp = station.tcp();
    assert_eq!(tcp.get("/api/v1/plugins").expect(200), json!({"items": []}));
    for path in ["/api/v1/plugins", "/api/v1/plugins/reload"] {
        assert!(tcp.post(path, &json!({"path": "/x"})).refused(403).contains("admin"), "{path}");
    }
    tcp.delete("/api/v1/plugins/x").refused(403);
    let local = station.local();
    local.delete("/api/v1/plugins/x").refused(404);
    assert_eq!(wrong(&local, "/api/v1/plugins", &json!({"path": "relative"})), ["/path"]);
    assert_eq!(wrong(&local, "/api/v1/plugins", &json!({"dir": "/x"})), ["/dir"]);
}
