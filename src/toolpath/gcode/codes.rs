//! Which words a dialect knows, and which are watched for.

use crate::toolpath::Dialect;

/// Commands that are watched for, in a form that costs little to look up.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    /// Letter and number in tenths, with the word as it was given.
    words: Vec<(u8, i32, String)>,
    /// `$` commands, upper case.
    system: Vec<String>,
}

impl Watch {
    pub(super) fn new(list: &[String]) -> Self {
        let mut watch = Self::default();
        for word in list {
            let upper = word.trim().to_ascii_uppercase();
            let number = upper.get(1..).and_then(|number| number.parse::<f64>().ok());
            match (upper.as_bytes().first(), number) {
                (Some(letter), Some(number)) if letter.is_ascii_alphabetic() => {
                    watch.words.push((*letter, tenths(number), upper));
                }
                _ => watch.system.push(upper),
            }
        }
        watch
    }

    /// The word, if it is watched for.
    pub(super) fn word(&self, letter: u8, value: f64) -> Option<&str> {
        let number = tenths(value);
        let found = self.words.iter().find(|(l, n, _)| (*l, *n) == (letter, number));
        found.map(|(_, _, word)| word.as_str())
    }

    /// What of the list a `$` line is: `$RST=*` is `$RST`, `$N0=G21` is `$N`, `$100=250` is `$=`.
    pub(super) fn system<'a>(&'a self, line: &str) -> impl Iterator<Item = &'a str> {
        let upper = line.to_ascii_uppercase();
        self.system.iter().map(String::as_str).filter(move |word| is_command(word, &upper))
    }
}

fn is_command(word: &str, line: &str) -> bool {
    let (name, assigned) = match line.split_once('=') {
        Some((name, _)) => (name.trim(), true),
        None => (line.trim(), false),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match word {
        // FluidNC writes settings by path, grblHAL by number.
        "$=" => assigned && (name[1..].starts_with('/') || digits(&name[1..])),
        // `$N` alone shows the start-up lines.
        "$N" => assigned && name.strip_prefix("$N").is_some_and(digits),
        word => name == word,
    }
}

/// G and M numbers have at most one decimal.
#[expect(clippy::cast_possible_truncation, reason = "a float that is cast saturates")]
pub(super) fn tenths(value: f64) -> i32 {
    (value * 10.0).round() as i32
}

/// False for an M word that this firmware is known not to know.
pub(super) fn knows_m(dialect: Dialect, number: i32) -> bool {
    match dialect {
        // gnea/grbl, gcode.c: M0 to M5, M7 to M9, M30, M56.
        Dialect::Gcode => {
            matches!(number, 0 | 10 | 20 | 30 | 40 | 50 | 70 | 80 | 90 | 300 | 560)
        }
        Dialect::Marlin | Dialect::Ebb | Dialect::Hpgl | Dialect::Lines => true,
    }
}

/// M words of Marlin that are followed by free text (Marlin, gcode/parser.cpp).
pub(super) fn takes_text(dialect: Dialect, number: i32) -> bool {
    dialect == Dialect::Marlin
        && matches!(
            number,
            0 | 10 | 160 | 230 | 280 | 300 | 320 | 360 | 1170 | 1180 | 9280 | 4860 | 8150
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_found_in_all_its_spellings() {
        let list = ["M502", "g28.1", "$RST", "$N", "$=", "$H"].map(str::to_owned);
        let watch = Watch::new(&list);
        assert_eq!(watch.word(b'M', 502.0), Some("M502"));
        assert_eq!(watch.word(b'G', 28.1), Some("G28.1"));
        assert_eq!(watch.word(b'G', 28.0), None);
        let found =
            |line: &str| watch.system(line).map(str::to_owned).collect::<Vec<_>>().join(" ");
        for (line, words) in [
            ("$rst=*", "$RST"),
            ("$N0=G21", "$N"),
            ("$N", ""),
            ("$100=250", "$="),
            ("$/axes/x/max=1", "$="),
            ("$J=X10F100", ""),
            ("$$", ""),
            ("$h", "$H"),
            ("$", ""),
        ] {
            assert_eq!(found(line), words, "{line}");
        }
    }
}
