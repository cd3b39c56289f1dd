//! Starting a program as it is to be: everything between the fork and `execve`.
//!
//! The new process borrows the memory of this one until it runs its own program (`CLONE_VM` and
//! `CLONE_VFORK`, as `posix_spawn` does), so that starting one costs the same however large the
//! station is. What runs there may neither allocate nor lock nor panic: everything is laid out
//! beforehand, and only system calls follow. The thread that started it stands still meanwhile.
#![expect(unsafe_code, reason = "clone, execve, sigaction and the calls on ids have no safe form")]

use std::{
    ffi::{CStr, CString},
    fs::File,
    mem,
    os::fd::{AsRawFd, OwnedFd},
    ptr,
};

use nix::{
    errno::Errno,
    libc::{self, c_int, c_long, c_void},
    sys::{
        prctl,
        resource::{Resource, setrlimit},
        signal::{SigSet, SigmaskHow, Signal, sigprocmask},
        stat::{Mode, umask},
        wait::waitpid,
    },
    unistd::{Gid, Pid, Uid, chdir, getpid, getppid, setpgid, setsid, write},
};

#[cfg(not(any(target_arch = "arm", target_arch = "x86")))]
const SET_IDS: [c_long; 3] = [libc::SYS_setgroups, libc::SYS_setresgid, libc::SYS_setresuid];
#[cfg(any(target_arch = "arm", target_arch = "x86"))]
const SET_IDS: [c_long; 3] = [libc::SYS_setgroups32, libc::SYS_setresgid32, libc::SYS_setresuid32];

/// Room for what runs before the program does.
const STACK_BYTES: usize = 128 * 1024;

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
    /// What it reads; nothing if none.
    pub(crate) input: Option<OwnedFd>,
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

/// Everything laid out for the new process.
struct Layout {
    start: Start,
    arguments: Vec<*const libc::c_char>,
    environment: Vec<*const libc::c_char>,
    /// Holds `WATCHDOG_PID=`.
    watched: Box<[u8]>,
    /// What it reads from.
    nothing: OwnedFd,
    parent: Pid,
    /// Told by the new process if it does not get as far as its program.
    failed: Option<(Step, Errno)>,
}

/// Runs the program in a new process; returns once it runs. The caller reaps it.
///
/// # Errors
/// What failed and why; nothing of it is left then.
pub(crate) fn spawn(start: Start) -> Result<Pid, (Step, Errno)> {
    let becomes_another = start.identity.is_some();
    let nothing = File::options().read(true).write(true).open("/dev/null");
    let nothing = nothing.map_err(|error| {
        (Step::Fork, Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO)))
    })?;
    let mut layout = Layout::new(start, nothing.into());
    let at_fork = |errno| (Step::Fork, errno);
    let dumpable = prctl::get_dumpable().map_err(at_fork)?;
    // A handler of ours must not run in the other process, on our memory.
    let mut mask = SigSet::empty();
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::all()), Some(&mut mask)).map_err(at_fork)?;
    let pid = fork(&mut layout);
    // It has been the mask before, so it can be again.
    let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&mask), None);
    if becomes_another {
        // To change the ids of a process marks its memory, which was still ours.
        let _ = prctl::set_dumpable(dumpable);
    }
    let pid = pid.map_err(at_fork)?;
    match layout.failed {
        None => Ok(pid),
        Some(failed) => {
            let _ = waitpid(pid, None); // it is ending
            Err(failed)
        }
    }
}

fn fork(layout: &mut Layout) -> Result<Pid, Errno> {
    let mut stack = vec![0_u128; STACK_BYTES / mem::size_of::<u128>()];
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: stacks grow down from the end of the block, which is aligned as the ABI demands;
    // block and layout outlive the call, which returns when the other process needs neither.
    let pid = unsafe {
        let top = stack.as_mut_ptr_range().end;
        libc::clone(enter, top.cast(), flags, ptr::from_mut(layout).cast())
    };
    Errno::result(pid).map(Pid::from_raw)
}

