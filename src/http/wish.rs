//! What a submitter says about a job, in JSON, in a query string or in a form.

use std::{collections::BTreeMap, path::PathBuf};

use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::{
    error::{Detail, Problem, in_words},
    intake::clean_name,
    need::{Need, needs},
    surroundings::{Asked, LimitsWish},
};
use crate::domain::{
    Backoff, IfTaken, JobId, JobKind, Needed, NewJob, On, Payload, Priority, Retry, Rules,
    Timestamp, when,
};

pub(super) const LONGEST_NAME: usize = 120;
const MOST_LABELS: usize = 32;
const LONGEST_LABEL: usize = 256;
const LONGEST_GROUP: usize = 64;
const MOST_COPIES: u32 = 1_000;
const MOST_DEPENDENCIES: usize = 64;
const MOST_ATTEMPTS: u32 = 100;
const LONGEST_TIMEOUT: f64 = 366.0 * 86_400.0;

/// The fields of a job that a submitter may set.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Wish {
    kind: Option<JobKind>,
    /// The program and its arguments.
    pub(super) command: Option<Vec<String>>,
    pub(super) name: Option<String>,
    /// What the file itself is called, whatever people call the job.
    pub(super) file_name: Option<String>,
    pub(super) device: Option<String>,
    pub(super) driver: Option<String>,
    #[serde(deserialize_with = "priority")]
    priority: Priority,
    pub(super) hold: bool,
    /// Run it although its verdict is red.
    pub(super) force: bool,
    /// A time as people write it.
    not_before: Option<String>,
    depends_on: Vec<Need>,
    timeout_seconds: Option<f64>,
    max_attempts: Option<u32>,
    labels: BTreeMap<String, String>,
    group: Option<String>,
    unique_key: Option<String>,
    if_exists: IfTaken,
    retry: Option<Retry>,
    copies: Option<u32>,
    /// How other jobs of the same batch call it.
    #[serde(rename = "ref")]
    pub(super) reference: Option<String>,
    /// The file itself, in a batch.
    pub(super) content: Option<String>,
    /// Variables of a program, where it works, what it may use, how long it may take to stop.
    env: BTreeMap<String, String>,
    cwd: Option<PathBuf>,
    limits: Option<LimitsWish>,
    stop_timeout_seconds: Option<f64>,
}

/// What of a wish depends on the time, the place and the other jobs.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) not_before: Option<Timestamp>,
    pub(super) depends_on: Vec<Needed>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Number(i32),
    Word(String),
}

pub(super) fn priority<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Priority, D::Error> {
    match Number::deserialize(deserializer) {
        Ok(Number::Number(number)) => Ok(Priority(number)),
        Ok(Number::Word(word)) => word.parse().map_err(D::Error::custom),
        Err(_) => {
            Err(D::Error::custom("a priority is a whole number, or low, normal, high or critical"))
        }
    }
}

impl Wish {
    /// From the pairs of a query string or the text fields of a form. All problems at once.
    pub(super) fn from_pairs(pairs: &[(String, String)]) -> Result<Self, Problem> {
        let mut wish = Self::default();
        let problems: Vec<Detail> = pairs
            .iter()
            .filter_map(|(key, value)| Some(Detail::field(key, wish.set(key, value).err()?)))
            .collect();
        if problems.is_empty() { Ok(wish) } else { Err(Problem::Invalid(problems)) }
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let text = value.to_owned();
        match key {
            "kind" if value == "device" => self.kind = Some(JobKind::Device),
            "kind" => return Err("a file makes a job of the kind device".to_owned()),
            "name" => self.name = Some(text),
            "file_name" => self.file_name = Some(text),
            "device" => self.device = Some(text),
            "driver" => self.driver = Some(text),
            "priority" => self.priority = read(value)?,
            "hold" => self.hold = yes(value)?,
            "force" => self.force = yes(value)?,
            "at" | "not_before" => self.not_before = Some(text),
            "after" | "depends_on" => self.depends_on.extend(needs(value, On::Completed)),
            "after_failed" => self.depends_on.extend(needs(value, On::Failed)),
            "after_any" => self.depends_on.extend(needs(value, On::Ended)),
            "copies" => self.copies = Some(read(value)?),
            "unique_key" => self.unique_key = Some(text),
            "if_exists" => {
                self.if_exists = IfTaken::named(value)
                    .ok_or_else(|| "refuse, ignore or replace is understood".to_owned())?;
            }
            "max_attempts" => self.max_attempts = Some(read(value)?),
            "labels" => self.labels = serde_json::from_str(value).map_err(|it| it.to_string())?,
            "label" => {
                let (key, value) = value.split_once('=').ok_or("a label is KEY=VALUE")?;
                self.labels.insert(key.to_owned(), value.to_owned());
            }
            _ => return Err(format!("there is no field \"{key}\"")),
        }
        Ok(())
    }

