//! The heartbeat: a small file that tells checkers outside that the station lives.
//!
//! It owns the heartbeat file and replaces it atomically at every beat, so a reader never sees half
//! of one. `stationd daemon-status` judges the station by this file alone.

use std::{
    fs::{self, File, Permissions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use actix::prelude::*;
use jiff::Zoned;
use log::warn;
use serde::Serialize;

use super::Board;
use crate::{
    domain::{Health, Timestamp},
    supervision::Service,
};

/// What the heartbeat needs to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// The file.
    pub file: PathBuf,
    /// Its permissions.
    pub mode: u32,
    /// Between two beats.
    pub interval: Duration,
}

/// Writes the heartbeat file.
pub struct Heartbeat {
    options: Options,
    board: Arc<Board>,
    trouble: Option<io::Error>,
}

/// What the file holds. `timestamp` is local time without a zone: checkers subtract it from theirs.
#[derive(Serialize)]
struct Beat {
    timestamp: String,
    pid: u32,
    uptime_seconds: f64,
    unix_time: f64,
}

impl Heartbeat {
    /// A heartbeat that begins when it is started.
    pub fn new(options: Options, board: Arc<Board>) -> Self {
        Self { options, board, trouble: None }
    }

    fn beat(&mut self) {
        let now = Timestamp::now();
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of this era fit a double")]
        let beat = Beat {
            timestamp: Zoned::now().strftime("%Y-%m-%dT%H:%M:%S%.6f").to_string(),
            pid: std::process::id(),
            uptime_seconds: self.board.started().elapsed().as_secs_f64(),
            unix_time: now.as_ms() as f64 / 1000.0,
        };
        let written = serde_json::to_vec(&beat)
            .map_err(io::Error::from)
            .and_then(|text| replace(&self.options.file, &text, self.options.mode));
        match written {
            Ok(()) => {
                self.board.beat(now);
                self.trouble = None;
            }
            Err(error) => {
                if self.trouble.is_none() {
                    warn!(
                        "failed to write the heartbeat to {}: {error}",
                        self.options.file.display()
                    );
                }
                self.trouble = Some(error);
            }
        }
    }
}

/// Puts `text` in the place of `file` in one step. Not synced: a heartbeat is of no use after a
/// power cut.
fn replace(file: &Path, text: &[u8], mode: u32) -> io::Result<()> {
    let mut new = file.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    let write = |mut open: File| {
        open.set_permissions(Permissions::from_mode(mode))?;
        open.write_all(text)
    };
    let options = File::options().write(true).create(true).truncate(true).mode(mode).to_owned();
    options.open(&new).and_then(write)?;
    fs::rename(&new, file)
}

impl Actor for Heartbeat {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.beat();
        ctx.run_interval(self.options.interval, |this, _| this.beat());
    }
}

impl Service for Heartbeat {
    fn health(&mut self) -> Health {
        match &self.trouble {
            None => Health::healthy(),
            Some(error) => Health::degraded(format!("the heartbeat cannot be written: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_replaced_whole_with_its_mode() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("heartbeat");
        fs::write(&file, "something much longer than what follows").unwrap();
        replace(&file, b"{}", 0o604).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "{}");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o604);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
