//! `POST /api/v1/daemons/{start|stop|restart}`: several daemons at once.

use std::sync::Arc;

use actix_web::{ResponseError, web};
use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    act::{NO_FORCE, Verb, order, shown, to_its_end},
    rolling::roll,
};
use crate::{
    domain::{Actor, Daemon, DaemonState, same_name},
    http::{
        app::App,
        error::{Detail, Problem},
        guard::Who,
        query::json,
    },
    supervision::Done,
};

/// The most names in one request; there are never so many daemons.
const MOST_NAMES: usize = 2000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    names: Option<Vec<String>>,
    category: Option<String>,
    #[serde(default)]
    all: bool,
    #[serde(default)]
    rolling: bool,
    #[serde(default)]
    force: bool,
}

/// Which daemons are meant.
#[derive(Debug, PartialEq)]
enum Selection {
    Names(Vec<String>),
    Category(String),
    /// All that are to run, or do.
    All,
}

/// `POST /api/v1/daemons/{start|stop|restart}` `{"names":[..]}`, `{"category":".."}` or
/// `{"all":true}`: each is tried, whatever becomes of the others.
pub(in crate::http) async fn bulk(
    app: web::Data<App>,
    verb: web::Path<Verb>,
    body: web::Bytes,
    Who(who): Who,
) -> Result<web::Json<Value>, Problem> {
    let verb = verb.into_inner();
    let body: Body = json(&body)?;
    let (rolling, force) = (body.rolling, body.force);
    let names = body.selection(verb)?.names(&app.board.daemons())?;
    let done = to_its_end(async move {
        if rolling {
            return roll(&app, &who.actor, names, force).await;
        }
        let items = all(&app, &who.actor, verb, names, force).await;
        Ok(json!({"items": items, "stopped_at": null}))
    });
    Ok(web::Json(done.await??))
}

impl Body {
    fn selection(self, verb: Verb) -> Result<Selection, Problem> {
        let mut wrong = Vec::new();
        if self.rolling && verb != Verb::Restart {
            wrong.push(Detail::field("rolling", "only a restart can be rolling"));
        }
        if self.force && verb == Verb::Start {
            wrong.push(Detail::field("force", NO_FORCE));
        }
        if self.names.as_ref().is_some_and(|names| names.len() > MOST_NAMES) {
            let detail = format!("at most {MOST_NAMES} can be named at a time");
            wrong.push(Detail::field("names", detail));
        }
        let selection = match (self.names, self.category, self.all) {
            (Some(names), None, false) if !names.is_empty() => Some(Selection::Names(names)),
            (None, Some(category), false) => Some(Selection::Category(category)),
            (None, None, true) => Some(Selection::All),
            // A rolling restart harms nobody, so it need not be said that all are meant.
            (None, None, false) if self.rolling => Some(Selection::All),
            _ => None,
        };
        if selection.is_none() {
            let detail = "say which daemons: \"names\" (at least one), \"category\" or \"all\": \
                          true, and only one of these";
            wrong.push(Detail { pointer: String::new(), detail: detail.to_owned() });
        }
        selection.filter(|_| wrong.is_empty()).ok_or(Problem::Invalid(wrong))
    }
}

impl Selection {
    /// The names that are meant, each once.
    fn names(self, daemons: &[Arc<Daemon>]) -> Result<Vec<String>, Problem> {
        let listed =
            |daemons: Vec<&Arc<Daemon>>| daemons.iter().map(|it| it.name.clone()).collect();
        match self {
            Self::Names(wanted) => {
                let mut names: Vec<String> = Vec::new();
                for name in wanted {
                    if !names.iter().any(|known| same_name(known, &name)) {
                        names.push(name);
                    }
                }
                Ok(names)
            }
            Self::Category(category) => {
                let of = |it: &&Arc<Daemon>| it.category.eq_ignore_ascii_case(&category);
                let found: Vec<_> = daemons.iter().filter(of).collect();
                if found.is_empty() {
                    return Err(no_category(&category, daemons));
                }
                Ok(listed(found))
            }
            Self::All => {
                let meant = |it: &&Arc<Daemon>| it.enabled || it.state != DaemonState::Stopped;
                Ok(listed(daemons.iter().filter(meant).collect()))
            }
        }
    }
}

