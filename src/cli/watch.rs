//! Watching jobs until they end: bars on a terminal, lines elsewhere, JSON for programs.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde_json::Value;

use super::{
    client::Client,
    failure::Failure,
    live::Live,
    print::{Out, field, note, print_json_line, seconds},
};
use crate::domain::{JobId, JobState};

/// A station that restarts is waited for so long.
const ABSENCE: Duration = Duration::from_mins(1);

/// Watches until every job has ended, or waits for a person because it was interrupted; fails
/// unless all are completed.
pub(super) async fn until_ended(client: &Client, out: Out, ids: &[JobId]) -> Result<(), Failure> {
    let mut watch = Watch::new(View::new(out), ids);
    let mut seen = None::<Instant>;
    while !watch.ended() {
        match watch.follow(client, &mut seen).await {
            Ok(()) => {}
            Err(failure @ Failure::NotRunning(_)) => match seen {
                Some(last) if last.elapsed() < ABSENCE => {
                    tokio::time::sleep(Duration::from_millis(300)).await;
                }
                _ => return Err(failure),
            },
            Err(failure) => return Err(failure),
        }
    }
    watch.verdict()
}

/// What is known of a job.
struct Watched {
    name: String,
    state: Option<JobState>,
    reason: String,
    percent: f64,
    left: String,
    bar: Option<ProgressBar>,
}

/// How it is shown.
enum View {
    Bars(MultiProgress),
    Lines,
    Json,
}

impl View {
    fn new(out: Out) -> Self {
        if out.is_json() {
            Self::Json
        } else if io::stderr().is_terminal() {
            Self::Bars(MultiProgress::new())
        } else {
            Self::Lines
        }
    }
}

struct Watch {
    view: View,
    jobs: BTreeMap<JobId, Watched>,
}

impl Watch {
    fn new(view: View, ids: &[JobId]) -> Self {
        let job = |id: &JobId| {
            let bar = match &view {
                View::Bars(bars) => Some(bars.add(ProgressBar::new(1000).with_style(style()))),
                View::Lines | View::Json => None,
            };
            let name = id.to_string();
            let job = Watched {
                name,
                state: None,
                reason: String::new(),
                percent: 0.0,
                left: String::new(),
                bar,
            };
            (*id, job)
        };
        let jobs = ids.iter().map(job).collect();
        Self { view, jobs }
    }

    /// Follows one connection to its end, or until all jobs have ended. `seen` is the last time
    /// the station was there.
    async fn follow(&mut self, client: &Client, seen: &mut Option<Instant>) -> Result<(), Failure> {
        let channels: Vec<String> = self.jobs.keys().map(|id| format!("job:{id}")).collect();
        let mut live = Live::subscribe(client, &channels).await?;
        self.read(client).await?;
        while !self.ended() {
            *seen = Some(Instant::now());
            match live.next().await? {
                Some(message) if message["type"] == "lagged" => self.read(client).await?,
                Some(message) => self.heard(&message)?,
                None => return Err(Failure::NotRunning("the station has stopped".to_owned())),
            }
            // What has failed may be going to be tried again.
            if self.ended() && self.jobs.values().any(|job| job.state == Some(JobState::Failed)) {
                self.read(client).await?;
            }
        }
        Ok(())
    }

    /// Reads every job as it is now: the snapshot of a subscription has only those that run.
    async fn read(&mut self, client: &Client) -> Result<(), Failure> {
        let ids: Vec<JobId> = self.jobs.keys().copied().collect();
        for id in ids {
            let job = client.get(&format!("/api/v1/jobs/{id}")).await?;
            self.now(id, &field(&job, "name"), &field(&job, "state"), &field(&job, "error"))?;
        }
        Ok(())
    }

    fn heard(&mut self, message: &Value) -> Result<(), Failure> {
        if matches!(self.view, View::Json) {
            print_json_line(message)?;
        }
        let Ok(id) = field(message, "job_id").parse() else { return Ok(()) };
        match message["type"].as_str() {
            Some("job_state_change") => {
                let word = |name| field(message, name);
                self.now(id, &word("job_name"), &word("to_state"), &word("reason"))
            }
            Some("job_progress") => {
                let percent = message["progress_percentage"].as_f64().unwrap_or_default();
                self.progressed(id, percent, seconds(&message["eta_seconds"], 2))
            }
            _ => Ok(()),
        }
    }

    fn now(&mut self, id: JobId, name: &str, state: &str, reason: &str) -> Result<(), Failure> {
        let Some(job) = self.jobs.get_mut(&id) else { return Ok(()) };
        let Ok(state) = state.parse() else { return Ok(()) };
        if job.state == Some(state) {
            return Ok(());
        }
        name.clone_into(&mut job.name);
        reason.clone_into(&mut job.reason);
        job.state = Some(state);
        if state == JobState::Completed {
            job.percent = 100.0;
        }
        match &self.view {
            View::Bars(_) => job.draw(),
            View::Lines => note(job.line()),
            View::Json => Ok(()),
        }
    }

