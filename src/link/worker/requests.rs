//! What the station asks for.

use std::{sync::mpsc::TryRecvError, time::Duration};

use super::{Command, Leaving, Reply, Report, Request, Worker};
use crate::{domain::JobId, drivers::Refused};

impl Worker {
    pub(super) fn requests(&mut self) {
        loop {
            match self.inbox.try_recv() {
                Ok(request) => self.request(request),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => return self.close(),
            }
        }
    }

    fn request(&mut self, request: Request) {
        match request {
            Request::Run(run) => self.run_job(run),
            Request::Pause(job) => self.of_job(job, Command::Pause),
            Request::Resume(job) => self.of_job(job, Command::Resume),
            Request::SkipLayer(job) => self.of_job(job, Command::SkipLayer),
            Request::Cancel(job) => self.of_job(job, Command::Cancel),
            Request::Interrupt(job, reason) => self.of_job(job, Command::Interrupt(reason)),
            Request::Send(line, reply) => self.console(Command::Send(line), reply),
            Request::Home(reply) => self.console(Command::Home, reply),
            Request::Unlock(reply) => self.console(Command::Unlock, reply),
            Request::Jog(jog, reply) => self.console(Command::Jog(jog), reply),
            Request::StopJog => self.driver.command(Command::StopJog, self.now()),
            Request::Connect { accept } => {
                if accept {
                    self.state.identity = None;
                }
                if self.state.link.is_none() {
                    self.state.retry.attempt = 0;
                    self.state.retry.at = Some(Duration::ZERO);
                }
                // A close is final.
                if matches!(self.state.leaving, Leaving::Disconnect { .. }) {
                    self.state.leaving = Leaving::No;
                }
            }
            Request::Disconnect => {
                if self.state.leaving == Leaving::No {
                    self.state.leaving = Leaving::Disconnect { since: self.now() };
                    self.make_safe("the machine was disconnected by hand");
                }
            }
            Request::ClearEstop => {
                if self.estop.send_replace(None).is_some() {
                    self.driver.command(Command::ClearEstop, self.now());
                    (self.report)(Report::EstopCleared);
                }
            }
            Request::Close => self.close(),
        }
    }

    fn close(&mut self) {
        if !matches!(self.state.leaving, Leaving::Close { .. }) {
            self.state.leaving = Leaving::Close { since: self.now() };
            self.make_safe("the station is stopping");
        }
    }

    fn make_safe(&mut self, reason: &str) {
        self.driver.command(Command::Interrupt(reason.to_owned()), self.now());
    }

    fn of_job(&mut self, job: JobId, command: Command) {
        if self.state.job.as_ref().is_some_and(|active| active.id == job) {
            self.driver.command(command, self.now());
        }
    }

    fn console(&mut self, command: Command, reply: Reply) {
        if self.state.reply.is_some() {
            // Who asked may have gone.
            let _ = reply.send(Err(Refused::Busy("another line is being answered")));
            return;
        }
        self.state.reply = Some(reply);
        self.driver.command(command, self.now());
        self.events();
    }
}