    /// What is wrong with it, whatever the job is made of.
    pub(super) fn check(&self, kind: JobKind) -> Result<(), Problem> {
        let mut problems = Vec::new();
        let mut wrong = |name: &str, detail: &str| problems.push(Detail::field(name, detail));
        if self.kind.is_some_and(|it| it != kind) {
            wrong("kind", "a device job comes as a file, a command job as JSON");
        }
        if self.name.as_ref().is_some_and(|name| name.trim().is_empty()) {
            wrong("name", "a name is not empty");
        }
        if self.depends_on.len() > MOST_DEPENDENCIES {
            wrong("depends_on", "at most 64 jobs can be waited for");
        }
        if self.max_attempts.is_some_and(|it| !(1..=MOST_ATTEMPTS).contains(&it)) {
            wrong("max_attempts", "1 to 100 attempts are made");
        }
        if kind == JobKind::Device && self.max_attempts.is_some_and(|it| it > 1) {
            wrong("max_attempts", "a device job never starts again by itself");
        }
        if self.timeout_seconds.is_some_and(|it| !(it > 0.0 && it <= LONGEST_TIMEOUT)) {
            wrong("timeout_seconds", "a time-out is longer than 0 s and shorter than a year");
        }
        if !fit(&self.labels) {
            wrong("labels", LABELS);
        }
        if kind == JobKind::Device && (self.group.is_some() || self.retry.is_some()) {
            let field = if self.group.is_some() { "group" } else { "retry" };
            wrong(field, "only command jobs have groups and are tried again");
        }
        if self.group.as_ref().is_some_and(|group| !is_group(group)) {
            wrong("group", "a group is named by 1 to 64 letters, digits, -, _ or .");
        }
        if self.unique_key.as_ref().is_some_and(|key| key.is_empty() || key.len() > LONGEST_LABEL) {
            wrong("unique_key", "a unique key has 1 to 256 bytes");
        }
        if let Some(Err(error)) = self.retry.map(|retry| retry.over(Backoff::default())) {
            wrong("retry", &error.to_string());
        }
        if self.copies.is_some_and(|copies| !(1..=MOST_COPIES).contains(&copies)) {
            wrong("copies", "1 to 1000 copies are made");
        }
        if self.copies() > 1 && self.unique_key.is_some() {
            wrong("copies", "a job with a unique key has no copies");
        }
        if kind == JobKind::Command && (self.device.is_some() || self.driver.is_some()) {
            wrong("device", "a command job runs on this computer, not on a machine");
        }
        if kind == JobKind::Command && self.file_name.is_some() {
            wrong("file_name", "a program has no file");
        }
        if kind == JobKind::Command && self.force {
            wrong("force", "only a file is checked, and can be forced");
        }
        if let Some(command) = &self.command
            && (command.first().is_none_or(|program| program.trim().is_empty())
                || command.iter().any(|word| word.contains('\0')))
        {
            wrong("command", "a command is a list: the program, then its arguments");
        }
        let asked = self.asked();
        if kind == JobKind::Device && !asked.is_empty() {
            wrong("env", "env, cwd, limits and stop_timeout_seconds are for programs");
        }
        asked.check(&mut problems);
        if problems.is_empty() { Ok(()) } else { Err(Problem::Invalid(problems)) }
    }

