//! What the program of a job writes, kept within a limit: the beginning and the end.
//!
//! ```text
//!   jobs/ID/output.log            from the first byte, up to half of the limit
//!   jobs/ID/output.log.52428800   from that byte on, a quarter of the limit …
//!   jobs/ID/output.log.54525952   … and the newest; what is older than these two is gone
//! ```
//! A file's name says where in the whole its first byte stands, so that what has been left out can
//! be told from the names alone, by whoever reads and whenever.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

const NAME: &str = "output.log";

/// A part of the whole that is in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    start: u64,
    length: u64,
    path: PathBuf,
}

impl Piece {
    fn end(&self) -> u64 {
        self.start.saturating_add(self.length)
    }
}

/// Those in a job's directory, in their order.
fn pieces(directory: &Path) -> io::Result<Vec<Piece>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let start = match name.to_str().and_then(|name| name.strip_prefix(NAME)) {
            Some("") => Some(0),
            Some(rest) => rest.strip_prefix('.').and_then(|start| start.parse().ok()),
            None => None,
        };
        if let (Some(start), Ok(data)) = (start, entry.metadata()) {
            found.push(Piece { start, length: data.len(), path: entry.path() });
        }
    }
    found.sort_by_key(|piece| piece.start);
    Ok(found)
}

/// Writes what a job's program writes.
pub(in crate::daemons) struct JobLog {
    directory: PathBuf,
    limit: u64,
    /// Older ones, which are still there.
    old: Vec<PathBuf>,
    /// Where the newest begins, and how long it is.
    start: u64,
    length: u64,
    file: Option<File>,
}

impl JobLog {
    /// Goes on where an earlier attempt left off.
    ///
    /// # Errors
    /// The directory cannot be read, or the file not be opened.
    pub(in crate::daemons) fn open(directory: &Path, limit: u64) -> io::Result<Self> {
        let mut pieces = pieces(directory)?;
        let newest = pieces.pop();
        let (start, length) = newest.map_or((0, 0), |newest| (newest.start, newest.length));
        let old = pieces.into_iter().filter(|it| it.start > 0).map(|it| it.path).collect();
        let mut log =
            Self { directory: directory.to_owned(), limit, old, start, length, file: None };
        log.file = Some(log.open_at(start)?);
        Ok(log)
    }

    /// Adds to it.
    ///
    /// # Errors
    /// The disk does not take it: some of it may be lost.
    pub(in crate::daemons) fn append(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let most = if self.start == 0 { self.limit / 2 } else { self.limit / 4 };
            let room = usize::try_from(most.saturating_sub(self.length)).unwrap_or(usize::MAX);
            let Some(file) = self.file.as_mut().filter(|_| room > 0) else {
                self.turn()?;
                continue;
            };
            let count = file.write(&bytes[..bytes.len().min(room)])?;
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.length += u64::try_from(count).unwrap_or(0);
            bytes = &bytes[count..];
        }
        Ok(())
    }

    /// Begins the next file, and lets the oldest go but the first.
    fn turn(&mut self) -> io::Result<()> {
        if self.old.len() > 1 || self.old.len() == 1 && self.start > 0 {
            let oldest = self.old.remove(0);
            fs::remove_file(oldest)?;
        }
        let next = self.start + self.length;
        let file = self.open_at(next)?;
        if self.start > 0 {
            self.old.push(self.path(self.start));
        }
        (self.start, self.length, self.file) = (next, 0, Some(file));
        Ok(())
    }

    fn path(&self, start: u64) -> PathBuf {
        let name = if start == 0 { NAME.to_owned() } else { format!("{NAME}.{start}") };
        self.directory.join(name)
    }

    fn open_at(&self, start: u64) -> io::Result<File> {
        OpenOptions::new().create(true).append(true).mode(0o640).open(self.path(start))
    }
}

/// All that is kept of it now, with a line in the place of what has been left out.
pub struct Kept {
    parts: Vec<Part>,
    length: u64,
    position: u64,
    /// Where in the whole it ends: what comes later is read from there on.
    pub end: u64,
}

enum Part {
    File { path: PathBuf, length: u64 },
    Words(Vec<u8>),
}

impl Part {
    fn length(&self) -> u64 {
        match self {
            Self::File { length, .. } => *length,
            Self::Words(words) => u64::try_from(words.len()).unwrap_or(0),
        }
    }
}

/// The line in the place of what has been left out.
fn mark(bytes: u64) -> Vec<u8> {
    format!("\n[stationd] {bytes} bytes are left out here\n").into_bytes()
}

