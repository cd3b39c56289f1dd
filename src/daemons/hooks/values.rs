//! What is known of an event, as arguments and as variables.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The text of a value; none if it is not a single one.
fn text(value: &Value) -> Option<String> {
    // Neither arguments nor variables can hold a NUL.
    match value {
        Value::String(text) => Some(text.replace('\0', "\u{fffd}")),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// An argument with values in place of `{…}`. It stays one argument, whatever they are; what they
/// contain is not looked at again, and what is not known stays as it is.
pub(super) fn fill(argument: &str, facts: &Map<String, Value>) -> String {
    let mut filled = String::with_capacity(argument.len());
    let mut rest = argument;
    while let Some(start) = rest.find('{') {
        let (before, after) = rest.split_at(start);
        filled.push_str(before);
        let found = after.find('}').and_then(|end| {
            let value = facts.get(&after[1..end]).and_then(text)?;
            Some((value, &after[end + 1..]))
        });
        if let Some((value, further)) = found {
            filled.push_str(&value);
            rest = further;
        } else {
            filled.push('{');
            rest = &after[1..];
        }
    }
    filled.push_str(rest);
    filled
}

/// Every single value as a variable, `job_name` as `STATIOND_JOB_NAME`.
pub(super) fn variables(facts: &Map<String, Value>) -> BTreeMap<String, String> {
    let variable = |(name, value): (&String, &Value)| {
        Some((format!("STATIOND_{}", name.to_ascii_uppercase()), text(value)?))
    };
    facts.iter().filter_map(variable).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_put_in_once_and_only_once() {
        let facts = json!({"job_name": "{job_id};$(id) \"'\n-x", "job_id": "7", "event_id": 12,
            "labels": {}, "nul": "a\u{0}b"});
        let facts = facts.as_object().unwrap();
        for (argument, expected) in [
            ("{job_name}", "{job_id};$(id) \"'\n-x"),
            ("a{job_id}b{event_id}", "a7b12"),
            ("{labels} {nothing} {} {", "{labels} {nothing} {} {"),
            ("{{job_id}}", "{7}"),
            ("{x{job_id}", "{x7"),
            ("{nul}", "a\u{fffd}b"),
            ("}{", "}{"),
        ] {
            assert_eq!(fill(argument, facts), expected, "{argument}");
        }
        let variables = variables(facts);
        assert_eq!(variables["STATIOND_JOB_NAME"], "{job_id};$(id) \"'\n-x");
        assert_eq!(variables["STATIOND_EVENT_ID"], "12");
        assert!(!variables.contains_key("STATIOND_LABELS"));
    }
}
