//! The watchdog: looks after disk space, memory and daemons that stand still, and raises alerts.
//!
//! What it finds degrades the station's health at once; an alert is raised when a trouble begins
//! and when it is over, not at every look.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use actix::prelude::*;
use nix::sys::statvfs::statvfs;
use sysinfo::System;

use super::Tools;
use crate::{
    domain::{Body, Health, Severity},
    supervision::{List, Service},
};

/// What the watchdog needs to know.
#[derive(Clone)]
pub struct Options {
    /// Between two looks.
    pub interval: Duration,
    /// The file system that holds this is watched.
    pub workspace: PathBuf,
    /// Below that many free bytes the disk is in trouble.
    pub disk_free_min: u64,
    /// Above that share of the host's memory in use, memory is in trouble.
    pub memory_max: f64,
}

/// How long the supervisor may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is looked at: the word for it, how bad trouble with it is, and the titles of its alerts.
const SUBJECTS: [(&str, Severity, &str, &str); 3] = [
    ("disk", Severity::Error, "Disk space is low", "Disk space is back"),
    ("memory", Severity::Warning, "Memory is low", "Memory is back"),
    ("supervisor", Severity::Critical, "The supervisor stands still", "The supervisor is back"),
];

/// Looks, compares, alerts.
pub struct Watchdog {
    options: Options,
    tools: Tools,
    system: System,
    /// What is wrong, by subject.
    troubles: BTreeMap<&'static str, String>,
}

impl Watchdog {
    /// A watchdog that begins when it is started. Fails if the host does not tell its figures.
    pub fn new(options: Options, tools: Tools) -> Result<Self, String> {
        let system = System::new()
            .map_err(|error| format!("failed to read the system's figures: {error}"))?;
        Ok(Self { options, tools, system, troubles: BTreeMap::new() })
    }

    fn look(&mut self, ctx: &mut Context<Self>) {
        let (disk, memory) = (self.disk(), self.memory());
        self.find("disk", disk);
        self.find("memory", memory);
        let supervisor = self.tools.links().supervisor.clone();
        let answer = actix::clock::timeout(PATIENCE, supervisor.send(List)).into_actor(self);
        ctx.spawn(answer.map(|answer, this, _| {
            let still = format!("it has not answered for {} s", PATIENCE.as_secs());
            this.find("supervisor", answer.is_err().then_some(still));
        }));
    }

    fn disk(&self) -> Option<String> {
        let Ok(space) = statvfs(&self.options.workspace) else {
            return Some(format!(
                "the workspace {} cannot be reached",
                self.options.workspace.display()
            ));
        };
        let free = space.blocks_available() * space.fragment_size();
        let least = self.options.disk_free_min;
        let mb = |bytes| bytes / 1_000_000;
        (free < least).then(|| {
            format!("only {} MB are free in the workspace, {} MB are wanted", mb(free), mb(least))
        })
    }

    fn memory(&mut self) -> Option<String> {
        self.system.refresh_memory();
        let (used, total) = (self.system.used_memory(), self.system.total_memory());
        let share = if total == 0 { 0.0 } else { used as f64 / total as f64 };
        (share > self.options.memory_max).then(|| {
            format!(
                "{:.0} % of the memory is in use, more than {:.0} %",
                share * 100.0,
                self.options.memory_max * 100.0
            )
        })
    }

    /// Notes what is wrong with a subject, or that nothing is; whatever begins or ends is an alert.
    fn find(&mut self, subject: &'static str, trouble: Option<String>) {
        self.tools.board.set_trouble(subject, trouble.clone());
        let Some((_, severity, begins, ends)) = SUBJECTS.iter().find(|it| it.0 == subject) else {
            return;
        };
        match (trouble, self.troubles.remove(subject)) {
            (Some(now), before) => {
                if before.is_none() {
                    self.alert(Body::alert(*severity, "watchdog", begins, now.clone()));
                }
                self.troubles.insert(subject, now);
            }
            (None, Some(before)) => {
                let message = format!("it was: {before}");
                self.alert(Body::alert(Severity::Info, "watchdog", ends, message));
            }
            (None, None) => {}
        }
    }

    fn alert(&self, body: Body) {
        drop(self.tools.store.record(move |tx| tx.emit("system", None, body.clone())));
    }
}

impl Actor for Watchdog {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.look(ctx);
        ctx.run_interval(self.options.interval, Self::look);
    }
}

impl Service for Watchdog {
    fn health(&mut self) -> Health {
        match self.troubles.values().next() {
            None => Health::healthy(),
            Some(trouble) => Health::degraded(trouble.clone()),
        }
    }
}
