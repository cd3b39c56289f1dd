//! What programs and unknown machines say: how far a job is, which driver suits. Whatever it is, it
//! is short enough to be shown, and a figure that JSON can carry.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stationd::{daemons::job_queue::progress_of, drivers, link::recognise};

fuzz_target!(|input: &[u8]| {
    if let Some((driver, line)) = recognise(input) {
        assert!(drivers::NAMES.contains(&driver), "{driver}");
        assert!(line.chars().count() <= 200 && !line.contains(char::is_control), "{line:?}");
    }
    for line in String::from_utf8_lossy(input).lines() {
        let Some(progress) = progress_of(line) else { continue };
        assert!((0.0..=100.0).contains(&progress.progress_percentage), "{progress:?}");
        assert!(progress.eta_seconds.is_none_or(|it| it.is_finite() && it >= 0.0), "{progress:?}");
        assert!(progress.message.is_none_or(|it| it.chars().count() <= 200 && !it.is_empty()));
    }
});
