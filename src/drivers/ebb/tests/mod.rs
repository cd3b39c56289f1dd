//! The driver against the simulated board, in one thread, on a clock of their own.

mod cases;
mod laws;
mod people;

use std::time::Duration;

use super::*;
use crate::{
    drivers::{Plotter, StopPoint},
    firmware::{self, EbbVersion, Faults, Firmware},
    toolpath::{
        Drawing, Layer,
        plan::{EbbOptions, plan},
    },
};

/// Two strokes, the first long, as commands: 20 mm/s.
const STROKES: &str = "SP,1,100 ; up\nXM,500,800,0\nSP,0,100\nXM,250,400,0\nXM,250,400,0\n# on\n\
    XM,250,0,400\nXM,250,0,400\nSP,1,100\nXM,500,800,0\nSP,0,100\nXM,250,400,0\nSP,1,100\n\
    XM,1000,-2800,-800\n";

/// Commands in it.
const COMMANDS: u64 = 13;

/// A driver and a machine with a wire between them.
struct Bench {
    driver: Ebb,
    machine: firmware::Ebb,
    now: Duration,
    /// All that went to the machine.
    wire: Vec<u8>,
    up: Vec<u8>,
    down: Vec<u8>,
    file: Option<Vec<u8>>,
    events: Vec<Event>,
    random: u64,
}

impl Bench {
    fn new(faults: Faults, version: EbbVersion) -> Self {
        Self::with(faults, version, 1.0, &["HM,3000"])
    }

    fn with(faults: Faults, version: EbbVersion, speed: f64, on_stop: &[&str]) -> Self {
        let options = Options {
            timeout: Duration::from_secs(5),
            start_lines: vec!["SL,3,4".to_owned()],
            end_lines: vec!["SL,4,4".to_owned()],
            on_stop: on_stop.iter().map(|line| (*line).to_owned()).collect(),
            plotter: Plotter {
                ebb: EbbOptions { raise_ms: 100, lower_ms: 100, ..EbbOptions::default() },
                ..Plotter::default()
            },
        };
        let random = faults.seed | 1;
        let mut bench = Self {
            driver: Ebb::new(options),
            machine: firmware::Ebb::with_version(speed, faults, version),
            now: Duration::from_secs(1),
            wire: Vec::new(),
            up: Vec::new(),
            down: Vec::new(),
            file: None,
            events: Vec::new(),
            random,
        };
        bench.machine.power_on(bench.now);
        bench.driver.opened(bench.now);
        bench
    }

    fn ready(faults: Faults) -> Self {
        Self::ready_with(faults, EbbVersion::V3)
    }

    fn ready_with(faults: Faults, version: EbbVersion) -> Self {
        let mut bench = Self::new(faults, version);
        bench.until("it is idle", |bench| bench.status() == Some(DeviceStatus::Idle));
        bench
    }

    fn status(&self) -> Option<DeviceStatus> {
        self.driver.shown.as_ref().map(|shown| shown.0)
    }

    fn dice(&mut self) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random % 1000).unwrap()
    }

    fn run(&mut self, file: &str) {
        self.run_from(file, Start::default());
    }

    fn run_from(&mut self, file: &str, start: Start) {
        self.file = Some(file.as_bytes().to_vec());
        self.command(Command::Start(start));
    }

    fn command(&mut self, command: Command) {
        self.driver.command(command, self.now);
        self.step();
    }

    /// Moves some bytes each way, or the clock.
    fn step(&mut self) {
        while self.driver.wants_file()
            && let Some(file) = &mut self.file
        {
            if file.is_empty() {
                self.driver.end_of_file(self.now);
                self.file = None;
            } else {
                let piece: Vec<u8> = file.drain(..file.len().min(50)).collect();
                self.driver.supply(&piece, self.now);
            }
        }
        self.driver.transmit(&mut self.up);
        self.machine.transmit(&mut self.down);
        let mut quiet = true;
        if !self.up.is_empty() {
            let count = 1 + self.dice() % self.up.len();
            let piece: Vec<u8> = self.up.drain(..count).collect();
            self.machine.receive(&piece, self.now);
            self.wire.extend(piece);
            quiet = false;
        }
        if !self.down.is_empty() {
            let count = 1 + self.dice() % self.down.len();
            let piece: Vec<u8> = self.down.drain(..count).collect();
            self.driver.receive(&piece, self.now);
            quiet = false;
        }
        if quiet {
            let next = [self.driver.deadline(), self.machine.wake()].into_iter().flatten().min();
            // A clock that stands would be a busy loop in the link.
            self.now = next.unwrap_or(self.now).max(self.now + Duration::from_micros(50));
        } else {
            self.now += Duration::from_micros(100);
        }
        self.machine.advance(self.now);
        if self.driver.deadline().is_some_and(|at| at <= self.now) {
            self.driver.tick(self.now);
        }
        while let Some(event) = self.driver.event() {
            self.events.push(event);
        }
    }

    fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let limit = self.now + Duration::from_hours(1);
        for _ in 0..2_000_000 {
            if done(self) {
                return;
            }
            self.step();
            assert!(self.now < limit, "waited an hour until {what}: {:?}", self.events);
        }
        panic!("waited in vain until {what}: {:?}", self.events);
    }

    fn end(&mut self) -> End {
        self.until("the job ends", |bench| bench.ends().next().is_some());
        // Nothing may follow that ends it again.
        for _ in 0..200 {
            self.step();
        }
        assert_eq!(self.ends().count(), 1, "{:?}", self.events);
        self.ends().next().unwrap()
    }

    fn ends(&self) -> impl Iterator<Item = End> {
        self.events.iter().filter_map(|event| match event {
            Event::Ended(end) => Some(end.clone()),
            _ => None,
        })
    }

    fn has(&self, wanted: &Event) -> bool {
        self.events.contains(wanted)
    }

    fn faults(&self) -> Vec<&String> {
        self.events
            .iter()
            .filter_map(|event| match event {
                Event::Fault(message) => Some(message),
                _ => None,
            })
            .collect()
    }

    /// The commands that went over the wire, questions left out.
    fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(self.wire.clone()).unwrap();
        let asks = |line: &str| ["QG", "QS", "QC", "QL", "QU,2", "QU,3", "QE"].contains(&line);
        // The last one may be on its way still.
        let whole = text.rsplit_once('\r').map_or("", |(whole, _)| whole);
        whole
            .split('\r')
            .filter(|line| !line.is_empty() && !asks(line))
            .map(str::to_owned)
            .collect()
    }

    /// What it sends to connect.
    fn greeting(version: EbbVersion) -> usize {
        match version {
            EbbVersion::V2 => 5,
            EbbVersion::V3 => 7,
        }
    }

    /// Where it drew, X Y, and whether it drew; pen moves left out.
    fn drawn(&self) -> Vec<(f64, f64, bool)> {
        let mut at = [0.0_f64, 0.0];
        let moves = self.machine.drawing().moves.iter().filter_map(|to| {
            let moved = (at[0] - to.to[0]).hypot(at[1] - to.to[1]) > 0.0;
            at = [to.to[0], to.to[1]];
            moved.then_some((to.to[0], to.to[1], to.draw))
        });
        moves.collect()
    }
}

/// The commands of a file, comments left out.
fn sendable(file: &str) -> Vec<String> {
    let code = |line: &str| line.split([';', '#']).next().unwrap().trim().to_owned();
    file.lines().map(code).filter(|line| !line.is_empty()).collect()
}
