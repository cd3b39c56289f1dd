//! The real executable, run to its end.

use std::{
    ffi::OsStr,
    path::Path,
    process::{Command, Output, Stdio},
};

/// What a finished command said.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Exit code; `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Fails unless it exited with this code.
    #[track_caller]
    pub(crate) fn exited(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Its output, read as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

/// The program, in an environment without anything of this machine's user: `home` is where
/// configuration and workspace would be looked for by default.
pub(crate) fn program(home: &Path) -> Command {
    isolated(env!("CARGO_BIN_EXE_stationd"), home)
}

/// Any command, in that environment.
pub(super) fn isolated(program: &str, home: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("STATIOND_") || text.starts_with("XDG_") || text == "NOTIFY_SOCKET" {
            command.env_remove(name);
        }
    }
    command.env("HOME", home).env("NO_COLOR", "1").current_dir(home).stdin(Stdio::null());
    command
}

/// Runs the program with these arguments to its end.
pub(crate) fn run<S: AsRef<OsStr>>(home: &Path, args: impl IntoIterator<Item = S>) -> Ran {
    run_with(program(home).args(args))
}

/// Runs a command to its end.
pub(crate) fn run_with(command: &mut Command) -> Ran {
    command.output().unwrap().into()
}
