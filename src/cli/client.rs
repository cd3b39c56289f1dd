//! The HTTP client: over the station's socket or over TCP, with one answer for every failure.

use std::{
    borrow::Cow,
    error::Error,
    fmt::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

use actix_tls::connect::{ConnectError, ConnectInfo, Connection};
use actix_web::dev::fn_service;
use awc::{
    ClientRequest, Connector, SendClientRequest,
    error::{SendRequestError, WsClientError},
    http::{Method, StatusCode, Uri, header},
    ws::WebsocketsRequest,
};
use serde_json::Value;
use tokio::net::UnixStream;

use super::{
    args::Global,
    discover::{self, Place},
    failure::Failure,
};

/// An answer larger than this is not one of ours.
const ANSWER_LIMIT: usize = 64 << 20;

/// Cancelling and homing wait for the machine.
const PATIENCE: Duration = Duration::from_mins(5);

/// A station that can be asked.
#[derive(Clone)]
pub(super) struct Client {
    http: awc::Client,
    base: String,
    place: Place,
}

impl Client {
    /// The station that the options name or that is found.
    pub(super) fn find(global: &Global) -> Result<Self, Failure> {
        let place = discover::find(global)?;
        // The socket tells who asks; a token there could only take rights away.
        let token = global.token.as_deref().filter(|_| matches!(place, Place::Url(_)));
        Ok(Self::new(place, token))
    }

    /// The station on this socket.
    pub(super) fn on_socket(path: &Path) -> Self {
        Self::new(Place::Socket(path.to_owned()), None)
    }

    fn new(place: Place, token: Option<&str>) -> Self {
        let builder = awc::Client::builder().timeout(PATIENCE).disable_redirects();
        let builder = match token {
            Some(token) => builder.bearer_auth(token),
            None => builder,
        };
        let (http, base) = match &place {
            Place::Url(url) => (builder.finish(), url.clone()),
            Place::Socket(path) => {
                let path: PathBuf = path.clone();
                let dial = fn_service(move |info: ConnectInfo<Uri>| {
                    let path = path.clone();
                    async move {
                        let stream = UnixStream::connect(path).await.map_err(ConnectError::Io)?;
                        Ok(Connection::new(info.request().clone(), stream))
                    }
                });
                let connector = Connector::new().connector(dial);
                (builder.connector(connector).finish(), "http://localhost".to_owned())
            }
        };
        Self { http, base, place }
    }

    /// Where the station is.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// A request that is not sent yet; `path` begins with a slash.
    pub(super) fn request(&self, method: Method, path: &str) -> ClientRequest {
        self.http.request(method, format!("{}{path}", self.base))
    }

    /// A WebSocket that is not connected yet.
    pub(super) fn websocket(&self) -> WebsocketsRequest {
        self.http.ws(format!("{}/ws", self.base))
    }

    /// Reads something.
    pub(super) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.json(self.request(Method::GET, path).send()).await
    }

    /// Reads something, narrowed by the parameters that are not empty.
    pub(super) async fn query(
        &self,
        path: &str,
        parameters: &[(&str, String)],
    ) -> Result<Value, Failure> {
        self.get(&format!("{path}{}", query(parameters))).await
    }

    /// Does something.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.json(self.request(Method::POST, path).send_json(body)).await
    }

    /// Changes something; only that version of it, if one is given.
    pub(super) async fn patch(
        &self,
        path: &str,
        version: Option<u64>,
        body: &Value,
    ) -> Result<Value, Failure> {
        let mut request = self.request(Method::PATCH, path);
        if let Some(version) = version {
            request = request.insert_header((header::IF_MATCH, format!("\"{version}\"")));
        }
        self.json(request.send_json(body)).await
    }

    /// Deletes something.
    pub(super) async fn delete(&self, path: &str) -> Result<Value, Failure> {
        self.json(self.request(Method::DELETE, path).send()).await
    }

    /// The answer to a request as JSON; null if it is empty.
    pub(super) async fn json(&self, sent: SendClientRequest) -> Result<Value, Failure> {
        let (status, text) = self.answer(sent).await?;
        let text = accept(status, text)?;
        if text.trim().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text).map_err(|error| {
            Failure::Failed(format!("{} does not answer as a station does: {error}", self.place))
        })
    }

    /// The text of something.
    pub(super) async fn text(&self, path: &str) -> Result<String, Failure> {
        let (status, text) = self.answer(self.request(Method::GET, path).send()).await?;
        accept(status, text)
    }

    /// Status and body of an answer, whatever they are.
    pub(super) async fn answer(
        &self,
        sent: SendClientRequest,
    ) -> Result<(StatusCode, String), Failure> {
        let mut response = sent.await.map_err(|error| self.unreachable(&error))?;
        let body = response.body().limit(ANSWER_LIMIT).await.map_err(|error| {
            Failure::Failed(format!("the answer of {} broke off: {error}", self.place))
        })?;
        let text = String::from_utf8_lossy(&body).into_owned();
        let wait = response.headers().get(header::RETRY_AFTER).and_then(|wait| wait.to_str().ok());
        match (response.status(), wait) {
            (StatusCode::TOO_MANY_REQUESTS, Some(wait)) => {
                let detail = problem(StatusCode::TOO_MANY_REQUESTS, &text);
                Err(Failure::Failed(format!("{detail}; try again in {wait} s")))
            }
            (status, _) => Ok((status, text)),
        }
    }

    /// Why there is no answer.
    pub(super) fn unreachable(&self, error: &SendRequestError) -> Failure {
        match error {
            SendRequestError::Connect(error) => Failure::NotRunning(format!(
                "no station answers at {} ({}); start one with `stationd start`",
                self.place,
                root(error)
            )),
            SendRequestError::Timeout => Failure::Failed(format!(
                "the station at {} did not answer in time; see its log",
                self.place
            )),
            error => Failure::Failed(format!("the station at {} hung up: {error}", self.place)),
        }
    }

    /// Why a WebSocket could not be opened.
    pub(super) fn refused(&self, error: WsClientError) -> Failure {
        match error {
            WsClientError::InvalidResponseStatus(status) => {
                refusal(status, format!("the station refused the connection ({status})"))
            }
            WsClientError::SendRequest(error) => self.unreachable(&error),
            error => Failure::Failed(format!("no live connection to {}: {error}", self.place)),
        }
    }
}

