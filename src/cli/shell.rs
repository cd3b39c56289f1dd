//! `completions` and `man`: the command line told to shells and to readers.

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use super::{args::Cli, failure::Failure, print::print_text};

/// `completions SHELL`
pub(super) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "stationd", &mut script);
    print_text(&String::from_utf8_lossy(&script))
}

/// `man`: one page with a section for every command.
pub(super) fn man() -> Result<(), Failure> {
    let mut command = Cli::command();
    command.build();
    let mut page = Vec::new();
    Man::new(command).render(&mut page)?;
    print_text(&String::from_utf8_lossy(&page))
}
