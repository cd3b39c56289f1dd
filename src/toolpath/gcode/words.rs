//! A letter and a number.

use thiserror::Error;

/// Text that is not a letter with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a letter with a number")]
pub struct NotAWord;

/// The words of a line, letters in upper case; after [`NotAWord`] comes nothing more.
#[derive(Clone, Debug)]
pub struct Words<'a> {
    rest: &'a [u8],
}

impl<'a> Words<'a> {
    /// The words of a line without comments.
    pub fn new(line: &'a [u8]) -> Self {
        Self { rest: line }
    }

    fn skip_blanks(&mut self) {
        while let [b' ' | b'\t' | b'\r' | b'/', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }
}

impl Iterator for Words<'_> {
    type Item = Result<(u8, f64), NotAWord>;

    fn next(&mut self) -> Option<Self::Item> {
        self.skip_blanks();
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        // What follows `*` is a checksum of another dialect.
        if *first == b'*' {
            self.rest = &[];
            return None;
        }
        self.skip_blanks();
        match number(self.rest) {
            Some((value, length)) if first.is_ascii_alphabetic() => {
                self.rest = &self.rest[length..];
                Some(Ok((first.to_ascii_uppercase(), value)))
            }
            _ => {
                self.rest = &[];
                Some(Err(NotAWord))
            }
        }
    }
}

/// Powers of ten up to the most decimals that are read.
const TENS: [f64; 19] = [
    1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18,
];

/// A decimal number at the start of `text` and the bytes it takes. Faster than the standard
/// library's by leaving out exponents, which G-code does not have.
pub(super) fn number(text: &[u8]) -> Option<(f64, usize)> {
    let negative = text.first() == Some(&b'-');
    let start = usize::from(matches!(text.first(), Some(b'-' | b'+')));
    let (mut digits, mut decimals, mut point) = (0_u32, 0_usize, false);
    let mut value = 0_u64;
    let mut end = start;
    for byte in &text[start..] {
        match byte {
            b'0'..=b'9' => {
                // Digits beyond the eighteenth say nothing to a machine.
                if digits < 18 {
                    value = value * 10 + u64::from(byte - b'0');
                    decimals += usize::from(point);
                    digits += u32::from(value > 0);
                } else if !point {
                    return None;
                }
            }
            b'.' if !point => point = true,
            _ => break,
        }
        end += 1;
    }
    if end == start + usize::from(point) {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "fifteen digits are more than a machine has")]
    let value = value as f64 / TENS.get(decimals).copied().unwrap_or(f64::INFINITY);
    Some((if negative { -value } else { value }, end))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(line: &str) -> Vec<Result<(char, f64), NotAWord>> {
        Words::new(line.as_bytes())
            .map(|word| word.map(|(letter, value)| (char::from(letter), value)))
            .collect()
    }

    #[test]
    fn every_dialect_is_read() {
        assert_eq!(words("g1x-.5 Y+2."), [Ok(('G', 1.0)), Ok(('X', -0.5)), Ok(('Y', 2.0))]);
        assert_eq!(words("N10 G 01*71"), [Ok(('N', 10.0)), Ok(('G', 1.0))]);
        assert_eq!(words("G1 X"), [Ok(('G', 1.0)), Err(NotAWord)]);
        assert_eq!(words("12"), [Err(NotAWord)]);
        assert_eq!(words("X-"), [Err(NotAWord)]);
        assert_eq!(words("X."), [Err(NotAWord)]);
    }

    proptest! {
        #[test]
        fn numbers_are_read_as_written(value in -1.0e6_f64..1.0e6) {
            let read = words(&format!("X{value:.6}"))[0].unwrap().1;
            prop_assert!((read - value).abs() < 1e-6);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,80}") {
            let _ = words(&text);
        }
    }
}
