//! Where a job stops for a person.

use crate::{domain::Job, link::StopPoint};

/// The stops of a job's file, in order: what it asks for itself (M0, M1, a tool change). A line that
/// does more than ask is left to the machine, which holds by itself there.
pub fn stops(job: &Job) -> Vec<StopPoint> {
    let Some(analysis) = &job.analysis else { return Vec::new() };
    let own = analysis.stops.iter().filter(|stop| stop.alone).map(|stop| StopPoint {
        line: stop.line,
        instead: true,
        message: stop.message.clone(),
    });
    own.collect()
}
