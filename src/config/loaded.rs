//! A configuration that was found good, and where each of its values comes from.

use std::path::PathBuf;

use serde::Serialize;
use serde_yaml::Value;

use super::{plugin::Plugin, problem::Problem, tree::Node, types::Config};

/// A configuration that was found good.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The checked values.
    pub config: Config,
    /// What a person should look at.
    pub warnings: Vec<Problem>,
    /// The plugins that were found, good or not.
    pub plugins: Vec<Plugin>,
    /// The configuration file; none if there is none.
    pub file: Option<PathBuf>,
    pub(super) tree: Node,
}

/// A key, its value and where that comes from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Setting {
    /// `websocket.port` or `devices[0].port`.
    pub key: String,
    /// As it was written, secrets as `***`.
    pub value: Value,
    /// `/etc/stationd/config.yaml:12`, `environment STATIOND_…`, `--set …` or `default`.
    pub source: String,
}

impl Loaded {
    /// Every key with its value and source, in the order of the sections.
    pub fn effective(&self) -> Vec<Setting> {
        let mut leaves = Vec::new();
        self.tree.leaves("", &mut leaves);
        let setting = |(key, node): (String, &Node)| Setting {
            key,
            value: node.shown(),
            source: node.place.origin(),
        };
        leaves.into_iter().map(setting).collect()
    }

    /// The whole configuration as it was written and completed, secrets as `***`.
    pub fn document(&self) -> Value {
        self.tree.shown()
    }
}
