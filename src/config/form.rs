//! The forms that a single value may have, and how they are told when one has another.

use std::{collections::BTreeMap, fmt, net::SocketAddr, path::Path};

use serde_yaml::{Mapping, Value};

use super::{
    HIDDEN, KNOWN_DRIVERS, text,
    values::{self, Base},
};

/// What one value may be.
#[derive(Clone, Copy)]
pub(super) enum Form {
    Flag,
    Count {
        min: u64,
        max: u64,
    },
    /// A whole number that may be negative.
    Integer {
        min: i64,
        max: i64,
    },
    Real {
        min: f64,
        max: f64,
    },
    /// A length in millimetres.
    Length,
    Duration {
        min_ms: u64,
    },
    Size {
        min: u64,
    },
    Word(&'static [&'static str]),
    Text,
    /// What people call something.
    Name,
    /// A command word of a machine.
    Command,
    /// A text that may be empty: what is sent to a machine, an argument, the value of a variable.
    Line,
    /// What a program is given; a script may have several lines.
    Argument,
    Path,
    /// A path that starts where the file lies which gives it.
    Beside,
    Workspace,
    Database,
    Secret,
    /// The value of an HTTP header; it is not shown.
    Header,
    Host,
    Origin,
    Listen,
    Level,
    LogFormat,
    /// File permissions.
    Mode,
    /// File permissions that are taken away.
    Umask,
    /// A signal that asks a program to end.
    Signal,
    /// A regular expression.
    Pattern,
    /// `HOST:PORT`.
    Address,
    /// An `http://` URL.
    Url,
    /// An `http://` or `https://` URL.
    Webhook,
    /// A time zone by its name.
    Zone,
    Driver,
    Port,
}

/// A value that has been checked.
#[derive(Clone, PartialEq)]
pub(super) struct Leaf {
    /// As it is shown to people.
    pub(super) shown: Value,
    /// As the checked types read it.
    pub(super) value: Value,
}

/// What was read may be a secret, what is shown is none.
impl fmt::Debug for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown.fmt(f)
    }
}

/// What forms may look at besides the value.
pub(super) struct Around<'a> {
    pub(super) base: Base,
    pub(super) env: &'a BTreeMap<String, String>,
}

impl Form {
    /// True if a number or a word without quotes is a text all the same where it cannot be
    /// anything else: in the environment and on the command line.
    pub(super) fn is_text(self) -> bool {
        !matches!(
            self,
            Self::Flag
                | Self::Count { .. }
                | Self::Integer { .. }
                | Self::Real { .. }
                | Self::Length
        )
    }

    /// What is allowed, in words.
    pub(super) fn allowed(self) -> String {
        match self {
            Self::Flag => "true or false".into(),
            Self::Count { min, max } => format!("a whole number from {min} to {max}"),
            Self::Integer { min, max } => format!("a whole number from {min} to {max}"),
            Self::Real { min, max } => format!("a number from {min} to {max}"),
            Self::Length => "a length in millimetres, more than 0 and at most 100000".into(),
            Self::Duration { min_ms: 0 } => "a duration, as 500ms, 5s, 10m, 2h or 30d".into(),
            Self::Duration { min_ms } => {
                format!("a duration of at least {min_ms}ms, as 500ms, 5s, 10m, 2h or 30d")
            }
            Self::Size { min: 0 } => "a size, as 500kB, 10MB or 2GiB".into(),
            Self::Size { min } => {
                format!("a size of at least {min} B, as 500kB, 10MB or 2GiB")
            }
            Self::Word(words) => words.join(", "),
            Self::Text | Self::Line => "a text of one line".into(),
            Self::Argument => "a text".into(),
            Self::Command => "a command word, as M502, G28, $RST or $= for every setting".into(),
            Self::Name => "a name of at most 64 characters without / and ,".into(),
            Self::Path | Self::Beside | Self::Workspace => "a path".into(),
            Self::Database => {
                "sqlite:///FILE under the workspace or sqlite:////ABSOLUTE/FILE".into()
            }
            Self::Secret => {
                "a text without spaces, file:PATH, env:VARIABLE or credential:NAME".into()
            }
            Self::Header => "a text of one line, file:PATH, env:VARIABLE or credential:NAME".into(),
            Self::Host => "localhost, an IP address or a host name".into(),
            Self::Origin => "http://HOST[:PORT] or https://HOST[:PORT]".into(),
            Self::Listen => "a port or ADDRESS:PORT".into(),
            Self::Level => "error, warn, info, debug, trace, off".into(),
            Self::LogFormat => "text, json or a template with %(asctime)s, %(name)s, \
                                %(levelname)s and %(message)s"
                .into(),
            Self::Mode => "octal digits in quotes, as \"0644\"".into(),
            Self::Umask => "octal digits in quotes from \"000\" to \"777\", as \"022\"".into(),
            Self::Signal => text::SIGNALS.join(", "),
            Self::Pattern => "a regular expression".into(),
            Self::Address => "HOST:PORT".into(),
            Self::Url => "http://HOST[:PORT][/PATH]".into(),
            Self::Webhook => "http://HOST[:PORT][/PATH] or https://HOST[:PORT][/PATH]".into(),
            Self::Zone => "local, UTC or a name as Europe/Berlin".into(),
            Self::Driver => KNOWN_DRIVERS.join(", "),
            Self::Port => "an absolute path, tcp://HOST:PORT or sim:DRIVER".into(),
        }
    }

