//! Carrying out a command.

use std::{io, process::ExitCode};

use super::{
    args::{CheckCommand, Command, Global},
    check_file,
    client::Client,
    config::ConfigCommand,
    daemon, demo, device, events,
    failure::Failure,
    heartbeat, hook, job, lifecycle, logs,
    parse::Invocation,
    plugin,
    print::Out,
    queue, reconcile, schedule, shell, status, submit,
};

/// Does what a command line other than `start` asks for, and says on standard error why it could
/// not. The exit codes are those of the documentation.
pub fn run(invocation: &Invocation) -> ExitCode {
    match carry_out(invocation) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn carry_out(Invocation { global, command }: &Invocation) -> Result<(), Failure> {
    let out = Out::new(global);
    match command {
        Command::DaemonStatus { directory } => {
            heartbeat::daemon_status(global, out, directory.as_deref())
        }
        Command::Config(command) => configure(global, out, command),
        Command::Check(CheckCommand::Config { file }) => {
            configure(global, out, &ConfigCommand::Check { file: file.clone() })
        }
        Command::Check(CheckCommand::File(args)) => check_file::run(global, out, args),
        Command::Check(CheckCommand::Health { nagios }) => {
            heartbeat::check_health(global, out, *nagios)
        }
        Command::Completions { shell } => shell::completions(*shell),
        Command::Man => shell::man(),
        Command::Demo(args) => demo::run(global, out, args),
        Command::Logs(args) if args.name.is_none() && !args.how.follow => {
            logs::of_station(global, out, args.how.lines)
        }
        command => actix::System::new().block_on(async {
            let client = Client::find(global)?;
            tokio::select! {
                result = ask(&client, out, global, command) => result,
                _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
            }
        }),
    }
}

/// Configuration commands have an exit code of their own.
fn configure(global: &Global, out: Out, command: &ConfigCommand) -> Result<(), Failure> {
    let (mut stdout, mut stderr) = (io::stdout().lock(), io::stderr().lock());
    match command.run(&global.sources(), out.is_json(), &mut stdout, &mut stderr)? {
        0 => Ok(()),
        code => Err(Failure::Verdict(code)),
    }
}

/// Whatever needs a running station.
async fn ask(client: &Client, out: Out, global: &Global, command: &Command) -> Result<(), Failure> {
    match command {
        Command::Status { verbose } => status::status(client, out, *verbose).await,
        Command::Health => status::health(client, out).await,
        Command::Ready => status::ready(client, out).await,
        Command::Metrics => status::metrics(client).await,
        Command::Queue(command) => queue::run(client, out, command).await,
        Command::Schedule(command) => schedule::run(client, out, command).await,
        Command::Shutdown(args) => lifecycle::shutdown(client, out, args).await,
        Command::Restart => lifecycle::restart(client, out).await,
        Command::Reload => lifecycle::reload(client, out).await,
        Command::Submit(args) => submit::submit(client, out, args).await,
        Command::Run(args) => submit::run(client, out, args).await,
        Command::Job(command) => job::run(client, out, command).await,
        Command::Device(command) => device::run(client, out, command).await,
        Command::Daemon(group) => daemon::run(client, out, group).await,
        Command::Logs(args) => logs::run(client, out, global, args).await,
        Command::Reconcile(args) => reconcile::run(client, out, args).await,
        Command::Plugin(command) => plugin::run(client, out, command).await,
        Command::Hook(command) => hook::run(client, out, command).await,
        Command::Events(args) => events::run(client, out, args).await,
        // Carried out without a station.
        Command::Start(_)
        | Command::Demo(_)
        | Command::DaemonStatus { .. }
        | Command::Config(_)
        | Command::Check(_)
        | Command::Completions { .. }
        | Command::Man => Ok(()),
    }
}
