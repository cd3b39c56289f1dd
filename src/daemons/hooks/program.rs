//! Hooks that run programs.

use std::path::Path;

use serde_json::{Map, Value};

use super::{
    actor::Shared,
    perform::{Tried, Verdict},
    values::{fill, variables},
};
use crate::{
    daemons::process::{Errand, Ran},
    domain::Hook,
    store::hooks::{Due, Ended},
};

/// Bytes of output that are kept.
const OUTPUT: usize = 64 << 10;

/// Runs a program with what is known of the event in its arguments.
pub(super) async fn command(
    shared: &Shared,
    hook: &Hook,
    due: &Due,
    facts: &Map<String, Value>,
    command: &[String],
) -> Tried {
    // Which program it is never depends on the event.
    let mut words = command.iter();
    let program = words.next().cloned();
    let filled = program.into_iter().chain(words.map(|argument| fill(argument, facts))).collect();
    run(shared, hook, due, facts, filled).await
}

/// Runs a file.
pub(super) async fn script(
    shared: &Shared,
    hook: &Hook,
    due: &Due,
    facts: &Map<String, Value>,
    path: &Path,
) -> Tried {
    run(shared, hook, due, facts, vec![path.to_string_lossy().into_owned()]).await
}

async fn run(
    shared: &Shared,
    hook: &Hook,
    due: &Due,
    facts: &Map<String, Value>,
    command: Vec<String>,
) -> Tried {
    let errand = Errand {
        name: format!("hook-{}", due.id),
        command,
        directory: hook.directory.clone(),
        environment: variables(facts),
        input: due.payload.clone().into_bytes(),
        timeout: hook.timeout,
        output_limit: OUTPUT,
    };
    match shared.options.host.run_once(errand).await {
        Err(error) => Tried::failed(error.to_string()),
        Ok(Ran { code, trouble, output, lost }) => Tried {
            verdict: if trouble.is_none() { Verdict::Done } else { Verdict::Failed },
            ended: Ended {
                code: code.map(i64::from),
                error: trouble,
                output: (!output.is_empty()).then(|| String::from_utf8_lossy(&output).into_owned()),
                output_lost: lost,
            },
        },
    }
}
