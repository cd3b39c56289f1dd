//! `logs` and `daemon logs`: what the station and its programs write.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    args::Global,
    client::{Client, encoded},
    discover::default_workspace,
    failure::Failure,
    live::Live,
    print::{Out, field, note, print_json_line, print_line, visible_line},
};
use crate::config;

/// How much is printed.
#[derive(Args, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct How {
    /// Go on with what is written from now on
    #[arg(short, long)]
    pub follow: bool,
    /// Begin with so many lines
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100,
          value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub lines: u32,
}

/// `daemon logs`
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct DaemonLogsArgs {
    /// Which daemons
    #[arg(value_name = "NAME", required = true)]
    pub names: Vec<String>,
    /// How much.
    #[command(flatten)]
    pub how: How,
}

/// `logs`
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
#[command(after_help = "\
Examples:
  stationd logs -n 20
  stationd logs camera -f")]
pub(super) struct LogsArgs {
    /// Which daemon; without a name, the station itself
    pub name: Option<String>,
    /// How much.
    #[command(flatten)]
    pub how: How,
}

/// `logs`, where a station is needed.
pub(super) async fn run(
    client: &Client,
    out: Out,
    global: &Global,
    args: &LogsArgs,
) -> Result<(), Failure> {
    if let Some(name) = &args.name {
        return of_daemons(client, out, std::slice::from_ref(name), args.how).await;
    }
    // Whoever follows a log does not mind that it is kept nowhere.
    if args.how.lines > 0 && global.url.is_none() && log_file(global)?.exists() {
        of_station(global, out, args.how.lines)?;
    }
    follow_station(client, out).await
}

/// What is printed of one daemon.
struct Source {
    name: String,
    lines: Vec<String>,
}

/// The last lines of each daemon, then, if they are to be followed, all that comes.
pub(super) async fn of_daemons(
    client: &Client,
    out: Out,
    names: &[String],
    how: How,
) -> Result<(), Failure> {
    let mut sources = Vec::new();
    for name in names {
        let daemon = client.get(&format!("/api/v1/daemons/{}", encoded(name))).await?;
        sources.push(Source { name: field(&daemon, "name"), lines: Vec::new() });
    }
    let channels: Vec<String> = sources.iter().map(|it| format!("daemon:{}", it.name)).collect();
    // Subscribed before the past is read, so that nothing falls between the two.
    let mut live = if how.follow { Some(Live::subscribe(client, &channels).await?) } else { None };
    for source in &mut sources {
        // A daemon without a log is refused even if none of it is wanted.
        let lines = how.lines.max(1);
        let path = format!("/api/v1/daemons/{}/log?lines={lines}", encoded(&source.name));
        let text = client.text(&path).await?;
        if how.lines > 0 {
            source.lines = text.lines().map(ToOwned::to_owned).collect();
        }
    }
    let printer = Printer::new(out, &sources);
    let mut early = Vec::new();
    if let Some(live) = &mut live {
        early = queued(live).await?;
    }
    for source in &sources {
        source.lines.iter().try_for_each(|line| printer.line(&source.name, line))?;
        let told = |message: &&Value| target(message) == Some(source.name.as_str());
        let news: Vec<&Value> = early.iter().filter(told).collect();
        let known = overlap(&source.lines, &news);
        news[known..].iter().try_for_each(|message| printer.message(message))?;
    }
    let Some(mut live) = live else { return Ok(()) };
    loop {
        match live.next().await? {
            Some(message) => printer.message(&message)?,
            None => return Err(Failure::NotRunning("the station has stopped".to_owned())),
        }
    }
}

/// The daemon that wrote what a message carries.
fn target(message: &Value) -> Option<&str> {
    let target = message["target"].as_str().filter(|_| message["type"] == "log")?;
    target.strip_prefix("daemon:")
}

/// What has come already.
async fn queued(live: &mut Live) -> Result<Vec<Value>, Failure> {
    const PAUSE: Duration = Duration::from_millis(20);
    const MOST: usize = 10_000;
    let mut messages = Vec::new();
    while messages.len() < MOST
        && let Ok(message) = timeout(PAUSE, live.next()).await
    {
        match message? {
            Some(message) => messages.push(message),
            None => break,
        }
    }
    Ok(messages)
}

/// How many of the first messages are the last lines already.
fn overlap(lines: &[String], messages: &[&Value]) -> usize {
    let most = lines.len().min(messages.len());
    let same = |count: &usize| {
        let last = &lines[lines.len() - count..];
        last.iter().zip(messages).all(|(line, message)| message["message"] == line.as_str())
    };
    (0..=most).rev().find(same).unwrap_or(0)
}

/// How lines look: with the name of the daemon if there are several.
struct Printer {
    out: Out,
    width: Option<usize>,
}

impl Printer {
    fn new(out: Out, sources: &[Source]) -> Self {
        let longest = sources.iter().map(|source| source.name.chars().count()).max();
        Self { out, width: longest.filter(|_| sources.len() > 1) }
    }

    fn line(&self, name: &str, line: &str) -> Result<(), Failure> {
        if self.out.is_json() {
            let target = format!("daemon:{name}");
            return print_json_line(&json!({"target": target, "message": line}));
        }
        print_line(self.text(name, line))
    }

