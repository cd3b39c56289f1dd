//! What a submitter says about a job, in JSON, in a query string or in a form.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::Error as _};

use super::error::{Detail, Problem};
use crate::domain::{JobId, JobKind, NewJob, Payload, Priority, Timestamp};

const LONGEST_NAME: usize = 120;
const MOST_LABELS: usize = 32;
const LONGEST_LABEL: usize = 256;
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
    pub(super) device: Option<String>,
    pub(super) driver: Option<String>,
    #[serde(deserialize_with = "priority")]
    priority: Priority,
    pub(super) hold: bool,
    /// Run it although its verdict is red.
    pub(super) force: bool,
    not_before: Option<Timestamp>,
    pub(super) depends_on: Vec<JobId>,
    timeout_seconds: Option<f64>,
    max_attempts: Option<u32>,
    labels: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Number(i32),
    Word(String),
}

fn priority<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Priority, D::Error> {
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
            "device" => self.device = Some(text),
            "driver" => self.driver = Some(text),
            "priority" => self.priority = read(value)?,
            "hold" => self.hold = yes(value)?,
            "force" => self.force = yes(value)?,
            "at" | "not_before" => self.not_before = Some(read(value)?),
            "after" | "depends_on" => {
                for id in value.split(',').map(str::trim).filter(|id| !id.is_empty()) {
                    self.depends_on.push(read(id)?);
                }
            }
            "max_attempts" => self.max_attempts = Some(read(value)?),
            "labels" => self.labels = serde_json::from_str(value).map_err(|it| it.to_string())?,
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
        let long = |text: &String| text.len() > LONGEST_LABEL;
        if self.labels.len() > MOST_LABELS || self.labels.iter().any(|(k, v)| long(k) || long(v)) {
            wrong("labels", "at most 32 labels of at most 256 bytes are kept");
        }
        if kind == JobKind::Command && (self.device.is_some() || self.driver.is_some()) {
            wrong("device", "a command job runs on this computer, not on a machine");
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
        if problems.is_empty() { Ok(()) } else { Err(Problem::Invalid(problems)) }
    }

    /// The job it asks for.
    pub(super) fn into_job(self, name: String, payload: Payload, submitted_by: String) -> NewJob {
        NewJob {
            id: JobId::new(),
            name,
            payload,
            priority: self.priority,
            device: self.device,
            driver: self.driver,
            hold: self.hold,
            not_before: self.not_before,
            depends_on: self.depends_on,
            labels: self.labels,
            timeout_seconds: self.timeout_seconds,
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

fn read<T: std::str::FromStr>(text: &str) -> Result<T, String>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| error.to_string())
}

fn yes(text: &str) -> Result<bool, String> {
    match text {
        "true" | "1" | "" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err("true or false is understood".to_owned()),
    }
}

#[cfg(test)]
mod tests {
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
                "not_before":"2030-01-01T00:00:00.000Z","depends_on":["{id}"]}}"#
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
        ] {
            let wish: Wish = serde_json::from_str(text).unwrap();
            assert!(wish.check(JobKind::Command).is_err(), "{text}");
        }
        for text in [r#"{"priority":1.5}"#, r#"{"priority":"soon"}"#, r#"{"extra":1}"#] {
            assert!(serde_json::from_str::<Wish>(text).is_err(), "{text}");
        }
    }
}
