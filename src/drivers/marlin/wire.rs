//! What Marlin says, line by line (MarlinFirmware/Marlin, `src/core/language.h`,
//! `src/gcode/queue.cpp`).

/// One line from the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said<'a> {
    /// A line has been carried out or planned.
    Ok(Acknowledgement),
    /// It wants the lines from this number on again.
    Resend(u64),
    /// It works; true = it waits for a person.
    Busy(bool),
    /// It has nothing to do.
    Wait,
    /// It has started anew.
    Banner,
    /// `Error:`, without that word.
    Error(&'a str),
    /// `//action:`, without that word.
    Action(&'a str),
    /// Anything else that can be read.
    Text(&'a str),
    /// Nothing, or noise.
    Nothing,
}

/// What stands in an `ok`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Acknowledgement {
    /// The number of the line (`ADVANCED_OK`).
    pub(super) number: Option<u64>,
    /// Free blocks of the planner (`ADVANCED_OK`).
    pub(super) blocks: Option<usize>,
    /// Free lines of the queue, without this one's (`ADVANCED_OK`).
    pub(super) slots: Option<usize>,
    /// It is the answer to M105.
    pub(super) temperatures: bool,
}

impl Acknowledgement {
    fn of(text: &str) -> Self {
        let mut all = Self::default();
        for word in text.split_ascii_whitespace() {
            let (letter, value) = word.split_at_checked(1).unwrap_or((word, ""));
            match letter {
                "N" => all.number = value.parse().ok(),
                "P" => all.blocks = value.parse().ok(),
                "B" if !value.starts_with(':') => all.slots = value.parse().ok(),
                "T" => all.temperatures = true,
                _ => {}
            }
        }
        all
    }
}

impl<'a> Said<'a> {
    pub(super) fn of(line: &'a [u8]) -> Self {
        let line = line.trim_ascii();
        if line == b"ok" {
            return Self::Ok(Acknowledgement::default());
        }
        let Ok(text) = str::from_utf8(line) else { return Self::Nothing };
        if text.is_empty() || text.chars().any(char::is_control) {
            return Self::Nothing;
        }
        let number = |digits: &str| digits.trim().parse().ok();
        let asks = text.strip_prefix("Resend:").or_else(|| text.strip_prefix("rs "));
        if let Some(number) = asks.and_then(number) {
            Self::Resend(number)
        } else if let Some(rest) = text.strip_prefix("ok ") {
            Self::Ok(Acknowledgement::of(rest))
        } else if let Some(what) = text.strip_prefix("echo:busy:") {
            Self::Busy(what.contains("paused"))
        } else if text == "wait" {
            Self::Wait
        } else if text == "start" {
            Self::Banner
        } else if let Some(what) = text.strip_prefix("Error:") {
            Self::Error(what.trim())
        } else if let Some(what) = text.strip_prefix("//action:") {
            Self::Action(what.trim())
        } else {
            Self::Text(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_from_everything_else() {
        let text = "start\necho:Marlin1.0.0\nok\nok N12 P15 B3\nok T:21.0 /0.0 B:22.0 /0.0 @:0\n\
            Resend: 7\nResend:8\nrs 9\nResend: x\necho:busy: processing\n\
            echo:busy: paused for user\nwait\nError:checksum mismatch, Last Line: 6\n\
            //action:pause\nokay\n T:21.0 /0.0\n\u{1}ok\n\n";
        let said: Vec<_> =
            text.lines().map(|line| format!("{:?}", Said::of(line.as_bytes()))).collect();
        insta::assert_snapshot!(said.join("\n"), @r#"
        Banner
        Text("echo:Marlin1.0.0")
        Ok(Acknowledgement { number: None, blocks: None, slots: None, temperatures: false })
        Ok(Acknowledgement { number: Some(12), blocks: Some(15), slots: Some(3), temperatures: false })
        Ok(Acknowledgement { number: None, blocks: None, slots: None, temperatures: true })
        Resend(7)
        Resend(8)
        Resend(9)
        Text("Resend: x")
        Busy(false)
        Busy(true)
        Wait
        Error("checksum mismatch, Last Line: 6")
        Action("pause")
        Text("okay")
        Text("T:21.0 /0.0")
        Nothing
        Nothing
        "#);
        assert_eq!(Said::of(b"\xff\xfeok"), Said::Nothing);
    }
}
