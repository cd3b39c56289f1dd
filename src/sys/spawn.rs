//! Starting a program as it is to be: everything between `fork` and `execve`.
//!
//! What runs there may neither allocate nor lock, for another thread may have held the lock at
//! the moment of the fork: everything is laid out beforehand, and only system calls follow.
#![expect(unsafe_code, reason = "pre_exec, execve and signal have no safe form")]

use std::{
    ffi::{CStr, CString, OsStr},
    io,
    os::{
        fd::OwnedFd,
        unix::{ffi::OsStrExt, process::CommandExt},
    },
    process::{Command, Stdio},
    ptr,
};

use nix::{
    errno::Errno,
    libc,
    sys::{
        prctl,
        resource::{Resource, setrlimit},
        signal::Signal,
        stat::{Mode, umask},
    },
    unistd::{
        Gid, Pid, Uid, chdir, getpid, getppid, setgid, setgroups, setpgid, setsid, setuid, write,
    },
};

/// What stands for the number in `WATCHDOG_PID=`, which is known only to the new process.
const ROOM_FOR_A_PID: &str = "0000000000";

/// A program and what it becomes before it runs.
pub(crate) struct Start {
    /// Its file.
    pub(crate) program: CString,
    /// Its arguments, its own name first.
    pub(crate) arguments: Vec<CString>,
    /// Its whole environment, `KEY=VALUE`.
    pub(crate) environment: Vec<CString>,
    /// It is told its own number as `WATCHDOG_PID`.
    pub(crate) names_watched: bool,
    /// Where it works.
    pub(crate) directory: CString,
    /// Where its output goes; nowhere if none.
    pub(crate) output: Option<OwnedFd>,
    /// It leads a session of its own and outlives this process; else only a group, and is killed
    /// when the thread ends that started it.
    pub(crate) detached: bool,
    /// `cgroup.procs` of the control group that it joins.
    pub(crate) cgroup: Option<OwnedFd>,
    /// The mask of its file modes.
    pub(crate) umask: Option<Mode>,
    /// Its priority.
    pub(crate) nice: Option<i32>,
    /// What it may use.
    pub(crate) limits: Vec<(Resource, u64)>,
    /// Whom it becomes.
    pub(crate) identity: Option<(Uid, Gid, Vec<Gid>)>,
    /// It can never gain privileges.
    pub(crate) no_new_privileges: bool,
}

/// What failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The fork, or what comes right after it.
    Fork,
    /// Joining the control group.
    Cgroup,
    /// Setting a limit or the priority.
    Limit,
    /// Becoming another user.
    Identity,
    /// Entering the directory.
    Directory,
    /// Running the program.
    Exec,
}

const STEPS: [Step; 6] =
    [Step::Fork, Step::Cgroup, Step::Limit, Step::Identity, Step::Directory, Step::Exec];

/// Numbers of errors are below this; what failed is told as a multiple of it.
const STEP: i32 = 4096;

/// Everything laid out for `execve`.
struct Layout {
    start: Start,
    arguments: Vec<*const libc::c_char>,
    environment: Vec<*const libc::c_char>,
    /// Holds `WATCHDOG_PID=`; on the heap, where it stays when this moves.
    watched: Box<[u8]>,
    parent: Pid,
}

// SAFETY: the pointers lead into heap blocks that the same value owns and nobody else writes to.
unsafe impl Send for Layout {}
// SAFETY: as above; it is only ever used by the one process that is forked with it.
unsafe impl Sync for Layout {}

/// Forks and runs the program; returns once it runs. The caller reaps it.
///
/// # Errors
/// What failed and why; nothing of it is left then.
pub(crate) fn spawn(start: Start) -> Result<Pid, (Step, Errno)> {
    let output = |start: &Start| match &start.output {
        Some(output) => output.try_clone().map(Stdio::from),
        None => Ok(Stdio::null()),
    };
    let mut command = Command::new(OsStr::from_bytes(start.program.to_bytes()));
    command
        .env_clear()
        .stdin(Stdio::null())
        .stdout(output(&start).map_err(|error| told(&error))?)
        .stderr(output(&start).map_err(|error| told(&error))?);
    let mut layout = Layout::new(start);
    // SAFETY: the closure only makes system calls on memory that was laid out beforehand.
    unsafe {
        command.pre_exec(move || {
            let (step, errno) = layout.run();
            Err(io::Error::from_raw_os_error(step as i32 * STEP + errno as i32))
        });
    }
    let child = command.spawn().map_err(|error| told(&error))?;
    i32::try_from(child.id()).map(Pid::from_raw).map_err(|_| (Step::Fork, Errno::EOVERFLOW))
}

fn told(error: &io::Error) -> (Step, Errno) {
    let code = error.raw_os_error().unwrap_or(libc::EINVAL);
    let step = usize::try_from(code / STEP).ok().and_then(|step| STEPS.get(step));
    (step.copied().unwrap_or(Step::Fork), Errno::from_raw(code % STEP))
}

