//! Durable submission: the store's group commit against the same `SQLite`, one commit a job.
//!
//! `cargo bench --bench store` runs both in turn, several times, on files in `target/`, so that both
//! meet the same disk in the same minute; only their ratio means something on another machine.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run has nothing to say")]

#[path = "support/queue.rs"]
mod queue;

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, params};
use stationd::{
    domain::{JobId, NewJob, Payload, Timestamp},
    store::{Store, jobs},
};
use tokio::{runtime::Builder, task::LocalSet};

const ROUNDS: usize = 7;
const TIME: Duration = Duration::from_secs(2);
const THREADS: usize = 2;

/// One run: jobs a second, and how long each took, sorted.
struct Run {
    rate: f64,
    took: Vec<Duration>,
}

fn main() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    for (clients, payload) in [(64, 0), (8, 0), (1, 0), (64, 2048)] {
        compare(dir.path(), clients, payload);
    }
}

fn compare(dir: &Path, clients: usize, payload: usize) {
    let (mut grouped, mut single) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let name = format!("{clients}-{payload}-{round}");
        single.push(one_by_one(&dir.join(format!("one-{name}.db")), payload));
        grouped.push(through_the_store(&dir.join(format!("store-{name}")), clients, payload));
    }
    let mut ratios: Vec<f64> =
        grouped.iter().zip(&single).map(|(store, one)| store.rate / one.rate).collect();
    println!(
        "{clients:>2} clients, {payload:>4} B: store {:>7.0}/s, one by one {:>6.0}/s, ratio {:.2}, \
         p50 {:?}, p99 {:?}",
        median(&mut grouped.iter().map(|run| run.rate).collect::<Vec<_>>()),
        median(&mut single.iter().map(|run| run.rate).collect::<Vec<_>>()),
        median(&mut ratios),
        quantile(&grouped, 0.50),
        quantile(&grouped, 0.99),
    );
}

/// The bare limit without grouping: a job's row and its event, one commit with a full sync each.
fn one_by_one(path: &Path, payload: usize) -> Run {
    let connection = Connection::open(path).unwrap();
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(())).unwrap();
    connection.pragma_update(None, "synchronous", "full").unwrap();
    connection
        .execute_batch(
            "CREATE TABLE jobs (seq INTEGER PRIMARY KEY, id BLOB UNIQUE, name TEXT, state TEXT,
                 command TEXT, created_at INTEGER, content BLOB);
             CREATE TABLE events (seq INTEGER PRIMARY KEY, json TEXT);",
        )
        .unwrap();
    let content = (payload > 0).then(|| vec![b'x'; payload]);
    let begun = Instant::now();
    let mut took = Vec::new();
    while begun.elapsed() < TIME {
        let start = Instant::now();
        let id = JobId::new();
        connection.prepare_cached("BEGIN IMMEDIATE").unwrap().execute([]).unwrap();
        connection
            .prepare_cached(
                "INSERT INTO jobs (id, name, state, command, created_at, content)
                 VALUES (?1, 'true', 'QUEUED', '[\"true\"]', ?2, ?3)",
            )
            .unwrap()
            .execute(params![id.as_bytes(), Timestamp::now().as_ms(), content])
            .unwrap();
        connection
            .prepare_cached("INSERT INTO events (json) VALUES (?1)")
            .unwrap()
            .execute([format!(r#"{{"type":"job_state_change","job_id":"{id}"}}"#)])
            .unwrap();
        connection.prepare_cached("COMMIT").unwrap().execute([]).unwrap();
        took.push(start.elapsed());
    }
    finish(begun, took)
}

fn through_the_store(dir: &Path, clients: usize, payload: usize) -> Run {
    let store = queue::open(dir);
    let threads = clients.min(THREADS);
    let begun = Instant::now();
    let workers: Vec<_> = (0..threads)
        .map(|_| {
            let store = store.clone();
            thread::spawn(move || submit(&store, clients / threads, payload, begun))
        })
        .collect();
    let took = workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect();
    let run = finish(begun, took);
    store.close().unwrap();
    run
}

/// As an HTTP worker does: one thread, many clients that each wait for their answer.
fn submit(store: &Store, clients: usize, payload: usize, begun: Instant) -> Vec<Duration> {
    let local = LocalSet::new();
    let clients: Vec<_> = (0..clients)
        .map(|_| {
            let store = store.clone();
            local.spawn_local(async move {
                let mut took = Vec::new();
                while begun.elapsed() < TIME {
                    let start = Instant::now();
                    let job = job(payload);
                    store.write(move |tx| jobs::insert(tx, &job)).await.unwrap();
                    took.push(start.elapsed());
                }
                took
            })
        })
        .collect();
    let runtime = Builder::new_current_thread().build().unwrap();
    local.block_on(&runtime, async {
        let mut took = Vec::new();
        for client in clients {
            took.extend(client.await.unwrap());
        }
        took
    })
}

fn job(payload: usize) -> NewJob {
    match payload {
        0 => queue::command(),
        length => queue::job(Payload::Inline(vec![b'x'; length])),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred thousand at most")]
fn finish(begun: Instant, mut took: Vec<Duration>) -> Run {
    let rate = took.len() as f64 / begun.elapsed().as_secs_f64();
    took.sort_unstable();
    Run { rate, took }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The median over the runs of each run's quantile.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "an index into a list of that length"
)]
fn quantile(runs: &[Run], share: f64) -> Duration {
    let mut each: Vec<_> =
        runs.iter().map(|run| run.took[(run.took.len() as f64 * share) as usize]).collect();
    each.sort_unstable();
    each[each.len() / 2]
}
