//! Cuts a file into the lines that go to the machine.

use super::hpgl;

/// What of a line of a file goes to the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// G-code for GRBL: comments are taken out; so are bytes that it would act on wherever they
    /// stand (`?`, `!`, `~`, control characters and everything from 0x80 on; gnea/grbl,
    /// interface.md).
    #[default]
    Gcode,
    /// G-code for Marlin: what follows `;` is a comment. Nothing else is taken out but control
    /// characters, since messages (M117) may say anything.
    Marlin,
    /// Commands for an EBB plotter; what follows `;` or `#` is a comment.
    Ebb,
    /// HP-GL instructions; see [`hpgl::Splitter`].
    Hpgl,
    /// Lines as they are, but for control characters.
    Lines,
}

impl Dialect {
    /// What goes to a machine of this driver.
    pub fn of(driver: &str) -> Self {
        match driver {
            "grbl" => Self::Gcode,
            "marlin" => Self::Marlin,
            "ebb" => Self::Ebb,
            "hpgl" => Self::Hpgl,
            _ => Self::Lines,
        }
    }

    /// Puts into `line` what of one line of a file, `raw`, goes to the machine.
    pub fn clean(self, raw: &[u8], line: &mut Vec<u8>) {
        match self {
            Self::Gcode => clean(raw, line),
            Self::Marlin => {
                let code = raw.iter().position(|byte| *byte == b';').unwrap_or(raw.len());
                printable(&raw[..code], line);
            }
            Self::Ebb => {
                let comment = raw.iter().position(|byte| matches!(byte, b';' | b'#'));
                printable(&raw[..comment.unwrap_or(raw.len())], line);
            }
            Self::Hpgl | Self::Lines => printable(raw, line),
        }
    }
}

/// A line of the file may have that many bytes, comments included.
pub const MAX_RAW_LINE: usize = 4096;

/// What comes next of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// A line for the machine; the number of it in the file, from 1.
    Line(u64),
    /// This line of the file is longer than [`MAX_RAW_LINE`]; it has been skipped.
    TooLong(u64),
    /// Nothing whole is left: supply more, or finish.
    More,
    /// Everything has been read.
    End,
}

/// Cuts a file, supplied piece by piece, into the lines that go to the machine, by its [`Dialect`].
/// A line ends with LF, CR LF or CR, as the machines themselves read it. Lines of which nothing is
/// left are not sent.
#[derive(Debug, Default)]
pub struct Splitter {
    dialect: Dialect,
    buffer: Vec<u8>,
    start: usize,
    number: u64,
    skipping: bool,
    finished: bool,
    /// The last line ended with a CR, the last byte so far: an LF that follows is no line of its own.
    half_end: bool,
    /// In its place where ends of lines mean nothing.
    instructions: Option<Box<hpgl::Splitter>>,
}

impl Splitter {
    /// At the beginning of a file of G-code.
    pub fn new() -> Self {
        Self::default()
    }

    /// At the beginning of a file in this dialect.
    pub fn of(dialect: Dialect) -> Self {
        let instructions = (dialect == Dialect::Hpgl).then(Box::default);
        Self { dialect, instructions, ..Self::default() }
    }

