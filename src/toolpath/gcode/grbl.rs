//! A line as GRBL reads it: a block, of which all words belong together.

use super::{
    Interpreter, Words,
    interpreter::{Asked, NOT_GCODE},
};
use crate::{domain::Light, toolpath::Found};

impl Interpreter {
    pub(super) fn block(&mut self, line: &[u8], asked: &mut Asked, found: &mut Found) {
        for word in Words::new(line) {
            let Ok((letter, value)) = word else {
                found.note(Light::Red, "syntax", NOT_GCODE);
                break;
            };
            match letter {
                b'G' => self.g(value, asked, found),
                b'M' => self.m(value, asked, found),
                b'T' => asked.tool = Some(value),
                // It has no filament.
                b'E' => {}
                letter => asked.word(letter, value),
            }
            if matches!(letter, b'G' | b'M' | b'T') {
                self.watched(letter, value, found);
            }
        }
    }
}
