//! From words to what is to be done.

use std::ffi::OsString;

use clap::{
    ArgMatches, Args, CommandFactory, Error, FromArgMatches, error::ErrorKind, parser::ValueSource,
};

use super::{
    args::{Cli, Command, Global},
    daemon::DaemonCommand,
    start::{StartArgs, options},
};
use crate::station::StartOptions;

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Task {
    /// Run a station in this process.
    Start(Box<StartOptions>),
    /// Anything else.
    Client(Box<Invocation>),
}

/// A command that is not the station itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Invocation {
    pub(super) global: Global,
    pub(super) command: Command,
}

/// Reads a command line, the program's name first. The error knows its exit code and how to print
/// itself; help and version are errors with exit code 0.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Task, Error> {
    let words = normalise(words.into_iter().collect())?;
    let matches = Cli::command().try_get_matches_from(words)?;
    let Cli { global, start, command } = Cli::from_arg_matches(&matches)?;
    let station = |args: StartArgs| {
        let options = options(args, &global).map_err(|error| {
            usage(ErrorKind::Io, &format!("a path cannot be made absolute: {error}"))
        })?;
        Ok(Task::Start(Box::new(options)))
    };
    match command {
        None => station(start),
        Some(Command::Start(args)) => station(start.merge(args)),
        Some(command) => {
            refuse_start_options(&matches)?;
            match command {
                Command::Daemon(group) if group.command.is_none() => station(group.start),
                command => {
                    let command = without_alias(command);
                    refuse_no_daemon(&command)?;
                    Ok(Task::Client(Box::new(Invocation { global, command })))
                }
            }
        }
    }
}

fn usage(kind: ErrorKind, message: &str) -> Error {
    Cli::command().error(kind, message)
}

/// Options that start a station must not be silently ignored by another command.
fn refuse_start_options(matches: &ArgMatches) -> Result<(), Error> {
    let Some((name, below)) = matches.subcommand() else { return Ok(()) };
    let options = StartArgs::augment_args(clap::Command::new("start"));
    let given = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    if let Some(option) = options.get_arguments().find(|option| given(option.get_id().as_str())) {
        let option = option.get_long().unwrap_or_default();
        return Err(usage(
            ErrorKind::ArgumentConflict,
            &format!(
                "--{option} before `{name}` would start a station: write it after `{name}`, \
                      if that takes it"
            ),
        ));
    }
    if name == "daemon" { refuse_start_options(below) } else { Ok(()) }
}

/// All daemons are meant only where that is said.
fn refuse_no_daemon(command: &Command) -> Result<(), Error> {
    let Command::Daemon(group) = command else { return Ok(()) };
    let selection = group.command.as_ref().and_then(DaemonCommand::selection);
    if selection.is_none_or(|selection| !selection.is_empty()) {
        return Ok(());
    }
    Err(usage(
        ErrorKind::MissingRequiredArgument,
        "name the daemons, or write --category or --all; the station itself is started by \
         `stationd start`, stopped by `stationd shutdown` and restarted by `stationd restart`",
    ))
}

/// The command that a hidden alias below `daemon` stands for.
fn without_alias(command: Command) -> Command {
    let Command::Daemon(mut group) = command else { return command };
    match group.command {
        Some(DaemonCommand::Status { verbose }) => Command::Status { verbose },
        Some(DaemonCommand::Shutdown(args)) => Command::Shutdown(args),
        Some(DaemonCommand::Events(args)) => Command::Events(args),
        Some(DaemonCommand::Config(command)) => Command::Config(command),
        Some(DaemonCommand::Metrics) => Command::Metrics,
        Some(DaemonCommand::Queue(command)) => Command::Queue(command),
        Some(DaemonCommand::Restart(args)) if args.is_empty() => Command::Restart,
        other => {
            group.command = other;
            Command::Daemon(group)
        }
    }
}

/// Straightens what the parser cannot: every `--set` counts, wherever it stands; `--simulate`
/// does not take the command after it for a driver; and `-h ADDR`, which other daemons take for
/// the bind address, is named as a mistake.
fn normalise(words: Vec<OsString>) -> Result<Vec<OsString>, Error> {
    let commands = Cli::command();
    let is_command = |word: &str| commands.find_subcommand(word).is_some() || word == "help";
    let mut words = words.into_iter();
    let mut sets: Vec<OsString> = words.next().into_iter().collect();
    let mut rest: Vec<OsString> = Vec::new();
    let mut starts = true;
    while let Some(word) = words.next() {
        let next = words.as_slice().first().and_then(|next| next.to_str());
        let text = word.to_str().unwrap_or_default();
        if text == "--" {
            rest.push(word);
            rest.extend(words);
            break;
        }
        if starts && let Some(address) = bind_address(text, next.filter(|next| !is_command(next))) {
            let message = format!("-h is help; to listen on {address}, write -H {address}");
            return Err(usage(ErrorKind::UnknownArgument, &message));
        }
        if text == "--set" && next.is_some() {
            sets.push(word);
            sets.extend(words.next());
            continue;
        }
        if text.starts_with("--set=") {
            sets.push(word);
            continue;
        }
        if text == "--simulate" && next.is_some_and(is_command) {
            rest.push("--simulate=".into());
            continue;
        }
        starts &= !is_command(text) || matches!(text, "start" | "daemon");
        rest.push(word);
    }
    sets.extend(rest);
    Ok(sets)
}

/// The address that `-h` was given, if it was meant so.
fn bind_address<'a>(word: &'a str, next: Option<&'a str>) -> Option<&'a str> {
    match word.strip_prefix("-h")? {
        "" => next.filter(|next| !next.starts_with('-')),
        attached => Some(attached.trim_start_matches('=')),
    }
}
