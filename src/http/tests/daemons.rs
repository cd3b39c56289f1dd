//! Daemons ordered about in numbers, plug-ins, the last run.

use std::{
    convert::Infallible,
    fs,
    io::Write as _,
    thread,
    time::{Duration, Instant},
};

use actix::{Actor, AsyncContext as _, Context};
use serde_json::{Value, json};

use super::{Control, Served, spec};
use crate::{
    domain::{DaemonKind, Dependency, Health, LastRun, Timestamp, Verdict},
    http::{PluginCommand, PluginStatus, PluginView},
    supervision::{Child, Facts, Service, Spec, child},
};

/// A daemon as a test wants it.
#[derive(Clone, Copy)]
struct Actual {
    healthy: bool,
    pid: Option<u32>,
    /// Before it has stopped.
    slow: Duration,
}

const WELL: Actual = Actual { healthy: true, pid: None, slow: Duration::ZERO };

impl Actor for Actual {
    type Context = Context<Self>;
}

impl Service for Actual {
    fn health(&mut self) -> Health {
        if self.healthy { Health::healthy() } else { Health::unhealthy("out of paper") }
    }

    fn facts(&self) -> Facts {
        Facts { pid: self.pid, ..Facts::default() }
    }

    fn stop(&mut self, ctx: &mut Context<Self>, _: Instant) {
        ctx.run_later(self.slow, |_, ctx| actix::ActorContext::stop(ctx));
    }
}

fn with(spec: Spec, actual: Actual) -> (Spec, Child) {
    let (child, _) = child(move |_| Ok::<_, Infallible>(actual));
    (spec, child)
}

fn media(name: &str, on: &[&str]) -> Spec {
    let depends_on = on.iter().map(|name| Dependency::on(*name)).collect();
    Spec { category: "Media".to_owned(), depends_on, ..spec(name) }
}

/// The last thing that the audit trail says of each of these daemons.
fn audited(served: &Served, action: &str, names: &[&str]) -> Vec<Value> {
    let all = |name: &&str| {
        let path = format!("/api/v1/events?since=0&type=audit&resource=daemon:{name}");
        let events = served.get(&path).json()["items"].as_array().unwrap().clone();
        events.into_iter().rfind(|event| event["action"] == action)
    };
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = names.iter().map(all).collect::<Option<Vec<_>>>() {
            return found;
        }
        assert!(Instant::now() < until, "no record of {action} of {names:?}");
        thread::yield_now();
    }
}

