//! What can be asked of the device manager, each message beside its handler.

use std::{fs::File, thread, time::Duration};

use actix::{fut, fut::wrap_future, prelude::*};
use log::warn;
use tokio::sync::oneshot;

use super::{
    DeviceError, DeviceManager,
    hear::News,
    machine::{Machine, OnMachine, Waiter},
};
use crate::{
    domain::{self, Actor, Device, DeviceStatus, Job, JobAction, JobId, Jog, Timestamp},
    link::{Drawing, Run, Source, Start},
    supervision::Mended,
    toolpath::{self, Estimate},
};

/// How long a machine may take to come to rest.
const ANSWER: Duration = Duration::from_secs(30);

/// Runs a job on an idle machine. The job is RUNNING in the database before this is sent.
#[derive(Message, Debug)]
#[rtype(result = "Result<(), DeviceError>")]
pub struct RunJob {
    /// On which machine.
    pub device: String,
    /// Which job.
    pub job: Job,
    /// Its file.
    pub source: Source,
    /// How it begins, and where it stops for a person.
    pub start: Start,
}

impl Handler<RunJob> for DeviceManager {
    type Result = Result<(), DeviceError>;

    fn handle(
        &mut self,
        RunJob { device, job, source, start }: RunJob,
        ctx: &mut Self::Context,
    ) -> Self::Result {
        let stopping = self.stopping;
        let machine = self.machine(&device)?;
        if stopping || !machine.is_free() {
            let status = machine.device.status;
            return Err(DeviceError::NotIdle { name: device, status });
        }
        let (id, estimated) = (job.id, estimate(source.clone(), machine.kind()));
        let position = machine.device.position;
        let journal = self.journals.begin(id, position, &start);
        let machine = self.machine(&device)?;
        machine.on = Some(OnMachine::new(job, journal, &start));
        machine.link.run(Run { job: id, source, start });
        ctx.spawn(wrap_future::<_, Self>(estimated).map(move |estimate, this, _| {
            // Nothing came if the file cannot be read: the link, which reads it too, says so.
            let on = this.machine_with(id).and_then(|machine| machine.job(id));
            if let (Ok(estimate), Some(on)) = (estimate, on) {
                on.course.know(estimate);
            }
        }));
        let before = machine.device.clone();
        self.show(&before.name, &before);
        Ok(())
    }
}

/// When each line will be done, read from the whole file aside: a long one takes seconds.
fn estimate(source: Source, machine: domain::Machine) -> oneshot::Receiver<Estimate> {
    let (read, estimate) = oneshot::channel();
    let reading = move || {
        let analysed = match source {
            Source::Bytes(bytes) => toolpath::analyse(bytes.as_slice(), &[machine]),
            Source::File(path) => {
                File::open(path).and_then(|file| toolpath::analyse(file, &[machine]))
            }
        };
        if let Ok((_, estimate)) = analysed {
            let _ = read.send(estimate); // nobody waits any more: the station stops
        }
    };
    if let Err(error) = thread::Builder::new().name("estimate".to_owned()).spawn(reading) {
        warn!("there is no time left to tell for a job: {error}");
    }
    estimate
}

/// Pauses, resumes, skips a layer of or cancels the job on a machine; answered once the machine has done it and the
/// job's new state is durable.
#[derive(Message, Debug)]
#[rtype(result = "Result<(), DeviceError>")]
pub struct Control {
    /// Which job.
    pub job: JobId,
    /// One of pause, resume, skip, cancel.
    pub action: JobAction,
    /// Who asks.
    pub actor: Actor,
}

impl Handler<Control> for DeviceManager {
    type Result = ResponseActFuture<Self, Result<(), DeviceError>>;

