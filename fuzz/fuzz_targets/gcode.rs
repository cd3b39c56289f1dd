//! G-code, for GRBL and for Marlin: see [`file_holds`].
#![no_main]

use libfuzzer_sys::fuzz_target;
use stationd_fuzz::file_holds;

fuzz_target!(|input: &[u8]| {
    let Some((piece, file)) = input.split_first() else { return };
    for driver in ["grbl", "marlin"] {
        file_holds(driver, file, usize::from(*piece));
    }
});
