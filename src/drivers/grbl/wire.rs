//! What GRBL says, line by line.

/// Longer lines are no answers of GRBL; what is beyond is thrown away.
const LONGEST: usize = 4096;

/// Cuts what comes over the wire into lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    line: Vec<u8>,
}

impl Lines {
    /// Calls `each` with every line that is whole now; a part stays for the next time.
    pub(super) fn feed<'a>(&mut self, mut bytes: &'a [u8], mut each: impl FnMut(Said<'_>)) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let piece: &'a [u8] = &bytes[..end];
            bytes = &bytes[end + 1..];
            if self.line.is_empty() {
                each(Said::of(piece));
            } else {
                self.keep(piece);
                each(Said::of(&self.line));
                self.line.clear();
            }
        }
        self.keep(bytes);
    }

    pub(super) fn clear(&mut self) {
        self.line.clear();
    }

    fn keep(&mut self, piece: &[u8]) {
        let room = LONGEST.saturating_sub(self.line.len());
        self.line.extend_from_slice(&piece[..piece.len().min(room)]);
    }
}

/// One line from the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said<'a> {
    /// A line has been carried out or planned.
    Ok,
    /// A line has been refused.
    Error(u8),
    /// The machine has locked itself.
    Alarm(u8),
    /// The machine has started anew.
    Banner(&'a str),
    /// The answer to `?`, without its brackets.
    Report(&'a str),
    /// Anything else that can be read.
    Text(&'a str),
    /// Nothing, or noise.
    Nothing,
}

impl<'a> Said<'a> {
    fn of(line: &'a [u8]) -> Self {
        let line = line.trim_ascii();
        if line == b"ok" {
            return Self::Ok;
        }
        let Ok(text) = str::from_utf8(line) else { return Self::Nothing };
        let number = |digits: &str| digits.trim().parse().ok();
        if let Some(number) = text.strip_prefix("error:").and_then(number) {
            Self::Error(number)
        } else if let Some(number) = text.strip_prefix("ALARM:").and_then(number) {
            Self::Alarm(number)
        } else if text.starts_with("Grbl ") {
            Self::Banner(text)
        } else if let Some(report) = text.strip_prefix('<').and_then(|text| text.strip_suffix('>'))
        {
            Self::Report(report)
        } else if text.is_empty() || text.chars().any(char::is_control) {
            Self::Nothing
        } else {
            Self::Text(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(chunks: &[&[u8]]) -> Vec<String> {
        let mut lines = Lines::default();
        let mut said = Vec::new();
        for chunk in chunks {
            lines.feed(chunk, |line| said.push(format!("{line:?}")));
        }
        said
    }

    #[test]
    fn answers_are_told_from_everything_else() {
        let text =
            b"\r\nGrbl 1.1h ['$' for help]\r\nok\r\nerror:20\r\nALARM:2\r\n<Idle|FS:0,0>\r\n\
            [MSG:hello]\r\nerror:ok\r\nokay\r\n\xff\xfe\r\n";
        insta::assert_snapshot!(all(&[text]).join("\n"), @r#"
        Nothing
        Banner("Grbl 1.1h ['$' for help]")
        Ok
        Error(20)
        Alarm(2)
        Report("Idle|FS:0,0")
        Text("[MSG:hello]")
        Text("error:ok")
        Text("okay")
        Nothing
        "#);
    }

    #[test]
    fn an_endless_line_takes_no_memory_and_the_next_one_is_read() {
        let mut lines = Lines::default();
        for _ in 0..1000 {
            lines.feed(&[b'x'; 1024], |_| unreachable!("no line has ended"));
        }
        assert!(lines.line.len() <= LONGEST);
        let mut last = None;
        lines.feed(b"\nok\n", |said| last = Some(format!("{said:?}")));
        assert_eq!(last.as_deref(), Some("Ok"));
    }

    proptest! {
        /// How a transmission is cut into reads makes no difference.
        #[test]
        fn pieces_make_no_difference(text in "(ok|error:9|<a|b>|\r\n|\n|x){0,30}", cut in 0_usize..100) {
            let (head, tail) = text.as_bytes().split_at(cut.min(text.len()));
            prop_assert_eq!(all(&[text.as_bytes()]), all(&[head, tail]));
        }
    }
}
