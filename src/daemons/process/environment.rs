//! What a program finds in its environment.

use std::{
    collections::BTreeMap,
    ffi::{CString, OsStr, OsString},
    fs,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::Path,
};

use super::{error::plain, identity::Identity};

/// What of the station's environment a program gets to see.
const INHERITED: [&str; 9] =
    ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "XDG_RUNTIME_DIR"];

/// What of it belongs to the station's user, and is another's no matter.
const PERSONAL: [&str; 5] = ["HOME", "USER", "LOGNAME", "SHELL", "XDG_RUNTIME_DIR"];

/// Where programs are looked for if nothing else is said.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Variables by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// The few that are inherited, or are the other user's.
    pub(super) fn inherited(identity: Option<&Identity>) -> Self {
        let mut found = Self::default();
        for name in INHERITED {
            if identity.is_some() && PERSONAL.contains(&name) {
                continue;
            }
            if let Some(value) = std::env::var_os(name) {
                found.set(name, value);
            }
        }
        if let Some(identity) = identity {
            found.0.extend(identity.variables().map(|(name, value)| (name.into(), value)));
        }
        found.0.entry("PATH".into()).or_insert_with(|| DEFAULT_PATH.into());
        found
    }

    pub(super) fn set(&mut self, name: impl Into<OsString>, value: impl Into<OsString>) {
        self.0.insert(name.into(), value.into());
    }

    /// Takes the lines of a file of `KEY=VALUE`.
    ///
    /// # Errors
    /// A sentence: it cannot be read, or which line is wrong.
    pub(super) fn take_file(&mut self, path: &Path) -> Result<(), String> {
        let text = fs::read_to_string(path)
            .map_err(|error| format!("environment file {}: {}", path.display(), plain(&error)))?;
        let variables =
            parse(&text).map_err(|line| format!("environment file {}: {line}", path.display()))?;
        self.0.extend(variables.into_iter().map(|(name, value)| (name.into(), value.into())));
        Ok(())
    }

    pub(super) fn path(&self) -> &OsStr {
        self.0.get(OsStr::new("PATH")).map_or(OsStr::new(DEFAULT_PATH), OsString::as_os_str)
    }

    /// As `execve` takes it.
    ///
    /// # Errors
    /// A sentence: which variable cannot be.
    pub(super) fn lines(self) -> Result<Vec<CString>, String> {
        let line = |(name, value): (OsString, OsString)| {
            let mut line = name.clone().into_vec();
            line.push(b'=');
            line.extend_from_slice(value.as_bytes());
            CString::new(line)
                .map_err(|_| format!("the variable {} contains a NUL", name.display()))
        };
        self.0.into_iter().map(line).collect()
    }
}

/// Lines of `KEY=VALUE`: empty lines and those that begin with `#` are left out, `export ` is
/// allowed, quotes around the value are taken off, and in double quotes `\n`, `\t`, `\"`, `\\`
/// and `\$` are read.
fn parse(text: &str) -> Result<Vec<(String, String)>, String> {
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
        if name.is_empty() || !name.chars().all(is_letter) {
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
        let found = parse(text).unwrap();
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
        assert_eq!(parse("A=1\nhello").unwrap_err(), "line 2: there is no =");
        assert_eq!(parse("a b=1").unwrap_err(), "line 1: that is no name of a variable");
        assert_eq!(parse("\nA=\"x").unwrap_err(), "line 2: a quote is not closed");
    }
}
