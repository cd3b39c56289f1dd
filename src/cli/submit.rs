//! `submit` and `run`: new jobs.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
    thread,
};

use actix_web::web::Bytes;
use awc::{
    body::SizedStream,
    http::{Method, header},
};
use clap::Args;
use futures_util::{Stream, stream};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    sync::mpsc,
};

use super::{
    batch,
    client::{Client, query},
    failure::Failure,
    print::{Out, field, note, print_json_line, print_line, print_text},
    program::ProgramArgs,
    report, template, watch,
    wish::Wishes,
};
use crate::domain::JobId;

/// `submit FILE…`
#[derive(Args, Clone, Debug, Default, PartialEq)]
#[command(after_help = "\
Examples:
  stationd submit drawing.gcode --watch
  stationd submit a.gcode b.gcode --device plotter --priority high
  generate | stationd submit - --name pattern.gcode --hold
  stationd submit badge.gcode --copies 5 --at \"tomorrow 8:00\"")]
pub(super) struct SubmitArgs {
    /// The files, a job each; - is standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Run on this device
    #[arg(long, value_name = "NAME")]
    pub device: Option<String>,
    /// Run on any device of this driver
    #[arg(long)]
    pub driver: Option<String>,
    /// Run it although what is found in the file speaks against it
    #[arg(long)]
    pub force: bool,
    /// What may be said of any job.
    #[command(flatten)]
    pub wishes: Wishes,
}

/// `run -- PROGRAM ARG…`
#[derive(Args, Clone, Debug, PartialEq)]
#[command(after_help = "\
The program is started directly, never by a shell.

Examples:
  stationd run -- rsync -a /srv/scans backup:/srv/
  stationd run --name nightly --timeout 600 --retries 2 -- /usr/local/bin/report
  stationd run --env LANG=C --cwd /srv/scans --limit memory=512MB --limit cpu=0.5 -- ./convert
  stationd run --at 18:00 --group render --label customer=smith -- render scene.blend
  stationd run --batch jobs.ndjson

A line of a batch is the body of a job in the API, as
  {\"ref\": \"a\", \"command\": [\"render\", \"scene.blend\"]}
  {\"command\": [\"upload\", \"scene.png\"], \"depends_on\": [\"a\"]}
  {\"file\": \"drawing.gcode\", \"depends_on\": [{\"job\": \"a\", \"on\": \"ended\"}]}")]
pub(super) struct RunArgs {
    /// Kill it after this many seconds
    #[arg(long, value_name = "SECONDS", value_parser = positive)]
    pub timeout: Option<f64>,
    /// Try again this often if it fails
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..100))]
    pub retries: u32,
    /// Before it is tried again for the first time; longer each time after [default: as configured]
    #[arg(long, value_name = "SECONDS", value_parser = positive)]
    pub retry_delay: Option<f64>,
    /// Of the jobs of this group only so many run at a time
    #[arg(long, value_name = "NAME")]
    pub group: Option<String>,
    /// What the program runs in.
    #[command(flatten)]
    pub program: ProgramArgs,
    /// What may be said of any job.
    #[command(flatten)]
    pub wishes: Wishes,
    /// Submit the jobs in this file instead, all or none: a JSON object a line; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["command", "template", "timeout", "retries",
        "retry_delay", "group", "name", "priority", "hold", "at", "after", "after_failed",
        "after_any", "label", "copies", "unique", "env", "cwd", "limit", "stop_timeout"])]
    pub batch: Option<PathBuf>,
    /// Run a command that a plug-in offers; what follows -- are its arguments
    #[arg(long, value_name = "[PLUGIN/]NAME")]
    pub template: Option<String>,
    /// The program and its arguments
    #[arg(last = true, required_unless_present_any = ["template", "batch"], value_name = "PROGRAM ARG")]
    pub command: Vec<String>,
}

fn positive(text: &str) -> Result<f64, &'static str> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds.is_finite() => Ok(seconds),
        _ => Err("a number of seconds above 0 is needed"),
    }
}

/// `submit FILE…`
pub(super) async fn submit(client: &Client, out: Out, args: &SubmitArgs) -> Result<(), Failure> {
    let Wishes { name, key, unique, watch, .. } = &args.wishes;
    if args.files.len() > 1 && (name.is_some() || key.is_some() || unique.is_some()) {
        let message = "--name, --key and --unique are for one file: submit the files one by one";
        return Err(Failure::Usage(message.to_owned()));
    }
    let mut ids = Vec::new();
    for file in &args.files {
        let job = send(client, args, file).await?;
        for job in answered(&job) {
            ids.push(told(out, job)?);
        }
    }
    if *watch { watch::until_ended(client, out, &ids).await } else { Ok(()) }
}

