//! One machine: its link, what is shown of it, and the job on it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use super::{DeviceError, course::Course, journal::Journal};
use crate::{
    daemons::Board,
    domain::{
        self, Actor, Device, DeviceReport, DeviceStatus, Envelope, Job, JobAction, JobId, Live,
        Motion, Position, Progress, Temperature, Timestamp,
    },
    drivers,
    feed::Feed,
    link::{Checkpoint, Halt, LinkHandle, LinkOptions, Start, StopPoint},
};

/// A job of which nothing new was heard for so long is told of again.
pub(super) const SILENCE: Duration = Duration::from_secs(1);

/// Somebody who waits for the machine to have paused, resumed or cancelled.
pub(super) struct Waiter {
    pub(super) action: JobAction,
    pub(super) actor: Actor,
    pub(super) answer: oneshot::Sender<Result<(), DeviceError>>,
}

/// A job on a machine.
pub(super) struct OnMachine {
    pub(super) job: Job,
    pub(super) journal: Journal,
    pub(super) waiting: Vec<Waiter>,
    pub(super) checkpoint: Checkpoint,
    /// Where its file stops.
    stops: Vec<StopPoint>,
    /// It stands at this stop of its file, and waits for a person.
    pub(super) at_stop: Option<StopPoint>,
    /// Its end is being made durable: no request reaches the machine any more.
    pub(super) ending: bool,
    /// How far it is.
    pub(super) course: Course,
    /// When that was last said.
    told: Instant,
}

impl OnMachine {
    /// A job that is about to be given to its machine.
    pub(super) fn new(job: Job, journal: Journal, begins: &Start) -> Self {
        Self {
            course: Course::new(job.lines_total.unwrap_or(0), begins.skip),
            job,
            journal,
            waiting: Vec::new(),
            checkpoint: Checkpoint::default(),
            stops: begins.stops.clone(),
            at_stop: None,
            ending: false,
            told: Instant::now(),
        }
    }

    /// Answers everybody who waits for `action`.
    pub(super) fn answer(&mut self, action: JobAction, answer: &Result<(), DeviceError>) {
        for waiter in self.waiting.extract_if(.., |waiter| waiter.action == action) {
            let _ = waiter.answer.send(answer.clone()); // one who no longer waits does not mind
        }
    }

    /// The first who waits for one of these.
    pub(super) fn waiting_for(&self, actions: &[JobAction]) -> Option<&Waiter> {
        self.waiting.iter().find(|waiter| actions.contains(&waiter.action))
    }

    /// Who has asked for one of these.
    pub(super) fn asked_by(&self, actions: &[JobAction]) -> Option<Actor> {
        self.waiting_for(actions).map(|waiter| waiter.actor.clone())
    }

    /// The stop of its file that it is at.
    pub(super) fn stop(&self, halt: &Halt) -> Option<StopPoint> {
        let Halt::Stop(message) = halt else { return None };
        // Layers are numbered in what is said, so that no two say the same.
        self.stops.iter().find(|stop| stop.message == *message).cloned()
    }

    /// Why nothing can be left out where it is; none if a layer begins there.
    pub(super) fn cannot_skip(&self) -> Option<DeviceError> {
        let job = self.job.id;
        match &self.at_stop {
            None => Some(DeviceError::NotAtStop(job)),
            Some(StopPoint { layer_end: None, message, .. }) => {
                Some(DeviceError::NoLayer { job, stop: message.clone() })
            }
            Some(_) => None,
        }
    }

    /// The layer that begins at a stop, for people.
    pub(super) fn layer(&self, stop: &StopPoint) -> Option<String> {
        let layers = &self.job.analysis.as_ref()?.layers;
        let index = layers.iter().position(|layer| layer.line == stop.line)?;
        Some(format!("layer {} of {} ({})", index + 1, layers.len(), layers[index].name))
    }

    /// How far the job is.
    pub(super) fn progress(&mut self, warmth: &[Temperature]) -> Progress {
        let message = self.course.is_warming().then(|| warming(warmth));
        Progress { message, ..self.course.progress(&self.checkpoint) }
    }

    /// The layer that is being drawn, from 1, and how many there are; a file without is one.
    fn layers(&self, lines_acknowledged: u64) -> (u32, u32) {
        let layers = self.job.analysis.as_ref().map_or(&[][..], |analysis| &analysis.layers);
        let begun = layers.iter().filter(|layer| layer.line <= lines_acknowledged).count();
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX).max(1);
        (count(begun), count(layers.len()))
    }

    fn live(&self, progress: &Progress, position: Option<Position>) -> Live {
        let (current_layer, total_layers) = self.layers(progress.lines_acknowledged);
        Live::JobProgress {
            job_id: self.job.id,
            progress_percentage: progress.progress_percentage,
            progress: progress.progress_percentage / 100.0,
            lines_acknowledged: progress.lines_acknowledged,
            points_plotted: progress.lines_acknowledged,
            lines_total: progress.lines_total,
            total_points: progress.lines_total,
            current_layer,
            total_layers,
            eta_seconds: progress.eta_seconds,
            estimated_remaining: progress.eta_seconds,
            total_time_seconds: self.course.moved().as_secs_f64(),
            pen_down_time_seconds: self.course.drawn().as_secs_f64(),
            position: position.unwrap_or_default(),
            metadata: progress.metadata(),
        }
    }
}

