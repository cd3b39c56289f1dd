//! From an open port to a machine that is set up.

use std::{collections::VecDeque, time::Duration};

use super::{Asker, COOKIE, Ebb, Event, Phase, Polls, Refused, wire};
use crate::toolpath::plan::EbbOptions;

/// The oldest firmware that knows all that is asked of it (`LM`, `HM`, `QG`).
const OLDEST: [u32; 2] = [2, 7];

/// Commands that wait in the queue of a board that has more room than one: enough to bridge the way
/// over USB, and few enough that a pause comes soon.
const DEPTH: u64 = 4;

/// What has to be said before the machine is ready.
pub(super) struct Setup {
    todo: VecDeque<String>,
}

/// How long the answer to `V` may take.
pub(super) fn patience(tries: u32) -> Duration {
    if tries < 3 { Duration::from_secs(1) } else { Duration::from_secs(5) }
}

impl Ebb {
    /// Asks who it is. A half-received command in its buffer is spoilt by that, never completed.
    pub(super) fn greet(&mut self, tries: u32) {
        self.asked.clear();
        self.polls = Polls { at: self.now, slow: self.now, due: VecDeque::new() };
        self.machine.status = None;
        self.machine.future = false;
        self.since_idle = 0;
        self.out.extend_from_slice(b"V\r");
        self.phase = Phase::Greeting { since: self.now, tries };
    }

    pub(super) fn tick_greeting(&mut self) {
        if let Phase::Greeting { since, tries } = &self.phase
            && self.now >= *since + patience(*tries)
        {
            self.greet(tries.saturating_add(1));
        }
    }

    /// Who it is.
    pub(super) fn identified(&mut self, line: &str) {
        let Some((text, version)) = wire::version(line) else { return };
        (self.machine.version, self.machine.version_text) = (version, text);
        self.machine.depth = 1;
        if version < OLDEST {
            let text = &self.machine.version_text;
            let reason = format!("firmware {text} is too old: it has to be 2.7 or newer");
            self.phase = Phase::Useless(reason);
            return;
        }
        let mut todo = Vec::new();
        if version[0] >= 3 {
            // Whichever syntax it was left in. Half of the answer comes in the old one: it is not
            // waited for.
            self.out.extend_from_slice(b"CU,10,1\r");
            self.machine.future = true;
            todo.extend(["QU,2".to_owned(), "QU,3".to_owned()]);
        }
        let options = &self.options.plotter.ebb;
        todo.push(format!("SL,{COOKIE}"));
        todo.push(format!("SC,4,{}", EbbOptions::servo(options.pen_up)));
        todo.push(format!("SC,5,{}", EbbOptions::servo(options.pen_down)));
        todo.push("QC".to_owned());
        if version >= [2, 8] {
            todo.push("QE".to_owned());
        }
        todo.push(self.pen_up());
        todo.push("QG".to_owned());
        todo.push("QS".to_owned());
        self.phase = Phase::Setup(Setup { todo: todo.into() });
    }

    /// The command that raises the pen.
    pub(super) fn pen_up(&self) -> String {
        format!("SP,1,{}", self.options.plotter.ebb.raise_ms.max(1))
    }

    /// The command that lowers it.
    pub(super) fn pen_down(&self) -> String {
        format!("SP,0,{}", self.options.plotter.ebb.lower_ms.max(1))
    }

    pub(super) fn pump_setup(&mut self) {
        let Phase::Setup(setup) = &mut self.phase else { return };
        if let Some(command) = setup.todo.pop_front() {
            return self.ask(command.as_bytes(), Asker::Script);
        }
        self.phase = Phase::Ready;
        self.polls.at = self.now;
        self.say(Event::Identified(self.machine.version_text.clone()));
        self.tell_position();
    }

    /// How long its queue may be, and is.
    pub(super) fn queue_length(&mut self, text: &[u8], value: &str) {
        let Ok(length) = value.parse::<u64>() else { return };
        let Phase::Setup(setup) = &mut self.phase else { return };
        if text == b"QU,2" {
            self.machine.depth = length.clamp(1, DEPTH);
        } else if length != self.machine.depth {
            setup.todo.push_front(format!("CU,4,{}", self.machine.depth));
        }
    }

    /// The machine has started anew by itself: it knows nothing of what was before.
    pub(super) fn restarted(&mut self) {
        self.note_held();
        let message = "the machine was reset".to_owned();
        match std::mem::replace(&mut self.phase, Phase::Ready) {
            Phase::Running(_) => {
                self.say(Event::Fault(message.clone()));
                self.ended(super::End::Interrupted { reason: message, position_known: false });
            }
            Phase::Console { .. } | Phase::Errand { .. } => {
                self.say(Event::Answered(Err(Refused::Machine { message, lines: Vec::new() })));
            }
            stopping @ Phase::Stopping(_) => {
                // It stands, and the rest of the stop is as good as before.
                self.phase = stopping;
                return self.stop_lost();
            }
            _ => {}
        }
        self.out.clear();
        self.forget_position();
        self.greet(0);
    }

    /// Watches for answers that do not come while there is no job.
    pub(super) fn tick_quiet(&mut self) {
        let late = self.asked.front().is_some_and(|asked| self.now >= asked.since + asked.patience);
        if !late {
            return;
        }
        if matches!(self.phase, Phase::Console { .. } | Phase::Errand { .. }) {
            let refused = Refused::Timeout(self.options.timeout);
            self.say(Event::Answered(Err(refused)));
        }
        self.greet(if matches!(self.phase, Phase::Setup(_)) { 1 } else { 2 });
    }
}
