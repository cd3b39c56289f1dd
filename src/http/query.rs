//! Parameters of a query string and of a JSON body, with problems that name them.

use actix_web::{error::QueryPayloadError, web};
use serde::de::DeserializeOwned;

use super::error::{Detail, Problem, in_words};

/// Reads a JSON body; an empty one is `{}`.
pub(super) fn json<T: DeserializeOwned>(body: &web::Bytes) -> Result<T, Problem> {
    let body: &[u8] = if body.is_empty() { b"{}" } else { body };
    if body.trim_ascii_start().first().is_some_and(|first| *first != b'{') {
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
    let error = match web::Query::<T>::from_query(text) {
        Ok(query) => return Ok(query.into_inner()),
        Err(QueryPayloadError::Deserialize(error)) => error.to_string(),
        Err(other) => other.to_string(),
    };
    // It says what is wrong, but not where: that is the parameter without which it can be read.
    let parts: Vec<&str> = text.split('&').collect();
    let can_go = |index: &usize| {
        let others: Vec<&str> = [&parts[..*index], &parts[index + 1..]].concat();
        web::Query::<T>::from_query(&others.join("&")).is_ok()
    };
    let name = (0..parts.len()).find(can_go).and_then(|index| parts[index].split('=').next());
    let name = name.filter(|name| !name.is_empty() && !name.contains(['%', '+']));
    let detail = format!("in the query: {}", in_words(&error));
    Err(match name {
        Some(name) => Problem::field(name, detail),
        None => Problem::Invalid(vec![Detail { pointer: String::new(), detail }]),
    })
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

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only whether it can be read is looked at")]
    struct Wanted {
        limit: Option<u32>,
        name: Option<String>,
    }

    fn told(problem: &Problem) -> Vec<(&str, &str)> {
        let Problem::Invalid(errors) = problem else { panic!("{problem}") };
        errors.iter().map(|it| (it.pointer.as_str(), it.detail.as_str())).collect()
    }

    #[test]
    fn a_parameter_that_makes_no_sense_is_named() {
        let of = |text: &str| query::<Wanted>(text).unwrap_err();
        assert_eq!(
            told(&of("name=a&limit=many")),
            [("/limit", "in the query: a whole number is needed")]
        );
        let unknown = of("limit=3&limits=4");
        assert_eq!(told(&unknown)[0].0, "/limits");
        assert!(told(&unknown)[0].1.contains("unknown field `limits`"), "{unknown}");
        assert_eq!(told(&of("limit=a&x=b"))[0].0, "", "two of them are not told apart");
        assert!(query::<Wanted>("").is_ok());
    }

    #[test]
    fn a_body_is_an_object() {
        let of = |text: &'static str| json::<Wanted>(&web::Bytes::from_static(text.as_bytes()));
        for text in ["null", "[]", " 5", "\"a\"", "true"] {
            assert_eq!(
                of(text).unwrap_err().to_string(),
                "the body must be a JSON object",
                "{text}"
            );
        }
        assert!(of("").is_ok() && of(" {}").is_ok());
    }
}
