//! Everything a program needs is looked up, and it is started. Runs on the spawner's thread: to
//! look up a user may take its time.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::{
        fd::OwnedFd,
        unix::{ffi::OsStrExt as _, fs::OpenOptionsExt as _},
    },
    path::{Path, PathBuf},
    sync::Arc,
};

use nix::{fcntl::OFlag, sys::stat::Mode, unistd::pipe2};

use super::{
    Options, ProcessError,
    census::{DAEMON, Family, Marks, Member, RUN, STATION},
    cgroup::Cgroup,
    end::end_child,
    environment::Environment,
    identity::Identity,
    limits::Enforced,
    lookup::{explain, find, text},
    tree::Tree,
    words::plain,
};
use crate::sys::{
    pidfd,
    spawn::{Start, spawn},
};

/// Where output goes.
#[derive(Clone, Debug)]
pub(super) enum Sink {
    /// To the station.
    Pipe,
    /// To the end of a file.
    File(PathBuf),
    /// Nowhere.
    Nowhere,
}

/// A program to start, for a daemon.
#[derive(Clone)]
pub(super) struct Launch {
    pub(super) options: Options,
    /// The daemon's program, or a check on it.
    pub(super) command: Vec<String>,
    /// What marks its processes.
    pub(super) run: String,
    /// What it reads; nothing if none.
    pub(super) input: Option<Arc<OwnedFd>>,
    pub(super) sink: Sink,
    /// `NOTIFY_SOCKET`.
    pub(super) notify: Option<String>,
    /// It is the daemon's program.
    pub(super) is_main: bool,
}

/// What was started.
pub(super) struct Launched {
    pub(super) tree: Tree,
    /// The end of its pipe.
    pub(super) output: Option<OwnedFd>,
    /// How its limits are enforced.
    pub(super) limits: Vec<String>,
}

impl Launch {
    /// Starts it.
    ///
    /// # Errors
    /// One clear sentence.
    pub(super) fn carry_out(&self) -> Result<Launched, ProcessError> {
        let name = self.command.first().ok_or(ProcessError::Empty)?;
        self.start().map_err(|why| ProcessError::Start { program: name.clone(), why })
    }

    fn start(&self) -> Result<Launched, String> {
        let Options { name, program, host } = &self.options;
        let identity = Identity::find(program.user.as_deref(), program.group.as_deref())?;
        let directory = program.directory.as_ref().unwrap_or(&host.workspace);
        if !fs::metadata(directory).is_ok_and(|found| found.is_dir()) {
            return Err(format!("there is no directory {}", directory.display()));
        }
        let environment = self.environment(identity.as_ref())?;
        let file = find(&self.command[0], directory, &environment)?;
        let is_detached = self.is_main && program.detach;
        let cgroup = host.cgroup(name);
        let enforced = Enforced::plan(&program.limits, cgroup.as_ref());
        let (output, written) = self.open_sink()?;
        let input = self.input.as_ref().map(|input| input.try_clone()).transpose();
        let door = cgroup.as_ref().map(Cgroup::door).transpose();
        let start = Start {
            program: text(file.as_os_str().as_bytes())?,
            arguments: self
                .command
                .iter()
                .map(|it| text(it.as_bytes()))
                .collect::<Result<_, _>>()?,
            environment: environment.lines()?,
            names_watched: self.is_main && program.watchdog.is_some(),
            directory: text(directory.as_os_str().as_bytes())?,
            input: input.map_err(|error| plain(&error))?,
            output: written,
            detached: is_detached,
            cgroup: door.map_err(|error| plain(&error))?.map(Into::into),
            umask: program.umask.map(Mode::from_bits_truncate),
            nice: program.nice,
            limits: enforced.resources,
            identity: identity.map(|it| (it.uid, it.gid, it.groups)),
            no_new_privileges: program.no_new_privileges,
        };
        let cgroup = cgroup.filter(|_| self.is_main); // a check shares it
        let pid = spawn(start).map_err(|failed| {
            if let Some(cgroup) = &cgroup {
                cgroup.remove();
            }
            let user = program.user.as_deref().or(program.group.as_deref());
            explain(failed, &file, directory, user)
        })?;
        let pid = pid.as_raw();
        let (Some(main), Ok(pidfd)) = (Member::find(pid), pidfd::open(pid)) else {
            end_child(pid);
            return Err("no descriptor is left to watch it".to_owned());
        };
        let marks = self.marks();
        let family = Family { main, leads: true, marks, known: Vec::new(), is_ours: true };
        let mut tree = Tree::new(family, pidfd, cgroup, host.reaper());
        tree.leave_alone(is_detached);
        Ok(Launched { tree, output, limits: enforced.words })
    }

    /// What its processes carry.
    pub(super) fn marks(&self) -> Marks {
        let Options { name, host, .. } = &self.options;
        Marks {
            station: host.workspace.as_os_str().as_bytes().to_vec(),
            daemon: name.as_bytes().to_vec(),
            run: self.run.as_bytes().to_vec(),
            job: Vec::new(),
        }
    }

    fn environment(&self, identity: Option<&Identity>) -> Result<Environment, String> {
        let Options { name, program, host } = &self.options;
        let mut environment = Environment::inherited(identity);
        if let Some(file) = &program.environment_file {
            environment.take_file(file)?;
        }
        for (name, value) in &program.environment {
            environment.set(name, value);
        }
        environment.set(STATION, &host.workspace);
        environment.set(DAEMON, name);
        environment.set(RUN, &self.run);
        if let Some(socket) = &self.notify {
            environment.set("NOTIFY_SOCKET", socket);
        }
        if self.is_main
            && let Some(watchdog) = program.watchdog
        {
            environment.set("WATCHDOG_USEC", watchdog.as_micros().to_string());
        }
        Ok(environment)
    }

    /// The end to read from, and the one to write to.
    fn open_sink(&self) -> Result<(Option<OwnedFd>, Option<OwnedFd>), String> {
        Ok(match &self.sink {
            Sink::Nowhere => (None, None),
            Sink::Pipe => {
                let pipe = pipe2(OFlag::O_CLOEXEC);
                let (output, written) = pipe.map_err(|error| plain(&error.into()))?;
                (Some(output), Some(written))
            }
            Sink::File(path) => {
                let log = append(path);
                let log = log.map_err(|error| format!("{}: {}", path.display(), plain(&error)))?;
                (None, Some(log.into()))
            }
        })
    }
}

/// Opens a log for a program that writes it itself.
fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o640).open(path)
}
