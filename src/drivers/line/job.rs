//! A file on its way, line by line, and held still.

use super::{End, Event, Halt, Line, Origin, Phase, Start, Why};
use crate::{
    drivers::feed::{Feed, Next},
    toolpath::Dialect,
};

/// A job on the machine.
pub(super) struct Job {
    pub(super) feed: Feed,
    pub(super) pause: Pause,
}

/// Whether the job is held still.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Pause {
    No,
    /// Nothing more of the file is sent; this one of the `pause` lines is next.
    Pausing {
        halt: Halt,
        next: usize,
        resume: bool,
    },
    /// A person is waited for; `stop`: by the file.
    Held {
        stop: bool,
    },
    /// It goes on after this one of the `resume` lines.
    Resuming {
        next: usize,
    },
}

impl Pause {
    pub(super) fn is_held(&self) -> bool {
        matches!(self, Self::Held { .. })
    }

    fn begin(halt: Halt) -> Self {
        Self::Pausing { halt, next: 0, resume: false }
    }
}

/// What is to be done next.
enum Todo {
    Send(Origin, Vec<u8>),
    Again,
    Nothing,
}

impl Line {
    pub(super) fn start(&mut self, start: Start) {
        let refusal = match &self.phase {
            _ if self.latched => Some("the emergency stop has not been cleared"),
            Phase::Ready => None,
            Phase::Running(_) => Some("another job is on the machine"),
            Phase::Closed | Phase::Settling { .. } => Some("the machine is not connected"),
            _ => Some("the machine is busy"),
        };
        // A job that is running keeps its own facts: they are not this one's.
        if let Some(reason) = refusal {
            let reason = format!("nothing was sent: {reason}");
            return self.ended(End::Interrupted { reason, position_known: true });
        }
        self.checkpoint = super::Checkpoint::after(start.skip);
        let feed = Feed::new(start, Dialect::Lines);
        self.phase = Phase::Running(Box::new(Job { feed, pause: Pause::No }));
    }

    /// Sends the next line if none is under way.
    pub(super) fn fill(&mut self) {
        while self.flight.is_none() {
            match self.todo() {
                Todo::Send(origin, text) => {
                    self.send_line(&text, origin);
                    if let Origin::File(number) = origin {
                        self.checkpoint.lines_sent += 1;
                        self.checkpoint.sent_line = number;
                    }
                }
                Todo::Again => {}
                Todo::Nothing => return,
            }
        }
    }

    fn todo(&mut self) -> Todo {
        let Phase::Running(job) = &mut self.phase else { return Todo::Nothing };
        let line = &self.options.plotter.line;
        match &mut job.pause {
            Pause::No => self.next_of_file(),
            Pause::Held { .. } => Todo::Nothing,
            Pause::Pausing { next, halt, resume } => {
                if let Some(text) = line.pause.get(*next) {
                    *next += 1;
                    return Todo::Send(Origin::Script("pause", *next - 1), clean(text));
                }
                let (halt, resume) = (halt.clone(), *resume);
                job.pause = Pause::Held { stop: matches!(halt, Halt::Stop(_)) };
                self.say(Event::Paused(halt));
                if resume {
                    self.resume();
                }
                Todo::Again
            }
            Pause::Resuming { next } => {
                if let Some(text) = line.resume.get(*next) {
                    *next += 1;
                    return Todo::Send(Origin::Script("resume", *next - 1), clean(text));
                }
                job.pause = Pause::No;
                self.say(Event::Resumed);
                Todo::Again
            }
        }
    }

    fn next_of_file(&mut self) -> Todo {
        let Phase::Running(job) = &mut self.phase else { return Todo::Nothing };
        let next = job.feed.next(&self.options);
        if let Some((lines, number)) = job.feed.passed() {
            self.checkpoint.pass(lines, number);
        }
        match next {
            Next::Line(origin) => {
                let text = job.feed.line().to_vec();
                job.feed.take();
                Todo::Send(origin, text)
            }
            Next::Wait => Todo::Nothing,
            Next::Stop(message) => {
                job.pause = Pause::begin(Halt::Stop(message));
                Todo::Again
            }
            Next::End => {
                self.phase = Phase::Ready;
                self.ended(End::Completed);
                Todo::Nothing
            }
            Next::Fail(line, message) => {
                self.fail(Why::Failed { line: Some(line), message });
                Todo::Nothing
            }
        }
    }

    pub(super) fn fail(&mut self, why: Why) {
        self.say(Event::Fault(why.to_string()));
        self.stop(why);
    }

    /// Notes what the machine may have held when the job was torn from it.
    pub(super) fn note_held(&mut self) {
        if matches!(self.phase, Phase::Running(_)) {
            self.checkpoint = super::Driver::checkpoint(self);
        }
    }

    pub(super) fn pause(&mut self, halt: Halt) {
        let Phase::Running(job) = &mut self.phase else { return };
        match &mut job.pause {
            Pause::No | Pause::Resuming { .. } => job.pause = Pause::begin(halt),
            Pause::Pausing { resume, .. } => *resume = false,
            Pause::Held { .. } => {}
        }
    }

    pub(super) fn resume(&mut self) {
        let Phase::Running(job) = &mut self.phase else { return };
        match &mut job.pause {
            // A stop of the file waits for a person who has seen it.
            Pause::Pausing { halt, resume, .. } => *resume = !matches!(halt, Halt::Stop(_)),
            Pause::Held { stop } => {
                if *stop {
                    job.feed.pass();
                }
                job.pause = Pause::Resuming { next: 0 };
            }
            Pause::No | Pause::Resuming { .. } => {}
        }
    }

    /// Leaves out the layer that begins at the stop that the job is at.
    pub(super) fn skip_layer(&mut self) {
        let Phase::Running(job) = &mut self.phase else { return };
        if job.pause == (Pause::Held { stop: true }) && job.feed.drop_layer() {
            job.pause = Pause::Resuming { next: 0 };
        }
    }
}

/// A configured line as it is sent.
pub(super) fn clean(text: &str) -> Vec<u8> {
    let mut line = Vec::new();
    Dialect::Lines.clean(text.as_bytes(), &mut line);
    line
}
