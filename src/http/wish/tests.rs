//! What is taken, and what is refused.

use super::*;

fn pairs(pairs: &[(&str, &str)]) -> Result<Wish, Problem> {
    let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    Wish::from_pairs(&pairs.iter().map(own).collect::<Vec<_>>())
}

#[test]
fn a_query_says_the_same_as_json() {
    let id = JobId::new();
    let query = pairs(&[
        ("name", "a.nc"),
        ("priority", "high"),
        ("hold", "true"),
        ("at", "2030-01-01T00:00:00Z"),
        ("after", &id.to_string()),
    ])
    .unwrap();
    let text = format!(
        r#"{{"name":"a.nc","priority":10,"hold":true,
            "not_before":"2030-01-01T00:00:00Z","depends_on":["{id}"]}}"#
    );
    let json: Wish = serde_json::from_str(&text).unwrap();
    assert_eq!(format!("{query:?}"), format!("{json:?}"));
}

#[test]
fn everything_wrong_is_named_at_once() {
    let Err(Problem::Invalid(errors)) =
        pairs(&[("priority", "urgent"), ("file.path", "/etc/passwd"), ("hold", "maybe")])
    else {
        panic!("accepted")
    };
    let pointers: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
    assert_eq!(pointers, ["/priority", "/file.path", "/hold"]);
}

#[test]
fn nonsense_is_refused() {
    for text in [
        r#"{"timeout_seconds":0}"#,
        r#"{"timeout_seconds":-1}"#,
        r#"{"timeout_seconds":1e300}"#,
        r#"{"max_attempts":0}"#,
        r#"{"command":[]}"#,
        r#"{"command":[" "]}"#,
        r#"{"command":["a","b\u0000"]}"#,
        r#"{"name":" "}"#,
        r#"{"device":"mill"}"#,
        r#"{"kind":"device"}"#,
        r#"{"env":{"A=B":"1"}}"#,
        r#"{"env":{"":"1"}}"#,
        r#"{"env":{"A":"a\u0000b"}}"#,
        r#"{"env":{"STATIOND_JOB":"1"}}"#,
        r#"{"cwd":"tmp"}"#,
        r#"{"limits":{"memory":"1kB"}}"#,
        r#"{"limits":{"cpu":0}}"#,
        r#"{"limits":{"open_files":3}}"#,
        r#"{"limits":{"processes":0}}"#,
        r#"{"stop_timeout_seconds":-1}"#,
    ] {
        let wish: Wish = serde_json::from_str(text).unwrap();
        assert!(wish.check(JobKind::Command).is_err(), "{text}");
    }
    for text in [
        r#"{"priority":1.5}"#,
        r#"{"priority":"soon"}"#,
        r#"{"extra":1}"#,
        r#"{"limits":{"memory":"much"}}"#,
        r#"{"limits":{"memory":-1}}"#,
        r#"{"limits":{"disk":1}}"#,
        r#"{"env":["A=1"]}"#,
    ] {
        assert!(serde_json::from_str::<Wish>(text).is_err(), "{text}");
    }
}
