//! The actor itself: how it starts, how it is, how it stops.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use actix::prelude::*;
use futures_util::stream;
use log::{error, warn};
use thiserror::Error;
use tokio::sync::mpsc;

use super::{
    DeviceError,
    hear::News,
    identity,
    journal::{Journals, trace},
    machine::{Machine, SILENCE},
    outcome::verdict,
};
use crate::{
    daemons::{Tools, job_queue::Wake},
    domain::{DeviceStatus, Envelope, Health, JobId, JobKind, Motion, Progress, same_name},
    link::{End, LinkHandle, LinkOptions},
    store::{Store, StoreError, jobs},
    supervision::{Service, Vitals},
};

/// While stopping, how often it looks whether every machine is safe.
const POLL: Duration = Duration::from_millis(20);

/// A machine as configured.
#[derive(Clone, Debug)]
pub struct Configured {
    /// How its link is opened and driven.
    pub link: LinkOptions,
    /// How far it can reach.
    pub envelope: Option<Envelope>,
    /// How it accelerates.
    pub motion: Motion,
}

/// What the device manager needs to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// The machines.
    pub devices: Vec<Configured>,
    /// Where jobs keep their checkpoints.
    pub jobs: PathBuf,
}

/// Why the device manager could not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// A link could not be set up.
    #[error("failed to set up the link of device \"{name}\": {source}")]
    Link {
        /// Whose.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// There can be no thread that keeps journals.
    #[error("failed to start the thread that syncs journals: {0}")]
    Journal(io::Error),
    /// What earlier runs left behind could not be marked.
    #[error("failed to read or mark what earlier runs left: {0}")]
    Store(#[from] StoreError),
}

/// Owns every machine.
pub struct DeviceManager {
    pub(super) tools: Tools,
    pub(super) vitals: Arc<Vitals>,
    pub(super) machines: BTreeMap<String, Machine>,
    pub(super) stopping: bool,
    /// For marks; links have their own.
    pub(super) news: mpsc::UnboundedSender<News>,
    reports: Option<mpsc::UnboundedReceiver<News>>,
    /// After the machines, whose jobs keep journals.
    pub(super) journals: Journals,
}

impl DeviceManager {
    /// Marks what an earlier incarnation left on machines, then opens every link. Blocks.
    pub fn new(options: Options, tools: Tools, vitals: Arc<Vitals>) -> Result<Self, StartError> {
        interrupt_left_over(&tools.store, &options.jobs)?;
        let (news, reports) = mpsc::unbounded_channel();
        let mut machines = BTreeMap::new();
        for Configured { link: mut configured, envelope, motion } in options.devices {
            configured.identity =
                identity::known(&tools.store, &configured.name, &configured.port)?;
            let (news, name) = (news.clone(), configured.name.clone());
            let report = move |report| drop(news.send(News::Report(name.clone(), report)));
            let link = LinkHandle::spawn(configured.clone(), report)
                .map_err(|source| StartError::Link { name: configured.name.clone(), source })?;
            tools.estops.put(&configured.name, link.estop());
            let mut machine = Machine::new(link, &configured, envelope, motion);
            machine.show(&tools.board);
            machines.insert(configured.name, machine);
        }
        let journals = Journals::new(options.jobs).map_err(StartError::Journal)?;
        let reports = Some(reports);
        Ok(Self { tools, vitals, machines, stopping: false, news, reports, journals })
    }

    pub(super) fn machine(&mut self, name: &str) -> Result<&mut Machine, DeviceError> {
        let mut all = self.machines.iter_mut();
        let found = all.find(|(known, _)| same_name(known, name)).map(|(_, machine)| machine);
        found.ok_or_else(|| DeviceError::Unknown(name.to_owned()))
    }

    pub(super) fn machine_with(&mut self, job: JobId) -> Option<&mut Machine> {
        self.machines.values_mut().find(|machine| machine.has(job))
    }

    pub(super) fn wake_queue(&self) {
        let _ = self.tools.links().job_queue.tell(Wake); // one that is down looks when it is up again
    }
}

/// No machine of this process works on these any more: the station, or an earlier incarnation of
/// this daemon, went down while they ran.
pub(in super::super) fn interrupt_left_over(store: &Store, dir: &Path) -> Result<(), StoreError> {
    for job in store.read(|connection| jobs::running(connection, JobKind::Device))? {
        let last = trace(dir, job.id).unwrap_or_default().checkpoint;
        let reason = "the station went down while the job ran".to_owned();
        let (state, change) = verdict(End::Interrupted { reason, position_known: false }, last);
        warn!("job {} is {state}: {}", job.id, change.error.as_deref().unwrap_or_default());
        let progress = Progress::of(last.lines_acknowledged, job.lines_total.unwrap_or(0));
        store
            .write(move |tx| {
                jobs::checkpoint_progress(tx, job.id, &progress)?;
                jobs::transition(tx, job.id, state, change.clone())
            })
            .wait()?;
    }
    Ok(())
}

impl Actor for DeviceManager {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        if let Some(mut reports) = self.reports.take() {
            ctx.add_stream(stream::poll_fn(move |cx| reports.poll_recv(cx)));
        }
        ctx.run_interval(SILENCE / 2, |this, _| {
            for machine in this.machines.values_mut() {
                machine.keep_telling(&this.tools.board, &this.tools.feed);
            }
        });
    }
}

impl Service for DeviceManager {
    fn health(&mut self) -> Health {
        let lost = |machine: &&Machine| {
            matches!(machine.device.status, DeviceStatus::Disconnected | DeviceStatus::Error)
        };
        let connected = self.machines.len() - self.machines.values().filter(lost).count();
        let health = match self.machines.values().find(lost) {
            None => Health::healthy(),
            Some(Machine { device, .. }) => Health::degraded(format!(
                "device \"{}\" is {}: {}",
                device.name,
                device.status,
                device.error_message.as_deref().unwrap_or("no reason is known")
            )),
        };
        health.with("devices", self.machines.len()).with("connected", connected)
    }

    /// Ends what is on the machines safely, then closes every link.
    fn stop(&mut self, ctx: &mut Self::Context, deadline: Instant) {
        self.stopping = true;
        for machine in self.machines.values_mut() {
            if let Some(on) = machine.on.as_ref().filter(|on| !on.ending) {
                machine.link.interrupt(on.job.id, "the station was stopped");
            }
        }
        ctx.run_interval(POLL, move |this, ctx| {
            let busy = this.machines.values().any(|machine| machine.on.is_some());
            if !busy || Instant::now() + POLL >= deadline {
                for (name, machine) in std::mem::take(&mut this.machines) {
                    if !machine.link.close(deadline.saturating_duration_since(Instant::now())) {
                        error!("device \"{name}\" could not be closed safely in time");
                    }
                }
                ctx.stop();
            }
        });
    }
}
