//! Pausing and draining: all of the queue, or the part of one device.

use actix::{fut::wrap_future, prelude::*};
use log::warn;

use super::{JobQueue, QueueError, Wake};
use crate::{
    daemons::Tools,
    domain::{Actor, AuditEntry, Body, Outcome, Severity},
    store::{
        StoreError, Tx,
        queue_modes::{self, Mode, Modes},
    },
};

/// Pauses or drains a part of the queue, or lets it be as usual again; answers with all parts that
/// are not as usual then.
#[derive(Message, Clone, Debug)]
#[rtype(result = "Result<Modes, QueueError>")]
pub struct SetMode {
    /// The device, by its name as configured; all of the queue if none.
    pub device: Option<String>,
    /// What it is to do; as usual if none.
    pub mode: Option<Mode>,
    /// Who asked.
    pub actor: Actor,
}

impl Handler<SetMode> for JobQueue {
    type Result = ResponseActFuture<Self, Result<Modes, QueueError>>;

    fn handle(&mut self, order: SetMode, _: &mut Self::Context) -> Self::Result {
        let tools = self.tools.clone();
        let asked = async move {
            let set = tools.store.write(move |tx| set(tx, &order));
            let modes = set.await?;
            tools.board.show_queue_modes(modes.clone());
            Ok(modes)
        };
        Box::pin(wrap_future::<_, Self>(asked).map(|modes, _, ctx: &mut Context<Self>| {
            ctx.notify(Wake);
            modes
        }))
    }
}

fn set(tx: &Tx<'_>, order: &SetMode) -> Result<Modes, StoreError> {
    let SetMode { device, mode, actor } = order;
    // Who drains what is drained already learns that it is.
    let drained = queue_modes::all(tx)?.0.into_iter().any(|part| {
        part.device == *device && part.mode == Mode::Drained && *mode == Some(Mode::Draining)
    });
    if !drained && queue_modes::set(tx, device.as_deref(), *mode, &actor.name)? {
        let verb = match mode {
            None => "resume",
            Some(Mode::Paused) => "pause",
            Some(Mode::Draining | Mode::Drained) => "drain",
        };
        tx.audit(&AuditEntry {
            actor: actor.clone(),
            action: format!("queue.{verb}"),
            resource: "queue".to_owned(),
            outcome: Outcome::Ok,
            detail: device.clone().unwrap_or_default(),
        })?;
        tell(tx, device.as_deref(), mode.map_or("resumed", Mode::as_str), &actor.name)?;
    }
    queue_modes::all(tx)
}

fn tell(tx: &Tx<'_>, device: Option<&str>, done: &str, actor: &str) -> Result<(), StoreError> {
    let title = format!("queue {done}");
    let what = device.map_or("the queue".to_owned(), |name| format!("device {name}"));
    let message = match done {
        "resumed" => format!("{what} takes and starts jobs again, as {actor} asked"),
        "paused" => format!("{what} starts no jobs, as {actor} asked"),
        "draining" => format!("{what} runs what waits and takes no new jobs, as {actor} asked"),
        _ => format!("{what} has nothing left to run"),
    };
    tx.emit("queue", None, Body::alert(Severity::Info, "job-queue", &title, message)).map(drop)
}

/// Whatever is being drained and has nothing left to run is drained.
pub(super) async fn finish_drains(tools: &Tools) -> Result<(), StoreError> {
    for part in tools.board.queue_modes().0.iter().filter(|part| part.mode == Mode::Draining) {
        let device = part.device.clone();
        if tools.store.read(|connection| queue_modes::is_busy(connection, device.as_deref()))? {
            continue;
        }
        let done = tools.store.write(move |tx| {
            let device = device.as_deref();
            // It may have been resumed, or something may have come in, meanwhile.
            let modes = queue_modes::all(tx)?;
            let draining = modes
                .0
                .iter()
                .any(|part| part.device.as_deref() == device && part.mode == Mode::Draining);
            if !draining || queue_modes::is_busy(tx, device)? {
                return Ok(modes);
            }
            queue_modes::set(tx, device, Some(Mode::Drained), &Actor::station().name)?;
            tell(tx, device, Mode::Drained.as_str(), "")?;
            queue_modes::all(tx)
        });
        match done.await {
            Ok(modes) => tools.board.show_queue_modes(modes),
            Err(error) => warn!("failed to note that the queue is drained: {error}"),
        }
    }
    Ok(())
}
