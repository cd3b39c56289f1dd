//! Two hundred interruptions at random points: pulled cables and killed stations, on machines that
//! start anew when their port is opened and on such that run on.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
};

use serde_json::{Value, json};
use stationd::firmware::Faults;

use super::{
    await_device, await_done, await_lines,
    bench::Machine,
    resume::{confirm, drawn, plan, strokes},
    submit, with_devices,
};
use crate::support::Station;

const MACHINES: usize = 10;
const TIMES: usize = 10;
/// Of a job that is to be finished.
const STROKES: u32 = 200;
/// Of one that only has to last.
const MANY: u32 = 1000;

/// A machine, the job on it, and what is known of it.
struct Bed {
    name: String,
    machine: Machine,
    runs_on: bool,
    job: String,
    /// How often each stroke was drawn that was done for certain when the job last went on.
    certain: Vec<usize>,
}

fn random(below: u64) -> u64 {
    RandomState::new().build_hasher().finish() % below
}

/// So many machines, every other one of which runs on, and a station with a job on each of them.
fn beds(directory: &std::path::Path, strokes_each: u32) -> (Station, Vec<Bed>) {
    let beds: Vec<_> = (0..MACHINES)
        .map(|number| {
            let (name, runs_on) = (format!("m{number}"), number % 2 == 0);
            let place = directory.join(&name);
            std::fs::create_dir(&place).unwrap();
            let machine = if runs_on {
                Machine::running_on(&place, 20.0)
            } else {
                Machine::serial(&place, 20.0, Faults::default())
            };
            Bed { name, machine, runs_on, job: String::new(), certain: Vec::new() }
        })
        .collect();
    let devices: Vec<_> = beds
        .iter()
        .map(|bed| json!({"name": bed.name, "driver": "grbl", "port": bed.machine.port}))
        .collect();
    let station = with_devices(&Value::from(devices)).start();
    let submit_to = |mut bed: Bed| {
        bed.job = submit(&station, &format!("device={}", bed.name), &strokes(strokes_each));
        bed
    };
    let beds: Vec<_> = beds.into_iter().map(submit_to).collect();
    for bed in &beds {
        // More than a planner holds: where it was switched on, a machine does not know where it is.
        await_lines(&station, &bed.job, 30);
    }
    (station, beds)
}

impl Bed {
    /// Waits until a few lines more are acknowledged.
    fn draw_on(&self, station: &Station) {
        let done = station.job(&self.job)["lines_acknowledged"].as_u64().unwrap();
        await_lines(station, &self.job, done + 1 + random(20));
    }

    /// What a person does before the interrupted job goes on: what the plan wants, and no force.
    fn make_ready(&mut self, station: &Station) -> Value {
        station.await_job(&self.job, "INTERRUPTED");
        await_device(station, &self.name, "idle");
        let mut offer = plan(station, &self.job);
        if !self.runs_on {
            assert_eq!(offer["confidence"], "needs_homing", "{}: {offer}", self.name);
            station.cli(["device", "home", &self.name]).exited(0);
            offer = plan(station, &self.job);
        }
        assert_eq!(offer["confidence"], "certain", "{}: {offer}", self.name);
        // Two lines of setting up, four to a stroke.
        let certain = (offer["last_certain_line"].as_u64().unwrap().saturating_sub(2) / 4) as usize;
        let drawn = drawn(&self.machine, MANY);
        self.assert_left_alone(&drawn);
        assert!(certain >= self.certain.len(), "{}: what was certain is so no more", self.name);
        self.certain = drawn[..certain].to_vec();
        self.assert_drawn(&self.certain);
        json!({"token": offer["token"]})
    }

    fn go_on(&self, station: &Station, token: &Value) {
        confirm(station, &self.job, token).expect(200);
    }

    /// Fails if anything was drawn again that was done for certain.
    fn assert_left_alone(&self, drawn: &[usize]) {
        let now = &drawn[..self.certain.len()];
        assert_eq!(now, self.certain, "{}: a stroke that was done is drawn again", self.name);
    }

    /// Fails unless every stroke is there, and none twice but those of which nobody could know.
    fn assert_whole(&self, station: &Station) {
        await_done(station, &self.job);
        let drawn = drawn(&self.machine, STROKES);
        self.assert_left_alone(&drawn);
        self.assert_drawn(&drawn);
    }

    fn assert_drawn(&self, drawn: &[usize]) {
        assert!(drawn.iter().all(|times| *times >= 1), "{}: {drawn:?}", self.name);
        if self.runs_on {
            let once = drawn.iter().all(|times| *times == 1);
            assert!(once, "{}: its place tells what is done: {drawn:?}", self.name);
        }
    }
}

#[test]
fn a_hundred_pulled_cables_ruin_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (station, mut beds) = beds(directory.path(), STROKES);
    let station = &station;
    std::thread::scope(|scope| {
        for bed in &mut beds {
            scope.spawn(move || {
                for _ in 0..TIMES {
                    bed.draw_on(station);
                    bed.machine.plug(false);
                    station.await_job(&bed.job, "INTERRUPTED");
                    bed.machine.plug(true);
                    let token = bed.make_ready(station);
                    bed.go_on(station, &token);
                }
                bed.assert_whole(station);
            });
        }
    });
}

#[test]
fn a_station_that_is_killed_ten_times_in_ten_jobs_ruins_none_of_them() {
    let directory = tempfile::tempdir().unwrap();
    let (mut station, mut beds) = beds(directory.path(), MANY);
    for _ in 0..TIMES {
        beds[usize::try_from(random(MACHINES as u64)).unwrap()].draw_on(&station);
        station.kill();
        station.again();
        let station = &station;
        let tokens: Vec<_> = std::thread::scope(|scope| {
            let threads = beds.iter_mut().map(|bed| scope.spawn(move || bed.make_ready(station)));
            let threads: Vec<_> = threads.collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for (bed, token) in beds.iter().zip(&tokens) {
            bed.go_on(station, token);
        }
    }
}
