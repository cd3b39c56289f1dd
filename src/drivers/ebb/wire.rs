//! What an EBB says: which line answers what.
//!
//! Firmware 3 has a syntax in which every answer begins with the name of what it answers. The older
//! one has none: which lines follow must be known for each command (evil-mad/EggBot, docs/ebb2.html).

/// Longer lines are no answers; what is beyond is thrown away.
const LONGEST: usize = 4096;

/// Cuts what comes over the wire into lines, whatever ends them.
#[derive(Debug, Default)]
pub(super) struct Lines {
    line: Vec<u8>,
}

impl Lines {
    /// Calls `each` with every line that is whole now and can be read; a part stays for later.
    pub(super) fn feed(&mut self, bytes: &[u8], mut each: impl FnMut(&str)) {
        for byte in bytes {
            match byte {
                b'\r' | b'\n' => {
                    if let Ok(text) = str::from_utf8(&self.line)
                        && !text.is_empty()
                        && !text.chars().any(char::is_control)
                    {
                        each(text);
                    }
                    self.line.clear();
                }
                _ if self.line.len() >= LONGEST => {}
                byte => self.line.push(*byte),
            }
        }
    }

    pub(super) fn clear(&mut self) {
        self.line.clear();
    }
}

/// The name of a command: its first one or two letters, in capitals.
pub(super) fn name_of(line: &[u8]) -> String {
    let end = line.iter().position(|byte| *byte == b',').unwrap_or(line.len()).min(2);
    String::from_utf8_lossy(&line[..end]).to_ascii_uppercase()
}

/// What a line means for the question that has been asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is done; with what was asked for.
    Done(Option<String>),
    /// It has been refused.
    Refused(String),
    /// Part of an answer of the old syntax.
    Part(String),
}

/// How the old syntax answers.
#[derive(Clone, Copy, PartialEq)]
enum Shape {
    /// `OK`.
    Ok,
    /// A value and nothing more.
    Value,
    /// A value, then `OK`.
    ValueOk,
}

fn shape(name: &str) -> Shape {
    match name {
        "V" | "QG" | "QM" | "PI" | "I" | "A" | "MR" => Shape::Value,
        "ES" | "QB" | "QC" | "QE" | "QL" | "QN" | "QP" | "QR" | "QS" | "QT" | "QU" => {
            Shape::ValueOk
        }
        _ => Shape::Ok,
    }
}

/// What `line` says to a command of this name, if it can be its answer; `part` is what the old syntax
/// has said already.
pub(super) fn answer(name: &str, part: Option<&str>, line: &str, future: bool) -> Option<Answer> {
    if future {
        let rest = line.strip_prefix(name)?;
        return Some(match rest.strip_prefix(',') {
            None if rest.is_empty() => Answer::Done(None),
            None => return None,
            Some(error) if error.starts_with('!') => Answer::Refused(error.to_owned()),
            Some(value) => Answer::Done(Some(value.to_owned())),
        });
    }
    // An error has a number, noise has none.
    if line.strip_prefix('!').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
        return Some(Answer::Refused(line.strip_suffix("OK").unwrap_or(line).to_owned()));
    }
    match (shape(name), line) {
        (Shape::Ok, "OK") => Some(Answer::Done(None)),
        (Shape::ValueOk, "OK") if part.is_some() || name == "QT" => {
            Some(Answer::Done(part.map(str::to_owned)))
        }
        (Shape::Ok, _) | (_, "OK") => None,
        (Shape::ValueOk, _) if part.is_none() && fits(name, line) => {
            Some(Answer::Part(line.to_owned()))
        }
        (Shape::Value, _) if fits(name, line) => {
            let value = line.strip_prefix(name).and_then(|rest| rest.strip_prefix(','));
            Some(Answer::Done(Some(value.unwrap_or(line).to_owned())))
        }
        _ => None,
    }
}