/// What is at the bottom of an error.
fn root(error: &dyn Error) -> String {
    error.source().map_or_else(|| error.to_string(), root)
}

/// The body of a good answer, or why it is none.
pub(super) fn accept(status: StatusCode, text: String) -> Result<String, Failure> {
    if status.is_success() { Ok(text) } else { Err(refusal(status, problem(status, &text))) }
}

/// What a problem document (RFC 9457) says, in one line.
fn problem(status: StatusCode, text: &str) -> String {
    let document: Value = serde_json::from_str(text).unwrap_or_default();
    let word = |name: &str| document[name].as_str().filter(|word| !word.is_empty());
    let mut line = word("detail")
        .or_else(|| word("title"))
        .map_or_else(|| format!("the station answered {status}"), ToOwned::to_owned);
    for error in document["errors"].as_array().into_iter().flatten() {
        let detail = error["detail"].as_str().unwrap_or_default();
        let pointer = error["pointer"].as_str().unwrap_or_default().trim_start_matches('/');
        let pointer = as_option(pointer);
        // The first detail is often the detail of the whole.
        if detail != line && pointer.is_empty() {
            _ = write!(line, "; {detail}");
        } else if detail != line {
            _ = write!(line, "; {pointer}: {detail}");
        } else if !pointer.is_empty() {
            line = format!("{pointer}: {detail}");
        }
    }
    line.replace("\"force\": true", "--force")
}

/// What the API calls a field of a job, as the command line has it.
fn as_option(pointer: &str) -> Cow<'_, str> {
    let option = match pointer.split('/').next().unwrap_or_default() {
        "not_before" => "--at",
        "depends_on" => "--after",
        "timeout_seconds" => "--timeout",
        "max_attempts" => "--retries",
        "stop_timeout_seconds" => "--stop-timeout",
        "unique_key" => "--unique",
        "if_exists" => "--if-exists",
        "labels" => "--label",
        "limits" => {
            let what = pointer.strip_prefix("limits/").unwrap_or_default();
            return Cow::Owned(format!("--limit {}", what.replace('_', "-")).trim_end().to_owned());
        }
        _ => return Cow::Borrowed(pointer),
    };
    Cow::Borrowed(option)
}

