//! Parameters of a query string and of a JSON body, with problems that name them.

use actix_web::web;
use serde::de::DeserializeOwned;

use super::error::{Detail, Problem};

/// Reads a JSON body; an empty one is `{}`.
pub(super) fn json<T: DeserializeOwned>(body: &web::Bytes) -> Result<T, Problem> {
    let body: &[u8] = if body.is_empty() { b"{}" } else { body };
    if body.trim_ascii_start().starts_with(b"[") {
        // A list would be taken for the fields in their order.
        return Err(Problem::Malformed("the body must be a JSON object".to_owned()));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value =
        serde_path_to_error::deserialize(&mut reader).map_err(|error| Problem::json(&error))?;
    match reader.end() {
        Ok(()) => Ok(value),
        Err(error) => Err(Problem::Malformed(format!("the body is not valid JSON: {error}"))),
    }
}

/// Reads a query string.
pub(super) fn query<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    match web::Query::<T>::from_query(text) {
        Ok(query) => Ok(query.into_inner()),
        Err(error) => Err(Problem::Invalid(vec![Detail {
            pointer: String::new(),
            detail: format!("in the query: {error}"),
        }])),
    }
}

/// Reads one parameter that has a form of its own.
pub(super) fn parse<T: std::str::FromStr>(
    name: &str,
    text: Option<&str>,
) -> Result<Option<T>, Problem>
where
    T::Err: std::fmt::Display,
{
    text.map(|text| text.parse().map_err(|error| Problem::field(name, error))).transpose()
}
