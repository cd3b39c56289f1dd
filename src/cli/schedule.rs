//! `schedule …`: jobs that come again and again.

use std::{fs, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{
    client::{Client, encoded},
    failure::Failure,
    print::{Out, field, items, object, print_json, print_json_line, print_line, print_text},
    submit::told,
    wish::label,
};
use crate::domain::Priority;

/// `schedule …`
#[derive(Subcommand, Clone, Debug, PartialEq)]
pub(super) enum ScheduleCommand {
    /// Add a schedule for a program, or for a file for a machine
    Add(AddArgs),
    /// List schedules
    List,
    /// Show one schedule in full
    Show(Named),
    /// Let nothing come due
    Pause(Named),
    /// Go on; what came due meanwhile is not caught up
    Resume(Named),
    /// Submit a job of it now
    Run(Named),
    /// Delete a schedule; the jobs that came from it stay
    Delete(Named),
}

/// Which schedule.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// Its name, or its id
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// What becomes of missed runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(super) enum MissedRuns {
    /// Nothing.
    Skip,
    /// One run stands for all.
    #[default]
    RunOnce,
    /// Each is caught up, the newest ten at most.
    RunAll,
}

/// `schedule add`
#[derive(Args, Clone, Debug, PartialEq)]
#[command(after_help = "\
Times are those of the station's zone (`station.timezone`).

Examples:
  stationd schedule add --cron \"0 3 * * *\" --name backup -- rsync -a /srv/scans backup:/srv/
  stationd schedule add --cron \"0 8 * * MON-FRI\" --device plotter --hold --file warm-up.gcode")]
pub(super) struct AddArgs {
    /// Minute, hour, day of the month, month and weekday, as in crontab; six fields begin with
    /// seconds; or @hourly, @daily, …
    #[arg(long, value_name = "EXPRESSION")]
    pub cron: String,
    /// What people call it [default: the name of the program or file]
    #[arg(long)]
    pub name: Option<String>,
    /// What becomes of runs that were missed while the station did not run
    #[arg(long, value_name = "POLICY", value_enum, default_value_t)]
    pub missed: MissedRuns,
    /// Let a run start though the one before has not ended
    #[arg(long)]
    pub overlap: bool,
    /// Add it paused
    #[arg(long)]
    pub paused: bool,
    /// A file for a machine, in place of a program
    #[arg(long, value_name = "FILE", conflicts_with = "command")]
    pub file: Option<PathBuf>,
    /// Run the file on this device
    #[arg(long, value_name = "NAME", requires = "file")]
    pub device: Option<String>,
    /// Run the file on any device of this driver
    #[arg(long, requires = "file")]
    pub driver: Option<String>,
    /// Each job waits until a person releases it
    #[arg(long)]
    pub hold: bool,
    /// What comes first: a number, or low, normal, high, critical
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub priority: Option<Priority>,
    /// Put this label on each job; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = label)]
    pub label: Vec<(String, String)>,
    /// Of the jobs of this group only so many run at a time
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    pub group: Option<String>,
    /// Kill the program after this many seconds
    #[arg(long, value_name = "SECONDS", conflicts_with = "file")]
    pub timeout: Option<f64>,
    /// Try again this often if it fails
    #[arg(long, value_name = "N", default_value_t = 0, conflicts_with = "file", value_parser = clap::value_parser!(u32).range(..100))]
    pub retries: u32,
    /// The program and its arguments
    #[arg(last = true, required_unless_present = "file", value_name = "PROGRAM ARG")]
    pub command: Vec<String>,
}

/// `schedule …`
pub(super) async fn run(
    client: &Client,
    out: Out,
    command: &ScheduleCommand,
) -> Result<(), Failure> {
    match command {
        ScheduleCommand::Add(args) => add(client, out, args).await,
        ScheduleCommand::List => list(client, out).await,
        ScheduleCommand::Show(named) => {
            let schedule = client.get(&path(named, "")).await?;
            if out.is_json() { print_json(&schedule) } else { print_text(&object(&schedule, 0)) }
        }
        ScheduleCommand::Pause(named) => set(client, out, named, "/pause").await,
        ScheduleCommand::Resume(named) => set(client, out, named, "/resume").await,
        ScheduleCommand::Run(named) => {
            let job = client.post(&path(named, "/run"), &json!({})).await?;
            told(out, &job).map(drop)
        }
        ScheduleCommand::Delete(named) => {
            client.delete(&path(named, "")).await?;
            if out.is_json() { Ok(()) } else { print_line(format_args!("{}: deleted", named.name)) }
        }
    }
}

fn path(Named { name }: &Named, below: &str) -> String {
    format!("/api/v1/schedules/{}{below}", encoded(name))
}

async fn add(client: &Client, out: Out, args: &AddArgs) -> Result<(), Failure> {
    let mut job = json!({"max_attempts": args.retries + 1, "hold": args.hold});
    let mut add = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            job[name] = value;
        }
    };
    add("priority", args.priority.map(|Priority(value)| value.into()));
    add("group", args.group.clone().map(Value::from));
    add("timeout_seconds", args.timeout.map(Value::from));
    add("device", args.device.clone().map(Value::from));
    add("driver", args.driver.clone().map(Value::from));
    let labels = args.label.iter().map(|(key, value)| (key.clone(), value.clone().into()));
    add("labels", Some(Value::Object(labels.collect())));
    if let Some(file) = &args.file {
        let content = fs::read_to_string(file).map_err(|error| {
            Failure::Failed(format!("{} cannot be read: {error}", file.display()))
        })?;
        add("content", Some(content.into()));
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        add("name", Some(name.into()));
    } else {
        add("command", Some(args.command.clone().into()));
        add("name", args.name.clone().map(Value::from));
    }
    let missed = match args.missed {
        MissedRuns::Skip => "skip",
        MissedRuns::RunOnce => "run_once",
        MissedRuns::RunAll => "run_all",
    };
    let body = json!({
        "name": args.name,
        "cron": args.cron,
        "missed": missed,
        "overlap": args.overlap,
        "paused": args.paused,
        "job": job,
    });
    tell(out, &client.post("/api/v1/schedules", &body).await?)
}

async fn list(client: &Client, out: Out) -> Result<(), Failure> {
    let schedules = client.get("/api/v1/schedules").await?;
    if out.is_json() {
        return print_json(&schedules);
    }
    let row = |schedule: &Value| {
        let next = field(schedule, "next_at");
        let paused = schedule["paused"] == true;
        vec![
            field(schedule, "name"),
            field(schedule, "cron"),
            if paused { "paused".to_owned() } else { next },
            field(schedule, "last_at"),
            field(schedule, "missed"),
            field(schedule, "note"),
        ]
    };
    let rows: Vec<_> = items(&schedules).iter().map(row).collect();
    out.table(&["NAME", "CRON", "NEXT", "LAST", "MISSED", "NOTE"], &rows)
}

async fn set(client: &Client, out: Out, named: &Named, verb: &str) -> Result<(), Failure> {
    tell(out, &client.post(&path(named, verb), &json!({})).await?)
}

fn tell(out: Out, schedule: &Value) -> Result<(), Failure> {
    if out.is_json() {
        return print_json_line(schedule);
    }
    let name = field(schedule, "name");
    if schedule["paused"] == true {
        return print_line(format_args!("{name}: paused"));
    }
    print_line(format_args!("{name}: due next at {}", field(schedule, "next_at")))
}
