//! Texts with a form of their own: secrets, hosts, origins, levels, log formats, drivers, ports,
//! signals, regular expressions.
//! Each gives the text as the checked types read it; an error says what is wrong with it.

use std::{fs::File, io::Read, net::IpAddr, os::unix::fs::PermissionsExt, path::Path};

use super::{KNOWN_DRIVERS, form::Around};

/// A key or token: itself, or what `file:`, `env:` or `credential:` leads to.
pub(super) fn secret(text: &str, spaces: bool, around: &Around<'_>) -> Result<String, String> {
    let found = if let Some(path) = text.strip_prefix("file:") {
        secret_file(&around.base.path(path))?
    } else if let Some(name) = text.strip_prefix("env:") {
        around.env.get(name).cloned().ok_or_else(|| format!("names {name}, which is not set"))?
    } else if let Some(name) = text.strip_prefix("credential:") {
        let directory = around
            .env
            .get("CREDENTIALS_DIRECTORY")
            .ok_or("names a credential, and CREDENTIALS_DIRECTORY is not set")?;
        if name.contains('/') || name.starts_with('.') {
            return Err("names no credential".into());
        }
        secret_file(&Path::new(directory).join(name))?
    } else {
        text.to_owned()
    };
    let secret = found.trim_end_matches(['\r', '\n']);
    let bad = |c: char| c.is_control() || (c.is_whitespace() && !spaces);
    let good = !secret.is_empty() && !secret.chars().any(bad);
    if good { Ok(secret.to_owned()) } else { Err("is empty or has spaces".into()) }
}

fn secret_file(path: &Path) -> Result<String, String> {
    let cannot = |error: std::io::Error| format!("cannot be read from {}: {error}", path.display());
    let file = File::open(path).map_err(cannot)?;
    let metadata = file.metadata().map_err(cannot)?;
    if metadata.is_file() && metadata.permissions().mode() & 0o027 != 0 {
        return Err(format!("lies in {}, which others can read (chmod 600)", path.display()));
    }
    let mut text = String::new();
    file.take(4096).read_to_string(&mut text).map_err(cannot)?;
    Ok(text)
}

/// A host without brackets, in lower case.
pub(super) fn host(text: &str) -> Option<String> {
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let numbers = inner.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let name = inner.len() <= 253 && !numbers && inner.split('.').all(label);
    let good = inner.parse::<IpAddr>().is_ok() || (name && inner == text);
    good.then(|| inner.to_ascii_lowercase())
}

/// An origin in lower case, without a trailing slash.
pub(super) fn origin(text: &str) -> Option<String> {
    let text = text.strip_suffix('/').unwrap_or(text);
    let (scheme, rest) = text.split_once("://")?;
    let bracket = rest.rfind(']').unwrap_or(0);
    let (name, port) = match rest[bracket..].rfind(':') {
        Some(at) => (&rest[..bracket + at], Some(&rest[bracket + at + 1..])),
        None => (rest, None),
    };
    let good = matches!(scheme, "http" | "https")
        && host(name).is_some()
        && port.is_none_or(|port| port.parse::<u16>().is_ok());
    good.then(|| text.to_ascii_lowercase())
}

/// The word for a level; `critical` is error.
pub(super) fn level(text: &str) -> Option<&'static str> {
    Some(match text.to_ascii_lowercase().as_str() {
        "error" | "critical" => "error",
        "warn" | "warning" => "warn",
        "info" => "info",
        "debug" => "debug",
        "trace" => "trace",
        "off" => "off",
        _ => return None,
    })
}

pub(super) fn log_format(text: &str) -> Result<String, String> {
    if matches!(text, "text" | "json") {
        return Ok(text.to_owned());
    }
    let mut fields = 0;
    let mut rest = text;
    while let Some(at) = rest.find("%(") {
        let field = rest[at + 2..].split_once(")s").map(|(field, after)| {
            rest = after;
            field
        });
        match field {
            Some("asctime" | "name" | "levelname" | "message") => fields += 1,
            Some(other) => return Err(format!("has the unknown field %({other})s")),
            None => return Err("has a field that does not end in )s".into()),
        }
    }
    if fields == 0 { Err("is not a format".into()) } else { Ok(text.to_owned()) }
}

