//! While a station lives: signals, requests for the station as a whole, and the stop in order.

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use actix::{Addr, MailboxError, dev::Request};
use actix_web::dev::ServerHandle;
use log::{error, info, warn};
use tokio::{sync::mpsc, time};

use super::{
    LogHandle, Notifier, Paths, Signal, Signals, StartError, StartOptions, assembly::InForce,
    plugins, reload::reload,
};
use crate::{
    config::Config,
    daemons::{Phase, Tools, process::Host},
    domain::HealthStatus,
    http::{App, Control},
    supervision::{CheckHealth, Ready as AllUp, Shutdown, Stop, Supervisor},
};

/// After the grace, until whatever is left is abandoned.
const MARGIN: Duration = Duration::from_secs(9);

/// How long an immediate stop takes at most: long enough to bring a machine to rest.
const AT_ONCE: Duration = Duration::from_secs(5);

/// What comes after the end.
pub(super) enum After {
    /// Nothing.
    End,
    /// The same again.
    Again(Notifier),
}

/// A running station.
pub(super) struct Station {
    pub(super) tools: Tools,
    pub(super) supervisor: Addr<Supervisor>,
    pub(super) app: Arc<App>,
    pub(super) server: ServerHandle,
    pub(super) log: LogHandle,
    pub(super) notifier: Notifier,
    pub(super) signals: Signals,
    pub(super) requests: mpsc::Receiver<Control>,
    pub(super) options: StartOptions,
    pub(super) paths: Paths,
    pub(super) grace: Duration,
    pub(super) configuration: Config,
    pub(super) host: Arc<Host>,
    pub(super) in_force: InForce,
}

/// Why a station stops.
enum Why {
    Asked {
        force: bool,
        again: bool,
    },
    /// Too many threads stand still.
    Worn(String),
    NotReady(StartError),
}

impl Station {
    /// Waits until all is up, announces it, then serves until somebody ends it.
    pub(super) async fn live(
        mut self,
        up: &mut Pin<Box<Request<Supervisor, AllUp>>>,
        announce: impl FnOnce(&Self),
    ) -> Result<After, StartError> {
        let mut announce = Some(announce);
        let mut watchdog = time::interval(self.notifier.watchdog_interval().unwrap_or(NEVER));
        let why = loop {
            tokio::select! {
                all_up = &mut *up, if announce.is_some() => match flatten(all_up) {
                    Ok(()) => if let Some(announce) = announce.take() { announce(&self) },
                    Err(reason) => break Why::NotReady(StartError::Internal(reason)),
                },
                signal = self.signals.next() => match signal {
                    Signal::Stop => break Why::Asked { force: false, again: false },
                    Signal::ReopenLogs => self.reopen_logs(),
                    Signal::Reload => drop(self.reload().await),
                },
                Some(request) = self.requests.recv() => match request {
                    Control::Shutdown { force } => break Why::Asked { force, again: false },
                    Control::Restart => break Why::Asked { force: false, again: true },
                    Control::Renew { why } => break Why::Worn(why),
                    Control::Reload { answer } => {
                        let done = self.reload().await;
                        drop(answer.send(done)); // whoever asked may be gone
                    }
                    Control::InstallPlugin { path, answer } => {
                        let done = plugins::install(&mut self, path).await;
                        drop(answer.send(done));
                    }
                    Control::RemovePlugin { name, answer } => {
                        let done = plugins::uninstall(&mut self, name).await;
                        drop(answer.send(done));
                    }
                },
                _ = watchdog.tick(), if self.notifier.watchdog_interval().is_some() => self.prove_life(),
            }
        };
        if let Why::NotReady(error) = &why {
            error!("the station is not ready: {error}");
        }
        let force = matches!(why, Why::Asked { force: true, .. } | Why::NotReady(_));
        self.stop(force).await;
        match why {
            Why::NotReady(error) => Err(error),
            // An init system starts us anew; where there is none, we do it ourselves.
            Why::Worn(why) if self.notifier.is_supervised() => Err(StartError::Internal(why)),
            Why::Worn(_) | Why::Asked { again: true, .. } => Ok(After::Again(self.notifier)),
            Why::Asked { again: false, .. } => Ok(After::End),
        }
    }

    fn reopen_logs(&self) {
        self.log.reopen();
        self.host.reopen_logs();
    }

    /// Reads the configuration again; a bad one changes nothing.
    pub(super) async fn reload(&mut self) -> Result<Vec<String>, Vec<String>> {
        self.notifier.reloading();
        self.reopen_logs();
        let done = reload(self).await;
        match &done {
            Ok(keys) if keys.is_empty() => info!("reloaded: nothing has changed"),
            Ok(keys) => info!("reloaded: {}", keys.join("; ")),
            Err(problems) => error!("not reloaded: {}", problems.join("; ")),
        }
        let status = if done.is_ok() { "running" } else { "running, last reload failed" };
        self.notifier.ready(status);
        done
    }

    /// Feeds the watchdog once every critical daemon has answered that it is not unhealthy.
    fn prove_life(&self) {
        let (supervisor, notifier) = (self.supervisor.clone(), self.notifier.clone());
        actix::spawn(async move {
            let Ok(daemons) = supervisor.send(CheckHealth).await else { return };
            let sick = |status| matches!(status, HealthStatus::Unhealthy);
            match daemons.iter().find(|daemon| daemon.critical && sick(daemon.health.status)) {
                None => notifier.alive(),
                Some(daemon) => warn!("the watchdog is not fed: {} is unhealthy", daemon.name),
            }
        });
    }

    /// Jobs first, then clients, then machines and the rest. A second request to stop cuts it short.
    async fn stop(&mut self, force: bool) {
        info!("stopping{}", if force { " at once" } else { "" });
        self.tools.board.set_phase(Phase::Stopping);
        self.notifier.stopping();
        let (supervisor, app) = (self.supervisor.clone(), self.app.clone());
        let grace = if force { AT_ONCE } else { self.grace + MARGIN };
        let mut orderly = Box::pin(async move {
            if !force {
                let _ = supervisor.send(Stop { name: "job-queue".to_owned(), force: false }).await;
            }
            app.close_sessions();
            let _ = supervisor.send(Shutdown { grace }).await; // a supervisor that is gone ends the process
        });
        loop {
            tokio::select! {
                () = &mut orderly => break,
                signal = self.signals.next() => if signal == Signal::Stop {
                    warn!("asked to stop again: at once");
                    cut_short(&self.supervisor);
                },
                Some(request) = self.requests.recv() => if let Control::Shutdown { force: true } = request {
                    cut_short(&self.supervisor);
                },
            }
        }
        self.server.stop(true).await;
    }
}

/// A watchdog that is not wanted.
const NEVER: Duration = Duration::from_hours(24);

/// Shortens the stop that is under way.
fn cut_short(supervisor: &Addr<Supervisor>) {
    let now = supervisor.send(Shutdown { grace: AT_ONCE });
    actix::spawn(now);
}

fn flatten<E: fmt::Display>(all_up: Result<Result<(), E>, MailboxError>) -> Result<(), String> {
    match all_up {
        Ok(Ok(())) => Ok(()),
        Ok(Err(reason)) => Err(reason.to_string()),
        Err(gone) => Err(gone.to_string()),
    }
}
