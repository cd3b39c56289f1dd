//! `events`: what happened, and what happens.

use clap::Args;
use serde_json::Value;

use super::{
    client::Client,
    failure::Failure,
    live::Live,
    print::{Out, field, items, print_json_line, print_line},
};
use crate::domain::Channel;

/// `events`
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
#[command(after_help = "\
Examples:
  stationd events --since 1041
  stationd events --follow --channel jobs
  stationd events --type system_alert --json")]
pub(super) struct EventsArgs {
    /// Go on with what happens from now on
    #[arg(short, long)]
    pub follow: bool,
    /// Only events of this type, as `job_state_change`
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Option<String>,
    /// Only what this is about, as job:ID, device:NAME or daemon:NAME
    #[arg(long, value_name = "RESOURCE")]
    pub resource: Option<String>,
    /// Only events of this channel: jobs, devices, daemons, system, logs, audit
    #[arg(long)]
    pub channel: Option<Channel>,
    /// Only what happened after this number or time
    #[arg(long, value_name = "SEQ|TIME")]
    pub since: Option<String>,
}

/// As many as the station gives at a time; without a beginning it chooses how many.
const PAGE: &str = "1000";

/// `events`: what happened, then, with `--follow`, what happens.
pub(super) async fn run(client: &Client, out: Out, args: &EventsArgs) -> Result<(), Failure> {
    let mut live = if args.follow {
        // Subscribed before the past is read, so that nothing falls between the two.
        Some(Live::subscribe(client, &[args.subscription()]).await?)
    } else {
        None
    };
    let past = !args.follow || args.since.is_some();
    let mut last = if past { history(client, out, args).await? } else { 0 };
    while let Some(live) = &mut live {
        let Some(message) = live.next().await? else {
            return Err(Failure::NotRunning("the station has stopped".to_owned()));
        };
        if is_snapshot(&message) || !args.wants(&message) {
            continue;
        }
        match message["seq"].as_u64() {
            Some(seq) if seq <= last => continue,
            Some(seq) => last = seq,
            None => {}
        }
        told(out, &message)?;
    }
    Ok(())
}

/// Prints what is stored; answers with the number of the last event.
async fn history(client: &Client, out: Out, args: &EventsArgs) -> Result<u64, Failure> {
    let word = |word: &Option<String>| word.clone().unwrap_or_default();
    let mut since = word(&args.since);
    let mut last = 0;
    loop {
        let parameters = [
            ("since", since.clone()),
            ("type", word(&args.kind)),
            ("resource", word(&args.resource)),
            ("channel", args.channel.map(|channel| channel.to_string()).unwrap_or_default()),
            ("limit", if since.is_empty() { String::new() } else { PAGE.to_owned() }),
        ];
        let page = client.query("/api/v1/events", &parameters).await?;
        for event in items(&page) {
            told(out, event)?;
        }
        let newest = items(&page).last().and_then(|event| event["seq"].as_u64());
        last = newest.unwrap_or(last);
        if newest.is_none() || page["next_cursor"].is_null() {
            return Ok(last);
        }
        since = last.to_string();
    }
}

/// Present state, sent to a new subscriber: nothing has happened.
fn is_snapshot(message: &Value) -> bool {
    message["metadata"]["snapshot"] == true
}

impl EventsArgs {
    /// The narrowest channel that carries all that is asked for.
    fn subscription(&self) -> String {
        match (&self.resource, self.channel) {
            (Some(resource), _) if resource.contains(':') => resource.clone(),
            (_, Some(channel)) => channel.to_string(),
            _ => "all".to_owned(),
        }
    }

    fn wants(&self, message: &Value) -> bool {
        let is = |name: &str, wanted: Option<&str>| {
            wanted.is_none_or(|wanted| message[name].as_str().is_none_or(|word| word == wanted))
        };
        is("type", self.kind.as_deref())
            && is("resource", self.resource.as_deref())
            && is("channel", self.channel.map(Channel::as_str))
    }
}

fn told(out: Out, event: &Value) -> Result<(), Failure> {
    if out.is_json() { print_json_line(event) } else { print_line(line(event)) }
}

/// Number, time, type, what it is about, and the rest in short.
fn line(event: &Value) -> String {
    let word = |name| field(event, name);
    let what = match event["type"].as_str() {
        Some("job_state_change") => {
            let from = word("from_state");
            let arrow = if from.is_empty() { String::new() } else { format!("{from} -> ") };
            format!("{} {arrow}{}{}", word("job_name"), word("to_state"), reason(&word("reason")))
        }
        Some("job_progress") => {
            let percent = event["progress_percentage"].as_f64().unwrap_or_default();
            format!("{} {percent:.1}%", word("job_id"))
        }
        Some("device_status") => {
            format!("{} {}{}", word("device_id"), word("status"), reason(&word("error_message")))
        }
        Some("daemon_status") => {
            format!(
                "{} {} {}{}",
                word("name"),
                word("state"),
                word("health"),
                reason(&word("message"))
            )
        }
        Some("system_alert") => {
            format!("{}: {}{}", word("severity"), word("title"), reason(&word("message")))
        }
        Some("log") => format!("{} {} {}", word("level"), word("target"), word("message")),
        Some("audit") => {
            format!("{} {} {} {}", word("actor"), word("action"), word("resource"), word("outcome"))
        }
        _ => String::new(),
    };
    let seq = event["seq"].as_u64().map_or("-".to_owned(), |seq| seq.to_string());
    format!("{seq:>6}  {}  {:<16}  {what}", word("timestamp"), word("type")).trim_end().to_owned()
}

fn reason(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" ({text})") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_one_line() {
        let event = json!({"seq": 7, "timestamp": "2026-01-02T03:04:05.678Z", "channel": "jobs",
            "type": "job_state_change", "resource": "job:1", "job_name": "rose\x1b[1m",
            "from_state": "QUEUED", "to_state": "RUNNING", "reason": ""});
        insta::assert_snapshot!(
            line(&event),
            @r"     7  2026-01-02T03:04:05.678Z  job_state_change  rose\u{1b}[1m QUEUED -> RUNNING"
        );
    }

    #[test]
    fn what_was_not_asked_for_is_not_shown() {
        let args = EventsArgs {
            kind: Some("system_alert".to_owned()),
            channel: Some(Channel::System),
            ..EventsArgs::default()
        };
        assert_eq!(args.subscription(), "system");
        assert!(args.wants(&json!({"type": "system_alert", "channel": "system"})));
        assert!(!args.wants(&json!({"type": "system_status"})));
        let device = EventsArgs { resource: Some("device:a".to_owned()), ..EventsArgs::default() };
        assert_eq!(device.subscription(), "device:a");
    }
}
