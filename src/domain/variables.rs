//! Files that set variables of the environment.

/// Lines of `KEY=VALUE`: empty lines and those that begin with `#` are left out, `export ` is
/// allowed, quotes around the value are taken off, and in double quotes `\n`, `\t`, `\"`, `\\`
/// and `\$` are read. What a line says is not repeated in the error: it may be a secret.
pub fn variables(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
        let wrong = |what: &str| format!("line {}: {what}", at + 1);
        let (name, value) = line.split_once('=').ok_or_else(|| wrong("there is no ="))?;
        let name = name.trim_end();
        let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let begins_well = name.starts_with(|letter: char| !letter.is_ascii_digit());
        if !begins_well || !name.chars().all(is_letter) {
            return Err(wrong("that is no name of a variable"));
        }
        let value = unquote(value.trim_start()).ok_or_else(|| wrong("a quote is not closed"))?;
        found.push((name.to_owned(), value));
    }
    Ok(found)
}

fn unquote(text: &str) -> Option<String> {
    if let Some(rest) = text.strip_prefix('\'') {
        return rest.split_once('\'').map(|(value, _)| value.to_owned());
    }
    let Some(rest) = text.strip_prefix('"') else {
        let end = text.find(" #").unwrap_or(text.len());
        return Some(text[..end].trim_end().to_owned());
    };
    let (mut value, mut letters) = (String::new(), rest.chars());
    loop {
        match letters.next()? {
            '"' => return Some(value),
            '\\' => match letters.next()? {
                'n' => value.push('\n'),
                't' => value.push('\t'),
                letter @ ('"' | '\\' | '$' | '`') => value.push(letter),
                letter => value.extend(['\\', letter]),
            },
            letter => value.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_variables_is_read() {
        let text = "# a comment\n\nA=1\nexport B = two words # and a comment\nC='# $x \"y\"'\n\
                    D=\"a\\nb \\\"c\\\" \\\\ \\x\"\nE=\nF=a#b\n";
        let found = variables(text).unwrap();
        let found: Vec<_> = found.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        let expected = [
            ("A", "1"),
            ("B", "two words"),
            ("C", "# $x \"y\""),
            ("D", "a\nb \"c\" \\ \\x"),
            ("E", ""),
            ("F", "a#b"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_wrong_in_it_is_said_with_its_line() {
        assert_eq!(variables("A=1\nhello").unwrap_err(), "line 2: there is no =");
        assert_eq!(variables("a b=1").unwrap_err(), "line 1: that is no name of a variable");
        assert_eq!(variables("\nA=\"x").unwrap_err(), "line 2: a quote is not closed");
    }
}
