//! Reading a file up to where it goes on.

use std::io::{self, Read};

use super::{
    printer::Printer,
    trifle::{does_more, ends},
};
use crate::toolpath::{
    Dialect, Follower, Found, Next,
    gcode::{Anchor, Interpreter, Modal, Segment, Spindle},
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
    /// The highest Z up to there, or up to where the tool is lifted first.
    pub(super) highest: f64,
    /// The highest Z up to there at which it works; none if it does not before.
    pub(super) works_at: Option<f64>,
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
        works_at: None,
        offsets: false,
    };
    // The line of the file after those that are certain.
    let mut after = None;
    // Since the last stroke, the machine has travelled, or has not moved at all.
    let mut travelling = true;
    // It has been lifted since the file began.
    let mut lifted = false;
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
        printer.line(dialect, &line);
        let modal = follower.modal;
        let filament = |modal: &Modal| modal.filament.at().unwrap_or(0.0);
        let extrudes = filament(&modal) > filament(&before.modal);
        scan = scan.with(&modal);
        let segment = found.segments.last();
        // A print is drawn where filament comes out.
        let works = |segment: &Segment| segment.draw || extrudes || modal.is_off_in_doubt();
        let draw = segment.is_some_and(works);
        if count > certain {
            after = after.or(Some(number));
            let asks = stops.contains(&number);
            // A stroke that goes on is begun again; the entry is where it began.
            if draw || asks || is_barrier(&found) || does_more(&line, &before.modal) {
                if ends(dialect, &line) {
                    break;
                }
                let skips = !travelling || (asks && is_as_high(&before.modal, &scan.entry.modal));
                if !draw && skips {
                    scan.entry = before;
                }
                if !lifted {
                    scan.look_for_lift(pass, follower)?;
                }
                return Ok(scan);
            }
        }
        if let Some(segment) = segment {
            scan.highest = scan.highest.max(segment.to[2]);
            lifted |= is_lift(segment);
            let here = Entry { modal, printer, skip: count, from_line: None };
            if draw {
                travelling = false;
                let height = segment.from[2].max(segment.to[2]);
                if is_on_plane(segment) && !extrudes {
                    scan.works_at = Some(scan.works_at.map_or(height, |it| it.max(height)));
                }
            } else if !travelling || is_as_high(&modal, &scan.entry.modal) {
                (travelling, scan.entry) = (true, here);
            }
        }
        if count <= certain {
            (scan.certain, scan.certain_lines, scan.certain_line) = (modal, count, number);
            certain_printer = printer;
        }
    }
    // Nothing is left that works; what follows is left to do, though it may be the way home alone.
    let Scan { certain, certain_lines, .. } = scan;
    scan.entry =
        Entry { modal: certain, printer: certain_printer, skip: certain_lines, from_line: after };
    Ok(scan)
}

impl Scan {
    fn with(mut self, modal: &Modal) -> Self {
        self.z_used |= modal.z_used;
        self.offsets |= modal.is_offset() || modal.offset_anchor != [Anchor::Origin; 3];
        self
    }

    /// Interrupted before it is known how high the file travels, the tool may be deep in the work
    /// already: reads on to where it is lifted.
    fn look_for_lift<R: Read>(
        &mut self,
        mut pass: Pass<R>,
        mut follower: Interpreter,
    ) -> io::Result<()> {
        let (mut found, mut line) = (Found::default(), Vec::new());
        loop {
            match pass.next(&mut line)? {
                Next::Line(_) => {}
                Next::TooLong(_) => continue,
                Next::End | Next::More => return Ok(()),
            }
            found.clear();
            follower.line(&line, &mut found);
            self.z_used |= follower.modal.z_used;
            if let Some(lift) = found.segments.iter().find(|segment| is_lift(segment)) {
                self.highest = self.highest.max(lift.to[2]);
                return Ok(());
            }
        }
    }
}

/// The tool is off the work here, as far as it was there. Where zero is nobody knows, so that heights
/// are only compared; a file without Z has the spindle words for that, or nothing.
fn is_as_high(here: &Modal, there: &Modal) -> bool {
    if here.z_used {
        return here.position[2] >= there.position[2];
    }
    let is_up = |modal: &Modal| modal.spindle.is_none_or(|spindle| spindle == Spindle::Off);
    is_up(here) || !is_up(there)
}

/// It comes to an end above where it began, and does not work meanwhile.
fn is_lift(segment: &Segment) -> bool {
    !segment.draw && segment.to[2] > segment.from[2]
}

/// It does not only go up or down.
fn is_on_plane(segment: &Segment) -> bool {
    segment.arc.is_some() || segment.from[..2] != segment.to[..2]
}

/// What only a person or the machine itself can do, which no state restores.
fn is_barrier(found: &Found) -> bool {
    let codes = ["system-command", "coordinate-system", "machine-coordinates", "home"];
    found.stop.is_some() || found.notes.iter().any(|note| codes.contains(&note.code))
}
