//! What a program says on how far it is: `progress: 42`, `progress: 42 message`, or a line of JSON
//! as `{"progress": 0.42, "message": "…", "eta_seconds": 12}`.

use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::domain::Progress;

/// Told no more often than that.
const PACE: Duration = Duration::from_millis(100);
/// What is kept of a message, in letters.
const LONGEST: usize = 200;

/// The JSON form; other fields are the program's own.
#[derive(Deserialize)]
struct Said {
    progress: f64,
    message: Option<String>,
    eta_seconds: Option<f64>,
}

/// What a line of a program's output says on how far it is; none if it is not about that.
pub fn progress_of(line: &str) -> Option<Progress> {
    let line = line.trim();
    if let Some(rest) = line.strip_prefix("progress:") {
        let rest = rest.trim_start();
        let (number, message) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let percentage = number.strip_suffix('%').unwrap_or(number).parse().ok()?;
        return progress(percentage, Some(message), None);
    }
    if !line.starts_with('{') || !line.contains("\"progress\"") {
        return None;
    }
    let said: Said = serde_json::from_str(line).ok()?;
    progress(said.progress * 100.0, said.message.as_deref(), said.eta_seconds)
}

fn progress(percentage: f64, message: Option<&str>, eta: Option<f64>) -> Option<Progress> {
    if !(0.0..=100.0).contains(&percentage) {
        return None;
    }
    let message = message.map(str::trim).filter(|it| !it.is_empty());
    Some(Progress {
        progress_percentage: (percentage * 10.0).round() / 10.0,
        eta_seconds: eta.filter(|it| it.is_finite() && *it >= 0.0),
        message: message.map(|it| it.chars().take(LONGEST).collect()),
        ..Progress::default()
    })
}

/// The last word, and whether it has been told.
#[derive(Debug, Default)]
pub(super) struct Word {
    last: Option<Progress>,
    told: Option<Instant>,
    is_new: bool,
}

impl Word {
    /// Takes a line of the program's.
    pub(super) fn take(&mut self, line: &str) {
        if let Some(progress) = progress_of(line) {
            self.last = Some(progress);
            self.is_new = true;
        }
    }

    /// The last word.
    pub(super) fn last(&self) -> Option<&Progress> {
        self.last.as_ref()
    }

    /// When there is something to tell.
    pub(super) fn due(&self) -> Option<Instant> {
        self.is_new.then(|| self.told.map_or_else(Instant::now, |told| told + PACE))
    }

    /// What there is to tell now.
    pub(super) fn tell(&mut self, now: Instant) -> Option<Progress> {
        let is_time = self.told.is_none_or(|told| now >= told + PACE);
        if !self.is_new || !is_time {
            return None;
        }
        (self.is_new, self.told) = (false, Some(now));
        self.last.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> Option<(f64, Option<String>, Option<f64>)> {
        progress_of(line).map(|it| (it.progress_percentage, it.message, it.eta_seconds))
    }

    #[test]
    fn both_forms_are_read() {
        let hello = || Some("hello there".to_owned());
        assert_eq!(said("progress: 42"), Some((42.0, None, None)));
        assert_eq!(said("  progress:42.55%  hello there\r"), Some((42.6, hello(), None)));
        let line = r#"{"progress": 0.42, "message": "hello there", "eta_seconds": 12, "x": []}"#;
        assert_eq!(said(line), Some((42.0, hello(), Some(12.0))));
        assert_eq!(said(r#"{"progress":1}"#), Some((100.0, None, None)));
    }

    #[test]
    fn anything_else_is_a_line_like_any_other() {
        for line in [
            "progress: soon",
            "progress: 101",
            "progress: -1",
            "progress: NaN",
            "progress: inf",
            "progress:",
            "in progress: 5",
            r#"{"progress": 42}"#,
            r#"{"progress": "1"}"#,
            r#"{"progress": 0.5"#,
            r#"{"message": "no \"progress\""}"#,
        ] {
            assert_eq!(said(line), None, "{line}");
        }
        let long = format!("progress: 1 {}", "ä".repeat(4000));
        assert_eq!(said(&long).unwrap().1.unwrap().chars().count(), LONGEST);
    }

    #[test]
    fn no_more_is_told_than_ten_words_a_second() {
        let (begun, mut word, mut told) = (Instant::now(), Word::default(), Vec::new());
        for milliseconds in 0..1000_u64 {
            word.take(&format!("progress: {}", milliseconds / 10));
            told.extend(word.tell(begun + Duration::from_millis(milliseconds)));
        }
        assert_eq!(told.len(), 10);
        assert!(word.tell(begun + Duration::from_secs(2)).is_some());
        assert!(word.due().is_none());
    }
}