    fn progressed(&mut self, id: JobId, percent: f64, left: String) -> Result<(), Failure> {
        let Some(job) = self.jobs.get_mut(&id) else { return Ok(()) };
        let tenth = |percent: f64| (percent / 10.0).floor();
        let further = tenth(percent) > tenth(job.percent);
        job.percent = percent;
        job.left = left;
        match &self.view {
            View::Bars(_) => job.draw(),
            View::Lines if further && percent < 100.0 => note(job.line()),
            View::Lines | View::Json => Ok(()),
        }
    }

    fn ended(&self) -> bool {
        self.jobs.values().all(|job| job.state.is_some_and(has_ended))
    }

    fn verdict(&self) -> Result<(), Failure> {
        let mut all = self.jobs.iter();
        let Some((id, job)) = all.find(|(_, job)| job.state != Some(JobState::Completed)) else {
            return Ok(());
        };
        let advice = match job.state {
            Some(JobState::Interrupted) => {
                format!("`stationd job resume {id}` goes on, retry starts over")
            }
            _ => format!("`stationd job retry {id}` runs it again"),
        };
        Err(Failure::Failed(format!("{}; {advice}", job.line())))
    }
}

/// Nothing more happens by itself.
fn has_ended(state: JobState) -> bool {
    state.is_terminal() || state == JobState::Interrupted
}

impl Watched {
    fn line(&self) -> String {
        let state = self.state.map_or("", JobState::as_str);
        let mut line = format!("{}: {state}", self.name);
        if self.state.is_some_and(JobState::is_active) {
            _ = write!(line, " {:.0}%", self.percent);
        }
        if !self.left.is_empty() && self.state == Some(JobState::Running) {
            _ = write!(line, ", {} left", self.left);
        }
        let tells = !matches!(self.state, Some(JobState::Running | JobState::Completed));
        if tells && !self.reason.is_empty() {
            _ = write!(line, " ({})", self.reason);
        }
        line
    }

    #[expect(clippy::unnecessary_wraps, reason = "one of three ways to show a job")]
    fn draw(&self) -> Result<(), Failure> {
        let Some(bar) = &self.bar else { return Ok(()) };
        bar.set_prefix(self.name.clone());
        bar.set_position(permille(self.percent));
        match self.state {
            Some(state) if has_ended(state) => bar.finish_with_message(state.as_str()),
            Some(JobState::Running) if !self.left.is_empty() => {
                bar.set_message(format!("{} left", self.left));
            }
            Some(state) => bar.set_message(state.as_str()),
            None => {}
        }
        Ok(())
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
fn permille(percent: f64) -> u64 {
    (percent.clamp(0.0, 100.0) * 10.0) as u64
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{prefix:24!} {bar:32} {percent:>3}%  {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸ ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(id: JobId, to: &str, reason: &str) -> Value {
        json!({"type": "job_state_change", "job_id": id, "job_name": "rose", "from_state": null,
               "to_state": to, "reason": reason})
    }

    #[test]
    fn a_watch_ends_when_every_job_has_ended() {
        let (one, two) = (JobId::new(), JobId::new());
        let mut watch = Watch::new(View::Lines, &[one, two]);
        watch.heard(&change(one, "COMPLETED", "")).unwrap();
        assert!(!watch.ended());
        watch.heard(&change(two, "RUNNING", "")).unwrap();
        watch.heard(&change(JobId::new(), "COMPLETED", "another job")).unwrap();
        assert!(!watch.ended());
        watch.heard(&change(two, "FAILED", "error:20 in line 3")).unwrap();
        assert!(watch.ended());
        let failure = watch.verdict().unwrap_err();
        assert_eq!(failure.code(), 1);
        let text = failure.to_string();
        assert!(text.starts_with("rose: FAILED (error:20 in line 3); "), "{text}");
    }

    #[test]
    fn an_interrupted_job_is_not_waited_for() {
        let id = JobId::new();
        let mut watch = Watch::new(View::Lines, &[id]);
        watch.heard(&change(id, "INTERRUPTED", "the link was lost")).unwrap();
        assert!(watch.ended() && watch.verdict().is_err());
    }

    #[test]
    fn all_completed_is_success() {
        let id = JobId::new();
        let mut watch = Watch::new(View::Lines, &[id]);
        watch.heard(&change(id, "RUNNING", "")).unwrap();
        let progress = json!({"type": "job_progress", "job_id": id, "progress_percentage": 41.5,
                              "eta_seconds": 90.0});
        watch.heard(&progress).unwrap();
        assert_eq!(watch.jobs[&id].line(), "rose: RUNNING 42%, 1m 30s left");
        watch.heard(&change(id, "COMPLETED", "")).unwrap();
        assert!(watch.verdict().is_ok());
    }
}
