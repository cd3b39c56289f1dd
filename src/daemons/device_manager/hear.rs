//! What links report, and what follows from it.

use std::time::Instant;

use actix::{fut::wrap_future, prelude::*};
use log::{debug, error, info, warn};
use tokio::sync::oneshot;

use super::{
    DeviceError, DeviceManager, identity,
    journal::Left,
    machine::Machine,
    outcome::{persist, verdict},
};
use crate::{
    domain::{
        Body, Device, DeviceStatus, Job, JobAction, JobId, JobState, Live, Severity, Timestamp,
    },
    link::{Checkpoint, End, Halt, Report},
    store::{StoreError, jobs::Change},
};

/// What comes from links, in the order in which it happened.
pub(super) enum News {
    /// Of that machine.
    Report(String, Report),
    /// Whoever drops this waits until everything before it has been taken in.
    Mark(oneshot::Sender<()>),
}

impl StreamHandler<News> for DeviceManager {
    fn handle(&mut self, news: News, ctx: &mut Self::Context) {
        match news {
            News::Report(name, report) => self.hear(&name, report, ctx),
            News::Mark(waiter) => drop(waiter),
        }
    }
}

impl DeviceManager {
    /// Takes in what a link has said.
    pub(super) fn hear(&mut self, name: &str, report: Report, ctx: &mut Context<Self>) {
        let Some(machine) = self.machines.get_mut(name) else { return };
        let before = machine.device.clone();
        match report {
            Report::Status { status, message } => {
                machine.set_status(status, message);
            }
            Report::Identified { firmware_version, identity } => {
                info!("device \"{name}\" is connected: firmware {firmware_version}");
                machine.device.firmware_version = Some(firmware_version);
                // A machine that has just started does not know where it is.
                machine.device.homed_at = None;
                machine.device.ran_on_to = None;
                if let Some(identity) = &identity {
                    identity::note(&self.tools.store, name, &machine.device.port, identity);
                }
                machine.device.identity = identity;
            }
            Report::RanOn => machine.device.ran_on_to = machine.device.position,
            Report::Position { position, pen_up } => {
                (machine.device.position, machine.device.pen_up) = (position, pen_up);
                machine.show(&self.tools.board);
                machine.watch();
                self.tools.feed.live(&Live::DeviceStatus(machine.report()));
                return;
            }
            Report::Temperatures(temperatures) => {
                machine.device.temperatures = temperatures;
                machine.show(&self.tools.board);
                self.tools.feed.live(&Live::DeviceStatus(machine.report()));
                return;
            }
            Report::Fault { message } => {
                warn!("device \"{name}\": {message}");
                machine.tell(&self.tools.feed, "WARN", &message);
                machine.device.error_count += 1;
            }
            Report::Said { text } => {
                debug!("device \"{name}\" says: {text}");
                machine.tell(&self.tools.feed, "INFO", &text);
            }
            Report::Progress { job, checkpoint } => {
                if let Some(on) = machine.job(job) {
                    on.checkpoint = checkpoint;
                    on.journal.note(checkpoint, Instant::now());
                    machine.publish_progress(&self.tools.board, &self.tools.feed);
                }
                return;
            }
            Report::Warming(is_warming) => {
                if let Some(on) = &mut machine.on {
                    on.course.warm(is_warming);
                    machine.watch();
                    machine.publish_progress(&self.tools.board, &self.tools.feed);
                }
                return;
            }
            Report::Paused { job, checkpoint, halt } => {
                let mut actor = None;
                if let Some(on) = machine.job(job) {
                    on.checkpoint = checkpoint;
                    on.at_stop = on.stop(&halt);
                    actor = on.asked_by(&[JobAction::Pause]);
                    on.journal.finish(checkpoint, None, Instant::now());
                }
                let change = match halt {
                    Halt::Asked => Change { actor, ..Change::because("paused") },
                    // A person has to read what is to be done.
                    Halt::Machine(text) | Halt::Stop(text) => {
                        Change { error: Some(text.clone()), ..Change::because(text) }
                    }
                };
                self.record(name.to_owned(), job, JobState::Paused, change, ctx);
            }
            Report::Resumed { job } => {
                let mut change = Change::because("resumed");
                if let Some(on) = machine.job(job) {
                    let asked = on.waiting_for(&[JobAction::Resume, JobAction::Skip]);
                    let skips = asked.is_some_and(|waiter| waiter.action == JobAction::Skip);
                    change.actor = asked.map(|waiter| waiter.actor.clone());
                    let stop = on.at_stop.take();
                    if let Some(layer) = stop.filter(|_| skips).and_then(|stop| on.layer(&stop)) {
                        change.reason = format!("{layer} was left out");
                    }
                }
                self.record(name.to_owned(), job, JobState::Running, change, ctx);
            }
            Report::Ended { job, end, checkpoint } => {
                self.ended(name, job, end, checkpoint, ctx);
            }
            Report::EstopSent | Report::EstopConfirmed { .. } | Report::EstopCleared => {
                self.estop_news(name, &report);
            }
            Report::Closed => self.closed(name, ctx),
        }
        self.show(name, &before);
    }

