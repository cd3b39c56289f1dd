//! `run --template`: the commands that plug-ins offer.

use serde_json::Value;

use super::{
    client::Client,
    failure::Failure,
    print::{field, items},
};

/// Where what the user adds goes.
const ARGS: &str = "{args}";

/// The command called `template`, as `PLUGIN/NAME` or, where only one plug-in in use has it,
/// `NAME`; with `arguments` in it.
pub(super) async fn expand(
    client: &Client,
    template: &str,
    arguments: &[String],
) -> Result<Vec<String>, Failure> {
    let plugins = client.get("/api/v1/plugins").await?;
    filled(template, &find(&plugins, template)?, arguments)
}

fn find(plugins: &Value, template: &str) -> Result<Vec<String>, Failure> {
    let in_use = items(plugins).iter().filter(|plugin| field(plugin, "status") == "loaded");
    let commands = in_use.flat_map(|plugin| {
        let commands = plugin["commands"].as_array().into_iter().flatten();
        commands.map(move |command| {
            (format!("{}/{}", field(plugin, "name"), field(command, "name")), command)
        })
    });
    let all: Vec<(String, &Value)> = commands.collect();
    let is_meant = |name: &str| {
        name == template || name.split_once('/').is_some_and(|(_, name)| name == template)
    };
    let found: Vec<_> = all.iter().filter(|(name, _)| is_meant(name)).collect();
    let names = |some: &[&(String, &Value)]| {
        some.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
    };
    match found.as_slice() {
        [(_, command)] => Ok(command["command"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|argument| argument.as_str().map(str::to_owned))
            .collect()),
        [] => {
            let known = names(&all.iter().collect::<Vec<_>>());
            let known = if known.is_empty() { "none".to_owned() } else { known };
            let wrong = format!("no plug-in offers a command \"{template}\": there is {known}");
            Err(Failure::NotFound(wrong))
        }
        several => {
            let several = names(several);
            Err(Failure::Usage(format!("\"{template}\" may be {several}: write which")))
        }
    }
}

fn filled(
    template: &str,
    command: &[String],
    arguments: &[String],
) -> Result<Vec<String>, Failure> {
    if !arguments.is_empty() && !command.iter().any(|argument| argument == ARGS) {
        return Err(Failure::Usage(format!("\"{template}\" takes no arguments")));
    }
    let fill = |argument: &String| {
        if argument == ARGS { arguments.to_vec() } else { vec![argument.clone()] }
    };
    Ok(command.iter().flat_map(fill).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plugins() -> Value {
        let command = |name: &str| json!({"name": name, "command": ["/p/snap", "-o", "{args}"]});
        json!({"items": [
            {"name": "studio", "status": "loaded", "commands": [command("snap"), command("clean")]},
            {"name": "shop", "status": "loaded", "commands": [command("clean")]},
            {"name": "old", "status": "broken", "commands": [command("lost")]},
        ]})
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_template_is_found_by_its_name_where_that_is_clear() {
        let wrong = |name| find(&plugins(), name).unwrap_err().to_string();
        for name in ["snap", "studio/snap", "shop/clean"] {
            assert_eq!(find(&plugins(), name).unwrap().len(), 3, "{name}");
        }
        assert_eq!(wrong("clean"), "\"clean\" may be studio/clean, shop/clean: write which");
        assert!(wrong("lost").contains("there is studio/snap, studio/clean, shop/clean"));
        assert!(find(&json!({"items": []}), "x").unwrap_err().to_string().ends_with("none"));
    }

    #[test]
    fn what_the_user_adds_goes_to_its_place() {
        let command = words(&["p", "{args}", "end {args}"]);
        let all = filled("x", &command, &words(&["a", "b c"])).unwrap();
        assert_eq!(all, ["p", "a", "b c", "end {args}"]);
        assert_eq!(filled("x", &command, &[]).unwrap(), ["p", "end {args}"]);
        assert!(filled("x", &words(&["p"]), &words(&["a"])).is_err());
    }
}
