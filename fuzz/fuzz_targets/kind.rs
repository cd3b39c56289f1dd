//! What kind a file is, by its name or its first bytes. Whatever it is taken for, a driver that
//! suits it gets a program, the file as it is or an error, and one that does not is refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stationd::{
    domain::{Machine, PlotOptions},
    toolpath::{ConvertError, FileKind, convert},
};
use stationd_fuzz::{driver, program_holds};

fuzz_target!(|input: &[u8]| {
    let Some((choice, input)) = input.split_first() else { return };
    let end = input.iter().position(|byte| *byte == 0).unwrap_or(0);
    let (name, file) = (String::from_utf8_lossy(&input[..end]), &input[end..]);
    let file = file.strip_prefix(b"\0").unwrap_or(file);
    let head = &file[..file.len().min(512)];
    let driver = driver(*choice);
    let options = PlotOptions { tolerance_mm: 0.5, ..PlotOptions::default() };
    for kind in [FileKind::of_content(head), FileKind::of(&name, head)].into_iter().flatten() {
        assert!(!kind.drivers().is_empty());
        let found = convert(kind, &Machine::unknown(driver), file, &options);
        let refused = matches!(found, Err(ConvertError::NoWay { .. }));
        assert_eq!(refused, !kind.suits(driver), "{kind:?} {driver}");
        let as_it_is = matches!(found, Ok(None));
        assert!(refused || as_it_is != kind.is_converted_for(driver), "{kind:?} {driver}");
        program_holds(kind, driver, file, &options);
    }
});
