//! The driver against the simulated plotter, in one thread, on a clock of their own.

mod cases;
mod laws;

use std::time::Duration;

use super::*;
use crate::{
    drivers::{Plotter, StopPoint},
    firmware::{self, Faults, Firmware},
};

/// A square and a line with another pen, an instruction a line; 20 cm/s.
const SQUARE: &str = "IN;\nSP1;\nVS20;\nPU400,400;\nPD800,400,800,800;\nPD400,800,400,400;\nPU;\nSP2;\n\
    PU400,1200;\nPD800,1200;\nPU0,0;\n";

/// Instructions in it.
const LINES: u64 = 11;

/// What it draws, X Y in millimetres.
const DRAWN: [(f64, f64); 5] =
    [(20.0, 10.0), (20.0, 20.0), (10.0, 20.0), (10.0, 10.0), (20.0, 30.0)];

/// A driver and a machine with a wire between them.
struct Bench {
    driver: Hpgl,
    machine: firmware::Hpgl,
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
        Self::with(faults, 1.0, 1024, HpglOptions::default())
    }

    fn with(faults: Faults, speed: f64, buffer: usize, hpgl: HpglOptions) -> Self {
        let options = Options {
            timeout: Duration::from_secs(5),
            start_lines: vec!["PT.3;".to_owned()],
            end_lines: vec!["SP0;".to_owned()],
            on_stop: vec!["PU0,0".to_owned()],
            plotter: Plotter { hpgl, ..Plotter::default() },
        };
        let random = faults.seed | 1;
        let mut bench = Self {
            driver: Hpgl::new(options),
            machine: firmware::Hpgl::with_buffer(speed, faults, buffer),
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
        assert_eq!(self.machine.drawing().overflows, 0, "the buffer overflowed");
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
        self.events.iter().filter_map(fault_of).collect()
    }

    /// The instructions that went into the buffer, questions left out.
    fn lines(&self) -> Vec<String> {
        let mut text = String::from_utf8(self.wire.clone()).unwrap();
        // What was being sent ends there.
        text = text.replace("\x1b.K", ";");
        for sequence in ["(", "R", "M;;;10:", "B", "O", "E", "L"] {
            text = text.replace(&format!("\x1b.{sequence}"), "");
        }
        // The last one may be on its way still.
        let whole = text.rsplit_once(';').map_or("", |(whole, _)| whole);
        let asks = |line: &str| ["OA", "OE", "OI"].contains(&line);
        whole.split(';').filter(|line| !line.is_empty() && !asks(line)).map(str::to_owned).collect()
    }

    /// Where it drew.
    fn drawn(&self) -> Vec<(f64, f64)> {
        let moves = self.machine.drawing().moves.iter();
        moves.filter(|to| to.draw).map(|to| (to.to[0], to.to[1])).collect()
    }
}

fn fault_of(event: &Event) -> Option<&String> {
    match event {
        Event::Fault(message) => Some(message),
        _ => None,
    }
}

/// The instructions of a file of one a line.
fn sendable(file: &str) -> Vec<String> {
    file.lines().map(|line| line.trim_end_matches(';').to_owned()).collect()
}
