//! Configurations from outside: good ones, bad ones, random ones.

mod bad;
mod daemons;
mod guides;
mod layers;
mod plugins;
mod random;
mod sample;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::{Loaded, Problem, Sources, load};

/// A directory with a configuration file, and nothing else of this computer.
struct Bench {
    directory: TempDir,
    sources: Sources,
}

impl Bench {
    fn new(yaml: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let sources = Sources {
            file: Some(directory.path().join("s.yaml")),
            workspace: None,
            env: BTreeMap::from([("HOME".to_owned(), "/home/ann".to_owned())]),
            directory: directory.path().to_path_buf(),
            ..Sources::default()
        };
        let bench = Self { directory, sources };
        bench.write("s.yaml", yaml);
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a file has a parent")).expect("directories");
        fs::write(&path, text).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its mode");
    }

    /// A program of its own.
    fn program(&self, name: &str) {
        self.write(name, "#!/bin/true\n");
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o700)).expect("its mode");
    }

    /// Programs in its `PATH`, which has no others.
    fn programs(self, names: &[&str]) -> Self {
        for name in names {
            self.program(&format!("bin/{name}"));
        }
        let path = self.path("bin").display().to_string();
        self.env("PATH", &path)
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.sources.env.insert(name.to_owned(), value.to_owned());
        self
    }

    fn set(mut self, text: &str) -> Self {
        self.sources.set.push(text.to_owned());
        self
    }

    fn load(&self) -> Result<Loaded, Vec<Problem>> {
        load(&self.sources)
    }

    /// What is loaded, which must be good.
    fn good(&self) -> Loaded {
        self.load().unwrap_or_else(|problems| panic!("{}", self.lines(&problems)))
    }

    /// Every problem, warnings too, a line each.
    fn report(&self) -> String {
        let problems = match self.load() {
            Ok(loaded) => loaded.warnings,
            Err(problems) => problems,
        };
        self.lines(&problems)
    }

    fn lines(&self, problems: &[Problem]) -> String {
        let root = format!("{}/", self.directory.path().display());
        let lines: Vec<_> = problems.iter().map(|p| p.to_string().replace(&root, "")).collect();
        lines.join("\n")
    }

    /// The source of a key's value.
    fn source(&self, key: &str) -> String {
        let root = format!("{}/", self.directory.path().display());
        let setting = self.good().effective().into_iter().find(|setting| setting.key == key);
        setting.expect("a key").source.replace(&root, "")
    }
}

/// The path as the tests write it.
fn path(text: &str) -> &Path {
    Path::new(text)
}
