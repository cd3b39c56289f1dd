//! Machines: look, operate, stop.

use std::time::Duration;

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{access::Identity, app::App, error::Problem, guard::Who, health::busy, query::json};
use crate::{
    daemons::device_manager::{Drawn, Operate, Operation},
    domain::{Device, DeviceStatus, Estop, Jog, Outcome},
    link,
};

/// How long a press of the emergency stop waits for the machine to confirm it.
const CONFIRMATION: Duration = Duration::from_secs(2);
/// Ports that are asked at the same time.
const MOST_PORTS: usize = 16;
/// The longest line that a machine is sent by hand.
const LONGEST_LINE: usize = 256;

fn unknown(name: &str) -> Problem {
    Problem::NotFound(format!("no device is called \"{name}\""))
}

/// `GET /api/v1/devices`.
pub(super) async fn list(app: web::Data<App>) -> web::Json<Value> {
    web::Json(json!({"items": app.board.devices(), "next_cursor": null}))
}

/// `GET /api/v1/devices/{name}`.
pub(super) async fn show(
    app: web::Data<App>,
    name: web::Path<String>,
) -> Result<web::Json<Device>, Problem> {
    app.board.device(&name).map(web::Json).ok_or_else(|| unknown(&name))
}

/// `GET /api/v1/devices/detect`: serial ports, none of which is opened.
pub(super) async fn detect() -> Result<web::Json<Value>, Problem> {
    let found = web::block(link::detect).await.map_err(busy)?;
    Ok(web::Json(json!({"items": found, "next_cursor": null})))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Ports {
    ports: Vec<String>,
}

/// `POST /api/v1/devices/detect`: opens the ports that are named, or all that may be machines and are
/// not the station's own, and asks what is there.
pub(super) async fn probe(
    app: web::Data<App>,
    body: web::Bytes,
    Who(who): Who,
) -> Result<web::Json<Value>, Problem> {
    let Ports { mut ports } = json(&body)?;
    if ports.len() > MOST_PORTS {
        return Err(Problem::field("ports", format!("at most {MOST_PORTS} ports at once")));
    }
    if ports.is_empty() {
        let found = web::block(link::detect).await.map_err(busy)?;
        ports = found.into_iter().map(|candidate| candidate.port).collect();
    }
    let own: Vec<Device> = app.board.devices();
    let asked = web::block(move || {
        let same = |one: &str, other: &str| {
            let real = |path: &str| std::fs::canonicalize(path).unwrap_or_else(|_| path.into());
            real(one) == real(other)
        };
        // Each takes seconds.
        let ask = |port: String| {
            let device = own.iter().find(|device| same(&device.port, &port));
            let device = device.map(|device| device.name.clone());
            std::thread::spawn(move || match device {
                Some(device) => link::Found::own(port, &device),
                None => link::probe(&port),
            })
        };
        let asking: Vec<_> = ports.into_iter().map(ask).collect();
        let found = asking.into_iter().filter_map(|thread| thread.join().ok());
        found.collect::<Vec<_>>()
    });
    let found = asked.await.map_err(busy)?;
    app.audit(&who.actor, "device.probe", "devices".to_owned(), Outcome::Ok);
    Ok(web::Json(json!({"items": found, "next_cursor": null})))
}

/// `GET /api/v1/devices/{name}/drawing`: what a simulated machine has drawn.
pub(super) async fn drawing(
    app: web::Data<App>,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let device = app.board.device(&name).ok_or_else(|| unknown(&name))?;
    match app.links().device_manager.ask(Drawn { device: device.name.clone() }).await?? {
        Some(drawing) => Ok(HttpResponse::Ok().json(drawing)),
        None => Err(Problem::NotFound(format!(
            "device \"{}\" is a real machine: only simulated ones keep what they drew",
            device.name
        ))),
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Action {
    Connect,
    Disconnect,
    Jog,
    Send,
    Home,
    Unlock,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    line: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Connect {
    #[serde(default)]
    accept: bool,
}

/// Either a move, or the end of one.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Move {
    x: f64,
    y: f64,
    z: f64,
    feed: Option<f64>,
    stop: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// `POST /api/v1/devices/{name}/{connect|disconnect|jog|send|home|unlock}`: answers the machine as
/// it then is, with `reply`, the lines it answered.
pub(super) async fn act(
    app: web::Data<App>,
    path: web::Path<(String, Action)>,
    body: web::Bytes,
    Who(who): Who,
) -> Result<web::Json<Value>, Problem> {
    let (name, action) = path.into_inner();
    let device = app.board.device(&name).ok_or_else(|| unknown(&name))?.name;
    let (word, operation) = operation(action, &body)?;
    let reply = operate(&app, &who, &device, word, operation).await?;
    shown(&app, &device, |shown| drop(shown.insert("reply".to_owned(), json!(reply))))
}

/// What is asked for, and its name in the audit trail.
fn operation(action: Action, body: &web::Bytes) -> Result<(&'static str, Operation), Problem> {
    let plain = |word, operation| json::<Nothing>(body).map(|Nothing {}| (word, operation));
    match action {
        Action::Send => {
            let Line { line } = json(body)?;
            Ok(("send", Operation::Send(printable(&line)?)))
        }
        Action::Connect => {
            let Connect { accept } = json(body)?;
            Ok(("connect", Operation::Connect { accept }))
        }
        Action::Jog => jog(&json(body)?),
        Action::Disconnect => plain("disconnect", Operation::Disconnect),
        Action::Home => plain("home", Operation::Home),
        Action::Unlock => plain("unlock", Operation::Unlock),
    }
}

fn jog(wanted: &Move) -> Result<(&'static str, Operation), Problem> {
    let Move { x, y, z, feed, stop } = *wanted;
    let still = [x, y, z].iter().all(|distance| *distance == 0.0);
    if stop {
        let alone = still && feed.is_none();
        let fault = || Problem::field("stop", "the end of a move has no distance and no feed");
        return alone.then_some(("jog.stop", Operation::StopJog)).ok_or_else(fault);
    }
    let feed = feed.unwrap_or(Jog::default().feed);
    for (name, distance) in [("x", x), ("y", y), ("z", z)] {
        if !(-Jog::FARTHEST..=Jog::FARTHEST).contains(&distance) {
            let detail = format!("at most {} mm at once, either way", Jog::FARTHEST);
            return Err(Problem::field(name, detail));
        }
    }
    if !(1.0..=Jog::FASTEST).contains(&feed) {
        return Err(Problem::field("feed", format!("1 to {} mm a minute", Jog::FASTEST)));
    }
    if still {
        return Err(Problem::field("x", "a move needs a distance along x, y or z, in mm"));
    }
    Ok(("jog", Operation::Jog(Jog { x, y, z, feed })))
}

/// A line of G-code or of a machine's own commands: control characters could do what nobody sees.
fn printable(line: &str) -> Result<String, Problem> {
    let line = line.trim_end_matches(['\r', '\n']);
    if line.is_empty() || line.len() > LONGEST_LINE {
        return Err(Problem::field("line", format!("1 to {LONGEST_LINE} characters are sent")));
    }
    if !line.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Err(Problem::field("line", "only printable ASCII characters are sent"));
    }
    Ok(line.to_owned())
}

async fn operate(
    app: &App,
    who: &Identity,
    device: &str,
    word: &str,
    operation: Operation,
) -> Result<Vec<String>, Problem> {
    let detail = match &operation {
        Operation::Send(line) => line.clone(),
        Operation::Jog(Jog { x, y, z, feed }) => format!("{x} {y} {z} mm, {feed} mm/min"),
        Operation::Connect { accept: true } => "whatever machine is there".to_owned(),
        _ => String::new(),
    };
    let answer =
        app.links().device_manager.ask(Operate { device: device.to_owned(), operation }).await;
    let answer = answer.map_err(Problem::from).and_then(|answer| answer.map_err(Problem::from));
    let outcome = if answer.is_ok() { Outcome::Ok } else { Outcome::Failed };
    let (action, resource) = (format!("device.{word}"), format!("device:{device}"));
    app.note(super::app::entry(&who.actor, &action, resource, outcome, &detail));
    answer
}

fn shown(
    app: &App,
    name: &str,
    add: impl FnOnce(&mut serde_json::Map<String, Value>),
) -> Result<web::Json<Value>, Problem> {
    let device = app.board.device(name).ok_or_else(|| unknown(name))?;
    let mut shown = serde_json::to_value(device)
        .map_err(|error| Problem::Internal(format!("the device cannot be shown: {error}")))?;
    if let Value::Object(fields) = &mut shown {
        add(fields);
    }
    Ok(web::Json(shown))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Press {
    #[serde(default)]
    clear: bool,
}

/// `POST /api/v1/devices/{name}/estop`: straight to the link thread; nothing is waited for, asked
/// or written before the press. `{"clear":true}` lets the machine be used again.
pub(super) async fn estop(
    app: web::Data<App>,
    name: web::Path<String>,
    body: web::Bytes,
    Who(who): Who,
) -> Result<web::Json<Value>, Problem> {
    // A press is understood whatever else the body says: nobody's typing error keeps a machine
    // moving.
    let clear = json::<Press>(&body).is_ok_and(|press| press.clear);
    let button = app.estops.get(&name).ok_or_else(|| unknown(&name))?;
    if clear {
        let device = app.board.device(&name).ok_or_else(|| unknown(&name))?.name;
        operate(&app, &who, &device, "estop.clear", Operation::ClearEstop).await?;
        // The link thread takes it back; what cannot be taken back in time is shown as it is.
        let mut state = button.state();
        let _ = tokio::time::timeout(CONFIRMATION, state.wait_for(Option::is_none)).await;
        let stop = button.state().borrow().clone();
        return shown(&app, &device, |shown| drop(shown.insert("estop".to_owned(), json!(stop))));
    }
    let mut state = button.state();
    state.mark_unchanged();
    button.press();
    app.audit(&who.actor, "device.estop", format!("device:{name}"), Outcome::Ok);
    let confirmed = |stop: &Option<Estop>| stop.as_ref().is_some_and(|stop| stop.confirmed);
    let waited = tokio::time::timeout(CONFIRMATION, state.wait_for(confirmed)).await;
    let stop = match waited {
        Ok(Ok(stop)) => stop.clone(),
        _ => None,
    };
    let stop = stop.or_else(|| button.state().borrow().clone());
    shown(&app, &name, |shown| {
        // The board hears of it a moment later; until then it shows the machine as it was before.
        let is_stale = !["alarm", "error", "disconnected"].iter().any(|it| shown["status"] == *it);
        if is_stale && stop.as_ref().is_some_and(|stop| stop.confirmed) {
            shown.insert("status".to_owned(), json!(DeviceStatus::Alarm));
            shown.insert("error_message".to_owned(), "emergency stop".into());
        }
        shown.insert("estop".to_owned(), json!(stop));
    })
}