/// The driver of a name.
pub(super) fn driver(text: &str) -> Result<String, String> {
    let name = text.to_ascii_lowercase();
    let name = if name == "axidraw" { "ebb" } else { &name };
    if KNOWN_DRIVERS.contains(&name) { Ok(name.to_owned()) } else { Err("is not a driver".into()) }
}

pub(super) fn port(text: &str) -> Result<String, String> {
    if let Some(name) = text.strip_prefix("sim:") {
        return Ok(format!("sim:{}", driver(name)?));
    }
    if let Some(address) = text.strip_prefix("tcp://") {
        let good = self::address(address);
        return if good { Ok(text.into()) } else { Err("is not HOST:PORT".into()) };
    }
    if text.starts_with('/') { Ok(text.into()) } else { Err("is not a port".into()) }
}

/// True for `HOST:PORT`.
pub(super) fn address(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(name, port)| {
        host(name).is_some() && port.parse::<u16>().is_ok_and(|port| port > 0)
    })
}

/// True for `http://HOST[:PORT][/PATH]`.
pub(super) fn url(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("http://") else { return false };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    !rest.contains([' ', '#']) && (host(authority).is_some() || address(authority))
}

/// What is wrong with the address of a webhook, if anything.
pub(super) fn webhook(text: &str) -> Result<(), String> {
    let plain = text.strip_prefix("https://").map(|rest| format!("http://{rest}"));
    if text.split(['/', '?']).nth(2).is_some_and(|authority| authority.contains('@')) {
        return Err("names a user (give it as a header, Authorization)".into());
    }
    let printable = text.bytes().all(|byte| byte.is_ascii_graphic());
    let good = printable && url(plain.as_deref().unwrap_or(text));
    if good { Ok(()) } else { Err("is not a URL".into()) }
}

/// Signals that ask a program to end, or that end it.
pub(super) const SIGNALS: &[&str] =
    &["TERM", "INT", "QUIT", "HUP", "USR1", "USR2", "ABRT", "ALRM", "WINCH", "KILL"];

/// The signal of a name with or without `SIG`.
pub(super) fn signal(text: &str) -> Option<String> {
    let name = text.to_ascii_uppercase();
    let name = name.strip_prefix("SIG").unwrap_or(&name);
    SIGNALS.contains(&name).then(|| name.to_owned())
}

pub(super) fn pattern(text: &str) -> Result<String, String> {
    match regex_lite::Regex::new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(format!("is not a regular expression ({error})")),
    }
}

/// True for `local` and for the name of a time zone.
pub(super) fn zone(text: &str) -> bool {
    text == "local" || jiff::tz::TimeZone::get(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_origins() {
        assert_eq!(host("[::1]").as_deref(), Some("::1"));
        assert_eq!(host("Bench.local").as_deref(), Some("bench.local"));
        for bad in ["", "a b", "1.2.3", "a:80", "http://a", "-..-", "[a]"] {
            assert_eq!(host(bad), None, "{bad}");
        }
        assert_eq!(origin("https://Bench:8443/").as_deref(), Some("https://bench:8443"));
        assert_eq!(origin("http://[::1]:80").as_deref(), Some("http://[::1]:80"));
        for bad in ["*", "bench", "ftp://bench", "http://", "http://a/b", "http://a:99999"] {
            assert_eq!(origin(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_template_names_known_fields() {
        assert!(log_format("%(asctime)s - %(name)s - %(levelname)s - %(message)s").is_ok());
        assert!(log_format("%(lineno)s").is_err());
        assert!(log_format("%(message").is_err());
        assert!(log_format("yaml").is_err());
    }

    #[test]
    fn addresses_urls_and_signals() {
        assert!(address("localhost:80") && address("[::1]:8080"));
        assert!(!address("localhost") && !address(":80") && !address("a:0") && !address("a b:1"));
        assert!(url("http://127.0.0.1:8080/state?full=1") && url("http://bench"));
        for bad in ["https://bench", "http://", "http:///a", "http://a:b/", "http://a@b", "bench"] {
            assert!(!url(bad), "{bad}");
        }
        assert_eq!(signal("sigquit").as_deref(), Some("QUIT"));
        assert_eq!(signal("STOP"), None);
        assert_eq!(signal("RTMIN"), None);
    }
}