    fn asked(&self) -> Asked<'_> {
        Asked {
            env: &self.env,
            cwd: self.cwd.as_ref(),
            limits: self.limits.unwrap_or_default(),
            stop_timeout_seconds: self.stop_timeout_seconds,
        }
    }

    /// True if it can be asked for again and again.
    pub(super) fn is_repeatable(&self) -> bool {
        self.not_before.is_none()
            && self.depends_on.is_empty()
            && self.copies.is_none()
            && self.reference.is_none()
    }

    /// The names whose extension may tell what kind of file it is, the first one first.
    pub(super) fn names(&self) -> Vec<String> {
        let names = [&self.name, &self.file_name].into_iter().flatten();
        names.filter_map(|name| clean_name(name)).collect()
    }

    /// How many jobs it is.
    pub(super) fn copies(&self) -> u32 {
        self.copies.unwrap_or(1)
    }

    /// What it means by times and jobs. `batch` knows the jobs of the same batch by their names;
    /// `known` says what is wrong with the id of any other.
    pub(super) fn resolve(
        &self,
        zone: &TimeZone,
        batch: &BTreeMap<String, JobId>,
        known: impl Fn(JobId) -> Result<(), String>,
    ) -> Result<Resolved, Problem> {
        let time = self.not_before.as_ref().map(|text| when(text, Timestamp::now(), zone));
        let not_before = time.transpose().map_err(|error| Problem::field("not_before", error))?;
        let needed = |(index, need): (usize, &Need)| {
            let (text, on) = need.parts();
            if let Some(job) = batch.get(text) {
                return Ok(Needed { job: *job, on });
            }
            let wrong = |why: String| Problem::field(&format!("depends_on/{index}"), why);
            let job: JobId =
                text.parse().map_err(|_| wrong(format!("\"{text}\" is not the id of a job")))?;
            known(job).map_err(wrong)?;
            Ok(Needed { job, on })
        };
        let depends_on = self.depends_on.iter().enumerate().map(needed);
        let depends_on = depends_on.collect::<Result<_, Problem>>()?;
        Ok(Resolved { not_before, depends_on })
    }

    /// The job it asks for.
    pub(super) fn into_job(
        self,
        name: String,
        payload: Payload,
        submitted_by: String,
        resolved: Resolved,
    ) -> NewJob {
        let surroundings = self.asked().surroundings();
        let rules = Rules {
            group: self.group,
            unique_key: self.unique_key,
            if_taken: self.if_exists,
            retry: self.retry,
            schedule: None,
        };
        NewJob {
            id: JobId::new(),
            name,
            payload,
            program: None,
            priority: self.priority,
            device: self.device,
            driver: self.driver,
            surroundings,
            hold: self.hold,
            not_before: resolved.not_before,
            depends_on: resolved.depends_on,
            labels: self.labels,
            timeout_seconds: self.timeout_seconds,
            rules,
            max_attempts: self.max_attempts.unwrap_or(1),
            submitted_by,
            idempotency_key: None,
            analysis: None,
            forced: self.force,
        }
    }

    /// The name of a command job: as given, or the program's.
    pub(super) fn command_name(&self) -> String {
        let program = || self.command.as_ref().and_then(|command| command.first().cloned());
        let name = self.name.clone().or_else(program).unwrap_or_default();
        let visible = name.chars().map(|char| if char.is_control() { ' ' } else { char });
        visible.take(LONGEST_NAME).collect::<String>().trim().to_owned()
    }
}

pub(super) const LABELS: &str = "at most 32 labels of at most 256 bytes are kept";

/// True if so many labels of that length are kept.
pub(super) fn fit(labels: &BTreeMap<String, String>) -> bool {
    let long = |text: &String| text.len() > LONGEST_LABEL;
    labels.len() <= MOST_LABELS && !labels.iter().any(|(k, v)| long(k) || long(v) || k.is_empty())
}

fn is_group(text: &str) -> bool {
    let fits = |char: char| char.is_ascii_alphanumeric() || "-_.".contains(char);
    (1..=LONGEST_GROUP).contains(&text.len()) && text.chars().all(fits)
}

fn read<T: std::str::FromStr>(text: &str) -> Result<T, String>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| in_words(&error.to_string()))
}

fn yes(text: &str) -> Result<bool, String> {
    match text {
        "true" | "1" | "" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err("true or false is understood".to_owned()),
    }
}

#[cfg(test)]
mod tests;
