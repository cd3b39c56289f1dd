//! Finding the next job for whatever is free.
//!
//! One look is under way at a time; a [`Wake`] that comes meanwhile makes it look once more. Programs
//! are claimed after it (see `turn`). Every claim is one durable write, and only its answer starts
//! anything.

use std::time::{Duration, Instant};

use actix::{fut::wrap_future, prelude::*};
use jiff::tz::TimeZone;
use log::{error, warn};

use super::{JobQueue, actor::Look, modes::finish_drains, schedules::run_due};
use crate::{
    daemons::{
        Tools,
        device_manager::RunJob,
        resume::{source, stops},
    },
    domain::{Device, DeviceStatus, Job, JobState, Timestamp},
    link::Start,
    store::{
        StoreError, Tx,
        jobs::{self, Change, Claimant},
        queue_modes::Mode,
    },
};

/// Something may have become runnable.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Wake;

impl Handler<Wake> for JobQueue {
    type Result = ();

    fn handle(&mut self, _: Wake, ctx: &mut Self::Context) {
        self.machines.is_wanted = true;
        self.claim(ctx);
    }
}

/// Judged in one write, so that submissions are not held up.
const SETTLED: u32 = 200;

/// Between two looks at all schedules, due or not.
const ALL_SCHEDULES: Duration = Duration::from_secs(10);

/// How schedules are looked at.
struct Schedules {
    zone: TimeZone,
    all: bool,
}

impl JobQueue {
    /// Does what is due, and finds work for machines that have none; programs are claimed after
    /// that.
    fn claim(&mut self, ctx: &mut Context<Self>) {
        if self.machines.is_under_way || self.stopping || !self.machines.is_wanted {
            return;
        }
        self.machines = Look { is_wanted: false, is_under_way: true };
        let all = self.looked_at.is_none_or(|looked| looked.elapsed() >= ALL_SCHEDULES);
        if all {
            self.looked_at = Some(Instant::now());
        }
        let due = Schedules { zone: self.options.timezone.clone(), all };
        let found = look(self.tools.clone(), due, self.options.max_storage);
        ctx.spawn(wrap_future::<_, Self>(found).map(|next, this, ctx| {
            this.machines.is_under_way = false;
            match next {
                Ok(next) => this.wake_at(next, ctx),
                Err(error) => {
                    warn!("failed to claim jobs: {error}"); // looked again by the fallback
                    this.trouble = Some(error.to_string());
                }
            }
            this.programs.is_wanted = true;
            this.turn(ctx);
            this.claim(ctx);
        }));
    }
}

/// Claims for every free machine; jobs are handed over at once. Tells when something is due next.
async fn look(
    tools: Tools,
    Schedules { zone, all }: Schedules,
    limit: u64,
) -> Result<Option<Timestamp>, StoreError> {
    let due = run_due(&tools, &zone, limit, all).await?;
    settle(&tools).await?;
    let modes = tools.board.queue_modes();
    let devices = tools.board.devices();
    for device in devices.iter().filter(|device| is_free(device)) {
        let mode = modes.device(&device.name);
        if [modes.whole(), mode].contains(&Some(Mode::Paused)) {
            continue;
        }
        // One that is drained leaves to others what others may do.
        let only_named = mode.is_some();
        let (machine, now) = (claimant(device, &devices), Timestamp::now());
        let claim = move |tx: &Tx<'_>| jobs::claim_for_device(tx, &machine, only_named, now);
        let claimed = tools.store.write(claim).await?;
        if let Some(job) = claimed {
            hand_over(&tools, device.name.clone(), job).await?;
        }
    }
    finish_drains(&tools).await?;
    let next = tools.store.read(jobs::next_not_before)?;
    Ok([due, next].into_iter().flatten().min())
}

/// Judges anew whatever waits for a job that has ended.
async fn settle(tools: &Tools) -> Result<(), StoreError> {
    while tools.store.read(jobs::unsettled)? {
        let now = Timestamp::now();
        tools.store.write(move |tx| jobs::settle(tx, now, SETTLED)).await?;
    }
    Ok(())
}

fn is_free(device: &Device) -> bool {
    device.status == DeviceStatus::Idle && device.current_job_id.is_none() && device.estop.is_none()
}

fn claimant(device: &Device, all: &[Device]) -> Claimant {
    let others = all.iter().filter(|it| it.driver == device.driver && it.name != device.name);
    Claimant {
        name: device.name.clone(),
        driver: device.driver.clone(),
        envelope: device.envelope,
        others: others.map(|it| (it.name.clone(), it.envelope)).collect(),
    }
}

/// Gives a claimed job to its machine. If the machine does not take it, nothing has moved, and the
/// job waits again.
async fn hand_over(tools: &Tools, device: String, job: Job) -> Result<(), StoreError> {
    let id = job.id;
    let start = Start { stops: stops(&job), ..Start::default() };
    let source = match source(&tools.store, &job) {
        Ok(source) => source,
        Err(error) => {
            error!("job {id} cannot run: {error}");
            let change = Change::because(format!("its file cannot be read: {error}"));
            return tools
                .store
                .record(move |tx| {
                    jobs::transition(tx, id, JobState::Failed, change.clone()).map(drop)
                })
                .await;
        }
    };
    let refused =
        match tools.links().device_manager.ask(RunJob { device, job, source, start }).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(unavailable) => unavailable.to_string(),
        };
    warn!("job {id} waits again: {refused}");
    tools
        .store
        .record(move |tx| {
            let reason = format!("nothing was sent: {refused}");
            jobs::transition(tx, id, JobState::Interrupted, Change::because(reason))?;
            jobs::transition(tx, id, JobState::Queued, Change::because("waits again")).map(drop)
        })
        .await
}
