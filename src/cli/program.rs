//! What the program of a command job runs in, on the command line.

use std::{collections::BTreeMap, env, path::PathBuf};

use clap::Args;
use serde_json::{Map, Value, json};

use super::failure::Failure;
use crate::config::size;

/// See above.
#[derive(Args, Clone, Debug, Default, PartialEq)]
pub(super) struct ProgramArgs {
    /// Set a variable of its environment; KEY alone takes the value it has here; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub env: Vec<String>,
    /// Where it works [default: a directory of the job's own]
    #[arg(long, value_name = "DIR")]
    pub cwd: Option<PathBuf>,
    /// What it may use: memory=512MB, cpu=0.5, open-files=100, processes=20; may be repeated
    #[arg(long, value_name = "WHAT=N", value_parser = limit)]
    pub limit: Vec<(String, Value)>,
    /// How long it may take to stop, in seconds, before it is killed [default: 5]
    #[arg(long, value_name = "SECONDS", value_parser = from_zero)]
    pub stop_timeout: Option<f64>,
}

fn limit(text: &str) -> Result<(String, Value), String> {
    let (what, value) = text.split_once('=').ok_or("write WHAT=N, as memory=512MB")?;
    let what = what.replace('-', "_");
    let number = match what.as_str() {
        "memory" => size(value).map(Value::from),
        "cpu" => value.parse::<f64>().ok().map(Value::from),
        "open_files" | "processes" => value.parse::<u64>().ok().map(Value::from),
        _ => return Err("memory, cpu, open-files and processes can be limited".to_owned()),
    };
    number.map(|number| (what, number)).ok_or_else(|| format!("{value} is no such number"))
}

fn from_zero(text: &str) -> Result<f64, &'static str> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds >= 0.0 && seconds.is_finite() => Ok(seconds),
        _ => Err("a number of seconds is needed"),
    }
}

impl ProgramArgs {
    /// Adds what is said to the body of a job.
    pub(super) fn add_to(&self, body: &mut Value) -> Result<(), Failure> {
        let mut variables = BTreeMap::new();
        for variable in &self.env {
            let (name, value) = match variable.split_once('=') {
                Some((name, value)) => (name.to_owned(), value.to_owned()),
                None => (
                    variable.clone(),
                    env::var(variable).map_err(|_| {
                        Failure::Usage(format!("--env {variable}: it has no value here"))
                    })?,
                ),
            };
            variables.insert(name, value);
        }
        if !variables.is_empty() {
            body["env"] = json!(variables);
        }
        if let Some(cwd) = &self.cwd {
            let absolute = std::path::absolute(cwd)
                .map_err(|error| Failure::Usage(format!("--cwd {}: {error}", cwd.display())))?;
            body["cwd"] = json!(absolute);
        }
        if !self.limit.is_empty() {
            body["limits"] = Value::Object(self.limit.iter().cloned().collect::<Map<_, _>>());
        }
        if let Some(seconds) = self.stop_timeout {
            body["stop_timeout_seconds"] = json!(seconds);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_they_are_written() {
        assert_eq!(limit("memory=512MB"), Ok(("memory".to_owned(), json!(512_000_000))));
        assert_eq!(limit("cpu=0.5"), Ok(("cpu".to_owned(), json!(0.5))));
        for both in ["open-files=100", "open_files=100"] {
            assert_eq!(limit(both), Ok(("open_files".to_owned(), json!(100))));
        }
        for wrong in ["memory", "memory=much", "disk=1", "processes=-1", "cpu="] {
            assert!(limit(wrong).is_err(), "{wrong}");
        }
    }
}
