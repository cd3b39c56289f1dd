//! The ways in which a program shows that it is up, and the words that it says of itself.

use std::{
    env, fs,
    net::TcpListener,
    os::{
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr, UnixDatagram},
    },
    thread,
};

use serde_json::{Value, json};

use crate::support::{Station, eventually, sh};

/// Sends what is in `SPEAK` to the notify socket, if this is the program that is to: these very
/// tests, run by a daemon.
#[test]
fn speaker() {
    let (Ok(words), Ok(name)) = (env::var("SPEAK"), env::var("NOTIFY_SOCKET")) else { return };
    let address = SocketAddr::from_abstract_name(name.trim_start_matches('@')).unwrap();
    UnixDatagram::unbound().unwrap().send_to_addr(words.as_bytes(), &address).unwrap();
}

/// A shell in which `speak WORDS` says them, and `await FILE` waits for a file.
fn speaking(name: &str, script: &str, more: &Value) -> Value {
    let functions = "speak() { SPEAK=$(printf \"$1\") \"$BINARY\" --exact \
                     processes::readiness::speaker > /dev/null; }; \
                     await() { while [ ! -e \"$1\" ]; do sleep 0.02; done; }";
    let mut daemon = sh(name, &format!("{functions}; {script}"), more);
    daemon["environment"] = json!({"BINARY": env::current_exe().unwrap()});
    daemon
}

#[test]
fn a_program_says_itself_that_it_is_up_and_how_it_is() {
    let script = "speak 'STATUS=loading'; await go; speak 'READY=1\\nSTATUS=3 clients'; await on; \
                  speak 'STATUS=4 clients'; exec sleep 600";
    let daemons = json!([speaking("model", script, &json!({"ready": {"notify": true}}))]);
    let station = Station::with().daemons(&daemons).start();
    station.await_daemon("model", "is being started", |it| {
        it["state"] == "STARTING" && it["pid"].is_u64() && it["health"]["message"] == "loading"
    });
    let list = station.cli(["daemon", "list"]).exited(0).stdout;
    assert!(list.contains("  model: STARTING (loading)\n"), "{list}");
    fs::write(station.workspace().join("go"), "").unwrap();
    let up = station.await_daemon("model", "is up and says so", |it| {
        it["state"] == "RUNNING" && it["health"]["message"] == "3 clients"
    });
    assert_eq!(up["health"]["status"], "healthy", "{up}");
    fs::write(station.workspace().join("on"), "").unwrap();
    station.await_daemon("model", "says more", |it| it["health"]["message"] == "4 clients");
}

#[test]
fn one_that_falls_silent_is_restarted_by_its_watchdog() {
    let script = "[ \"$WATCHDOG_PID\" = $$ ] || exit 9; \
        speak READY=1; while [ ! -e hush ]; do speak WATCHDOG=1; done; rm hush; exec sleep 600";
    let more = json!({"ready": {"notify": true}, "watchdog": "4s"});
    let station = Station::with().daemons(&json!([speaking("model", script, &more)])).start();
    let first = station.await_pid("model");
    fs::write(station.workspace().join("hush"), "").unwrap();
    let again = station.await_daemon("model", "is restarted", |it| {
        it["restarts"] == 1 && it["state"] == "RUNNING"
    });
    assert_eq!(again["last_error"], "failed: did not say WATCHDOG=1 for 4 s");
    assert_ne!(again["pid"], first);
}

#[test]
fn each_way_to_be_ready_is_waited_for() {
    let builder = Station::with();
    // An address that nobody listens on yet, and nobody else will be given meanwhile.
    let [tcp, http] = ["127.0.0.1:0"; 2].map(|any| TcpListener::bind(any).unwrap());
    let [tcp_at, http_at] = [&tcp, &http].map(|it| it.local_addr().unwrap());
    drop(tcp);
    let file = builder.file("ready-file");
    let more = |ready: Value| json!({"ready": ready});
    let sleep = "exec sleep 600";
    let log = "while [ ! -e go ]; do sleep 0.02; done; echo 'now up: 1'; exec sleep 600";
    let daemons = json!([
        sh("at-once", sleep, &json!({})),
        sh("delay", sleep, &more(json!({"delay": "1s"}))),
        sh("log", log, &more(json!({"log": "^now up: \\d$"}))),
        sh("tcp", sleep, &more(json!({"tcp": tcp_at.to_string()}))),
        sh("http", sleep, &more(json!({"http": format!("http://{http_at}/state")}))),
        sh("command", sleep, &more(json!({"command": ["test", "-e", builder.file("go")]}))),
        sh("file", sleep, &more(json!({"file": file, "max_age": "1h"}))),
    ]);
    let station = builder.daemons(&daemons).start();
    station.await_pid("at-once");
    let waiting = ["log", "tcp", "http", "command", "file"];
    for name in waiting {
        station.await_daemon(name, "has a process and is not up", |it| {
            it["state"] == "STARTING" && it["pid"].is_u64()
        });
    }
    let delayed = station.await_state("delay", "RUNNING");
    let launched = delayed["timeline"].as_array().unwrap().iter();
    let times: Vec<jiff::Timestamp> =
        launched.map(|moment| moment["at"].as_str().unwrap().parse().unwrap()).collect();
    let took = times.last().unwrap().duration_since(times[0]).as_secs_f64();
    assert!(took >= 0.99, "{took}: {delayed}");
    for name in waiting {
        assert_eq!(station.daemon(name)["state"], "STARTING", "{name}");
    }

    fs::write(station.workspace().join("go"), "").unwrap();
    fs::write(file, "").unwrap();
    let _tcp = TcpListener::bind(tcp_at).unwrap();
    thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        for stream in http.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
        }
    });
    for name in waiting {
        station.await_state(name, "RUNNING");
    }
}

#[test]
fn one_that_ends_before_it_is_ready_has_failed() {
    let more = json!({"ready": {"delay": "10s"}, "restart": "never"});
    let station = Station::with().daemons(&json!([sh("short", "exit 0", &more)])).start();
    let failed = station.await_state("short", "FAILED");
    assert_eq!(failed["last_error"], "failed: exited with 0 before it was ready");
    eventually("it is told", || {
        let states: Vec<Value> =
            station.events_of("short").iter().map(|event| event["state"].clone()).collect();
        (!states.contains(&json!("RUNNING")) && states.contains(&json!("FAILED"))).then_some(())
    });
}
