//! What all requests share.

use std::{
    ops::Deref,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Instant,
};

use log::{debug, info, warn};
use tokio::sync::{mpsc, oneshot};

use super::{rate::Rate, settings::Settings, ws::Hubs};
use crate::{
    config::Plugin,
    daemons::Tools,
    domain::{Actor, AuditEntry, Outcome},
};

/// What a request can ask of the station as a whole.
#[derive(Debug)]
pub enum Control {
    /// Stop; at once and still safe if `force`.
    Shutdown {
        /// Do not wait for running jobs.
        force: bool,
    },
    /// Stop, then start again with the same command line.
    Restart,
    /// Stop, then start again: its daemons stand still again and again.
    Renew {
        /// In one sentence.
        why: String,
    },
    /// Read the configuration again.
    Reload {
        /// The keys that took effect, or every line of what is wrong with the new configuration.
        answer: oneshot::Sender<Result<Vec<String>, Vec<String>>>,
    },
    /// Copy a plug-in into the workspace and take it into use.
    InstallPlugin {
        /// Its directory; absolute.
        path: PathBuf,
        /// Its name, or every line of what is wrong with it.
        answer: oneshot::Sender<Result<String, Vec<String>>>,
    },
    /// Take a plug-in out of use and remove it from the workspace.
    RemovePlugin {
        /// Its name as in [`App::plugins`].
        name: String,
        /// Its name, or every reason why it is still there.
        answer: oneshot::Sender<Result<String, Vec<String>>>,
    },
}

/// Shared by all workers.
pub struct App {
    tools: Tools,
    control: mpsc::Sender<Control>,
    settings: RwLock<Arc<Settings>>,
    plugins: RwLock<Arc<Vec<Plugin>>>,
    hubs: Hubs,
    refusals: Mutex<Rate>,
}

/// Refused requests that are written down in a second; a flood of them fills no disk.
const REFUSALS_KEPT: u16 = 20;

impl Deref for App {
    type Target = Tools;

    fn deref(&self) -> &Tools {
        &self.tools
    }
}

impl App {
    /// Put together once. `control` is the station's own ear.
    pub fn new(tools: Tools, control: mpsc::Sender<Control>, settings: Settings) -> Arc<Self> {
        Arc::new(Self {
            tools,
            control,
            settings: RwLock::new(Arc::new(settings)),
            plugins: RwLock::default(),
            hubs: Hubs::default(),
            refusals: Mutex::new(Rate::new(REFUSALS_KEPT, Instant::now())),
        })
    }

    /// The station's own ear.
    pub(super) fn control(&self) -> &mpsc::Sender<Control> {
        &self.control
    }

    /// The settings in force.
    pub fn settings(&self) -> Arc<Settings> {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on these are in force.
    pub fn reload(&self, settings: Settings) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }

    /// Every plug-in that was found.
    pub fn plugins(&self) -> Arc<Vec<Plugin>> {
        self.plugins.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on these are the plug-ins; only the station says so.
    pub fn set_plugins(&self, plugins: Vec<Plugin>) {
        *self.plugins.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(plugins);
    }

    /// Tells every WebSocket client that the station stops, and closes it with 1001.
    pub fn close_sessions(&self) {
        self.hubs.close();
    }

    pub(super) fn hubs(&self) -> &Hubs {
        &self.hubs
    }

    /// Writes a change down in the audit trail, after the fact.
    pub(super) fn audit(&self, actor: &Actor, action: &str, resource: String, outcome: Outcome) {
        self.note(entry(actor, action, resource, outcome, ""));
    }

    /// As [`App::audit`], with what else a reader needs.
    pub(super) fn note(&self, entry: AuditEntry) {
        let AuditEntry { actor, action, resource, outcome, detail } = &entry;
        let outcome = outcome.as_str();
        if self.settings().audit {
            info!(target: "audit", "{actor} from {}: {action} {resource}: {outcome} {detail}", actor.source);
        }
        let written = self.store.record(move |tx| tx.audit(&entry).map(drop));
        actix_web::rt::spawn(async move {
            if let Err(error) = written.await {
                warn!("an audit record could not be written: {error}");
            }
        });
    }

    /// Writes down that somebody was refused.
    pub(super) fn refused(&self, actor: &Actor, action: &str, why: &str) {
        let now = Instant::now();
        let keep = self.refusals.lock().unwrap_or_else(PoisonError::into_inner).take(now);
        if !keep {
            debug!(target: "security", "one more refusal");
            return;
        }
        if self.settings().security_events {
            warn!(target: "security", "{actor} from {} was refused {action}: {why}", actor.source);
        }
        self.note(entry(actor, action, "station".to_owned(), Outcome::Denied, why));
    }
}

/// A record of the audit trail.
pub(super) fn entry(
    actor: &Actor,
    action: &str,
    resource: String,
    outcome: Outcome,
    detail: &str,
) -> AuditEntry {
    let (actor, action, detail) = (actor.clone(), action.to_owned(), detail.to_owned());
    AuditEntry { actor, action, resource, outcome, detail }
}