    /// More of the file.
    pub fn supply(&mut self, bytes: &[u8]) {
        if let Some(instructions) = &mut self.instructions {
            return instructions.supply(bytes);
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// There is no more.
    pub fn finish(&mut self) {
        if let Some(instructions) = &mut self.instructions {
            instructions.finish();
        }
        self.finished = true;
    }

    /// How many supplied bytes wait to be cut.
    pub fn waiting(&self) -> usize {
        match &self.instructions {
            Some(instructions) => instructions.waiting(),
            None => self.buffer.len() - self.start,
        }
    }

    /// True once [`Splitter::finish`] was called.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// Puts the next line for the machine into `line`, without a line end.
    pub fn next_line(&mut self, line: &mut Vec<u8>) -> Next {
        if let Some(instructions) = &mut self.instructions {
            return instructions.next_line(line);
        }
        loop {
            if self.half_end && self.start < self.buffer.len() {
                self.half_end = false;
                self.start += usize::from(self.buffer[self.start] == b'\n');
            }
            let rest = &self.buffer[self.start..];
            let (raw, used) = match line_end(rest) {
                Some(end) => {
                    let (raw, after) = rest.split_at(end);
                    self.half_end = after == b"\r";
                    (raw, end + 1 + usize::from(after.starts_with(b"\r\n")))
                }
                None if self.finished && (self.skipping || !rest.is_empty()) => (rest, rest.len()),
                None if self.finished => return Next::End,
                None => {
                    if rest.len() > MAX_RAW_LINE {
                        self.skipping = true;
                        self.start = self.buffer.len();
                    }
                    return Next::More;
                }
            };
            self.start += used;
            self.number += 1;
            if std::mem::take(&mut self.skipping) || raw.len() > MAX_RAW_LINE {
                return Next::TooLong(self.number);
            }
            self.dialect.clean(raw, line);
            if !line.is_empty() {
                return Next::Line(self.number);
            }
        }
    }
}

/// LF or CR.
pub(super) fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// Where the first line ends. Eight bytes at a time: every byte of every file passes here.
fn line_end(text: &[u8]) -> Option<usize> {
    /// One in each byte.
    const ONES: u64 = u64::MAX / 255;
    // The highest bit of the first byte that is 0 is set, and none below it.
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & (ONES << 7);
    let (words, rest) = text.as_chunks::<8>();
    let ends = words.iter().map(|bytes| {
        let word = u64::from_le_bytes(*bytes);
        zero(word ^ (ONES * u64::from(b'\n'))) | zero(word ^ (ONES * u64::from(b'\r')))
    });
    let mut ends = ends.enumerate();
    if let Some((index, ends)) = ends.find(|(_, ends)| *ends != 0) {
        let within = usize::try_from(ends.trailing_zeros() / 8).unwrap_or(0);
        return Some(index * 8 + within);
    }
    let end = rest.iter().position(|byte| is_line_end(*byte));
    end.map(|end| words.len() * 8 + end)
}

/// Bytes that pass as they are.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = b' ';
    while byte < 0x7f {
        plain[byte as usize] = !matches!(byte, b'(' | b')' | b';' | b'?' | b'!' | b'~' | b'%');
        byte += 1;
    }
    plain
};

fn printable(raw: &[u8], line: &mut Vec<u8>) {
    line.clear();
    line.extend(raw.iter().filter(|byte| !byte.is_ascii_control()));
    trim(line);
}

fn trim(line: &mut Vec<u8>) {
    line.truncate(line.trim_ascii_end().len());
    let blanks = line.len() - line.trim_ascii_start().len();
    line.drain(..blanks);
}

fn clean(raw: &[u8], line: &mut Vec<u8>) {
    line.clear();
    let raw = raw.trim_ascii();
    if raw.iter().all(|byte| PLAIN[usize::from(*byte)]) {
        line.extend_from_slice(raw);
        return;
    }
    let mut in_comment = false;
    for byte in raw {
        match byte {
            b')' if in_comment => in_comment = false,
            _ if in_comment => {}
            b'(' => in_comment = true,
            // `%` marks the ends of a tape; GRBL does not know it.
            b';' | b'%' => break,
            byte if PLAIN[usize::from(*byte)] => line.push(*byte),
            _ => {}
        }
    }
    trim(line);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines_of(chunks: &[&[u8]]) -> Vec<(u64, String)> {
        lines_in(Dialect::Gcode, chunks)
    }

    fn lines_in(dialect: Dialect, chunks: &[&[u8]]) -> Vec<(u64, String)> {
        let mut splitter = Splitter::of(dialect);
        let (mut lines, mut line) = (Vec::new(), Vec::new());
        for chunk in chunks {
            splitter.supply(chunk);
            while let Next::Line(number) = splitter.next_line(&mut line) {
                lines.push((number, String::from_utf8(line.clone()).unwrap()));
            }
        }
        splitter.finish();
        while let Next::Line(number) = splitter.next_line(&mut line) {
            lines.push((number, String::from_utf8(line.clone()).unwrap()));
        }
        lines
    }

    #[test]
    fn comments_blank_lines_and_realtime_bytes_are_left_out() {
        let text = b"%\r\n; a rose!\n\n g21 (mm) G90 \r\nG1 X1?! (a;b)Y2~;c\n\x18\x85\nM2";
        let lines = lines_of(&[text]);
        let expected = [(4, "g21  G90"), (5, "G1 X1 Y2"), (7, "M2")];
        assert_eq!(lines, expected.map(|(number, line)| (number, line.to_owned())));
    }

    #[test]
    fn each_dialect_keeps_what_its_machine_understands() {
        let text = b"M117 50% (done?) ; said\r\n;\n\x02 note; this \n";
        let of = |dialect| lines_in(dialect, &[text]).into_iter().map(|(_, line)| line);
        assert!(of(Dialect::Gcode).eq(["M117 50", "note"]));
        assert!(of(Dialect::Marlin).eq(["M117 50% (done?)", "note"]));
        assert!(of(Dialect::Lines).eq(["M117 50% (done?) ; said", ";", "note; this"]));
    }

    #[test]
    fn a_line_ends_with_lf_cr_lf_or_cr() {
        let expected = [(1, "G0 X1"), (2, "Y2"), (3, "X3"), (5, "Y4"), (8, "M2")];
        let expected = expected.map(|(number, line)| (number, line.to_owned()));
        let text = b"G0 X1\rY2\nX3\r\n\rY4;said\r\n\n;M5\rM2\r";
        for size in 1..=text.len() {
            let chunks: Vec<&[u8]> = text.chunks(size).collect();
            for dialect in [Dialect::Gcode, Dialect::Marlin, Dialect::Ebb] {
                assert_eq!(lines_in(dialect, &chunks), expected, "{size} bytes at a time");
            }
            let lines = lines_in(Dialect::Lines, &chunks);
            let said = lines.iter().map(|(number, line)| (*number, line.as_str()));
            assert!(said.eq([
                (1, "G0 X1"),
                (2, "Y2"),
                (3, "X3"),
                (5, "Y4;said"),
                (7, ";M5"),
                (8, "M2")
            ]));
        }
    }

    proptest! {
        #[test]
        fn the_first_end_is_found(
            text in proptest::collection::vec(
                prop_oneof![any::<u8>(), 8_u8..16, Just(b'\n'), Just(b'X')], 0..60),
        ) {
            prop_assert_eq!(line_end(&text), text.iter().position(|byte| is_line_end(*byte)));
        }
    }

    #[test]
    fn an_endless_line_is_reported_once_and_takes_no_memory() {
        let mut splitter = Splitter::new();
        let mut line = Vec::new();
        for _ in 0..100 {
            splitter.supply(&[b'x'; 4096]);
            assert_eq!(splitter.next_line(&mut line), Next::More);
            assert!(splitter.waiting() <= 2 * MAX_RAW_LINE);
        }
        splitter.supply(b"\nG1\n");
        assert_eq!(splitter.next_line(&mut line), Next::TooLong(1));
        assert_eq!(splitter.next_line(&mut line), Next::Line(2));
    }

    #[test]
    fn an_endless_last_line_is_reported_as_well() {
        let (mut splitter, mut line) = (Splitter::new(), Vec::new());
        splitter.supply(b"G1\n");
        splitter.supply(&[b'x'; MAX_RAW_LINE + 1]);
        assert_eq!(splitter.next_line(&mut line), Next::Line(1));
        assert_eq!(splitter.next_line(&mut line), Next::More);
        splitter.finish();
        assert_eq!(splitter.next_line(&mut line), Next::TooLong(2));
        assert_eq!(splitter.next_line(&mut line), Next::End);
    }

    proptest! {
        /// It makes no difference how a file is cut into pieces, and no byte that GRBL would act
        /// on, and no line end, is ever in a line.
        #[test]
        fn pieces_make_no_difference(
            text in proptest::collection::vec(
                prop_oneof![
                    any::<u8>(), Just(b'\n'), Just(b'\r'), Just(b'('), Just(b')'), 32_u8..127
                ], 0..200),
            cut in 0_usize..200,
        ) {
            let (head, tail) = text.split_at(cut.min(text.len()));
            let whole = lines_of(&[&text]);
            prop_assert_eq!(&whole, &lines_of(&[head, tail]));
            for (_, line) in whole {
                prop_assert!(line.bytes().all(|b| (b' '..0x7f).contains(&b) && !b"?!~".contains(&b)));
                prop_assert!(!line.trim().is_empty());
            }
        }
    }
}
