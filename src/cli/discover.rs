//! Which station a command talks to.

use std::{
    fmt,
    io::{self, ErrorKind},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
};

use super::{args::Global, failure::Failure};
use crate::config::Sources;

/// Where a station may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// `http://HOST:PORT`, without a slash at its end.
    Url(String),
    /// A Unix socket.
    Socket(PathBuf),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => f.write_str(url),
            Self::Socket(path) => path.display().fmt(f),
        }
    }
}

/// The first station that answers. What was named is the only one tried: a command must never
/// reach another station than the one it was meant for.
pub(super) fn find(global: &Global) -> Result<Place, Failure> {
    let places = places(global, &Sources::from_process())?;
    let mut tried = Vec::new();
    let mut forbidden = false;
    for place in places {
        let Place::Socket(path) = &place else { return Ok(place) };
        match UnixStream::connect(path) {
            Ok(_) => return Ok(place),
            Err(error) => {
                forbidden |= error.kind() == ErrorKind::PermissionDenied;
                tried.push(format!("{place} ({})", reason(&error)));
            }
        }
    }
    let tried = tried.join(", ");
    Err(if forbidden {
        Failure::NotAllowed(format!("the station's socket is not open to you; tried {tried}"))
    } else {
        Failure::NotRunning(format!(
            "no station is running; tried {tried}; start one with `stationd start`, or name one \
             with --workspace or --url"
        ))
    })
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "no such socket".to_owned(),
        ErrorKind::ConnectionRefused => "nobody listens".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

/// Where to look, in order.
fn places(global: &Global, sources: &Sources) -> Result<Vec<Place>, Failure> {
    let socket = |directory: &Path| Place::Socket(directory.join("stationd.sock"));
    if let Some(url) = &global.url {
        return Ok(vec![Place::Url(checked(url)?)]);
    }
    if let Some(directory) = &global.workspace {
        return Ok(vec![socket(directory)]);
    }
    if let Some(path) = variable(sources, "STATIOND_SOCKET_PATH") {
        return Ok(vec![Place::Socket(path)]);
    }
    let mut places: Vec<Place> = default_workspace(sources).iter().map(|own| socket(own)).collect();
    let system = socket(Path::new("/var/lib/stationd"));
    if !places.contains(&system) {
        places.push(system);
    }
    Ok(places)
}

/// The workspace of a station that is started without naming one; none without a home.
pub(super) fn default_workspace(sources: &Sources) -> Option<PathBuf> {
    variable(sources, "STATIOND_DATA_DIR").or_else(|| sources.default_workspace())
}

fn variable(sources: &Sources, name: &str) -> Option<PathBuf> {
    sources.env.get(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn checked(url: &str) -> Result<String, Failure> {
    if url.starts_with("https://") {
        return Err(Failure::Usage(format!(
            "{url}: https is not spoken by this version: use http://, an SSH tunnel or the \
             station's socket"
        )));
    }
    match url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/')) {
        Some(host) if !host.is_empty() && !host.contains('/') => Ok(format!("http://{host}")),
        _ => Err(Failure::Usage(format!("{url}: write the address as http://HOST:PORT"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked_for(global: &Global, variables: &[(&str, &str)], root: bool) -> Vec<String> {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let env = variables.iter().map(pair).collect();
        let sources = Sources { env, root, ..Sources::default() };
        places(global, &sources).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_named_is_the_only_place() {
        let home = [("HOME", "/home/a"), ("STATIOND_SOCKET_PATH", "/run/s.sock")];
        let mut global = Global::default();
        assert_eq!(looked_for(&global, &home, false), ["/run/s.sock"]);
        global.workspace = Some("/w".into());
        assert_eq!(looked_for(&global, &home, false), ["/w/stationd.sock"]);
        global.url = Some("http://bench:8766/".to_owned());
        assert_eq!(looked_for(&global, &home, false), ["http://bench:8766"]);
    }

    #[test]
    fn by_default_the_own_station_comes_before_the_system_one() {
        let global = Global::default();
        let system = "/var/lib/stationd/stationd.sock";
        assert_eq!(
            looked_for(&global, &[("HOME", "/home/a")], false),
            ["/home/a/.local/share/stationd/stationd.sock", system]
        );
        assert_eq!(
            looked_for(&global, &[("HOME", "/home/a"), ("XDG_DATA_HOME", "/x")], false),
            ["/x/stationd/stationd.sock", system]
        );
        assert_eq!(looked_for(&global, &[("HOME", "/root")], true), [system]);
        assert_eq!(looked_for(&global, &[], false), [system]);
        assert_eq!(
            looked_for(&global, &[("STATIOND_DATA_DIR", "/d")], true),
            ["/d/stationd.sock", system]
        );
    }

    #[test]
    fn an_address_that_cannot_be_used_is_wrong_usage() {
        for url in ["https://a:1", "bench:8766", "http://", "http://a/b"] {
            let error = checked(url).unwrap_err();
            assert_eq!(error.code(), 2, "{url}: {error}");
        }
    }

    #[test]
    fn nobody_there_is_exit_code_3_and_names_what_was_tried() {
        let directory = tempfile::tempdir().unwrap();
        let global = Global { workspace: Some(directory.path().to_owned()), ..Global::default() };
        let failure = find(&global).unwrap_err();
        assert_eq!(failure.code(), 3);
        assert!(failure.to_string().contains("stationd.sock (no such socket)"), "{failure}");
    }
}
