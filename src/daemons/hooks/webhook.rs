//! Hooks that post to a server.

use std::time::Duration;

use awc::{
    Client, Connector,
    error::{ConnectError, SendRequestError},
    http::{StatusCode, header},
};
use futures_util::StreamExt as _;
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::{
    perform::{Tried, Verdict},
    sign::sign,
    tls,
};
use crate::{
    domain::{Hook, Webhook},
    store::hooks::{Due, Ended},
};

/// Bytes of an answer that are kept.
const ANSWER: usize = 4 << 10;

/// The longest that a server may have us wait.
const LONGEST_WAIT: u64 = 3600;

/// Posts what is known of the event. The body is the same in every try.
pub(super) async fn post(
    hook: &Hook,
    webhook: &Webhook,
    due: &Due,
    facts: &Map<String, Value>,
) -> Tried {
    match timeout(hook.timeout, send(webhook, due, facts, hook.timeout)).await {
        Ok(tried) => tried,
        Err(_) => later(format!("no answer within {} s", hook.timeout.as_secs_f64())),
    }
}

async fn send(webhook: &Webhook, due: &Due, facts: &Map<String, Value>, limit: Duration) -> Tried {
    // A connection of its own: one kept from an earlier post may be dead without a sign.
    let connector = Connector::new().timeout(limit).handshake_timeout(limit);
    let connector = match tls::protection(&webhook.url, webhook.ca_file.as_deref()) {
        Ok(Some(protection)) => connector.rustls_0_23(protection),
        Ok(None) => connector,
        Err(error) => return Tried::failed(error),
    };
    let client = Client::builder().connector(connector).disable_redirects().disable_timeout();
    let event = facts.get("event").and_then(Value::as_str).unwrap_or_default();
    let mut request = client
        .finish()
        .post(&webhook.url)
        .content_type("application/json")
        .insert_header((header::USER_AGENT, concat!("stationd/", env!("CARGO_PKG_VERSION"))))
        .insert_header(("X-Stationd-Event", event))
        .insert_header(("X-Stationd-Id", due.id.as_str()))
        .insert_header(("X-Stationd-Attempt", (due.attempts + 1).to_string()));
    for (name, value) in &webhook.headers {
        request = request.insert_header((name.as_str(), value.expose()));
    }
    if let Some(secret) = &webhook.secret {
        let signature = sign(secret.expose().as_bytes(), due.payload.as_bytes());
        request = request.insert_header(("X-Stationd-Signature", format!("sha256={signature}")));
    }
    let mut answer = match request.send_body(due.payload.clone()).await {
        Ok(answer) => answer,
        Err(SendRequestError::Url(error)) => return Tried::failed(error.to_string()),
        Err(SendRequestError::Connect(ConnectError::Io(error))) => {
            return later(format!("no connection: {}", tls::in_words(&error.to_string())));
        }
        Err(error) => return later(error.to_string()),
    };
    let status = answer.status();
    let wait = answer.headers().get(header::RETRY_AFTER);
    let wait = wait.and_then(|wait| wait.to_str().ok()?.trim().parse::<u64>().ok());
    let (mut body, mut lost) = (Vec::new(), 0);
    while let Some(Ok(bytes)) = answer.next().await {
        let kept = bytes.len().min(ANSWER - body.len());
        body.extend_from_slice(&bytes[..kept]);
        if kept < bytes.len() {
            lost = (bytes.len() - kept) as u64;
            break; // nobody reads the rest
        }
    }
    let verdict = judge(status, wait);
    Tried {
        verdict,
        ended: Ended {
            code: Some(i64::from(status.as_u16())),
            error: (verdict != Verdict::Done).then(|| format!("the server answered {status}")),
            output: (!body.is_empty()).then(|| String::from_utf8_lossy(&body).into_owned()),
            output_lost: lost,
        },
    }
}

fn later(why: String) -> Tried {
    let ended = Ended { error: Some(why), ..Ended::default() };
    Tried { ended, verdict: Verdict::Later(None) }
}

/// What an answer means: whoever does not want it, or does not understand it, never will.
fn judge(status: StatusCode, wait: Option<u64>) -> Verdict {
    let again = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
    if status.is_success() {
        Verdict::Done
    } else if status.is_client_error() && !again.contains(&status) {
        Verdict::Failed
    } else {
        Verdict::Later(wait.map(|seconds| seconds.min(LONGEST_WAIT)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_judged_by_its_status() {
        let verdict = |status| judge(StatusCode::from_u16(status).unwrap(), Some(7));
        for (status, expected) in [
            (200, Verdict::Done),
            (204, Verdict::Done),
            (302, Verdict::Later(Some(7))),
            (400, Verdict::Failed),
            (404, Verdict::Failed),
            (408, Verdict::Later(Some(7))),
            (410, Verdict::Failed),
            (429, Verdict::Later(Some(7))),
            (500, Verdict::Later(Some(7))),
            (503, Verdict::Later(Some(7))),
        ] {
            assert_eq!(verdict(status), expected, "{status}");
        }
        assert_eq!(
            judge(StatusCode::SERVICE_UNAVAILABLE, Some(u64::MAX)),
            Verdict::Later(Some(LONGEST_WAIT))
        );
    }
}