    /// Shows the machine; a new status, a new reason for it and an emergency stop are
    /// durable events.
    pub(super) fn show(&mut self, name: &str, before: &Device) {
        let Some(machine) = self.machines.get_mut(name) else { return };
        machine.watch();
        machine.show(&self.tools.board);
        if machine.device.status == DeviceStatus::Disconnected {
            machine.leaving.clear();
        }
        let seen = |it: &Device| (it.status, it.error_message.clone(), it.estop.clone());
        if seen(&machine.device) == seen(before) {
            return;
        }
        let (resource, report) = (format!("device:{name}"), machine.report());
        drop(
            self.tools
                .store
                .record(move |tx| tx.emit(&resource, None, Body::DeviceStatus(report.clone()))),
        );
        if machine.is_free() {
            self.wake_queue();
        }
    }

    fn estop_news(&mut self, name: &str, report: &Report) {
        let Some(machine) = self.machines.get_mut(name) else { return };
        machine.device.estop =
            self.tools.estops.get(name).and_then(|estop| estop.state().borrow().clone());
        if let Report::EstopConfirmed { latency } = report {
            self.tools.telemetry.estop_confirmed(*latency);
        }
        let body = match report {
            Report::EstopSent => Body::alert(
                Severity::Critical,
                "device-manager",
                "Emergency stop",
                format!("{name}: the emergency stop was pressed and sent"),
            ),
            Report::EstopConfirmed { latency } => Body::alert(
                Severity::Warning,
                "device-manager",
                "Emergency stop confirmed",
                format!("{name}: the machine stopped after {} ms", latency.as_millis()),
            ),
            _ => Body::alert(
                Severity::Info,
                "device-manager",
                "Emergency stop cleared",
                format!("{name}: the emergency stop was cleared"),
            ),
        };
        let resource = format!("device:{name}");
        drop(self.tools.store.record(move |tx| tx.emit(&resource, None, body.clone())));
    }

    /// A link thread has ended although nobody closed it: only a new incarnation can help.
    fn closed(&mut self, name: &str, ctx: &mut Context<Self>) {
        if !self.stopping {
            self.vitals.fail(&format!("the link of device \"{name}\" has ended"));
            ctx.stop();
        }
    }

    fn ended(
        &mut self,
        name: &str,
        job: JobId,
        end: End,
        checkpoint: Checkpoint,
        ctx: &mut Context<Self>,
    ) {
        let Some(machine) = self.machines.get_mut(name) else { return };
        let Some(on) = machine.job(job) else { return };
        on.checkpoint = checkpoint;
        on.ending = true;
        let position_known =
            !matches!(end, End::Interrupted { position_known: false, .. } | End::Failed { .. });
        let left = Left { at: Timestamp::now(), position_known };
        on.journal.finish(checkpoint, Some(left), Instant::now());
        let (state, mut change) = verdict(end, checkpoint);
        match state {
            JobState::Completed => on.course.complete(),
            JobState::Cancelled => change.actor = on.asked_by(&[JobAction::Cancel]),
            _ => {}
        }
        machine.publish_progress(&self.tools.board, &self.tools.feed);
        self.record(name.to_owned(), job, state, change, ctx);
    }

    /// Makes a job's state durable, however long the disk is full, then answers those who wait.
    fn record(
        &mut self,
        name: String,
        job: JobId,
        state: JobState,
        change: Change,
        ctx: &mut Context<Self>,
    ) {
        let on = self.machines.get_mut(&name).filter(|machine| machine.has(job));
        let Some(progress) = on.and_then(Machine::progress) else { return };
        let written = persist(self.tools.store.clone(), job, progress, state, change);
        ctx.spawn(wrap_future::<_, Self>(written).map(move |written, this, _| {
            this.recorded(&name, job, state, &written);
        }));
    }

    fn recorded(
        &mut self,
        name: &str,
        job: JobId,
        state: JobState,
        written: &Result<Job, StoreError>,
    ) {
        match written {
            Ok(job) if !job.state.is_active() => self.tools.telemetry.job_ended(job),
            Ok(_) => {}
            Err(error) => {
                error!(
                    "job {job} is {state} on its machine, but that could not be stored: {error}"
                );
            }
        }
        let Some(machine) = self.machines.get_mut(name) else { return };
        let Some(on) = machine.job(job) else { return };
        let done = match state {
            JobState::Paused => JobAction::Pause,
            JobState::Running => JobAction::Resume,
            _ => JobAction::Cancel,
        };
        on.answer(done, &Ok(()));
        if done == JobAction::Resume {
            on.answer(JobAction::Skip, &Ok(()));
        }
        if on.ending && !state.is_active() {
            for action in [JobAction::Pause, JobAction::Resume, JobAction::Skip] {
                on.answer(action, &Err(DeviceError::NotOnMachine(job)));
            }
            machine.on = None;
            self.tools.board.forget_progress(job);
            machine.show(&self.tools.board);
            self.wake_queue();
        }
    }
}
