//! What each line that the machine says means.

use std::time::Duration;

use super::{
    Asked, Asker, Ebb, Event, Halt, LEAST_SUPPLY, Origin, Phase, Refused, Status, Why,
    wire::{self, Answer},
};

impl Ebb {
    pub(super) fn hear(&mut self, line: &str) {
        match &self.phase {
            Phase::Closed | Phase::Useless(_) => return,
            Phase::Greeting { .. } => return self.identified(line),
            Phase::Estop { .. } => {
                if matches!(line, "ES,0" | "ES,1" | "0" | "1") {
                    self.estop_confirmed();
                }
                return;
            }
            _ => {}
        }
        if line.starts_with("Limit switch triggered") {
            return self.limit();
        }
        let future = self.machine.future;
        let found = self.asked.iter().enumerate().find_map(|(index, asked)| {
            let answer = wire::answer(&asked.name, asked.part.as_deref(), line, future)?;
            // Only what cannot be mistaken shows that those before were lost.
            (index == 0 || line != "OK").then_some((index, answer))
        });
        let Some((index, answer)) = found else { return self.unasked(line) };
        for _ in 0..index {
            self.asked.pop_front();
            self.say(Event::Fault("an answer of the machine was lost".to_owned()));
        }
        if let Answer::Part(part) = answer {
            if let Some(asked) = self.asked.front_mut() {
                asked.part = Some(part);
            }
            return;
        }
        let Some(asked) = self.asked.pop_front() else { return };
        match answer {
            Answer::Done(value) => self.done(&asked, value),
            Answer::Refused(error) => self.refused(&asked, error),
            Answer::Part(_) => {}
        }
    }

    /// A line that answers nothing.
    fn unasked(&mut self, line: &str) {
        let restarted = wire::is_banner(line)
            // Only a board that has started anew is back in the old syntax.
            || (self.machine.future && line == "OK" && !matches!(self.phase, Phase::Setup(_)));
        if restarted {
            return self.restarted();
        }
        let acknowledges = line == "OK" || line.len() <= 2;
        if acknowledges {
            if matches!(self.phase, Phase::Running(_)) {
                let fault = "the machine acknowledged a line too many".to_owned();
                self.say(Event::Fault(fault));
            }
            return;
        }
        if let Phase::Console { lines, .. } = &mut self.phase {
            if lines.len() < 1000 {
                lines.push(line.to_owned());
            }
            return;
        }
        self.chat(line);
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

    fn done(&mut self, asked: &Asked, value: Option<String>) {
        self.learn(asked, value.as_deref());
        // A lesson may have changed everything.
        match asked.origin {
            Asker::Feed(origin) => self.acknowledged(origin),
            Asker::Console => self.console_done(value, None),
            Asker::Stop | Asker::Script | Asker::Poll => {}
        }
    }

    /// What an answer says about the machine.
    fn learn(&mut self, asked: &Asked, value: Option<&str>) {
        match (asked.name.as_str(), value) {
            ("QG", Some(value)) => {
                if let Ok(bits) = u8::from_str_radix(value, 16) {
                    self.hear_status(bits);
                }
            }
            ("QS", Some(value)) => {
                if let Some((first, second)) = value.split_once(',')
                    && let (Ok(first), Ok(second)) = (first.parse(), second.parse())
                {
                    self.machine.steps = Some([first, second]);
                    self.tell_position();
                }
            }
            ("QC", Some(value)) => {
                let supply = value.split(',').nth(1).and_then(|text| text.parse::<u32>().ok());
                if let Some(supply) = supply {
                    self.hear_supply(supply >= LEAST_SUPPLY);
                }
            }
            ("QE", Some(value)) => self.machine.motors_on = !value.contains('0'),
            // Only a restart clears what was put there.
            ("QL", Some("0")) if asked.origin == Asker::Poll => self.restarted(),
            ("QU", Some(value)) => self.queue_length(&asked.text, value),
            ("EM", _) => {
                self.machine.status = None;
                self.machine.motors_on = !asked.text.ends_with(b",0,0");
                self.machine.steps = Some([0; 2]);
                self.tell_position();
            }
            ("SM" | "XM" | "LM" | "LT" | "HM", _) => {
                self.machine.status = None;
                self.machine.motors_on = true;
            }
            ("SP" | "TP" | "S2" | "ES", _) => self.machine.status = None,
            _ => {}
        }
    }

    fn hear_status(&mut self, bits: u8) {
        // Older firmware has the state of two pins in the two upper bits.
        let status = Status(if self.machine.version[0] >= 3 { bits } else { bits & 0x3f });
        self.machine.status = Some(status);
        if !status.busy() {
            self.since_idle = 0;
            self.machine.busy_until = self.now;
        }
        self.tell_position();
        if status.limit() && matches!(self.phase, Phase::Running(_)) {
            return self.limit();
        }
        if status.button() {
            self.pause(Halt::Machine("the button of the machine was pressed".to_owned()));
        }
    }

    fn hear_supply(&mut self, powered: bool) {
        self.machine.powered = Some(powered);
        if !powered && matches!(self.phase, Phase::Running(_)) {
            let reason = "the motors have lost their power".to_owned();
            self.say(Event::Fault(reason.clone()));
            self.stop(Why::Interrupted(reason));
            self.stop_lost();
        }
    }

    fn limit(&mut self) {
        let reason = "a limit switch has closed".to_owned();
        self.say(Event::Fault(reason.clone()));
        if matches!(self.phase, Phase::Running(_)) {
            self.stop(Why::Interrupted(reason));
            self.stop_lost();
        } else {
            self.machine.status = Some(Status(0x80));
        }
    }

    fn refused(&mut self, asked: &Asked, error: String) {
        match asked.origin {
            Asker::Feed(origin) => {
                let text = String::from_utf8_lossy(&asked.text);
                let message = format!("{error}: {text}");
                let why = match origin {
                    Origin::File(line) => Why::Failed { line: Some(line), message },
                    Origin::Script(name, index) => Why::Failed {
                        line: None,
                        message: format!("{name} {}: {message}", index + 1),
                    },
                    Origin::Console => Why::Failed { line: None, message },
                };
                self.say(Event::Fault(why.to_string()));
                self.stop(why);
            }
            Asker::Console => self.console_done(None, Some(error)),
            Asker::Script => {
                let text = String::from_utf8_lossy(&asked.text).into_owned();
                self.say(Event::Fault(format!("{error}: {text}")));
                if let Phase::Errand { .. } = self.phase {
                    self.phase = Phase::Ready;
                    let refused = Refused::Machine { message: error, lines: Vec::new() };
                    self.say(Event::Answered(Err(refused)));
                }
            }
            Asker::Stop => {
                let text = String::from_utf8_lossy(&asked.text).into_owned();
                self.say(Event::Fault(format!("on_stop: {error}: {text}")));
            }
            Asker::Poll => {}
        }
    }
}
