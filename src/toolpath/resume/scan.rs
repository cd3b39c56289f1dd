//! Reading a file up to where it goes on.

use std::io::{self, Read};

use super::printer::Printer;
use crate::toolpath::{
    Dialect, Follower, Found, Next,
    gcode::{Anchor, Interpreter, Modal, Spindle},
    pass::Pass,
};

/// Where it may go on, and how the machine was there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) modal: Modal,
    pub(super) printer: Printer,
    /// Lines for the machine before it.
    pub(super) skip: u64,
    /// The line of the file after it, once that has been read.
    pub(super) from_line: Option<u64>,
}

/// What the reading found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scan {
    pub(super) entry: Entry,
    /// The state after the last certain line.
    pub(super) certain: Modal,
    pub(super) certain_lines: u64,
    /// Its number in the file.
    pub(super) certain_line: u64,
    /// The file moves Z.
    pub(super) z_used: bool,
    /// The highest Z up to there.
    pub(super) highest: f64,
    /// The file has set offsets (G92).
    pub(super) offsets: bool,
}

/// Finds the place where the tool is up, after the last stroke that is done for certain.
pub(super) fn scan(
    reader: impl Read,
    dialect: Dialect,
    certain: u64,
    stops: &[u64],
) -> io::Result<Scan> {
    let mut pass = Pass::new(reader, dialect);
    let mut follower = Interpreter::new(dialect, &[]);
    let (mut printer, mut certain_printer) = (Printer::default(), Printer::default());
    let start = Entry { modal: follower.modal, printer, skip: 0, from_line: None };
    let mut scan = Scan {
        entry: start,
        certain: follower.modal,
        certain_lines: 0,
        certain_line: 0,
        z_used: false,
        highest: 0.0,
        offsets: false,
    };
    // The line of the file after those that are certain.
    let mut after = None;
    // Since the last stroke, the machine has travelled, or has not moved at all.
    let mut travelling = true;
    let (mut found, mut line, mut count) = (Found::default(), Vec::new(), 0);
    loop {
        let number = match pass.next(&mut line)? {
            Next::Line(number) => number,
            Next::TooLong(_) => continue,
            Next::End | Next::More => break,
        };
        let before = Entry { modal: follower.modal, printer, skip: count, from_line: Some(number) };
        if scan.entry.skip == count {
            scan.entry.from_line = Some(number);
        }
        count += 1;
        found.clear();
        follower.line(&line, &mut found);
        let extrudes = printer.line(dialect, &line);
        let modal = follower.modal;
        let uncertain = count > certain;
        if uncertain {
            after = after.or(Some(number));
        }
        let asks = stops.contains(&number);
        if uncertain && (is_barrier(&found) || asks) {
            if !travelling || (asks && is_up(&before.modal)) {
                scan.entry = before;
            }
            return Ok(scan.with(&modal));
        }
        if let Some(segment) = found.segments.last() {
            // A print is drawn where filament comes out.
            let draw = segment.draw || extrudes;
            if draw && uncertain {
                // A stroke that goes on is begun again; the entry is where it began.
                return Ok(scan.with(&modal));
            }
            scan.highest = scan.highest.max(segment.to[2]);
            let here = Entry { modal, printer, skip: count, from_line: None };
            if draw {
                travelling = false;
            } else if !travelling || is_up(&modal) || !is_up(&scan.entry.modal) {
                (travelling, scan.entry) = (true, here);
            }
        }
        if !uncertain {
            (scan.certain, scan.certain_lines, scan.certain_line) = (modal, count, number);
            certain_printer = printer;
        }
        scan = scan.with(&modal);
    }
    if !travelling {
        // Nothing is left to draw; what follows the last stroke is left to do.
        let Scan { certain, certain_lines, .. } = scan;
        let printer = certain_printer;
        scan.entry = Entry { modal: certain, printer, skip: certain_lines, from_line: after };
    }
    Ok(scan)
}

impl Scan {
    fn with(mut self, modal: &Modal) -> Self {
        self.z_used |= modal.z_used;
        self.offsets |= modal.is_offset() || modal.offset_anchor != [Anchor::Origin; 3];
        self
    }
}

/// The tool does not touch the work. A file without Z has the spindle words for that, or nothing.
pub(super) fn is_up(modal: &Modal) -> bool {
    if modal.z_used {
        return modal.position[2] - modal.offset[2] > 0.0;
    }
    modal.spindle.is_none_or(|spindle| spindle == Spindle::Off)
}

/// What only a person or the machine itself can do, which no state restores.
fn is_barrier(found: &Found) -> bool {
    let codes = ["system-command", "coordinate-system", "machine-coordinates", "home"];
    found.stop.is_some() || found.notes.iter().any(|note| codes.contains(&note.code))
}
