//! One reading of a file, from its first line to its last, in constant memory.

use std::io::{self, Read};

use super::{Dialect, MAX_RAW_LINE, Next, Splitter, split::is_line_end};

/// Bytes read at a time.
const CHUNK: usize = 64 * 1024;

/// Cuts what a reader gives into lines, and keeps what the last of them looked like.
pub(super) struct Pass<R> {
    reader: R,
    lines: Splitter,
    chunk: Vec<u8>,
    /// The end of the file as far as it has been read: what the splitter has not cut yet, and some
    /// of what it has.
    window: Vec<u8>,
}

impl<R: Read> Pass<R> {
    pub(super) fn new(reader: R, dialect: Dialect) -> Self {
        Self { reader, lines: Splitter::of(dialect), chunk: vec![0; CHUNK], window: Vec::new() }
    }

    /// Puts the next line for the machine into `line`; [`Next::More`] is never answered.
    pub(super) fn next(&mut self, line: &mut Vec<u8>) -> io::Result<Next> {
        loop {
            match self.lines.next_line(line) {
                Next::More => match self.reader.read(&mut self.chunk) {
                    Ok(0) => self.lines.finish(),
                    Ok(count) => {
                        self.forget();
                        self.window.extend_from_slice(&self.chunk[..count]);
                        self.lines.supply(&self.chunk[..count]);
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                },
                next => return Ok(next),
            }
        }
    }

    /// Of what has been cut, the last line is kept: what it says may be about the next.
    fn forget(&mut self) {
        let cut = self.window.len().saturating_sub(self.lines.waiting());
        let text = self.window[..cut].trim_ascii_end();
        let line = text.iter().rposition(|byte| is_line_end(*byte)).unwrap_or(0);
        self.window.drain(..line.max(cut.saturating_sub(2 * MAX_RAW_LINE)));
    }

    /// The last line as it stands in the file, and the line before it if it is a comment alone.
    pub(super) fn raw(&self) -> (&[u8], &[u8]) {
        let end = self.window.len().saturating_sub(self.lines.waiting());
        let (before, last) = last_line(&self.window[..end]);
        let (_, comment) = last_line(before);
        let alone = matches!(comment.trim_ascii_start().first(), Some(b'(' | b';'));
        (last, if alone { comment } else { b"" })
    }
}

/// What comes before the last line, and the last line.
fn last_line(text: &[u8]) -> (&[u8], &[u8]) {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let start = text.iter().rposition(|byte| is_line_end(*byte)).map_or(0, |end| end + 1);
    (&text[..start], &text[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that gives a few bytes at a time.
    struct Trickle<'a>(&'a [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(into.len());
            into[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    #[test]
    fn lines_are_kept_as_they_stand_however_they_arrive() {
        kept_as_they_stand(b"G21 (mm)\n(MSG,red)\r\nM0 ; stop\n\nG1 X1");
        kept_as_they_stand(b"G21 (mm)\r(MSG,red)\rM0 ; stop\r\rG1 X1\r");
        kept_as_they_stand(b"G21 (mm)\r\n(MSG,red)\r\nM0 ; stop\r\n\r\nG1 X1\r\n");
    }

    fn kept_as_they_stand(text: &[u8]) {
        for size in 1..text.len() {
            let mut pass = Pass::new(Trickle(text, size), Dialect::Gcode);
            let mut line = Vec::new();
            let mut seen = Vec::new();
            while let Next::Line(number) = pass.next(&mut line).unwrap() {
                let (raw, before) = pass.raw();
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
                seen.push((number, text(&line), text(raw), text(before)));
            }
            let expected = [
                (1, "G21", "G21 (mm)", ""),
                (3, "M0", "M0 ; stop", "(MSG,red)"),
                (5, "G1 X1", "G1 X1", ""),
            ];
            let expected =
                expected.map(|(n, a, b, c)| (n, a.to_owned(), b.to_owned(), c.to_owned()));
            assert_eq!(seen, expected, "{size} bytes at a time");
        }
    }
}
