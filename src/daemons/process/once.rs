//! A program that is run once: what it is told on its standard input, how long it may take, and
//! what it said.
//!
//! It ends with everything that came of it: what a program leaves running is ended too.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Seek as _, Write as _},
    os::fd::OwnedFd,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use nix::sys::{
    memfd::{MFdFlags, memfd_create},
    signal::Signal,
};
use tokio::{net::unix::pipe::Receiver, time::timeout};

use super::{
    Host, Options, ProcessError,
    end::End,
    host::next_run,
    launch::{Launch, Launched, Sink},
    tree::{Tree, Watch},
    words::plain,
};
use crate::domain::{Limits, OutputRules, Program, Readiness};

/// After SIGTERM a program has that long to end before SIGKILL.
const GRACE: Duration = Duration::from_secs(5);

/// What is left after the program itself has ended may take that long to end when asked.
const LEFTOVERS: Duration = Duration::from_secs(1);

/// Output that comes from nowhere any more is not waited for longer than that.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A program to run once.
pub(in crate::daemons) struct Errand {
    /// What its processes and its control group are called.
    pub(in crate::daemons) name: String,
    /// The program and its arguments.
    pub(in crate::daemons) command: Vec<String>,
    /// Where it works; the workspace if none.
    pub(in crate::daemons) directory: Option<PathBuf>,
    /// Variables besides the few it inherits.
    pub(in crate::daemons) environment: BTreeMap<String, String>,
    /// What it reads.
    pub(in crate::daemons) input: Vec<u8>,
    /// How long it may take.
    pub(in crate::daemons) timeout: Duration,
    /// Bytes of its output that are kept.
    pub(in crate::daemons) output_limit: usize,
}

/// How it went.
#[derive(Debug)]
pub(in crate::daemons) struct Ran {
    /// What it returned, unless it was killed.
    pub(in crate::daemons) code: Option<i32>,
    /// What is wrong with how it ended; nothing if it returned 0 in time.
    pub(in crate::daemons) trouble: Option<String>,
    /// The beginning of what it wrote to standard output and standard error.
    pub(in crate::daemons) output: Vec<u8>,
    /// Bytes that it wrote beyond that.
    pub(in crate::daemons) lost: u64,
}

impl Host {
    /// Runs a program to its end. Given up half-way, everything of it is killed.
    ///
    /// # Errors
    /// It cannot be started.
    pub(in crate::daemons) async fn run_once(
        self: &Arc<Self>,
        errand: Errand,
    ) -> Result<Ran, ProcessError> {
        let limit = errand.timeout;
        let name = errand.command.first().cloned().unwrap_or_default();
        let failed =
            |error: &io::Error| ProcessError::Start { program: name.clone(), why: plain(error) };
        let mut heard = Heard { bytes: Vec::new(), limit: errand.output_limit, lost: 0 };
        let launch = launch(self, errand).map_err(|error| failed(&error))?;
        let Launched { mut tree, output, .. } = self.spawner().spawn(launch).await?;
        let watch = tree.watch().map_err(|error| failed(&error))?;
        let output =
            output.map(Receiver::from_owned_fd).transpose().map_err(|error| failed(&error))?;
        let ended = {
            let mut ending = Box::pin(see_through(&mut tree, &watch, limit));
            tokio::select! {
                ended = &mut ending => ended,
                // All of its output has been read, and it still runs.
                () = heard.listen(output.as_ref()) => ending.await,
            }
        };
        let _ = timeout(LAST_WORDS, heard.listen(output.as_ref())).await;
        let end = tree.end();
        tree.finish();
        let trouble = match (ended, end) {
            (Ended::InTime, End::Code(0)) => None,
            (Ended::InTime, end) => Some(format!("the program {end}")),
            (Ended::Late, _) => Some(format!("did not end within {} s", limit.as_secs_f64())),
            (Ended::Killed, _) => {
                Some(format!("did not end within {} s, and was killed", limit.as_secs_f64()))
            }
        };
        let code = if let End::Code(code) = end { Some(code) } else { None };
        Ok(Ran { code, trouble, output: heard.bytes, lost: heard.lost })
    }
}

enum Ended {
    InTime,
    /// When asked to.
    Late,
    Killed,
}

/// Until nothing is left of it but a number to be reaped.
async fn see_through(tree: &mut Tree, watch: &Watch, limit: Duration) -> Ended {
    let ended = if timeout(limit, watch.ended()).await.is_ok() {
        Ended::InTime
    } else {
        tree.remember().await;
        tree.signal(Signal::SIGTERM);
        tree.signal(Signal::SIGCONT); // a stopped one could not end
        if timeout(GRACE, watch.ended()).await.is_ok() {
            Ended::Late
        } else {
            tree.kill();
            watch.ended().await;
            Ended::Killed
        }
    };
    let late_at = Instant::now() + LEFTOVERS;
    let killed = matches!(ended, Ended::Killed);
    tree.clear(|| killed || Instant::now() >= late_at).await;
    ended
}

fn launch(host: &Arc<Host>, errand: Errand) -> io::Result<Launch> {
    let program = Program {
        command: errand.command.clone(),
        directory: errand.directory,
        environment: errand.environment,
        environment_file: None,
        user: None,
        group: None,
        umask: None,
        nice: None,
        stop_signal: "TERM".to_owned(),
        stop_timeout: GRACE,
        exit_codes: vec![0],
        no_new_privileges: true,
        detach: false,
        limits: Limits::default(),
        log: OutputRules { max_size: 0, backup_count: 0, compress: false },
        ready: Readiness::Spawned,
        health: None,
        watchdog: None,
    };
    Ok(Launch {
        options: Options { name: errand.name, program, host: Arc::clone(host) },
        command: errand.command,
        run: next_run(),
        input: Some(Arc::new(in_memory(&errand.input)?)),
        sink: Sink::Pipe,
        notify: None,
        is_main: true,
    })
}

/// A file without a name: whoever reads it never waits, and nobody waits for whoever does not.
fn in_memory(content: &[u8]) -> io::Result<OwnedFd> {
    let mut file = File::from(memfd_create(c"stationd-input", MFdFlags::MFD_CLOEXEC)?);
    file.write_all(content)?;
    file.rewind()?;
    Ok(file.into())
}

/// What a program wrote.
struct Heard {
    bytes: Vec<u8>,
    limit: usize,
    lost: u64,
}

impl Heard {
    /// Reads until nobody can write any more; what is beyond the limit is read and counted, so
    /// that the program is not held up.
    async fn listen(&mut self, pipe: Option<&Receiver>) {
        let Some(pipe) = pipe else { return };
        let mut buffer = vec![0; 16 << 10];
        loop {
            let Ok(()) = pipe.readable().await else { return };
            match pipe.try_read(&mut buffer) {
                Ok(0) => return,
                Ok(count) => self.take(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
            // A flood must not keep the clock from being looked at.
            tokio::task::yield_now().await;
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        let kept = bytes.len().min(self.limit.saturating_sub(self.bytes.len()));
        self.bytes.extend_from_slice(&bytes[..kept]);
        self.lost += (bytes.len() - kept) as u64;
    }
}
