//! The driver against the simulated firmware, in one thread, on a clock of their own.

mod cases;
mod laws;
mod people;

use std::time::Duration;

use super::*;
use crate::{
    drivers::{Halt, Plotter},
    firmware::{self, Faults, Firmware},
    toolpath::{Next, Splitter},
};

const SQUARE: &str = "G21 G90 (mm)\nG0 X10 Y10\nM3 S1000\nG1 X20 F1200 ; first side\n\nG1 Y20\n\
    G1 X10\nG1 Y10\nM5\nG0 X0 Y0\n";

/// A driver and a machine with a wire between them.
struct Bench {
    driver: Grbl,
    machine: firmware::Grbl,
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
    fn new(faults: Faults) -> Self {
        Self::with(faults, 1.0, &["M5", "G0 Z5"])
    }

    fn with(faults: Faults, speed: f64, on_stop: &[&str]) -> Self {
        let options = Options {
            timeout: Duration::from_secs(10),
            start_lines: vec!["G21".to_owned()],
            end_lines: vec!["M5".to_owned()],
            on_stop: on_stop.iter().map(|line| (*line).to_owned()).collect(),
            plotter: Plotter::default(),
        };
        let random = faults.seed | 1;
        let mut bench = Self {
            driver: Grbl::new(options),
            machine: firmware::Grbl::new(speed, faults),
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
        let mut bench = Self::new(faults);
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
        assert_eq!(self.machine.drawing().overflows, 0, "the receive buffer overflowed");
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

    /// The lines that went over the wire, realtime bytes left out.
    fn lines(&self) -> Vec<String> {
        let text: Vec<u8> =
            self.wire.iter().copied().filter(|byte| !b"?!~\x18".contains(byte)).collect();
        String::from_utf8(text).unwrap().lines().map(str::to_owned).collect()
    }

    /// Where it drew, X Y, and whether it drew.
    fn drawn(&self) -> Vec<(f64, f64, bool)> {
        self.machine.drawing().moves.iter().map(|to| (to.to[0], to.to[1], to.draw)).collect()
    }
}

fn sendable(file: &str) -> Vec<String> {
    let mut splitter = Splitter::new();
    splitter.supply(file.as_bytes());
    splitter.finish();
    let (mut line, mut lines) = (Vec::new(), Vec::new());
    while let Next::Line(_) = splitter.next_line(&mut line) {
        lines.push(String::from_utf8(line.clone()).unwrap());
    }
    lines
}
