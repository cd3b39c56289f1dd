//! Letters with numbers, as simulated machines read them.

/// A word of a line: its letter and its number, if it has one.
pub(super) type Word = (u8, Option<f64>);

/// The words of a line, as far as they begin with a letter.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut rest = text.trim();
    while let Some(letter) = rest.chars().next() {
        rest = rest[letter.len_utf8()..].trim_start();
        let end =
            rest.find(|c: char| !matches!(c, '0'..='9' | '.' | '-' | '+')).unwrap_or(rest.len());
        if letter.is_ascii_alphabetic() {
            let letter = letter.to_ascii_uppercase();
            words.push((u8::try_from(letter).unwrap_or(b'?'), rest[..end].parse().ok()));
        }
        rest = rest[end..].trim_start();
    }
    words
}

/// The value of this word.
pub(super) fn value(words: &[Word], letter: u8) -> Option<f64> {
    words.iter().find(|(known, _)| *known == letter).and_then(|(_, value)| *value)
}
