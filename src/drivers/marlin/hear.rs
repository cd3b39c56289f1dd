//! What each thing that the machine says means in each phase.

use std::time::Duration;

use super::{
    Event, Halt, Marlin, Phase, Refused, Tag, Why,
    job::Pause,
    reports::{Whereabouts, temperatures},
    wire::{Acknowledgement, Said},
};

impl Marlin {
    /// One line.
    pub(super) fn hear(&mut self, line: &[u8]) {
        let said = Said::of(line);
        if said != Said::Nothing {
            self.machine.heard = self.now;
        }
        match said {
            Said::Ok(answer) => {
                if answer.temperatures {
                    self.hear_warmth(&String::from_utf8_lossy(line));
                }
                self.hear_ok(answer);
            }
            Said::Resend(number) => self.hear_resend(number),
            Said::Busy(user) => self.hear_busy(user),
            Said::Wait => self.hear_wait(),
            Said::Banner => self.hear_banner(),
            Said::Error(text) => self.hear_error(text),
            Said::Action(what) => match what {
                "pause" | "paused" => {
                    self.pause(Halt::Machine("the machine asks for a pause".to_owned()));
                }
                "resume" | "resumed" => self.resume(),
                "cancel" => self.stop(Why::Cancelled),
                _ => self.chat(&format!("//action:{what}")),
            },
            Said::Text(text) => self.hear_text(text),
            Said::Nothing => {}
        }
    }

    /// Passes on what the machine says, but no more than twenty lines a second.
    pub(super) fn chat(&mut self, text: &str) {
        let (since, count) = &mut self.chatter;
        if self.now.saturating_sub(*since) > Duration::from_secs(1) {
            (*since, *count) = (self.now, 0);
        }
        *count += 1;
        if *count <= 20 {
            self.say(Event::Said(text.to_owned()));
        }
    }

    fn is_answering_a_person(&self) -> bool {
        self.window.front().is_some_and(|(tag, _)| tag == Tag::Console)
    }

    fn hear_ok(&mut self, answer: Acknowledgement) {
        if let Some(slots) = answer.slots {
            // What is free behind the line that is answered, and its own.
            self.window.set_slots(slots + 1);
        }
        if let Some(blocks) = answer.blocks {
            self.machine.blocks = self.machine.blocks.max(blocks as u64 + 1);
        }
        match &self.phase {
            Phase::Identifying { .. } => return self.identified(),
            Phase::Closed | Phase::Greeting { .. } | Phase::Estop { .. } | Phase::Halted(_) => {
                return;
            }
            Phase::Stopping(stop) if stop.is_halting() => return,
            _ => {}
        }
        // It belongs to a line that is sent again anyway, or to the request for that.
        if self.recovery.is_quiet() {
            return self.recovery.hear(self.now);
        }
        if let Some((message, _)) = self.machine.error.take() {
            self.line_failed(&message);
        }
        let count = if answer.temperatures {
            match self.window.acknowledge_warmth() {
                Some(count) => count,
                None => return self.send_all_again(),
            }
        } else {
            self.window.acknowledge(answer.number)
        };
        if count == 0 {
            if answer.number.is_none() && !answer.temperatures {
                self.chat("an acknowledgement too many");
            }
            return;
        }
        self.moved();
        self.warm(false);
        for back in (0..count).rev() {
            if let Some(tag) = self.window.acknowledged_tag(back) {
                self.acknowledged(tag);
            }
        }
        // Which of several questions it has answered is not known.
        if answer.temperatures && self.window.awaits_warmth() {
            self.send_all_again();
        }
    }

    /// Something goes on.
    pub(super) fn moved(&mut self) {
        self.machine.moved = self.now;
        self.recovery.progress();
    }

    /// Its reports tell that a job waits for the heaters; the next acknowledgement ends that.
    fn warm(&mut self, is_warming: bool) {
        if let Phase::Running(job) = &mut self.phase
            && std::mem::replace(&mut job.is_warming, is_warming) != is_warming
        {
            self.say(Event::Warming(is_warming));
        }
    }