    /// Reads a value. The error says what is wrong with it and what is allowed.
    pub(super) fn read(self, value: &Value, around: &Around<'_>) -> Result<Leaf, String> {
        self.try_read(value, around).map_err(|wrong| {
            let found = if matches!(self, Self::Secret | Self::Header | Self::Webhook) {
                HIDDEN.into()
            } else {
                describe(value)
            };
            format!("{found} {wrong}, allowed: {}", self.allowed())
        })
    }

    fn try_read(self, value: &Value, around: &Around<'_>) -> Result<Leaf, String> {
        const TYPE: &str = "is of the wrong type";
        const RANGE: &str = "is out of range";
        let plain = |value: Value| Leaf { shown: value.clone(), value };
        let kept = |value: &Value, meaning: Value| Leaf { shown: value.clone(), value: meaning };
        match self {
            Self::Flag => value.is_bool().then(|| plain(value.clone())).ok_or(TYPE.into()),
            Self::Count { min, max } => match (value.as_u64(), value.is_number()) {
                (Some(count), _) if (min..=max).contains(&count) => Ok(plain(count.into())),
                (_, true) => Err(RANGE.into()),
                _ => Err(TYPE.into()),
            },
            Self::Integer { min, max } => match (value.as_i64(), value.is_number()) {
                (Some(number), _) if (min..=max).contains(&number) => Ok(plain(number.into())),
                (_, true) => Err(RANGE.into()),
                _ => Err(TYPE.into()),
            },
            Self::Real { min, max } => {
                let number = value.as_f64().ok_or(TYPE)?;
                let fits = (min..=max).contains(&number);
                fits.then(|| kept(value, number.into())).ok_or(RANGE.into())
            }
            Self::Length => {
                let number = value.as_f64().ok_or(TYPE)?;
                let fits = number > 0.0 && number <= 1e5;
                fits.then(|| kept(value, number.into())).ok_or(RANGE.into())
            }
            Self::Duration { min_ms } => {
                let duration =
                    values::duration(&bare(value).ok_or(TYPE)?).ok_or("is not a duration")?;
                if duration.as_millis() < u128::from(min_ms) {
                    return Err("is too short".into());
                }
                let mut meaning = Mapping::new();
                meaning.insert("secs".into(), duration.as_secs().into());
                meaning.insert("nanos".into(), duration.subsec_nanos().into());
                Ok(kept(value, Value::Mapping(meaning)))
            }
            Self::Size { min } => {
                let size = values::size(&bare(value).ok_or(TYPE)?).ok_or("is not a size")?;
                (size >= min).then(|| kept(value, size.into())).ok_or("is too small".into())
            }
            Self::Mode => {
                let text = value.as_str().ok_or(TYPE)?;
                let octal = (3..=4).contains(&text.len()) && !text.starts_with('+');
                let mode = u32::from_str_radix(text, 8).ok().filter(|_| octal);
                match mode {
                    Some(mode) if mode <= 0o777 && mode & 0o600 == 0o600 => {
                        Ok(kept(value, mode.into()))
                    }
                    Some(_) => Err("is not a mode that lets the owner read and write".into()),
                    None => Err("is not a file mode".into()),
                }
            }
            Self::Umask => {
                let text = value.as_str().ok_or(TYPE)?;
                let octal = text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
                let mask = u32::from_str_radix(text, 8).ok().filter(|mask| octal && *mask <= 0o777);
                mask.map(|mask| kept(value, mask.into())).ok_or("is not a mask".into())
            }
            Self::Workspace if value.is_string() || value.is_null() => {
                Ok(plain(around.base.workspace.to_string_lossy().into_owned().into()))
            }
            Self::Listen => {
                let text = bare(value).ok_or(TYPE)?;
                let good = text.parse::<u16>().is_ok() || text.parse::<SocketAddr>().is_ok();
                good.then(|| kept(value, text.into())).ok_or("is not an address".into())
            }
            _ => self.read_text(value, around),
        }
    }

