//! The thread itself: what it waits for, and what it does then.

use std::{
    collections::{HashMap, VecDeque},
    io,
    os::fd::AsFd as _,
    sync::{
        Arc,
        mpsc::{Receiver, TryRecvError},
    },
    time::{Duration, Instant},
};

use log::{error, warn};
use nix::sys::{
    epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout},
    eventfd::EventFd,
};
use tokio::sync::mpsc::UnboundedSender;

use super::{
    Ended, Host, How, News, Task, Why,
    forks::Forks,
    order::Order,
    output::Output,
    run::{CHUNK, Run},
    tell::tell,
};
use crate::{
    daemons::programs::{
        census::{Census, Member, Scope},
        end::end_child,
    },
    domain::{JobId, Progress},
};

/// Something that happens to the thread itself.
const BELL: u64 = 0;
/// A claimed job waits no longer than that for room.
const PATIENCE: Duration = Duration::from_millis(100);
/// Events taken at a time.
const EVENTS: usize = 64;

/// A job that waits for room.
struct Ready {
    task: Box<Task>,
    since: Instant,
    is_paused: bool,
}

/// See above.
pub(super) struct Thread {
    host: Host,
    slots: usize,
    orders: Receiver<Order>,
    bell: Arc<EventFd>,
    news: UnboundedSender<News>,
    epoll: Epoll,
    forks: Forks,
    ready: VecDeque<Ready>,
    /// By a number that stands, doubled, for the descriptor of the process, and one more for that
    /// of its output.
    runs: HashMap<u64, Run>,
    next: u64,
    buffer: Vec<u8>,
}

