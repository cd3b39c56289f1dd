//! What the program of a command job runs in, beside its arguments.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize, Serializer};

use super::Limits;

/// After SIGTERM a program has that long to end, if its job does not say otherwise.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// See above. As it is stored; for how it is shown, see [`shown`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Surroundings {
    /// Variables besides the few that it inherits.
    pub env: BTreeMap<String, String>,
    /// Where it works; the job's own directory if none.
    pub cwd: Option<PathBuf>,
    /// What it may use.
    pub limits: Limits,
    /// How long it may take to end once it is asked to; then it is killed.
    pub stop_timeout_seconds: Option<f64>,
}

impl Surroundings {
    /// How long it may take to end once it is asked to.
    pub fn stop_timeout(&self) -> Duration {
        let own = self.stop_timeout_seconds;
        own.and_then(|it| Duration::try_from_secs_f64(it).ok()).unwrap_or(STOP_TIMEOUT)
    }
}

/// Without the values of variables: they may be secrets.
pub(super) fn shown<S: Serializer>(of: &Surroundings, to: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Shown<'a> {
        env_names: Vec<&'a str>,
        cwd: &'a Option<PathBuf>,
        limits: Limits,
        stop_timeout_seconds: Option<f64>,
    }
    let Surroundings { env, cwd, limits, stop_timeout_seconds } = of;
    let env_names = env.keys().map(String::as_str).collect();
    let (limits, stop_timeout_seconds) = (*limits, *stop_timeout_seconds);
    Shown { env_names, cwd, limits, stop_timeout_seconds }.serialize(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_variables_are_not_shown() {
        let env = BTreeMap::from([("TOKEN".to_owned(), "secret".to_owned())]);
        let surroundings = Surroundings { env, ..Surroundings::default() };
        let mut text = Vec::new();
        shown(&surroundings, &mut serde_json::Serializer::new(&mut text)).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains(r#""env_names":["TOKEN"]"#) && !text.contains("secret"), "{text}");
    }
}
