//! `daemon list`.

use serde_json::Value;

use super::ListArgs;
use crate::{
    cli::{
        client::Client,
        failure::Failure,
        print::{Out, field, items, megabytes, print_json, print_line, seconds},
    },
    domain::same_name,
};

/// The daemons, a line each.
pub(in crate::cli) async fn list(
    client: &Client,
    out: Out,
    args: &ListArgs,
) -> Result<(), Failure> {
    let word = |word: &Option<String>| word.clone().unwrap_or_default();
    let parameters = [("category", word(&args.category)), ("state", word(&args.state))];
    let mut daemons = client.query("/api/v1/daemons", &parameters).await?;
    if out.is_json() {
        return print_json(&daemons);
    }
    if args.wide {
        in_the_station(client, &mut daemons).await?;
        return items(&daemons).iter().map(wide_line).try_for_each(print_line);
    }
    print_line("Daemon Status:")?;
    if args.tree {
        return tree(items(&daemons)).into_iter().try_for_each(print_line);
    }
    items(&daemons).iter().map(short_line).try_for_each(print_line)
}

/// Gives the built-in daemons the process they run in.
async fn in_the_station(client: &Client, daemons: &mut Value) -> Result<(), Failure> {
    let station = client.get("/api/v1/status").await?;
    for daemon in daemons["items"].as_array_mut().into_iter().flatten() {
        if daemon["kind"] == "builtin" {
            daemon["pid"] = station["pid"].clone();
        }
    }
    Ok(())
}

fn short_line(daemon: &Value) -> String {
    let (name, state) = (field(daemon, "name"), field(daemon, "state"));
    match note(daemon) {
        note if note.is_empty() => format!("  {name}: {state}"),
        note => format!("  {name}: {state} ({note})"),
    }
}

/// How a running daemon is, or why another one does not run.
fn note(daemon: &Value) -> String {
    let health = &daemon["health"];
    let message = field(health, "message");
    match daemon["state"].as_str() {
        Some("RUNNING") => match field(health, "status") {
            status if status == "healthy" || message.is_empty() => status,
            status => format!("{status} - {message}"),
        },
        Some("BACKOFF" | "FAILED") => field(daemon, "last_error"),
        Some("STARTING") => message,
        _ => String::new(),
    }
}

fn wide_line(daemon: &Value) -> String {
    let (name, state) = (field(daemon, "name"), field(daemon, "state"));
    if state != "RUNNING" {
        let reason = match note(daemon) {
            note if note.is_empty() => state,
            note => format!("{state}: {note}"),
        };
        return format!("[DEAD] {name} - {reason}");
    }
    let or_dash = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    let memory = megabytes(&daemon["memory_bytes"], 1);
    let cpu = daemon["cpu_usage"].as_f64();
    format!(
        "[OK] {name} - PID: {}, Uptime: {}, Mem: {}, CPU: {}",
        or_dash(field(daemon, "pid")),
        or_dash(seconds(&daemon["uptime_seconds"], 4)),
        memory.map_or("-".to_owned(), |memory| memory + "MB"),
        cpu.map_or("-".to_owned(), |share| format!("{:.1}%", share * 100.0)),
    )
}

