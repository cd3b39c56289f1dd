//! `daemon show` and `daemon why`.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Selection;
use crate::{
    cli::{
        client::{Client, encoded},
        failure::Failure,
        print::{Out, duration, field, object, print_json, print_text},
    },
    domain::Timestamp,
};

async fn read(client: &Client, selection: &Selection) -> Result<Vec<Value>, Failure> {
    let mut daemons = Vec::new();
    for name in selection.names(client).await? {
        daemons.push(client.get(&format!("/api/v1/daemons/{}", encoded(&name))).await?);
    }
    Ok(daemons)
}

/// `daemon show`
pub(super) async fn show(client: &Client, out: Out, selection: &Selection) -> Result<(), Failure> {
    let now = Timestamp::now();
    read(client, selection).await?.iter().try_for_each(|daemon| {
        if out.is_json() { print_json(daemon) } else { print_text(&in_full(daemon, now)) }
    })
}

/// `daemon why`
pub(super) async fn why(client: &Client, out: Out, selection: &Selection) -> Result<(), Failure> {
    let now = Timestamp::now();
    read(client, selection).await?.iter().try_for_each(|daemon| {
        if !out.is_json() {
            return print_text(&chain(daemon, now));
        }
        let part = |name: &str| daemon[name].clone();
        print_json(&json!({"name": part("name"), "state": part("state"), "why": part("why")}))
    })
}

/// State and age; below it each cause, one further in than what came of it; then what comes next.
fn chain(daemon: &Value, now: Timestamp) -> String {
    let why = &daemon["why"];
    let mut text = format!("{}: {}", field(daemon, "name"), field(daemon, "state"));
    if let Some(since) = time(&why["since"]) {
        let ago = duration(since.until(now), 2);
        _ = write!(text, " since {since} ({ago} ago)");
    }
    text.push('\n');
    let causes = why["causes"].as_array().map(Vec::as_slice).unwrap_or_default();
    for (depth, cause) in causes.iter().enumerate() {
        let indent = 2 + depth * 2;
        let at = field(cause, "at");
        let at = if at.is_empty() { at } else { format!(" ({at})") };
        _ = writeln!(text, "{:indent$}{}{at}", "", field(cause, "text"));
    }
    match field(why, "next") {
        next if next.is_empty() => {}
        next => _ = writeln!(text, "  Next: {next}"),
    }
    text
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// Its fields, then what is told line by line.
fn in_full(daemon: &Value, now: Timestamp) -> String {
    let mut plain = daemon.clone();
    if let Some(fields) = plain.as_object_mut() {
        fields.retain(|name, _| {
            !matches!(name.as_str(), "why" | "timeline" | "dependencies" | "last_lines")
        });
    }
    let mut text = object(&plain, 0);
    let mut section = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            _ = writeln!(text, "{title}:\n  {}", lines.join("\n  "));
        }
    };
    let list = |name: &str| daemon[name].as_array().map(Vec::as_slice).unwrap_or_default();
    section("dependencies", list("dependencies").iter().map(dependency).collect());
    let line = |line: &Value| crate::cli::print::plain(line);
    section("last_lines", list("last_lines").iter().map(line).collect());
    section("why", chain(daemon, now).lines().map(ToOwned::to_owned).collect());
    section("timeline", list("timeline").iter().map(moment).collect());
    text
}

fn dependency(needs: &Value) -> String {
    let met = if needs["met"] == true { "met" } else { "not met" };
    let soft = if needs["required"] == false { ", not required" } else { "" };
    format!("{}: {}{soft}, {met}", field(needs, "name"), field(needs, "condition"))
}

fn moment(moment: &Value) -> String {
    let word = |name| field(moment, name);
    format!("{}  {:8}  {}", word("at"), word("state"), word("reason")).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera() -> Value {
        json!({"name": "camera", "state": "BACKOFF", "depends_on": ["device-manager"],
            "dependencies": [{"name": "device-manager", "condition": "healthy", "required": false,
                              "met": true}],
            "last_lines": ["cannot open /dev/video0\u{1b}[2J"],
            "why": {"since": "2026-01-02T03:04:05.678Z", "next": "restart 3 of 5 in 4 s", "causes": [
                {"at": "2026-01-02T03:04:05.678Z", "text": "it exited with code 1"},
                {"at": null, "text": "the camera is not plugged in"}]},
            "timeline": [{"at": "2026-01-02T03:04:01.000Z", "state": "RUNNING", "reason": "up"},
                {"at": "2026-01-02T03:04:05.678Z", "state": "BACKOFF", "reason": "exit code 1"}]})
    }

    fn later() -> Timestamp {
        "2026-01-02T03:06:10.000Z".parse().unwrap()
    }

    #[test]
    fn why_is_a_chain_that_ends_in_what_comes_next() {
        insta::assert_snapshot!(chain(&camera(), later()), @r"
        camera: BACKOFF since 2026-01-02T03:04:05.678Z (2m 4s ago)
          it exited with code 1 (2026-01-02T03:04:05.678Z)
            the camera is not plugged in
          Next: restart 3 of 5 in 4 s
        ");
    }

    #[test]
    fn a_daemon_is_shown_with_its_history() {
        insta::assert_snapshot!(in_full(&camera(), later()), @r"
        depends_on: device-manager
        name: camera
        state: BACKOFF
        dependencies:
          device-manager: healthy, not required, met
        last_lines:
          cannot open /dev/video0\u{1b}[2J
        why:
          camera: BACKOFF since 2026-01-02T03:04:05.678Z (2m 4s ago)
            it exited with code 1 (2026-01-02T03:04:05.678Z)
              the camera is not plugged in
            Next: restart 3 of 5 in 4 s
        timeline:
          2026-01-02T03:04:01.000Z  RUNNING   up
          2026-01-02T03:04:05.678Z  BACKOFF   exit code 1
        ");
    }
}
