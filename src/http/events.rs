//! What has happened, in numbered order.

use actix_web::{HttpRequest, HttpResponse, web};
use rusqlite::Connection;
use serde::Deserialize;

use super::{
    app::App,
    error::Problem,
    query::{parse, query},
};
use crate::{
    domain::Timestamp,
    store::{
        StoreError,
        events::{self, EventFilter, StoredEvent},
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    since: Option<String>,
    r#type: Option<String>,
    resource: Option<String>,
    channel: Option<String>,
    limit: Option<usize>,
}

const USUAL: usize = 100;
const MOST: usize = 1000;
/// How far back the newest events that pass a filter are looked for.
const FURTHEST: usize = 64_000;

/// `GET /api/v1/events?since=&type=&resource=&channel=&limit=`: oldest first, after `since` (a
/// number, or a time). Without `since`, the newest. `next_cursor` is the next `since`.
pub(super) async fn list(
    request: HttpRequest,
    app: web::Data<App>,
) -> Result<HttpResponse, Problem> {
    let wanted: ListQuery = query(request.query_string())?;
    let limit = wanted.limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::field("limit", format!("limit must lie between 1 and {MOST}")));
    }
    let filter = EventFilter {
        kind: wanted.r#type,
        resource: wanted.resource,
        channel: parse("channel", wanted.channel.as_deref())?,
    };
    let since = wanted.since.as_deref().map(Since::parse).transpose()?;
    let (events, next) = app.store.read(|connection| {
        let after = match since {
            Some(Since::Number(seq)) => seq,
            Some(Since::Time(time)) => events::seq_before(connection, time)?,
            None => {
                return Ok((newest(connection, &filter, limit)?, None));
            }
        };
        let events = events::since(connection, after, &filter, limit)?;
        let next = (events.len() == limit).then(|| events.last().map(|last| last.seq)).flatten();
        Ok((events, next))
    })?;
    // Every event is JSON already, exactly as subscribers got it.
    let items: Vec<&str> = events.iter().map(|event| event.json.as_str()).collect();
    let next = next.map_or("null".to_owned(), |seq| format!("\"{seq}\""));
    let body = format!("{{\"items\":[{}],\"next_cursor\":{next}}}", items.join(","));
    Ok(HttpResponse::Ok().content_type("application/json").body(body))
}

/// The last of them, oldest first. Looks back ever further until there are enough.
fn newest(
    connection: &Connection,
    filter: &EventFilter,
    limit: usize,
) -> Result<Vec<StoredEvent>, StoreError> {
    let newest = events::newest(connection)?.unwrap_or(0);
    let mut window = limit;
    loop {
        let after = newest.saturating_sub(window as u64);
        let mut found = events::since(connection, after, filter, window)?;
        if found.len() >= limit || after == 0 || window >= FURTHEST {
            return Ok(found.split_off(found.len().saturating_sub(limit)));
        }
        window *= 4;
    }
}

enum Since {
    Number(u64),
    Time(Timestamp),
}

impl Since {
    fn parse(text: &str) -> Result<Self, Problem> {
        if let Ok(seq) = text.parse() {
            return Ok(Self::Number(seq));
        }
        text.parse().map(Self::Time).map_err(|_| {
            Problem::field("since", "since is the number of an event, or a time as in RFC 3339")
        })
    }
}
