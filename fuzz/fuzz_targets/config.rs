//! A configuration: what comes before the first NUL is the file, each further part an assignment, as
//! a variable of the environment or as `--set`. It is either good or said to be wrong, with an error
//! and in words; a good one is read again to the same.
#![no_main]

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, sync::LazyLock};

use libfuzzer_sys::fuzz_target;
use stationd::config::{Level, Sources, load};

static DIRECTORY: LazyLock<PathBuf> = LazyLock::new(|| {
    let directory = stationd_fuzz::directory();
    fs::write(directory.join("config.yaml"), "").unwrap();
    let mode = fs::Permissions::from_mode(0o600);
    fs::set_permissions(directory.join("config.yaml"), mode).unwrap();
    directory
});

fn sources(input: &[u8]) -> Sources {
    let mut parts = input.split(|byte| *byte == 0);
    let file = DIRECTORY.join("config.yaml");
    fs::write(&file, parts.next().unwrap_or_default()).unwrap();
    let mut sources = Sources {
        file: Some(file),
        workspace: Some(DIRECTORY.join("workspace")),
        directory: DIRECTORY.clone(),
        ..Sources::default()
    };
    for part in parts {
        let part = String::from_utf8_lossy(part);
        match part.split_once('=') {
            Some((name, value)) if name.starts_with("STATIOND_") && name != "STATIOND_CONFIG" => {
                sources.env.insert(name.to_owned(), value.to_owned());
            }
            _ => sources.set.push(part.into_owned()),
        }
    }
    sources
}

fuzz_target!(|input: &[u8]| {
    let sources = sources(input);
    match load(&sources) {
        Ok(loaded) => {
            assert!(loaded.warnings.iter().all(|problem| problem.level == Level::Warning));
            let again = load(&sources).unwrap();
            assert_eq!(again.config, loaded.config);
        }
        Err(problems) => {
            assert!(problems.iter().any(|problem| problem.level == Level::Error), "{problems:?}");
            for problem in &problems {
                assert!(!problem.message.is_empty(), "{problem:?}");
                serde_json::to_string(problem).unwrap();
            }
        }
    }
});
