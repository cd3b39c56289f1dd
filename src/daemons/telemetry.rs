//! Everything countable, as Prometheus text (exposition format 0.0.4).
//!
//! Gauges are read off the board when somebody asks; only what cannot be read later (how long jobs
//! took, how many failed) is counted as it happens.

use std::{collections::BTreeMap, fs, sync::Arc};

use log::error;
use prometheus::{
    Encoder, Gauge, GaugeVec, Histogram, HistogramOpts, IntCounter, IntGaugeVec, Opts, Registry,
    TextEncoder, core::Collector,
};

use super::Board;
use crate::{
    domain::{DeviceStatus, Job, JobState, Timestamp},
    store::{Store, jobs},
};

/// Counts what happens and writes it all down on request.
pub struct Telemetry {
    board: Arc<Board>,
    store: Store,
    job_duration: Histogram,
    job_errors: IntCounter,
}

impl Telemetry {
    /// Counts from now on.
    pub fn new(board: Arc<Board>, store: Store) -> Result<Arc<Self>, prometheus::Error> {
        let buckets = vec![0.1, 1.0, 10.0, 60.0, 300.0, 900.0, 3600.0, 4.0 * 3600.0, 24.0 * 3600.0];
        let duration =
            HistogramOpts::new("stationd_job_duration_seconds", "How long ended jobs ran.");
        Ok(Arc::new(Self {
            board,
            store,
            job_duration: Histogram::with_opts(duration.buckets(buckets))?,
            job_errors: IntCounter::new(
                "stationd_job_errors_total",
                "Jobs that failed or were interrupted since the station started.",
            )?,
        }))
    }

    /// Counts a job that has just come to rest.
    pub fn job_ended(&self, job: &Job) {
        if matches!(job.state, JobState::Failed | JobState::Interrupted) {
            self.job_errors.inc();
        }
        if let (Some(from), Some(to)) = (job.started_at, job.finished_at) {
            self.job_duration.observe(from.until(to).as_secs_f64());
        }
    }

    /// The whole text.
    pub fn text(&self) -> String {
        let mut text = Vec::new();
        let written = self
            .registry()
            .and_then(|registry| TextEncoder::new().encode(&registry.gather(), &mut text));
        if let Err(error) = written {
            error!("failed to write the metrics: {error}");
        }
        String::from_utf8(text).unwrap_or_default()
    }

    fn registry(&self) -> Result<Registry, prometheus::Error> {
        let registry = Registry::new();
        let add = |collector: Box<dyn Collector>| registry.register(collector);
        add(Box::new(self.job_duration.clone()))?;
        add(Box::new(self.job_errors.clone()))?;
        for collector in self.of_station()?.into_iter().chain(self.of_daemons()?) {
            add(collector)?;
        }
        add(self.of_jobs()?)?;
        add(self.of_devices()?)?;
        add(self.of_store()?)?;
        Ok(registry)
    }

    fn of_station(&self) -> Result<Vec<Box<dyn Collector>>, prometheus::Error> {
        let info = Opts::new("stationd_build_info", "Always 1; the version is in the label.")
            .const_label("version", env!("CARGO_PKG_VERSION"));
        let (resident, open) = own_process();
        Ok(vec![
            gauge(info, 1.0)?,
            gauge(
                Opts::new("process_resident_memory_bytes", "Resident memory in bytes."),
                resident as f64,
            )?,
            gauge(Opts::new("process_open_fds", "Open file descriptors."), open as f64)?,
            gauge(
                Opts::new("stationd_websocket_connections", "WebSocket connections that are open."),
                self.board.connections() as f64,
            )?,
            gauge(
                Opts::new("stationd_uptime_seconds", "Seconds since the station started."),
                self.board.started().elapsed().as_secs_f64(),
            )?,
            gauge(
                Opts::new(
                    "stationd_heartbeat_age_seconds",
                    "Age of the heartbeat; NaN before the first.",
                ),
                self.board.heartbeat_age().map_or(f64::NAN, |age| age.as_secs_f64()),
            )?,
        ])
    }

    fn of_daemons(&self) -> Result<Vec<Box<dyn Collector>>, prometheus::Error> {
        let by_daemon = |name: &str, help: &str| GaugeVec::new(Opts::new(name, help), &["daemon"]);
        let health =
            by_daemon("stationd_daemon_health", "1 while the daemon runs and is healthy.")?;
        let uptime =
            by_daemon("stationd_daemon_uptime_seconds", "Seconds since the daemon started.")?;
        let restarts = prometheus::IntCounterVec::new(
            Opts::new("stationd_daemon_restarts_total", "Restarts since the station started."),
            &["daemon"],
        )?;
        for daemon in self.board.daemons() {
            let label = [daemon.name.as_str()];
            let well = daemon.uptime_seconds.is_some() && daemon.health.healthy;
            health.with_label_values(&label).set(f64::from(u8::from(well)));
            let since = daemon.started_at.filter(|_| daemon.uptime_seconds.is_some());
            let up = since.map_or(0.0, |since| since.until(Timestamp::now()).as_secs_f64());
            uptime.with_label_values(&label).set(up);
            restarts.with_label_values(&label).inc_by(daemon.restarts);
        }
        Ok(vec![Box::new(health), Box::new(uptime), Box::new(restarts)])
    }

    fn of_jobs(&self) -> Result<Box<dyn Collector>, prometheus::Error> {
        let jobs = IntGaugeVec::new(Opts::new("stationd_jobs", "Jobs by state."), &["state"])?;
        let counts = self.store.read(jobs::counts).unwrap_or_default();
        for state in JobState::ALL {
            let count = i64::try_from(counts.of(state)).unwrap_or(i64::MAX);
            jobs.with_label_values(&[state.as_str()]).set(count);
        }
        Ok(Box::new(jobs))
    }

    fn of_devices(&self) -> Result<Box<dyn Collector>, prometheus::Error> {
        let devices =
            IntGaugeVec::new(Opts::new("stationd_devices", "Machines by status."), &["status"])?;
        let mut counts: BTreeMap<_, i64> = DeviceStatus::ALL.map(|status| (status, 0)).into();
        for device in self.board.devices() {
            *counts.entry(device.status).or_default() += 1;
        }
        for (status, count) in counts {
            devices.with_label_values(&[status.as_str()]).set(count);
        }
        Ok(Box::new(devices))
    }

    fn of_store(&self) -> Result<Box<dyn Collector>, prometheus::Error> {
        let commits =
            IntCounter::new("stationd_db_commits_total", "Commits since the station started.")?;
        commits.inc_by(self.store.stats().commits);
        Ok(Box::new(commits))
    }
}

fn gauge(opts: Opts, value: f64) -> Result<Box<dyn Collector>, prometheus::Error> {
    let gauge = Gauge::with_opts(opts)?;
    gauge.set(value);
    Ok(Box::new(gauge))
}

/// Resident bytes and open descriptors, as the kernel counts them (proc(5)).
pub fn own_process() -> (u64, u64) {
    let pages = fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split_whitespace().nth(1)?.parse::<u64>().ok());
    let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten();
    let page = page.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(4096);
    // One of them is the directory that is being read.
    let open = fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count().saturating_sub(1));
    (pages.unwrap_or(0) * page, open as u64)
}
