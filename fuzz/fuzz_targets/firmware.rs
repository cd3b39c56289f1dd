//! Each simulated machine, whatever it is sent and whatever goes wrong with it: it comes to rest,
//! and says no more than it was asked.
#![no_main]

use std::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use stationd::firmware::{Faults, Firmware, simulate};
use stationd_fuzz::driver;

#[derive(Arbitrary, Debug)]
struct Machine<'a> {
    driver: u8,
    speed: u8,
    wrong: Wrong,
    /// How many bytes come at a time, and how much time passes between them.
    pace: [u8; 4],
    bytes: &'a [u8],
}

#[derive(Arbitrary, Debug)]
struct Wrong {
    seed: u64,
    no_banner: bool,
    drop_ok: Option<u8>,
    double_ok: Option<u8>,
    late_ok: Option<(u8, u16)>,
    lose_byte: u8,
    garbage: u8,
    storm_at: Option<u8>,
    reset_at: Option<u8>,
    error_at: Option<(u8, u8)>,
    alarm_at: Option<(u8, u8)>,
    press_at: Option<u8>,
    delay: u8,
}

impl Wrong {
    fn faults(&self) -> Faults {
        Faults {
            seed: self.seed,
            no_banner: self.no_banner,
            drop_ok: self.drop_ok.map(u64::from),
            double_ok: self.double_ok.map(u64::from),
            late_ok: self.late_ok.map(|(at, ms)| (at.into(), Duration::from_millis(ms.into()))),
            lose_byte: f64::from(self.lose_byte) / 1000.0,
            garbage: f64::from(self.garbage) / 1000.0,
            storm_at_line: self.storm_at.map(u64::from),
            reset_at_line: self.reset_at.map(u64::from),
            error_at_line: self.error_at.map(|(at, number)| (at.into(), number)),
            alarm_at_line: self.alarm_at.map(|(at, number)| (at.into(), number)),
            press_button_at_line: self.press_at.map(u64::from),
            delay: Duration::from_millis(self.delay.into()),
            ..Faults::default()
        }
    }
}

/// Nobody waits longer than a hundred years.
const END: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Lets all happen that happens until then, and hears what is said.
fn advance(machine: &mut dyn Firmware, now: Duration) {
    let mut said = Vec::new();
    for _ in 0..1000 {
        machine.advance(now);
        machine.transmit(&mut said);
        assert!(said.len() <= 1 << 20, "it talks without end");
        if machine.wake().is_none_or(|next| next > now) {
            return;
        }
    }
    panic!("it never rests at {now:?}: {:?}", machine.wake());
}

fuzz_target!(|input: Machine<'_>| {
    let speed = [0.0, 1.0, 1000.0][usize::from(input.speed) % 3];
    let mut machine = simulate(driver(input.driver), speed, input.wrong.faults()).unwrap();
    let (mut now, mut bytes) = (Duration::from_secs(1), input.bytes);
    machine.power_on(now);
    for pace in input.pace.iter().cycle() {
        let (piece, rest) = bytes.split_at(bytes.len().min(usize::from(pace % 64) + 1));
        machine.receive(piece, now);
        advance(&mut *machine, now);
        now = match (pace / 64, machine.wake()) {
            (0, _) => now,
            (1, _) => now + Duration::from_millis(u64::from(*pace)),
            // Until something happens by itself.
            (_, next) => next.filter(|next| *next < END).unwrap_or(now).max(now),
        };
        advance(&mut *machine, now);
        bytes = rest;
        if bytes.is_empty() {
            break;
        }
    }
    for _ in 0..100 {
        let Some(next) = machine.wake().filter(|next| *next < END) else { return };
        now = now.max(next);
        advance(&mut *machine, now);
    }
});
