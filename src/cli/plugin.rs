//! `plugin …`: what extends the station.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};

use super::{
    client::{Client, encoded},
    failure::Failure,
    print::{Out, field, items, plain, print_json, print_line},
};

/// `plugin …`
#[derive(Subcommand, Clone, Debug, PartialEq, Eq)]
pub(super) enum PluginCommand {
    /// List the plug-ins and what they bring
    List,
    /// Copy a directory with a plugin.yaml into the workspace and take it into use
    Install {
        /// The directory
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
    /// Stop what a plug-in brings and remove its directory from the workspace
    Uninstall {
        /// Which plug-in
        name: String,
    },
    /// Read all plug-ins again
    Reload,
}

/// `plugin …`
pub(super) async fn run(client: &Client, out: Out, command: &PluginCommand) -> Result<(), Failure> {
    match command {
        PluginCommand::List => list(client, out).await,
        PluginCommand::Install { directory } => install(client, out, directory).await,
        PluginCommand::Uninstall { name } => {
            client.delete(&format!("/api/v1/plugins/{}", encoded(name))).await?;
            if out.is_json() { Ok(()) } else { print_line(format_args!("{name}: uninstalled")) }
        }
        PluginCommand::Reload => {
            let answer = client.post("/api/v1/plugins/reload", &json!({})).await?;
            if out.is_json() {
                return print_json(&answer);
            }
            let changed = answer["changed"].as_array().map(Vec::as_slice).unwrap_or_default();
            changed.iter().try_for_each(|change| print_line(plain(change)))?;
            table(out, &answer)
        }
    }
}

async fn list(client: &Client, out: Out) -> Result<(), Failure> {
    let plugins = client.get("/api/v1/plugins").await?;
    if out.is_json() { print_json(&plugins) } else { table(out, &plugins) }
}

fn table(out: Out, plugins: &Value) -> Result<(), Failure> {
    let rows: Vec<Vec<String>> = items(plugins).iter().map(row).collect();
    out.table(&["NAME", "VERSION", "STATUS", "DAEMONS", "HOOKS", "DESCRIPTION"], &rows)
}

/// A broken plug-in says why in place of what it is for.
fn row(plugin: &Value) -> Vec<String> {
    let daemons = plugin["daemons"].as_array().into_iter().flatten().map(plain);
    let about = match field(plugin, "error") {
        error if error.is_empty() => field(plugin, "description"),
        error => error,
    };
    vec![
        field(plugin, "name"),
        field(plugin, "version"),
        field(plugin, "status"),
        daemons.collect::<Vec<_>>().join(","),
        field(plugin, "hooks"),
        about,
    ]
}

async fn install(client: &Client, out: Out, directory: &Path) -> Result<(), Failure> {
    let path = std::path::absolute(directory)?;
    let plugin = client.post("/api/v1/plugins", &json!({"path": path})).await?;
    if out.is_json() {
        return print_json(&plugin);
    }
    let version = match field(&plugin, "version") {
        version if version.is_empty() => version,
        version => format!(" ({version})"),
    };
    print_line(format_args!("{}: installed{version}", field(&plugin, "name")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_plug_in_says_why() {
        let plugin = json!({"name": "studio", "version": "1.2.0", "description": "camera and web",
            "status": "broken", "error": "plugin.yaml:3:1: error: daemon: unknown key",
            "daemons": ["camera", "web"], "hooks": 2, "commands": []});
        assert_eq!(
            row(&plugin).join(" | "),
            "studio | 1.2.0 | broken | camera,web | 2 | plugin.yaml:3:1: error: daemon: unknown key"
        );
    }
}
