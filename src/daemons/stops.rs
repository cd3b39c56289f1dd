//! Where a job stops for a person.

use crate::{
    domain::{Job, Stop},
    link::StopPoint,
};

/// The stops of a job's file, in order: what it asks for itself (M0, M1, a tool change), and where a
/// layer of a drawing begins. Another line that does more than ask is left to the machine, which
/// holds by itself there.
pub fn stops(job: &Job) -> Vec<StopPoint> {
    let Some(analysis) = &job.analysis else { return Vec::new() };
    let stops = analysis.stops.iter().filter(|stop| stop.alone || stop.layer);
    // A program that is made of layers has a line for each of the machine's.
    let end = |stop: &Stop| {
        let next = analysis.layers.iter().map(|layer| layer.line).find(|line| *line > stop.line);
        next.unwrap_or(analysis.lines + 1)
    };
    let point = |stop: &Stop| StopPoint {
        line: stop.line,
        instead: stop.alone,
        message: stop.message.clone(),
        layer_end: stop.layer.then(|| end(stop)),
    };
    stops.map(point).collect()
}
