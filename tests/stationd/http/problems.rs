//! Refusals: the same form everywhere, and headers that no answer lacks.

use serde_json::{Value, json};

use super::raw;
use crate::support::{Client, Station};

/// Every route, by a method that it has.
const ROUTES: [(&str, &str); 30] = [
    ("GET", "/"),
    ("GET", "/app.js"),
    ("GET", "/health"),
    ("GET", "/ready"),
    ("GET", "/metrics"),
    ("GET", "/ws"),
    ("GET", "/nothing"),
    ("GET", "/api/v1/status"),
    ("GET", "/api/v1/nothing"),
    ("GET", "/api/v1/jobs"),
    ("POST", "/api/v1/jobs"),
    ("GET", "/api/v1/jobs/x"),
    ("DELETE", "/api/v1/jobs/x"),
    ("GET", "/api/v1/jobs/x/file"),
    ("GET", "/api/v1/jobs/x/log"),
    ("GET", "/api/v1/jobs/x/toolpath"),
    ("POST", "/api/v1/jobs/x/cancel"),
    ("GET", "/api/v1/queue"),
    ("GET", "/api/v1/devices"),
    ("GET", "/api/v1/devices/detect"),
    ("GET", "/api/v1/daemons"),
    ("POST", "/api/v1/daemons/x/stop"),
    ("POST", "/api/v1/daemons/restart"),
    ("GET", "/api/v1/daemons/x/log"),
    ("POST", "/api/v1/reconcile"),
    ("GET", "/api/v1/plugins"),
    ("POST", "/api/v1/plugins/reload"),
    ("DELETE", "/api/v1/plugins/x"),
    ("GET", "/api/v1/events"),
    ("POST", "/api/v1/reload"),
];

#[test]
fn every_answer_has_the_headers_that_protect_its_reader() {
    let station = Station::start();
    let stray = station.tcp().with_header("Host", "evil.example");
    for client in [&station.tcp(), &stray] {
        for (method, path) in ROUTES {
            let answer = client.request(method, path, &[], b"");
            let header = |name: &str| {
                let value = answer.header(name);
                value.unwrap_or_else(|| panic!("{method} {path}: no {name}: {answer:?}")).to_owned()
            };
            let policy = header("content-security-policy");
            assert!(
                policy.contains("default-src 'none'") && !policy.contains("unsafe"),
                "{policy}"
            );
            assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
            assert_eq!(header("x-content-type-options"), "nosniff");
            assert_eq!(header("x-frame-options"), "DENY");
            assert_eq!(header("referrer-policy"), "no-referrer");
            assert_eq!(header("cross-origin-opener-policy"), "same-origin");
            assert_eq!(header("cross-origin-resource-policy"), "same-origin");
            assert!(answer.header("access-control-allow-origin").is_none());
            if answer.status >= 400 {
                assert!(answer.refused(client_status(client, method, path)).len() > 3);
            }
        }
    }
}

fn client_status(client: &Client, method: &str, path: &str) -> u16 {
    client.request(method, path, &[], b"").status
}

#[test]
fn what_is_not_there_and_what_cannot_be_done_is_said() {
    let station = Station::with().simulate("grbl").start();
    let tcp = station.tcp();
    let id = "01890000-0000-7000-8000-000000000000";
    for path in [
        "/nothing",
        "/api/v1",
        "/api/v1/",
        "/api/v2/jobs",
        "/api/v1/jobs/",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/api/v1/jobs/x",
        &format!("/api/v1/jobs/{id}"),
        &format!("/api/v1/jobs/{id}/log"),
        "/api/v1/devices/x",
        "/api/v1/daemons/x",
        "/api/v1/devices/%ff",
    ] {
        assert!(!tcp.get(path).refused(404).is_empty(), "{path}");
    }
    assert!(tcp.post("/api/v1/daemons/x/stop", &Value::Null).refused(404).contains('x'));
    tcp.post("/api/v1/devices/x/estop", &Value::Null).refused(404);
    for (method, path, allowed) in [
        ("POST", "/health", "GET"),
        ("DELETE", "/api/v1/jobs", "GET, POST"),
        ("PUT", "/api/v1/jobs/x", "GET, PATCH, DELETE"),
        ("GET", "/api/v1/jobs/x/cancel", "POST"),
        ("GET", "/api/v1/devices/sim-grbl/estop", "POST"),
        ("GET", "/api/v1/shutdown", "POST"),
        ("POST", "/api/v1/devices", "GET"),
        ("DELETE", "/api/v1/daemons/stop", "GET, POST"),
        ("GET", "/api/v1/daemons/x/stop", "POST"),
        ("POST", "/api/v1/daemons/x", "GET"),
        ("POST", "/api/v1/daemons/x/log", "GET"),
        ("GET", "/api/v1/reconcile", "POST"),
        ("DELETE", "/api/v1/plugins", "GET, POST"),
        ("GET", "/api/v1/plugins/x", "DELETE"),
        ("GET", "/api/v1/plugins/reload", "DELETE, POST"),
        ("POST", "/", "GET"),
    ] {
        let answer = tcp.request(method, path, &[], b"");
        assert_eq!(answer.header("allow"), Some(allowed), "{method} {path}");
        answer.refused(405);
    }
    tcp.request("POST", "/api/v1/jobs/x/dance", &[], b"").refused(404);
}

