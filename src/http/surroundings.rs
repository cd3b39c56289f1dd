//! What a submitter says about the surroundings of a program.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Deserializer, de::Error as _};

use super::error::Detail;
use crate::{
    config::size,
    domain::{Limits, Surroundings},
};

const MOST_VARIABLES: usize = 256;
/// Of all variables together; more than that and `execve` takes no arguments.
const MOST_BYTES: usize = 128 * 1024;
const LONGEST_PATH: usize = 4096;
const LONGEST_STOP: f64 = 3600.0;
const MOST_CORES: f64 = 1024.0;
/// A program with less does not even start.
const LEAST_MEMORY: u64 = 1_000_000;

/// What a program may use, as it is written: `{"memory": "512MB", "cpu": 0.5, …}`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LimitsWish {
    #[serde(deserialize_with = "bytes")]
    memory: Option<u64>,
    cpu: Option<f64>,
    #[serde(alias = "open-files")]
    open_files: Option<u64>,
    processes: Option<u64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Size {
    Number(u64),
    Text(String),
}

fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let wrong = || D::Error::custom("a size is a number of bytes, or as 500MB or 2GiB");
    match Option::<Size>::deserialize(deserializer).map_err(|_| wrong())? {
        None => Ok(None),
        Some(Size::Number(number)) => Ok(Some(number)),
        Some(Size::Text(text)) => size(&text).map(Some).ok_or_else(wrong),
    }
}

/// The fields of a job that are about its program's surroundings.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) env: &'a BTreeMap<String, String>,
    pub(super) cwd: Option<&'a PathBuf>,
    pub(super) limits: LimitsWish,
    pub(super) stop_timeout_seconds: Option<f64>,
}

impl Asked<'_> {
    /// True if nothing is said.
    pub(super) fn is_empty(&self) -> bool {
        self.surroundings() == Surroundings::default()
    }

    /// What is wrong with it.
    pub(super) fn check(&self, problems: &mut Vec<Detail>) {
        let mut wrong = |name: &str, detail: String| problems.push(Detail::field(name, detail));
        if self.env.len() > MOST_VARIABLES {
            wrong("env", format!("at most {MOST_VARIABLES} variables can be set"));
        }
        let length = self.env.iter().map(|(name, value)| name.len() + value.len() + 2);
        if length.sum::<usize>() > MOST_BYTES {
            wrong("env", format!("the variables have at most {MOST_BYTES} bytes together"));
        }
        for (name, value) in self.env {
            if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
                wrong("env", format!("{name:?} is no variable: no name, or a = or NUL in it"));
            } else if name.starts_with("STATIOND_") {
                wrong("env", format!("{name} is the station's: names with STATIOND_ are kept"));
            }
        }
        if let Some(cwd) = self.cwd
            && !is_a_place(cwd)
        {
            wrong("cwd", "a working directory is an absolute path".to_owned());
        }
        let Limits { memory, cpu, open_files, processes } = self.limits();
        if memory.is_some_and(|it| it < LEAST_MEMORY) {
            wrong("limits/memory", "at least 1MB is needed".to_owned());
        }
        if cpu.is_some_and(|it| !(0.01..=MOST_CORES).contains(&it)) {
            wrong("limits/cpu", "cores, as 0.5 or 2, at least 0.01".to_owned());
        }
        if open_files.is_some_and(|it| it < 4) {
            wrong("limits/open_files", "at least 4 are needed".to_owned());
        }
        if processes == Some(0) {
            wrong("limits/processes", "at least 1 is needed".to_owned());
        }
        if self.stop_timeout_seconds.is_some_and(|it| !(0.0..=LONGEST_STOP).contains(&it)) {
            wrong("stop_timeout_seconds", "0 to 3600 seconds are waited".to_owned());
        }
    }

    fn limits(&self) -> Limits {
        let LimitsWish { memory, cpu, open_files, processes } = self.limits;
        Limits { memory, cpu, open_files, processes }
    }

    /// As the job has it.
    pub(super) fn surroundings(&self) -> Surroundings {
        Surroundings {
            env: self.env.clone(),
            cwd: self.cwd.cloned(),
            limits: self.limits(),
            stop_timeout_seconds: self.stop_timeout_seconds,
        }
    }
}

fn is_a_place(path: &Path) -> bool {
    path.is_absolute()
        && path.as_os_str().len() <= LONGEST_PATH
        && !path.to_string_lossy().contains('\0')
}
