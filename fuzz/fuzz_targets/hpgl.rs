//! HP-GL as it is for a plotter (see [`file_holds`]) and as a drawing for other machines (see
//! [`program_holds`]).
#![no_main]

use libfuzzer_sys::fuzz_target;
use stationd::{domain::PlotOptions, toolpath::FileKind};
use stationd_fuzz::{file_holds, program_holds};

fuzz_target!(|input: &[u8]| {
    let Some((piece, file)) = input.split_first() else { return };
    file_holds("hpgl", file, usize::from(*piece));
    let driver = ["grbl", "ebb", "marlin"][usize::from(*piece) % 3];
    program_holds(FileKind::Hpgl, driver, file, &PlotOptions::default());
});
