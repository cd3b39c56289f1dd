//! A plugin: the input is its file. It is either good or said to be wrong, in words; nothing that it
//! says is about what the station has without it, and a good one is read again to the same.
#![no_main]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use libfuzzer_sys::fuzz_target;
use stationd::config::{Loaded, PluginStatus, Sources, load, read_plugin};

static STATION: LazyLock<(PathBuf, Sources, Loaded)> = LazyLock::new(|| {
    let directory = stationd_fuzz::directory();
    let plugin = directory.join("plugin");
    fs::create_dir_all(&plugin).unwrap();
    let workspace = Some(directory.join("workspace"));
    let sources = Sources { workspace, directory, ..Sources::default() };
    let loaded = load(&sources).unwrap();
    (plugin, sources, loaded)
});

fuzz_target!(|input: &[u8]| {
    let (plugin, sources, loaded) = &*STATION;
    fs::write(plugin.join("plugin.yaml"), input).unwrap();
    let read = || read_plugin(Path::new(plugin), sources, loaded);
    match read() {
        Ok(plugin) => {
            assert_ne!(plugin.status, PluginStatus::Broken);
            assert!(!plugin.name.is_empty() && plugin.errors.is_empty(), "{plugin:?}");
            serde_json::to_string(&plugin).unwrap();
            assert_eq!(read(), Ok(plugin));
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            assert!(problems.iter().all(|problem| !problem.message.is_empty()), "{problems:?}");
        }
    }
});
