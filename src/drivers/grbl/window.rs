//! Character counting: what is in the machine's receive buffer, at most.

use std::collections::VecDeque;

use super::Origin;

/// Lines that were sent and not acknowledged.
#[derive(Debug)]
pub(super) struct Window {
    size: usize,
    lines: VecDeque<(Origin, usize)>,
    /// Those lines as they were sent: never more than the machine's buffer holds.
    text: Vec<u8>,
    alone: bool,
}

impl Default for Window {
    /// The 128-byte ring of a common board holds 127.
    fn default() -> Self {
        Self { size: 127, lines: VecDeque::new(), text: Vec::new(), alone: false }
    }
}

impl Window {
    /// The machine has said how large its receive buffer is; one byte of the ring stays empty.
    pub(super) fn set_buffer(&mut self, bytes: usize) {
        // Whatever it says: a line must fit in, and nobody needs to look further ahead than this.
        self.size = bytes.saturating_sub(1).clamp(80, 4096);
    }

    /// The longest line that can be sent, its end included.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// True if the line may be sent now.
    pub(super) fn admits(&self, line: &[u8], alone: bool) -> bool {
        if self.lines.is_empty() {
            return true;
        }
        !self.alone && !alone && self.text.len() + line.len() < self.size
    }

    /// The line has been sent.
    pub(super) fn sent(&mut self, line: &[u8], alone: bool, origin: Origin) {
        self.lines.push_back((origin, line.len() + 1));
        self.text.extend_from_slice(line);
        self.text.push(b'\n');
        self.alone = alone;
    }

    /// The oldest line has been acknowledged. `None`: there was none.
    pub(super) fn acknowledged(&mut self) -> Option<Origin> {
        let (origin, length) = self.lines.pop_front()?;
        self.text.drain(..length);
        if self.lines.is_empty() {
            self.alone = false;
        }
        Some(origin)
    }

    /// The oldest line and where it comes from.
    pub(super) fn oldest(&self) -> Option<(Origin, &[u8])> {
        let (origin, length) = self.lines.front()?;
        Some((*origin, &self.text[..length - 1]))
    }

    /// Lines of the file, and their bytes.
    pub(super) fn of_file(&self) -> (u64, u64) {
        let of_file = self.lines.iter().filter(|(origin, _)| matches!(origin, Origin::File(_)));
        of_file.fold((0, 0), |(lines, bytes), (_, length)| (lines + 1, bytes + *length as u64))
    }

    /// The machine has forgotten everything.
    pub(super) fn clear(&mut self) {
        self.lines.clear();
        self.text.clear();
        self.alone = false;
    }
}

/// True for lines during which GRBL must not receive anything else: it writes or reads its EEPROM
/// with interrupts off, or starts anew (`$` lines, G10, G28, G30, G54 to G59).
pub(super) fn goes_alone(line: &[u8]) -> bool {
    if line.first() == Some(&b'$') {
        return true;
    }
    let mut rest = line;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'G' | b'g')) {
        rest = rest[at + 1..].trim_ascii_start();
        let mut number = 0_u32;
        while let [digit @ b'0'..=b'9', tail @ ..] = rest {
            number = number.saturating_mul(10).saturating_add(u32::from(digit - b'0'));
            rest = tail;
        }
        if matches!(number, 10 | 28 | 30 | 54..=59) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_that_touch_the_eeprom_go_alone() {
        for line in [
            "$H",
            "$110=500",
            "G10 L2 P1 X0",
            "g10l20p1x0",
            "N4 G28.1",
            "G0 G28",
            "G 54",
            "X1G030.1",
        ] {
            assert!(goes_alone(line.as_bytes()), "{line}");
        }
        for line in ["G1 X10", "G0", "X54", "G2 X28 I10", "G92 X0", "M30", "G38.2 Z-1", "G100"] {
            assert!(!goes_alone(line.as_bytes()), "{line}");
        }
    }

    proptest! {
        /// Never more bytes are under way than the buffer holds, unless one line alone is that
        /// long; and a line that goes alone is alone.
        #[test]
        fn the_buffer_never_overflows(
            steps in proptest::collection::vec((0_usize..79, any::<bool>(), any::<bool>()), 0..200),
        ) {
            let mut window = Window::default();
            for (length, alone, acknowledge) in steps {
                let line = vec![b'x'; length];
                if window.admits(&line, alone) {
                    window.sent(&line, alone, Origin::Console);
                    prop_assert!(window.text.len() <= 127);
                    prop_assert!(!window.alone || window.lines.len() == 1);
                }
                if acknowledge {
                    window.acknowledged();
                }
            }
        }
    }
}