fn no_category(category: &str, daemons: &[Arc<Daemon>]) -> Problem {
    let mut known: Vec<&str> = daemons.iter().map(|it| it.category.as_str()).collect();
    known.sort_unstable();
    known.dedup();
    let known = known.join(", ");
    Problem::NotFound(format!("no daemon is of the category \"{category}\": there is {known}"))
}

/// Orders all of them about at the same time; only what is stopped goes before what it needs.
async fn all(app: &App, actor: &Actor, verb: Verb, names: Vec<String>, force: bool) -> Vec<Value> {
    let waves = match verb {
        Verb::Stop => waves(&names, &app.board.daemons()),
        Verb::Start | Verb::Restart => vec![(0..names.len()).collect()],
    };
    let mut items = vec![Value::Null; names.len()];
    for wave in waves {
        let orders = wave.iter().map(|&index| order(app, actor, verb, names[index].clone(), force));
        for (index, answer) in wave.iter().zip(join_all(orders).await) {
            items[*index] = item(app, &names[*index], answer);
        }
    }
    items
}

/// What became of one daemon.
pub(super) fn item(app: &App, name: &str, answer: Result<Done, Problem>) -> Value {
    let answer = answer.and_then(|Done { daemon, did }| {
        let name = daemon.name.clone();
        Ok((name, did, shown(app, daemon)?))
    });
    match answer {
        Ok((name, did, daemon)) => json!({"name": name, "ok": true, "status": 200, "did": did,
                                          "error": null, "daemon": daemon}),
        Err(problem) => {
            let daemon = app.board.daemon(name);
            let name = daemon.as_ref().map_or(name, |daemon| &daemon.name);
            json!({"name": name, "ok": false, "status": problem.status_code().as_u16(), "did": "",
                   "error": problem.to_string(), "daemon": daemon.as_deref()})
        }
    }
}

/// The places in `names`, in groups that can be stopped at once: whoever needs another is in an
/// earlier group.
fn waves(names: &[String], daemons: &[Arc<Daemon>]) -> Vec<Vec<usize>> {
    let needs: Vec<Vec<usize>> = names
        .iter()
        .map(|name| {
            let daemon = daemons.iter().find(|daemon| same_name(&daemon.name, name));
            let on = daemon.map(|daemon| daemon.depends_on.as_slice()).unwrap_or_default();
            let place = |on: &String| names.iter().position(|name| same_name(name, on));
            on.iter().filter_map(place).collect()
        })
        .collect();
    let mut left: Vec<usize> = (0..names.len()).collect();
    let mut waves = Vec::new();
    while !left.is_empty() {
        let needed: Vec<usize> = left.iter().flat_map(|&index| needs[index].clone()).collect();
        let (held, mut wave): (Vec<usize>, Vec<usize>) =
            left.iter().partition(|index| needed.contains(index));
        left = held;
        if wave.is_empty() {
            wave = std::mem::take(&mut left); // a circle, which the supervisor does not let in
        }
        waves.push(wave);
    }
    waves
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> Result<Selection, Problem> {
        json::<Body>(&web::Bytes::copy_from_slice(text.as_bytes()))?.selection(Verb::Restart)
    }

    #[test]
    fn it_is_said_in_one_way_which_daemons_are_meant() {
        assert_eq!(body(r#"{"all":true}"#).unwrap(), Selection::All);
        assert_eq!(body(r#"{"rolling":true}"#).unwrap(), Selection::All);
        let category = body(r#"{"category":"media","rolling":true}"#).unwrap();
        assert_eq!(category, Selection::Category("media".to_owned()));
        for wrong in [
            "",
            "{}",
            r#"{"all":false}"#,
            r#"{"names":[]}"#,
            r#"{"names":["a"],"all":true}"#,
            r#"{"names":["a"],"category":"media"}"#,
            r#"{"names":"a"}"#,
            &json!({"names": vec!["a"; MOST_NAMES + 1]}).to_string(),
            r#"{"all":true,"when":"now"}"#,
        ] {
            let refused = body(wrong).unwrap_err();
            assert!(matches!(refused, Problem::Invalid(_)), "{wrong}: {refused}");
        }
    }
}
