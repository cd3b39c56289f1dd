//! Asking a program from outside whether it works.

use std::{
    cell::Cell,
    path::Path,
    time::{Duration, SystemTime},
};

use awc::{
    Client,
    error::{ConnectError, SendRequestError},
};
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};

use super::{
    end::End,
    launch::{Launch, Sink},
    words::{lower, plain},
};
use crate::domain::Probe;

/// Between two questions of a program that is not up yet: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(500));

/// Asks on behalf of one run of a program.
pub(super) struct Prober {
    /// The program that is asked, in whose surroundings a command runs.
    launch: Launch,
    asked: Cell<u64>,
}

impl Prober {
    pub(super) fn new(launch: Launch) -> Self {
        Self { launch, asked: Cell::new(0) }
    }

    /// Asks once.
    ///
    /// # Errors
    /// A fragment of a sentence: why it does not work.
    pub(super) async fn ask(&self, probe: &Probe, limit: Duration) -> Result<(), String> {
        let late = |_| format!("no answer within {} s", limit.as_secs_f64());
        timeout(limit, self.once(probe)).await.map_err(late)?
    }

    /// Asks until it works.
    pub(super) async fn ask_until_well(&self, probe: &Probe, limit: Duration) {
        let mut pause = PAUSES.0;
        while self.ask(probe, limit).await.is_err() {
            sleep(pause).await;
            pause = (pause * 3 / 2).min(PAUSES.1);
        }
    }

    async fn once(&self, probe: &Probe) -> Result<(), String> {
        match probe {
            Probe::Tcp(address) => {
                TcpStream::connect(address).await.map(drop).map_err(|error| plain(&error))
            }
            Probe::Http(url) => http(url).await,
            Probe::Command(command) => self.command(command).await,
            Probe::File { path, max_age } => file(path, *max_age).await,
        }
    }

    /// What is still left of it when nobody waits any more is killed.
    async fn command(&self, command: &[String]) -> Result<(), String> {
        self.asked.set(self.asked.get() + 1);
        let launch = Launch {
            command: command.to_vec(),
            run: format!("{}.{}", self.launch.run, self.asked.get()),
            sink: Sink::Nowhere,
            notify: None,
            is_main: false,
            ..self.launch.clone()
        };
        let host = self.launch.options.host.clone();
        let launched = host.spawner().spawn(launch).await.map_err(|error| error.to_string())?;
        let watch = launched.tree.watch().map_err(|error| plain(&error))?;
        watch.ended().await;
        let end = launched.tree.end();
        launched.tree.finish();
        match end {
            End::Code(0) => Ok(()),
            end => Err(format!("the check {end}")),
        }
    }
}

/// Whoever asks sees to it that it does not take too long.
async fn http(url: &str) -> Result<(), String> {
    let client = Client::builder().disable_redirects().disable_timeout().finish();
    match client.get(url).send().await {
        Ok(answer) if (200..400).contains(&answer.status().as_u16()) => Ok(()),
        Ok(answer) => Err(format!("answered with {}", answer.status().as_u16())),
        Err(SendRequestError::Connect(ConnectError::Io(error))) => Err(plain(&error)),
        Err(error) => Err(lower(&error)),
    }
}

async fn file(path: &Path, max_age: Duration) -> Result<(), String> {
    let failed = |error| format!("{}: {}", path.display(), plain(&error));
    let written =
        tokio::fs::metadata(path).await.and_then(|found| found.modified()).map_err(failed)?;
    let age = SystemTime::now().duration_since(written).unwrap_or_default();
    if age < max_age {
        Ok(())
    } else {
        Err(format!("{} was last written {:.0} s ago", path.display(), age.as_secs_f64()))
    }
}