    fn acknowledged(&mut self, tag: Tag) {
        if let Phase::Running(job) = &mut self.phase
            && job.pause == Pause::Machine
        {
            job.pause = Pause::No;
            self.say(Event::Resumed);
        }
        match tag {
            Tag::File(number) => self.count_acknowledged(number),
            Tag::Console => self.console_done(),
            _ => {}
        }
    }

    fn hear_busy(&mut self, user: bool) {
        self.machine.says_busy = true;
        self.moved();
        match &mut self.phase {
            Phase::Running(job) if user && job.pause == Pause::No => {
                job.pause = Pause::Machine;
                self.say(Event::Paused(Halt::Machine("the machine waits for a person".to_owned())));
            }
            Phase::Stopping(_) => self.busy_while_halting(),
            _ => {}
        }
    }

    fn hear_banner(&mut self) {
        let message = "the machine was reset".to_owned();
        match &self.phase {
            Phase::Closed => return,
            Phase::Greeting { .. }
            | Phase::Identifying { .. }
            | Phase::Ready
            | Phase::Halted(_) => {}
            Phase::Estop { .. } => self.estop_confirmed(),
            Phase::Stopping(_) => self.reset_while_stopping(),
            Phase::Running(_) => self.job_lost(message),
            Phase::Console(_) => {
                self.console_failed(Refused::Machine { message, lines: Vec::new() });
            }
        }
        self.greet_again();
    }

    fn hear_error(&mut self, text: &str) {
        // What follows is a request to send again.
        if text.contains("Last Line") {
            return;
        }
        let fatal = ["kill()", "halted", "system stopped", "Printer stopped"];
        if fatal.iter().any(|word| text.contains(word)) {
            if !text.contains("kill()") {
                self.machine.last_error = Some(text.to_owned());
            }
            return self.halted();
        }
        self.machine.last_error = Some(text.to_owned());
        if self.is_answering_a_person()
            && let Phase::Console(console) = &mut self.phase
        {
            return console.fail(&format!("Error: {text}"));
        }
        let harmless = ["SD", "volume", "openRoot", "RX BUF", "EEPROM"];
        if harmless.iter().any(|word| text.contains(word)) || !self.window.has_under_way() {
            return self.chat(&format!("Error: {text}"));
        }
        // It may be a request to send again, garbled.
        self.machine.error = Some((format!("Error: {text}"), self.now));
    }

    fn hear_text(&mut self, text: &str) {
        if let Phase::Identifying { .. } = self.phase {
            return self.hear_identity(text);
        }
        if self.is_answering_a_person()
            && let Phase::Console(console) = &mut self.phase
        {
            console.hear(text);
        }
        if let Some(found) = Whereabouts::parse(text) {
            self.hear_position(&found);
        } else if self.hear_warmth(text) {
            // The reports of a machine that waits for its heaters are signs of life.
            if text.contains(" W:") {
                self.moved();
                self.warm(true);
            }
        } else if matches!(self.phase, Phase::Running(_)) && text.contains("Unknown command") {
            self.say(Event::Fault(text.trim_start_matches("echo:").to_owned()));
        } else if !matches!(self.phase, Phase::Console(_)) {
            self.chat(text);
        }
    }

    fn hear_warmth(&mut self, text: &str) -> bool {
        let found = temperatures(text, &self.machine.temperatures);
        if found.is_empty() {
            return false;
        }
        if self.is_answering_a_person()
            && text.starts_with("ok")
            && let Phase::Console(console) = &mut self.phase
        {
            console.hear(text[2..].trim());
        }
        if found != self.machine.temperatures {
            self.machine.temperatures.clone_from(&found);
            self.say(Event::Temperatures(found));
        }
        true
    }

    fn hear_position(&mut self, found: &Whereabouts) {
        if self.machine.position != Some(found.position) {
            self.machine.position = Some(found.position);
            self.say(Event::Position(Some(found.position), Some(found.position.z > 0.0)));
        }
        // The count of a machine that moves is another one by the next time.
        let before = self.machine.count.replace(found.count);
        if before == Some(found.count) {
            self.machine.restless = false;
        }
        match &mut self.phase {
            Phase::Running(job) => job.hear_position(),
            Phase::Stopping(_) => self.position_while_stopping(),
            _ => {}
        }
    }
}