#[test]
fn each_of_several_is_ordered_about_and_written_down() {
    let served = Served::build(
        |_| (),
        || vec![with(media("camera", &["job-queue"]), WELL), with(media("web", &["camera"]), WELL)],
    );
    let answer = served.post("/api/v1/daemons/stop", r#"{"names":["WEB","kamera","web"]}"#);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let answer = answer.json();
    let [web, kamera] = &answer["items"].as_array().unwrap()[..] else { panic!("{answer}") };
    assert_eq!(
        (&web["name"], &web["ok"], &web["error"]),
        (&json!("web"), &json!(true), &Value::Null)
    );
    assert_eq!((&web["did"], &web["daemon"]["state"]), (&json!("stopped"), &json!("STOPPED")));
    assert_eq!((&kamera["ok"], &kamera["status"]), (&json!(false), &json!(404)));
    assert_eq!((&kamera["name"], &kamera["daemon"]), (&json!("kamera"), &Value::Null));
    assert!(kamera["error"].as_str().unwrap().contains("did you mean \"camera\"?"), "{kamera}");
    assert_eq!(answer["stopped_at"], Value::Null);
    let records = audited(&served, "daemon.stop", &["web", "kamera"]);
    assert_eq!((&records[0]["outcome"], &records[1]["outcome"]), (&json!("ok"), &json!("failed")));

    let started = served.post("/api/v1/daemons/start", r#"{"category":"mEDIA"}"#).json();
    let did: Vec<_> = started["items"].as_array().unwrap().iter().map(|it| &it["did"]).collect();
    assert_eq!(did, ["was running already", "started"]);
    let unknown = served.post("/api/v1/daemons/start", r#"{"category":"food"}"#);
    assert_eq!(unknown.status, 404);
    assert!(unknown.body.contains("there is Media, core"), "{}", unknown.body);

    let stopped = served.post("/api/v1/daemons/stop", r#"{"all":true}"#).json();
    assert_eq!(stopped["items"].as_array().map(Vec::len), Some(5));
    let running = served.get("/api/v1/daemons?state=running").json();
    assert_eq!(running["items"], json!([]));
    let media = served.get("/api/v1/daemons?category=media&state=STOPPED").json();
    assert_eq!(media["items"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_rolling_restart_stops_at_the_first_that_is_not_healthy() {
    let served = Served::build(
        |settings| settings.health_timeout = Duration::from_millis(50),
        || {
            vec![
                with(media("web", &["camera"]), WELL),
                with(media("camera", &["lamp"]), Actual { healthy: false, ..WELL }),
                with(media("lamp", &[]), WELL),
            ]
        },
    );
    let started =
        |name: &str| served.get(&format!("/api/v1/daemons/{name}")).json()["started_at"].clone();
    let before = started("web");
    let halted = served.post("/api/v1/daemons/restart", r#"{"category":"media","rolling":true}"#);
    assert_eq!(halted.status, 409, "{}", halted.body);
    assert_eq!(halted.header("content-type"), Some("application/problem+json"));
    let halted = halted.json();
    assert_eq!(halted["stopped_at"], "camera");
    let detail = halted["detail"].as_str().unwrap();
    assert!(detail.contains("\"camera\"") && detail.contains("out of paper"), "{detail}");
    let items = halted["items"].as_array().unwrap();
    let told: Vec<_> = items.iter().map(|it| (it["name"].as_str(), it["ok"].as_bool())).collect();
    assert_eq!(told, [(Some("lamp"), Some(true)), (Some("camera"), Some(false))]);
    assert_eq!(started("web"), before, "it was left alone");
    let unknown =
        served.post("/api/v1/daemons/restart", r#"{"names":["lamp","x"],"rolling":true}"#);
    assert_eq!(unknown.status, 404, "{}", unknown.body);
}

#[test]
fn an_order_is_carried_out_even_if_nobody_waits_for_the_answer() {
    let served = Served::build(
        |_| (),
        || {
            let slow = Actual { slow: Duration::from_millis(100), ..WELL };
            vec![with(media("a", &[]), slow), with(media("b", &["A"]), slow)]
        },
    );
    let mut gone = served.tcp();
    let body = r#"{"names":["a","b"]}"#;
    let head = format!(
        "POST /api/v1/daemons/stop HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    gone.write_all(format!("{head}{body}").as_bytes()).unwrap();
    // It is under way once the first is no longer running.
    while served.get("/api/v1/daemons/b").json()["state"] == "RUNNING" {
        thread::yield_now();
    }
    drop(gone);
    let records = audited(&served, "daemon.stop", &["a", "b"]);
    assert!(records.iter().all(|record| record["outcome"] == "ok"), "{records:?}");
    let seq = |record: &Value| record["seq"].as_u64().unwrap();
    assert!(seq(&records[1]) < seq(&records[0]), "what needs another stops before it: {records:?}");
}

#[test]
fn a_program_has_figures_and_a_log() {
    let served = Served::build(
        |_| (),
        || {
            let own = Actual { pid: Some(std::process::id()), ..WELL };
            let camera = Spec {
                kind: DaemonKind::Process,
                log_file: Some("logs/camera.log".to_owned()),
                ..media("camera", &[])
            };
            vec![with(camera, own)]
        },
    );
    let log = |query: &str| served.get(&format!("/api/v1/daemons/camera/log{query}"));
    assert_eq!((log("").status, log("").body.as_str()), (200, ""), "nothing is written yet");
    let logs = served.socket.with_file_name("logs");
    fs::create_dir(&logs).unwrap();
    let text = (0..200).map(|number| format!("line {number}\n")).collect::<Vec<_>>().concat();
    fs::write(logs.join("camera.log"), &text).unwrap();
    assert_eq!(log("").body.lines().count(), 100);
    assert_eq!(log("?lines=2").body, "line 198\nline 199\n");
    assert!(log("").header("content-type").unwrap().starts_with("text/plain"));
    for wrong in ["?lines=0", "?lines=10001", "?lines=x", "?tail=1"] {
        assert_eq!(log(wrong).status, 422, "{wrong}");
    }
    let builtin = served.get("/api/v1/daemons/sync/log");
    assert_eq!(builtin.status, 404);
    assert!(builtin.body.contains("part of the station"), "{}", builtin.body);
    for daemon in [
        served.get("/api/v1/daemons/camera").json(),
        served.get("/api/v1/daemons?category=media").json()["items"][0].clone(),
    ] {
        assert!(daemon["memory_bytes"].as_u64() > Some(1_000_000), "{daemon}");
        assert!(daemon["cpu_usage"].as_f64().is_some_and(|share| share >= 0.0), "{daemon}");
    }
    let metrics = served.get("/metrics").body;
    for line in [
        "stationd_daemon_memory_bytes{daemon=\"camera\"} ",
        "stationd_daemon_cpu_usage_ratio{daemon=\"camera\"} ",
        "stationd_daemon_state{daemon=\"camera\",state=\"RUNNING\"} 1",
        "stationd_daemon_state{daemon=\"camera\",state=\"BACKOFF\"} 0",
        "stationd_daemon_failures_in_a_row{daemon=\"sync\"} 0",
    ] {
        assert!(metrics.lines().any(|it| it.starts_with(line)), "{line}: {metrics}");
    }
    assert!(!metrics.contains("stationd_daemon_memory_bytes{daemon=\"sync\"}"));
}

#[test]
fn plug_ins_are_installed_and_removed_by_the_station() {
    let mut served = Served::start();
    assert_eq!(served.get("/api/v1/plugins").json(), json!({"items": []}));
    for line in
        ["POST /api/v1/plugins", "POST /api/v1/plugins/reload", "DELETE /api/v1/plugins/studio"]
    {
        assert_eq!(served.request(line, &[], b"{}").status, 403, "{line}");
    }
    let app = served.app.clone();
    let mut control = std::mem::replace(&mut served.control, tokio::sync::mpsc::channel(1).1);
    let station = thread::spawn(move || {
        while let Some(order) = control.blocking_recv() {
            match order {
                Control::InstallPlugin { path, answer } if path.ends_with("studio") => {
                    app.set_plugins(vec![studio(path)]);
                    answer.send(Ok("studio".to_owned())).unwrap();
                }
                Control::InstallPlugin { answer, .. } => {
                    answer.send(Err(vec!["no plugin.yaml".to_owned()])).unwrap();
                }
                Control::RemovePlugin { name, answer } => {
                    app.set_plugins(Vec::new());
                    answer.send(Ok(name)).unwrap();
                }
                Control::Reload { answer } => answer.send(Ok(Vec::new())).unwrap(),
                other => {
                    assert!(matches!(other, Control::Shutdown { .. }), "{other:?}");
                    return;
                }
            }
        }
    });
    let json_type = [("content-type", "application/json")];
    let install = |body: &str| served.local("POST /api/v1/plugins", &json_type, body.as_bytes());
    let installed = install(r#"{"path":"/opt/studio"}"#);
    assert_eq!(installed.status, 201, "{}", installed.body);
    let studio = installed.json();
    assert_eq!((&studio["name"], &studio["status"]), (&json!("studio"), &json!("loaded")));
    assert_eq!(studio["commands"][0]["command"], json!(["snap", "-o"]));
    assert_eq!(served.get("/api/v1/plugins").json()["items"], json!([studio]));
    let bad = install(r#"{"path":"/opt/none"}"#);
    assert_eq!((bad.status, &bad.json()["errors"][0]["detail"]), (422, &json!("no plugin.yaml")));
    for wrong in [r#"{"path":"studio"}"#, "{}", r#"{"path":"/a","name":"b"}"#] {
        assert_eq!(install(wrong).status, 422, "{wrong}");
    }
    let local = |line: &str| served.local(line, &[], b"");
    let reloaded = local("POST /api/v1/plugins/reload");
    assert_eq!(reloaded.json()["items"][0]["name"], "studio");
    let unknown = local("DELETE /api/v1/plugins/stduio");
    assert_eq!(unknown.status, 404);
    assert!(unknown.body.contains("did you mean"), "{}", unknown.body);
    assert_eq!(local("DELETE /api/v1/plugins/Studio").status, 204);
    assert_eq!(local("DELETE /api/v1/plugins/reload").status, 404, "none is called so");
    assert_eq!(served.get("/api/v1/plugins").json()["items"], json!([]));
    assert_eq!(local("POST /api/v1/shutdown").status, 200);
    station.join().unwrap();
}

fn studio(path: std::path::PathBuf) -> PluginView {
    let text = |text: &str| text.to_owned();
    PluginView {
        name: text("studio"),
        version: text("1.0"),
        description: text("a camera"),
        path,
        status: PluginStatus::Loaded,
        error: None,
        daemons: vec![text("camera")],
        hooks: 1,
        commands: vec![PluginCommand {
            name: text("snap"),
            description: text("takes a picture"),
            command: vec![text("snap"), text("-o")],
        }],
    }
}

#[test]
fn the_verdict_on_the_last_run_is_told() {
    let served = Served::start();
    assert_eq!(served.get("/api/v1/status").json()["last_run"], Value::Null);
    served.app.board.set_last_run(LastRun {
        verdict: Verdict::OutOfMemory,
        detail: "the kernel killed it".to_owned(),
        ended_at: Some(Timestamp::from_ms(1_700_000_000_120)),
    });
    assert_eq!(
        served.get("/api/v1/status").json()["last_run"],
        json!({"verdict": "out_of_memory", "detail": "the kernel killed it",
               "ended_at": "2023-11-14T22:13:20.120Z"})
    );
}

#[test]
fn what_should_be_is_compared_with_what_is() {
    let served = Served::start();
    let checked = |body: &str| served.post("/api/v1/reconcile", body);
    assert_eq!(checked("").json(), json!({"checked": 3, "mended": []}));
    assert_eq!(checked(r#"{"name":"Sync"}"#).json(), json!({"checked": 1, "mended": []}));
    assert_eq!(checked(r#"{"name":"synk"}"#).status, 404);
    assert_eq!(checked(r#"{"daemon":"sync"}"#).status, 422);
    let looked = served.get("/api/v1/reconcile");
    assert_eq!((looked.status, looked.header("allow")), (405, Some("POST")));
}
