//! What one job needs of another before it may run.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct};

use super::{JobId, JobState};

/// Which end of the needed job is waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum On {
    /// It was completed.
    #[default]
    Completed,
    /// It has failed.
    Failed,
    /// It has ended, however.
    Ended,
}

impl On {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Ended => "ended",
        }
    }

    /// True if a job in that state is what is waited for, false if it can no longer become so
    /// unless a person retries it; `None` while that is open.
    pub fn is_met(self, state: JobState) -> Option<bool> {
        let wanted = match self {
            Self::Completed => state == JobState::Completed,
            Self::Failed => state == JobState::Failed,
            Self::Ended => true,
        };
        state.is_terminal().then_some(wanted)
    }
}

impl fmt::Display for On {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A job that must have ended first. Written as its bare id where completion is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(from = "Written")]
pub struct Needed {
    /// Which.
    pub job: JobId,
    /// How it must have ended.
    pub on: On,
}

impl From<JobId> for Needed {
    fn from(job: JobId) -> Self {
        Self { job, on: On::Completed }
    }
}

impl Serialize for Needed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.on == On::Completed {
            return self.job.serialize(serializer);
        }
        let mut object = serializer.serialize_struct("Needed", 2)?;
        object.serialize_field("job", &self.job)?;
        object.serialize_field("on", &self.on)?;
        object.end()
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Bare(JobId),
    Full {
        job: JobId,
        #[serde(default)]
        on: On,
    },
}

impl From<Written> for Needed {
    fn from(written: Written) -> Self {
        match written {
            Written::Bare(job) => job.into(),
            Written::Full { job, on } => Self { job, on },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_need_is_a_plain_id() {
        let job = JobId::new();
        for (needed, text) in [
            (Needed::from(job), format!("\"{job}\"")),
            (Needed { job, on: On::Ended }, format!("{{\"job\":\"{job}\",\"on\":\"ended\"}}")),
        ] {
            assert_eq!(serde_json::to_string(&needed).unwrap(), text);
            assert_eq!(serde_json::from_str::<Needed>(&text).unwrap(), needed);
        }
    }

    #[test]
    fn a_need_stays_open_until_the_job_has_ended() {
        use JobState::{Cancelled, Completed, Failed};
        for state in JobState::ALL {
            let met = [On::Completed, On::Failed, On::Ended].map(|on| on.is_met(state));
            let expected = match state {
                Completed => [Some(true), Some(false), Some(true)],
                Failed => [Some(false), Some(true), Some(true)],
                Cancelled => [Some(false), Some(false), Some(true)],
                _ => [None; 3],
            };
            assert_eq!(met, expected, "{state}");
        }
    }
}
