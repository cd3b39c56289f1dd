//! Metrics: looks at host and process every interval, keeps an hour, and says how the station is.

use std::{path::PathBuf, sync::Arc, time::Duration};

use actix::prelude::*;
use nix::sys::statvfs::statvfs;
use sysinfo::System;
use thiserror::Error;

use super::{Sample, Tools, checkup::checkup, usage::resident};
use crate::{
    domain::{Health, JobState, Live, Timestamp},
    store::jobs,
    supervision::Service,
};

/// What the metrics daemon needs to know.
#[derive(Clone)]
pub struct Options {
    /// Between two samples.
    pub interval: Duration,
    /// The file system that holds this is measured.
    pub workspace: PathBuf,
}

/// The host does not tell its figures.
#[derive(Debug, Error)]
#[error("failed to read the system's figures: {0}")]
pub struct Unreadable(String);

/// Takes samples and publishes `system_status`.
pub struct Metrics {
    options: Options,
    tools: Tools,
    system: System,
    trouble: Option<String>,
    /// How many jobs there were after so many commits.
    counted: Option<(u64, jobs::Counts)>,
}

impl Metrics {
    /// A sampler with nothing sampled yet.
    pub fn new(options: Options, tools: Tools) -> Result<Self, Unreadable> {
        let mut system = System::new().map_err(|error| Unreadable(error.to_string()))?;
        system.refresh_cpu_usage();
        Ok(Self { options, tools, system, trouble: None, counted: None })
    }

    fn look(&mut self) {
        self.tools.store.check_file(); // what it finds shows in the store's health
        let sample = self.sample();
        self.tools.history.push(sample, Timestamp::now());
        self.count();
        let counts = self.counted.map(|(_, counts)| counts).unwrap_or_default();
        let status = Live::SystemStatus {
            status: checkup(&self.tools.board, &self.tools.store).status,
            uptime: self.tools.board.started().elapsed().as_secs_f64(),
            active_jobs: counts.of(JobState::Running) + counts.of(JobState::Paused),
            queue_length: counts.of(JobState::Queued) + counts.of(JobState::Held),
            memory_usage: f64::from(sample.memory),
            cpu_usage: f64::from(sample.cpu),
            connections: self.tools.board.connections() as u64,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        self.tools.board.show_system(Arc::new(status.clone()));
        self.tools.feed.live(&status);
    }

    /// Counts the jobs, if anything was written since the last time.
    fn count(&mut self) {
        let commits = self.tools.store.stats().commits;
        if self.counted.is_some_and(|(at, _)| at == commits) {
            return;
        }
        let counts = self.tools.store.read(jobs::counts);
        self.trouble = counts.as_ref().err().map(ToString::to_string);
        self.counted = counts.ok().map(|counts| (commits, counts));
    }

    fn sample(&mut self) -> Sample {
        self.system.refresh_cpu_usage();
        self.system.refresh_memory();
        Sample {
            cpu: self.system.global_cpu_usage() / 100.0,
            memory: ratio(self.system.used_memory(), self.system.total_memory()),
            disk: self.disk(),
            rss_bytes: resident(std::process::id()).unwrap_or(0),
        }
    }

    fn disk(&self) -> f32 {
        let space = statvfs(&self.options.workspace);
        space.map_or(0.0, |space| 1.0 - ratio(space.blocks_available(), space.blocks()))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a share needs no more digits")]
fn ratio(part: u64, whole: u64) -> f32 {
    if whole == 0 { 0.0 } else { (part as f64 / whole as f64) as f32 }
}

impl Actor for Metrics {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.look();
        ctx.run_interval(self.options.interval, |this, _| this.look());
    }
}

impl Service for Metrics {
    fn health(&mut self) -> Health {
        match &self.trouble {
            None => Health::healthy(),
            Some(error) => Health::degraded(format!("jobs cannot be counted: {error}")),
        }
    }
}
