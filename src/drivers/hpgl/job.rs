//! A job: bytes as there is room for them, held, ended.
//!
//! A pause stops the bytes. What is in the plotter's buffer is drawn before it stands, and the pen is
//! raised then; it is lowered again where it stood.

use std::time::Duration;

use super::{
    Asked, End, Event, Feed, HANDSHAKE_MARGIN, Halt, Handshake, Hpgl, MARGIN, Origin, Phase,
    Question, Start, Why,
};
use crate::{
    drivers::feed::Next,
    toolpath::{Dialect, hpgl::Holder},
};

/// How often a question is asked again whose answer was lost.
const TRIES: u32 = 2;

/// A job on the machine.
pub(super) struct Job {
    pub(super) feed: Feed,
    stage: Stage,
    pause: Pause,
    /// What of the line that is being sent has not been sent.
    rest: Vec<u8>,
    /// The pen is down once all is drawn that was sent.
    down: bool,
    /// The pen that a person has put in.
    holder: Holder,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    Feed,
    /// All is sent; it must be done.
    Finish,
    /// Has been asked what it did not understand.
    Errors,
}

#[derive(Clone, Debug, PartialEq)]
enum Pause {
    No,
    /// Nothing more is sent; what was sent must be done.
    Wanted {
        why: Halt,
        resume: bool,
        asked: bool,
    },
    Held {
        at_stop: bool,
    },
}

impl Job {
    fn new(start: Start) -> Self {
        Self {
            feed: Feed::new(start, Dialect::Hpgl),
            stage: Stage::Feed,
            pause: Pause::No,
            rest: Vec::new(),
            down: false,
            holder: Holder::default(),
        }
    }

    pub(super) fn is_held(&self) -> bool {
        matches!(self.pause, Pause::Held { .. })
    }

    /// Follows the pen.
    fn note(&mut self, line: &[u8]) {
        match line.get(..2) {
            Some(b"PU" | b"IN" | b"SP") => self.down = false,
            Some(b"PD") => self.down = true,
            _ => {}
        }
    }
}

impl Hpgl {
    pub(super) fn start(&mut self, start: Start) {
        let refusal = match &self.phase {
            _ if self.latched => Some("the emergency stop has not been cleared"),
            Phase::Ready if self.is_suspended() => Some("the machine is held at its panel"),
            Phase::Ready => None,
            Phase::Running(_) => Some("another job is on the machine"),
            Phase::Closed | Phase::Setup(_) => Some("the machine is not connected"),
            _ => Some("the machine is busy"),
        };
        // A job that is running keeps its own facts: they are not this one's.
        if let Some(reason) = refusal {
            let reason = format!("nothing was sent: {reason}");
            return self.ended(End::Interrupted { reason, position_known: true });
        }
        self.checkpoint = super::Checkpoint::after(start.skip);
        self.machine.credit = 0;
        self.machine.held.clear();
        self.phase = Phase::Running(Box::new(Job::new(start)));
    }

    /// What may be sent when so much is free.
    pub(super) fn room(&self, free: usize) -> usize {
        match self.options.plotter.hpgl.handshake {
            Handshake::Poll => free.saturating_sub(MARGIN),
            Handshake::XonXoff | Handshake::RtsCts => free.saturating_sub(HANDSHAKE_MARGIN),
        }
    }

    /// Sends as much of the job as there is room for.
    pub(super) fn pump_job(&mut self) {
        // What is sent behind a question would not be counted by its answer.
        while self.awaited().is_none() && self.machine.credit > 0 {
            let Phase::Running(job) = &mut self.phase else { return };
            if !job.rest.is_empty() {
                let count = job.rest.len().min(self.machine.credit);
                let bytes: Vec<u8> = job.rest.drain(..count).collect();
                self.put(&bytes);
                continue;
            }
            match &mut job.pause {
                Pause::Held { .. } | Pause::Wanted { asked: true, .. } => return,
                Pause::Wanted { asked, .. } => {
                    if self.machine.credit < 6 {
                        return;
                    }
                    *asked = true;
                    self.put(b"PU;");
                    return self.ask(Question::Position);
                }
                Pause::No => {}
            }
            if job.stage != Stage::Feed || !self.feed() {
                return;
            }
        }
        if self.awaited().is_none() && self.machine.roomy && matches!(self.phase, Phase::Running(_))
        {
            self.ask(Question::Free);
        }
    }

    /// Takes the next line of the job; false if there is none now.
    fn feed(&mut self) -> bool {
        let Phase::Running(job) = &mut self.phase else { return false };
        let next = job.feed.next(&self.options);
        if let Some((lines, number)) = job.feed.passed() {
            self.checkpoint.pass(lines, number);
        }
        match next {
            Next::Line(origin) => {
                let line = job.feed.line().to_vec();
                if self.options.plotter.hpgl.single_pen
                    && let Some(pen) = job.holder.change(&line)
                {
                    // There is no layer to leave out: moves may be relative.
                    self.pause(Halt::Machine(Holder::request(pen)));
                    return true;
                }
                job.feed.take();
                job.note(&line);
                job.rest = line;
                if !job.rest.ends_with(b";") && !job.rest.ends_with(b"\x03") {
                    job.rest.push(b';');
                }
                let end = self.machine.sent + job.rest.len() as u64;
                self.machine.held.push_back((origin, end));
                if let Origin::File(number) = origin {
                    self.checkpoint.lines_sent += 1;
                    self.checkpoint.sent_line = number;
                }
                true
            }
            Next::Wait => false,
            Next::Stop(message) => {
                self.pause(Halt::Stop(message));
                true
            }
            Next::Fail(line, message) => {
                let why = Why::Failed { line: Some(line), message };
                self.say(Event::Fault(why.to_string()));
                self.stop(why);
                false
            }
            Next::End => {
                if self.machine.credit < 6 {
                    // Asked for room once more.
                    self.machine.credit = 0;
                    return false;
                }
                job.stage = Stage::Finish;
                self.put(b"PU;");
                self.ask(Question::Position);
                false
            }
        }
    }

