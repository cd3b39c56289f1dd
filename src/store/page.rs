//! Lists in pages, newest first.

use serde::Serialize;

use super::StoreError;

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Page<T> {
    /// What is on it, newest first.
    pub items: Vec<T>,
    /// Asks for the next page; none after the last.
    pub next_cursor: Option<String>,
}

/// How much a page holds.
#[derive(Clone, Copy)]
pub(super) struct Limit(usize);

impl Limit {
    const USUAL: usize = 100;
    const MOST: usize = 1000;

    /// As asked for; 0 means the usual.
    pub(super) fn new(asked: usize) -> Self {
        Self(if asked == 0 { Self::USUAL } else { asked.min(Self::MOST) })
    }

    /// How many rows to ask for: one more than fits tells whether there is a next page.
    pub(super) fn query(self) -> i64 {
        i64::try_from(self.0 + 1).unwrap_or(i64::MAX)
    }

    /// The page made of such rows, each with its number.
    pub(super) fn page<T>(self, mut rows: Vec<(i64, T)>) -> Page<T> {
        let more = rows.len() > self.0;
        rows.truncate(self.0);
        let last = rows.last().filter(|_| more);
        let next_cursor = last.map(|(seq, _)| format!("{seq:x}"));
        Page { items: rows.into_iter().map(|(_, item)| item).collect(), next_cursor }
    }
}

/// The number below which a page starts; the largest of all for the first.
pub(super) fn start(cursor: Option<&str>) -> Result<i64, StoreError> {
    let Some(cursor) = cursor else { return Ok(i64::MAX) };
    i64::from_str_radix(cursor, 16).map_err(|_| StoreError::BadCursor(cursor.to_owned()))
}