    fn text(&self, name: &str, line: &str) -> String {
        let line = visible_line(line);
        match self.width {
            Some(width) => format!("{name:width$} | {line}"),
            None => line.into_owned(),
        }
    }

    fn message(&self, message: &Value) -> Result<(), Failure> {
        if message["type"] == "lagged" {
            return note("some lines were lost: they came faster than they were read");
        }
        match target(message) {
            Some(_) if self.out.is_json() => print_json_line(message),
            Some(name) => self.line(name, message["message"].as_str().unwrap_or_default()),
            None => Ok(()),
        }
    }
}

/// The station's own log, from its file; the station need not run.
pub(super) fn of_station(global: &Global, out: Out, lines: u32) -> Result<(), Failure> {
    if let Some(url) = &global.url {
        return Err(Failure::Failed(format!(
            "the log of the station at {url} lies where it runs; `stationd logs -f` follows it"
        )));
    }
    let file = log_file(global)?;
    match last_lines(&file, lines) {
        Ok(lines) => lines.iter().try_for_each(|line| {
            if out.is_json() {
                return print_json_line(&json!({"target": "station", "message": line}));
            }
            print_line(visible_line(line))
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Failure::Failed(format!(
            "there is no {}: a station in the foreground writes its log to its standard output \
             (under systemd: journalctl -u stationd); `stationd logs -f` follows it, \
             `logging.file` keeps it",
            file.display()
        ))),
        Err(error) => Err(Failure::Failed(format!("{}: {error}", file.display()))),
    }
}

/// What the station writes from now on.
async fn follow_station(client: &Client, out: Out) -> Result<(), Failure> {
    let mut live = Live::subscribe(client, &["logs".to_owned()]).await?;
    loop {
        match live.next().await? {
            Some(message) if message["type"] != "log" => {}
            Some(message) if out.is_json() => print_json_line(&message)?,
            Some(message) => {
                let word = |name| field(&message, name);
                let (time, target, level) = (word("timestamp"), word("target"), word("level"));
                print_line(format_args!("{time} - {target} - {level} - {}", word("message")))?;
            }
            None => return Err(Failure::NotRunning("the station has stopped".to_owned())),
        }
    }
}

/// Where the station's log lies, as configured. If the configuration cannot be read, where it
/// lies by default.
fn log_file(global: &Global) -> Result<PathBuf, Failure> {
    let sources = global.sources();
    let below = |workspace: &Path| workspace.join("logs/stationd.log");
    if let Ok(loaded) = config::load(&sources) {
        let config = loaded.config;
        return Ok(config.logging.file.unwrap_or_else(|| below(&config.station.workspace)));
    }
    let workspace = global.workspace.clone().or_else(|| default_workspace(&sources));
    workspace
        .map(|workspace| below(&workspace))
        .ok_or_else(|| Failure::Usage("there is no home directory: name the workspace".to_owned()))
}

/// The end of a file, of which only a part is read.
fn last_lines(path: &Path, lines: u32) -> io::Result<Vec<String>> {
    const MOST: u64 = 4 << 20;
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(MOST)))?;
    let mut bytes = Vec::new();
    file.take(MOST).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let all: Vec<&str> = text.lines().collect();
    let first = all.len().saturating_sub(lines as usize);
    Ok(all[first..].iter().map(ToString::to_string).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrote(name: &str, line: &str) -> Value {
        json!({"type": "log", "level": "INFO", "target": format!("daemon:{name}"), "message": line})
    }

    fn lines(lines: &[&str]) -> Vec<String> {
        lines.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_came_while_the_past_was_read_is_told_once() {
        let news = [wrote("a", "2"), wrote("a", "3"), wrote("a", "4")];
        let news: Vec<&Value> = news.iter().collect();
        for (past, known) in [
            (&["1", "2", "3"][..], 2),
            (&["1"], 0),
            (&["1", "2", "3", "4"], 3),
            (&["4"], 0),
            (&["2"], 1),
            (&[], 0),
        ] {
            assert_eq!(overlap(&lines(past), &news), known, "{past:?}");
        }
    }

    #[test]
    fn several_daemons_are_told_apart() {
        let source = |name: &str| Source { name: name.to_owned(), lines: Vec::new() };
        let out = Out::new(&Global::default());
        let two = Printer::new(out, &[source("camera"), source("web")]);
        assert_eq!(two.text("web", "up\x1b[2J\t1"), "web    | up\\u{1b}[2J\t1");
        let one = Printer::new(out, &[source("web")]);
        assert_eq!(one.text("web", "up"), "up");
    }

    #[test]
    fn only_what_a_program_writes_is_its_log() {
        assert_eq!(target(&wrote("web", "up")), Some("web"));
        let status = json!({"type": "daemon_status", "target": "daemon:web"});
        assert_eq!(target(&status), None);
        assert_eq!(target(&json!({"type": "log", "target": "http"})), None);
    }

    #[test]
    fn the_last_lines_of_a_file_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("stationd.log");
        assert!(last_lines(&file, 2).is_err());
        std::fs::write(&file, "a\nb\nc\n").unwrap();
        assert_eq!(last_lines(&file, 2).unwrap(), ["b", "c"]);
        assert_eq!(last_lines(&file, 9).unwrap(), ["a", "b", "c"]);
        assert!(last_lines(&file, 0).unwrap().is_empty());
    }
}
