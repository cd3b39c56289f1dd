//! When a program counts as up.

use super::support::*;
use crate::domain::{DaemonState, Probe, Program, Readiness};
use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

async fn comes_up(place: &Place, ready: Readiness, script: &str) -> Station {
    let station = place.run_one(Program { ready, ..shell(script) }, policy());
    station.when("started", |it| it.state == DaemonState::Starting).await;
    fs::write(place.file("go"), "").unwrap();
    station.running().await;
    station
}

const WAIT: &str = "while [ ! -e go ]; do sleep 0.01; done";

#[actix::test]
async fn by_a_line_of_its_log() {
    let place = Place::new();
    let script =
        format!("echo not ready; {WAIT}; printf 'now '; echo ready on port 80; sleep 1000");
    let ready = Readiness::Log("^now ready on port [0-9]+$".to_owned());
    comes_up(&place, ready, &script).await.stop().await;
}

#[actix::test]
async fn by_a_line_of_a_log_that_it_writes_itself() {
    let place = Place::new();
    fs::write(place.file("logs/it.log"), "ready\n").unwrap();
    let program = Program {
        ready: Readiness::Log("^ready$".to_owned()),
        detach: true,
        ..shell(&format!("{WAIT}; echo ready; sleep 1000"))
    };
    let station = place.run_one(program, policy());
    station.when("started", |it| it.state == DaemonState::Starting).await;
    fs::write(place.file("go"), "").unwrap();
    station.running().await;
    station.stop().await;
}

#[actix::test]
async fn by_a_file_and_by_a_command() {
    let place = Place::new();
    let script = format!("{WAIT}; touch beat; sleep 1000");
    let (path, max_age) = (place.file("beat"), Duration::from_mins(1));
    let file = Readiness::Probe(Probe::File { path, max_age });
    comes_up(&place, file, &script).await.stop().await;
    fs::remove_file(place.file("go")).unwrap();
    fs::remove_file(place.file("beat")).unwrap();
    let command = ["test", "-e", "beat"].map(str::to_owned).to_vec();
    let command = Readiness::Probe(Probe::Command(command));
    comes_up(&place, command, &script).await.stop().await;
}

#[actix::test]
async fn by_a_connection() {
    let place = Place::new();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let ready = Readiness::Probe(Probe::Tcp(address.clone()));
    let program = Program { ready, ..shell("sleep 1000") };
    let station = place.run_one(program, policy());
    station.when("started", |it| it.state == DaemonState::Starting).await;
    let _listener = TcpListener::bind(&address).unwrap();
    station.running().await;
    station.stop().await;
}

#[actix::test]
async fn by_an_answer_from_200_to_399() {
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/health", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    thread::spawn(move || {
        for status in ["503 No", "404 No", "302 Found"] {
            let (mut stream, _) = listener.accept().unwrap();
            count.fetch_add(1, Relaxed);
            let _ = stream.read(&mut [0; 4096]).unwrap();
            let head = format!("HTTP/1.1 {status}\r\nLocation: /\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(head.as_bytes()).unwrap();
        }
    });
    let ready = Readiness::Probe(Probe::Http(url));
    let station = place.run_one(Program { ready, ..shell("sleep 1000") }, policy());
    station.running().await;
    assert_eq!(asked.load(Relaxed), 3, "only the last answer is good");
    station.stop().await;
}

#[actix::test]
async fn by_time_and_not_if_it_ends_before() {
    let place = Place::new();
    let short = Program { ready: Readiness::Delay(ms(50)), ..shell("sleep 1000") };
    let station = place.run_one(short, policy());
    station.running().await;
    station.stop().await;
    let long = Program { ready: Readiness::Delay(Duration::from_secs(1000)), ..shell("exit 0") };
    let it = place.run_one(long, policy()).ended().await;
    assert_eq!(it.last_error.as_deref(), Some("failed: exited with 0 before it was ready"));
}
