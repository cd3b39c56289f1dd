//! Names, origins, roles and tokens.

use serde_json::{Value, json};

use super::FILE;
use crate::support::{Client, Station};

const KEY: &str = "k3y+with/odd=characters";

#[test]
fn a_request_for_another_host_is_misdirected() {
    let station = Station::start();
    let (tcp, port) = (station.tcp(), station.address().port());
    for host in ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "a b", "[::1"] {
        for path in ["/", "/health", "/api/v1/jobs", "/metrics", "/nothing"] {
            let refused = tcp.with_header("Host", host).get(path).refused(421);
            assert!(refused.contains("allowed_hosts"), "{refused}");
        }
    }
    for host in [format!("localhost:{port}"), "LOCALHOST".to_owned(), "[::1]:1".to_owned()] {
        tcp.with_header("Host", &host).get("/health").expect(200);
    }
}

#[test]
fn pages_of_other_sites_change_nothing() {
    let station = Station::with().simulate("grbl").start();
    let tcp = station.tcp();
    let own = format!("http://{}", station.address());
    let foreign = ["https://evil.example", "null", "", "http://127.0.0.1:1"];
    for origin in foreign {
        let page = tcp.with_header("Origin", origin);
        page.request("POST", "/api/v1/jobs", &[], FILE).refused(403);
        page.post("/api/v1/devices/sim-grbl/estop", &Value::Null).refused(403);
        page.delete("/api/v1/jobs/x").refused(403);
        page.get("/api/v1/jobs").expect(200);
    }
    tcp.with_header("Sec-Fetch-Site", "cross-site").post("/api/v1/jobs", &json!({})).refused(403);
    assert_eq!(station.local().get("/api/v1/jobs").expect(200)["items"], json!([]));
    let page = tcp.with_header("Origin", &own).with_header("Sec-Fetch-Site", "same-origin");
    page.request("POST", "/api/v1/jobs", &[], FILE).expect(201);
}

#[test]
fn without_a_token_loopback_operates_and_only_the_socket_administers() {
    let station = Station::with().simulate("grbl").set("simulator.speed", "0").start();
    let (tcp, local) = (station.tcp(), station.local());
    let program = json!({"command": ["true"]});
    assert!(tcp.post("/api/v1/jobs", &program).refused(403).contains("admin"));
    for path in ["/api/v1/shutdown", "/api/v1/restart", "/api/v1/reload"] {
        assert!(tcp.post(path, &Value::Null).refused(403).contains("admin"), "{path}");
    }
    let id = tcp.request("POST", "/api/v1/jobs", &[], FILE).expect(201)["id"].clone();
    station.await_job(id.as_str().unwrap(), "COMPLETED");
    tcp.post("/api/v1/daemons/sync/restart", &Value::Null).expect(200);
    let job = local.post("/api/v1/jobs", &program).expect(201);
    assert_eq!(job["submitted_by"], format!("uid:{}", nix::unistd::geteuid()));
    local.post("/api/v1/reload", &Value::Null).expect(200);
}

#[test]
fn a_forwarded_address_is_not_believed() {
    let station = Station::start();
    for header in ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Host"] {
        let client = station.tcp().with_header(header, "127.0.0.1");
        client.post("/api/v1/shutdown", &Value::Null).refused(403);
    }
}

#[test]
fn with_a_token_everything_else_is_closed_in_one_way() {
    let station = Station::with()
        .config(&format!("websocket: {{authenticate: true, api_key: '{KEY}'}}"))
        .start();
    let tcp = station.tcp();
    let open = ["/", "/health", "/ready", "/metrics", "/app.js"];
    for path in open {
        assert_eq!(tcp.get(path).status, 200, "{path}");
    }
    let refusal = |client: &Client, path: &str| {
        let answer = client.get(path);
        assert!(answer.header("www-authenticate").is_some());
        answer.refused(401)
    };
    let expected = refusal(&tcp, "/api/v1/status");
    let wrong = ["wrong", "", "k3y", &format!("{KEY}x"), &KEY.to_uppercase()];
    let paths = [
        "/api/v1/jobs",
        "/api/v1/jobs/x",
        "/api/v1/devices",
        "/api/v1/daemons",
        "/api/v1/events",
        "/api/v1/queue",
        "/api/v1/metrics/history",
        "/api/v1/devices/detect",
    ];
    for path in paths {
        assert_eq!(refusal(&tcp, path), expected);
        for token in wrong {
            assert_eq!(refusal(&tcp.with_token(token), path), expected, "{token}");
        }
        let answer = tcp.with_token(KEY).get(path);
        assert!(answer.status == 200 || answer.status == 404, "{path}: {answer:?}");
    }
    for path in ["/api/v1/jobs", "/api/v1/shutdown", "/api/v1/daemons/sync/stop"] {
        assert_eq!(tcp.post(path, &Value::Null).refused(401), expected, "{path}");
    }
    // The key is an admin's; the socket's peer needs none.
    tcp.with_token(KEY).post("/api/v1/jobs", &json!({"command": ["true"]})).expect(201);
    station.local().post("/api/v1/jobs", &json!({"command": ["true"]})).expect(201);
    assert!(!station.log().contains(KEY));
}

#[test]
fn other_addresses_than_loopback_need_a_token() {
    let open = || Station::with().arg("--host").arg("0.0.0.0");
    let refused = open().run().exited(78);
    assert!(refused.stderr.contains("websocket.authenticate"), "{refused:?}");
    assert!(refused.stderr.contains("allow_unauthenticated"), "{refused:?}");
    let keyed =
        open().config(&format!("websocket: {{authenticate: true, api_key: '{KEY}'}}")).start();
    keyed.local().get("/health").expect(200);
    let bold = open().set("security.allow_unauthenticated", "true").start();
    let warning =
        bold.log().lines().any(|line| line.contains("WARN") && line.contains("no authentication"));
    assert!(warning, "{}", bold.log());
}
