//! A hook as it is configured.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::{Deserialize, Deserializer, de::Error as _};

use crate::domain::{Hook, HookAction, HookEvent, HookOrder, OnFail, Secret, Webhook, When};

/// One thing to do at one event.
#[derive(Clone, Debug, PartialEq)]
pub struct HookConfig {
    /// What it waits for.
    pub event: HookEvent,
    /// Its number among those of the same event.
    pub index: usize,
    /// The plugin it comes from; none for one of the station's own.
    pub plugin: Option<String>,
    /// Where its programs work; the workspace if none.
    pub directory: Option<PathBuf>,
    /// What it does; none if it does not say one thing, which is an error.
    pub action: Option<HookAction>,
    /// How long it may take; by its kind if it does not say.
    pub timeout: Option<Duration>,
    /// What follows if it fails.
    pub on_fail: OnFail,
    /// What it is particular about.
    pub when: When,
}

impl HookConfig {
    /// Where it stands, as `hooks.COMPLETED[0]`.
    pub(super) fn key(&self) -> String {
        format!("hooks.{}[{}]", self.event, self.index)
    }

    /// True if something of it must not be shown.
    pub fn has_secret(&self) -> bool {
        match &self.action {
            Some(HookAction::Webhook(webhook)) => {
                webhook.secret.is_some() || !webhook.headers.is_empty()
            }
            _ => false,
        }
    }

    /// The hook, if it does anything.
    pub fn hook(&self) -> Option<Hook> {
        let plugin = self.plugin.as_ref().map(|name| format!("{name}/")).unwrap_or_default();
        let action = self.action.clone()?;
        Some(Hook {
            name: format!("{plugin}{}[{}]", self.event, self.index),
            event: self.event,
            when: self.when.clone(),
            timeout: self.timeout.unwrap_or_else(|| usual(&action)),
            action,
            on_fail: self.on_fail,
            directory: self.directory.clone(),
        })
    }
}

/// How long a hook may take that does not say.
fn usual(action: &HookAction) -> Duration {
    Duration::from_secs(match action {
        HookAction::Command(_) => 30,
        HookAction::Script(_) | HookAction::Daemon { .. } => 60,
        HookAction::Webhook(_) | HookAction::Websocket => 10,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    command: Option<Vec<String>>,
    script: Option<PathBuf>,
    webhook: Option<WebhookKeys>,
    websocket: Option<bool>,
    daemon: Option<String>,
    #[serde(rename = "do")]
    order: Option<HookOrder>,
    timeout: Option<Duration>,
    on_fail: OnFail,
    when: When,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookKeys {
    url: String,
    secret: Option<Secret>,
    timeout: Option<Duration>,
    retries: u32,
    ca_file: Option<PathBuf>,
    headers: BTreeMap<String, Secret>,
}

/// The hooks of a table by event, in the order of events. That each says one thing is checked
/// elsewhere.
pub(super) fn in_order<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<HookConfig>, D::Error> {
    let table = BTreeMap::<String, Vec<Option<Keys>>>::deserialize(deserializer)?;
    let mut hooks = Vec::new();
    for (event, keys) in table {
        let event: HookEvent = event.parse().map_err(D::Error::custom)?;
        let good = keys.into_iter().enumerate().filter_map(|(index, keys)| Some((index, keys?)));
        hooks.extend(good.map(|(index, keys)| read(event, index, keys)));
    }
    hooks.sort_by_key(|hook| (hook.event, hook.index));
    Ok(hooks)
}

fn read(event: HookEvent, index: usize, keys: Keys) -> HookConfig {
    let Keys { command, script, webhook, websocket, daemon, order, timeout, on_fail, when } = keys;
    let timeout = timeout.or(webhook.as_ref().and_then(|webhook| webhook.timeout));
    let post = |WebhookKeys { url, secret, retries, ca_file, headers, .. }| {
        HookAction::Webhook(Webhook { url, secret, retries, ca_file, headers })
    };
    let order = |name| order.map(|order| HookAction::Daemon { name, order });
    let action = command
        .map(HookAction::Command)
        .or(script.map(HookAction::Script))
        .or(webhook.map(post))
        .or((websocket == Some(true)).then_some(HookAction::Websocket))
        .or(daemon.and_then(order));
    HookConfig { event, index, plugin: None, directory: None, action, timeout, on_fail, when }
}
