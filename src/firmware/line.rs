//! A plain machine: it acknowledges each line, and that is all that is known of it.
//!
//! It understands `G0` and `G1` with X, Y, Z and F in absolute millimetres, and `home`; a line that
//! begins with `bad` is refused; everything else is acknowledged and has no effect. `!` stops it at
//! once, wherever it stands, and is never acknowledged.

use std::{collections::VecDeque, time::Duration};

use super::{
    Drawing, Faults, Firmware,
    motion::{Block, Planner, distance},
    voice::Voice,
    words::{value, words},
};

/// Bytes that wait to be read, at most.
const RX: usize = 256;

/// Moves that wait to be made, and one more.
const BLOCKS: usize = 9;

/// A simulated machine of no particular kind.
pub struct Line {
    speed: f64,
    faults: Faults,
    now: Duration,
    voice: Voice,
    rx: VecDeque<u8>,
    text: Vec<u8>,
    planner: Planner,
    /// A move that did not fit into the planner; its line is not acknowledged yet.
    waits: Option<Block>,
    feed: f64,
    lines: u64,
}

impl Line {
    /// A machine at its origin, `speed` times as fast as the real time (0 = motion takes no time).
    pub fn new(speed: f64, faults: Faults) -> Self {
        Self {
            speed,
            voice: Voice::new(&faults),
            faults,
            now: Duration::ZERO,
            rx: VecDeque::new(),
            text: Vec::new(),
            planner: Planner::new(BLOCKS, speed <= 0.0),
            waits: None,
            feed: 1500.0,
            lines: 0,
        }
    }

    fn say(&mut self, line: &str) {
        self.voice.say(line, self.now);
    }

    fn boot(&mut self) {
        self.stop();
        self.feed = 1500.0;
    }

    fn stop(&mut self) {
        self.planner.clear();
        self.rx.clear();
        self.text.clear();
        self.waits = None;
    }

    /// Reads lines until a move must be waited for.
    fn run(&mut self) {
        loop {
            if let Some(block) = self.waits {
                if !self.planner.has_room() {
                    return;
                }
                self.waits = None;
                self.planner.push(block);
                self.acknowledge();
            }
            match self.rx.pop_front() {
                None => return,
                Some(b'\r' | b'\n') if self.text.is_empty() => {}
                Some(b'\r' | b'\n') => {
                    let line = std::mem::take(&mut self.text);
                    self.carry_out(String::from_utf8_lossy(&line).trim());
                }
                Some(byte) => self.text.push(byte),
            }
        }
    }

    fn carry_out(&mut self, line: &str) {
        self.lines += 1;
        self.planner.drawing.lines += 1;
        let at = self.lines;
        if self.faults.silent_at_line == Some(at) {
            self.voice.silent = true;
        }
        if self.faults.reset_at_line == Some(at) {
            self.boot();
            return self.greet();
        }
        if line.starts_with("bad") || self.faults.error_at_line.is_some_and(|(line, _)| line == at)
        {
            return self.say(&format!("error: line {at} is not understood"));
        }
        if line == "home" {
            self.waits = Some(Block { to: [0.0; 4], speed: 50.0, draw: false });
            return;
        }
        let words = words(line);
        match words.first() {
            Some((b'G', Some(motion))) if *motion <= 1.0 => {
                self.feed = value(&words, b'F').unwrap_or(self.feed);
                let mut to = self.planner.end();
                for (axis, letter) in b"XYZ".iter().enumerate() {
                    to[axis] = value(&words, *letter).unwrap_or(to[axis]);
                }
                let speed = (self.feed / 60.0).clamp(0.01, 300.0);
                let block = Block { to, speed, draw: *motion > 0.0 && to[2] <= 0.0 };
                if distance(self.planner.end(), to) > 0.0 {
                    self.waits = Some(block);
                } else {
                    self.acknowledge();
                }
            }
            _ => self.acknowledge(),
        }
    }

    fn acknowledge(&mut self) {
        let here = |at: Option<u64>| at == Some(self.lines);
        let (dropped, doubled) = (here(self.faults.drop_ok), here(self.faults.double_ok));
        match self.faults.late_ok {
            _ if dropped => {}
            Some((line, hold)) if line == self.lines => self.voice.say_after("ok", hold, self.now),
            _ => self.say("ok"),
        }
        if doubled {
            self.say("ok");
        }
    }

    fn greet(&mut self) {
        self.say("line machine ready");
    }

    fn motion_at(&self) -> Option<(Duration, f64)> {
        let seconds = self.planner.next()?;
        let wait = if self.speed > 0.0 { seconds / self.speed } else { 0.0 };
        Some((self.now + Duration::try_from_secs_f64(wait).ok()?, seconds))
    }
}

impl Firmware for Line {
    fn power_on(&mut self, now: Duration) {
        self.now = now;
        self.voice.clear();
        self.lines = 0;
        self.boot();
        if !self.faults.no_banner {
            self.greet();
        }
    }

    fn receive(&mut self, bytes: &[u8], now: Duration) {
        self.advance(now);
        for byte in bytes {
            if *byte == b'!' {
                self.stop();
                self.say("stopped");
            } else if self.rx.len() < RX {
                self.rx.push_back(*byte);
            } else {
                self.planner.drawing.overflows += 1;
            }
            self.run();
        }
    }

    fn advance(&mut self, now: Duration) {
        while let Some((at, seconds)) = self.motion_at()
            && at <= now
        {
            self.now = self.now.max(at);
            self.planner.advance(seconds);
            self.run();
        }
        let seconds = now.saturating_sub(self.now).as_secs_f64();
        self.planner.advance(seconds * self.speed);
        self.now = self.now.max(now);
        self.run();
    }

    fn wake(&self) -> Option<Duration> {
        let motion = self.motion_at().map(|(at, _)| at);
        [motion, self.voice.wake()].into_iter().flatten().min()
    }

    fn transmit(&mut self, out: &mut Vec<u8>) {
        self.voice.advance(self.now);
        self.voice.transmit(out);
    }

    fn drawing(&self) -> &Drawing {
        &self.planner.drawing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tell(machine: &mut Line, text: &str) -> String {
        machine.receive(text.as_bytes(), Duration::ZERO);
        let mut out = Vec::new();
        machine.transmit(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lines_are_acknowledged_refused_and_stopped() {
        let mut machine = Line::new(1.0, Faults::default());
        machine.power_on(Duration::ZERO);
        assert_eq!(tell(&mut machine, "hello\r\n\n"), "line machine ready\nok\n");
        assert_eq!(tell(&mut machine, "bad thing\n"), "error: line 2 is not understood\n");
        let once = "G1 X100 F60\n".repeat(20);
        assert_eq!(tell(&mut machine, &once).lines().count(), 20, "no way is no move");
        let away: String =
            (1..=20).map(|x| format!("G1 X{x}")).collect::<Vec<_>>().join("\n") + "\n";
        assert_eq!(tell(&mut machine, &away).lines().count(), 7, "no room for more");
        assert_eq!(tell(&mut machine, "!"), "stopped\n");
        assert_eq!(tell(&mut machine, "G1 X1\n"), "ok\n");
    }
}