/// Each daemon once, below the one of those it depends on that lies deepest.
fn tree(daemons: &[Value]) -> Vec<String> {
    let place = |name: &Value| {
        let name = name.as_str().unwrap_or_default();
        daemons.iter().position(|daemon| same_name(&field(daemon, "name"), name))
    };
    let needs: Vec<Vec<usize>> = daemons
        .iter()
        .map(|daemon| daemon["depends_on"].as_array().into_iter().flatten().filter_map(place))
        .map(Iterator::collect)
        .collect();
    let mut depths: Vec<Option<usize>> = vec![None; daemons.len()];
    // Each round settles those whose dependencies are settled; there are no circles.
    for _ in 0..daemons.len() {
        for (index, needs) in needs.iter().enumerate() {
            let below = |on: &usize| depths[*on].map(|depth| depth + 1);
            if let Some(all) = needs.iter().map(below).collect::<Option<Vec<_>>>() {
                depths[index] = Some(all.into_iter().max().unwrap_or(0));
            }
        }
    }
    let above = |index: usize| needs[index].iter().copied().max_by_key(|&on| depths[on]);
    let parents: Vec<Option<usize>> = (0..daemons.len()).map(above).collect();
    let mut lines = Vec::new();
    let roots = (0..daemons.len()).rev().filter(|&index| parents[index].is_none());
    let mut todo: Vec<(usize, usize)> = roots.map(|index| (index, 0)).collect();
    while let Some((index, depth)) = todo.pop() {
        let others = needs[index].iter().filter(|on| Some(**on) != parents[index]);
        let others: Vec<_> = others.map(|&on| field(&daemons[on], "name")).collect();
        let mut line = format!("{:1$}{2}", "", depth * 2, short_line(&daemons[index]));
        if !others.is_empty() {
            line = format!("{line}, needs {} too", others.join(", "));
        }
        lines.push(line);
        let children = (0..daemons.len()).rev().filter(|&child| parents[child] == Some(index));
        todo.extend(children.map(|child| (child, depth + 1)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn daemon(name: &str, state: &str, status: &str, message: &str) -> Value {
        json!({"name": name, "state": state, "health": {"status": status, "message": message},
               "last_error": "panicked: out of paper", "pid": 12345, "uptime_seconds": 5400.0,
               "memory_bytes": 12_345_678, "cpu_usage": 0.005})
    }

    fn all() -> [Value; 5] {
        [
            daemon("EVENT_ROUTER", "RUNNING", "healthy", "ok"),
            daemon("AUTO_SYNC", "RUNNING", "degraded", "2 sync errors"),
            daemon("EVALUATION", "STOPPED", "unknown", "not running"),
            daemon("camera", "FAILED", "unknown", ""),
            daemon("sync", "STARTING", "unknown", "waits for job-queue"),
        ]
    }

    #[test]
    fn a_line_tells_state_and_health() {
        insta::assert_snapshot!(all().map(|daemon| short_line(&daemon)).join("\n"), @r"
          EVENT_ROUTER: RUNNING (healthy)
          AUTO_SYNC: RUNNING (degraded - 2 sync errors)
          EVALUATION: STOPPED
          camera: FAILED (panicked: out of paper)
          sync: STARTING (waits for job-queue)
        ");
    }

    #[test]
    fn a_wide_line_tells_the_process_or_why_there_is_none() {
        insta::assert_snapshot!(all().map(|daemon| wide_line(&daemon)).join("\n"), @r"
        [OK] EVENT_ROUTER - PID: 12345, Uptime: 1h 30m, Mem: 12.3MB, CPU: 0.5%
        [OK] AUTO_SYNC - PID: 12345, Uptime: 1h 30m, Mem: 12.3MB, CPU: 0.5%
        [DEAD] EVALUATION - STOPPED
        [DEAD] camera - FAILED: panicked: out of paper
        [DEAD] sync - STARTING: waits for job-queue
        ");
    }

    #[test]
    fn in_the_tree_each_stands_once_below_what_it_depends_on() {
        let daemon =
            |name: &str, on: &[&str]| json!({"name": name, "state": "STOPPED", "depends_on": on});
        let daemons = [
            daemon("queue", &["manager", "store"]),
            daemon("manager", &["STORE"]),
            daemon("store", &[]),
            daemon("web", &["queue"]),
            daemon("sync", &["elsewhere"]),
        ];
        insta::assert_snapshot!(tree(&daemons).join("\n"), @r"
          store: STOPPED
            manager: STOPPED
              queue: STOPPED, needs store too
                web: STOPPED
          sync: STOPPED
        ");
    }
}
