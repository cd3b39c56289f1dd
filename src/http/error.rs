//! Every way a request can fail, as `application/problem+json` (RFC 9457).

use std::{fmt, time::Duration};

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use serde::Serialize;
use thiserror::Error;

use crate::{
    daemons::{device_manager::DeviceError, job_queue::QueueError, resume::NoOffer},
    domain::Analysis,
    store::StoreError,
    supervision::{OrderError, Unavailable},
    toolpath::ResumeError,
};

/// One thing wrong with what was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Detail {
    /// Where, as a JSON pointer (RFC 6901); empty for the whole.
    pub pointer: String,
    /// What is wrong and what is allowed.
    pub detail: String,
}

impl Detail {
    /// Something wrong with one field at the top.
    pub fn field(name: &str, detail: impl fmt::Display) -> Self {
        Self { pointer: format!("/{name}"), detail: detail.to_string() }
    }
}

/// Why a request failed.
#[derive(Debug, Error)]
pub enum Problem {
    /// It cannot be read at all.
    #[error("{0}")]
    Malformed(String),
    /// Who asks has not shown who they are, or not rightly.
    #[error("a valid token is needed: send it as \"Authorization: Bearer TOKEN\"")]
    Unauthorized,
    /// Who asks may not.
    #[error("{0}")]
    Forbidden(String),
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// The address is known, but not for this method.
    #[error("{method} is not allowed here")]
    MethodNotAllowed {
        /// What was tried.
        method: String,
    },
    /// The state of the thing forbids it.
    #[error("{0}")]
    Conflict(String),
    /// What was found in the job's file forbids it.
    #[error("{detail}")]
    Preflight {
        /// What to do.
        detail: String,
        /// What was found.
        report: Box<Analysis>,
    },
    /// It is not the version that the request is about.
    #[error("{0}")]
    Changed(String),
    /// A rolling restart has stopped before its end.
    #[error("{detail}")]
    Halted {
        /// Which daemon it stopped at, and why.
        detail: String,
        /// The name of that daemon.
        at: String,
        /// What became of each daemon up to then.
        items: Vec<serde_json::Value>,
    },
    /// More than may be sent.
    #[error("{0}")]
    TooLarge(String),
    /// Sent as something that is not understood here.
    #[error("{0}")]
    UnsupportedMedia(String),
    /// The name in the request is not one of this station.
    #[error("\"{0}\" is not a name of this station; `security.allowed_hosts` lists them")]
    Misdirected(String),
    /// It can be read, but makes no sense.
    #[error("{}", .0.first().map_or("the request is not valid", |first| first.detail.as_str()))]
    Invalid(Vec<Detail>),
    /// Too many at a time.
    #[error("{0}")]
    TooMany(String),
    /// A part of the station is down just now.
    #[error("{0}")]
    Unavailable(String),
    /// No room to keep it.
    #[error("{0}")]
    StorageFull(String),
    /// The station is at fault.
    #[error("{0}")]
    Internal(String),
}

/// How long a client should wait before it tries again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

#[derive(Serialize)]
struct Document<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<&'a [Detail]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<&'a [serde_json::Value]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped_at: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<&'a Analysis>,
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict(_) | Self::Halted { .. } | Self::Preflight { .. } => {
                StatusCode::CONFLICT
            }
            Self::Changed(_) => StatusCode::PRECONDITION_FAILED,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMedia(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Misdirected(_) => StatusCode::MISDIRECTED_REQUEST,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::StorageFull(_) => StatusCode::INSUFFICIENT_STORAGE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        let errors = match self {
            Self::Invalid(errors) => Some(errors.as_slice()),
            _ => None,
        };
        let (items, stopped_at) = match self {
            Self::Halted { at, items, .. } => (Some(items.as_slice()), Some(at.as_str())),
            _ => (None, None),
        };
        let report = match self {
            Self::Preflight { report, .. } => Some(report.as_ref()),
            _ => None,
        };
        let mut response = HttpResponse::build(status);
        response.content_type("application/problem+json");
        match self {
            Self::TooMany(_) | Self::Unavailable(_) => {
                response.insert_header((header::RETRY_AFTER, RETRY_AFTER.as_secs()));
            }
            Self::Unauthorized => {
                response.insert_header((header::WWW_AUTHENTICATE, "Bearer realm=\"stationd\""));
            }
            _ => {}
        }
        let document = Document {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: self.to_string(),
            errors,
            items,
            stopped_at,
            report,
        };
        response.body(serde_json::to_string(&document).unwrap_or_default())
    }
}

impl Problem {
    /// One field of the request makes no sense.
    pub fn field(name: &str, detail: impl fmt::Display) -> Self {
        Self::Invalid(vec![Detail::field(name, detail)])
    }

    /// A part of the request body is not what it should be; `error` knows where.
    pub fn json(error: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        let inner = error.inner();
        if inner.is_syntax() || inner.is_eof() {
            return Self::Malformed(format!("the body is not valid JSON: {inner}"));
        }
        let pointer: String = error
            .path()
            .iter()
            .filter_map(|segment| match segment {
                serde_path_to_error::Segment::Seq { index } => Some(format!("/{index}")),
                serde_path_to_error::Segment::Map { key }
                | serde_path_to_error::Segment::Enum { variant: key } => {
                    Some(format!("/{}", key.replace('~', "~0").replace('/', "~1")))
                }
                serde_path_to_error::Segment::Unknown => None,
            })
            .collect();
        Self::Invalid(vec![Detail { pointer, detail: in_words(&inner.to_string()) }])
    }
}