impl Kept {
    /// What is in that job's directory.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(directory: &Path) -> io::Result<Self> {
        let (mut parts, mut end) = (Vec::new(), 0);
        for piece in pieces(directory)? {
            if piece.start > end {
                parts.push(Part::Words(mark(piece.start - end)));
            }
            end = piece.end();
            parts.push(Part::File { path: piece.path, length: piece.length });
        }
        let length = parts.iter().map(Part::length).sum();
        Ok(Self { parts, length, position: 0, end })
    }

    /// Its length in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }
}

impl Read for Kept {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut at = self.position;
        for part in &self.parts {
            let length = part.length();
            if at >= length {
                at -= length;
                continue;
            }
            let room = usize::try_from(length - at).unwrap_or(usize::MAX).min(buffer.len());
            let count = match part {
                Part::File { path, .. } => read_at(path, at, &mut buffer[..room])?,
                Part::Words(words) => {
                    let from = usize::try_from(at).unwrap_or(usize::MAX);
                    buffer[..room].copy_from_slice(&words[from..from + room]);
                    room
                }
            };
            self.position += u64::try_from(count).unwrap_or(0);
            return Ok(count);
        }
        Ok(0)
    }
}

fn read_at(path: &Path, from: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    file.read(buffer)
}

impl Seek for Kept {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

/// What comes after that many bytes of the whole, at most `most` of it, and where it ends. Nothing
/// if nothing has come yet.
///
/// # Errors
/// It cannot be read.
pub fn after(directory: &Path, from: u64, most: usize) -> io::Result<(Vec<u8>, u64)> {
    let pieces = pieces(directory)?;
    let Some(piece) = pieces.iter().find(|piece| piece.end() > from) else {
        return Ok((Vec::new(), from));
    };
    let mut bytes = if piece.start > from { mark(piece.start - from) } else { Vec::new() };
    let begin = piece.start.max(from);
    let mut read = vec![0; most];
    let count = match read_at(&piece.path, begin - piece.start, &mut read) {
        // It has just been let go: the next look finds what there is.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), from)),
        count => count?,
    };
    bytes.extend_from_slice(&read[..count]);
    Ok((bytes, begin + u64::try_from(count).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(directory: &Path) -> String {
        let mut text = String::new();
        Kept::open(directory).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    fn on_disk(directory: &Path) -> u64 {
        pieces(directory).unwrap().iter().map(|piece| piece.length).sum()
    }

    #[test]
    fn the_beginning_and_the_end_are_kept_and_the_cut_is_marked() {
        let directory = tempfile::tempdir().unwrap();
        let mut log = JobLog::open(directory.path(), 1000).unwrap();
        for number in 0..1000 {
            log.append(format!("line {number:04}\n").as_bytes()).unwrap();
            assert!(on_disk(directory.path()) <= 1000);
        }
        let text = all(directory.path());
        assert!(text.starts_with("line 0000\nline 0001\n"), "{text}");
        assert!(text.ends_with("line 0998\nline 0999\n"), "{text}");
        assert_eq!(text.matches("[stationd] ").count(), 1);
        let left_out = 10_000 - on_disk(directory.path());
        assert!(text.contains(&format!("\n[stationd] {left_out} bytes are left out here\n")));
        assert!(on_disk(directory.path()) > 700);
    }

    #[test]
    fn what_fits_is_kept_whole_over_several_attempts() {
        let directory = tempfile::tempdir().unwrap();
        for _ in 0..4 {
            JobLog::open(directory.path(), 1000).unwrap().append(&[b'x'; 240]).unwrap();
        }
        assert_eq!(all(directory.path()), "x".repeat(960));
        JobLog::open(directory.path(), 1000).unwrap().append(&[b'y'; 240]).unwrap();
        let text = all(directory.path());
        assert!(text.contains("[stationd]") && text.ends_with(&"y".repeat(240)), "{text}");
        assert!(on_disk(directory.path()) <= 1000);
    }

    #[test]
    fn who_follows_gets_every_byte_that_is_kept_and_learns_of_the_others() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(after(directory.path(), 0, 100).unwrap(), (Vec::new(), 0));
        let mut log = JobLog::open(directory.path(), 1000).unwrap();
        let (mut heard, mut at) = (Vec::new(), 0);
        let listen = |heard: &mut Vec<u8>, at: &mut u64| loop {
            let (bytes, end) = after(directory.path(), *at, 64).unwrap();
            if bytes.is_empty() {
                break;
            }
            heard.extend(bytes);
            *at = end;
        };
        for number in 0..200 {
            log.append(format!("line {number:04}\n").as_bytes()).unwrap();
            listen(&mut heard, &mut at);
        }
        let expected: Vec<_> = (0..200).map(|number| format!("line {number:04}\n")).collect();
        assert_eq!(String::from_utf8(heard).unwrap(), expected.concat());
        let mut late = Vec::new();
        listen(&mut late, &mut 100);
        assert!(String::from_utf8(late).unwrap().contains("bytes are left out here"));
    }
}
