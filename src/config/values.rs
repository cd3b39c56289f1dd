//! What the texts of a configuration mean: durations, sizes, addresses, paths.

use std::{
    net::IpAddr,
    path::{Component, Path, PathBuf},
    time::Duration,
};

/// The longest duration that is taken: a hundred years.
pub(super) const LONGEST: Duration = Duration::from_hours(100 * 365 * 24);

const TIMES: &[(&str, f64)] = &[
    ("ms", 0.001),
    ("s", 1.0),
    ("sec", 1.0),
    ("m", 60.0),
    ("min", 60.0),
    ("h", 3_600.0),
    ("d", 86_400.0),
    ("w", 604_800.0),
];

const SIZES: &[(&str, f64)] = &[
    ("b", 1.0),
    ("k", 1e3),
    ("kb", 1e3),
    ("m", 1e6),
    ("mb", 1e6),
    ("g", 1e9),
    ("gb", 1e9),
    ("t", 1e12),
    ("tb", 1e12),
    ("kib", 1024.0),
    ("mib", 1_048_576.0),
    ("gib", 1_073_741_824.0),
    ("tib", 1_099_511_627_776.0),
];

/// True if nobody outside this computer can reach `host`: `localhost` or a loopback address.
pub(super) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// `5s`, `1h 30m`, `1.5h`; a bare number is seconds. None if it is no duration, or longer than
/// [`LONGEST`].
pub(super) fn duration(text: &str) -> Option<Duration> {
    let seconds = match number(text) {
        Some(seconds) => seconds,
        None => sum(text, TIMES)?,
    };
    let duration = Duration::try_from_secs_f64(seconds).ok()?;
    (duration <= LONGEST).then_some(duration)
}

/// Bytes: `10MB` (powers of 1000), `10MiB` (powers of 1024); a bare number is bytes. None if it is
/// no size, or does not fit a file offset.
pub fn size(text: &str) -> Option<u64> {
    let bytes = if let Some(bytes) = number(text) {
        bytes
    } else {
        let (digits, unit) = split(text.trim())?;
        digits * factor(unit, SIZES)?
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0..=2^53")]
    (0.0..=9_007_199_254_740_992.0).contains(&bytes).then_some(bytes as u64)
}

/// A decimal number without sign or exponent.
fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if digits { text.parse().ok() } else { None }
}

/// Numbers with units, each once, added up.
fn sum(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    let mut rest = text.trim();
    let mut total = 0.0;
    while !rest.is_empty() {
        let (value, after) = split(rest)?;
        let end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        total += value * factor(&after[..end], units)?;
        rest = after[end..].trim_start();
    }
    (!text.trim().is_empty()).then_some(total)
}

/// The number that `text` begins with, and what follows it.
fn split(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    Some((text[..end].parse().ok()?, text[end..].trim_start()))
}

fn factor(unit: &str, units: &[(&str, f64)]) -> Option<f64> {
    let found = units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit.trim()));
    found.map(|(_, factor)| *factor)
}

/// Where paths that are not absolute start.
#[derive(Clone, Debug)]
pub(super) struct Base {
    pub(super) workspace: PathBuf,
    /// Where relative ones do: the workspace itself, or the directory of a plugin.
    pub(super) start: PathBuf,
    pub(super) home: Option<PathBuf>,
}

impl Base {
    /// `text` as an absolute path: a relative one lies under `start`, a leading `workspace/`
    /// names the workspace itself, a leading `~/` the home directory.
    pub(super) fn path(&self, text: &str) -> PathBuf {
        if let (Some(below), Some(home)) = (text.strip_prefix("~/"), &self.home) {
            return tidy(&home.join(below));
        }
        let below = below_workspace(text);
        let start = if below.len() < text.len() { &self.workspace } else { &self.start };
        tidy(&start.join(below))
    }

    /// The file of a database URL. The error says what is wrong.
    pub(super) fn database(&self, url: &str) -> Result<PathBuf, &'static str> {
        let rest = url.strip_prefix("sqlite:///").ok_or("is not a URL of a SQLite file")?;
        if rest.contains(['?', '#']) {
            return Err("has parameters");
        }
        let file = rest.rsplit('/').next().unwrap_or_default();
        if matches!(file, "" | "." | ".." | ":memory:") {
            return Err("names no file");
        }
        Ok(tidy(&self.workspace.join(below_workspace(rest))))
    }
}

fn below_workspace(path: &str) -> &str {
    match path.split_once('/') {
        Some(("workspace" | "WORKSPACE", rest)) => rest.trim_start_matches('/'),
        None if path == "WORKSPACE" => "",
        _ => path,
    }
}

/// Without `.` and doubled slashes; `..` stays, since links decide what it means.
pub(super) fn tidy(path: &Path) -> PathBuf {
    path.components().filter(|part| !matches!(part, Component::CurDir)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units_or_are_seconds() {
        let ms = |text| duration(text).map(|duration| duration.as_millis());
        assert_eq!(ms("5s"), Some(5_000));
        assert_eq!(ms("500ms"), Some(500));
        assert_eq!(ms("10m"), Some(600_000));
        assert_eq!(ms("1h 30m"), Some(5_400_000));
        assert_eq!(ms("1h30m"), Some(5_400_000));
        assert_eq!(ms("1.5h"), Some(5_400_000));
        assert_eq!(ms("30d"), Some(2_592_000_000));
        assert_eq!(ms("2"), Some(2_000));
        assert_eq!(ms("0"), Some(0));
        for bad in ["", "s", "-5s", "5 parsecs", "1e9", "5s5", "nan", ".", "200w 99999d", "5µs"] {
            assert_eq!(ms(bad), None, "{bad}");
        }
    }

    #[test]
    fn sizes_have_units_or_are_bytes() {
        assert_eq!(size("10MB"), Some(10_000_000));
        assert_eq!(size("10 MiB"), Some(10_485_760));
        assert_eq!(size("1.5k"), Some(1_500));
        assert_eq!(size("7"), Some(7));
        for bad in ["", "MB", "-1", "1XB", "99999999TB", "1MB2"] {
            assert_eq!(size(bad), None, "{bad}");
        }
    }

    #[test]
    fn paths_start_at_the_workspace() {
        let base =
            Base { workspace: "/ws".into(), start: "/ws".into(), home: Some("/home/ann".into()) };
        assert_eq!(base.path("a/./b"), Path::new("/ws/a/b"));
        assert_eq!(base.path("workspace/a"), Path::new("/ws/a"));
        assert_eq!(base.path("WORKSPACE/a"), Path::new("/ws/a"));
        assert_eq!(base.path("/a"), Path::new("/a"));
        assert_eq!(base.path("~/a"), Path::new("/home/ann/a"));
    }

    #[test]
    fn database_urls_name_files() {
        let base = Base { workspace: "/ws".into(), start: "/ws".into(), home: None };
        let path = |url| base.database(url).map(|path| path.display().to_string());
        assert_eq!(path("sqlite:///stationd.db").unwrap(), "/ws/stationd.db");
        assert_eq!(path("sqlite:///workspace/a.db").unwrap(), "/ws/a.db");
        assert_eq!(path("sqlite:////var/a.db").unwrap(), "/var/a.db");
        for bad in ["stationd.db", "postgres://x/y", "sqlite://a.db", "sqlite:///", "sqlite:///a?b"]
        {
            assert!(path(bad).is_err(), "{bad}");
        }
    }
}