/// A refusal with what to do about it.
pub(super) fn refusal(status: StatusCode, detail: String) -> Failure {
    // Some say already what to do.
    let with = |advice: &str| {
        if detail.contains("`stationd ") { detail.clone() } else { format!("{detail}; {advice}") }
    };
    match status {
        StatusCode::UNAUTHORIZED => {
            Failure::NotAllowed(with("give the token with --token or STATIOND_TOKEN"))
        }
        StatusCode::FORBIDDEN => Failure::NotAllowed(with(
            "ask over the station's socket as its user, or with a token that may",
        )),
        StatusCode::NOT_FOUND => Failure::NotFound(detail),
        StatusCode::SERVICE_UNAVAILABLE => Failure::Failed(with("try again in a moment")),
        StatusCode::INSUFFICIENT_STORAGE => Failure::Failed(with("make room, then try again")),
        StatusCode::INTERNAL_SERVER_ERROR => Failure::Failed(with("the station's log says more")),
        _ => Failure::Failed(detail),
    }
}

/// A query string of the parameters that are not empty, with its question mark.
pub(super) fn query(parameters: &[(&str, String)]) -> String {
    let mut text = String::new();
    for (name, value) in parameters.iter().filter(|(_, value)| !value.is_empty()) {
        let before = if text.is_empty() { '?' } else { '&' };
        _ = write!(text, "{before}{name}={}", encoded(value));
    }
    text
}

/// Text as a part of an address: all but the unreserved characters of RFC 3986 are escaped.
pub(super) fn encoded(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                shown.push(char::from(byte));
            }
            _ => _ = write!(shown, "%{byte:02X}"),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_follow_the_status() {
        for (status, code) in [(401, 4), (403, 4), (404, 5), (409, 1), (422, 1), (500, 1), (507, 1)]
        {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(accept(status, String::new()).unwrap_err().code(), code, "{status}");
        }
        assert_eq!(accept(StatusCode::CREATED, "{}".to_owned()).unwrap(), "{}");
    }

    #[test]
    fn a_problem_is_one_line_that_names_each_field() {
        let document = r#"{"title":"Unprocessable","status":422,"detail":"not a number",
            "errors":[{"pointer":"/priority","detail":"not a number"},
                      {"pointer":"/at","detail":"not a time"}]}"#;
        let line = problem(StatusCode::UNPROCESSABLE_ENTITY, document);
        insta::assert_snapshot!(line, @"priority: not a number; at: not a time");
        insta::assert_snapshot!(
            problem(StatusCode::BAD_GATEWAY, "<html>"),
            @"the station answered 502 Bad Gateway"
        );
    }

    #[test]
    fn fields_are_called_as_their_options_are() {
        let document = r#"{"detail":"released only with \"force\": true","errors":[
            {"pointer":"/timeout_seconds","detail":"too long"},
            {"pointer":"/limits/open_files","detail":"at least 4"},
            {"pointer":"/depends_on/0","detail":"no job"}]}"#;
        insta::assert_snapshot!(
            problem(StatusCode::UNPROCESSABLE_ENTITY, document),
            @"released only with --force; --timeout: too long; --limit open-files: at least 4; --after: no job"
        );
    }

    #[test]
    fn advice_is_given_once() {
        let of =
            |detail: &str| refusal(StatusCode::SERVICE_UNAVAILABLE, detail.to_owned()).to_string();
        assert_eq!(of("it is down"), "it is down; try again in a moment");
        let drained = "the queue is drained: it takes no jobs until `stationd queue resume`";
        assert_eq!(of(drained), drained);
    }

    #[test]
    fn what_is_empty_is_not_asked() {
        let parameters =
            [("name", "a b/ü".to_owned()), ("device", String::new()), ("n", "1".to_owned())];
        assert_eq!(query(&parameters), "?name=a%20b%2F%C3%BC&n=1");
        assert_eq!(query(&[]), "");
    }
}
