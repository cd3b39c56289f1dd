//! What is known of a file before it runs.

use std::{
    borrow::Cow,
    io::{self, Read},
};

use super::{
    Dialect, Estimate, Follower, Found, Next,
    findings::Findings,
    gcode::Segment,
    hpgl::Holder,
    pass::Pass,
    plan::Axes,
    planner::{Planner, Settled},
    suit::Suit,
};
use crate::domain::{Analysis, Finding, Light, Machine, Motion, Stop};

/// More stops than that are not told one by one.
const MOST_STOPS: usize = 100;

/// Reads a file once, in constant memory, for the machines that it may run on; times are those of
/// the first. `Analysis::lines` counts exactly the lines that a driver sends.
pub fn analyse(reader: impl Read, machines: &[Machine]) -> io::Result<(Analysis, Estimate)> {
    let mut sum = Sum::new(machines);
    let mut pass = Pass::new(reader, sum.dialect);
    let mut line = Vec::new();
    loop {
        match pass.next(&mut line)? {
            Next::Line(number) => {
                sum.line(number, &line);
                if let Some(what) = sum.found.stop.take() {
                    sum.stop(number, what, pass.raw());
                }
            }
            Next::TooLong(number) => {
                let text = "is longer than 4096 bytes: it cannot be sent";
                sum.findings.add(Light::Red, Some(number), "line-too-long", text.into());
            }
            Next::End | Next::More => return Ok(sum.end()),
        }
    }
}

struct Sum<'a> {
    dialect: Dialect,
    follower: Box<dyn Follower>,
    found: Found,
    analysis: Analysis,
    findings: Findings,
    suits: Vec<Suit<'a>>,
    planner: Planner,
    estimate: Estimate,
    drawing: bool,
    /// Where a person changes the pens.
    holder: Option<Holder>,
}

impl<'a> Sum<'a> {
    fn new(machines: &'a [Machine]) -> Self {
        let first = machines.first();
        let dialect = first.map_or_else(Dialect::default, |it| Dialect::of(&it.driver));
        let axes = first.map_or_else(Axes::default, |machine| machine.ebb.axes());
        let motion = match dialect {
            Dialect::Ebb => Motion::AS_TOLD,
            _ => first.map_or(Motion::GRBL, |machine| machine.motion),
        };
        let suits: Vec<Suit<'_>> = machines.iter().map(Suit::new).collect();
        let mut watch: Vec<String> = suits.iter().flat_map(|it| it.denied.clone()).collect();
        watch.sort();
        watch.dedup();
        Self {
            dialect,
            follower: dialect.follower(axes, &watch),
            found: Found::default(),
            analysis: Analysis::default(),
            findings: Findings::default(),
            suits,
            planner: Planner::new(motion),
            estimate: Estimate::default(),
            drawing: false,
            holder: first.filter(|it| it.single_pen).map(|_| Holder::default()),
        }
    }

    fn line(&mut self, number: u64, text: &[u8]) {
        self.analysis.lines += 1;
        if let Some((longest, wrong)) = self.dialect.longest()
            && text.len() > longest
            && text.iter().filter(|byte| **byte != b' ').count() > longest
        {
            self.findings.add(Light::Red, Some(number), "line-too-long", wrong.into());
        }
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        self.follower.line(text, &mut found);
        for note in found.notes.drain(..) {
            self.findings.add(note.severity, Some(number), note.code, note.text);
        }
        for command in &found.commands {
            self.suits.iter_mut().for_each(|suit| suit.command(number, command));
        }
        if let Some(pen) = self.holder.as_mut().and_then(|holder| holder.change(text)) {
            (found.stop, found.more) = (Some(Holder::request(pen).into()), true);
        }
        if found.waits {
            let estimate = &mut self.estimate;
            self.planner.stop(found.dwell_seconds, &mut |settled| settle(estimate, settled));
        }
        for segment in &found.segments {
            self.segment(number, segment);
        }
        self.planner.line();
        self.found = found;
    }

    fn segment(&mut self, number: u64, segment: &Segment) {
        if segment.draw {
            self.analysis.draw_length_mm += segment.length;
        } else {
            self.analysis.travel_length_mm += segment.length;
            self.analysis.pen_lifts += u64::from(self.drawing);
        }
        let begins = segment.draw && !self.drawing;
        self.drawing = segment.draw;
        // Nothing may have led to where a stroke begins.
        let mut grown = begins && self.reach(segment.from);
        grown |= match segment.arc {
            Some(arc) => {
                let (min, max) = arc.bounds();
                self.reach(min) | self.reach(max)
            }
            None => self.reach(segment.to),
        };
        if grown && let (Some(min), Some(max)) = (self.analysis.min, self.analysis.max) {
            self.suits.iter_mut().for_each(|suit| suit.bounds(number, min, max));
        }
        let estimate = &mut self.estimate;
        self.planner.push(segment, &mut |settled| settle(estimate, settled));
    }

    /// True if that is farther out than anything before.
    fn reach(&mut self, point: [f64; 3]) -> bool {
        let (Some(min), Some(max)) = (&mut self.analysis.min, &mut self.analysis.max) else {
            (self.analysis.min, self.analysis.max) = (Some(point), Some(point));
            return true;
        };
        let mut grown = false;
        for axis in 0..3 {
            grown |= point[axis] < min[axis] || point[axis] > max[axis];
            min[axis] = min[axis].min(point[axis]);
            max[axis] = max[axis].max(point[axis]);
        }
        grown
    }

    fn stop(&mut self, line: u64, what: Cow<'static, str>, (raw, before): (&[u8], &[u8])) {
        if self.analysis.stops.len() == MOST_STOPS {
            let text = format!("more than {MOST_STOPS} stops for a person");
            return self.findings.add(Light::Amber, Some(line), "stops", text.into());
        }
        let message = self.follower.message(raw).or_else(|| self.follower.message(before));
        let message = message.unwrap_or_else(|| what.into_owned());
        let alone = !self.found.more;
        self.analysis.stops.push(Stop { line, message, alone, layer: false });
    }

    fn end(mut self) -> (Analysis, Estimate) {
        let estimate = &mut self.estimate;
        self.planner.stop(0.0, &mut |settled| settle(estimate, settled));
        let mut analysis = self.analysis;
        analysis.pen_lifts += u64::from(self.drawing);
        analysis.estimated_seconds = self.estimate.total();
        analysis.problems = self.findings.into_vec();
        let lines = analysis.problems.iter().filter_map(|it| Some((it.line?, &it.message)));
        let mut warnings: Vec<_> = lines.collect();
        warnings.sort_by_key(|(line, _)| *line);
        analysis.warnings =
            warnings.into_iter().map(|(line, text)| format!("line {line}: {text}")).collect();
        let own = worst(&analysis.problems);
        analysis.devices = self.suits.into_iter().map(|suit| suit.verdict(own)).collect();
        // The machine that suits it best is the one it will run on.
        if let Some(best) = analysis.devices.iter().min_by_key(|it| it.verdict) {
            analysis.problems.extend(best.problems.iter().cloned());
            analysis.problems.sort_by_key(|problem| std::cmp::Reverse(problem.severity));
        }
        analysis.verdict = worst(&analysis.problems);
        (analysis, self.estimate)
    }
}

fn settle(estimate: &mut Estimate, settled: Settled) {
    for _ in 0..settled.lines {
        estimate.line();
    }
    estimate.add(settled.seconds);
}

fn worst(problems: &[Finding]) -> Light {
    problems.iter().map(|problem| problem.severity).max().unwrap_or_default()
}

#[cfg(test)]
mod tests;