/// What a parser says, without the names that types have in this program or in Rust.
pub(super) fn in_words(error: &str) -> String {
    if error.starts_with("invalid digit") || error.starts_with("cannot parse integer") {
        return "a whole number is needed".to_owned();
    }
    if error.starts_with("provided string was not `true` or `false`") {
        return "true or false is needed".to_owned();
    }
    if error.starts_with("data did not match any variant of untagged enum") {
        return "this has none of the forms that are taken here".to_owned();
    }
    let types =
        [("tuple struct ", "a list"), ("struct ", "an object"), ("enum ", "one of its names")];
    let named = types.into_iter().find_map(|(word, meant)| {
        let (before, after) = error.split_once(&format!("expected {word}"))?;
        Some((before, after.trim_start_matches(|char: char| char.is_alphanumeric()), meant))
    });
    match named {
        Some((before, after, meant)) => format!("{before}expected {meant}{after}"),
        None => error.to_owned(),
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let detail = error.to_string();
        match error {
            StoreError::NotFound(what) => Self::NotFound(format!("there is no {what}")),
            StoreError::IllegalMove { .. }
            | StoreError::NotEnded(_)
            | StoreError::NotWaiting(_)
            | StoreError::Moved { .. }
            | StoreError::KeyTaken { .. }
            | StoreError::Exists(_)
            | StoreError::DeviceTaken { .. } => Self::Conflict(detail),
            StoreError::BadCursor(_) => Self::field("cursor", detail),
            StoreError::KeyReused(_) | StoreError::BatchKeyReused(_) => {
                Self::Invalid(vec![Detail { pointer: String::new(), detail }])
            }
            StoreError::TooLarge { .. } => Self::TooLarge(detail),
            StoreError::Changed { .. } => Self::Changed(detail),
            StoreError::Full | StoreError::NoRoom { .. } => Self::StorageFull(detail),
            StoreError::Busy
            | StoreError::Overloaded
            | StoreError::Closed
            | StoreError::Failed(_) => Self::Unavailable(detail),
            StoreError::Newer { .. }
            | StoreError::Unusable { .. }
            | StoreError::OldSqlite { .. }
            | StoreError::Migration(_)
            | StoreError::Panicked(_)
            | StoreError::Unreadable { .. }
            | StoreError::Sql(_)
            | StoreError::Io { .. } => Self::Internal(detail),
        }
    }
}

impl From<Unavailable> for Problem {
    fn from(_: Unavailable) -> Self {
        Self::Unavailable(
            "a part of the station is not running just now; it is being restarted".to_owned(),
        )
    }
}

impl From<DeviceError> for Problem {
    fn from(error: DeviceError) -> Self {
        let detail = error.to_string();
        match error {
            DeviceError::Unknown(_) => Self::NotFound(detail),
            DeviceError::NotIdle { .. }
            | DeviceError::NotOnMachine(_)
            | DeviceError::NotAtStop(_)
            | DeviceError::NoLayer { .. }
            | DeviceError::Refused { .. } => Self::Conflict(detail),
            DeviceError::TimedOut(_) => Self::Unavailable(detail),
        }
    }
}

impl From<NoOffer> for Problem {
    fn from(error: NoOffer) -> Self {
        match error {
            NoOffer::Store(error) => error.into(),
            NoOffer::Plan(ResumeError::Unreadable(_)) => Self::Internal(error.to_string()),
            _ => Self::Conflict(error.to_string()),
        }
    }
}

impl From<QueueError> for Problem {
    fn from(error: QueueError) -> Self {
        let detail = error.to_string();
        match error {
            QueueError::Denied(_) | QueueError::CannotResume | QueueError::NotRunning(_) => {
                Self::Conflict(detail)
            }
            QueueError::Red(report) => Self::Preflight { detail, report },
            QueueError::Device(error) => error.into(),
            QueueError::Unwritten(StoreError::Full) => Self::StorageFull(detail),
            QueueError::Unwritten(_) | QueueError::Unavailable => Self::Unavailable(detail),
            QueueError::Store(error) => error.into(),
        }
    }
}

impl From<OrderError> for Problem {
    fn from(error: OrderError) -> Self {
        let detail = error.to_string();
        match error {
            OrderError::Unknown { .. } => Self::NotFound(detail),
            OrderError::TimedOut { .. }
            | OrderError::Failed { .. }
            | OrderError::Refused { .. } => Self::Conflict(detail),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::in_words;

    #[test]
    fn nobody_reads_the_names_of_types() {
        for (said, words) in [
            (
                "invalid type: integer `5`, expected struct Retry at line 1 column 9",
                "invalid type: integer `5`, expected an object at line 1 column 9",
            ),
            ("expected tuple struct Pair", "expected a list"),
            ("invalid digit found in string", "a whole number is needed"),
            ("cannot parse integer from empty string", "a whole number is needed"),
            ("provided string was not `true` or `false`", "true or false is needed"),
            (
                "invalid type: map, expected enum IfTaken",
                "invalid type: map, expected one of its names",
            ),
            (
                "data did not match any variant of untagged enum Need at line 1 column 3",
                "this has none of the forms that are taken here",
            ),
            ("unknown field `x`, expected `a` or `b`", "unknown field `x`, expected `a` or `b`"),
            ("a structure", "a structure"),
        ] {
            assert_eq!(in_words(said), words);
        }
    }
}
