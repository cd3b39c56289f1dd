//! Jobs in great numbers: submitted a thousand at a time, and a queue with a long past.
//!
//! 1. Some clients send batches to a station, and the bare limit stores jobs one by one, in turn.
//! 2. One queue is empty, the other one has a million jobs that have ended and a hundred thousand
//!    that wait: a submission, a claim and a page of the list, in turn.
//!
//! `cargo bench --bench queue`; the exit code is non-zero if a limit is missed.
#![expect(clippy::print_stdout, reason = "the figures are what it is for")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot run has nothing to say")]

#[path = "support/commits.rs"]
mod commits;
#[path = "support/queue.rs"]
mod queue;
#[path = "support/station.rs"]
#[expect(dead_code, reason = "other benches measure more of it")]
mod station;

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use stationd::{
    domain::Timestamp,
    store::{Store, Tx, jobs},
};

use station::Station;

const ROUNDS: usize = 7;
const BATCH: u32 = 1_000;
const CLIENTS: u32 = 4;
/// So many batches of a client and a round.
const BATCHES: u32 = 10;

const ENDED: i64 = 1_000_000;
const WAITING: u32 = 100_000;
/// So many submissions, claims and pages of a round.
const TIMES: u32 = 200;

/// What must hold.
const LEAST_RATIO: f64 = 18.0;
const MOST_SLOWDOWN: f64 = 2.0;

fn main() -> ExitCode {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let batches = batches(dir.path());
    let slowdown = slowdown(dir.path());
    let good = batches >= LEAST_RATIO && slowdown <= MOST_SLOWDOWN;
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How many times faster batches are than the bare limit.
fn batches(dir: &Path) -> f64 {
    let workspace = dir.join("batches");
    std::fs::create_dir(&workspace).unwrap();
    let station =
        Station::start(&workspace, "websocket: {authenticate: true, api_key: bench}").unwrap();
    let jobs = vec![r#"{"command":["true"],"hold":true}"#; BATCH as usize].join(",");
    let body = format!(r#"{{"jobs":[{jobs}]}}"#);
    let (mut ours, mut bare, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| {
                    (0..BATCHES).for_each(|_| post(&station, "/api/v1/jobs/batch", &body));
                });
            }
        });
        let rate = f64::from(CLIENTS * BATCHES * BATCH) / begun.elapsed().as_secs_f64();
        let alone = commits::one_by_one(dir, Duration::from_secs(1));
        ratios.push(rate / alone);
        ours.push(rate);
        bare.push(alone);
    }
    station.stop().unwrap();
    let ratio = median(&mut ratios);
    println!(
        "batches of {BATCH}: {:.0} jobs/s, one by one {:.0}/s, ratio {ratio:.1} (at least {LEAST_RATIO})",
        median(&mut ours),
        median(&mut bare)
    );
    ratio
}

/// One request; its answer is read to its end.
fn post(station: &Station, path: &str, body: &str) {
    let mut stream = TcpStream::connect(("127.0.0.1", station.port)).unwrap();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Authorization: Bearer bench\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{}", answer.lines().next().unwrap_or_default());
}

/// Seconds that one takes of each.
struct Took {
    submit: f64,
    claim: f64,
    list: f64,
    waiting: f64,
}

/// How many times longer it takes in a long queue, at worst.
fn slowdown(dir: &Path) -> f64 {
    // A page of jobs that wait, as there.
    let short = dir.join("short");
    let waiting = queue::open(&short);
    submit(&waiting);
    waiting.close().unwrap();
    fill(&dir.join("long"));
    let (empty, long) = (queue::open(&short), queue::open(&dir.join("long")));
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        before.push(take(&empty));
        after.push(take(&long));
    }
    let mut worst: f64 = 0.0;
    for (what, of) in [
        ("a submission", (|took| took.submit) as fn(&Took) -> f64),
        ("a claim", |took| took.claim),
        ("a page of the list", |took| took.list),
        ("what waits", |took| took.waiting),
    ] {
        let [short, full] =
            [&before, &after].map(|all| median(&mut all.iter().map(of).collect::<Vec<_>>()));
        println!(
            "{what}: {:.0} us, with {ENDED} ended and {WAITING} waiting jobs {:.0} us, {:.2} times \
             (at most {MOST_SLOWDOWN})",
            short * 1e6,
            full * 1e6,
            full / short
        );
        worst = worst.max(full / short);
    }
    empty.close().unwrap();
    long.close().unwrap();
    worst
}

fn fill(workspace: &Path) {
    let store = queue::open(workspace);
    let ended =
        "INSERT INTO jobs (id, name, kind, state, priority, rank, target, look_at, max_attempts,
            submitted_by, created_at, finished_at)
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
        SELECT randomblob(16), 'true', 'command', 'COMPLETED', 0, i, 'command', 0, 1, 'bench', i, i
        FROM n";
    store.write(move |tx| Ok(tx.execute(ended, [ENDED])?)).wait().unwrap();
    // It learns how many there are when it is opened.
    store.close().unwrap();
    let store = queue::open(workspace);
    (0..WAITING / BATCH).for_each(|_| submit(&store));
    store.close().unwrap();
}

fn submit(store: &Store) {
    let all =
        |tx: &Tx<'_>| (0..BATCH).try_for_each(|_| jobs::insert(tx, &queue::command()).map(drop));
    store.write(all).wait().unwrap();
}

/// A round: what is submitted is claimed again.
fn take(store: &Store) -> Took {
    let each = |begun: Instant| begun.elapsed().as_secs_f64() / f64::from(TIMES);
    let begun = Instant::now();
    for _ in 0..TIMES {
        let job = queue::command();
        store.write(move |tx| jobs::insert(tx, &job)).wait().unwrap();
    }
    let submit = each(begun);
    let begun = Instant::now();
    for _ in 0..TIMES {
        let claim = |tx: &Tx<'_>| {
            jobs::claim_commands(tx, &jobs::Groups::of(usize::MAX), Timestamp::now(), 1)
        };
        assert_eq!(store.write(claim).wait().unwrap().len(), 1);
    }
    let claim = each(begun);
    let begun = Instant::now();
    for _ in 0..TIMES {
        store.read(|connection| jobs::list(connection, &jobs::JobFilter::default())).unwrap();
    }
    let list = each(begun);
    let begun = Instant::now();
    for _ in 0..TIMES {
        store.read(|connection| jobs::queue(connection, 100)).unwrap();
    }
    Took { submit, claim, list, waiting: each(begun) }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
