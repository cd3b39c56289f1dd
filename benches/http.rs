//! Durable submission and `/health` over HTTP, 64 keep-alive clients.
//!
//! The station's server and a bare actix-web server that does the same reading and answering
//! without a database run in processes of their own and are measured in turn by the same client;
//! one-by-one `SQLite` with `synchronous=FULL` is the limit that group commit has to beat. `CLIENTS`,
//! `ROUNDS` and `MILLIS` change the size.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

#[path = "support/commits.rs"]
mod commits;
mod support;

use std::{
    net::TcpListener,
    rc::Rc,
    time::{Duration, Instant},
};

use actix::System;
use actix_web::{App, HttpResponse, HttpServer, http::header, web};
use serde_json::{Value, json};
use stationd::domain::{Actor, JobId, Priority, Timestamp};
use support::{Server, TOKEN, median, percentile};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::{LocalSet, spawn_local},
};

fn main() {
    support::raise_limits();
    match support::role().as_deref() {
        Some("station") => station(),
        Some(_) => bare(),
        None => measure(),
    }
}

fn setting(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

fn station() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    System::new().block_on(async {
        let app = support::app(dir.path());
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        support::obey(&listener, |_| ());
        stationd::http::server(vec![listener], None, &app).expect("serves").await.expect("serves");
    });
}

async fn submit(body: web::Json<Value>) -> HttpResponse {
    let id = JobId::new();
    let name = body["command"][0].as_str().unwrap_or_default();
    HttpResponse::Created().insert_header((header::LOCATION, format!("/api/v1/jobs/{id}"))).json(
        json!({
            "id": id, "name": name, "kind": "command", "state": "HELD", "priority": Priority(0),
            "device": null, "driver": null, "command": body["command"],
            "progress_percentage": 0.0, "lines_total": null, "lines_acknowledged": 0,
            "eta_seconds": null, "attempts": 0, "max_attempts": 1, "not_before": null,
            "depends_on": [], "labels": {}, "timeout_seconds": null,
            "submitted_by": Actor::station().name, "created_at": Timestamp::now(),
            "started_at": null, "finished_at": null, "exit_code": null, "error": null,
            "analysis": null,
        }),
    )
}

async fn health() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(
        r#"{"status":"healthy","checks":{"database":"ok","queue":"ok","devices":"ok"},"pid":1}"#,
    )
}

fn bare() {
    System::new().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        support::obey(&listener, |_| ());
        HttpServer::new(|| {
            App::new()
                .route("/api/v1/jobs", web::post().to(submit))
                .route("/health", web::get().to(health))
        })
        .workers(2)
        .tcp_nodelay(true)
        .listen(listener)
        .expect("listens")
        .run()
        .await
        .expect("serves");
    });
}

/// One answer, whole. The buffer is the client's own.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>, status: &[u8]) {
    buffer.clear();
    loop {
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).await.expect("the server answers");
        assert!(read > 0, "the server closed the connection");
        buffer.extend_from_slice(&piece[..read]);
        let Some(head) = buffer.windows(4).position(|it| it == b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(&buffer[..head]);
        let length = text.lines().find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok()
        });
        if buffer.len() >= head + 4 + length.expect("a length") {
            assert!(buffer.starts_with(status), "{}", String::from_utf8_lossy(buffer));
            return;
        }
    }
}

/// Requests a second, the milliseconds of each, and the microseconds of the server's processor
/// time that one costs.
async fn run(
    server: &Server,
    request: &str,
    status: &'static str,
    time: Duration,
) -> (f64, Vec<f64>, f64) {
    let (port, used) = (server.port, server.processor());
    let clients = setting("CLIENTS", 64);
    let request: Rc<[u8]> = request.as_bytes().into();
    let begun = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|_| {
            let request = request.clone();
            spawn_local(async move {
                let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("connects");
                stream.set_nodelay(true).expect("a socket");
                let (mut buffer, mut latencies) = (Vec::new(), Vec::new());
                while begun.elapsed() < time {
                    let asked = Instant::now();
                    stream.write_all(&request).await.expect("the server reads");
                    answer(&mut stream, &mut buffer, status.as_bytes()).await;
                    latencies.push(asked.elapsed().as_secs_f64() * 1e3);
                }
                latencies
            })
        })
        .collect();
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await.expect("no panic"));
    }
    let count = all.len() as f64;
    let cost = (server.processor() - used) * 1e6 / count;
    (count / begun.elapsed().as_secs_f64(), all, cost)
}

fn measure() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    LocalSet::new().block_on(&runtime.expect("a runtime"), async {
        let (rounds, millis) = (setting("ROUNDS", 5), setting("MILLIS", 2000));
        let time = Duration::from_millis(millis as u64);
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        let (ours, bare) = (Server::start("station"), Server::start("bare"));
        let body = r#"{"command":["true"],"hold":true}"#;
        let post = format!(
            "POST /api/v1/jobs HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {TOKEN}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let get = "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n";
        for (name, request, status) in
            [("submit", post.as_str(), "HTTP/1.1 201"), ("health", get, "HTTP/1.1 200")]
        {
            let (mut fast, mut limit, mut single) = (Vec::new(), Vec::new(), Vec::new());
            let (mut to_limit, mut to_single, mut p99) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..rounds {
                let (mine, mut latencies, cost) = run(&ours, request, status, time).await;
                let (its, mut limits, its_cost) = run(&bare, request, status, time).await;
                let alone = commits::one_by_one(dir.path(), time / 4);
                let slow = percentile(&mut latencies, 0.99);
                println!(
                    "{name}: station {mine:.0}/s (p99 {slow:.1} ms, {cost:.0} µs of processor), \
                     bare {its:.0}/s (p99 {:.1} ms, {its_cost:.0} µs), one by one {alone:.0}/s",
                    percentile(&mut limits, 0.99)
                );
                fast.push(mine);
                limit.push(its);
                single.push(alone);
                to_limit.push(mine / its);
                to_single.push(mine / alone);
                p99.push(slow);
            }
            println!(
                "{name}, medians of {rounds}: station {:.0}/s, p99 {:.1} ms, bare {:.0}/s (ratio {:.2}), \
                 one-by-one FULL {:.0}/s (ratio {:.1})",
                median(&mut fast), median(&mut p99), median(&mut limit), median(&mut to_limit),
                median(&mut single), median(&mut to_single)
            );
        }
        println!("resident: station {:.1} MB", ours.resident() as f64 / 1e6);
    });
}