impl Thread {
    pub(super) fn new(
        host: Host,
        slots: usize,
        orders: Receiver<Order>,
        bell: Arc<EventFd>,
        news: UnboundedSender<News>,
    ) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        epoll.add(&*bell, EpollEvent::new(EpollFlags::EPOLLIN, BELL))?;
        Ok(Self {
            host,
            slots,
            orders,
            bell,
            news,
            epoll,
            forks: Forks::new()?,
            ready: VecDeque::new(),
            runs: HashMap::new(),
            next: 1,
            buffer: vec![0; CHUNK],
        })
    }

    /// Until it is told to end.
    pub(super) fn run(mut self) {
        let mut events = [EpollEvent::empty(); EVENTS];
        loop {
            let wait = self.patience();
            let count = match self.epoll.wait(&mut events, wait) {
                Ok(count) => count,
                Err(nix::Error::EINTR) => 0,
                Err(error) => {
                    error!("command jobs cannot be watched any more: {}", error.desc());
                    break;
                }
            };
            let now = Instant::now();
            for event in &events[..count] {
                match event.data() {
                    BELL => {
                        let _ = self.bell.read();
                    }
                    data if data % 2 == 0 => self.ended(data / 2, now),
                    data => self.read(data / 2, now),
                }
            }
            if !self.obey(now) {
                break;
            }
            self.look_after(now);
            self.fill();
        }
        for run in self.runs.values_mut() {
            run.kill(Instant::now());
        }
        // Nobody else would bury them.
        for run in self.runs.values() {
            end_child(run.pid);
        }
    }

    /// How long there is nothing to do.
    fn patience(&mut self) -> EpollTimeout {
        let runs = self.runs.values_mut().filter_map(Run::wakes_at);
        let waits = self.ready.iter().filter(|it| !it.is_paused).map(|it| it.since + PATIENCE);
        let Some(at) = runs.chain(waits).min() else { return EpollTimeout::NONE };
        let left = at.saturating_duration_since(Instant::now());
        // What is a part of a millisecond is waited for as a whole one, not asked for all the time.
        let whole = if left.is_zero() { left } else { left + Duration::from_millis(1) };
        EpollTimeout::try_from(whole).unwrap_or(EpollTimeout::MAX)
    }

    /// Does what the queue has asked for; false if it is to end.
    fn obey(&mut self, now: Instant) -> bool {
        loop {
            match self.orders.try_recv() {
                Ok(Order::Run(task)) => {
                    self.ready.push_back(Ready { task, since: now, is_paused: false });
                }
                Ok(Order::Pause(id)) => self.hold(id, true, now),
                Ok(Order::Resume(id)) => self.hold(id, false, now),
                Ok(Order::End(id, why)) => self.end(id, why, now),
                Ok(Order::GiveBack) => {
                    for Ready { task, .. } in self.ready.drain(..) {
                        let _ = self.news.send(News::NotStarted(task.id));
                    }
                }
                Ok(Order::Kill) => self.runs.values_mut().for_each(|run| run.kill(now)),
                Ok(Order::Quit) | Err(TryRecvError::Disconnected) => return false,
                Err(TryRecvError::Empty) => return true,
            }
        }
    }

    fn hold(&mut self, id: JobId, is_paused: bool, now: Instant) {
        if let Some(ready) = self.ready.iter_mut().find(|ready| ready.task.id == id) {
            (ready.is_paused, ready.since) = (is_paused, now);
        } else if let Some(run) = self.runs.values_mut().find(|run| run.task.id == id) {
            if is_paused { run.pause(now) } else { run.resume(now) }
        }
    }

    fn end(&mut self, id: JobId, why: Why, now: Instant) {
        if let Some(at) = self.ready.iter().position(|ready| ready.task.id == id) {
            if let Some(Ready { task, .. }) = self.ready.remove(at) {
                self.not_run(&task, How::NotBegun, Some(why));
            }
        } else if let Some((&number, run)) = self.runs.iter().find(|(_, run)| run.task.id == id)
            && run.is_left_alone()
        {
            self.ask(number, why, now);
        }
    }

    /// Asks a program to end, after a look at who belongs to it: some may not be known by their
    /// looks once it has ended.
    fn ask(&mut self, number: u64, why: Why, now: Instant) {
        let Some(run) = self.runs.get(&number) else { return };
        let is_alone = self.forks.none_since(run.mark);
        let census = if is_alone { None } else { self.census(&[number]) };
        if let Some(run) = self.runs.get_mut(&number) {
            run.ask(why, run.members(census.as_ref()), now);
        }
    }

    /// Starts what there is room for.
    fn fill(&mut self) {
        while self.runs.len() < self.slots
            && let Some(at) = self.ready.iter().position(|ready| !ready.is_paused)
            && let Some(Ready { task, .. }) = self.ready.remove(at)
        {
            self.start(task);
        }
    }

    fn start(&mut self, task: Box<Task>) {
        let mut output = Output::new(&self.host, &task);
        let mark = self.forks.mark();
        let started = match self.host.start(&task) {
            Ok(started) => started,
            Err(why) => return self.not_run(&task, How::Failed(why), None),
        };
        self.forks.count();
        if !started.limits.is_empty() {
            output.note(&format!("limits: {}", started.limits.join(", ")));
        }
        let number = self.next;
        self.next += 1;
        let interest = |data| EpollEvent::new(EpollFlags::EPOLLIN, data);
        let watched = self.epoll.add(started.pidfd.as_fd(), interest(number * 2));
        let watched =
            watched.and_then(|()| self.epoll.add(started.output.as_fd(), interest(number * 2 + 1)));
        if let Err(error) = watched {
            end_child(started.pid);
            let why = format!("it cannot be watched: {}", error.desc());
            return self.not_run(&task, How::Failed(why), None);
        }
        self.runs.insert(number, Run::new(task, started, output, mark));
    }

    fn not_run(&self, task: &Task, how: How, why: Option<Why>) {
        let (id, ran, progress) = (task.id, Duration::ZERO, None);
        let _ = self.news.send(News::Ended(Box::new(Ended { id, how, why, ran, progress })));
    }

    fn read(&mut self, number: u64, now: Instant) {
        let Some(run) = self.runs.get_mut(&number) else { return };
        let goes_on = run.read(&mut self.buffer, now);
        if !goes_on {
            let _ = self.epoll.delete(&run.pipe);
            run.breath = None;
        } else if run.breath.is_some() {
            let mut nothing = EpollEvent::new(EpollFlags::empty(), number * 2 + 1);
            let _ = self.epoll.modify(&run.pipe, &mut nothing);
        }
    }

    fn ended(&mut self, number: u64, now: Instant) {
        let Some(run) = self.runs.get_mut(&number) else { return };
        let _ = self.epoll.delete(&run.pidfd);
        run.ended(now);
        if !run.has_cgroup() && self.forks.none_since(run.mark) {
            self.finish(number);
        }
    }

    /// Does what it is time for.
    fn look_after(&mut self, now: Instant) {
        let due = |what: fn(&Run, Instant) -> bool| {
            self.runs.iter().filter(|(_, run)| what(run, now)).map(|it| *it.0).collect::<Vec<_>>()
        };
        let (overdue, killed) = (due(Run::is_overdue), due(Run::is_due_to_be_killed));
        let cleared = due(Run::is_to_be_cleared);
        for number in overdue {
            self.ask(number, Why::TimedOut, now);
        }
        for number in killed {
            if let Some(run) = self.runs.get_mut(&number) {
                run.kill(now);
            }
        }
        if !cleared.is_empty() {
            let census = self.census(&cleared);
            for number in cleared {
                let Some(run) = self.runs.get_mut(&number) else { continue };
                if run.clear(run.members(census.as_ref()), now) {
                    self.finish(number);
                }
            }
        }
        for (number, run) in &mut self.runs {
            if run.breath.is_some_and(|until| until <= now) {
                run.breath = None;
                let mut again = EpollEvent::new(EpollFlags::EPOLLIN, number * 2 + 1);
                let _ = self.epoll.modify(&run.pipe, &mut again);
            }
            if let Some(progress) = run.output.word().tell(now) {
                tell(&self.host, run.task.id, progress, now - run.begun);
            }
        }
        if self.runs.len() >= self.slots {
            self.ready.retain(|ready| {
                let stays = ready.is_paused || ready.since + PATIENCE > now;
                if !stays {
                    let _ = self.news.send(News::NotStarted(ready.task.id));
                }
                stays
            });
        }
    }

    /// Who runs now, if that has to be known for these.
    fn census(&self, numbers: &[u64]) -> Option<Census> {
        let runs = numbers.iter().filter_map(|number| self.runs.get(number));
        let mains: Vec<_> = runs.filter(|run| !run.has_cgroup()).map(|run| run.pid).collect();
        let since = mains.iter().filter_map(|pid| Member::find(*pid)).map(|it| it.started).min()?;
        let others = self.runs.values().map(|run| run.pid).filter(|pid| !mains.contains(pid));
        let scope = Scope { since, is_wide: false, left_out: others.collect() };
        match Census::take(&scope) {
            Ok(census) => Some(census),
            Err(error) => {
                warn!("failed to look for what jobs have left behind: {error}");
                None
            }
        }
    }

    fn finish(&mut self, number: u64) {
        let Some(run) = self.runs.remove(&number) else { return };
        let _ = self.epoll.delete(&run.pipe); // which it may have been already
        let ended = run.finish(&mut self.buffer);
        if ended.is_well() {
            let progress = Progress {
                progress_percentage: 100.0,
                message: ended.progress.as_ref().and_then(|last| last.message.clone()),
                ..Progress::default()
            };
            tell(&self.host, ended.id, progress, ended.ran);
        }
        let _ = self.news.send(News::Ended(Box::new(ended)));
    }
}
