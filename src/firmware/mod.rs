//! The same protocols from the machine's side: simulated firmware, sans-IO.
//!
//! Written from the firmware's documentation and independently of the drivers and of `toolpath`, so
//! that a test of one against the other means something. Time is whatever the caller says it is.

mod drawing;
mod ebb;
mod faults;
mod grbl;
mod hpgl;
mod line;
mod marlin;
mod motion;
mod voice;
mod words;

use std::time::Duration;

pub use drawing::{Drawing, Move};
pub use ebb::{Ebb, EbbVersion};
pub use faults::Faults;
pub use grbl::Grbl;
pub use hpgl::Hpgl;
pub use line::Line;
pub use marlin::{Dialect, Marlin};

/// A machine's controller: bytes and time in, bytes and motion out. Times are measured from any
/// origin the caller likes, and never go back.
pub trait Firmware: Send {
    /// Starts anew, as after switching on; the position is taken to be where it was.
    fn power_on(&mut self, now: Duration);

    /// Bytes that have come over the wire.
    fn receive(&mut self, bytes: &[u8], now: Duration);

    /// Lets everything happen that happens until `now`.
    fn advance(&mut self, now: Duration);

    /// When something happens next by itself.
    fn wake(&self) -> Option<Duration>;

    /// Appends the bytes that it has to say.
    fn transmit(&mut self, out: &mut Vec<u8>);

    /// What it has drawn.
    fn drawing(&self) -> &Drawing;
}

/// The firmware that a driver of this name speaks to; `speed` times as fast as the real time, 0 =
/// motion takes no time. `None`: there is no such driver.
pub fn simulate(driver: &str, speed: f64, faults: Faults) -> Option<Box<dyn Firmware>> {
    match driver {
        "ebb" => Some(Box::new(Ebb::new(speed, faults))),
        "grbl" => Some(Box::new(Grbl::new(speed, faults))),
        "hpgl" => Some(Box::new(Hpgl::new(speed, faults))),
        "line" => Some(Box::new(Line::new(speed, faults))),
        "marlin" => Some(Box::new(Marlin::new(speed, faults))),
        _ => None,
    }
}
