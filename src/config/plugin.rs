//! A plugin as it was found.

use std::path::PathBuf;

use serde::{Deserialize, Serialize, Serializer};

/// A directory that adds daemons, hooks and commands to the station.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plugin {
    /// What it is called; its directory's name if it does not say.
    pub name: String,
    /// Which version it is.
    pub version: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Its directory; absolute.
    pub path: PathBuf,
    /// Whether it is in use.
    pub status: PluginStatus,
    /// Why it is broken, a line each: `PLACE: error: KEY: what is wrong, what is allowed`.
    #[serde(rename = "error", serialize_with = "lines")]
    pub errors: Vec<String>,
    /// The daemons it has, in use or not.
    pub daemons: Vec<String>,
    /// How many hooks it has.
    pub hooks: usize,
    /// What users can have it do.
    pub commands: Vec<PluginCommand>,
}

/// Whether a plugin is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PluginStatus {
    /// It is.
    Loaded,
    /// Something is wrong with it; it contributes nothing.
    Broken,
    /// It says `enabled: false`; it contributes nothing.
    Disabled,
}

/// A command that a plugin offers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PluginCommand {
    /// What it is called.
    pub name: String,
    /// What it does.
    pub description: Option<String>,
    /// The program and its arguments; an argument `{args}` stands for what the user adds.
    pub command: Vec<String>,
}

/// Null where there is nothing to say.
fn lines<S: Serializer>(errors: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    (!errors.is_empty()).then(|| errors.join("\n")).serialize(serializer)
}
