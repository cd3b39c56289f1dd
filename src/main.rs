//! The `stationd` program.

use std::process::ExitCode;

use stationd::cli::{self, StartOptions, Task};

fn main() -> ExitCode {
    match cli::parse(std::env::args_os()) {
        Ok(Task::Start(options)) => start(&options),
        Ok(Task::Client(invocation)) => cli::run(&invocation),
        Err(error) => {
            // Nothing can be done if there is nowhere to write to.
            _ = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        }
    }
}

fn start(options: &StartOptions) -> ExitCode {
    if options.follow_parent().is_err() {
        return ExitCode::FAILURE;
    }
    ExitCode::FAILURE
}
