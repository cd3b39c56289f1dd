//! REST from outside.

use serde_json::{Value, json};

use super::{Control, Served};
use crate::http::Token;

const GCODE: &str = "G21\nG90\nG1 X10 Y10 F600\nG1 X20 Y10\n";

fn upload(served: &Served, query: &str) -> super::client::Answer {
    served.request(&format!("POST /api/v1/jobs{query}"), &[], GCODE.as_bytes())
}

#[test]
fn every_answer_has_the_headers_and_every_error_is_a_problem() {
    let served = Served::start();
    let nothing = served.get("/api/v1/nothing");
    let unknown = served.get("/api/v1/jobs/not-an-id");
    let method = served.request("PUT /api/v1/jobs", &[], b"");
    let syntax = served.post("/api/v1/jobs", "{");
    let stray = served.request("GET /health", &[("host", "evil.example")], b"");
    let foreign = [("origin", "http://evil.example")];
    let foreign = served.request("POST /api/v1/jobs", &foreign, b"");
    let answers = [
        (&nothing, 404),
        (&unknown, 404),
        (&method, 405),
        (&syntax, 400),
        (&stray, 421),
        (&foreign, 403),
    ];
    for (answer, status) in answers {
        assert_eq!(answer.status, status, "{}", answer.body);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        let problem = answer.json();
        assert_eq!(problem["status"], status);
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
    }
    assert_eq!(method.header("allow"), Some("GET, POST"));
    for answer in [&nothing, &stray, &served.get("/health"), &served.get("/api/v1/jobs")] {
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
    }
}

#[test]
fn with_a_token_nothing_but_the_open_addresses_answers_without_it() {
    let served = Served::with(|settings| settings.policy.token = Some(Token::new("s3cret")));
    let bearer = [("authorization", "Bearer s3cret")];
    let basic = [("authorization", "Basic eDpzM2NyZXQ=")];
    let wrong = [("authorization", "Bearer s3cres")];
    for line in [
        "GET /api/v1/status",
        "GET /api/v1/jobs",
        "GET /api/v1/queue",
        "GET /api/v1/devices",
        "GET /api/v1/devices/detect",
        "GET /api/v1/daemons",
        "GET /api/v1/events",
        "GET /api/v1/metrics/history",
        "GET /api/v1/jobs/0/file",
        "POST /api/v1/jobs",
        "POST /api/v1/jobs/0/cancel",
        "DELETE /api/v1/jobs/0",
        "POST /api/v1/devices/mill/estop",
        "GET /api/v1/daemons/sync/log",
        "GET /api/v1/plugins",
        "POST /api/v1/daemons/sync/restart",
        "POST /api/v1/daemons/restart",
        "POST /api/v1/reconcile",
        "POST /api/v1/plugins",
        "POST /api/v1/plugins/reload",
        "DELETE /api/v1/plugins/x",
        "POST /api/v1/shutdown",
        "POST /api/v1/reload",
        "POST /api/v1/restart",
    ] {
        assert_eq!(served.request(line, &[], b"").status, 401, "{line}");
        let refused = served.request(line, &wrong, b"");
        assert_eq!(refused.status, 401, "{line}");
        assert!(refused.header("www-authenticate").is_some());
    }
    for line in ["GET /health", "GET /ready", "GET /metrics"] {
        assert_eq!(served.request(line, &[], b"").status, 200, "{line}");
    }
    assert_eq!(served.request("GET /api/v1/status", &bearer, b"").status, 200);
    assert_eq!(served.request("GET /api/v1/status", &basic, b"").status, 200);
    assert_eq!(served.local("GET /api/v1/status", &[], b"").status, 200);
}

