//! The end of a file that grows: read from its end, in bounded memory.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
    sync::Arc,
};

use crate::store::StoreError;

/// The most lines that can be asked for.
pub(super) const MOST_LINES: usize = 10_000;
/// The most bytes that are read, however long the lines are.
const MOST_BYTES: u64 = 4 << 20;
const BLOCK: u64 = 64 << 10;

/// The last `lines` of a file; nothing if there is no file yet.
pub(super) fn tail(path: &Path, lines: usize) -> Result<String, StoreError> {
    let bytes = match File::open(path).and_then(|file| whole(file, lines)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(source) => {
            return Err(StoreError::Io { path: path.to_owned(), source: Arc::new(source) });
        }
    };
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn whole(mut file: File, lines: usize) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    end_of(&mut file, length, lines)
}

/// The last `lines` of what is `length` bytes long.
pub(super) fn end_of(
    file: &mut (impl Read + Seek),
    length: u64,
    lines: usize,
) -> io::Result<Vec<u8>> {
    let (mut start, mut breaks) = (length, 0);
    let mut blocks: Vec<Vec<u8>> = Vec::new();
    // The last byte ends the last line, and a line more tells where the first one begins.
    while start > 0 && breaks <= lines && length - start < MOST_BYTES {
        let size = BLOCK.min(start);
        start -= size;
        file.seek(SeekFrom::Start(start))?;
        let mut block = Vec::new();
        file.by_ref().take(size).read_to_end(&mut block)?;
        breaks += block.split(|&byte| byte == b'\n').skip(1).count();
        blocks.push(block);
    }
    let mut bytes: Vec<u8> = blocks.into_iter().rev().flatten().collect();
    let body = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let ends = body.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n');
    let begin = ends.map(|(at, _)| at + 1).nth(lines.saturating_sub(1)).unwrap_or(0);
    Ok(bytes.split_off(begin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_shown() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("output.log");
        assert_eq!(tail(&path, 3).unwrap(), "");
        std::fs::write(&path, "a\nb\nc\n").unwrap();
        assert_eq!(tail(&path, 2).unwrap(), "b\nc\n");
        assert_eq!(tail(&path, 3).unwrap(), "a\nb\nc\n");
        assert_eq!(tail(&path, 9).unwrap(), "a\nb\nc\n");
        std::fs::write(&path, "a\nb\nc").unwrap();
        assert_eq!(tail(&path, 1).unwrap(), "c");
        std::fs::write(&path, "\n\n").unwrap();
        assert_eq!(tail(&path, 1).unwrap(), "\n");
    }

    #[test]
    fn lines_may_lie_across_blocks_and_memory_is_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("output.log");
        let line = |number: usize| format!("{number:09} {}\n", "x".repeat(990));
        let all: String = (0..200).map(line).collect();
        std::fs::write(&path, &all).unwrap();
        for lines in [1, 65, 66, 131, 199, 200, 201] {
            let first = 200_usize.saturating_sub(lines);
            let expected: String = (first..200).map(line).collect();
            assert!(tail(&path, lines).unwrap() == expected, "{lines}");
        }
        std::fs::write(&path, "y".repeat(6 << 20)).unwrap();
        assert_eq!(tail(&path, 2).unwrap().len() as u64, MOST_BYTES);
    }
}