impl Layout {
    fn new(start: Start) -> Self {
        let pointers = |texts: &[CString]| texts.iter().map(|text| text.as_ptr()).collect();
        let mut arguments: Vec<_> = pointers(&start.arguments);
        arguments.push(ptr::null());
        let mut environment: Vec<_> = pointers(&start.environment);
        let mut watched =
            format!("WATCHDOG_PID={ROOM_FOR_A_PID}\0").into_bytes().into_boxed_slice();
        if start.names_watched {
            environment.push(watched.as_mut_ptr().cast());
        }
        environment.push(ptr::null());
        Self { start, arguments, environment, watched, parent: getpid() }
    }

    /// In the new process. Returns only if something fails.
    fn run(&mut self) -> (Step, Errno) {
        if let Err(failed) = self.prepare() {
            return failed;
        }
        write_pid(&mut self.watched);
        let program: &CStr = &self.start.program;
        // SAFETY: both lists end with a null and lead to texts that end with a NUL.
        unsafe {
            libc::execve(program.as_ptr(), self.arguments.as_ptr(), self.environment.as_ptr());
        }
        (Step::Exec, Errno::last())
    }

    fn prepare(&self) -> Result<(), (Step, Errno)> {
        let start = &self.start;
        let at = |step| move |errno| (step, errno);
        for signal in 1..=64 {
            // SAFETY: the default action runs no code of ours; what cannot be set is refused.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
        }
        if start.detached {
            setsid().map(drop).map_err(at(Step::Fork))?;
        } else {
            setpgid(Pid::from_raw(0), Pid::from_raw(0)).map_err(at(Step::Fork))?;
        }
        if let Some(cgroup) = &start.cgroup {
            write(cgroup, b"0").map(drop).map_err(at(Step::Cgroup))?;
        }
        if let Some(mask) = start.umask {
            umask(mask);
        }
        if let Some(nice) = start.nice {
            // SAFETY: takes no memory; 0 is this process.
            let result = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, nice) };
            Errno::result(result).map_err(at(Step::Limit))?;
        }
        for (resource, limit) in &start.limits {
            setrlimit(*resource, *limit, *limit).map_err(at(Step::Limit))?;
        }
        if let Some((uid, gid, groups)) = &start.identity {
            setgroups(groups).map_err(at(Step::Identity))?;
            setgid(*gid).map_err(at(Step::Identity))?;
            setuid(*uid).map_err(at(Step::Identity))?;
        }
        chdir(start.directory.as_c_str()).map_err(at(Step::Directory))?;
        if start.no_new_privileges {
            prctl::set_no_new_privs().map_err(at(Step::Identity))?;
        }
        if !start.detached {
            prctl::set_pdeathsig(Signal::SIGKILL).map_err(at(Step::Fork))?;
            if getppid() != self.parent {
                return Err((Step::Fork, Errno::ECHILD)); // it died before the kernel was asked
            }
        }
        close_on_exec();
        Ok(())
    }
}

/// Writes the number of this process over the digits at the end of `watched`.
fn write_pid(watched: &mut [u8]) {
    let mut digits = [0; ROOM_FOR_A_PID.len()];
    let (mut rest, mut count) = (getpid().as_raw().unsigned_abs(), 0);
    while rest > 0 || count == 0 {
        digits[count] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        (rest, count) = (rest / 10, count + 1);
    }
    let place = watched.len() - 1 - ROOM_FOR_A_PID.len();
    for (at, digit) in digits[..count].iter().rev().enumerate() {
        watched[place + at] = *digit;
    }
    watched[place + count] = 0;
}

/// No descriptor above stderr gets into the program; the one by which a failure is told stays
/// open until then.
fn close_on_exec() {
    // SAFETY: takes no memory, and this process owns all its descriptors.
    let result = unsafe {
        libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC)
    };
    if result != 0 {
        for fd in 3..4096 {
            // SAFETY: as above; a number that is not open is refused.
            unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_told_its_number() {
        let mut text = format!("WATCHDOG_PID={ROOM_FOR_A_PID}\0").into_bytes();
        write_pid(&mut text);
        let told = CStr::from_bytes_until_nul(&text).unwrap().to_str().unwrap();
        assert_eq!(told, format!("WATCHDOG_PID={}", std::process::id()));
    }

    #[test]
    fn what_failed_is_told_with_its_reason() {
        let error = io::Error::from_raw_os_error(Step::Identity as i32 * STEP + libc::EPERM);
        assert_eq!(told(&error), (Step::Identity, Errno::EPERM));
        let error = io::Error::from_raw_os_error(libc::EAGAIN);
        assert_eq!(told(&error), (Step::Fork, Errno::EAGAIN));
    }
}
