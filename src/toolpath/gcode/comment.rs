//! What a line says to people.

/// The comment of a raw line: what stands in parentheses (the `MSG,` of those for the operator left
/// out) or after a semicolon. None if it is empty.
pub(super) fn comment(raw: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(raw);
    let inner = match text.find(['(', ';']) {
        Some(at) if text[at..].starts_with('(') => {
            let rest = &text[at + 1..];
            rest.split(')').next().unwrap_or(rest)
        }
        Some(at) => &text[at + 1..],
        None => return None,
    };
    tidy(inner)
}

/// The free text after the command word of a raw line, as `M0 Change the pen` has it in Marlin.
pub(super) fn free_text(raw: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(raw);
    let (_, rest) = text.trim().split_once(char::is_whitespace)?;
    let words = rest.trim();
    // P and S are how long it waits.
    let parameter = |word: &str| {
        let number = word.strip_prefix(['P', 'S', 'p', 's', 'T', 't']);
        number.is_some_and(|number| number.parse::<f64>().is_ok())
    };
    tidy(words.trim_start_matches(';').split(';').next().unwrap_or_default())
        .filter(|text| !text.split_whitespace().all(parameter))
}

/// Without `MSG,`, control characters and blanks around it; at most 200 characters.
fn tidy(text: &str) -> Option<String> {
    let text = text.trim();
    let text = match text.get(..4) {
        Some(head) if head.eq_ignore_ascii_case("MSG,") => &text[4..],
        _ => text,
    };
    let text: String = text.trim().chars().filter(|c| !c.is_control()).take(200).collect();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_found_wherever_it_stands() {
        for (raw, said) in [
            ("M0 (MSG,Insert the red pen)", Some("Insert the red pen")),
            ("M0 (msg, Insert it )  ; later", Some("Insert it")),
            ("M6 T2 ; 3 mm end mill", Some("3 mm end mill")),
            ("M0(unclosed", Some("unclosed")),
            ("M0 ()", None),
            ("M0", None),
        ] {
            assert_eq!(comment(raw.as_bytes()).as_deref(), said, "{raw}");
        }
        assert_eq!(free_text(b"M0 Change the pen").as_deref(), Some("Change the pen"));
        assert_eq!(free_text(b"M0 S10"), None);
        assert_eq!(free_text(b"M0"), None);
    }
}
