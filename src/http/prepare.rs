//! What a machine gets of a file, and what is known of that before it runs.

use std::{
    io::{Cursor, Read},
    sync::{Mutex, PoisonError},
};

use actix_web::web;

use super::{app::App, error::Problem, health::busy, intake::Arrived};
use crate::{
    domain::{Analysis, Machine, Payload, PlotOptions},
    store::Store,
    toolpath::{self, ConvertError, FileKind, Program},
};

/// A file that is ready to become a job.
pub(super) struct Prepared {
    /// The file as it was submitted.
    pub(super) payload: Payload,
    /// What goes to the machine instead, if the file was converted.
    pub(super) program: Option<Payload>,
    /// What was found in what goes to the machine.
    pub(super) analysis: Analysis,
}

/// A drawing lies in memory as a whole while it is converted: one at a time is enough.
static CONVERTING: Mutex<()> = Mutex::new(());

/// Converts a file for its machine if need be, and looks at what will run there or on one of these
/// machines. Small files that need no
/// converting are looked at on this thread, all others on one that may block.
pub(super) async fn prepare(
    app: &App,
    arrived: Arrived,
    machines: Vec<Machine>,
    plot: PlotOptions,
) -> Result<Prepared, Problem> {
    let Arrived { payload, kind } = arrived;
    let converted = machines.first().filter(|machine| kind.is_converted_for(&machine.driver));
    let converted = converted.cloned();
    if converted.is_none() && matches!(payload, Payload::Inline(_)) {
        let analysis = analysed(&app.store, &payload, &machines)?;
        return Ok(Prepared { payload, program: None, analysis });
    }
    let store = app.store.clone();
    let limit = app.settings().max_file_size;
    web::block(move || {
        let Some(machine) = converted else {
            let analysis = analysed(&store, &payload, &machines)?;
            return Ok(Prepared { payload, program: None, analysis });
        };
        let (converted, program) = program(&store, &payload, kind, &machine, &plot, limit)?;
        let mut analysis = analysed(&store, &program, &machines)?;
        converted.tell(&mut analysis);
        Ok(Prepared { payload, program: Some(program), analysis })
    })
    .await
    .map_err(busy)?
}

fn program(
    store: &Store,
    payload: &Payload,
    kind: FileKind,
    machine: &Machine,
    plot: &PlotOptions,
    limit: u64,
) -> Result<(Program, Payload), Problem> {
    let _one_at_a_time = CONVERTING.lock().unwrap_or_else(PoisonError::into_inner);
    let converted = toolpath::convert(kind, machine, open(store, payload)?, plot);
    let converted = converted.map_err(|error| match error {
        ConvertError::Io(error) => unreadable(&error),
        error => Problem::field("file", error),
    })?;
    let Some(mut program) = converted else {
        return Err(Problem::Internal("the file needs no converting".to_owned()));
    };
    let mut intake = store.files().intake(limit);
    intake.write(&std::mem::take(&mut program.bytes))?;
    Ok((program, intake.finish()?))
}

fn analysed(store: &Store, payload: &Payload, machines: &[Machine]) -> Result<Analysis, Problem> {
    let (analysis, _) =
        toolpath::analyse(open(store, payload)?, machines).map_err(|error| unreadable(&error))?;
    if analysis.lines == 0 {
        return Err(Problem::field("file", "the file has no line for a machine"));
    }
    Ok(analysis)
}

fn open<'a>(store: &Store, payload: &'a Payload) -> Result<Box<dyn Read + 'a>, Problem> {
    match payload {
        Payload::Inline(bytes) => Ok(Box::new(Cursor::new(bytes))),
        Payload::Stored { sha256, .. } => Ok(Box::new(store.files().open(sha256)?)),
        Payload::Command(_) => Err(Problem::Internal("not a file".to_owned())),
    }
}

fn unreadable(error: &std::io::Error) -> Problem {
    Problem::Internal(format!("the file cannot be read: {error}"))
}
