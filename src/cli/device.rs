//! `device …`: look at machines and operate them.

use clap::Subcommand;

/// `device …`
#[derive(Subcommand, Clone, Debug, PartialEq, Eq)]
pub(super) enum DeviceCommand {
    /// List the machines
    List,
    /// Show one machine in full
    Show {
        /// Which machine
        name: String,
    },
    /// List ports that may be machines, without touching them
    Detect,
    /// Open the link to a machine
    Connect {
        /// Which machine
        name: String,
    },
    /// Close the link to a machine and leave it closed
    Disconnect {
        /// Which machine
        name: String,
    },
    /// Send one line to a machine and print its answer
    #[command(after_help = "Example: stationd device send plotter '$I'")]
    Send {
        /// Which machine
        name: String,
        /// The line
        #[arg(allow_hyphen_values = true)]
        line: String,
    },
    /// Let a machine find its origin
    Home {
        /// Which machine
        name: String,
    },
    /// Stop a machine at once, whatever it does
    Estop {
        /// Which machine
        name: String,
        /// Let it be used again after an emergency stop
        #[arg(long)]
        clear: bool,
    },
}
