//! A job's file, read ahead.

use std::{
    fs::File,
    io::{self, Read},
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{self, Receiver, TryRecvError},
    },
};

use super::{Source, estop::Shared};

const PIECE: usize = 32 * 1024;

/// What comes next of a file.
pub(super) enum Piece {
    Bytes(Vec<u8>),
    End,
    Failed(String),
    /// It is being read; the link will be woken.
    NotYet,
}

/// Reads a file in a thread of its own, two pieces ahead: a disk that hangs must not hang the link,
/// whose emergency stop does not wait for anything.
pub(super) enum Reader {
    Bytes(Option<Vec<u8>>),
    File { path: PathBuf, pieces: Receiver<io::Result<Vec<u8>>> },
}

impl Reader {
    pub(super) fn new(source: Source, shared: &Arc<Shared>) -> io::Result<Self> {
        let path = match source {
            Source::Bytes(bytes) => return Ok(Self::Bytes(Some(bytes))),
            Source::File(path) => path,
        };
        let (sender, pieces) = mpsc::sync_channel(2);
        let (name, shared) = (path.clone(), Arc::clone(shared));
        std::thread::Builder::new().name("read-job".to_owned()).spawn(move || {
            let read = || -> io::Result<()> {
                let mut file = File::open(name)?;
                loop {
                    let mut piece = Vec::with_capacity(PIECE);
                    file.by_ref().take(PIECE as u64).read_to_end(&mut piece)?;
                    let end = piece.is_empty();
                    // The link lets go of the channel when the job has ended.
                    if sender.send(Ok(piece)).is_err() || end {
                        return Ok(());
                    }
                    shared.wake();
                }
            };
            if let Err(error) = read() {
                let _ = sender.send(Err(error));
            }
            drop(sender);
            shared.wake();
        })?;
        Ok(Self::File { path, pieces })
    }

    pub(super) fn next(&mut self) -> Piece {
        match self {
            Self::Bytes(bytes) => bytes.take().map_or(Piece::End, Piece::Bytes),
            Self::File { path, pieces } => match pieces.try_recv() {
                Ok(Ok(piece)) if piece.is_empty() => Piece::End,
                Ok(Ok(piece)) => Piece::Bytes(piece),
                Ok(Err(error)) => Piece::Failed(format!("{}: {error}", path.display())),
                Err(TryRecvError::Empty) => Piece::NotYet,
                Err(TryRecvError::Disconnected) => {
                    Piece::Failed(format!("{}: reading stopped", path.display()))
                }
            },
        }
    }
}