/// Where the new process begins. What it returns is its exit code.
extern "C" fn enter(layout: *mut c_void) -> c_int {
    // SAFETY: this is the layout that `fork` was given, whose thread stands still.
    let layout = unsafe { &mut *layout.cast::<Layout>() };
    layout.failed = Some(layout.run());
    127
}

impl Layout {
    fn new(start: Start, nothing: OwnedFd) -> Self {
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
        let (parent, failed) = (getpid(), None);
        Self { start, arguments, environment, watched, nothing, parent, failed }
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
        let given = |fd: &Option<OwnedFd>| fd.as_ref().unwrap_or(&self.nothing).as_raw_fd();
        let (input, output) = (given(&start.input), given(&start.output));
        for (from, to) in [(input, 0), (output, 1), (output, 2)] {
            // SAFETY: takes no memory; what stood there is the station's, not this process's.
            Errno::result(unsafe { libc::dup2(from, to) }).map_err(at(Step::Fork))?;
        }
        forget_handlers();
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)
            .map_err(at(Step::Fork))?;
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
            become_user(*uid, *gid, groups).map_err(at(Step::Identity))?;
        }
        chdir(start.directory.as_c_str()).map_err(at(Step::Directory))?;
        if start.no_new_privileges {
            prctl::set_no_new_privs().map_err(at(Step::Identity))?;
        }
        if !start.detached {
            // After the change of user, which takes it back.
            prctl::set_pdeathsig(Signal::SIGKILL).map_err(at(Step::Fork))?;
            if getppid() != self.parent {
                return Err((Step::Fork, Errno::ECHILD)); // it died before the kernel was asked
            }
        }
        close_on_exec();
        Ok(())
    }
}

/// Every signal does again what it does by default.
fn forget_handlers() {
    for signal in 1..=64 {
        // SAFETY: all zeroes are the default action with no flags; what cannot be set is refused.
        unsafe {
            let default: libc::sigaction = mem::zeroed();
            libc::sigaction(signal, &raw const default, ptr::null_mut());
        }
    }
}

/// By the system calls themselves: the library's functions would change every thread of the
/// station as well, whose memory this still is.
fn become_user(uid: Uid, gid: Gid, groups: &[Gid]) -> Result<(), Errno> {
    let [set_groups, set_gid, set_uid] = SET_IDS;
    let (uid, gid) = (uid.as_raw(), gid.as_raw());
    // SAFETY: a `Gid` is a `gid_t` and nothing else, and there are as many as is said.
    unsafe {
        Errno::result(libc::syscall(set_groups, groups.len(), groups.as_ptr()))?;
        Errno::result(libc::syscall(set_gid, gid, gid, gid))?;
        Errno::result(libc::syscall(set_uid, uid, uid, uid))?;
    }
    Ok(())
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
        let start = |program: &CStr, directory: &CStr| Start {
            program: program.to_owned(),
            arguments: vec![program.to_owned()],
            environment: Vec::new(),
            names_watched: false,
            directory: directory.to_owned(),
            input: None,
            output: None,
            detached: false,
            cgroup: None,
            umask: None,
            nice: None,
            limits: Vec::new(),
            identity: None,
            no_new_privileges: false,
        };
        let failed = spawn(start(c"/no/such", c"/")).unwrap_err();
        assert_eq!(failed, (Step::Exec, Errno::ENOENT));
        let failed = spawn(start(c"/bin/true", c"/no/such")).unwrap_err();
        assert_eq!(failed, (Step::Directory, Errno::ENOENT));
        let pid = spawn(start(c"/bin/true", c"/")).unwrap();
        let ended = waitpid(pid, None).unwrap();
        assert_eq!(ended, nix::sys::wait::WaitStatus::Exited(pid, 0));
    }
}
