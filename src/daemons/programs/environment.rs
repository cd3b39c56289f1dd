//! What a program finds in its environment.

use std::{
    collections::BTreeMap,
    ffi::{CString, OsStr, OsString},
    fs,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::Path,
};

use super::{identity::Identity, words::plain};
use crate::domain::variables;

/// What of the station's environment a program gets to see.
const INHERITED: [&str; 9] =
    ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "XDG_RUNTIME_DIR"];

/// What of it belongs to the station's user, and is another's no matter.
const PERSONAL: [&str; 5] = ["HOME", "USER", "LOGNAME", "SHELL", "XDG_RUNTIME_DIR"];

/// Where programs are looked for if nothing else is said.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Variables by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::daemons) struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// The few that are inherited, or are the other user's.
    pub(in crate::daemons) fn inherited(identity: Option<&Identity>) -> Self {
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

    pub(in crate::daemons) fn set(
        &mut self,
        name: impl Into<OsString>,
        value: impl Into<OsString>,
    ) {
        self.0.insert(name.into(), value.into());
    }

    /// Takes the lines of a file of `KEY=VALUE`.
    ///
    /// # Errors
    /// A sentence: it cannot be read, or which line is wrong.
    pub(in crate::daemons) fn take_file(&mut self, path: &Path) -> Result<(), String> {
        let text = fs::read_to_string(path)
            .map_err(|error| format!("environment file {}: {}", path.display(), plain(&error)))?;
        let variables = variables(&text)
            .map_err(|line| format!("environment file {}: {line}", path.display()))?;
        self.0.extend(variables.into_iter().map(|(name, value)| (name.into(), value.into())));
        Ok(())
    }

    pub(in crate::daemons) fn path(&self) -> &OsStr {
        self.0.get(OsStr::new("PATH")).map_or(OsStr::new(DEFAULT_PATH), OsString::as_os_str)
    }

    /// As `execve` takes it.
    ///
    /// # Errors
    /// A sentence: which variable cannot be.
    pub(in crate::daemons) fn lines(self) -> Result<Vec<CString>, String> {
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
