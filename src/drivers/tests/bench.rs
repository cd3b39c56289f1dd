//! A driver and a simulated machine with a wire between them, in one thread, on a clock of their
//! own.

use std::time::Duration;

use crate::{
    domain::DeviceStatus,
    drivers::{Checkpoint, Command, Driver, End, Event, Options, Start},
    firmware::Firmware,
};

/// Both, and all that went over the wire.
pub(in crate::drivers) struct Bench {
    pub(in crate::drivers) driver: Box<dyn Driver>,
    pub(in crate::drivers) machine: Box<dyn Firmware>,
    pub(in crate::drivers) now: Duration,
    /// All that went to the machine.
    pub(in crate::drivers) wire: Vec<u8>,
    pub(in crate::drivers) up: Vec<u8>,
    pub(in crate::drivers) down: Vec<u8>,
    pub(in crate::drivers) events: Vec<Event>,
    /// When the job ended.
    pub(in crate::drivers) ended: Option<Duration>,
    file: Option<Vec<u8>>,
    random: u64,
}

/// What a driver is mostly told.
pub(in crate::drivers) fn options() -> Options {
    Options { timeout: Duration::from_secs(10), ..Options::default() }
}

impl Bench {
    /// The port has just been opened, which switches the machine on.
    pub(in crate::drivers) fn new(
        driver: Box<dyn Driver>,
        machine: Box<dyn Firmware>,
        seed: u64,
    ) -> Self {
        let mut bench = Self {
            driver,
            machine,
            now: Duration::from_secs(1),
            wire: Vec::new(),
            up: Vec::new(),
            down: Vec::new(),
            events: Vec::new(),
            ended: None,
            file: None,
            random: seed | 1,
        };
        bench.machine.power_on(bench.now);
        bench.driver.opened(bench.now);
        bench
    }

    /// The last status that was told.
    pub(in crate::drivers) fn status(&self) -> Option<DeviceStatus> {
        self.events.iter().rev().find_map(|event| match event {
            Event::Status(status, _) => Some(*status),
            _ => None,
        })
    }

    /// A number below `limit`.
    pub(in crate::drivers) fn dice(&mut self, limit: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random % u64::try_from(limit).unwrap()).unwrap()
    }

    pub(in crate::drivers) fn run(&mut self, file: &str) {
        self.run_from(file, Start::default());
    }

    pub(in crate::drivers) fn run_from(&mut self, file: &str, start: Start) {
        self.file = Some(file.as_bytes().to_vec());
        self.command(Command::Start(start));
    }

    pub(in crate::drivers) fn command(&mut self, command: Command) {
        self.driver.command(command, self.now);
        self.step();
    }

    /// The cable is pulled.
    pub(in crate::drivers) fn unplug(&mut self) {
        self.driver.closed("the link was lost", self.now);
        (self.up, self.down) = (Vec::new(), Vec::new());
        self.collect();
    }

    /// The cable is plugged in, which switches the machine on.
    pub(in crate::drivers) fn plug(&mut self) {
        self.machine.power_on(self.now);
        self.driver.opened(self.now);
    }

    /// Moves some bytes each way, or the clock.
    pub(in crate::drivers) fn step(&mut self) {
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
            let count = 1 + self.dice(self.up.len());
            let piece: Vec<u8> = self.up.drain(..count).collect();
            self.machine.receive(&piece, self.now);
            self.wire.extend(piece);
            quiet = false;
        }
        if !self.down.is_empty() {
            let count = 1 + self.dice(self.down.len());
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
        self.collect();
    }

    fn collect(&mut self) {
        while let Some(event) = self.driver.event() {
            if matches!(event, Event::Ended(_)) {
                self.ended = Some(self.now);
            }
            self.events.push(event);
        }
    }

    pub(in crate::drivers) fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        assert!(self.tries(Duration::from_hours(2), done), "waited in vain until {what}: {self:?}");
    }

    /// Goes on for so long at most; true if it was done.
    pub(in crate::drivers) fn tries(
        &mut self,
        patience: Duration,
        done: impl Fn(&Self) -> bool,
    ) -> bool {
        let limit = self.now + patience;
        for _ in 0..2_000_000 {
            if done(self) {
                return true;
            }
            if self.now >= limit {
                return false;
            }
            self.step();
        }
        panic!("it never rests: {self:?}");
    }

    pub(in crate::drivers) fn pass(&mut self, time: Duration) {
        self.tries(time, |_| false);
    }

    pub(in crate::drivers) fn until_idle(&mut self) {
        self.until("it is idle", |bench| bench.status() == Some(DeviceStatus::Idle));
    }

    /// Waits until the job has ended, and sees that it has ended once.
    pub(in crate::drivers) fn end(&mut self) -> End {
        self.until("the job ends", |bench| bench.ends().next().is_some());
        for _ in 0..200 {
            self.step();
        }
        assert_eq!(self.ends().count(), 1, "{self:?}");
        self.ends().next().unwrap()
    }

    pub(in crate::drivers) fn ends(&self) -> impl Iterator<Item = End> {
        self.events.iter().filter_map(|event| match event {
            Event::Ended(end) => Some(end.clone()),
            _ => None,
        })
    }

    pub(in crate::drivers) fn has(&self, wanted: &Event) -> bool {
        self.events.contains(wanted)
    }

    pub(in crate::drivers) fn any(&self, wanted: impl Fn(&Event) -> bool) -> bool {
        self.events.iter().any(wanted)
    }

    pub(in crate::drivers) fn checkpoint(&self) -> Checkpoint {
        self.driver.checkpoint()
    }

    /// Where it went, X Y, and whether it drew.
    pub(in crate::drivers) fn drawn(&self) -> Vec<(f64, f64, bool)> {
        self.machine.drawing().moves.iter().map(|to| (to.to[0], to.to[1], to.draw)).collect()
    }

    /// The lines that went over the wire, without numbers and checksums.
    pub(in crate::drivers) fn lines(&self) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.wire).into_owned();
        let bare = |line: &str| {
            let line = line.rsplit_once('*').map_or(line, |(line, _)| line);
            match line.strip_prefix('N') {
                Some(rest) => rest.split_once(' ').map_or("", |(_, code)| code).to_owned(),
                None => line.to_owned(),
            }
        };
        text.lines().filter(|line| !line.is_empty()).map(bare).collect()
    }
}

impl std::fmt::Debug for Bench {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let wire = String::from_utf8_lossy(&self.wire);
        let tail: Vec<&str> = wire.lines().rev().take(12).collect();
        let events: Vec<_> = self.events.iter().rev().take(12).collect();
        write!(f, "at {:?}: wire {tail:?}, events {events:#?}, {:?}", self.now, self.checkpoint())
    }
}