    pub(super) fn acknowledged(&mut self, origin: Origin) {
        if let Origin::File(number) = origin {
            self.checkpoint.lines_acknowledged += 1;
            self.checkpoint.acknowledged_line = number;
        }
    }

    /// Everything that was sent is done.
    pub(super) fn stands(&mut self) {
        while let Some((origin, _)) = self.machine.held.pop_front() {
            self.acknowledged(origin);
        }
        let Phase::Running(job) = &mut self.phase else { return };
        if job.stage == Stage::Finish {
            job.stage = Stage::Errors;
            return self.ask(Question::Error);
        }
        let Pause::Wanted { why, resume, .. } = &mut job.pause else { return };
        let (why, resume) = (why.clone(), *resume);
        job.pause = Pause::Held { at_stop: job.feed.is_at_stop() };
        self.say(Event::Paused(why));
        if resume {
            self.resume();
        }
    }

    pub(super) fn finished(&mut self) {
        if matches!(&self.phase, Phase::Running(job) if job.stage == Stage::Errors) {
            self.phase = Phase::Ready;
            self.machine.status = Some(8);
            self.ended(End::Completed);
        }
    }

    /// Notes what the machine may have held when the job was torn from it.
    pub(super) fn note_held(&mut self) {
        if matches!(self.phase, Phase::Running(_)) {
            self.checkpoint = super::Driver::checkpoint(self);
        }
    }

    pub(super) fn pause(&mut self, why: Halt) {
        let Phase::Running(job) = &mut self.phase else { return };
        match &mut job.pause {
            Pause::Wanted { resume, .. } => *resume = false,
            Pause::Held { .. } => {}
            // A job that is all sent ends by itself.
            Pause::No if job.stage != Stage::Feed => {}
            Pause::No => {
                if why == Halt::Asked {
                    let text = "what is in the plotter's buffer is drawn before it stands";
                    self.events.push_back(Event::Said(text.to_owned()));
                }
                job.pause = Pause::Wanted { why, resume: false, asked: false };
            }
        }
    }

    pub(super) fn resume(&mut self) {
        let Phase::Running(job) = &mut self.phase else { return };
        match &mut job.pause {
            Pause::Wanted { resume, .. } => *resume = true,
            Pause::Held { at_stop } => {
                if *at_stop {
                    job.feed.pass();
                }
                self.go_on();
            }
            Pause::No => {}
        }
    }

    /// Leaves out the layer that begins at the stop that the job is at.
    pub(super) fn skip_layer(&mut self) {
        let Phase::Running(job) = &mut self.phase else { return };
        if job.pause == (Pause::Held { at_stop: true }) && job.feed.drop_layer() {
            job.down = false;
            self.go_on();
        }
    }

    fn go_on(&mut self) {
        let Phase::Running(job) = &mut self.phase else { return };
        job.pause = Pause::No;
        if job.down {
            job.rest = b"PD;".to_vec();
        }
        self.machine.credit = 0;
        self.say(Event::Resumed);
    }

    pub(super) fn tick_job(&mut self) {
        let late = self.asked.is_some_and(|asked| self.now >= asked.since + self.options.timeout);
        let Phase::Running(job) = &self.phase else { return };
        let errors = job.stage == Stage::Errors
            && self.queued.is_some_and(|asked| self.now >= asked.since + self.options.timeout);
        if errors {
            // It has drawn everything, and only keeps its errors to itself.
            self.queued = None;
            return self.finished();
        }
        if late || self.is_answer_lost() {
            let seconds = self.options.timeout.as_secs_f64();
            let reason = format!("the machine has not answered for {seconds} s");
            self.say(Event::Fault(reason.clone()));
            self.stop(Why::Interrupted(reason));
        }
    }

    /// Asks once more what the plotter has read and not answered; true if that was in vain as well.
    /// The line under way may be a long one.
    fn is_answer_lost(&mut self) -> bool {
        let limit = self.options.timeout;
        let rests = self.machine.empty_since.is_some_and(|since| self.now >= since + limit);
        let Some(asked) = self.queued.filter(|_| rests) else { return false };
        if asked.tries < TRIES {
            self.say(Event::Fault("an answer of the plotter was lost".to_owned()));
            self.ask(asked.question);
            self.queued = self.queued.map(|again| Asked { tries: asked.tries + 1, ..again });
        }
        asked.tries >= TRIES
    }

    /// How long what is in the way of an answer may take.
    pub(super) fn is_late(&self, limit: Duration) -> bool {
        self.asked.is_some_and(|asked| self.now >= asked.since + limit)
    }
}
