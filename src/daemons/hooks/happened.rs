//! What has happened, read from the stream of events.

use rusqlite::Connection;
use serde_json::{Map, Value, json};

use crate::{
    domain::{HookEvent, Job},
    store::{
        StoreError,
        events::{self, StoredEvent},
        jobs,
    },
};

/// Something that hooks may wait for.
#[derive(Clone, Debug)]
pub(super) struct Happened {
    /// The number of the event; none for a test.
    pub(super) seq: Option<u64>,
    /// What happened: one state.
    pub(super) event: HookEvent,
    /// To what, as `job:ID`.
    pub(super) resource: String,
    /// What is known of it.
    pub(super) facts: Map<String, Value>,
    /// The job, if it is about one that is still there.
    pub(super) job: Option<Job>,
}

/// What an event says; none if it is nothing that `is_wanted`. Machines and daemons tell more than
/// changes of their state, which are all that counts here; what they were in an earlier life of the
/// station, whose events end with number `born`, does not count.
pub(super) fn read(
    connection: &Connection,
    stored: &StoredEvent,
    born: u64,
    is_wanted: impl Fn(HookEvent) -> bool,
) -> Result<Option<Happened>, StoreError> {
    let told: Value = serde_json::from_str(&stored.json).unwrap_or_default();
    let kind = word(&told, "type");
    let Some((event, state)) = event_of(kind, &told) else { return Ok(None) };
    if !is_wanted(event) {
        return Ok(None);
    }
    let from_state = if event.is_of_job() {
        word(&told, "from_state").to_owned()
    } else {
        let after = if stored.seq > born { born } else { 0 };
        let before = events::before(connection, &stored.resource, kind, after..stored.seq)?;
        let before: Value =
            before.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
        let before = event_of(kind, &before).map(|(_, state)| state).unwrap_or_default();
        if before == state {
            return Ok(None);
        }
        before
    };
    let job_id = match event {
        HookEvent::Job(_) => word(&told, "job_id"),
        _ => word(&told, "current_job_id"),
    };
    let job = match job_id.parse() {
        Ok(id) => jobs::get(connection, id).ok(), // it may have been deleted meanwhile
        Err(_) => None,
    };
    let name = match (event, &job) {
        (HookEvent::Job(_), _) => word(&told, "job_name"),
        (_, job) => job.as_ref().map(|job| job.name.as_str()).unwrap_or_default(),
    };
    let reason = match event {
        HookEvent::Job(_) => word(&told, "reason"),
        HookEvent::Device(_) => word(&told, "error_message"),
        HookEvent::Daemon(_) => match word(&told, "last_error") {
            "" => word(&told, "message"),
            error => error,
        },
    };
    let daemon = if matches!(event, HookEvent::Daemon(_)) { word(&told, "name") } else { "" };
    let facts = json!({
        "event": event.to_string(),
        "event_id": stored.seq,
        "timestamp": word(&told, "timestamp"),
        "resource": stored.resource,
        "state": state,
        "from_state": from_state,
        "reason": reason,
        "job_id": job_id,
        "job_name": name,
        "device": word(&told, "device_id"),
        "daemon_name": daemon,
    });
    let Value::Object(facts) = facts else { return Ok(None) };
    let resource = stored.resource.clone();
    Ok(Some(Happened { seq: Some(stored.seq), event, resource, facts, job }))
}

fn word<'a>(told: &'a Value, name: &str) -> &'a str {
    told[name].as_str().unwrap_or_default()
}

/// The event that a message tells of, and the state in it.
fn event_of(kind: &str, told: &Value) -> Option<(HookEvent, String)> {
    let (prefix, field) = match kind {
        "job_state_change" => ("job:", "to_state"),
        "device_status" => ("device:", "status"),
        "daemon_status" => ("daemon:", "state"),
        _ => return None,
    };
    let state = told[field].as_str()?;
    Some((format!("{prefix}{state}").parse().ok()?, state.to_owned()))
}
