//! Cuts what comes over a wire into lines.

/// Longer lines are no answers of a machine; what is beyond is thrown away.
const LONGEST: usize = 4096;

/// The line that is not whole yet.
#[derive(Debug, Default)]
pub(super) struct Lines {
    line: Vec<u8>,
}

impl Lines {
    /// Calls `each` with every line that is whole now, without its end; a part stays for the next
    /// time.
    pub(super) fn feed(&mut self, mut bytes: &[u8], mut each: impl FnMut(&[u8])) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (piece, rest) = (&bytes[..end], &bytes[end + 1..]);
            bytes = rest;
            if self.line.is_empty() {
                each(piece);
            } else {
                self.keep(piece);
                each(&self.line);
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(chunks: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut lines = Lines::default();
        let mut said = Vec::new();
        for chunk in chunks {
            lines.feed(chunk, |line| said.push(line.to_vec()));
        }
        said
    }

    #[test]
    fn an_endless_line_takes_no_memory_and_the_next_one_is_read() {
        let mut lines = Lines::default();
        for _ in 0..1000 {
            lines.feed(&[b'x'; 1024], |_| unreachable!("no line has ended"));
        }
        assert!(lines.line.len() <= LONGEST);
        let mut last = Vec::new();
        lines.feed(b"\nok\n", |line| last = line.to_vec());
        assert_eq!(last, b"ok");
    }

    proptest! {
        /// How a transmission is cut into reads makes no difference.
        #[test]
        fn pieces_make_no_difference(text in "(ok|error|\r\n|\n|x){0,30}", cut in 0_usize..100) {
            let (head, tail) = text.as_bytes().split_at(cut.min(text.len()));
            prop_assert_eq!(all(&[text.as_bytes()]), all(&[head, tail]));
        }
    }
}