/// What a machine that waits for its heaters is said to do.
fn warming(warmth: &[Temperature]) -> String {
    let parts = warmth.iter().filter(|part| part.target > 0.0);
    let parts: Vec<_> = parts
        .map(|Temperature { part, celsius, target }| {
            format!("{part} {celsius:.0} of {target:.0} °C")
        })
        .collect();
    format!("waits for its heaters: {}", parts.join(", "))
}

/// One machine as the device manager keeps it.
pub(super) struct Machine {
    pub(super) link: LinkHandle,
    pub(super) device: Device,
    pub(super) motion: Motion,
    pub(super) on: Option<OnMachine>,
    /// A person has closed its link: it stays so until one opens it.
    pub(super) left: bool,
    /// Who waits for the link to be closed; told by being dropped.
    pub(super) leaving: Vec<oneshot::Sender<()>>,
}

impl Machine {
    /// A machine whose link is being opened.
    pub(super) fn new(
        link: LinkHandle,
        options: &LinkOptions,
        envelope: Option<Envelope>,
        motion: Motion,
    ) -> Self {
        let kind = match options.port.split_once(':') {
            Some(("tcp", _)) => "tcp",
            Some(("sim", _)) => "simulated",
            _ => "serial",
        };
        let device = Device {
            name: options.name.clone(),
            driver: options.driver.clone(),
            port: options.port.clone(),
            capabilities: drivers::capabilities(&options.driver),
            link: kind.to_owned(),
            status: DeviceStatus::Connecting,
            identity: None,
            firmware_version: None,
            position: None,
            current_job_id: None,
            error_message: None,
            envelope,
            connected_at: None,
            error_count: 0,
            last_heard: None,
            pen_up: None,
            temperatures: Vec::new(),
            homed_at: None,
            ran_on_to: None,
            estop: None,
        };
        Self { link, device, motion, on: None, left: false, leaving: Vec::new() }
    }

    /// As far as a file's time on it is concerned.
    pub(super) fn kind(&self) -> domain::Machine {
        let Device { driver, .. } = &self.device;
        domain::Machine { motion: self.motion, ..domain::Machine::unknown(driver) }
    }

    /// Takes in a new status and the reason for it.
    pub(super) fn set_status(&mut self, status: DeviceStatus, message: Option<String>) {
        use DeviceStatus::{Connecting, Disconnected, Error};
        if matches!(status, Disconnected | Connecting | Error) {
            self.device.connected_at = None;
        } else if self.device.connected_at.is_none() {
            self.device.connected_at = Some(Timestamp::now());
        }
        (self.device.status, self.device.error_message) = (status, message);
    }

    /// Lets the clocks of the job run only while the machine works.
    pub(super) fn watch(&mut self) {
        let (busy, pen_up) = (self.device.status == DeviceStatus::Busy, self.device.pen_up);
        if let Some(on) = &mut self.on {
            on.course.watch(busy, pen_up);
        }
    }

    /// The job on the machine, if it is this one.
    pub(super) fn job(&mut self, id: JobId) -> Option<&mut OnMachine> {
        self.on.as_mut().filter(|on| on.job.id == id)
    }

    /// True if this job is on the machine.
    pub(super) fn has(&self, id: JobId) -> bool {
        self.on.as_ref().is_some_and(|on| on.job.id == id)
    }

    /// True if it can take a job.
    pub(super) fn is_free(&self) -> bool {
        self.device.status == DeviceStatus::Idle && self.on.is_none() && self.device.estop.is_none()
    }

    /// Shows the machine as it is now.
    pub(super) fn show(&mut self, board: &Board) {
        self.device.last_heard = self.link.heard();
        self.device.current_job_id = self.on.as_ref().map(|on| on.job.id);
        board.show_device(self.device.clone());
    }

    /// What events say of it.
    pub(super) fn report(&self) -> DeviceReport {
        DeviceReport::of(&self.device, Timestamp::now())
    }

    /// Lets whoever looks at the console of the machine know what is said.
    pub(super) fn tell(&self, feed: &Feed, level: &str, message: &str) {
        feed.live(&Live::Log {
            level: level.to_owned(),
            target: format!("device:{}", self.device.name),
            message: message.to_owned(),
        });
    }

    /// How far its job is, where there is one.
    pub(super) fn progress(&mut self) -> Option<Progress> {
        let Self { on, device, .. } = self;
        on.as_mut().map(|on| on.progress(&device.temperatures))
    }

    /// Shows and publishes how far the job is.
    pub(super) fn publish_progress(&mut self, board: &Board, feed: &Feed) {
        let Some(progress) = self.progress() else { return };
        let Some(on) = &mut self.on else { return };
        let live = Arc::new(on.live(&progress, self.device.position));
        on.told = Instant::now();
        board.show_progress(on.job.id, progress, live.clone());
        feed.live(&live);
    }

    /// The same, if it works and nothing was said of it for a while: a machine may move long after
    /// it has acknowledged its last line.
    pub(super) fn keep_telling(&mut self, board: &Board, feed: &Feed) {
        let is_busy = self.device.status == DeviceStatus::Busy;
        if self.on.as_ref().is_some_and(|on| is_busy && !on.ending && on.told.elapsed() >= SILENCE)
        {
            self.publish_progress(board, feed);
        }
    }
}
