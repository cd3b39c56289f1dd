//! A pen plotter like the HP 7475A, simulated: its small buffer, the device-control sequences that
//! act at once, and HP-GL. Sources: HP 7475A and 7470A Interfacing and Programming Manuals.
//!
//! Plotter units are 0.025 mm, X to the right, Y up, the origin in the lower left corner.

mod device;
mod graphics;
mod motion;
#[cfg(test)]
mod tests;

use std::{collections::VecDeque, time::Duration};

use device::Device;
use graphics::Graphics;
use motion::Motion;

use super::{Drawing, Faults, Firmware, voice::Voice};

/// Bytes the buffer of a 7475A holds; that of a 7470A holds 255.
const BUFFER: usize = 1024;

/// A simulated plotter.
pub struct Hpgl {
    speed: f64,
    faults: Faults,
    now: Duration,
    size: usize,
    buffer: VecDeque<u8>,
    device: Device,
    graphics: Graphics,
    motion: Motion,
    voice: Voice,
    /// Somebody has pressed VIEW: graphics are suspended.
    viewing: bool,
    /// Instructions carried out since it was switched on; faults count them.
    lines: u64,
}

impl Hpgl {
    /// A plotter with a pen in its holder, `speed` times as fast as the real time (0 = motion takes
    /// no time).
    pub fn new(speed: f64, faults: Faults) -> Self {
        Self::with_buffer(speed, faults, BUFFER)
    }

    /// The same with another buffer.
    pub fn with_buffer(speed: f64, faults: Faults, size: usize) -> Self {
        Self {
            speed,
            now: Duration::ZERO,
            size,
            buffer: VecDeque::with_capacity(size),
            device: Device::default(),
            graphics: Graphics::default(),
            motion: Motion::default(),
            voice: Voice::new(&faults),
            faults,
            viewing: false,
            lines: 0,
        }
    }

    /// Presses VIEW: it stands until it is pressed again.
    pub fn view(&mut self, viewing: bool) {
        self.viewing = viewing;
    }

    fn restart(&mut self) {
        self.buffer.clear();
        self.device = Device::default();
        self.graphics = Graphics::default();
        self.motion.stop();
    }

    /// Takes from the buffer until something must be waited for.
    fn run(&mut self) {
        loop {
            if self.viewing {
                return;
            }
            if self.speed <= 0.0 {
                while let Some(seconds) = self.motion.next() {
                    self.motion.advance(seconds);
                }
            }
            if !self.motion.is_empty() {
                return;
            }
            let Some(byte) = self.buffer.pop_front() else {
                if std::mem::take(&mut self.device.asks_length) {
                    let size = self.size.to_string();
                    self.reply(&size);
                }
                return;
            };
            self.take(byte);
            self.pace();
        }
    }

    /// Tells the host to go on, or to stop, when it has asked for that.
    fn pace(&mut self) {
        let free = self.size - self.buffer.len();
        if let Some(byte) = self.device.pace(free, self.buffer.len()) {
            self.voice.emit(&[byte], self.now);
        }
    }

    /// Answers, by the terminator that is set.
    fn reply(&mut self, text: &str) {
        let mut text = text.to_owned();
        text.push(char::from(self.device.terminator));
        self.voice.answer(&text, self.now);
    }
}

impl Firmware for Hpgl {
    fn power_on(&mut self, now: Duration) {
        self.now = now;
        // Opening the port changes nothing: such a plotter has a mains switch. What matters here is
        // that it can be switched off and on.
        self.restart();
        self.voice.clear();
        self.lines = 0;
    }

    fn receive(&mut self, bytes: &[u8], now: Duration) {
        self.advance(now);
        for byte in bytes {
            if self.control(*byte) {
            } else if self.buffer.len() < self.size {
                self.buffer.push_back(*byte);
                self.pace();
            } else {
                self.motion.drawing.overflows += 1;
                self.device.error = device::OVERFLOW;
            }
            // A real one reads its buffer all the time, not only when a burst is over.
            self.run();
        }
        self.voice.advance(self.now);
    }

    fn advance(&mut self, now: Duration) {
        self.run();
        while self.speed > 0.0
            && !self.viewing
            && let Some(seconds) = self.motion.next()
        {
            let wait = (seconds / self.speed).max(0.0);
            let Some(at) = Duration::try_from_secs_f64(wait).ok().map(|wait| self.now + wait)
            else {
                break;
            };
            if at > now {
                break;
            }
            self.motion.advance(seconds);
            self.now = at;
            self.run();
        }
        if self.speed > 0.0 && !self.viewing {
            self.motion.advance(now.saturating_sub(self.now).as_secs_f64() * self.speed);
        }
        self.now = self.now.max(now);
        self.run();
        self.voice.advance(self.now);
    }

    fn wake(&self) -> Option<Duration> {
        let motion = self.motion.next().filter(|_| self.speed > 0.0 && !self.viewing);
        let motion = motion.map(|seconds| {
            let wait = Duration::try_from_secs_f64((seconds / self.speed).max(0.0));
            self.now + wait.unwrap_or(Duration::MAX / 4)
        });
        [motion, self.voice.wake()].into_iter().flatten().min()
    }

    fn transmit(&mut self, out: &mut Vec<u8>) {
        self.voice.transmit(out);
    }

    fn drawing(&self) -> &Drawing {
        &self.motion.drawing
    }
}