#[test]
fn without_a_token_loopback_operates_but_does_not_run_programs() {
    let mut served = Served::start();
    for line in ["POST /api/v1/shutdown", "POST /api/v1/restart", "POST /api/v1/reload"] {
        let refused = served.request(line, &[], b"{}");
        assert_eq!(refused.status, 403, "{line}");
        assert!(refused.body.contains("stationd.sock"), "{}", refused.body);
    }
    let command = json!({"command": ["true"]}).to_string();
    assert_eq!(served.post("/api/v1/jobs", &command).status, 403);
    assert_eq!(served.submit_command(&command).status, 201);
    assert_eq!(upload(&served, "?name=a.nc&hold=true").status, 201);
    let force = served.local("POST /api/v1/shutdown", &[], br#"{"force":true}"#);
    assert_eq!(force.status, 200);
    let order = served.control.blocking_recv();
    assert!(matches!(order, Some(Control::Shutdown { force: true })));
}

#[test]
fn a_file_becomes_a_job_whichever_way_it_comes() {
    let served = Served::start();
    let raw = upload(&served, "?name=..%2Fa;b.nc&device=MILL&hold=true&priority=high");
    assert_eq!(raw.status, 201, "{}", raw.body);
    let job = raw.json();
    assert_eq!(job["name"], "a_b.nc");
    assert_eq!(job["device"], "mill");
    assert_eq!(job["driver"], "grbl");
    assert_eq!(job["state"], "HELD");
    assert_eq!(job["priority"], 10);
    assert_eq!(job["analysis"]["lines"], 4);
    assert_eq!(job["submitted_by"], "loopback");
    let id = job["id"].as_str().unwrap();
    assert_eq!(raw.header("location"), Some(format!("/api/v1/jobs/{id}").as_str()));
    let file = served.get(&format!("/api/v1/jobs/{id}/file"));
    assert_eq!(file.body, GCODE);
    assert_eq!(file.header("content-security-policy"), Some("sandbox"));
    assert!(file.header("content-disposition").unwrap().starts_with("attachment"));
    let toolpath = served.get(&format!("/api/v1/jobs/{id}/toolpath")).json();
    assert_eq!(toolpath["lines_total"], 4);
    let form = format!(
        "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"b.nc\"\r\n\r\n{GCODE}\r\n\
         --x\r\ncontent-disposition: form-data; name=\"device\"\r\n\r\nrouter\r\n--x--\r\n"
    );
    let kind = [("content-type", "multipart/form-data; boundary=x")];
    let form = served.request("POST /api/v1/jobs", &kind, form.as_bytes());
    assert_eq!(form.status, 201, "{}", form.body);
    assert_eq!(form.json()["state"], "HELD", "the router wants a person's word");
    let listed = served.get("/api/v1/jobs?state=HELD").json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(2));
}

#[test]
fn large_files_go_to_the_disk_and_too_large_ones_are_refused() {
    let served = Served::start();
    let large = GCODE.repeat(10_000);
    let job = served.request("POST /api/v1/jobs?name=l.nc&hold=true", &[], large.as_bytes());
    assert_eq!(job.status, 201, "{}", job.body);
    let id = job.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(served.get(&format!("/api/v1/jobs/{id}/file")).body, large);
    let huge = GCODE.repeat(40_000);
    let refused = served.request("POST /api/v1/jobs?name=h.nc", &[], huge.as_bytes());
    assert_eq!(refused.status, 413, "{}", refused.body);
    let left = served.socket.with_file_name("files").read_dir().unwrap().count();
    assert_eq!(left, 1, "the refused file is gone");
}

#[test]
fn what_makes_no_sense_is_422_and_says_where() {
    let served = Served::start();
    for (query, pointer) in [
        ("?name=a.nc&device=none", "/device"),
        ("?name=a.nc&driver=ebb", "/driver"),
        ("?name=a.nc&priority=urgent", "/priority"),
        ("?name=a.nc&file.path=/etc/passwd", "/file.path"),
        ("?name=a.nc&after=0197a6b2-0000-7000-8000-000000000000", "/depends_on/0"),
    ] {
        let refused = upload(&served, query);
        assert_eq!(refused.status, 422, "{query}: {}", refused.body);
        assert_eq!(refused.json()["errors"][0]["pointer"], pointer);
    }
    let text = served.request("POST /api/v1/jobs?name=a.txt", &[], b"dear all,\n");
    assert_eq!(text.status, 422, "{}", text.body);
    let body = json!({"command": ["true"], "labels": {"a": 1}}).to_string();
    let refused = served.submit_command(&body);
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert_eq!(refused.json()["errors"][0]["pointer"], "/labels/a");
    assert_eq!(served.get("/api/v1/jobs?state=DONE").status, 422);
    assert_eq!(served.get("/api/v1/jobs?limit=0").status, 422);
    assert_eq!(served.get("/api/v1/jobs?cursor=%21").status, 422);
    assert_eq!(served.get("/api/v1/events?since=yesterday").status, 422);
}

