//! What is wrong with an instruction.

use std::borrow::Cow;

use super::super::Note;
use crate::domain::Light;

/// Of what is no instruction, so much is shown.
const SHOWN: usize = 16;

/// The numbers of an instruction, or why they are none.
pub(super) fn numbers(name: &[u8], text: &[u8]) -> Result<Vec<f64>, Note> {
    let text = std::str::from_utf8(text).unwrap_or_default();
    let parts = text.trim_end_matches(';').split(',').filter(|part| !part.is_empty());
    let Ok(numbers) = parts.map(str::parse).collect::<Result<Vec<f64>, _>>() else {
        return Err(broken(name, "a number that is none"));
    };
    let least = match name {
        b"CI" => 1,
        b"EA" | b"ER" | b"RA" | b"RR" => 2,
        b"AA" | b"AR" | b"EW" | b"WG" => 3,
        b"AT" | b"RT" => 4,
        _ => 0,
    };
    if numbers.len() < least { Err(broken(name, "too few numbers")) } else { Ok(numbers) }
}

/// A label without its end takes what follows it for text.
pub(super) fn swallows(text: &[u8]) -> bool {
    text.windows(3).any(|it| matches!(it, b";PU" | b";PD" | b";PA" | b";SP"))
}

/// A machine draws something else than what is followed here.
pub(super) fn off(text: impl Into<Cow<'static, str>>) -> Note {
    Note { severity: Light::Amber, code: "hpgl", text: text.into() }
}

/// Most machines leave out what they do not know.
pub(super) fn unknown(name: &[u8]) -> Note {
    let text = format!("{} is not known", shown(name));
    Note { code: "unknown-instruction", ..off(text) }
}

/// An instruction of which a part is missing or spoilt.
pub(super) fn broken(name: &[u8], what: &str) -> Note {
    syntax(format!("{} has {what}", shown(name)))
}

/// What does not begin as an instruction does. Cutters have some of their own that begin with ! or @.
pub(super) fn strange(text: &[u8]) -> Note {
    let text = text.strip_suffix(b";").unwrap_or(text);
    match text {
        [b'!' | b'@', ..] => unknown(text),
        _ => syntax(format!("text that is not HPGL: \"{}\"", shown(text))),
    }
}

fn syntax(text: String) -> Note {
    Note { severity: Light::Red, code: "syntax", text: text.into() }
}

fn shown(text: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(text.get(..SHOWN).unwrap_or(text))
}
