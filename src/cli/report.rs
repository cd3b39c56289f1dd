//! What was found in a file before it runs, for people.

use std::fmt::Write as _;

use serde_json::Value;

use super::print::{Out, field, seconds, visible};

/// Warnings beyond these are not told one by one.
const MOST_WARNINGS: usize = 50;

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
    let warnings = untold(analysis);
    for warning in warnings.iter().take(MOST_WARNINGS) {
        _ = writeln!(text, "  {:7}{}", "note", visible(warning));
    }
    if let Some(left @ 1..) = warnings.len().checked_sub(MOST_WARNINGS) {
        _ = writeln!(text, "  {:7}and {left} more", "");
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

/// The warnings that are not told as problems: most are both.
fn untold(analysis: &Value) -> Vec<&str> {
    let told: Vec<String> = list(analysis, "problems").iter().map(place).collect();
    let is_told = |warning: &&str| {
        let is = |problem: &String| {
            // With how many lines have it, or without.
            let rest = warning.strip_prefix(problem.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(" ("))
        };
        told.iter().any(is)
    };
    let warnings = list(analysis, "warnings").iter().filter_map(Value::as_str);
    warnings.filter(|warning| !is_told(warning)).collect()
}

/// A problem and where it is.
fn place(problem: &Value) -> String {
    let message = problem["message"].as_str().unwrap_or_default();
    match problem["line"].as_u64() {
        Some(line) => format!("line {line}: {message}"),
        None => message.to_owned(),
    }
}

fn sentence(problem: &Value) -> String {
    let text = visible(&place(problem)).into_owned();
    match problem["count"].as_u64() {
        Some(count) if count > 1 => format!("{text} ({count} lines)"),
        _ => text,
    }
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::args::Global, *};

    #[test]
    fn warnings_that_are_no_problems_are_told_up_to_a_limit() {
        let out = Out::new(&Global::default());
        let mut warnings = vec!["line 3: no feed (7 lines)".to_owned(), "no page".to_owned()];
        warnings.extend((0..60).map(|number| format!("image {number} is left out")));
        let analysis = json!({"verdict": "amber", "warnings": warnings, "problems": [
            {"severity": "amber", "line": 3, "message": "no feed", "count": 7},
            {"severity": "amber", "line": null, "message": "no page", "count": 1}]});
        let text = findings(out, &analysis);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[..4],
            [
                "Verdict: amber",
                "  amber  line 3: no feed (7 lines)",
                "  amber  no page",
                "  note   image 0 is left out"
            ]
        );
        assert_eq!(lines.len(), 3 + 50 + 1);
        assert_eq!(lines.last(), Some(&"         and 10 more"));
    }
}
