//! One run of a program, from its predecessor's end to its own.

use std::{fs, future::pending, io, rc::Rc, sync::Arc, time::Instant};

use log::{info, warn};
use nix::sys::signal::Signal;
use tokio::{
    sync::{oneshot, watch::Receiver},
    time::sleep_until,
};

use super::{
    Options, ProcessError,
    actor::Seen,
    census::{Family, Member},
    error::plain,
    host,
    launch::{Launch, Launched, Sink},
    notify::Socket,
    output::Output,
    plan::{Plan, kill_at},
    probe::Prober,
    reaper::Grave,
    record::{Files, Record, fingerprint},
    tree::{self, End, Tree},
    watch::Watch,
};
use crate::{
    domain::{Health, Program, Readiness},
    supervision::{Facts, Vitals},
    sys::pidfd,
};

/// What is to be run, and who is to know how it goes.
pub(super) struct Life {
    pub(super) plan: Plan,
    pub(super) vitals: Arc<Vitals>,
    pub(super) seen: Rc<Seen>,
    /// By when it is to have stopped, once it has been asked to.
    pub(super) orders: Receiver<Option<Instant>>,
}

/// A program that runs.
struct Running {
    tree: Tree,
    end: tree::Watch,
    output: Output,
    socket: Option<Socket>,
    launch: Launch,
    is_adopted: bool,
}

/// Why a program does not run on.
enum Turn {
    /// It has ended by itself.
    Ended,
    /// It is to stop.
    Asked,
    /// Something is wrong with it.
    Trouble(String),
}

/// What was written down of it. Dropping it takes the files back, unless they are to stay.
struct Recorded {
    files: Files,
    run: String,
    stays: bool,
}

impl Life {
    /// Runs the program. When this returns, nothing is left of it, and the reason has been told.
    pub(super) async fn run(self) {
        let started = self.start().await;
        match started {
            Ok(running) => self.live(running).await,
            Err(error) => self.vitals.fail(&error),
        }
    }

    /// Finds the program running, or starts it.
    async fn start(&self) -> Result<Running, ProcessError> {
        let options = &self.plan.options;
        let files = Files::of(&options.host.run, &options.name);
        if let Some(record) = files.read()
            && let Some(process) = record.process(options.host.boot_id())
        {
            if options.program.detach && is_same(&record, &options.program) {
                match self.adopt(&record, process) {
                    Ok(running) => return Ok(running),
                    Err(error) => info!("{} cannot be adopted: {}", options.name, plain(&error)),
                }
            }
            self.bury(&record, process).await;
        }
        self.spawn(&files).await
    }

    /// Takes over what an earlier life of the station has left running.
    fn adopt(&self, record: &Record, process: Member) -> io::Result<Running> {
        let options = &self.plan.options;
        let launch = self.launch(record.run.clone());
        let pidfd = pidfd::open(process.pid)?;
        if Member::find(process.pid) != Some(process) {
            return Err(io::ErrorKind::NotFound.into()); // it has ended meanwhile
        }
        let family =
            Family { main: process, leads: true, marks: launch.marks(), known: Vec::new() };
        let mut tree = Tree::new(family, pidfd, None, options.host.reaper());
        tree.leave_alone(true);
        let position = fs::metadata(options.host.log_file(&options.name)).map_or(0, |it| it.len());
        let running = Running {
            end: tree.watch()?,
            output: Output::new(options, None, None)?.from(position),
            tree,
            socket: None,
            launch,
            is_adopted: true,
        };
        info!("{} is still running with PID {}", options.name, process.pid);
        self.found(process, Vec::new());
        Ok(running)
    }

    /// Kills what an earlier life of the station has left running, with its whole tree.
    async fn bury(&self, record: &Record, process: Member) {
        let options = &self.plan.options;
        warn!("{} still ran with PID {}, and is killed", options.name, process.pid);
        let mut marks = self.launch(String::new()).marks();
        marks.run.clear();
        let family = Family { main: process, leads: record.pid > 1, marks, known: Vec::new() };
        let (done, buried) = oneshot::channel();
        options.host.reaper().bury(Grave { family, cgroup: None, done: Some(done) });
        let _ = buried.await; // without the reaper, nobody can do more
    }

    async fn spawn(&self, files: &Files) -> Result<Running, ProcessError> {
        let options = &self.plan.options;
        let program = &options.program;
        let failed = |error: &io::Error| ProcessError::Start {
            program: program.command.first().cloned().unwrap_or_default(),
            why: plain(error),
        };
        let speaks = program.ready == Readiness::Notify || program.watchdog.is_some();
        let socket = speaks.then(Socket::open).transpose().map_err(|error| failed(&error))?;
        let launch = Launch {
            notify: socket.as_ref().map(|socket| socket.address.clone()),
            ..self.launch(host::next_run())
        };
        let log = options.host.log_file(&options.name);
        let position = fs::metadata(&log).map_or(0, |it| it.len());
        let Launched { tree, output, limits } =
            options.host.spawner().spawn(launch.clone()).await?;
        let record = Record {
            pid: tree.pid(),
            start_time: tree.family().main.started,
            boot_id: options.host.boot_id().to_owned(),
            run: launch.run.clone(),
            name: options.name.clone(),
            program: fingerprint(program),
        };
        if let Err(error) = files.write(&record) {
            warn!("the PID of {} cannot be written: {}", options.name, plain(&error));
        }
        let output = Output::new(options, output, self.plan.pattern.clone());
        let running = Running {
            end: tree.watch().map_err(|error| failed(&error))?,
            output: output.map_err(|error| failed(&error))?.from(position),
            socket,
            launch,
            is_adopted: false,
            tree,
        };
        self.found(running.tree.family().main, limits);
        Ok(running)
    }

