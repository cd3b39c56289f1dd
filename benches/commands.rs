//! Command jobs, durable from end to end, against a bare loop that starts the same program and waits
//! for it.
//!
//! Both run in turn, several times, with the same number of programs at a time: `true` by its
//! absolute path. The station is the program that Cargo built for this bench, on a workspace in
//! `target/` with its jobs in the database, all of which may start at the same moment; its rate is
//! that between the start of the first and the end of the last, as the database has it. `JOBS` and
//! `ROUNDS` change the size.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot run has nothing to say")]

#[path = "support/queue.rs"]
#[expect(dead_code, reason = "other benches use more of it")]
mod queue;
#[path = "support/station.rs"]
#[expect(dead_code, reason = "other benches measure more of it")]
mod station;

use std::{
    env,
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags};
use stationd::{
    domain::{NewJob, Payload, Timestamp},
    store::{Tx, jobs},
};

use station::Station;

/// Programs at a time, and the share of the bare rate that is to be reached.
const GOALS: [(u32, f64); 3] = [(1, 0.75), (2, 0.60), (8, 0.70)];
/// The jobs may start that long after they were stored, when the station is up.
const HEAD_START: Duration = Duration::from_secs(2);

fn main() {
    let jobs = setting("JOBS", 1000);
    let rounds = setting("ROUNDS", 5);
    let program = ["/bin/true", "/usr/bin/true"].into_iter().find(|it| Path::new(it).exists());
    let program = program.expect("there is a program that does nothing");
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    for (at_a_time, goal) in GOALS {
        let (mut bare, mut durable, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..rounds {
            let before = spawn_and_wait(program, jobs, at_a_time);
            let workspace = dir.path().join(format!("{at_a_time}-{round}"));
            let rate = through_the_station(&workspace, program, jobs, at_a_time);
            let after = spawn_and_wait(program, jobs, at_a_time);
            ratios.push(rate / f64::midpoint(before, after));
            durable.push(rate);
            bare.extend([before, after]);
        }
        let spread = bare.iter().copied().fold(0.0, f64::max)
            / bare.iter().copied().fold(f64::INFINITY, f64::min);
        let ratio = median(&mut ratios);
        println!(
            "{at_a_time} at a time: bare {:>6.0}/s, durable jobs {:>6.0}/s, ratio {ratio:.2} \
             (of {goal:.2}: {}), bare varies {spread:.2} times{}",
            median(&mut bare),
            median(&mut durable),
            if ratio >= goal { "reached" } else { "missed" },
            if spread > 1.5 { ": void" } else { "" },
        );
    }
}

fn setting(name: &str, default: u32) -> u32 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default).max(1)
}

/// The bare limit, in programs a second.
fn spawn_and_wait(program: &str, count: u32, at_a_time: u32) -> f64 {
    let left = AtomicU32::new(count);
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..at_a_time {
            scope.spawn(|| {
                let take = |left: u32| left.checked_sub(1);
                while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
                    let mut command = Command::new(program);
                    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
                    assert!(command.status().unwrap().success());
                }
            });
        }
    });
    f64::from(count) / begun.elapsed().as_secs_f64()
}

/// The station's rate, in jobs a second.
fn through_the_station(workspace: &Path, program: &str, count: u32, at_a_time: u32) -> f64 {
    // Made by the station itself, once.
    let config = format!("queue: {{max_concurrent_commands: {at_a_time}}}");
    std::fs::create_dir_all(workspace).unwrap();
    Station::start(workspace, &config).unwrap().stop().unwrap();
    let database = workspace.join("stationd.db");
    submit(workspace, program, count);
    let station = Station::start(workspace, &config).unwrap();
    let look = Connection::open_with_flags(&database, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let ask =
        "SELECT count(*), min(started_at), max(finished_at) FROM jobs WHERE state = 'COMPLETED'";
    let (first, last) = loop {
        thread::sleep(Duration::from_millis(200));
        let row = look.query_row(ask, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        let (done, first, last): (u32, Option<i64>, Option<i64>) = row.unwrap();
        if done == count {
            break (first.unwrap(), last.unwrap());
        }
    };
    drop(look);
    station.stop().unwrap();
    let took = u32::try_from(last - first).unwrap();
    f64::from(count) / (f64::from(took.max(1)) / 1000.0)
}

fn submit(workspace: &Path, program: &str, count: u32) {
    let store = queue::open(workspace);
    let not_before = Some(Timestamp::now().after(HEAD_START));
    let job = || queue::job(Payload::Command(vec![program.to_owned()]));
    let new: Vec<_> = (0..count).map(|_| NewJob { not_before, ..job() }).collect();
    let all = move |tx: &Tx<'_>| new.iter().try_for_each(|job| jobs::insert(tx, job).map(drop));
    store.write(all).wait().unwrap();
    store.close().unwrap();
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
