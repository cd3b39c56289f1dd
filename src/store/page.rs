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

/// The number that a cursor stands for; the largest of all for the first page.
pub(super) fn start(cursor: Option<&str>) -> Result<i64, StoreError> {
    let Some(cursor) = cursor else { return Ok(i64::MAX) };
    i64::from_str_radix(cursor, 36).map_err(|_| StoreError::BadCursor(cursor.to_owned()))
}
