//! `GET /api/v1/jobs/{id}/log`: what the program of a job writes.

use std::{
    borrow::Cow,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{self, Bytes},
};
use futures_util::{Stream, stream};
use serde::{Deserialize, Deserializer, de::Error as _};

use super::{
    app::App,
    error::Problem,
    health::busy,
    jobs::job_id,
    query::query,
    tail::{MOST_LINES, end_of},
};
use crate::{
    daemons::{
        Phase,
        job_log::{Kept, after},
    },
    domain::{JobId, JobState},
    store::{StoreError, jobs},
};

const USUAL_LINES: usize = 1000;
/// How soon to look again at what has not grown.
const PAUSE: Duration = Duration::from_millis(100);
/// What is read at a time.
const PIECE: usize = 64 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogQuery {
    /// As many of the last lines at most, or `all`; `lines` is the same, as of daemons.
    tail: Option<Tail>,
    lines: Option<Tail>,
    #[serde(default)]
    follow: bool,
}

/// How much of what is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tail {
    All,
    Lines(usize),
}

impl<'de> Deserialize<'de> for Tail {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        if text == "all" {
            return Ok(Self::All);
        }
        let lines = text.parse().map_err(|_| D::Error::custom("a number of lines, or all"))?;
        Ok(Self::Lines(lines))
    }
}

/// `GET /api/v1/jobs/{id}/log?tail=1000&follow=true`: the last lines; and with `follow` what comes
/// after them, until the job is over.
pub(super) async fn log(
    request: HttpRequest,
    app: web::Data<App>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let wanted: LogQuery = query(request.query_string())?;
    let tail = wanted.tail.or(wanted.lines).unwrap_or(Tail::Lines(USUAL_LINES));
    let least = usize::from(!wanted.follow);
    if matches!(tail, Tail::Lines(lines) if !(least..=MOST_LINES).contains(&lines)) {
        let detail = format!("1 to {MOST_LINES} of the last lines are shown, or all");
        return Err(Problem::field("tail", detail));
    }
    let id = job_id(&id)?;
    app.store.read(|connection| jobs::get(connection, id))?;
    let directory = app.settings().jobs_dir.join(id.to_string());
    let place = directory.clone();
    let (bytes, end) = web::block(move || begin(&place, tail)).await.map_err(busy)??;
    let mut response = HttpResponse::Ok();
    response
        .content_type("text/plain; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-store"));
    if !wanted.follow && tail != Tail::All {
        return Ok(response.body(String::from_utf8_lossy(&bytes).into_owned()));
    }
    let at = if tail == Tail::All { 0 } else { end };
    let until = (!wanted.follow).then_some(end);
    let follower = Follower { app, id, directory, at, until, begun: Vec::new() };
    // Nothing may keep back what has come already.
    response.insert_header(header::ContentEncoding::Identity);
    Ok(response.streaming(follower.stream(bytes)))
}

/// The last lines, and where the whole ends just now. All of it is read piece by piece later.
fn begin(directory: &Path, tail: Tail) -> Result<(Vec<u8>, u64), StoreError> {
    let read = || {
        let mut kept = Kept::open(directory)?;
        let (length, end) = (kept.length(), kept.end);
        let bytes = match tail {
            Tail::All | Tail::Lines(0) => Vec::new(),
            Tail::Lines(lines) => end_of(&mut kept, length, lines)?,
        };
        Ok((bytes, end))
    };
    read().map_err(|source: io::Error| StoreError::Io {
        path: directory.to_owned(),
        source: Arc::new(source),
    })
}

/// Somebody who follows.
struct Follower {
    app: web::Data<App>,
    id: JobId,
    directory: PathBuf,
    /// What comes next begins there.
    at: u64,
    /// It ends there at the latest; otherwise with the job.
    until: Option<u64>,
    /// The beginning of a letter whose end has not come yet.
    begun: Vec<u8>,
}

impl Follower {
    fn stream(self, first: Vec<u8>) -> impl Stream<Item = io::Result<Bytes>> {
        stream::unfold(Some((self, first)), |state| async {
            let (mut follower, first) = state?;
            if !first.is_empty() {
                let text = follower.text(first);
                return Some((Ok(text), Some((follower, Vec::new()))));
            }
            match follower.next().await {
                Ok(Some(text)) => Some((Ok(text), Some((follower, Vec::new())))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        })
    }

    /// What comes next; nothing once the job is over.
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            // Whatever it has written was there before it was over.
            let is_over = self.is_over();
            if self.until.is_some_and(|end| self.at >= end) {
                return Ok(self.rest());
            }
            let (directory, at) = (self.directory.clone(), self.at);
            let read = web::block(move || after(&directory, at, PIECE)).await;
            let (bytes, end) = read.map_err(io::Error::other)??;
            self.at = end;
            if !bytes.is_empty() {
                return Ok(Some(self.text(bytes)));
            }
            if is_over {
                return Ok(self.rest());
            }
            actix_web::rt::time::sleep(PAUSE).await;
        }
    }

    /// The beginning of a letter that has no end.
    fn rest(&mut self) -> Option<Bytes> {
        let rest = std::mem::take(&mut self.begun);
        let text = String::from_utf8_lossy(&rest).into_owned();
        Some(Bytes::from(text)).filter(|text| !text.is_empty())
    }

    fn is_over(&self) -> bool {
        let job = self.app.store.read(|connection| jobs::get(connection, self.id));
        self.app.board.phase() == Phase::Stopping
            || !job.is_ok_and(|job| {
                job.state.is_active() || matches!(job.state, JobState::Queued | JobState::Held)
            })
    }

    /// As text, letter by letter: what comes in two pieces is one.
    fn text(&mut self, bytes: Vec<u8>) -> Bytes {
        let mut all = std::mem::take(&mut self.begun);
        all.extend(bytes);
        let whole = match str::from_utf8(&all) {
            Ok(_) => all.len(),
            // Only what is cut off at the very end may become a letter yet.
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => all.len() - unfinished(&all),
        };
        self.begun = all.split_off(whole);
        Bytes::from(String::from_utf8_lossy(&all).into_owned())
    }
}

/// How many bytes at the end are the beginning of a letter.
fn unfinished(bytes: &[u8]) -> usize {
    let begins = |byte: &u8| *byte >= 0xC0;
    let back = bytes.iter().rev().take(3).position(begins).map_or(0, |at| at + 1);
    let end = &bytes[bytes.len() - back..];
    let cut = str::from_utf8(end).err().is_some_and(|error| error.error_len().is_none());
    if cut { back } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_that_is_cut_is_told_from_what_is_no_text() {
        let euro = "€".as_bytes();
        assert_eq!(unfinished(b"abc"), 0);
        assert_eq!(unfinished(euro), 0);
        assert_eq!(unfinished(&euro[..1]), 1);
        assert_eq!(unfinished(&[b"\xff a", &euro[..2]].concat()), 2);
        assert_eq!(unfinished(b"a\xff"), 0);
        assert_eq!(unfinished(b""), 0);
    }
}
