//! What each thing that the machine says means in each phase.

use std::time::Duration;

use super::{
    End, Event, Grbl, Origin, Phase, Refused, Why, meaning,
    status::{Report, State},
    wire::Said,
};

impl Grbl {
    pub(super) fn hear(&mut self, said: &Said<'_>) {
        match said {
            Said::Ok => self.hear_ok(),
            Said::Error(number) => self.hear_error(*number),
            Said::Alarm(number) => self.hear_alarm(*number),
            Said::Banner(_) => self.hear_banner(),
            Said::Report(text) => {
                if let Some(report) = Report::parse(text) {
                    self.hear_report(&report, text);
                }
            }
            Said::Text(text) => match &mut self.phase {
                Phase::Identifying { .. }
                    if text.starts_with("[VER:") || text.starts_with("[OPT:") =>
                {
                    self.hear_identity(text);
                }
                Phase::Console { lines, .. } if lines.len() < 1000 => {
                    lines.push((*text).to_owned());
                }
                _ => self.chat(text),
            },
            Said::Nothing => {}
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

    fn hear_ok(&mut self) {
        match &mut self.phase {
            Phase::Identifying { .. } => self.identified(),
            Phase::Console { .. } => self.console_done(None),
            Phase::Running(_) => self.acknowledged(),
            Phase::Stopping(_) => self.stop_line_done(None),
            // A machine that was left in the middle of something.
            Phase::Closed
            | Phase::Greeting { .. }
            | Phase::Meeting { .. }
            | Phase::Ready
            | Phase::Asking { .. }
            | Phase::Estop { .. } => {}
        }
    }

    fn hear_error(&mut self, number: u8) {
        let message = format!("error:{number}: {}", meaning::error(number));
        match &mut self.phase {
            Phase::Identifying { .. } => self.identified(),
            Phase::Console { .. } => self.console_done(Some(message)),
            Phase::Stopping(_) => self.stop_line_done(Some(message)),
            Phase::Running(_) => self.refused(&message),
            _ => self.chat(&message),
        }
    }

    /// A line of the job has been refused.
    fn refused(&mut self, message: &str) {
        let text = self.window.oldest().map(|(_, text)| String::from_utf8_lossy(text).into_owned());
        let message = match text {
            Some(text) => format!("{message}: {text}"),
            None => message.to_owned(),
        };
        let why = match self.window.acknowledged() {
            Some(Origin::File(line)) => Why::Failed { line: Some(line), message },
            Some(Origin::Script(name, index)) => {
                Why::Failed { line: None, message: format!("{name} {}: {message}", index + 1) }
            }
            _ => Why::Failed { line: None, message },
        };
        self.say(Event::Fault(why.to_string()));
        self.stop(why);
    }

    fn hear_alarm(&mut self, number: u8) {
        let message = format!("ALARM:{number}: {}", meaning::alarm(number));
        self.say(Event::Fault(message.clone()));
        self.machine.state = Some(State::Alarm);
        self.machine.alarm = Some(message.clone());
        let line = match self.window.oldest() {
            Some((Origin::File(line), _)) => Some(line),
            _ => None,
        };
        match &mut self.phase {
            Phase::Console { .. } => {
                self.console_done(Some(message));
                // Whatever else is in its buffer must not be carried out once it is unlocked.
                if matches!(number, 1 | 2) {
                    self.greet_again();
                }
            }
            // Somebody pressed reset: the banner follows.
            Phase::Running(_) if number == 3 => {}
            Phase::Running(_) => {
                // Soft limits, probing and homing are what the file asked for.
                let why = if matches!(number, 2 | 4..=10) {
                    Why::Failed { line, message }
                } else {
                    Why::Interrupted(message)
                };
                self.stop_in_alarm(why, number != 2);
            }
            Phase::Stopping(stop) => stop.lost = true,
            _ => {}
        }
    }

    fn hear_banner(&mut self) {
        let expected_lock = self.machine.state == Some(State::Alarm);
        match &self.phase {
            Phase::Closed => {}
            Phase::Greeting { .. } | Phase::Meeting { .. } | Phase::Identifying { .. } => {
                if !matches!(self.phase, Phase::Greeting { .. }) {
                    self.machine.stood = None;
                }
                if !expected_lock {
                    self.machine.alarm = None;
                }
                self.identify();
            }
            Phase::Estop { .. } => self.estop_confirmed(),
            Phase::Stopping(_) => self.stop_banner(),
            Phase::Running(_) => {
                self.note_held();
                let reason = "the machine was reset".to_owned();
                self.say(Event::Fault(reason.clone()));
                self.ended(End::Interrupted { reason, position_known: false });
                self.identify();
            }
            Phase::Console { .. } | Phase::Asking { .. } => {
                let message = "the machine was reset".to_owned();
                self.say(Event::Answered(Err(Refused::Machine { message, lines: Vec::new() })));
                self.identify();
            }
            Phase::Ready => self.identify(),
        }
    }

    fn hear_report(&mut self, report: &Report, text: &str) {
        self.machine.reported = self.now;
        let stale = std::mem::replace(&mut self.polled.outstanding, false);
        self.machine.state = Some(report.state);
        if report.state != State::Alarm {
            self.machine.alarm = None;
        }
        let empty = report.planner_free.is_none_or(|free| free >= self.machine.planner);
        if report.state == State::Idle && empty {
            self.since_idle = 0;
        }
        let position = report.position(&mut self.machine.offset);
        if position.is_some() && position != self.machine.position {
            self.machine.position = position;
            let up = position.map(|position| position.z > 0.0);
            self.say(Event::Position(position, up));
        }
        match &self.phase {
            Phase::Asking { .. } if stale => {
                self.phase = Phase::Ready;
                self.say(Event::Answered(Ok(vec![format!("<{text}>")])));
            }
            Phase::Running(_) => self.job_report(report.state, empty),
            Phase::Stopping(_) => self.stop_report(report.state, empty),
            Phase::Meeting { .. } => self.met(report),
            Phase::Ready => self.met_again(report),
            _ => {}
        }
    }
}
