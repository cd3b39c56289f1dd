//! What each line that the plotter says means.

use std::time::Duration;

use super::{
    Asked, End, Event, Hpgl, Phase, Refused, SMALLEST,
    wire::{self, Question},
};

impl Hpgl {
    pub(super) fn hear(&mut self, line: &str, told: bool) {
        if matches!(self.phase, Phase::Closed) {
            return;
        }
        // What is answered at once is so before what is asked behind it comes through the buffer.
        let mut asked = [self.asked, self.queued].into_iter().flatten();
        let asked = asked.find(|it| it.question.fits(line));
        let Some(asked) = asked else { return self.chat(line) };
        let question = asked.question;
        if !told && !matches!(self.phase, Phase::Setup(_) | Phase::Estop { .. }) {
            return self.hear_stranger(question);
        }
        self.machine.suspicious = false;
        if question.is_queued() {
            self.queued = None;
        } else {
            self.asked = None;
        }
        self.learn(asked, line);
    }

    /// An answer that ends as it should not: from a plotter that has just started, or noise. It is
    /// asked once more.
    fn hear_stranger(&mut self, question: Question) {
        if std::mem::replace(&mut self.machine.suspicious, true) {
            return self.restarted();
        }
        if !question.is_queued() {
            self.ask(question);
        }
    }

    fn learn(&mut self, asked: Asked, line: &str) {
        let number = line.parse::<u32>().unwrap_or(0);
        match asked.question {
            Question::Free => self.hear_room(usize::try_from(number).unwrap_or(0), asked.sent),
            Question::Status => {
                if matches!(self.phase, Phase::Estop { .. }) {
                    return self.estop_confirmed();
                }
                // Of what was sent since it knew nothing.
                let behind = asked.sent < self.machine.sent;
                self.machine.status = Some(if behind { number & !8 } else { number });
                let rests = self.is_empty() && !self.is_suspended();
                let since = self.machine.empty_since.unwrap_or(self.now);
                self.machine.empty_since = rests.then_some(since);
                if rests && matches!(self.phase, Phase::Ready) && self.machine.strayed {
                    self.machine.strayed = false;
                    self.machine.status = None;
                    self.ask(Question::Position);
                }
            }
            Question::WireError => self.next_of_setup(),
            Question::Length => {
                self.machine.size = usize::try_from(number).unwrap_or(SMALLEST);
                self.next_of_setup();
            }
            Question::Identity => {
                self.say(Event::Identified(line.trim().to_owned()));
                self.next_of_setup();
            }
            Question::Position => {
                self.tell_position(wire::point(line));
                self.machine.strayed = false;
                match &self.phase {
                    Phase::Running(_) => self.stands(),
                    Phase::Stopping(_) => self.stop_stands(),
                    Phase::Console { .. } => self.console_answered(Vec::new()),
                    Phase::Ready => self.machine.status = Some(8),
                    _ => {}
                }
            }
            Question::Error => {
                if number > 0 {
                    let meaning = wire::error(number);
                    self.say(Event::Fault(format!(
                        "the plotter reports error {number}: {meaning}"
                    )));
                }
                self.finished();
            }
            Question::Other => self.console_answered(vec![line.to_owned()]),
        }
    }

    /// How many bytes are free, and so how many have been read of those that were sent until then.
    fn hear_room(&mut self, free: usize, sent: u64) {
        let held = self.machine.size.saturating_sub(free) as u64;
        let read = sent.saturating_sub(held);
        while let Some((origin, end)) = self.machine.held.front().copied()
            && end <= read
        {
            self.machine.held.pop_front();
            self.acknowledged(origin);
        }
        let behind = usize::try_from(self.machine.sent - sent).unwrap_or(usize::MAX);
        self.machine.credit = self.room(free).saturating_sub(behind);
        self.machine.roomy = 2 * free > self.machine.size;
    }

    /// Passes on what the machine says, but no more than twenty lines a second.
    fn chat(&mut self, text: &str) {
        let (since, count) = &mut self.chatter;
        if self.now.saturating_sub(*since) > Duration::from_secs(1) {
            (*since, *count) = (self.now, 0);
        }
        *count += 1;
        if *count <= 20 {
            self.say(Event::Said(text.to_owned()));
        }
    }

    /// It has been switched off and on: its buffer is empty, and nobody knows where it is.
    fn restarted(&mut self) {
        self.note_held();
        let message = "the machine was reset".to_owned();
        match std::mem::replace(&mut self.phase, Phase::Ready) {
            Phase::Running(_) => {
                self.say(Event::Fault(message.clone()));
                self.ended(End::Interrupted { reason: message, position_known: false });
            }
            Phase::Stopping(stop) if stop.job => {
                self.ended(End::Interrupted { reason: message, position_known: false });
            }
            Phase::Console { .. } => {
                self.say(Event::Answered(Err(Refused::Machine { message, lines: Vec::new() })));
            }
            _ => {}
        }
        self.out.clear();
        self.tell_position(None);
        self.set_up(0);
    }

    pub(super) fn tick_ready(&mut self) {
        if self.asked.is_some_and(|asked| self.now >= asked.since + self.options.timeout) {
            self.tell_position(None);
            self.set_up(3);
        }
    }
}
