//! REST: who may ask, what may be sent, and what is answered to everything else.

mod daemons;
mod doors;
mod files;
mod lists;
mod pages;
mod problems;
mod state;
mod uploads;

use std::{
    fs,
    io::{BufReader, Write as _},
    path::Path,
};

use crate::support::{Answer, Client, read_answer};

/// A file that one simulated machine draws in no time.
const FILE: &[u8] = b"G21\nG90\nG0 X1 Y1\n";

/// Writes these bytes, whatever they are, and reads one answer.
#[track_caller]
fn raw(client: &Client, request: &[u8]) -> Answer {
    let mut stream = BufReader::new(client.connect().unwrap());
    // A refusal may come before all is written.
    drop(stream.get_mut().write_all(request));
    read_answer(&mut stream).unwrap()
}

/// How many bytes lie under a directory, and in how many files.
fn weight(directory: &Path) -> (u64, usize) {
    let mut sum = (0, 0);
    for entry in fs::read_dir(directory).unwrap().flatten() {
        let metadata = entry.metadata().unwrap();
        let more = if metadata.is_dir() { weight(&entry.path()) } else { (metadata.len(), 1) };
        sum = (sum.0 + more.0, sum.1 + more.1);
    }
    sum
}