    fn handle(
        &mut self,
        Control { job, action, actor }: Control,
        _: &mut Self::Context,
    ) -> Self::Result {
        let (waiter, done) = oneshot::channel();
        let Some(machine) = self.machine_with(job) else {
            return Box::pin(fut::ready(Err(DeviceError::NotOnMachine(job))));
        };
        if action == JobAction::Skip
            && let Some(refused) = machine.on.as_ref().and_then(OnMachine::cannot_skip)
        {
            return Box::pin(fut::ready(Err(refused)));
        }
        match action {
            JobAction::Pause => machine.link.pause(job),
            JobAction::Resume => machine.link.resume(job),
            JobAction::Skip => machine.link.skip_layer(job),
            _ => machine.link.cancel(job),
        }
        if let Some(on) = machine.job(job) {
            on.waiting.push(Waiter { action, actor, answer: waiter });
        }
        let name = machine.device.name.clone();
        let answer = async move {
            match actix::clock::timeout(ANSWER, done).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(_)) => Err(DeviceError::NotOnMachine(job)),
                Err(_) => Err(DeviceError::TimedOut(name)),
            }
        };
        Box::pin(wrap_future(answer))
    }
}

/// What a person can ask of a machine itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Open the link again.
    Connect {
        /// Another machine on its port is the one that is meant from now on.
        accept: bool,
    },
    /// Move the tool by hand.
    Jog(Jog),
    /// End such a move.
    StopJog,
    /// Close the link and leave it closed.
    Disconnect,
    /// Send one line and collect what it answers.
    Send(String),
    /// Find the origin.
    Home,
    /// Take it out of alarm.
    Unlock,
    /// Let it be used again after an emergency stop.
    ClearEstop,
}

/// Asks something of a machine; answers with the lines it replied.
#[derive(Message, Debug)]
#[rtype(result = "Result<Vec<String>, DeviceError>")]
pub struct Operate {
    /// Which machine.
    pub device: String,
    /// What.
    pub operation: Operation,
}

impl Handler<Operate> for DeviceManager {
    type Result = ResponseActFuture<Self, Result<Vec<String>, DeviceError>>;

    fn handle(
        &mut self,
        Operate { device, operation }: Operate,
        _: &mut Self::Context,
    ) -> Self::Result {
        let feed = self.tools.feed.clone();
        let machine = match self.machine(&device) {
            Ok(machine) => machine,
            Err(error) => return Box::pin(fut::ready(Err(error))),
        };
        let homes = operation == Operation::Home;
        if let Some(sent) = spoken(&operation) {
            machine.tell(&feed, "INFO", &format!("> {sent}"));
        }
        match operation {
            Operation::Connect { .. } => machine.left = false,
            Operation::Disconnect => machine.left = true,
            _ => {}
        }
        let answer = match operation {
            Operation::Send(line) => machine.link.send(line),
            Operation::Home => machine.link.home(),
            Operation::Unlock => machine.link.unlock(),
            Operation::Jog(jog) => machine.link.jog(jog),
            Operation::StopJog => {
                machine.link.stop_jog();
                return Box::pin(fut::ready(Ok(Vec::new())));
            }
            Operation::Connect { accept } => {
                machine.link.connect(accept);
                return Box::pin(fut::ready(Ok(Vec::new())));
            }
            Operation::Disconnect => {
                machine.link.disconnect();
                if machine.device.status == DeviceStatus::Disconnected {
                    return Box::pin(fut::ready(Ok(Vec::new())));
                }
                let (leaving, closed) = oneshot::channel();
                machine.leaving.push(leaving);
                let name = machine.device.name.clone();
                return Box::pin(wrap_future(async move {
                    // The sender is dropped once the machine is safe and the link closed.
                    let closed = actix::clock::timeout(ANSWER, closed).await;
                    closed.map_or(Err(DeviceError::TimedOut(name)), |_| Ok(Vec::new()))
                }));
            }
            Operation::ClearEstop => {
                machine.link.clear_estop();
                return Box::pin(fut::ready(Ok(Vec::new())));
            }
        };
        let name = machine.device.name.clone();
        let news = self.news.clone();
        let answer = async move {
            let answer = answer.await;
            // Whoever has the answer finds the machine as it then is.
            let (mark, passed) = oneshot::channel();
            if news.send(News::Mark(mark)).is_ok() {
                let _ = passed.await; // it is dropped, and nothing sent
            }
            answer
        };
        let answered = wrap_future::<_, Self>(answer).map(move |answer, this, _| {
            let (lines, answer) = match answer {
                Ok(Ok(lines)) => (lines.clone(), Ok(lines)),
                Ok(Err(refused)) => {
                    let reason = refused.to_string();
                    (vec![reason.clone()], Err(DeviceError::Refused { name: name.clone(), reason }))
                }
                Err(_) => (Vec::new(), Err(DeviceError::TimedOut(name.clone()))),
            };
            if let Some(machine) = this.machines.get_mut(&name) {
                if homes && answer.is_ok() {
                    machine.device.homed_at = Some(Timestamp::now());
                    machine.show(&this.tools.board);
                }
                for line in &lines {
                    machine.tell(&this.tools.feed, "INFO", line);
                }
            }
            answer
        });
        Box::pin(answered)
    }
}

