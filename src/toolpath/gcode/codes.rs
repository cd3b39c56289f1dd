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

    /// What of the list a `$` line is, which must be as [`as_grbl_reads`] has it: `$RST=*` is
    /// `$RST`, `$N0=G21` is `$N`, `$100=250` is `$=`.
    pub(super) fn system<'a>(&'a self, line: &str) -> impl Iterator<Item = &'a str> {
        let (name, value) = line.split_once('=').map_or((line, None), |(name, v)| (name, Some(v)));
        self.system.iter().map(String::as_str).filter(move |word| is_command(word, name, value))
    }
}

/// A line without what GRBL drops before it looks at it: blanks and control characters and the sign
/// of block delete; letters in upper case (gnea/grbl, protocol.c).
pub(super) fn as_grbl_reads(line: &[u8]) -> String {
    let read = line.iter().filter(|byte| **byte > b' ' && **byte != b'/');
    read.map(|byte| char::from(byte.to_ascii_uppercase())).collect()
}

/// Long names of `FluidNC` (`ProcessSettings.cpp`) without their `/`, and one more way to erase all.
const OTHER_NAMES: [(&str, &str); 5] = [
    ("$SETTINGSRESTORE", "$RST"),
    ("$SETTINGSERASE", "$RST"),
    ("$NVX", "$RST"),
    ("$GCODECHECK", "$C"),
    ("$SYSTEMSLEEP", "$SLP"),
];

/// Commands that have a value too, but set nothing: jogs, ways home, other programs.
const NO_SETTINGS: [&str; 8] =
    ["$J", "$JOG", "$H", "$HOME", "$RM", "$MACROSRUN", "$SDRUN", "$LOCALFSRUN"];

fn is_command(word: &str, name: &str, value: Option<&str>) -> bool {
    let other = OTHER_NAMES.iter().find(|(other, _)| *other == name);
    let name = other.map_or(name, |(_, usual)| usual);
    // GRBL reads the number of a line as any other number.
    let start_up = |name: &str| {
        let number = name.strip_prefix("$N").unwrap_or_default();
        let digits = number.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
        digits || name.starts_with("$GCODELINE")
    };
    match word {
        // Settings have numbers in GRBL, names in FluidNC; `$I=` is kept as well.
        "$=" => {
            value.is_some() && !start_up(name) && name != "$RST" && !NO_SETTINGS.contains(&name)
        }
        // `$N` alone shows the start-up lines.
        "$N" => value.is_some() && start_up(name),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_found_in_all_its_spellings() {
        let list = ["M502", "g28.1", "$RST", "$N", "$=", "$H", "$SLP"].map(str::to_owned);
        let watch = Watch::new(&list);
        assert_eq!(watch.word(b'M', 502.0), Some("M502"));
        assert_eq!(watch.word(b'G', 28.1), Some("G28.1"));
        assert_eq!(watch.word(b'G', 28.0), None);
        let found = |line: &str| {
            let line = as_grbl_reads(line.as_bytes());
            watch.system(&line).map(str::to_owned).collect::<Vec<_>>().join(" ")
        };
        for (line, words) in [
            ("$rst=*", "$RST"),
            (" $ R ST =\t*", "$RST"),
            ("/$/RST=*", "$RST"),
            ("$Settings/Restore=*", "$RST"),
            ("$N0=G21", "$N"),
            ("$ N +1.0 = G21", "$N"),
            ("$N", ""),
            ("$100=250", "$="),
            ("$1 00=250", "$="),
            ("$+100.=250", "$="),
            ("$I=mine", "$="),
            ("$/axes/x/max=1", "$="),
            ("$J=X10F100", ""),
            ("$H=XY", "$H"),
            ("$$", ""),
            ("$h", "$H"),
            ("$ SLP", "$SLP"),
            ("$", ""),
        ] {
            assert_eq!(found(line), words, "{line}");
        }
    }
}
