//! The loop: looks at what has happened, and begins what is due.

use std::{pin::Pin, rc::Rc, time::Duration};

use actix::clock::{Instant, sleep};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use log::{error, warn};

use super::{actor::Shared, happened, perform::perform};
use crate::{
    domain::Timestamp,
    store::{
        StoreError,
        events::{self, EventFilter},
        hooks::{self, Due},
    },
};

/// Programs and orders that run at a time, and webhooks besides.
const AT_A_TIME: [usize; 2] = [4, 8];

/// Events that are looked at in one go.
const BATCH: usize = 256;

/// So many may wait, not counting webhooks; what has happened since waits in the stream of events.
const MOST_WAITING: u64 = 10_000;

/// So many webhooks may wait; the oldest are given up then.
const MOST_POSTS: u64 = 10_000;

/// How often it looks by itself, and notes how far it has looked though nothing came of it.
const FALLBACK: Duration = Duration::from_secs(5);

/// Until it looks again when the database did not do as asked.
const PAUSE: Duration = Duration::from_secs(1);

/// Between two looks for what is old enough to be deleted.
const TIDY: Duration = Duration::from_mins(10);

/// Runs that are kept, and deleted in one go.
const KEPT: u64 = 10_000;
const AT_ONCE: usize = 500;

type UnderWay = FuturesUnordered<Pin<Box<dyn Future<Output = bool>>>>;

/// What is being done.
#[derive(Default)]
struct Desk {
    under_way: UnderWay,
    /// How many of them, programs and webhooks.
    count: [usize; 2],
    /// What the database knows of how far it has looked, and since when.
    noted: Option<(u64, Instant)>,
    /// When the next run that waits for its time is due.
    next: Option<Timestamp>,
}

/// Until it was asked to stop and nothing is left to do.
pub(super) async fn run(shared: Rc<Shared>) {
    let mut desk = Desk::default();
    loop {
        let wait = match desk.turn(&shared).await {
            Ok(wait) => {
                shared.trouble.replace(None);
                wait
            }
            Err(error) => {
                if shared.trouble.replace(Some(error.to_string())).is_none() {
                    error!("hooks cannot be run: {error}");
                }
                if shared.stopping.get() {
                    return;
                }
                PAUSE
            }
        };
        if shared.stopping.get() && desk.under_way.is_empty() {
            return;
        }
        tokio::select! {
            () = shared.options.bell.rung() => {}
            Some(is_webhook) = desk.under_way.next(), if !desk.under_way.is_empty() => {
                desk.count[usize::from(is_webhook)] -= 1;
                shared.stirred.set(true);
            }
            () = sleep(wait) => shared.stirred.set(true),
        }
    }
}

impl Desk {
    /// Looks at what has happened and begins what is due; how long to wait if nothing happens.
    async fn turn(&mut self, shared: &Rc<Shared>) -> Result<Duration, StoreError> {
        while self.look(shared).await? {}
        let now = Timestamp::now();
        if shared.stirred.replace(false) {
            let begun = self.begin_all(shared).await;
            let next = shared.tools.store.read(|connection| hooks::next_at(connection, now));
            match begun.and(next) {
                Ok(next) => self.next = next,
                Err(error) => {
                    shared.stirred.set(true);
                    return Err(error);
                }
            }
        }
        Ok(self.next.map_or(FALLBACK, |at| now.until(at).min(FALLBACK)))
    }

    async fn begin_all(&mut self, shared: &Rc<Shared>) -> Result<(), StoreError> {
        self.begin(shared, false).await?;
        self.begin(shared, true).await
    }

    /// Looks at the next events, and writes down what follows from them; true if there may be more.
    async fn look(&mut self, shared: &Rc<Shared>) -> Result<bool, StoreError> {
        let (store, from) = (&shared.tools.store, shared.cursor.get());
        let (mut runs, mut cursor) = (Vec::new(), from);
        let mut more = false;
        if shared.hooks.is_empty() {
            cursor = cursor.max(shared.tools.feed.newest());
        } else {
            let found = store.read(|connection| {
                let stored = events::since(connection, from, &EventFilter::default(), BATCH)?;
                let wants = |event| shared.hooks.wants(event);
                let read = |it| happened::read(connection, it, shared.options.bell.born, wants);
                let happened: Vec<_> =
                    stored.iter().filter_map(|it| read(it).transpose()).collect();
                Ok((stored.len(), stored.last().map(|it| it.seq), happened))
            });
            let (count, last, happened) = found?;
            for happened in happened {
                runs.extend(shared.hooks.runs(&shared.options.station, &happened?));
            }
            cursor = last.unwrap_or(cursor);
            more = count == BATCH;
        }
        let (noted, since) = *self.noted.get_or_insert_with(|| (from, Instant::now()));
        let late = since.elapsed() >= FALLBACK || shared.stopping.get();
        if !runs.is_empty() || (late && cursor != noted) {
            if shared.vitals.is_retired() {
                return Ok(false); // a successor looks
            }
            if !runs.is_empty() {
                if store.read(hooks::waiting)? >= MOST_WAITING {
                    return Ok(false);
                }
                shared.stirred.set(true);
            }
            let posts = runs.iter().any(|run| run.kind == "webhook");
            let given_up = store.record(move |tx| {
                hooks::plan(tx, Some(cursor), &runs)?;
                if posts { hooks::cap(tx, MOST_POSTS) } else { Ok(0) }
            });
            let given_up = given_up.await?;
            if given_up > 0 {
                warn!("{given_up} webhooks were given up: more than {MOST_POSTS} waited");
            }
            self.noted = Some((cursor, Instant::now()));
        } else if cursor == noted {
            self.noted = Some((cursor, Instant::now()));
        }
        shared.cursor.set(cursor);
        Ok(more)
    }

    /// Begins what is due, as far as there is room.
    async fn begin(&mut self, shared: &Rc<Shared>, webhooks: bool) -> Result<(), StoreError> {
        loop {
            let class = usize::from(webhooks);
            let room = AT_A_TIME[class] - self.count[class];
            if room == 0 || shared.vitals.is_retired() {
                return Ok(());
            }
            let now = Timestamp::now();
            let found = |connection: &_| hooks::due(connection, now, webhooks, room);
            let due = one_of_each(shared.tools.store.read(found)?);
            if due.is_empty() {
                return Ok(());
            }
            let seqs: Vec<_> = due.iter().map(|due| due.seq).collect();
            shared.tools.store.record(move |tx| hooks::begin(tx, &seqs)).await?;
            for due in due {
                self.count[class] += 1;
                let run = perform(Rc::clone(shared), due);
                self.under_way.push(Box::pin(async move {
                    run.await;
                    webhooks
                }));
            }
        }
    }
}

/// Of what is due about the same thing at the same time, the first.
fn one_of_each(due: Vec<Due>) -> Vec<Due> {
    let mut seen = Vec::new();
    due.into_iter()
        .filter(|due| {
            let is_first = !seen.contains(&due.resource);
            seen.push(due.resource.clone());
            is_first
        })
        .collect()
}

/// Deletes what is old, every so often.
pub(super) async fn tidy(shared: Rc<Shared>) {
    loop {
        let before = Timestamp::now().before(shared.options.retention);
        let deleted =
            shared.tools.store.write(move |tx| hooks::prune(tx, before, KEPT, AT_ONCE)).await;
        match deleted {
            Ok(AT_ONCE) => continue,
            Ok(_) => {}
            Err(error) => warn!("failed to delete old runs of hooks: {error}"),
        }
        sleep(TIDY).await;
    }
}
