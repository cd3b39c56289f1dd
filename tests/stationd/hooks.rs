//! Hooks from outside: programs, servers and subscribers that are told what happened.

mod daemons;
mod order;
mod people;
mod programs;
mod receiver;
mod webhooks;

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::support::{Builder, Station, eventually};

/// A station with these hooks.
fn hooked(hooks: &Value) -> Builder {
    Station::with().config(&json!({"hooks": hooks}).to_string())
}

/// A program that adds its arguments, each ended by a NUL, to `file`.
fn write_down(file: &Path, arguments: &[&str]) -> Value {
    let script = format!("printf '%s\\0' \"$@\" >> '{}'", file.display());
    let mut command = vec!["sh", "-c", script.as_str(), "sh"];
    command.extend(arguments);
    json!({"command": command})
}

/// What was written down so far.
fn written(file: &Path) -> Vec<String> {
    let text = String::from_utf8(fs::read(file).unwrap_or_default()).unwrap();
    text.split_terminator('\0').map(str::to_owned).collect()
}

/// Waits until so many words were written down.
#[track_caller]
fn await_written(file: &Path, count: usize) -> Vec<String> {
    eventually(&format!("{count} words in {}", file.display()), || {
        let words = written(file);
        (words.len() >= count).then_some(words)
    })
}

impl Station {
    /// The runs of hooks, newest first.
    #[track_caller]
    fn hook_runs(&self, query: &str) -> Vec<Value> {
        let page = self.local().get(&format!("/api/v1/hooks/runs{query}")).expect(200);
        page["items"].as_array().unwrap().clone()
    }

    /// Waits until the newest run of a hook is in this state.
    #[track_caller]
    fn await_run(&self, hook: &str, state: &str) -> Value {
        eventually(&format!("{hook} is {state}"), || {
            let run = self.hook_runs("").into_iter().find(|run| run["hook"] == hook)?;
            (run["state"] == state).then_some(run)
        })
    }
}
