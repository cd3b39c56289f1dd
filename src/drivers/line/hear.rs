//! What the machine says, by the patterns of its configuration.

use std::time::Duration;

use super::{Event, Line, LineOptions, Origin, Phase, Refused, Why};

/// What a line of the machine means.
enum Said {
    Error,
    Ack,
    Banner,
    Busy,
    Else,
}

impl Said {
    fn of(text: &str, options: &LineOptions) -> Self {
        let is = |pattern: &Option<super::Pattern>| {
            pattern.as_ref().is_some_and(|pattern| pattern.matches(text))
        };
        if options.error.matches(text) {
            Self::Error
        } else if options.ack.matches(text) {
            Self::Ack
        } else if is(&options.banner) {
            Self::Banner
        } else if is(&options.busy) {
            Self::Busy
        } else {
            Self::Else
        }
    }
}

impl Line {
    /// One line.
    pub(super) fn hear(&mut self, line: &[u8]) {
        let Ok(text) = str::from_utf8(line.trim_ascii()) else { return };
        if text.is_empty() || text.chars().any(char::is_control) {
            return;
        }
        self.heard = self.now;
        if matches!(self.phase, Phase::Estop { .. }) {
            // The line that was under way may be acknowledged still.
            let late = self.flight.is_some() && self.options.plotter.line.ack.matches(text);
            self.flight = None;
            return if late { self.chat(text) } else { self.estop_confirmed() };
        }
        match Said::of(text, &self.options.plotter.line) {
            Said::Banner => self.hear_banner(text),
            Said::Busy => {
                if let Some(flight) = &mut self.flight {
                    flight.since = self.now;
                }
            }
            Said::Ack => {
                if matches!(self.phase, Phase::Console { .. }) {
                    self.console_hear(text);
                }
                self.acknowledged();
            }
            Said::Error => self.refused(text),
            Said::Else if matches!(self.phase, Phase::Console { .. }) => self.console_hear(text),
            Said::Else => self.chat(text),
        }
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

    fn hear_banner(&mut self, text: &str) {
        let message = "the machine was reset".to_owned();
        match &self.phase {
            Phase::Settling { .. } => {
                self.phase = Phase::Ready;
                self.say(Event::Identified(text.to_owned()));
            }
            Phase::Running(_) => {
                // What it was sent is gone with its memory.
                self.note_held();
                self.flight = None;
                self.out.clear();
                self.phase = Phase::Ready;
                self.say(Event::Fault(message.clone()));
                self.ended(super::End::Interrupted { reason: message, position_known: false });
            }
            Phase::Console { .. } => {
                self.console_done(Some(Refused::Machine { message, lines: Vec::new() }));
            }
            Phase::Stopping(_) => {
                self.flight = None;
                self.lose_position();
            }
            _ => self.chat(text),
        }
    }

    fn acknowledged(&mut self) {
        let Some(flight) = self.flight.take() else { return };
        match flight.origin {
            Origin::File(number) => {
                self.checkpoint.lines_acknowledged += 1;
                self.checkpoint.acknowledged_line = number;
            }
            Origin::Console => self.console_done(None),
            Origin::Script(..) => {}
        }
    }

    fn refused(&mut self, text: &str) {
        let message = text.to_owned();
        let Some(flight) = self.flight else { return self.chat(text) };
        match &self.phase {
            Phase::Console { .. } => {
                self.console_done(Some(Refused::Machine { message, lines: Vec::new() }));
            }
            Phase::Running(_) => {
                let why = match flight.origin {
                    Origin::File(line) => Why::Failed { line: Some(line), message },
                    Origin::Script(name, index) => {
                        let message = format!("{name} {}: {message}", index + 1);
                        Why::Failed { line: None, message }
                    }
                    Origin::Console => Why::Failed { line: None, message },
                };
                self.note_held();
                self.flight = None;
                self.fail(why);
            }
            Phase::Stopping(_) => {
                self.flight = None;
                self.say(Event::Fault(message));
            }
            _ => self.flight = None,
        }
    }

    /// The line under way has not been acknowledged in time.
    pub(super) fn late(&mut self) {
        let patience = self.options.timeout;
        match &self.phase {
            Phase::Running(_) => {
                let seconds = patience.as_secs_f64();
                let reason = format!("the machine has not acknowledged a line for {seconds} s");
                self.note_held();
                self.flight = None;
                self.fail(Why::Interrupted(reason));
            }
            Phase::Console { .. } => self.console_done(Some(Refused::Timeout(patience))),
            Phase::Stopping(_) => {
                self.flight = None;
                self.stopped(false);
            }
            _ => self.flight = None,
        }
    }
}
