//! What may be said of a new job, whatever it is made of.

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use crate::domain::{JobId, Priority, Timestamp, when};

/// Options of `submit` and `run`.
#[derive(Args, Clone, Debug, Default, PartialEq)]
pub(super) struct Wishes {
    /// What people call the job [default: the name of the file or program]
    #[arg(long)]
    pub name: Option<String>,
    /// What comes first: a number, or low, normal, high, critical
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub priority: Option<Priority>,
    /// Wait until a person releases it
    #[arg(long)]
    pub hold: bool,
    /// Not before this time: 18:00, "2026-01-31 18:00", "tomorrow 7:30", +2h, or RFC 3339
    ///
    /// A time without a zone is one of the station's (`station.timezone`).
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub at: Option<String>,
    /// Not before this job is completed; may be repeated
    #[arg(long, value_name = "JOB")]
    pub after: Vec<JobId>,
    /// Only if this job fails, and then; may be repeated
    #[arg(long, value_name = "JOB")]
    pub after_failed: Vec<JobId>,
    /// Not before this job has ended, however; may be repeated
    #[arg(long, value_name = "JOB")]
    pub after_any: Vec<JobId>,
    /// Put this label on it; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = label)]
    pub label: Vec<(String, String)>,
    /// This many jobs of the same kind, named "NAME (1/N)" and so on
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub copies: Option<u32>,
    /// At most one job with this key waits or runs
    #[arg(long, value_name = "KEY", conflicts_with = "copies")]
    pub unique: Option<String>,
    /// If a job with that key waits or runs already: refuse, let that one stand for both, or
    /// replace it while it waits
    #[arg(long, value_name = "POLICY", value_enum, requires = "unique")]
    pub if_exists: Option<IfExists>,
    /// The same key again gives the same job instead of a second one
    #[arg(long)]
    pub key: Option<String>,
    /// Stay until it ends; fail unless it completes
    #[arg(long)]
    pub watch: bool,
}

/// What becomes of a job whose unique key is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum IfExists {
    /// It is refused.
    Refuse,
    /// The other one stands for both.
    Ignore,
    /// The other one is cancelled, if it still waits.
    Replace,
}

impl IfExists {
    fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Ignore => "ignore",
            Self::Replace => "replace",
        }
    }
}

/// The station reads it: it knows its own clock and zone.
fn time(text: &str) -> Result<String, String> {
    let time = when(text, Timestamp::now(), &jiff::tz::TimeZone::system());
    time.map(|_| text.to_owned()).map_err(|error| error.to_string())
}

pub(super) fn label(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE, for example customer=smith"),
    }
}

impl Wishes {
    /// As parameters of a query; the empty ones say nothing.
    pub(super) fn parameters(&self) -> Vec<(&'static str, String)> {
        let list =
            |ids: &[JobId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let number = |number: Option<i64>| number.map(|it| it.to_string()).unwrap_or_default();
        let mut parameters = vec![
            ("priority", number(self.priority.map(|Priority(value)| value.into()))),
            ("hold", if self.hold { "true".to_owned() } else { String::new() }),
            ("at", text(&self.at)),
            ("after", list(&self.after)),
            ("after_failed", list(&self.after_failed)),
            ("after_any", list(&self.after_any)),
            ("copies", number(self.copies.map(i64::from))),
            ("unique_key", text(&self.unique)),
            ("if_exists", self.if_exists.map(IfExists::as_str).unwrap_or_default().to_owned()),
        ];
        parameters
            .extend(self.label.iter().map(|(key, value)| ("label", format!("{key}={value}"))));
        parameters
    }

    /// As the fields of a JSON body.
    pub(super) fn fields(&self) -> Map<String, Value> {
        let mut fields = Map::new();
        let mut add = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                fields.insert(name.to_owned(), value);
            }
        };
        add("name", self.name.clone().map(Value::from));
        add("priority", self.priority.map(|Priority(value)| value.into()));
        add("hold", self.hold.then_some(true.into()));
        add("not_before", self.at.clone().map(Value::from));
        let needs = [
            (&self.after, "completed"),
            (&self.after_failed, "failed"),
            (&self.after_any, "ended"),
        ];
        let needs: Vec<Value> = needs
            .into_iter()
            .flat_map(|(ids, on)| ids.iter().map(move |id| json!({"job": id, "on": on})))
            .collect();
        add("depends_on", (!needs.is_empty()).then_some(needs.into()));
        let labels: Map<_, _> =
            self.label.iter().map(|(key, value)| (key.clone(), value.clone().into())).collect();
        add("labels", (!labels.is_empty()).then_some(labels.into()));
        add("copies", self.copies.map(Value::from));
        add("unique_key", self.unique.clone().map(Value::from));
        add("if_exists", self.if_exists.map(|it| it.as_str().into()));
        fields
    }

    /// The key given, or one of our own: it makes it safe to send again what was lost on the way.
    pub(super) fn idempotency_key(&self) -> String {
        self.key.clone().unwrap_or_else(|| JobId::new().to_string())
    }
}