/// Sends one file; answers with the job it has become.
pub(super) async fn send(
    client: &Client,
    args: &SubmitArgs,
    file: &Path,
) -> Result<Value, Failure> {
    let unreadable =
        |error: io::Error| Failure::Failed(format!("{} cannot be read: {error}", file.display()));
    let from_stdin = file == Path::new("-");
    let own_name = file.file_name().filter(|_| !from_stdin);
    let own_name = own_name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    // A name of the person's own may not tell what kind of file it is.
    let (name, file_name) = match &args.wishes.name {
        Some(name) => (name.clone(), own_name),
        None => (own_name, String::new()),
    };
    let mut parameters = vec![
        ("name", name),
        ("file_name", file_name),
        ("device", args.device.clone().unwrap_or_default()),
        ("driver", args.driver.clone().unwrap_or_default()),
        ("force", if args.force { "true".to_owned() } else { String::new() }),
    ];
    parameters.extend(args.wishes.parameters());
    let path = format!("/api/v1/jobs{}", query(&parameters));
    let request = client
        .request(Method::POST, &path)
        .insert_header((header::CONTENT_TYPE, "application/octet-stream"))
        .insert_header(("Idempotency-Key", args.wishes.idempotency_key()));
    let sent = if from_stdin {
        request.send_stream(Box::pin(piped()))
    } else {
        let opened = tokio::fs::File::open(file).await.map_err(unreadable)?;
        let metadata = opened.metadata().await.map_err(unreadable)?;
        if metadata.is_dir() {
            return Err(unreadable(io::ErrorKind::IsADirectory.into()));
        }
        if metadata.is_file() {
            let body = SizedStream::new(metadata.len(), Box::pin(chunks(opened)));
            request.send_body(body)
        } else {
            request.send_stream(Box::pin(chunks(opened)))
        }
    };
    client.json(sent).await
}

/// The bytes of `from` in pieces.
fn chunks(from: impl AsyncRead + Unpin) -> impl Stream<Item = io::Result<Bytes>> {
    stream::try_unfold(from, |mut from| async move {
        let mut chunk = vec![0; 64 << 10];
        let read = from.read(&mut chunk).await?;
        chunk.truncate(read);
        Ok((read > 0).then(|| (chunk.into(), from)))
    })
}

/// The bytes of standard input in pieces. A thread of its own reads them, since a read from a
/// terminal cannot be called off, and the program must end all the same on Ctrl-C.
fn piped() -> impl Stream<Item = io::Result<Bytes>> {
    let (send, receive) = mpsc::channel(4);
    thread::spawn(move || {
        loop {
            let mut chunk = vec![0; 64 << 10];
            let chunk = match io::stdin().lock().read(&mut chunk) {
                Ok(0) => return,
                Ok(read) => {
                    chunk.truncate(read);
                    Ok(chunk.into())
                }
                Err(error) => Err(error),
            };
            let failed = chunk.is_err();
            if send.blocking_send(chunk).is_err() || failed {
                return;
            }
        }
    });
    stream::unfold(receive, |mut receive| async move { Some((receive.recv().await?, receive)) })
}

/// `run -- PROGRAM ARG…`
pub(super) async fn run(client: &Client, out: Out, args: &RunArgs) -> Result<(), Failure> {
    if let Some(file) = &args.batch {
        return batch::run(client, out, file, &args.wishes).await;
    }
    let body = body(client, args).await?;
    let request = client
        .request(Method::POST, "/api/v1/jobs")
        .insert_header(("Idempotency-Key", args.wishes.idempotency_key()));
    let answer = client.json(request.send_json(&body)).await?;
    let ids = answered(&answer).iter().map(|job| told(out, job)).collect::<Result<Vec<_>, _>>()?;
    if args.wishes.watch { watch::until_ended(client, out, &ids).await } else { Ok(()) }
}

/// The command job that is asked for, as the API takes it.
pub(super) async fn body(client: &Client, args: &RunArgs) -> Result<Value, Failure> {
    let command = match &args.template {
        Some(template) => template::expand(client, template, &args.command).await?,
        None => args.command.clone(),
    };
    let mut body = args.wishes.fields();
    let mut add = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            body.insert(name.to_owned(), value);
        }
    };
    add("kind", Some("command".into()));
    add("command", Some(command.into()));
    add("max_attempts", Some((args.retries + 1).into()));
    add("timeout_seconds", args.timeout.map(Value::from));
    add("group", args.group.clone().map(Value::from));
    add("retry", args.retry_delay.map(|seconds| json!({"base": seconds})));
    if args.wishes.name.is_none() {
        add("name", args.template.clone().map(Value::from));
    }
    let mut body = Value::from(body);
    args.program.add_to(&mut body)?;
    Ok(body)
}

/// The jobs of an answer: one, or a list of copies.
fn answered(answer: &Value) -> &[Value] {
    answer["items"].as_array().map_or(std::slice::from_ref(answer), Vec::as_slice)
}

/// Says what has been submitted, on one line.
pub(super) fn told(out: Out, job: &Value) -> Result<JobId, Failure> {
    if out.is_json() {
        print_json_line(job)?;
    } else {
        print_line(format_args!(
            "{}  {}: {}",
            field(job, "id"),
            field(job, "name"),
            field(job, "state")
        ))?;
        let analysis = &job["analysis"];
        if analysis.is_object() {
            print_text(&report::findings(out, analysis))?;
        }
        if analysis["verdict"] == "red" && job["state"] == "HELD" {
            let id = field(job, "id");
            note(format_args!(
                "HELD: put the file right and submit it again, or insist with `stationd job \
                 release {id} --force`; `stationd job cancel {id}` drops it"
            ))?;
        }
    }
    field(job, "id")
        .parse()
        .map_err(|_| Failure::Failed("the station answered without a job id".to_owned()))
}