/// Whether a value looks like one of this query.
fn fits(name: &str, value: &str) -> bool {
    let numbers = |count: usize| {
        value.split(',').count() == count
            && value.split(',').all(|number| number.parse::<i64>().is_ok())
    };
    match name {
        "QG" => value.len() == 2 && u8::from_str_radix(value, 16).is_ok(),
        "QM" => value.starts_with("QM,"),
        "V" => value.contains("Firmware Version"),
        "QS" | "QC" | "QE" => numbers(2),
        "ES" | "QB" | "QP" | "QR" => matches!(value, "0" | "1"),
        "QL" | "QN" => numbers(1),
        _ => true,
    }
}

/// True for a line that only a board says that has just started, or that has been asked who it is.
pub(super) fn is_banner(line: &str) -> bool {
    line.starts_with("EBBv")
}

/// The version in `EBBv13_and_above EB Firmware Version 3.0.2`, and what it is as numbers.
pub(super) fn version(line: &str) -> Option<(String, [u32; 2])> {
    let (_, text) = line.split_once("Firmware Version ")?;
    let mut numbers = text.split('.').map(str::parse);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else { return None };
    Some((text.trim().to_owned(), [major, minor]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(value: &str) -> Answer {
        Answer::Done(Some(value.to_owned()))
    }

    #[test]
    fn the_new_syntax_names_its_commands() {
        let say = |name, line| answer(name, None, line, true);
        assert_eq!(say("SM", "SM"), Some(Answer::Done(None)));
        assert_eq!(say("QS", "QS,1,-2"), Some(done("1,-2")));
        assert_eq!(
            say("V", "V,EBBv13 EB Firmware Version 3.0.2"),
            Some(done("EBBv13 EB Firmware Version 3.0.2"))
        );
        let refused = Answer::Refused("!4 Err: Missing parameter(s)".to_owned());
        assert_eq!(say("SM", "SM,!4 Err: Missing parameter(s)"), Some(refused));
        assert_eq!(say("S", "SM"), None);
        assert_eq!(say("SM", "OK"), None);
    }

    #[test]
    fn the_old_syntax_answers_as_it_pleases() {
        let say = |name, part, line| answer(name, part, line, false);
        assert_eq!(say("SM", None, "OK"), Some(Answer::Done(None)));
        assert_eq!(say("QG", None, "3E"), Some(done("3E")));
        assert_eq!(say("QG", None, "OK"), None);
        assert_eq!(say("QM", None, "QM,0,0,0,0"), Some(done("0,0,0,0")));
        assert_eq!(say("QS", None, "OK"), None);
        assert_eq!(say("QS", None, "4,-5"), Some(Answer::Part("4,-5".to_owned())));
        assert_eq!(say("QS", Some("4,-5"), "OK"), Some(done("4,-5")));
        assert_eq!(say("ES", None, "4,-5"), None);
        assert_eq!(say("SM", None, "!x"), None);
        assert_eq!(
            say("XM", None, "!6 Err: Invalid parameter valueOK"),
            Some(Answer::Refused("!6 Err: Invalid parameter value".to_owned()))
        );
    }

    #[test]
    fn lines_end_in_any_way() {
        let (mut lines, mut seen) = (Lines::default(), Vec::new());
        for piece in
            [&b"1,2\n\rOK\r"[..], b"\nQS,", b"1\n\xff\xfe\n\x07\n", &[b'x'; 9000], b"\nV\n"]
        {
            lines.feed(piece, |line| seen.push(line.to_owned()));
        }
        seen.retain(|line| !line.starts_with('x'));
        assert_eq!(seen, ["1,2", "OK", "QS,1", "V"]);
    }

    #[test]
    fn versions_are_numbers() {
        let text = "EBBv13_and_above EB Firmware Version 2.8.1";
        assert_eq!(version(text), Some(("2.8.1".to_owned(), [2, 8])));
        assert_eq!(version("hello"), None);
    }
}
