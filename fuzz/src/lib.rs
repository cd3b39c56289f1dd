//! What the targets share: machines, files that come in pieces, and what holds of every file.

use std::{fs, path::PathBuf};

use stationd::{
    domain::{Analysis, EbbOptions, Envelope, Machine, PlotOptions},
    toolpath::{Dialect, FileKind, Next, Program, Splitter, analyse, convert, preview},
};

/// A new directory for this process, which who runs it takes away again.
pub fn directory() -> PathBuf {
    let directory = std::env::temp_dir().join(format!("stationd-fuzz-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    directory
}

/// Every driver there is, which `number` chooses from.
pub fn driver(number: u8) -> &'static str {
    let names = stationd::drivers::NAMES;
    names[usize::from(number) % names.len()]
}

/// A machine of this driver of which all is known that a file is checked against.
pub fn machine(driver: &str) -> Machine {
    let ebb = EbbOptions { y_down: true, bed_height: Some(218.0), ..EbbOptions::default() };
    let envelope = Some(Envelope { x: 300.0, y: 218.0, z: Some(50.0) });
    let (deny, allow) = (vec!["M502".to_owned()], vec!["G28".to_owned()]);
    Machine { envelope, deny, allow, ebb, ..Machine::unknown(driver) }
}

/// The lines that go to the machine, each with its number, and those that are too long.
pub fn lines<'a>(
    dialect: Dialect,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<(Next, Vec<u8>)> {
    let mut splitter = Splitter::of(dialect);
    let (mut lines, mut line) = (Vec::new(), Vec::new());
    let mut drain = |splitter: &mut Splitter| loop {
        match splitter.next_line(&mut line) {
            next @ Next::Line(_) => lines.push((next, line.clone())),
            next @ Next::TooLong(_) => lines.push((next, Vec::new())),
            Next::More | Next::End => return,
        }
    };
    for piece in pieces {
        splitter.supply(piece);
        drain(&mut splitter);
    }
    splitter.finish();
    drain(&mut splitter);
    lines
}

/// A file as it is for a machine: it is cut into the same lines whatever the pieces, analysis and
/// preview count just these, and every figure is one that JSON can carry.
pub fn file_holds(driver: &str, file: &[u8], piece: usize) {
    let machine = machine(driver);
    let dialect = Dialect::of(driver);
    let whole = lines(dialect, [file]);
    assert_eq!(whole, lines(dialect, file.chunks(piece.max(1))), "pieces make a difference");
    // A label may have line ends in it, but nothing may change how a plotter speaks.
    let never: &[u8] = if driver == "hpgl" { b"\x1b" } else { b"\r\n" };
    let whole: Vec<_> =
        whole.into_iter().filter(|(next, _)| matches!(next, Next::Line(_))).collect();
    for (_, line) in &whole {
        let clean = !line.iter().any(|byte| never.contains(byte));
        assert!(clean && !line.is_empty(), "{:?}", String::from_utf8_lossy(line));
    }
    let sent = whole.len() as u64;
    let machines = [machine];
    let (analysis, estimate) = analyse(file, &machines).unwrap();
    assert_eq!(analysis.lines, sent);
    assert!(estimate.total() >= 0.0, "{}", estimate.total());
    let json = serde_json::to_string(&analysis).unwrap();
    let read: Analysis = serde_json::from_str(&json).unwrap_or_else(|it| panic!("{it}: {json}"));
    assert_eq!(read.stops, analysis.stops);
    let picture = preview(file, &machines[0], 100).unwrap();
    assert_eq!(picture.lines_total, sent);
    assert!(picture.draw.len() <= 100 && picture.points.len() == 2 * picture.draw.len());
    assert!(picture.points.iter().all(|place| place.is_finite()), "{:?}", picture.points);
    assert!(picture.lines.is_sorted() && picture.lines.last().is_none_or(|line| *line <= sent));
}

/// A file as a program for a machine, if it becomes one: nothing in it is red, and layers and stops
/// are lines of it.
pub fn program_holds(kind: FileKind, driver: &str, file: &[u8], options: &PlotOptions) {
    let machine = machine(driver);
    let Ok(Some(program)) = convert(kind, &machine, file, options) else { return };
    let Program { bytes, layers, stops, .. } = program;
    let sent = lines(Dialect::of(driver), [&bytes[..]]).len() as u64;
    assert!(layers.iter().all(|layer| (1..=sent).contains(&layer.line)), "{sent}: {layers:?}");
    assert!(stops.iter().all(|stop| (1..=sent).contains(&stop.line)), "{sent}: {stops:?}");
    let (analysis, _) = analyse(&bytes[..], &[Machine { envelope: None, ..machine }]).unwrap();
    assert_eq!(analysis.lines, sent);
    assert_eq!(analysis.reason().filter(|_| analysis.verdict.as_str() == "red"), None);
}
