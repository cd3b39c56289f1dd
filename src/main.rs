//! The `stationd` program.

use std::process::ExitCode;

use stationd::cli::{self, Task};

fn main() -> ExitCode {
    match cli::parse(std::env::args_os()) {
        Ok(Task::Start(_options)) => ExitCode::FAILURE,
        Ok(Task::Client(_invocation)) => ExitCode::FAILURE,
        Err(error) => {
            _ = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        }
    }
}
