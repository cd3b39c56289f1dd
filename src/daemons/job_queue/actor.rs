//! The actor itself: how it starts, how it is, how it stops.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    path::PathBuf,
    sync::OnceLock,
    time::{Duration, Instant},
};

use actix::prelude::*;
use futures_util::stream;
use jiff::tz::TimeZone;
use log::{info, warn};
use thiserror::Error;
use tokio::sync::mpsc::UnboundedReceiver;

use super::{
    commands::{End, Running, requeue_left_over},
    dispatch::Wake,
    pace::Pace,
    runner::{self, News, Runner},
    tidy::Tidy,
};
use crate::{
    daemons::{Tools, device_manager::WindDown},
    domain::{Backoff, Health, JobId, Timestamp},
    store::{StoreError, queue_modes},
    supervision::Service,
};

/// Looked for work that often even if nobody says that there is any.
const FALLBACK: Duration = Duration::from_secs(30);

/// Between two looks for what is old enough to be deleted.
const TIDY: Duration = Duration::from_mins(10);

/// While stopping, how often it looks whether everything has ended.
const POLL: Duration = Duration::from_millis(20);

/// Kept of the time to stop, to end what does not end by itself.
const RESERVE: Duration = Duration::from_secs(6);

/// What the queue needs to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// Programs that may run at the same time.
    pub max_concurrent_commands: usize,
    /// A program is ended after that long if its job does not say otherwise.
    pub command_timeout: Option<Duration>,
    /// What runs may take that long to end when the station stops.
    pub shutdown_grace: Duration,
    /// Jobs that ended longer ago than that are deleted.
    pub retention: Duration,
    /// Bytes of all job files together.
    pub max_storage: u64,
    /// Programs of each group that may run at the same time.
    pub groups: BTreeMap<String, usize>,
    /// When a failed command is tried again, if its job does not say.
    pub retry: Backoff,
    /// In which schedules are read.
    pub timezone: TimeZone,
    /// Events older than that are deleted.
    pub event_retention: Duration,
    /// Bytes kept of what a program writes.
    pub max_output: u64,
    /// Where jobs keep their output.
    pub jobs: PathBuf,
}

/// Ends of programs that are taken in at a time.
const NEWS: usize = 256;

/// Why the queue cannot be started.
#[derive(Debug, Error)]
pub enum StartError {
    /// The database did not do as asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There can be no thread that runs programs.
    #[error("failed to start the thread that runs programs: {0}")]
    Thread(#[from] io::Error),
}

/// When what runs is ended that does not end by itself.
#[derive(Clone, Copy)]
struct Ends {
    /// Programs are asked to end, by SIGTERM.
    ask: Instant,
    /// They are killed, and nothing more is waited for.
    kill: Instant,
}

/// Looking for jobs that may start, once at a time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Look {
    /// There may be some.
    pub(super) is_wanted: bool,
    pub(super) is_under_way: bool,
}

/// Starts jobs.
pub struct JobQueue {
    pub(super) options: Options,
    pub(super) tools: Tools,
    /// Command jobs that are claimed and whose end is not written yet.
    pub(super) running: HashMap<JobId, Running>,
    /// How many of them have ended.
    pub(super) over: usize,
    /// Their ends, for the next write.
    pub(super) ended: Vec<End>,
    pub(super) runner: Runner,
    news: Option<UnboundedReceiver<News>>,
    pub(super) pace: Pace,
    /// For programs; a write of ends is under way with it.
    pub(super) programs: Look,
    /// The next of these writes waits for more to write.
    pub(super) gathering: Option<SpawnHandle>,
    /// For machines, and whatever else comes before a claim.
    pub(super) machines: Look,
    /// When it looks again, for something is due then.
    pub(super) next: Option<(Timestamp, SpawnHandle)>,
    pub(super) stopping: bool,
    ends: Option<Ends>,
    pub(super) trouble: Option<String>,
    /// When schedules were last looked at, all of them.
    pub(super) looked_at: Option<Instant>,
}

impl JobQueue {
    /// Puts back what an earlier incarnation had running. Blocks.
    ///
    /// # Errors
    /// The database does not do as asked, or no thread can be started.
    pub fn new(options: Options, tools: Tools) -> Result<Self, StartError> {
        requeue_left_over(&tools.store)?;
        tools.board.show_queue_modes(tools.store.read(queue_modes::all)?);
        let host = runner::Host {
            jobs: options.jobs.clone(),
            max_output: options.max_output,
            feed: tools.feed.clone(),
            board: tools.board.clone(),
            cgroups: OnceLock::new(),
        };
        let (runner, news) = Runner::start(host, options.max_concurrent_commands)?;
        Ok(Self {
            options,
            tools,
            running: HashMap::new(),
            over: 0,
            ended: Vec::new(),
            runner,
            news: Some(news),
            pace: Pace::default(),
            programs: Look::default(),
            gathering: None,
            machines: Look::default(),
            next: None,
            stopping: false,
            ends: None,
            trouble: None,
            looked_at: None,
        })
    }

    /// What runs may go on for so long.
    fn wind_down(&mut self, grace: Duration) {
        let ask = Instant::now() + grace;
        let kill = ask + RESERVE * 2 / 3;
        self.ends = Some(Ends { ask, kill: self.ends.map_or(kill, |ends| ends.kill.min(kill)) });
        if self.tools.links().device_manager.tell(WindDown { grace }).is_err() {
            info!("the device manager is not running: no machine has to be wound down");
        }
    }

    fn on_machines(&self) -> bool {
        self.tools.board.devices().iter().any(|device| device.current_job_id.is_some())
    }
}

impl Actor for JobQueue {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        if let Some(news) = self.news.take() {
            ctx.add_stream(stream::unfold(news, |mut news| async {
                let mut heard = Vec::new();
                let count = news.recv_many(&mut heard, NEWS).await;
                (count > 0).then_some((heard, news))
            }));
        }
        ctx.notify(Wake);
        ctx.run_interval(FALLBACK, |_, ctx| ctx.notify(Wake));
        ctx.notify(Tidy);
        ctx.run_interval(TIDY, |_, ctx| ctx.notify(Tidy));
    }
}

impl Service for JobQueue {
    fn health(&mut self) -> Health {
        let health = match &self.trouble {
            None => Health::healthy(),
            Some(error) => Health::degraded(format!("jobs cannot be claimed: {error}")),
        };
        health.with("running_commands", self.running.len())
    }

    /// Takes no more jobs. What runs may end within the grace; machines that would take longer are
    /// stopped safely at once, programs that do are ended. Asked again, it hurries.
    fn stop(&mut self, ctx: &mut Self::Context, deadline: Instant) {
        self.stopping = true;
        let left = deadline.saturating_duration_since(Instant::now()).saturating_sub(RESERVE);
        let again = self.ends.is_some();
        self.wind_down(self.options.shutdown_grace.min(left));
        if again {
            return;
        }
        self.runner.give_back();
        let mut asked = false;
        ctx.run_interval(POLL, move |this, ctx| {
            let (now, Some(ends)) = (Instant::now(), this.ends) else { return };
            if this.running.is_empty() && (!this.on_machines() || now >= ends.kill) {
                ctx.stop();
            } else if now >= ends.kill {
                this.runner.kill();
            } else if now >= ends.ask && !asked {
                asked = true;
                warn!("{} programs did not end within the grace", this.running.len());
                this.end_all();
            }
        });
    }
}
