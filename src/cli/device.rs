//! `device …`: look at machines and operate them.

use clap::Subcommand;
use serde_json::{Value, json};

use super::{
    client::{Client, encoded},
    failure::Failure,
    print::{Out, field, items, note, object, plain, print_json, print_line, print_text},
};

/// `device …`
#[derive(Subcommand, Clone, Debug, PartialEq)]
pub(super) enum DeviceCommand {
    /// List the machines
    List,
    /// Show one machine in full
    Show {
        /// Which machine
        name: String,
    },
    /// List ports that may be machines, without touching them
    #[command(
        after_help = "Examples:\n  stationd device detect\n  stationd device detect --probe /dev/ttyS0"
    )]
    Detect {
        /// Open the ports and ask what is there; this starts most boards anew
        #[arg(long)]
        probe: bool,
        /// The ports to ask [default: all that may be machines]
        #[arg(value_name = "PORT", requires = "probe")]
        ports: Vec<String>,
    },
    /// Open the link to a machine
    Connect {
        /// Which machine
        name: String,
        /// Take the machine that is on its port now for the one that is meant
        #[arg(long)]
        accept: bool,
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
    /// Move the tool of a machine by hand, from where it is
    #[command(after_help = "Example: stationd device jog mill --x 10 --z -0.5 --feed 300")]
    Jog {
        /// Which machine
        name: String,
        /// Along X, in mm
        #[arg(long, value_name = "MM", allow_negative_numbers = true, value_parser = length)]
        x: Option<f64>,
        /// Along Y, in mm
        #[arg(long, value_name = "MM", allow_negative_numbers = true, value_parser = length)]
        y: Option<f64>,
        /// Along Z, in mm; up is positive
        #[arg(long, value_name = "MM", allow_negative_numbers = true, value_parser = length)]
        z: Option<f64>,
        /// How fast, in mm a minute [default: 1000]
        #[arg(long, value_name = "MM", value_parser = length)]
        feed: Option<f64>,
        /// End such a move at once
        #[arg(long, conflicts_with_all = ["x", "y", "z", "feed"])]
        stop: bool,
    },
    /// Let a machine in alarm move again
    Unlock {
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

/// JSON has no numbers that are none.
fn length(text: &str) -> Result<f64, String> {
    let length = text.parse().ok().filter(|length: &f64| length.is_finite());
    length.ok_or_else(|| "a number is needed, as 10 or -0.5".to_owned())
}

/// `device …`
pub(super) async fn run(client: &Client, out: Out, command: &DeviceCommand) -> Result<(), Failure> {
    match command {
        DeviceCommand::List => list(client, out).await,
        DeviceCommand::Show { name } => {
            let device = client.get(&path(name)).await?;
            if out.is_json() { print_json(&device) } else { print_text(&object(&device, 0)) }
        }
        DeviceCommand::Detect { probe: false, .. } => detect(client, out).await,
        DeviceCommand::Detect { probe: true, ports } => probe(client, out, ports).await,
        DeviceCommand::Connect { name, accept } => {
            act(client, out, name, "connect", &json!({"accept": accept})).await
        }
        DeviceCommand::Jog { name, stop: true, .. } => {
            act(client, out, name, "jog", &json!({"stop": true})).await
        }
        DeviceCommand::Jog { name, x, y, z, feed, stop: false } => {
            let mut body = json!({});
            for (axis, value) in [("x", x), ("y", y), ("z", z), ("feed", feed)] {
                if let Some(value) = value {
                    body[axis] = json!(value);
                }
            }
            act(client, out, name, "jog", &body).await
        }
        DeviceCommand::Disconnect { name } => {
            act(client, out, name, "disconnect", &json!({})).await
        }
        DeviceCommand::Home { name } => act(client, out, name, "home", &json!({})).await,
        DeviceCommand::Send { name, line } => {
            act(client, out, name, "send", &json!({"line": line})).await
        }
        DeviceCommand::Unlock { name } => act(client, out, name, "unlock", &json!({})).await,
        DeviceCommand::Estop { name, clear: false } => estop(client, out, name).await,
        DeviceCommand::Estop { name, clear: true } => {
            act(client, out, name, "estop", &json!({"clear": true})).await
        }
    }
}

fn path(name: &str) -> String {
    format!("/api/v1/devices/{}", encoded(name))
}

/// The machines, one a line.
pub(super) async fn list(client: &Client, out: Out) -> Result<(), Failure> {
    let devices = client.get("/api/v1/devices").await?;
    if out.is_json() {
        return print_json(&devices);
    }
    let row = |device: &Value| {
        ["name", "status", "driver", "port", "current_job_id", "error_message"]
            .map(|name| field(device, name))
            .to_vec()
    };
    let rows: Vec<_> = items(&devices).iter().map(row).collect();
    if rows.is_empty() {
        return note("no devices: add one to the configuration, or start with --simulate grbl");
    }
    out.table(&["NAME", "STATUS", "DRIVER", "PORT", "JOB", "ERROR"], &rows)
}

async fn detect(client: &Client, out: Out) -> Result<(), Failure> {
    let found = client.get("/api/v1/devices/detect").await?;
    if out.is_json() {
        return print_json(&found);
    }
    let row = |port: &Value| {
        ["port", "identity", "usb_id", "description", "driver"]
            .map(|name| field(port, name))
            .to_vec()
    };
    let rows: Vec<_> = items(&found).iter().map(row).collect();
    if rows.is_empty() {
        return note("no ports found: is the machine plugged in and switched on?");
    }
    out.table(&["PORT", "IDENTITY", "USB", "DESCRIPTION", "DRIVER"], &rows)
}

async fn probe(client: &Client, out: Out, ports: &[String]) -> Result<(), Failure> {
    let found = client.post("/api/v1/devices/detect", &json!({"ports": ports})).await?;
    if out.is_json() {
        return print_json(&found);
    }
    let row = |port: &Value| {
        ["port", "driver", "baud_rate", "firmware", "error"].map(|name| field(port, name)).to_vec()
    };
    let rows: Vec<_> = items(&found).iter().map(row).collect();
    if rows.is_empty() {
        return note("no ports found: is the machine plugged in and switched on?");
    }
    out.table(&["PORT", "DRIVER", "BAUD", "FIRMWARE", "ERROR"], &rows)
}

async fn act(
    client: &Client,
    out: Out,
    name: &str,
    verb: &str,
    body: &Value,
) -> Result<(), Failure> {
    let answer = client.post(&format!("{}/{verb}", path(name)), body).await?;
    if out.is_json() {
        return print_json(&answer);
    }
    if verb == "send" {
        let lines = answer["reply"].as_array().into_iter().flatten();
        return lines.map(plain).try_for_each(print_line);
    }
    let message = field(&answer, "error_message");
    let reason = if message.is_empty() { message } else { format!(" ({message})") };
    print_line(format_args!("{}: {}{reason}", field(&answer, "name"), field(&answer, "status")))
}

/// Stops a machine; it is a failure if it does not confirm that it has stopped.
async fn estop(client: &Client, out: Out, name: &str) -> Result<(), Failure> {
    let device = client.post(&format!("{}/estop", path(name)), &json!({})).await?;
    let stop = &device["estop"];
    if out.is_json() {
        print_json(&device)?;
    }
    match (stop["confirmed"] == true, stop["sent"] == true) {
        (true, _) if out.is_json() => Ok(()),
        (true, _) => {
            let latency = stop["latency_seconds"].as_f64().unwrap_or_default() * 1000.0;
            print_line(format_args!(
                "{}: stopped, confirmed after {latency:.0} ms",
                field(&device, "name")
            ))
        }
        (false, sent) => Err(Failure::Failed(format!(
            "{name} has NOT CONFIRMED that it stopped (the stop was {}): cut its power",
            if sent { "sent" } else { "not sent" }
        ))),
    }
}