/// What goes to the machine, as a person would say it.
fn spoken(operation: &Operation) -> Option<String> {
    match operation {
        Operation::Send(line) => Some(line.clone()),
        Operation::Home => Some("home".to_owned()),
        Operation::Unlock => Some("unlock".to_owned()),
        Operation::Jog(Jog { x, y, z, feed }) => Some(format!("jog {x} {y} {z} at {feed}")),
        Operation::StopJog => Some("end of jog".to_owned()),
        Operation::Connect { .. } | Operation::Disconnect | Operation::ClearEstop => None,
    }
}

/// The station stops: jobs that are over within the grace may end, the others are brought to a safe
/// stop now and left INTERRUPTED.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct WindDown {
    /// How long jobs may still take.
    pub grace: Duration,
}

impl Handler<WindDown> for DeviceManager {
    type Result = ();

    fn handle(&mut self, WindDown { grace }: WindDown, _: &mut Self::Context) {
        self.stopping = true;
        for machine in self.machines.values_mut() {
            let left = machine.progress().and_then(|it| it.eta_seconds).unwrap_or(f64::INFINITY);
            let Some(on) = machine.on.as_ref().filter(|on| !on.ending) else { continue };
            if left >= grace.as_secs_f64() || machine.device.status == DeviceStatus::Paused {
                machine.link.interrupt(on.job.id, "the station was stopped");
            }
        }
    }
}

/// Compares which machines are to be connected with which are, and has those that are lost
/// connected now, ahead of their links' own attempts.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "Vec<Mended>")]
pub struct Reconnect;

impl Handler<Reconnect> for DeviceManager {
    type Result = Vec<Mended>;

    fn handle(&mut self, _: Reconnect, _: &mut Self::Context) -> Self::Result {
        let lost = |machine: &&Machine| {
            let status = machine.device.status;
            !machine.left && matches!(status, DeviceStatus::Disconnected | DeviceStatus::Error)
        };
        let lost = self.machines.values().filter(lost).filter(|_| !self.stopping);
        lost.map(|machine| {
            machine.link.connect(false);
            let Device { name, status, .. } = &machine.device;
            let did = format!("it was {status}: connecting again now");
            Mended { what: format!("device {name}"), did }
        })
        .collect()
    }
}

/// What a simulated machine has drawn.
#[derive(Message, Debug)]
#[rtype(result = "Result<Option<Drawing>, DeviceError>")]
pub struct Drawn {
    /// Which machine.
    pub device: String,
}

impl Handler<Drawn> for DeviceManager {
    type Result = Result<Option<Drawing>, DeviceError>;

    fn handle(&mut self, Drawn { device }: Drawn, _: &mut Self::Context) -> Self::Result {
        self.machine(&device).map(|machine| machine.link.drawing())
    }
}
