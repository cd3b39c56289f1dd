//! SVG, plain and compressed, as a program for each machine: see [`program_holds`].
#![no_main]

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use libfuzzer_sys::fuzz_target;
use stationd::{domain::PlotOptions, toolpath::FileKind};
use stationd_fuzz::program_holds;

fuzz_target!(|input: &[u8]| {
    let Some((choice, file)) = input.split_first() else { return };
    // Coarse curves have few points, and much is tried in the same time.
    let options =
        PlotOptions { tolerance_mm: 0.5, optimise: choice & 8 == 0, ..PlotOptions::default() };
    let driver = ["grbl", "ebb", "hpgl", "marlin"][usize::from(choice % 4)];
    if choice & 4 == 0 {
        return program_holds(FileKind::Svg, driver, file, &options);
    }
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(file).unwrap();
    program_holds(FileKind::Svg, driver, &packed.finish().unwrap(), &options);
});
