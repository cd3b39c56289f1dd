//! A file on its way through the window, and the clock that watches it.

use std::time::Duration;

use super::{
    End, Event, Feed, Grbl, Origin, Phase, Start, State, Why,
    window::{Window, goes_alone},
};
use crate::{
    drivers::{Halt, feed::Next},
    toolpath::{Dialect, gcode::Words},
};

/// Characters that GRBL's line buffer holds; it throws blanks away before they get there.
const LONGEST: usize = 79;

/// Homing moves the machine for a long time without a word.
const HOMING: Duration = Duration::from_mins(5);

/// A job on the machine.
pub(super) struct Job {
    pub(super) feed: Feed,
    pub(super) pause: Pause,
    /// When the machine last acknowledged anything, was seen to work, or was given something after
    /// a rest.
    moved: Duration,
}

/// Whether the job is held still.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Pause {
    No,
    /// `!` has been sent. The next report may have been on its way already (`stale`); going on may
    /// have been asked for meanwhile.
    Asked {
        stale: bool,
        resume: bool,
    },
    Held,
    /// Everything before a stop of the file is done; a person is waited for.
    AtStop,
    /// `~` has been sent, last at this time.
    Resuming {
        since: Duration,
    },
}

impl Pause {
    /// True while nothing moves until a person says so.
    pub(super) fn is_held(self) -> bool {
        matches!(self, Self::Held | Self::AtStop)
    }
}

impl Job {
    fn new(start: Start, now: Duration) -> Self {
        Self { feed: Feed::new(start, Dialect::Gcode), pause: Pause::No, moved: now }
    }

    /// True while the end, a standstill or a start is awaited.
    pub(super) fn is_waiting(&self, window: &Window) -> bool {
        match self.pause {
            Pause::Asked { .. } | Pause::Resuming { .. } => true,
            Pause::Held | Pause::AtStop => false,
            Pause::No => window.is_empty() && (self.feed.is_over() || self.feed.is_at_stop()),
        }
    }
}

/// Refuses what GRBL would cut off (`error:11`) or what would never fit into its buffer.
pub(super) fn check_length(line: &[u8], window: usize) -> Result<(), String> {
    let characters = line.iter().filter(|byte| **byte > b' ').count();
    if characters > LONGEST || line.len() >= window {
        return Err(format!(
            "the line has {characters} characters, the machine takes at most {LONGEST}"
        ));
    }
    Ok(())
}

impl Grbl {
    pub(super) fn start(&mut self, start: Start) {
        let refusal = match &self.phase {
            _ if self.latched => Some("the emergency stop has not been cleared"),
            Phase::Ready => match self.machine.state {
                Some(State::Alarm) => Some("the machine is in alarm"),
                Some(State::Sleep) => Some("the machine sleeps"),
                // After a person's line it may be on its way still: the file waits its turn.
                None | Some(State::Idle | State::Run) => None,
                Some(_) => Some("the machine is busy"),
            },
            Phase::Running(_) => Some("another job is on the machine"),
            Phase::Closed
            | Phase::Greeting { .. }
            | Phase::Meeting { .. }
            | Phase::Identifying { .. } => Some("the machine is not connected"),
            _ => Some("the machine is busy"),
        };
        // A job that is running keeps its own facts: they are not this one's.
        if let Some(reason) = refusal {
            let reason = format!("nothing was sent: {reason}");
            return self.ended(End::Interrupted { reason, position_known: true });
        }
        self.checkpoint = super::Checkpoint::after(start.skip);
        self.since_idle = 0;
        self.phase = Phase::Running(Box::new(Job::new(start, self.now)));
    }

    /// Sends as many lines as the machine has room for.
    pub(super) fn fill(&mut self) {
        let Phase::Running(job) = &mut self.phase else { return };
        if job.pause != Pause::No {
            return;
        }
        loop {
            let next = job.feed.next(&self.options);
            if let Some((lines, number)) = job.feed.passed() {
                self.checkpoint.pass(lines, number);
            }
            let origin = match next {
                Next::Line(origin) => origin,
                Next::Wait | Next::Stop(_) | Next::End => return,
                Next::Fail(line, message) => {
                    return self.cannot_send(Why::Failed { line: Some(line), message });
                }
            };
            let line = job.feed.line();
            if let Err(message) = check_length(line, self.window.size()) {
                return self.cannot_send(match origin {
                    Origin::File(line) => Why::Failed { line: Some(line), message },
                    Origin::Script(name, index) => {
                        let message = format!("{name} {}: {message}", index + 1);
                        Why::Failed { line: None, message }
                    }
                    Origin::Console => Why::Failed { line: None, message },
                });
            }
            let alone = goes_alone(line);
            if !self.window.admits(line, alone) {
                return;
            }
            if self.window.is_empty() {
                job.moved = self.now;
            }
            self.window.sent(line, alone, origin);
            self.out.extend_from_slice(line);
            self.out.push(b'\n');
            job.feed.take();
            if let Origin::File(number) = origin {
                self.checkpoint.lines_sent += 1;
                self.checkpoint.sent_line = number;
            }
        }
    }

    fn cannot_send(&mut self, why: Why) {
        self.say(Event::Fault(why.to_string()));
        self.stop(why);
    }

    pub(super) fn acknowledged(&mut self) {
        if let Phase::Running(job) = &mut self.phase {
            job.moved = self.now;
        }
        match self.window.acknowledged() {
            Some(Origin::File(number)) => {
                self.checkpoint.lines_acknowledged += 1;
                self.checkpoint.acknowledged_line = number;
                self.since_idle += 1;
            }
            Some(_) => {}
            None => self.say(Event::Fault("the machine acknowledged a line too many".to_owned())),
        }
    }

