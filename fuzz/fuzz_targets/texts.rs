//! Short texts that people type: times, cron expressions, sizes, names, variables, patterns. What is
//! taken means what it is written back as, and nothing that is due floods the queue.
#![no_main]

use std::{fmt::Display, str::FromStr, sync::LazyLock};

use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;
use stationd::{
    config,
    domain::{
        Channel, Glob, HookEvent, JobId, JobState, Missed, NewJob, Payload, Priority, Rules,
        Schedule, Surroundings, Timestamp, check_cron, nearest_name, variables, when,
    },
};

static ZONE: LazyLock<TimeZone> = LazyLock::new(|| TimeZone::get("Europe/Berlin").unwrap());
const NOW: Timestamp = Timestamp::from_ms(1_774_715_400_000);

fn read_back<T: FromStr + PartialEq + std::fmt::Debug>(text: &str, written: impl Fn(&T) -> String) {
    if let Ok(value) = text.parse::<T>() {
        let again = written(&value).parse::<T>().ok();
        assert_eq!(again.as_ref(), Some(&value), "{text:?}");
    }
}

fn shown(value: &impl Display) -> String {
    value.to_string()
}

fn schedule(cron: &str, missed: Missed, next_at: Timestamp) -> Schedule {
    let job = NewJob {
        id: JobId::from_bytes([0; 16]),
        name: "job".to_owned(),
        payload: Payload::Command(vec!["true".to_owned()]),
        program: None,
        priority: Priority(0),
        device: None,
        driver: None,
        surroundings: Surroundings::default(),
        hold: false,
        not_before: None,
        depends_on: Vec::new(),
        labels: [].into(),
        timeout_seconds: None,
        rules: Rules::default(),
        max_attempts: 1,
        submitted_by: "test".to_owned(),
        idempotency_key: None,
        analysis: None,
        forced: false,
    };
    Schedule {
        id: job.id,
        name: "job".to_owned(),
        cron: cron.to_owned(),
        missed,
        overlap: false,
        paused: false,
        job,
        next_at: Some(next_at),
        last_at: None,
        last_job: None,
        note: None,
        created_by: "test".to_owned(),
        created_at: NOW,
    }
}

fn cron(text: &str) {
    let Ok(next) = check_cron(text, NOW, &ZONE) else { return };
    assert!(next > NOW, "{text:?}: {next}");
    for missed in [Missed::Skip, Missed::RunOnce, Missed::RunAll] {
        let schedule = schedule(text, missed, next);
        assert_eq!(schedule.next_after(NOW, &ZONE), Some(next), "{text:?}");
        let later = next.after(std::time::Duration::from_secs(40 * 86_400));
        let due = schedule.due(later, &ZONE);
        assert!(due.runs.len() <= 10 && due.runs.is_sorted(), "{text:?}: {due:?}");
        assert!(due.runs.iter().all(|run| (next..=later).contains(run)), "{text:?}: {due:?}");
    }
}

fn line(text: &str) {
    if let Ok(time) = when(text, NOW, &ZONE) {
        assert_eq!(when(&time.to_string(), NOW, &ZONE), Ok(time), "{text:?}");
    }
    cron(text);
    assert!(config::size(text).is_none_or(|bytes| bytes <= 1 << 53), "{text:?}");
    read_back::<Timestamp>(text, shown);
    read_back::<JobId>(text, shown);
    read_back::<HookEvent>(text, shown);
    read_back::<Channel>(text, |channel| channel.as_str().to_owned());
    read_back::<JobState>(text, |state| state.as_str().to_owned());
    read_back::<Priority>(text, |priority| priority.0.to_string());
    let (pattern, name) = text.split_once('\t').unwrap_or((text, text));
    assert!(Glob::new("*").matches(name));
    assert!(pattern.contains(['*', '?']) || Glob::new(pattern).matches(name) == (pattern == name));
    let drivers = ["grbl", "marlin", "ebb"];
    let nearest = nearest_name(name, drivers.into_iter());
    assert!(nearest.is_none_or(|nearest| drivers.contains(&nearest.as_str())));
}

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    text.lines().for_each(line);
    if let Ok(found) = variables(text) {
        assert!(found.iter().all(|(name, _)| !name.is_empty() && !name.contains('=')), "{found:?}");
    }
});
