//! Job files on their way in: streamed to where they stay, looked at on the way.

use std::time::Duration;

use actix_web::web::{self, Bytes};
use futures_util::{Stream, StreamExt};
use tokio::sync::mpsc;

use super::{app::App, error::Problem, health::busy};
use crate::{
    domain::Payload,
    store::{
        StoreError,
        files::{INLINE_LIMIT, Intake},
    },
    toolpath::FileKind,
};

/// A file that has arrived and is durable, or small enough to become so with its job.
pub(super) struct Arrived {
    pub(super) payload: Payload,
    pub(super) kind: FileKind,
}

/// Of the beginning of a file, enough to tell its kind: drawing programs begin with long comments.
const HEAD: usize = 4096;
/// Pieces between the network and the disk.
const PIECES: usize = 8;
/// How long a sender may be silent in the middle of a file.
const SILENCE: Duration = Duration::from_secs(30);

/// Takes a file in from `pieces`. The first of its `names` whose extension is known tells its kind,
/// else its content does. Small ones stay on this thread and in memory; the disk is for
/// threads that may block.
pub(super) async fn receive<E: std::fmt::Display>(
    app: &App,
    names: &[String],
    mut pieces: impl Stream<Item = Result<Bytes, E>> + Unpin,
) -> Result<Arrived, Problem> {
    let limit = app.settings().max_file_size;
    let mut intake = app.store.files().intake(limit);
    let mut head = Vec::new();
    let mut taken = 0;
    while let Some(piece) = next(&mut pieces).await? {
        let piece = piece.map_err(|error| cut_short(&error))?;
        head.extend_from_slice(&piece[..piece.len().min(HEAD - head.len())]);
        taken += piece.len();
        if taken > INLINE_LIMIT {
            let payload = receive_large(intake, piece, pieces).await?;
            return Ok(Arrived { payload, kind: kind_of(names, &head)? });
        }
        intake.write(&piece)?;
    }
    if taken == 0 {
        return Err(Problem::field("file", "the file is empty"));
    }
    let kind = kind_of(names, &head)?;
    Ok(Arrived { payload: intake.finish()?, kind })
}

/// The next piece, unless the network is silent for too long.
async fn next<T>(pieces: &mut (impl Stream<Item = T> + Unpin)) -> Result<Option<T>, Problem> {
    let next = tokio::time::timeout(SILENCE, pieces.next()).await;
    next.map_err(|_| cut_short(&format!("nothing came for {} s", SILENCE.as_secs())))
}

fn cut_short(error: &dyn std::fmt::Display) -> Problem {
    Problem::Malformed(format!("the file did not arrive whole: {error}"))
}

fn kind_of(names: &[String], head: &[u8]) -> Result<FileKind, Problem> {
    let by_name = names.iter().find_map(|name| FileKind::of_name(name));
    by_name.or_else(|| FileKind::of_content(head)).ok_or_else(|| {
        Problem::field(
            "file",
            "no machine takes this kind of file: G-code (.gcode, .nc, …), SVG, HPGL (.plt), EBB \
             commands (.ebb) and lists of lines (.lines) are taken",
        )
    })
}

async fn receive_large<E: std::fmt::Display>(
    mut intake: Intake,
    first: Bytes,
    mut pieces: impl Stream<Item = Result<Bytes, E>> + Unpin,
) -> Result<Payload, Problem> {
    let (send, mut receive) = mpsc::channel::<Bytes>(PIECES);
    let (whole, arrived_whole) = tokio::sync::oneshot::channel::<()>();
    let disk = web::block(move || -> Result<Option<Payload>, StoreError> {
        intake.write(&first)?;
        while let Some(piece) = receive.blocking_recv() {
            intake.write(&piece)?;
        }
        // A file that was cut short is dropped with its intake.
        if arrived_whole.blocking_recv().is_err() {
            return Ok(None);
        }
        intake.finish().map(Some)
    });
    let network = async move {
        while let Some(piece) = next(&mut pieces).await? {
            let piece = piece.map_err(|error| cut_short(&error))?;
            if send.send(piece).await.is_err() {
                return Ok::<_, Problem>(()); // the disk has failed and says why itself
            }
        }
        drop(send);
        let _ = whole.send(()); // as above
        Ok(())
    };
    let (network, disk) = futures_util::future::join(network, disk).await;
    network?;
    disk.map_err(busy)??.ok_or_else(|| cut_short(&"it ended early"))
}

/// The name of a file as it is kept: no directory, no control character, nothing that a program
/// could take for an option or a hidden file, at most 120 characters.
pub(super) fn clean_name(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last
        .chars()
        .map(|char| match char {
            char if char.is_alphanumeric() => char,
            ' ' | '.' | '_' | '-' | '(' | ')' | '+' | ',' | '=' | '@' | '#' => char,
            _ => '_',
        })
        .take(120)
        .collect();
    let clean = clean.trim().trim_start_matches(['.', '-']).trim();
    (!clean.is_empty()).then(|| clean.to_owned())
}

#[cfg(test)]
mod tests {
    use super::clean_name;

    #[test]
    fn names_lose_what_could_do_harm() {
        for (name, clean) in [
            ("rosette.gcode", Some("rosette.gcode")),
            ("../../etc/passwd", Some("passwd")),
            ("C:\\jobs\\a b.nc", Some("a b.nc")),
            ("a;touch$IFS$9x.gcode", Some("a_touch_IFS_9x.gcode")),
            ("--rf.gcode", Some("rf.gcode")),
            (".hidden", Some("hidden")),
            ("Größe.nc", Some("Größe.nc")),
            ("a\u{202e}b\0c.nc", Some("a_b_c.nc")),
            ("..", None),
            ("/", None),
            ("", None),
        ] {
            assert_eq!(clean_name(name).as_deref(), clean, "{name:?}");
        }
        assert_eq!(clean_name(&"x".repeat(500)).map(|name| name.len()), Some(120));
    }
}