    /// Notes what the machine may have held when the job was torn from it.
    pub(super) fn note_held(&mut self) {
        if matches!(self.phase, Phase::Running(_)) {
            self.checkpoint = super::Driver::checkpoint(self);
        }
    }

    pub(super) fn pause(&mut self) {
        let Phase::Running(job) = &mut self.phase else { return };
        match &mut job.pause {
            Pause::Asked { resume, .. } => *resume = false,
            Pause::Held | Pause::AtStop => {}
            Pause::No | Pause::Resuming { .. } => {
                job.pause = Pause::Asked { stale: self.polled.outstanding, resume: false };
                self.out.push(b'!');
            }
        }
    }

    pub(super) fn resume(&mut self) {
        let Phase::Running(job) = &mut self.phase else { return };
        match &mut job.pause {
            Pause::Asked { resume, .. } => *resume = true,
            Pause::Held => {
                job.pause = Pause::Resuming { since: self.now };
                self.out.push(b'~');
            }
            Pause::AtStop => {
                job.feed.pass();
                self.go_on();
            }
            Pause::No | Pause::Resuming { .. } => {}
        }
    }

    /// Leaves out the layer that begins at the stop that the job is at.
    pub(super) fn skip_layer(&mut self) {
        let Phase::Running(job) = &mut self.phase else { return };
        if job.pause == Pause::AtStop && job.feed.drop_layer() {
            self.go_on();
        }
    }

    fn go_on(&mut self) {
        let Phase::Running(job) = &mut self.phase else { return };
        job.pause = Pause::No;
        job.moved = self.now;
        self.say(Event::Resumed);
    }

    pub(super) fn job_report(&mut self, state: State, empty: bool) {
        let Phase::Running(job) = &mut self.phase else { return };
        if state.moves() || state == State::Check {
            job.moved = self.now;
        }
        let held = matches!(state, State::Hold(true) | State::Door(true));
        let stands = held || (state == State::Idle && empty);
        if state == State::Alarm {
            // The line that said so was lost.
            return self
                .stop_in_alarm(Why::Interrupted("the machine went into alarm".to_owned()), true);
        }
        let empty_handed = self.window.is_empty();
        match &mut job.pause {
            Pause::Asked { stale, .. } if *stale => *stale = false,
            Pause::Asked { resume, .. } if stands => {
                let resume = *resume;
                job.pause = Pause::Held;
                self.say(Event::Paused(Halt::Asked));
                if resume {
                    self.resume();
                }
            }
            Pause::No if held => {
                job.pause = Pause::Held;
                let door = matches!(state, State::Door(_));
                let reason =
                    if door { "the safety door is open" } else { "the machine holds by itself" };
                self.say(Event::Paused(Halt::Machine(reason.to_owned())));
            }
            // The machine's own button can let it go on too.
            Pause::Resuming { .. } | Pause::Held if matches!(state, State::Run | State::Idle) => {
                let by_itself = job.pause == Pause::Held;
                // A hold of an idle machine ends as an idle machine; one that ignores holds does too.
                if by_itself && state == State::Idle {
                    return;
                }
                self.go_on();
            }
            Pause::No if stands && empty_handed && job.feed.is_at_stop() => {
                job.pause = Pause::AtStop;
                if let Next::Stop(message) = job.feed.next(&self.options) {
                    self.say(Event::Paused(Halt::Stop(message)));
                }
            }
            Pause::No if stands && empty_handed && job.feed.is_over() => {
                self.phase = Phase::Ready;
                self.ended(End::Completed);
            }
            _ => {}
        }
    }

    pub(super) fn tick_job(&mut self) {
        let Phase::Running(job) = &mut self.phase else { return };
        if let Pause::Resuming { since } = &mut job.pause
            && self.now >= *since + Duration::from_secs(1)
        {
            *since = self.now;
            self.out.push(b'~');
        }
        // It is asked all the time (POLL_BUSY): does it answer?
        let silence = self.now.saturating_sub(self.machine.reported.max(job.moved));
        let held = job.pause != Pause::No;
        let drains = job.feed.is_over() || job.feed.is_at_stop();
        if self.window.is_empty() && !drains && !held {
            // It waits for the file, not for the machine.
            return;
        }
        let slow = self.window.oldest().map_or(Duration::ZERO, |(_, line)| slow(line));
        let patience = self.options.timeout.saturating_add(slow);
        let answers = silence < Duration::from_secs(2).min(patience / 2);
        let stalled = self.now >= job.moved + patience && !answers;
        let idles = self.now >= job.moved + patience && answers && !held;
        let seconds = patience.as_secs_f64();
        let reason = if idles {
            format!("the machine stands still and has acknowledged nothing for {seconds} s")
        } else if stalled && (!held || silence >= patience) {
            format!("the machine has not answered for {seconds} s")
        } else {
            return;
        };
        self.say(Event::Fault(reason.clone()));
        self.stop(Why::Interrupted(reason));
    }
}

/// Lines that take long without any sign of life: dwelling and homing.
fn slow(line: &[u8]) -> Duration {
    if line.starts_with(b"$H") || line.starts_with(b"$h") {
        return HOMING;
    }
    let words: Vec<(u8, f64)> = Words::new(line).flatten().collect();
    let dwells = words.contains(&(b'G', 4.0));
    let seconds = words
        .iter()
        .find(|(letter, _)| dwells && *letter == b'P')
        .map_or(0.0, |(_, seconds)| *seconds);
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO)
}