#[test]
fn the_same_key_brings_the_same_job() {
    let served = Served::start();
    let headers = [("idempotency-key", "k1")];
    let ask = || {
        let line = "POST /api/v1/jobs?name=a.nc&hold=true";
        served.request(line, &headers, GCODE.as_bytes())
    };
    let (first, second) = (ask(), ask());
    assert_eq!((first.status, second.status), (201, 201));
    assert_eq!(first.json()["id"], second.json()["id"]);
    assert_eq!(second.header("idempotent-replayed"), Some("true"));
    assert_eq!(served.get("/api/v1/jobs").json()["items"].as_array().map(Vec::len), Some(1));
}

#[test]
fn actions_answer_the_job_as_it_then_is() {
    let served = Served::start();
    let id = upload(&served, "?name=a.nc&hold=true").json()["id"].as_str().unwrap().to_owned();
    let act = |action: &str| served.post(&format!("/api/v1/jobs/{id}/{action}"), "");
    assert_eq!(act("pause").status, 409);
    let cancelled = act("cancel");
    assert_eq!((cancelled.status, &cancelled.json()["state"]), (200, &json!("CANCELLED")));
    assert_eq!(act("cancel").status, 200, "a repeated one is done already");
    let fly = act("fly");
    assert_eq!(fly.status, 404, "{}", fly.body);
    let delete = format!("DELETE /api/v1/jobs/{id}");
    assert_eq!(served.request(&delete, &[], b"").status, 204);
    assert_eq!(served.request(&delete, &[], b"").status, 404);
}

#[test]
fn daemons_are_shown_and_ordered_about() {
    let served = Served::start();
    let listed = served.get("/api/v1/daemons").json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(3));
    let stopped = served.post("/api/v1/daemons/SYNC/stop", "");
    assert_eq!((stopped.status, &stopped.json()["state"]), (200, &json!("STOPPED")));
    let started = served.post("/api/v1/daemons/sync/start", "");
    assert_eq!(started.json()["state"], "RUNNING");
    let unknown = served.post("/api/v1/daemons/synk/start", "");
    assert_eq!(unknown.status, 404);
    assert!(unknown.body.contains("did you mean"), "{}", unknown.body);
    assert_eq!(served.get("/api/v1/devices/none").status, 404);
    assert_eq!(served.post("/api/v1/devices/none/estop", "").status, 404);
}

#[test]
fn events_are_listed_after_a_number_and_mutations_are_audited() {
    let served = Served::start();
    let id = upload(&served, "?name=a.nc&hold=true").json()["id"].as_str().unwrap().to_owned();
    let page = served.get(&format!("/api/v1/events?resource=job:{id}&type=job_state_change"));
    let events = page.json();
    assert_eq!(events["items"][0]["to_state"], "HELD");
    let seq = events["items"][0]["seq"].as_u64().unwrap();
    let later = served.get(&format!("/api/v1/events?since={seq}&type=audit")).json();
    let audited = later["items"].as_array().unwrap();
    assert!(audited.iter().any(|event| event["action"] == "job.submit"), "{later}");
    let first = served.get("/api/v1/events?since=0&limit=1").json();
    assert_eq!(first["items"][0]["seq"], 1);
    assert_eq!(first["next_cursor"], "1");
}

#[test]
fn health_readiness_and_status_are_told() {
    let served = Served::start();
    let health = served.get("/health");
    assert_eq!(health.status, 200, "{}", health.body);
    let health = health.json();
    for check in ["database", "queue", "devices", "daemons", "disk", "plugins"] {
        assert!(health["checks"][check].is_string(), "{health}");
    }
    assert_eq!(served.get("/ready").json(), json!({"ready": true}));
    served.app.board.set_phase(crate::daemons::Phase::Stopping);
    let ready = served.get("/ready");
    assert_eq!(ready.status, 503);
    assert!(ready.header("retry-after").is_some());
    let status = served.get("/api/v1/status").json();
    assert_eq!(status["active_jobs"], 0);
    assert_ne!(status["pid"], Value::Null);
    let metrics = served.get("/metrics");
    assert!(metrics.body.contains("# TYPE stationd_jobs gauge"), "{}", metrics.body);
}
