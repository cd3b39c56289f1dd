//! What a client is told when it subscribes: the present state, or what it missed.

use bytestring::ByteString;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{outlet::Lag, subscription::Subscription};
use crate::{
    domain::{Body, Channel, DeviceReport, Frame, Job, JobId, Live, Timestamp},
    http::App,
    store::{
        StoreError,
        events::{self, EventFilter},
        jobs,
    },
};

/// More events than that are not replayed one by one.
const REPLAYED: usize = 10_000;

/// Everything up to event number `seq`.
pub(super) struct Snapshot {
    pub(super) seq: u64,
    /// What was missed cannot be replayed: the present state follows instead.
    pub(super) lag: Option<Lag>,
    pub(super) frames: Vec<ByteString>,
}

/// Reads it in one transaction, so that it holds exactly up to one number. Blocks.
///
/// The board is read after the database: whoever writes shows a change there before the event is
/// published, so it is at least as new.
pub(super) fn read(
    app: &App,
    wanted: &Subscription,
    since: Option<u64>,
) -> Result<Snapshot, StoreError> {
    let (seq, replay, active) = app.store.read(|connection| {
        let seq = events::newest(connection)?.unwrap_or(0);
        let oldest = events::oldest(connection)?.unwrap_or(1);
        let replay = match since {
            Some(since) if since <= seq && since + 1 >= oldest => {
                let missed = seq - since;
                let few = usize::try_from(missed).is_ok_and(|missed| missed <= REPLAYED);
                few.then(|| events::since(connection, since, &EventFilter::default(), REPLAYED))
            }
            _ => None,
        };
        let active = if replay.is_none() { jobs::active(connection)? } else { Vec::new() };
        Ok((seq, replay.transpose()?, active))
    })?;
    if let Some(events) = replay {
        let wanted = events.iter().filter(|it| wanted.wants_thing(it.channel, &it.resource));
        let frames = wanted.map(|event| event.json.as_str().into()).collect();
        return Ok(Snapshot { seq, lag: None, frames });
    }
    let lag =
        since.map(|since| Lag { missed: seq.saturating_sub(since), from_seq: since.min(seq) + 1 });
    Ok(Snapshot { seq, lag, frames: present(app, wanted, &active) })
}

/// As a durable event, but without a number: it happened before.
#[derive(Serialize)]
struct Present {
    timestamp: Timestamp,
    channel: Channel,
    resource: String,
    #[serde(flatten)]
    body: Body,
}

fn present(app: &App, wanted: &Subscription, active: &[Job]) -> Vec<ByteString> {
    let now = Timestamp::now();
    let mut frames = Vec::new();
    let mut tell = |resource: String, body: Body| {
        let channel = body.channel();
        if wanted.wants_thing(channel, &resource) {
            let present = Present { timestamp: now, channel, resource, body };
            frames.extend(serde_json::to_string(&present).ok().map(ByteString::from));
        }
    };
    for device in app.board.devices() {
        let body = Body::DeviceStatus(DeviceReport::of(&device, now));
        tell(format!("device:{}", device.name), body);
    }
    for daemon in app.board.daemons() {
        tell(format!("daemon:{}", daemon.name), Body::of_daemon(&daemon));
    }
    let mut of_jobs = Vec::new();
    let progress = app.board.progress();
    for job in active {
        if !wanted.wants_thing(Channel::Jobs, &format!("job:{}", job.id)) {
            continue;
        }
        let resource = format!("job:{}", job.id);
        let present =
            Present { timestamp: now, channel: Channel::Jobs, resource, body: of_job(job) };
        of_jobs.extend(serde_json::to_string(&present).ok().map(ByteString::from));
        let last = progress.iter().find(|live| is_of(live, job.id));
        of_jobs.extend(last.and_then(|live| Frame::live(live, now).ok()).map(|it| it.text));
    }
    let system = app.board.system().filter(|_| wanted.wants_channel(Channel::System));
    let system = system.and_then(|live| Frame::live(&live, now).ok()).map(|frame| frame.text);
    of_jobs.into_iter().chain(frames).chain(system).collect()
}

fn is_of(live: &Live, id: JobId) -> bool {
    matches!(live, Live::JobProgress { job_id, .. } if *job_id == id)
}

fn of_job(job: &Job) -> Body {
    Body::JobStateChange {
        job_id: job.id,
        job_name: job.name.clone(),
        from_state: None,
        to_state: job.state,
        reason: job.error.clone().unwrap_or_default(),
        device_id: job.device.clone().unwrap_or_default(),
        metadata: Map::from_iter([("snapshot".to_owned(), Value::Bool(true))]),
    }
}