    fn launch(&self, run: String) -> Launch {
        let options: &Options = &self.plan.options;
        let sink = if options.program.detach {
            Sink::File(options.host.log_file(&options.name))
        } else {
            Sink::Pipe
        };
        let command = options.program.command.clone();
        Launch { options: options.clone(), command, run, sink, notify: None, is_main: true }
    }

    fn found(&self, process: Member, limits: Vec<String>) {
        let pid = u32::try_from(process.pid).ok();
        self.seen.facts.replace(Facts { pid, limits });
        self.vitals.stir();
    }

    async fn live(&self, running: Running) {
        let Running { mut tree, end, output, socket, launch, is_adopted } = running;
        let options = &self.plan.options;
        let mut recorded = Recorded {
            files: Files::of(&options.host.run, &options.name),
            run: launch.run.clone(),
            stays: tree.is_left_alone(),
        };
        let family = tree.family().clone();
        let watch = Watch {
            plan: &self.plan,
            output: &output,
            socket: socket.as_ref(),
            prober: Prober::new(launch.clone()),
            is_adopted,
        };
        let listen = async {
            match &socket {
                Some(socket) => socket.listen(&family).await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = self.see_through(&mut tree, &end, &watch) => {}
            never = output.pump() => match never {},
            never = listen => match never {},
        }
        self.vitals.leave(output.end());
        recorded.stays = false;
        tree.finish();
    }

    /// Until nothing is left of it but a number to be reaped.
    async fn see_through(&self, tree: &mut Tree, end: &tree::Watch, watch: &Watch<'_>) {
        let watched = async {
            watch.ready(&self.seen).await;
            self.seen.was_up.set(true);
            self.seen.health.replace(watch.first_health());
            self.vitals.ready();
            watch.trouble(&self.seen).await
        };
        let turn = tokio::select! {
            biased;
            () = end.ended() => Turn::Ended,
            () = self.asked() => Turn::Asked,
            trouble = watched => Turn::Trouble(trouble),
        };
        let begun = Instant::now();
        let was_killed = match &turn {
            Turn::Ended => false,
            Turn::Asked => self.stop(tree, end, begun).await,
            Turn::Trouble(trouble) => {
                self.vitals.fail(trouble);
                self.seen.is(Health::unhealthy(trouble.clone()));
                self.stop(tree, end, begun).await
            }
        };
        tree.clear(|| was_killed || Instant::now() >= self.kill_at(begun)).await;
        match turn {
            Turn::Trouble(_) => {}
            Turn::Asked if was_killed => {
                let waited = self.kill_at(begun).saturating_duration_since(begun).as_secs_f64();
                let waited = (waited * 10.0).round() / 10.0;
                self.vitals.end(&format!("was killed: it did not stop within {waited} s"));
            }
            Turn::Asked => self.vitals.end(&tree.end()),
            Turn::Ended => self.judge(tree.end(), watch.socket),
        }
    }

    fn judge(&self, end: End, socket: Option<&Socket>) {
        let was_up =
            self.seen.was_up.get() || self.plan.options.program.ready == Readiness::Spawned;
        let (mut how, is_well) = self.plan.verdict(end, was_up);
        if let Some(errno) = socket.and_then(|socket| socket.said.errno.get()) {
            how = format!("{how}: {}", plain(&io::Error::from_raw_os_error(errno)));
        }
        if is_well { self.vitals.end(&how) } else { self.vitals.fail(&how) }
    }

    /// Until it has been asked to stop.
    async fn asked(&self) {
        let mut orders = self.orders.clone();
        if orders.wait_for(Option::is_some).await.is_err() {
            pending::<()>().await; // the actor is gone, and this with it
        }
    }

    fn kill_at(&self, begun: Instant) -> Instant {
        kill_at(begun, self.plan.options.program.stop_timeout, *self.orders.borrow())
    }

    /// Asks the program to end, and kills it when it is late: true then.
    async fn stop(&self, tree: &mut Tree, end: &tree::Watch, begun: Instant) -> bool {
        let mut orders = self.orders.clone();
        tree.leave_alone(false);
        if self.kill_at(begun) > begun {
            tokio::select! {
                () = tree.remember() => {}
                () = end.ended() => {}
            }
            tree.signal(self.plan.stop_signal);
            tree.signal(Signal::SIGCONT);
            loop {
                orders.mark_unchanged();
                tokio::select! {
                    biased;
                    () = end.ended() => return false,
                    () = sleep_until(self.kill_at(begun).into()) => break,
                    Ok(()) = orders.changed() => {}
                }
            }
        }
        tree.kill();
        end.ended().await;
        true
    }
}

/// True if it was started as it would be now; of an old record that is taken for granted.
fn is_same(record: &Record, program: &Program) -> bool {
    record.program.is_empty() || record.program == fingerprint(program)
}

impl Drop for Recorded {
    fn drop(&mut self) {
        if !self.stays {
            self.files.remove(&self.run);
        }
    }
}
