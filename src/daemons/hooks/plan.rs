//! Which hooks an event concerns, and what each is told.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{happened::Happened, sign::hex};
use crate::{
    domain::{Hook, HookAction, HookEvent, Job, When},
    store::hooks::NewRun,
};

/// The hooks of a station, each with the key by which its runs know it again.
#[derive(Clone, Debug, Default)]
pub(super) struct Hookset(Vec<(String, Hook)>);

impl Hookset {
    pub(super) fn new(hooks: Vec<Hook>) -> Self {
        let mut alike: HashMap<String, usize> = HashMap::new();
        let keyed = hooks.into_iter().map(|hook| {
            let essence = essence(&hook);
            let count = alike.entry(essence.clone()).or_default();
            *count += 1;
            let digest = hex(&Sha256::digest(format!("{essence}\0{count}")));
            (digest[..16].to_owned(), hook)
        });
        Self(keyed.collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Hook)> {
        self.0.iter().map(|(key, hook)| (key.as_str(), hook))
    }

    /// The hook of that key, if it is still configured.
    pub(super) fn find(&self, key: &str) -> Option<&Hook> {
        self.iter().find(|(own, _)| *own == key).map(|(_, hook)| hook)
    }

    /// True if some hook waits for this.
    pub(super) fn wants(&self, happened: HookEvent) -> bool {
        self.iter().any(|(_, hook)| hook.event.covers(happened))
    }

    /// What is to be done because of this.
    pub(super) fn runs(&self, station: &str, happened: &Happened) -> Vec<NewRun> {
        let concerned = self.iter().filter(|(_, hook)| {
            hook.event.covers(happened.event)
                && fits(&hook.when, &happened.facts, happened.job.as_ref())
        });
        concerned.map(|(key, hook)| run(station, key, hook, happened)).collect()
    }
}

/// What makes a hook the same wherever it stands: not how long it may take, nor its secret.
fn essence(hook: &Hook) -> String {
    let plugin = hook.name.split_once('/').map_or("", |(plugin, _)| plugin);
    let what = match &hook.action {
        HookAction::Webhook(webhook) => webhook.url.clone(),
        action => format!("{action:?}"),
    };
    format!("{plugin}\0{}\0{}\0{what}\0{:?}", hook.event, hook.action.kind(), hook.when)
}

fn fits(when: &When, facts: &Map<String, Value>, job: Option<&Job>) -> bool {
    let is = |name: &str| facts.get(name).and_then(Value::as_str).unwrap_or_default();
    let named =
        [(&when.job_name, "job_name"), (&when.device, "device"), (&when.daemon, "daemon_name")];
    named.iter().all(|(glob, name)| glob.as_ref().is_none_or(|glob| glob.matches(is(name))))
        && when.labels.iter().all(|(label, glob)| {
            job.and_then(|job| job.labels.get(label)).is_some_and(|value| glob.matches(value))
        })
}

/// One run, and all that it is told.
pub(super) fn run(station: &str, key: &str, hook: &Hook, happened: &Happened) -> NewRun {
    let id = Uuid::now_v7().to_string();
    let mut payload = happened.facts.clone();
    payload.insert("id".to_owned(), json!(id));
    payload.insert("hook".to_owned(), json!(hook.name));
    payload.insert("station".to_owned(), json!(station));
    if let Some(job) = &happened.job {
        payload.insert("labels".to_owned(), json!(job.labels));
        let mut job = json!(job);
        job["analysis"].take(); // its warnings can be many
        payload.insert("job".to_owned(), job);
    }
    NewRun {
        id,
        event_seq: happened.seq,
        event: happened.event.to_string(),
        resource: happened.resource.clone(),
        hook: hook.name.clone(),
        hook_key: key.to_owned(),
        kind: hook.action.kind(),
        payload: Value::Object(payload).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::{Glob, JobState, OnFail};

    fn hook(event: &str, command: &str, timeout: u64) -> Hook {
        Hook {
            name: format!("{event}[0]"),
            event: event.parse().unwrap(),
            when: When::default(),
            action: HookAction::Command(vec![command.to_owned()]),
            timeout: Duration::from_secs(timeout),
            on_fail: OnFail::Warn,
            directory: None,
        }
    }

    fn happened(event: &str) -> Happened {
        let facts = json!({"job_name": "part.gcode", "device": "plotter"});
        Happened {
            seq: Some(7),
            event: event.parse().unwrap(),
            resource: "job:1".to_owned(),
            facts: facts.as_object().unwrap().clone(),
            job: None,
        }
    }

    #[test]
    fn a_hook_is_known_again_by_what_it_does() {
        let before = Hookset::new(vec![hook("COMPLETED", "a", 1), hook("COMPLETED", "b", 1)]);
        let after = Hookset::new(vec![hook("COMPLETED", "b", 9), hook("COMPLETED", "b", 9)]);
        let keys = |set: &Hookset| set.iter().map(|(key, _)| key.to_owned()).collect::<Vec<_>>();
        let (before, after) = (keys(&before), keys(&after));
        assert_eq!(before[1], after[0]);
        assert!(before[0] != after[0] && after[0] != after[1]);
    }

    #[test]
    fn those_concerned_are_told() {
        let mut particular = hook("COMPLETED", "a", 1);
        particular.when.job_name = Some(Glob::new("*.svg"));
        let mut labelled = hook("COMPLETED", "b", 1);
        labelled.when.labels.insert("who".to_owned(), Glob::new("*"));
        let hooks = Hookset::new(vec![
            hook("COMPLETED", "c", 1),
            hook("job:*", "d", 1),
            hook("FAILED", "e", 1),
            particular,
            labelled,
        ]);
        let runs = hooks.runs("bench", &happened("COMPLETED"));
        let names: Vec<_> = runs.iter().map(|run| run.hook.as_str()).collect();
        assert_eq!(names, ["COMPLETED[0]", "job:*[0]"]);
        let payload: Value = serde_json::from_str(&runs[0].payload).unwrap();
        assert_eq!((&payload["id"], &payload["station"]), (&json!(runs[0].id), &json!("bench")));
        assert!(hooks.wants(HookEvent::Job(Some(JobState::Held))));
        assert!(!hooks.wants("device:idle".parse().unwrap()));
    }
}
