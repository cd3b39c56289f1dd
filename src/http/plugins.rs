//! Plug-ins: which there are, one more, one less.

use std::path::PathBuf;

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    app::{App, Control, entry},
    error::Problem,
    guard::Who,
    query::json,
    station::{ask, refused},
};
use crate::domain::{Actor, Outcome, did_you_mean, nearest_name, same_name};

/// `GET /api/v1/plugins`.
pub(super) async fn list(app: web::Data<App>) -> web::Json<Value> {
    web::Json(json!({"items": *app.plugins()}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Install {
    path: PathBuf,
}

/// `POST /api/v1/plugins` `{"path":"/dir"}`: copies the directory and takes the plug-in into use.
pub(super) async fn install(
    app: web::Data<App>,
    body: web::Bytes,
    Who(who): Who,
) -> Result<HttpResponse, Problem> {
    let Install { path } = json(&body)?;
    if !path.is_absolute() {
        return Err(Problem::field("path", "write the whole path of the plug-in's directory"));
    }
    let at = path.display().to_string();
    let done = ask(&app, |answer| Control::InstallPlugin { path, answer }).await?;
    let name =
        done.map_err(|reasons| not_done(&app, &who.actor, "plugin.install", &at, reasons))?;
    written(&app, &who.actor, "plugin.install", &name, Outcome::Ok, &at);
    let plugin = app.plugins().iter().find(|plugin| plugin.name == name).cloned();
    let shown = plugin.map_or_else(|| json!({"name": name}), |plugin| json!(plugin));
    Ok(HttpResponse::Created().json(shown))
}

/// `DELETE /api/v1/plugins/{name}`: takes the plug-in out of use and removes its directory.
pub(super) async fn remove(
    app: web::Data<App>,
    name: web::Path<String>,
    Who(who): Who,
) -> Result<HttpResponse, Problem> {
    let name = known(&app, &name)?;
    let done = ask(&app, |answer| Control::RemovePlugin { name: name.clone(), answer }).await?;
    done.map_err(|reasons| not_done(&app, &who.actor, "plugin.remove", &name, reasons))?;
    written(&app, &who.actor, "plugin.remove", &name, Outcome::Ok, "");
    Ok(HttpResponse::NoContent().finish())
}

/// `POST /api/v1/plugins/reload`: reads them again, and the configuration with them.
pub(super) async fn reload(
    app: web::Data<App>,
    Who(who): Who,
) -> Result<web::Json<Value>, Problem> {
    let done = ask(&app, |answer| Control::Reload { answer }).await?;
    let changed =
        done.map_err(|reasons| not_done(&app, &who.actor, "plugin.reload", "all", reasons))?;
    written(&app, &who.actor, "plugin.reload", "all", Outcome::Ok, "");
    Ok(web::Json(json!({"changed": changed, "items": *app.plugins()})))
}

/// The name of a plug-in as it writes it itself.
fn known(app: &App, name: &str) -> Result<String, Problem> {
    let plugins = app.plugins();
    let names = || plugins.iter().map(|plugin| plugin.name.as_str());
    names().find(|known| same_name(known, name)).map(ToOwned::to_owned).ok_or_else(|| {
        let nearest = nearest_name(name, names());
        let hint = did_you_mean(nearest.as_deref());
        Problem::NotFound(format!("no plug-in is called \"{name}\"{hint}"))
    })
}

fn not_done(app: &App, actor: &Actor, action: &str, name: &str, reasons: Vec<String>) -> Problem {
    written(app, actor, action, name, Outcome::Failed, &reasons.join("; "));
    refused(reasons)
}

fn written(app: &App, actor: &Actor, action: &str, name: &str, outcome: Outcome, detail: &str) {
    app.note(entry(actor, action, format!("plugin:{name}"), outcome, detail));
}