#[test]
fn every_field_that_is_wrong_is_pointed_at() {
    let station = Station::with().simulate("grbl").start();
    let wrong = |job: Value| {
        let problem = station.local().post("/api/v1/jobs", &job).expect(422);
        let errors = problem["errors"].as_array().unwrap().clone();
        assert!(errors.iter().all(|error| error["detail"].as_str().is_some_and(|it| it.len() > 5)));
        errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(wrong(json!({})), ["/command"]);
    assert_eq!(wrong(json!({"command": "true"})), ["/command"]);
    assert_eq!(wrong(json!({"command": ["true", 1]})), ["/command/1"]);
    assert_eq!(wrong(json!({"command": []})), ["/command"]);
    assert_eq!(wrong(json!({"command": ["true"], "priority": "urgent"})), ["/priority"]);
    assert_eq!(wrong(json!({"command": ["true"], "hold": "yes"})), ["/hold"]);
    assert_eq!(wrong(json!({"command": ["true"], "depends_on": ["x"]})), ["/depends_on/0"]);
    assert_eq!(
        wrong(json!({"command": ["true"], "depends_on": ["01890000-0000-7000-8000-000000000000"]})),
        ["/depends_on/0"]
    );
    assert_eq!(wrong(json!({"command": ["true"], "not_before": "soon"})), ["/not_before"]);
    assert_eq!(wrong(json!({"command": ["true"], "extra": 1})), ["/extra"]);
    let several =
        json!({"command": ["true"], "timeout_seconds": -1, "max_attempts": 0, "name": " "});
    assert_eq!(wrong(several), ["/name", "/max_attempts", "/timeout_seconds"]);
    assert_eq!(station.local().get("/api/v1/jobs").expect(200)["items"], json!([]));
    let query = |path: &str| station.tcp().get(path).expect(422)["errors"][0]["pointer"].clone();
    assert_eq!(query("/api/v1/jobs?limit=0"), "/limit");
    assert_eq!(query("/api/v1/jobs?state=DANCING"), "/state");
    assert_eq!(query("/api/v1/jobs?cursor=x"), "/cursor");
    assert_eq!(query("/api/v1/jobs?dance=1"), "/dance");
    assert_eq!(query("/api/v1/events?since=soon"), "/since");
    assert_eq!(query("/api/v1/metrics/history?points=0"), "/points");
}

#[test]
fn bodies_that_cannot_be_read_are_refused() {
    let station = Station::with().simulate("grbl").start();
    let local = station.local();
    let json = |body: &[u8]| {
        let headers = [("Content-Type", "application/json; charset=utf-8")];
        local.request("POST", "/api/v1/jobs", &headers, body)
    };
    for body in [&b"{"[..], b"{\"command\":[\"true\"]} x", b"\xff\xfe", &b"[".repeat(100_000)] {
        assert!(json(body).refused(400).contains("JSON"), "{}", String::from_utf8_lossy(body));
    }
    json(b"[1]").refused(400);
    json(&vec![b' '; 300 * 1024]).refused(413);
    for path in ["/api/v1/shutdown", "/api/v1/devices/sim-grbl/send"] {
        local.request("POST", path, &[], b"{]").refused(400);
        local.request("POST", path, &[], b"{\"dance\":1}").refused(422);
    }
    local
        .request("POST", "/api/v1/jobs", &[("Content-Type", "text/html")], b"<p>hello</p>")
        .refused(422);
    local.get("/health").expect(200);
}

#[test]
fn requests_that_are_no_http_do_no_harm() {
    let station = Station::start();
    let tcp = station.tcp();
    for request in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"[..],
        b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ] {
        let answer = raw(&tcp, request);
        assert!((400..500).contains(&answer.status), "{answer:?}");
    }
    tcp.get("/health").expect(200);
}
