//! How a program comes to run: found running, or started.

use std::{fs, io};

use log::{info, warn};
use tokio::sync::oneshot;

use super::{
    Options, ProcessError,
    census::{Family, Marks, Member},
    host,
    launch::{Launch, Launched, Sink},
    life::Life,
    limits::Enforced,
    notify::Socket,
    output::Output,
    reaper::Grave,
    record::{Files, Record, fingerprint},
    tree::{self, Tree},
    words::plain,
};
use crate::{
    domain::{Program, Readiness},
    supervision::Facts,
    sys::pidfd,
};

/// A program that runs.
pub(super) struct Running {
    pub(super) tree: Tree,
    pub(super) end: tree::Watch,
    pub(super) output: Output,
    pub(super) socket: Option<Socket>,
    pub(super) launch: Launch,
    pub(super) is_adopted: bool,
}

impl Life {
    /// Finds the program running, or starts it.
    pub(super) async fn start(&self) -> Result<Running, ProcessError> {
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
            self.bury(process).await;
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
        let family = left_by_earlier(process, launch.marks());
        let cgroup = options.host.cgroup(&options.name);
        let limits = Enforced::plan(&options.program.limits, cgroup.as_ref()).words;
        let mut tree = Tree::new(family, pidfd, cgroup, options.host.reaper());
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
        let files = Files::of(&options.host.run, &options.name);
        self.seen.record.replace(Some((files, record.clone())));
        self.found(process, limits);
        Ok(running)
    }

    /// Kills what an earlier life of the station has left running, with its whole tree.
    async fn bury(&self, process: Member) {
        let options = &self.plan.options;
        warn!("{} still ran with PID {}, and is killed", options.name, process.pid);
        let mut marks = self.launch(String::new()).marks();
        marks.run.clear();
        let family = left_by_earlier(process, marks);
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
        self.seen.record.replace(Some((files.clone(), record)));
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
        Launch {
            options: options.clone(),
            command,
            run,
            input: None,
            sink,
            notify: None,
            is_main: true,
        }
    }

    fn found(&self, process: Member, limits: Vec<String>) {
        let pid = u32::try_from(process.pid).ok();
        self.seen.facts.replace(Facts { pid, limits });
        self.vitals.stir();
    }
}

/// True if it was started as it would be now; of an old record that is taken for granted.
fn is_same(record: &Record, program: &Program) -> bool {
    record.program.is_empty() || record.program == fingerprint(program)
}

fn left_by_earlier(main: Member, marks: Marks) -> Family {
    Family { main, leads: true, marks, known: Vec::new(), is_ours: false }
}
