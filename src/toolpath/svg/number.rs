//! Numbers and lengths as SVG writes them.

/// Reads numbers from a text, leaving out blanks and commas.
#[derive(Clone, Copy)]
pub(super) struct Scanner<'a> {
    rest: &'a [u8],
}

/// The size of a font where none is asked for; `em` is rare in what pens draw.
const FONT_SIZE: f64 = 16.0;

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text.as_bytes() }
    }

    /// The next byte that is no separator.
    pub(super) fn peek(&mut self) -> Option<u8> {
        while let [b' ' | b'\t' | b'\r' | b'\n' | 0x0c | b',', rest @ ..] = self.rest {
            self.rest = rest;
        }
        self.rest.first().copied()
    }

    pub(super) fn skip(&mut self) {
        self.rest = self.rest.get(1..).unwrap_or_default();
    }

    /// A number, finite.
    pub(super) fn number(&mut self) -> Option<f64> {
        self.peek()?;
        let digits =
            |from: usize| self.rest[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let sign = usize::from(matches!(self.rest[0], b'+' | b'-'));
        let whole = digits(sign);
        let mut end = sign + whole;
        let mut decimals = 0;
        if self.rest.get(end) == Some(&b'.') {
            decimals = digits(end + 1);
            end += 1 + decimals;
        }
        if whole + decimals == 0 {
            return None;
        }
        if let Some(b'e' | b'E') = self.rest.get(end) {
            let sign = usize::from(matches!(self.rest.get(end + 1), Some(b'+' | b'-')));
            let exponent = digits((end + 1 + sign).min(self.rest.len()));
            if exponent > 0 {
                end += 1 + sign + exponent;
            }
        }
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
        value.is_finite().then_some(value)
    }

    /// A flag of an arc: one digit, which needs no separator after it.
    pub(super) fn flag(&mut self) -> Option<bool> {
        let flag = self.peek()?;
        self.skip();
        match flag {
            b'0' => Some(false),
            b'1' => Some(true),
            _ => None,
        }
    }

    fn rest(&self) -> &'a str {
        std::str::from_utf8(self.rest).unwrap_or_default().trim()
    }
}

/// A length in pixels, 96 to the inch; `whole` is what a per cent is of. `None` if it is none.
pub(super) fn length(text: &str, whole: f64) -> Option<f64> {
    let mut scanner = Scanner::new(text);
    let number = scanner.number()?;
    let unit = match scanner.rest() {
        "" | "px" => 1.0,
        "mm" => 96.0 / 25.4,
        "cm" => 96.0 / 2.54,
        "Q" => 96.0 / 101.6,
        "in" => 96.0,
        "pt" => 96.0 / 72.0,
        "pc" => 16.0,
        "%" => whole / 100.0,
        "em" | "rem" => FONT_SIZE,
        "ex" => FONT_SIZE / 2.0,
        _ => return None,
    };
    Some(number * unit)
}

/// A number, or a per cent of 1.
pub(super) fn share(text: &str) -> Option<f64> {
    length(text, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_need_no_separators() {
        let mut scanner = Scanner::new("1-2.5.5 , +3e2-1E-1 4em");
        let numbers: Vec<f64> = std::iter::from_fn(|| scanner.number()).collect();
        assert_eq!(numbers, [1.0, -2.5, 0.5, 300.0, -0.1, 4.0]);
        for wrong in ["", "-", ".", "e5", "1e999", "nan", "inf"] {
            assert_eq!(Scanner::new(wrong).number(), None, "{wrong}");
        }
    }

    #[test]
    fn every_unit_is_known() {
        for (text, pixels) in [
            ("96", 96.0),
            ("96px", 96.0),
            ("1in", 96.0),
            ("25.4mm", 96.0),
            (" 2.54cm ", 96.0),
            ("101.6Q", 96.0),
            ("72pt", 96.0),
            ("6pc", 96.0),
            ("50%", 100.0),
            ("2em", 32.0),
        ] {
            let found = length(text, 200.0).unwrap();
            assert!((found - pixels).abs() < 1e-9, "{text}: {found}");
        }
        assert_eq!(length("1 furlong", 1.0), None);
        assert_eq!(length("auto", 1.0), None);
    }
}
