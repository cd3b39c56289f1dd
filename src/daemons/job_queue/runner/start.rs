//! Everything a program needs is looked up, and it is started.

use std::{
    fs::{self, DirBuilder},
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::{ffi::OsStrExt as _, fs::DirBuilderExt as _},
    },
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use nix::{
    fcntl::{FcntlArg, OFlag, fcntl},
    sys::stat::Mode,
    unistd::pipe2,
};

use super::Task;
use crate::{
    daemons::{
        Board,
        programs::{
            census::JOB,
            cgroup::{Base, Cgroup},
            end::end_child,
            environment::Environment,
            limits::Enforced,
            lookup::{explain, find, text},
            words::plain,
        },
    },
    feed::Feed,
    sys::{
        pidfd,
        spawn::{Start, spawn},
    },
};

/// The mask of file modes that programs begin with.
const UMASK: Mode = Mode::S_IWGRP.union(Mode::S_IRWXO);

/// The station as its jobs see it.
pub(in super::super) struct Host {
    /// Where jobs have their directories; what is above it is the workspace.
    pub(in super::super) jobs: PathBuf,
    /// Bytes kept of what a job writes.
    pub(in super::super) max_output: u64,
    /// Where what is written is published.
    pub(in super::super) feed: Arc<Feed>,
    /// Where it is shown how far a job is.
    pub(in super::super) board: Arc<Board>,
    /// Where control groups can be made; looked for when the first job has limits.
    pub(in super::super) cgroups: OnceLock<Option<Base>>,
}

/// What was started.
pub(super) struct Started {
    pub(super) pid: i32,
    pub(super) pidfd: OwnedFd,
    /// The end of its pipe, which does not wait.
    pub(super) output: OwnedFd,
    pub(super) cgroup: Option<Cgroup>,
    /// How its limits are enforced.
    pub(super) limits: Vec<String>,
}

impl Host {
    /// Where a job keeps its output.
    pub(super) fn directory(&self, task: &Task) -> PathBuf {
        self.jobs.join(task.id.to_string())
    }

    /// Starts the program of a job.
    ///
    /// # Errors
    /// One clear sentence.
    pub(super) fn start(&self, task: &Task) -> Result<Started, String> {
        let name = task.command.first().map_or("", String::as_str);
        self.try_to_start(task).map_err(|why| format!("failed to start \"{name}\": {why}"))
    }

    fn try_to_start(&self, task: &Task) -> Result<Started, String> {
        let own = self.directory(task);
        make(&own)?;
        let directory = task.surroundings.cwd.as_ref().unwrap_or(&own);
        if task.surroundings.cwd.is_some()
            && !fs::metadata(directory).is_ok_and(|found| found.is_dir())
        {
            return Err(format!("there is no directory {}", directory.display()));
        }
        let program = task.command.first().ok_or("there is no program to run")?;
        let environment = self.environment(task, &own);
        let file = find(program, directory, &environment)?;
        let cgroup = self.cgroup(task);
        let enforced = Enforced::plan(&task.surroundings.limits, cgroup.as_ref());
        let no_pipe = |error: nix::Error| plain(&error.into());
        let (output, written) = pipe2(OFlag::O_CLOEXEC).map_err(no_pipe)?;
        fcntl(output.as_fd(), FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).map_err(no_pipe)?;
        let door = cgroup.as_ref().map(Cgroup::door).transpose().map_err(|it| plain(&it))?;
        let arguments = task.command.iter().map(|it| text(it.as_bytes()));
        let start = Start {
            program: text(file.as_os_str().as_bytes())?,
            arguments: arguments.collect::<Result<_, _>>()?,
            environment: environment.lines()?,
            names_watched: false,
            directory: text(directory.as_os_str().as_bytes())?,
            input: None,
            output: Some(written),
            detached: false,
            cgroup: door.map(Into::into),
            umask: Some(UMASK),
            nice: None,
            limits: enforced.resources,
            identity: None,
            no_new_privileges: false,
        };
        let pid = spawn(start).map_err(|failed| {
            if let Some(cgroup) = &cgroup {
                cgroup.remove();
            }
            explain(failed, &file, directory, None)
        })?;
        let pid = pid.as_raw();
        let Ok(pidfd) = pidfd::open(pid) else {
            end_child(pid);
            return Err("no descriptor is left to watch it".to_owned());
        };
        Ok(Started { pid, pidfd, output, cgroup, limits: enforced.words })
    }

    fn environment(&self, task: &Task, own: &Path) -> Environment {
        let mut environment = Environment::inherited(None);
        for (name, value) in &task.surroundings.env {
            environment.set(name, value);
        }
        let workspace = self.jobs.parent().unwrap_or(&self.jobs);
        environment.set(JOB, task.id.to_string());
        environment.set("STATIOND_JOB_NAME", &task.name);
        environment.set("STATIOND_JOB_ATTEMPT", task.attempt.to_string());
        environment.set("STATIOND_JOB_DIR", own);
        environment.set("STATIOND_WORKSPACE", workspace);
        environment
    }

    /// A group of its own, if that is of use: to make one costs as much as to start a program.
    fn cgroup(&self, task: &Task) -> Option<Cgroup> {
        let limits = &task.surroundings.limits;
        if limits.memory.is_none() && limits.cpu.is_none() && limits.processes.is_none() {
            return None;
        }
        let base = self.cgroups.get_or_init(|| Base::find("jobs")).as_ref()?;
        base.group(&task.id.to_string()).ok()
    }
}

fn make(directory: &Path) -> Result<(), String> {
    match DirBuilder::new().mode(0o750).create(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let made = DirBuilder::new().mode(0o750).recursive(true).create(directory);
            made.map_err(|error| format!("{}: {}", directory.display(), plain(&error)))
        }
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(format!("{}: {}", directory.display(), plain(&error)))
        }
        _ => Ok(()),
    }
}