    fn read_text(self, value: &Value, around: &Around<'_>) -> Result<Leaf, String> {
        let text = value.as_str().ok_or_else(|| {
            let unquoted = value.is_number() || value.is_bool();
            let hint = if unquoted { " (a text needs quotes here)" } else { "" };
            format!("is of the wrong type{hint}")
        })?;
        let lines = matches!(self, Self::Argument);
        if text.chars().any(|c| c.is_control() && !(lines && matches!(c, '\n' | '\t'))) {
            let more = if lines { "" } else { " or more than one line" };
            return Err(format!("has a control character{more}"));
        }
        if text.is_empty() && !matches!(self, Self::Line | Self::Argument) {
            return Err("is empty".into());
        }
        let leaf = |meaning: String| Leaf { shown: text.into(), value: meaning.into() };
        let path = |path: &Path| {
            let path = Value::from(path.to_string_lossy().into_owned());
            Leaf { shown: path.clone(), value: path }
        };
        match self {
            Self::Word(words) => {
                let known = words.iter().find(|word| word.eq_ignore_ascii_case(text));
                known.map(|word| leaf((*word).to_owned())).ok_or("is not known".into())
            }
            Self::Name => {
                let good =
                    text.chars().count() <= 64 && !text.contains(['/', ',']) && text.trim() == text;
                good.then(|| leaf(text.into())).ok_or("is not a name".into())
            }
            Self::Command => {
                let good = text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_graphic());
                good.then(|| leaf(text.to_ascii_uppercase())).ok_or("is not a command word".into())
            }
            Self::Path | Self::Beside if text.contains("://") => Err("is a URL".into()),
            Self::Path | Self::Beside => Ok(path(&around.base.path(text))),
            Self::Database => {
                let file = around.base.database(text)?;
                Ok(leaf(file.to_string_lossy().into_owned()))
            }
            Self::Secret | Self::Header => {
                let spaces = matches!(self, Self::Header);
                let secret = text::secret(text, spaces, around)?;
                Ok(Leaf { shown: HIDDEN.into(), value: secret.into() })
            }
            Self::Host => text::host(text).map(leaf).ok_or("is not a host".into()),
            Self::Origin => text::origin(text).map(leaf).ok_or("is not an origin".into()),
            Self::Level => {
                text::level(text).map(|word| leaf(word.to_owned())).ok_or("is not a level".into())
            }
            Self::LogFormat => text::log_format(text).map(leaf),
            Self::Signal => text::signal(text).map(leaf).ok_or("is not known".into()),
            Self::Pattern => text::pattern(text).map(leaf),
            Self::Address => {
                text::address(text).then(|| leaf(text.into())).ok_or("is not an address".into())
            }
            Self::Zone => text::zone(text)
                .then(|| leaf(text.into()))
                .ok_or("is not a time zone that this computer knows".into()),
            Self::Url => text::url(text).then(|| leaf(text.into())).ok_or("is not a URL".into()),
            Self::Webhook => text::webhook(text).map(|()| leaf(text.into())),
            Self::Driver => text::driver(text).map(leaf),
            Self::Port => text::port(text).map(leaf),
            _ => Ok(leaf(text.into())),
        }
    }
}

/// The text of a number or of a text.
fn bare(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A value as it is quoted in a message.
fn describe(value: &Value) -> String {
    match value {
        Value::Null => "an empty value".into(),
        Value::String(text) if text.chars().count() > 60 => {
            format!("{:?}…", text.chars().take(60).collect::<String>())
        }
        Value::String(text) => format!("{text:?}"),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Sequence(_) => "a list".into(),
        Value::Mapping(_) | Value::Tagged(_) => "a section".into(),
    }
}
