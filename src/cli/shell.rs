//! `completions` and `man`: the command line told to shells and to readers.

use std::io::Write;

use clap::{Command, CommandFactory};
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
    let top = Man::new(command.clone());
    top.render_title(&mut page)?;
    top.render_name_section(&mut page)?;
    top.render_synopsis_section(&mut page)?;
    top.render_description_section(&mut page)?;
    top.render_options_section(&mut page)?;
    sections(&mut command, &mut page)?;
    top.render_extra_section(&mut page)?;
    top.render_version_section(&mut page)?;
    print_text(&String::from_utf8_lossy(&page))
}

/// The help of every command below `command`, as it is printed.
fn sections(command: &mut Command, page: &mut Vec<u8>) -> Result<(), Failure> {
    let shown = |command: &&mut Command| !command.is_hide_set() && command.get_name() != "help";
    for below in command.get_subcommands_mut().filter(shown) {
        if below.has_subcommands() {
            sections(below, page)?;
            continue;
        }
        let name = below.get_bin_name().unwrap_or_default().to_uppercase();
        writeln!(page, ".SH \"{name}\"\n.nf")?;
        for line in below.render_long_help().to_string().lines() {
            // A full stop or an apostrophe at the beginning would be a request of roff.
            writeln!(page, "\\&{}", line.replace('\\', "\\e").replace('-', "\\-"))?;
        }
        writeln!(page, ".fi")?;
    }
    Ok(())
}
