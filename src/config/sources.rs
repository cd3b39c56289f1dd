//! Where configuration is looked for.

use std::{
    collections::BTreeMap,
    env, fmt,
    path::{Path, PathBuf},
};

/// An option of the command line that sets a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// The option as typed, `--port`.
    pub flag: &'static str,
    /// The key it sets, `websocket.port`.
    pub key: &'static str,
    /// The value as typed.
    pub value: String,
}

/// Everything that a configuration is made of. Nothing else is looked at, so that a test has
/// its own environment.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// The file that was named with `--config`; it must exist.
    pub file: Option<PathBuf>,
    /// The directory that was named with `--workspace`.
    pub workspace: Option<PathBuf>,
    /// The environment.
    pub env: BTreeMap<String, String>,
    /// `KEY=VALUE` of each `--set`.
    pub set: Vec<String>,
    /// Other options that set keys.
    pub flags: Vec<Flag>,
    /// Relative paths on the command line and in the environment start here.
    pub directory: PathBuf,
    /// The user is root, whose default workspace is the system's.
    pub root: bool,
}

/// Environment and options may hold secrets and are left out.
impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources")
            .field("file", &self.file)
            .field("workspace", &self.workspace)
            .field("directory", &self.directory)
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

impl Sources {
    /// The environment, directory and user of this process. Names and values that are not UTF-8
    /// are kept as near as possible.
    pub fn from_process() -> Self {
        let text = |os: std::ffi::OsString| os.to_string_lossy().into_owned();
        Self {
            env: env::vars_os().map(|(name, value)| (text(name), text(value))).collect(),
            directory: env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
            root: nix::unistd::geteuid().is_root(),
            ..Self::default()
        }
    }

    /// Adds an option, if it was given.
    #[must_use]
    pub fn flag(
        mut self,
        flag: &'static str,
        key: &'static str,
        value: Option<impl ToString>,
    ) -> Self {
        self.flags.extend(value.map(|value| Flag { flag, key, value: value.to_string() }));
        self
    }

    /// The file in use, or, if there is none, where one would be looked for first. A named one
    /// need not exist.
    pub fn path(&self) -> Option<PathBuf> {
        self.named_file().or_else(|| self.found_file()).or_else(|| self.user_file())
    }

    /// The file that somebody asked for.
    pub(super) fn named_file(&self) -> Option<PathBuf> {
        let named = self.file.clone().or_else(|| self.variable("STATIOND_CONFIG"))?;
        Some(self.directory.join(named))
    }

    /// The first of the usual files that exists.
    pub(super) fn found_file(&self) -> Option<PathBuf> {
        let system = PathBuf::from("/etc/stationd/config.yaml");
        self.user_file().into_iter().chain([system]).find(|path| path.exists())
    }

    /// Where a new file is written: to the named place, else to the user's.
    pub fn new_file(&self) -> Option<PathBuf> {
        self.named_file().or_else(|| self.user_file())
    }

    fn user_file(&self) -> Option<PathBuf> {
        Some(self.xdg("XDG_CONFIG_HOME", ".config")?.join("stationd/config.yaml"))
    }

    /// The workspace if nobody says otherwise; none without a home directory.
    pub fn default_workspace(&self) -> Option<PathBuf> {
        if self.root {
            return Some(PathBuf::from("/var/lib/stationd"));
        }
        Some(self.xdg("XDG_DATA_HOME", ".local/share")?.join("stationd"))
    }

    /// The home directory.
    pub(super) fn home(&self) -> Option<PathBuf> {
        self.variable("HOME").filter(|home| home.is_absolute())
    }

    /// A base directory; the specification says to ignore relative ones.
    fn xdg(&self, name: &str, below_home: impl AsRef<Path>) -> Option<PathBuf> {
        let named = self.variable(name).filter(|path| path.is_absolute());
        named.or_else(|| Some(self.home()?.join(below_home)))
    }

    fn variable(&self, name: &str) -> Option<PathBuf> {
        self.env.get(name).filter(|value| !value.is_empty()).map(PathBuf::from)
    }
}
