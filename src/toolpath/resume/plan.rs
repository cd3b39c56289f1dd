//! What to do, and how far it can be trusted.

use std::io::{self, Read};

use serde::Serialize;
use thiserror::Error;

use super::{plotters, preamble::preamble, scan::scan, words::in_words};
use crate::toolpath::{
    Dialect,
    gcode::{Anchor, Modal},
    plan::Axes,
};

/// What is known of the machine now.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// Whether it is where it says it is.
    pub trust: Trust,
    /// Where it says it is, X Y Z in millimetres of work coordinates.
    pub position: Option<[f64; 3]>,
    /// Where it was when the job began, the same way.
    pub start: Option<[f64; 3]>,
    /// What its steps mean if it is an EBB plotter.
    pub axes: Axes,
    /// The lines of the file before which a person is asked.
    pub stops: Vec<u64>,
}

/// Whether a machine is where it says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// It has not moved but by our commands, and has lost none of them.
    Certain,
    /// It has been off or has been stopped hard, for this reason: after homing it can be trusted.
    NeedsHoming(String),
    /// It cannot home, or what it says contradicts what is known, for this reason.
    Untrusted(String),
}

/// How far a plan can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Everything it builds upon is known.
    Certain,
    /// Once the machine has been homed.
    NeedsHoming,
    /// A person must look at machine and work first.
    Untrusted,
}

/// How an interrupted file would be gone on with.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ResumePlan {
    /// The line of the file (from 1) that is sent first; none if nothing is left of it.
    pub from_line: Option<u64>,
    /// Lines for the machine before that, which are not sent.
    pub skip_lines: u64,
    /// The last line of the file that was executed for certain; 0: none.
    pub last_certain_line: u64,
    /// Where the tool was after it, X Y Z in millimetres of work coordinates.
    pub certain_position: [f64; 3],
    /// Modes in force where it goes on, in words.
    pub state: Vec<String>,
    /// Lines that are sent first.
    pub preamble: Vec<String>,
    /// Lines for the machine that were executed for certain and are sent again.
    pub redo_lines: u64,
    /// What a person should know.
    pub warnings: Vec<String>,
    /// How far it can be trusted.
    pub confidence: Confidence,
    /// Why not further.
    pub reason: Option<String>,
}

/// Why there is no plan.
#[derive(Debug, Error)]
pub enum ResumeError {
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// Nothing is known of what its lines do.
    #[error(
        "nobody knows what the lines of its file do: retry the job from its beginning or cancel it"
    )]
    Unknown,
}

/// Plans how to go on with a file of which the first `certain` lines (counted as
/// `Analysis::lines` counts them) were executed for certain: those acknowledged, less what the machine's
/// planner may have held.
pub fn plan_resume(
    reader: impl Read,
    dialect: Dialect,
    certain: u64,
    facts: &Facts,
) -> Result<ResumePlan, ResumeError> {
    match dialect {
        Dialect::Gcode | Dialect::Marlin => {}
        Dialect::Ebb => return Ok(plotters::ebb(reader, certain, facts)?),
        Dialect::Hpgl => return Ok(plotters::hpgl(reader, certain, facts)?),
        Dialect::Lines => return Err(ResumeError::Unknown),
    }
    let scan = scan(reader, dialect, certain, &facts.stops)?;
    let redo_lines = scan.certain_lines.saturating_sub(scan.entry.skip);
    let mut warnings: Vec<String> = done_again(redo_lines).into_iter().collect();
    let entry = scan.entry.modal.started_at(facts.start);
    let preamble = preamble(dialect, &entry, &scan, facts, &mut warnings);
    let (confidence, reason) = trusted(&scan.entry.modal, scan.z_used, facts);
    if confidence == Confidence::NeedsHoming {
        warnings.push("home the machine before it goes on".to_owned());
    }
    Ok(ResumePlan {
        from_line: scan.entry.from_line,
        skip_lines: scan.entry.skip,
        last_certain_line: scan.certain_line,
        certain_position: scan.certain.started_at(facts.start).position,
        state: in_words(&entry),
        preamble,
        redo_lines,
        warnings,
        confidence,
        reason,
    })
}

/// What a person is told of lines that are sent again.
pub(super) fn done_again(lines: u64) -> Option<String> {
    let text = "lines that are done are sent again: they begin the stroke that was under way";
    (lines > 0).then(|| format!("{lines} {text}"))
}

/// The worst of what is known of the machine and of the file.
fn trusted(modal: &Modal, z_used: bool, facts: &Facts) -> (Confidence, Option<String>) {
    let axes = if z_used { 3 } else { 2 };
    let all = || modal.anchor[..axes].iter().chain(&modal.offset_anchor[..axes]);
    if all().any(|anchor| *anchor == Anchor::Lost) {
        let reason = "the file changes coordinate systems, homes or moves in machine coordinates, \
                      and has not said since where it is";
        return (Confidence::Untrusted, Some(reason.to_owned()));
    }
    if facts.start.is_none() && all().any(|anchor| *anchor == Anchor::Start) {
        let reason = "its coordinates depend on where the machine stood when the job began, \
                      which is not known";
        return (Confidence::Untrusted, Some(reason.to_owned()));
    }
    match &facts.trust {
        Trust::Certain => (Confidence::Certain, None),
        Trust::NeedsHoming(reason) => (Confidence::NeedsHoming, Some(reason.clone())),
        Trust::Untrusted(reason) => (Confidence::Untrusted, Some(reason.clone())),
    }
}
