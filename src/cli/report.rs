//! What was found in a file before it runs, for people.

use std::fmt::Write as _;

use serde_json::Value;

use super::print::{Out, field, seconds, visible};

/// The verdict and what led to it, a line each.
pub(super) fn findings(out: Out, analysis: &Value) -> String {
    let mut text = String::new();
    let verdict = field(analysis, "verdict");
    if !verdict.is_empty() {
        _ = writeln!(text, "Verdict: {}", out.coloured(&verdict));
    }
    for problem in list(analysis, "problems") {
        let severity = field(problem, "severity");
        let gap = 7_usize.saturating_sub(severity.len());
        _ = writeln!(text, "  {}{:gap$}{}", out.coloured(&severity), "", sentence(problem));
    }
    let devices = list(analysis, "devices");
    for device in devices.iter().filter(|_| devices.len() > 1) {
        let reasons: Vec<_> = list(device, "problems").iter().map(sentence).collect();
        let reasons = reasons.join("; ");
        let colon = if reasons.is_empty() { "" } else { ": " };
        let (name, verdict) = (field(device, "device"), field(device, "verdict"));
        _ = writeln!(text, "  on {name}: {}{colon}{reasons}", out.coloured(&verdict));
    }
    text
}

/// All that is known of a file.
pub(super) fn report(out: Out, analysis: &Value) -> String {
    let mut text = findings(out, analysis);
    let millimetres = |name: &str| format!("{:.0} mm", analysis[name].as_f64().unwrap_or(0.0));
    _ = writeln!(text, "Lines: {}", field(analysis, "lines"));
    _ = writeln!(
        text,
        "Motion: {} working, {} travelling, {} lifts",
        millimetres("draw_length_mm"),
        millimetres("travel_length_mm"),
        field(analysis, "pen_lifts")
    );
    let time = seconds(&analysis["estimated_seconds"], 2);
    _ = writeln!(text, "Time: about {}", if time.is_empty() { "0s" } else { &time });
    if let (Some(min), Some(max)) = (analysis["min"].as_array(), analysis["max"].as_array()) {
        let range = |(index, name)| {
            let at = |corner: &[Value]| {
                corner.get::<usize>(index).and_then(Value::as_f64).unwrap_or(0.0)
            };
            format!("{name} {:.3} to {:.3}", at(min), at(max))
        };
        let axes: Vec<_> = ["X", "Y", "Z"].into_iter().enumerate().map(range).collect();
        _ = writeln!(text, "Bounds: {}", axes.join(", "));
    }
    for stop in list(analysis, "stops") {
        _ = writeln!(text, "Stop: line {}: {}", field(stop, "line"), field(stop, "message"));
    }
    text
}

fn sentence(problem: &Value) -> String {
    let mut text = match problem["line"].as_u64() {
        Some(line) => format!("line {line}: "),
        None => String::new(),
    };
    text.push_str(&visible(problem["message"].as_str().unwrap_or_default()));
    match problem["count"].as_u64() {
        Some(count) if count > 1 => format!("{text} ({count} lines)"),
        _ => text,
    }
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}
