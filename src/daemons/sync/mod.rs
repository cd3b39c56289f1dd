//! Sync: keeps copies of what must not be lost in directories elsewhere.
//!
//! Every interval, each target directory gets a consistent snapshot of the database
//! (`stationd.db`) and, under `jobs/<id>/`, the file and the output of every job that has ended.
//! What is there already and unchanged is not copied again. Targets are independent: one that is
//! away does not hold up the others, and is caught up with when it is back.

mod copy;

use std::{path::PathBuf, sync::Arc, time::Duration};

use actix::prelude::*;
use log::{info, warn};

use crate::{
    domain::{Health, Timestamp},
    store::Store,
    supervision::{Service, Vitals},
};
use copy::{Copied, Source};

/// A directory that gets copies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What people call it.
    pub name: String,
    /// The directory; created if missing.
    pub path: PathBuf,
}

/// What sync needs to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// Between two passes.
    pub interval: Duration,
    /// Where copies go.
    pub targets: Vec<Target>,
    /// Where jobs keep their output.
    pub jobs: PathBuf,
}

/// Copies database and job files.
pub struct Sync {
    options: Options,
    source: Source,
    vitals: Arc<Vitals>,
    files_synced: u64,
    errors_count: u64,
    failing: Option<String>,
    last: Option<Timestamp>,
}

impl Sync {
    /// A sync that begins when it is started.
    pub fn new(options: Options, store: Store, vitals: Arc<Vitals>) -> Self {
        let source = Source { store, jobs: options.jobs.clone() };
        Self {
            options,
            source,
            vitals,
            files_synced: 0,
            errors_count: 0,
            failing: None,
            last: None,
        }
    }

    /// Brings every target up to date.
    fn pass(&mut self) -> Copied {
        let mut all = Copied::default();
        self.failing = None;
        for target in &self.options.targets {
            // Given up meanwhile: the next incarnation does the rest.
            let go_on = || !self.vitals.is_retired();
            match self.source.copy_to(&target.path, go_on) {
                Ok(copied) => {
                    all.files += copied.files;
                    all.bytes += copied.bytes;
                }
                Err(error) => {
                    self.errors_count += 1;
                    warn!("sync to \"{}\" failed: {error}", target.name);
                    self.failing = Some(format!("target \"{}\": {error}", target.name));
                }
            }
        }
        self.files_synced += all.files;
        self.last = Some(Timestamp::now());
        if all.files > 0 {
            info!("synced {} files, {} bytes", all.files, all.bytes);
        }
        all
    }
}

impl Actor for Sync {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        if !self.options.targets.is_empty() {
            ctx.notify(Now);
            ctx.run_interval(self.options.interval, |this, _| {
                this.pass();
            });
        }
    }
}

impl Service for Sync {
    fn health(&mut self) -> Health {
        let health = match &self.failing {
            None => Health::healthy(),
            Some(_) if self.errors_count == 1 => Health::degraded("1 sync error"),
            Some(_) => Health::degraded(format!("{} sync errors", self.errors_count)),
        };
        health
            .with("files_synced", self.files_synced)
            .with("errors_count", self.errors_count)
            .with("targets", self.options.targets.len())
            .with("last_error", self.failing.clone())
            .with("last_sync_at", self.last.map(|at| at.to_string()))
    }
}

/// Brings every target up to date now; answers with how many files were copied.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "u64")]
pub struct Now;

impl Handler<Now> for Sync {
    type Result = u64;

    fn handle(&mut self, _: Now, _: &mut Self::Context) -> Self::Result {
        self.pass().files
    }
}
