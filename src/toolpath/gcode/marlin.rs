//! A line as Marlin reads it: one command. Only G0 to G3 and G5 (and G38, which probes) move to
//! where their parameters say; those of any other command are its own.

use super::{
    Interpreter, NotAWord,
    command::{Command, Parameters, without_number},
    interpreter::{Asked, NOT_GCODE, Special},
    modal::Anchor,
};
use crate::{domain::Light, toolpath::Found};

impl Interpreter {
    pub(super) fn command(&mut self, line: &[u8], asked: &mut Asked, found: &mut Found) {
        asked.what = Special::Nothing;
        let Some(mut command) = Command::read(line) else {
            return self.no_command(without_number(line), asked, found);
        };
        self.is_watched(&command, found);
        if (command.letter, command.code) == (b'G', 53) {
            self.g(53.0, asked, found);
            // What follows it on its line is a command again.
            let Some(next) = Command::read(command.text) else { return };
            self.is_watched(&next, found);
            command = next;
        }
        let Command { letter, code, sub, .. } = command;
        match (letter, code) {
            (b'G', 0..=3) => {
                self.g(f64::from(code), asked, found);
                asked.what = Special::Move;
            }
            (b'G', 5) => {
                found.more = true;
                asked.what = Special::Curve;
                let text = "a curve (G5), which not every Marlin knows";
                found.note(Light::Amber, "unknown-word", text);
            }
            (b'G', 38) if (2..=5).contains(&sub) => {
                self.g(38.0 + f64::from(sub) / 10.0, asked, found);
                asked.what = Special::Move;
            }
            (b'G', 59) if sub <= 3 => self.g(59.0 + f64::from(sub) / 10.0, asked, found),
            (b'G', 92) if sub <= 1 => self.g(92.0 + f64::from(sub) / 10.0, asked, found),
            (b'G', 4 | 17..=21 | 28 | 54..=58 | 80 | 90 | 91) => {
                self.g(f64::from(code), asked, found);
            }
            (b'G', _) => {
                found.more = true;
                // These end where the file does not say: probing, parking, cleaning, going back.
                if matches!(code, 12 | 27 | 29 | 30 | 33..=35 | 61 | 76 | 425) {
                    self.modal.anchor = [Anchor::Lost; 3];
                }
            }
            (b'M', _) => {
                self.m(f64::from(code), asked, found);
                match code {
                    3 | 4 => asked.s = command.value(b'S'),
                    6 => asked.tool = command.value(b'T'),
                    // How it is to be done is for the machine.
                    600 => found.more |= !command.is_bare(),
                    _ => {}
                }
            }
            _ => {
                found.more = true;
                asked.tool = Some(f64::from(code));
            }
        }
        if command.is_macro() {
            found.note(Light::Amber, "system-command", "a macro, which is not followed");
        } else if !command.takes_text() && (letter, code) != (b'M', 217) {
            // That one has parameters whose letters are G and M.
            self.parameters(command.parameters(), asked, found);
        }
    }

    /// Built with `GCODE_MOTION_MODES` it repeats the last move.
    fn no_command(&mut self, text: &[u8], asked: &mut Asked, found: &mut Found) {
        match text.first().map(u8::to_ascii_uppercase) {
            // A number alone, and what a changer of filaments is told (`T?`, `Tx`).
            None | Some(b'*' | b'T') => self.parameters(Parameters::of(text), asked, found),
            Some(b'X' | b'Y' | b'Z' | b'E' | b'F' | b'I' | b'J' | b'R') => {
                asked.what = Special::Move;
                self.parameters(Parameters::of(text), asked, found);
                let text = "no command: Marlin leaves the line out, or repeats the last move if \
                            it is built to";
                found.note(Light::Amber, "no-command", text);
            }
            Some(_) => found.note(Light::Red, "syntax", NOT_GCODE),
        }
    }

    fn parameters(&self, parameters: Parameters<'_>, asked: &mut Asked, found: &mut Found) {
        let moves = matches!(asked.what, Special::Move | Special::Curve);
        let mut named = [false; 3];
        for parameter in parameters {
            match parameter {
                Ok((letter @ (b'G' | b'M'), Some(value))) => {
                    self.watched(letter, value.trunc(), found);
                    let text = "a second command on a line, which Marlin leaves out";
                    found.note(Light::Amber, "second-command", text);
                }
                Ok((letter @ b'X'..=b'Z', _)) if matches!(asked.what, Special::Home(_)) => {
                    named[usize::from(letter - b'X')] = true;
                }
                Ok((b'F', Some(_))) if !moves => {}
                Ok((letter, Some(value))) if asked.what != Special::Nothing => {
                    asked.word(letter, value);
                }
                Ok((_, None)) | Err(NotAWord) if moves => {
                    return found.note(Light::Red, "syntax", NOT_GCODE);
                }
                _ => {}
            }
        }
        if named != [false; 3] {
            asked.what = Special::Home(named);
        }
    }

    /// Reports a command that is watched for. Marlin carries out M502.1 as M502; what a macro keeps
    /// is carried out later.
    fn is_watched(&self, command: &Command<'_>, found: &mut Found) {
        let Command { letter, code, sub, text } = *command;
        self.watched(letter, f64::from(code), found);
        if sub > 0 {
            self.watched(letter, f64::from(code) + f64::from(sub) / 10.0, found);
        }
        if command.is_macro() {
            let kept = text.split(|byte| *byte == b'|').filter_map(Command::read);
            for kept in kept.filter(|kept| !kept.is_macro()) {
                self.is_watched(&kept, found);
            }
        }
    }
}
