//! The `stationd` program.

use std::process::ExitCode;

use stationd::{
    cli::{self, Task},
    station,
};

fn main() -> ExitCode {
    match cli::parse(std::env::args_os()) {
        Ok(Task::Start(options)) => station::run(*options),
        Ok(Task::Client(invocation)) => cli::run(&invocation),
        Err(error) => {
            // Nothing can be done if there is nowhere to write to.
            _ = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        }
    }
}
