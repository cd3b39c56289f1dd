//! Submitting what is due by its schedule.

use jiff::tz::TimeZone;
use log::{info, warn};

use crate::{
    daemons::Tools,
    domain::Timestamp,
    store::{StoreError, Tx, queue_modes::Mode, schedules},
};

/// Submits what is due; answers when something is due next. Unless `all` are looked at, only if one
/// is due: that finds a clock that was set back. While the queue is drained nothing is:
/// what comes due then was missed.
pub(super) async fn run_due(
    tools: &Tools,
    zone: &TimeZone,
    limit: u64,
    all: bool,
) -> Result<Option<Timestamp>, StoreError> {
    if tools.board.queue_modes().whole().is_some_and(Mode::refuses) {
        return Ok(None);
    }
    let next = tools.store.read(schedules::next)?;
    if !all && next.is_none_or(|next| next > Timestamp::now()) {
        return Ok(next);
    }
    let mut soonest = None;
    for schedule in tools.store.read(schedules::list)?.into_iter().filter(|it| !it.paused) {
        let now = Timestamp::now();
        let next = schedule.next_after(now, zone);
        soonest = [soonest, next].into_iter().flatten().min();
        if schedule.next_at.is_none_or(|due| due > now) {
            // The clock was set back: it would be waited for too long.
            if schedule.next_at != next && next.is_some_and(|next| schedule.next_at > Some(next)) {
                let id = schedule.id;
                tools.store.write(move |tx| schedules::set_next(tx, id, next)).await?;
            }
            continue;
        }
        let due = schedule.due(now, zone);
        let note = due.missed.then_some("runs were missed");
        if due.missed {
            warn!("schedule {}: runs since {:?} were missed", schedule.name, schedule.next_at);
        }
        info!("schedule {}: {} jobs are submitted", schedule.name, due.runs.len());
        let fire =
            move |tx: &Tx<'_>| schedules::fire(tx, &schedule, due.runs.len(), next, note, limit);
        tools.store.write(fire).await?;
    }
    Ok(soonest)
}
