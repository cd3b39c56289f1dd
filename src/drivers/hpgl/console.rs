//! What a person asks for without a job: single lines, the origin, moves by hand.

use super::{Event, Hpgl, MARGIN, Phase, Question, Refused, UNITS, wire};
use crate::{domain::Jog, toolpath::Dialect};

impl Hpgl {
    pub(super) fn send(&mut self, line: &str) {
        match self.check_line(line) {
            Err(refused) => self.say(Event::Answered(Err(refused))),
            // Output instructions are answered, the others are not.
            Ok(text) if text[0] == b'O' => {
                self.begin(&text);
                self.ask(Question::Other);
            }
            Ok(text) => {
                self.begin(&text);
                self.stray();
                self.console_done(Ok(Vec::new()));
            }
        }
    }

    /// It moves by a person's word: where to is asked once it rests.
    fn stray(&mut self) {
        self.machine.strayed = true;
        self.tell_position(None);
    }

    fn check_line(&self, line: &str) -> Result<Vec<u8>, Refused> {
        self.check_ready()?;
        if line.contains(['\n', '\r']) {
            return Err(Refused::Line("it is more than one line".to_owned()));
        }
        let mut text = Vec::new();
        Dialect::Hpgl.clean(line.as_bytes(), &mut text);
        text.make_ascii_uppercase();
        if !text.starts_with(b"LB") && !text.ends_with(b";") && !text.is_empty() {
            text.push(b';');
        }
        if text.is_empty() {
            return Err(Refused::Line("there is nothing in it".to_owned()));
        }
        if text.len() + MARGIN > self.machine.size {
            let size = self.machine.size;
            return Err(Refused::Line(format!("the plotter's buffer holds {size} bytes")));
        }
        Ok(text)
    }

    fn check_ready(&self) -> Result<(), Refused> {
        if self.latched {
            return Err(Refused::Estop);
        }
        match &self.phase {
            Phase::Ready if self.is_empty() => Ok(()),
            Phase::Ready => Err(Refused::Busy("it is drawing")),
            Phase::Closed | Phase::Setup(_) => Err(Refused::Disconnected),
            Phase::Running(_) => Err(Refused::Busy("a job is on it")),
            Phase::Stopping(_) | Phase::Estop { .. } => Err(Refused::Busy("it is being stopped")),
            Phase::Console { .. } => Err(Refused::Busy("another line is being answered")),
        }
    }

    /// The buffer is empty: there is room.
    fn begin(&mut self, text: &[u8]) {
        self.phase = Phase::Console { since: self.now };
        self.machine.status = None;
        self.put(text);
    }

    pub(super) fn console_done(&mut self, answer: Result<Vec<String>, Refused>) {
        if matches!(self.phase, Phase::Console { .. }) {
            self.phase = Phase::Ready;
            self.polled = self.now.saturating_sub(super::POLL_IDLE);
            self.say(Event::Answered(answer));
        }
    }

    /// Answers come in their turn, and nothing was sent behind the question: all is done, and whoever
    /// waits may go on at once.
    pub(super) fn console_answered(&mut self, lines: Vec<String>) {
        if matches!(self.phase, Phase::Console { .. }) {
            self.machine.status = Some(8);
        }
        self.console_done(Ok(lines));
    }

    /// To the origin of its coordinates.
    pub(super) fn home(&mut self) {
        self.errand(b"PU;PA0,0;", true);
    }

    /// Such a machine has no lock.
    pub(super) fn unlock(&mut self) {
        let answer = self.check_ready().map(|()| Vec::new());
        self.say(Event::Answered(answer));
    }

    pub(super) fn jog(&mut self, jog: &Jog) {
        if ![jog.x, jog.y, jog.z].iter().all(|value| value.is_finite()) {
            let why = "the distances must be numbers".to_owned();
            return self.say(Event::Answered(Err(Refused::Line(why))));
        }
        let pen = match jog.z {
            z if z > 0.0 => "PU;",
            z if z < 0.0 => "PD;",
            _ => "",
        };
        let (x, y) = ((jog.x * UNITS).round(), (jog.y * UNITS).round());
        let way = if x == 0.0 && y == 0.0 { String::new() } else { format!("PR{x:.0},{y:.0};PA;") };
        if pen.is_empty() && way.is_empty() {
            let why = "it moves nowhere".to_owned();
            return self.say(Event::Answered(Err(Refused::Line(why))));
        }
        self.errand(format!("{pen}{way}").as_bytes(), false);
    }

    /// Nothing stops the move that is being made.
    pub(super) fn stop_jog(&mut self) {
        if matches!(self.phase, Phase::Ready) {
            self.out.extend_from_slice(wire::ABORT);
            // What is asked in the buffer is forgotten too.
            self.machine.strayed |= self.queued.take().is_some();
        }
    }

    fn errand(&mut self, text: &[u8], until_still: bool) {
        if let Err(refused) = self.check_ready() {
            return self.say(Event::Answered(Err(refused)));
        }
        self.begin(text);
        if until_still {
            self.ask(Question::Position);
        } else {
            self.stray();
            self.console_done(Ok(Vec::new()));
        }
    }

    pub(super) fn tick_console(&mut self) {
        let Phase::Console { since } = self.phase else { return };
        if self.now >= since + self.options.timeout {
            self.queued = None;
            self.console_done(Err(Refused::Timeout(self.options.timeout)));
        }
    }
}
