//! Two hundred interruptions at random points: pulled cables and killed stations, on machines of all
//! kinds that can be gone on with.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    path::Path,
};

use serde_json::{Value, json};
use stationd::firmware::Faults;

use super::{
    await_device, await_done, await_lines,
    bench::Machine,
    resume::{confirm, plan},
    submit, with_devices,
};
use crate::support::{Station, eventually};

const MACHINES: usize = 10;
const TIMES: usize = 10;
/// Of a job that is to be finished.
const STROKES: u32 = 300;
/// Of one that only has to last.
const MANY: u32 = 1000;

/// The kinds of machines.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// It starts anew when its port is opened.
    Grbl,
    /// It runs on, and where it stands tells what it has done.
    GrblRunningOn,
    Marlin,
    /// It starts anew without its cable's power, and has to be pushed home.
    Ebb,
    /// It has a supply of its own, and says nothing of what it has done.
    Hpgl,
}

const KINDS: [Kind; 5] = [Kind::Grbl, Kind::GrblRunningOn, Kind::Marlin, Kind::Ebb, Kind::Hpgl];

impl Kind {
    fn driver(self) -> &'static str {
        match self {
            Self::Grbl | Self::GrblRunningOn => "grbl",
            Self::Marlin => "marlin",
            Self::Ebb => "ebb",
            Self::Hpgl => "hpgl",
        }
    }

    fn machine(self, directory: &Path) -> Machine {
        // A plotter that is fast would draw all that its buffer holds before anybody has looked.
        let speed = if self == Self::Hpgl { 3.0 } else { 20.0 };
        let machine = Machine::of(self.driver(), directory, speed, Faults::default());
        match self {
            Self::GrblRunningOn | Self::Ebb | Self::Hpgl => machine.run_on(),
            Self::Grbl | Self::Marlin => machine,
        }
    }

    /// How far strokes are apart in millimetres: a thousand must be on the sheet.
    fn spacing(self) -> f64 {
        if matches!(self, Self::Ebb | Self::Hpgl) { 0.1 } else { 1.0 }
    }

    /// So many strokes from X 0 to 50, the pen up before each: two lines, four to each stroke, and a
    /// last one.
    fn file(self, count: u32) -> String {
        let strokes = |each: &dyn Fn(u32) -> String| (1..=count).map(each).collect::<String>();
        match self {
            Self::Grbl | Self::GrblRunningOn | Self::Marlin => {
                let stroke = |n| format!("G0 Z5\nG0 X0 Y{n}\nG1 Z0 F6000\nG1 X50 F6000\n");
                format!("G21\nG90\n{}G0 Z5\n", strokes(&stroke))
            }
            // 80 steps are a millimetre.
            Self::Ebb => {
                let stroke = |n| {
                    let back = if n == 1 { 0 } else { -4000 };
                    format!("SP,1,20\nXM,200,{back},8\nSP,0,20\nXM,200,4000,0\n")
                };
                format!("# strokes\n# of 50 mm\n{}SP,1,20\n", strokes(&stroke))
            }
            // 40 units are a millimetre.
            Self::Hpgl => {
                let stroke = |n| format!("PU;\nPU0,{0};\nPD;\nPD2000,{0};\n", n * 4);
                format!("IN;\nSP1;\n{}PU;\n", strokes(&stroke))
            }
        }
    }
}

/// A machine, the job on it, and what is known of it.
struct Bed {
    name: String,
    machine: Machine,
    kind: Kind,
    job: String,
    /// How often each stroke was drawn that was done for certain when the job last went on.
    certain: Vec<usize>,
}

fn random(below: u64) -> u64 {
    RandomState::new().build_hasher().finish() % below
}

/// So many machines, and a station with a job on each of them.
fn beds(directory: &Path, strokes: u32) -> (Station, Vec<Bed>) {
    let beds: Vec<_> = KINDS
        .into_iter()
        .cycle()
        .take(MACHINES)
        .enumerate()
        .map(|(number, kind)| {
            let name = format!("{}{number}", kind.driver());
            let place = directory.join(&name);
            std::fs::create_dir(&place).unwrap();
            let machine = kind.machine(&place);
            Bed { name, machine, kind, job: String::new(), certain: Vec::new() }
        })
        .collect();
    let devices: Vec<_> = beds
        .iter()
        .map(|bed| json!({"name": bed.name, "driver": bed.kind.driver(), "port": bed.machine.port}))
        .collect();
    let station = with_devices(&Value::from(devices)).start();
    let submit_to = |mut bed: Bed| {
        let name = if bed.kind == Kind::Ebb { "strokes.ebb" } else { "strokes" };
        let query = format!("device={}&name={name}", bed.name);
        bed.job = submit(&station, &query, &bed.kind.file(strokes));
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
    /// How often each stroke was drawn to its end.
    fn drawn(&self, count: u32) -> Vec<usize> {
        let moves = self.machine.drawing().moves;
        let near = |is: f64, wanted: f64| (is - wanted).abs() < 0.04;
        let times = |n: u32| {
            let y = f64::from(n) * self.kind.spacing();
            moves.iter().filter(|it| it.draw && near(it.to[0], 50.0) && near(it.to[1], y)).count()
        };
        (1..=count).map(times).collect()
    }

    /// Waits until a few lines more are acknowledged, or the job is done.
    fn draw_on(&self, station: &Station) {
        let job = station.job(&self.job);
        let [done, total] =
            ["lines_acknowledged", "lines_total"].map(|it| job[it].as_u64().unwrap());
        await_lines(station, &self.job, total.min(done + 1 + random(20)));
    }

    /// The cable is pulled. False if the job was done before: nobody is fast enough for each.
    fn unplug(&self, station: &Station) -> bool {
        self.machine.plug(false);
        let state = eventually("the job does not run any more", || {
            let state = station.job(&self.job)["state"].as_str()?.to_owned();
            (state != "RUNNING").then_some(state)
        });
        if self.kind == Kind::Ebb {
            self.machine.push_home();
        }
        self.machine.plug(true);
        state == "INTERRUPTED"
    }

    /// What a person does before the interrupted job goes on: what the plan wants, and no force.
    fn make_ready(&mut self, station: &Station) -> Value {
        station.await_job(&self.job, "INTERRUPTED");
        await_device(station, &self.name, "idle");
        let mut offer = plan(station, &self.job);
        if self.kind != Kind::GrblRunningOn {
            assert_eq!(offer["confidence"], "needs_homing", "{}: {offer}", self.name);
            station.cli(["device", "home", &self.name]).exited(0);
            offer = plan(station, &self.job);
        }
        assert_eq!(offer["confidence"], "certain", "{}: {offer}", self.name);
        // Two lines of setting up, four to a stroke.
        let certain = (offer["last_certain_line"].as_u64().unwrap().saturating_sub(2) / 4) as usize;
        let drawn = self.drawn(MANY);
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
        let drawn = self.drawn(STROKES);
        self.assert_left_alone(&drawn);
        self.assert_drawn(&drawn);
    }

    fn assert_drawn(&self, drawn: &[usize]) {
        assert!(drawn.iter().all(|times| *times >= 1), "{}: {drawn:?}", self.name);
        if self.kind == Kind::GrblRunningOn {
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
                let mut times = 0;
                while times < TIMES {
                    bed.draw_on(station);
                    if !bed.unplug(station) {
                        break;
                    }
                    times += 1;
                    let token = bed.make_ready(station);
                    bed.go_on(station, &token);
                }
                assert!(times >= TIMES / 2, "{}: {times} interruptions", bed.name);
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
