//! Everything countable, as Prometheus text (exposition format 0.0.4).
//!
//! Gauges are read off the board when somebody asks; only what cannot be read later (how long jobs
//! took, how many failed) is counted as it happens.

use std::{collections::BTreeMap, fs, sync::Arc, time::Duration};

use log::error;
use prometheus::{
    Encoder, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec,
    IntGaugeVec, Opts, Registry, TextEncoder, core::Collector,
};

use super::{Board, Usage, usage::resident};
use crate::{
    domain::{Daemon, DaemonState, DeviceStatus, Job, JobState, Timestamp},
    store::{Store, hooks, jobs},
};

/// Counts what happens and writes it all down on request.
pub struct Telemetry {
    board: Arc<Board>,
    store: Store,
    usage: Usage,
    job_duration: Histogram,
    job_errors: IntCounter,
    estop_latency: Histogram,
    hook_runs: IntCounterVec,
    hook_duration: HistogramVec,
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
            usage: Usage::default(),
            job_duration: Histogram::with_opts(duration.buckets(buckets))?,
            estop_latency: Histogram::with_opts(
                HistogramOpts::new(
                    "stationd_estop_latency_seconds",
                    "From a press of an emergency stop until its machine confirmed it.",
                )
                .buckets(vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0]),
            )?,
            job_errors: IntCounter::new(
                "stationd_job_errors_total",
                "Jobs that failed or were interrupted since the station started.",
            )?,
            hook_runs: IntCounterVec::new(
                Opts::new("stationd_hook_runs_total", "Tries of hooks since the station started."),
                &["kind", "outcome"],
            )?,
            hook_duration: HistogramVec::new(
                HistogramOpts::new(
                    "stationd_hook_duration_seconds",
                    "How long tries of hooks took.",
                )
                .buckets(vec![0.01, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0]),
                &["kind"],
            )?,
        }))
    }

    /// What process daemons use.
    pub fn usage(&self) -> &Usage {
        &self.usage
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

    /// Counts an emergency stop that a machine has confirmed.
    pub fn estop_confirmed(&self, latency: Duration) {
        self.estop_latency.observe(latency.as_secs_f64());
    }

    /// Counts a try of a hook.
    pub fn hook_ran(&self, kind: &str, outcome: &str, took: Duration) {
        self.hook_runs.with_label_values(&[kind, outcome]).inc();
        self.hook_duration.with_label_values(&[kind]).observe(took.as_secs_f64());
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
        add(Box::new(self.estop_latency.clone()))?;
        add(Box::new(self.hook_runs.clone()))?;
        add(Box::new(self.hook_duration.clone()))?;
        let outbox = self.store.read(hooks::outbox).unwrap_or_default();
        add(gauge(
            Opts::new("stationd_hook_outbox_length", "Webhooks that wait to be delivered."),
            outbox.length as f64,
        )?)?;
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
        let mut daemons: Vec<Daemon> =
            self.board.daemons().iter().map(|daemon| Daemon::clone(daemon)).collect();
        self.usage.overlay(&mut daemons);
        let now = Timestamp::now();
        let up = |daemon: &Daemon| {
            let since = daemon.started_at.filter(|_| daemon.uptime_seconds.is_some());
            since.map_or(0.0, |since| since.until(now).as_secs_f64())
        };
        let well = |daemon: &Daemon| daemon.uptime_seconds.is_some() && daemon.health.healthy;
        let restarts = IntCounterVec::new(
            Opts::new("stationd_daemon_restarts_total", "Restarts since the station started."),
            &["daemon"],
        )?;
        let state = IntGaugeVec::new(
            Opts::new("stationd_daemon_state", "1 for the state that the daemon is in, else 0."),
            &["daemon", "state"],
        )?;
        for daemon in &daemons {
            restarts.with_label_values(&[daemon.name.as_str()]).inc_by(daemon.restarts);
            for known in DaemonState::ALL {
                let labels = [daemon.name.as_str(), known.as_str()];
                state.with_label_values(&labels).set(i64::from(daemon.state == known));
            }
        }
        // A figure that a daemon does not have is left out.
        let figure = |name: &str, help: &str, read: &dyn Fn(&Daemon) -> Option<f64>| {
            let gauges = GaugeVec::new(Opts::new(name, help), &["daemon"])?;
            for daemon in &daemons {
                if let Some(value) = read(daemon) {
                    gauges.with_label_values(&[daemon.name.as_str()]).set(value);
                }
            }
            Ok::<Box<dyn Collector>, prometheus::Error>(Box::new(gauges))
        };
        Ok(vec![
            Box::new(restarts),
            Box::new(state),
            figure(
                "stationd_daemon_health",
                "1 while the daemon runs and is healthy.",
                &|daemon| Some(f64::from(u8::from(well(daemon)))),
            )?,
            figure(
                "stationd_daemon_uptime_seconds",
                "Seconds since the daemon started.",
                &|daemon| Some(up(daemon)),
            )?,
            figure(
                "stationd_daemon_failures_in_a_row",
                "Failures that have not been forgiven.",
                &|daemon| Some(f64::from(daemon.attempt)),
            )?,
            figure(
                "stationd_daemon_memory_bytes",
                "Resident memory of the daemon's own process.",
                &|daemon| daemon.memory_bytes.map(|bytes| bytes as f64),
            )?,
            figure(
                "stationd_daemon_cpu_usage_ratio",
                "Share of one core that the daemon's own process uses.",
                &|daemon| daemon.cpu_usage,
            )?,
            figure(
                "stationd_daemon_next_restart_timestamp_seconds",
                "When a daemon that backs off is started again, in seconds since 1970.",
                &|daemon| daemon.next_restart_at.map(|at| at.as_ms() as f64 / 1000.0),
            )?,
        ])
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
    let resident = resident(std::process::id()).unwrap_or(0);
    // One of them is the directory that is being read.
    let open = fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count().saturating_sub(1));
    (resident, open as u64)
}
