//! What single words mean where they stand.

use serde_yaml::Value;

use super::{document, form::Form, problem::Place};
use crate::domain::HookEvent;

/// The event of a name.
pub(super) fn event(name: &str) -> Result<String, String> {
    let known = name.parse::<HookEvent>().map(|event| event.to_string());
    known.map_err(|wrong| wrong.to_string())
}

/// A relative path in a file lies beside that file.
pub(super) fn beside(place: &Place, text: &str) -> Value {
    let directory = match place {
        Place::Line { file, .. } => file.parent(),
        _ => None,
    };
    match directory {
        Some(directory) if !text.starts_with(['/', '~']) && !text.starts_with("WORKSPACE/") => {
            directory.join(text).to_string_lossy().into_owned().into()
        }
        _ => text.into(),
    }
}

/// What a text means where everything is a text.
pub(super) fn words(form: Form, text: &str) -> Value {
    match (form, text) {
        (Form::Flag, "1" | "yes" | "on") => Value::Bool(true),
        (Form::Flag, "0" | "no" | "off") => Value::Bool(false),
        (form, text) if form.is_text() => Value::from(text),
        (_, text) => document::plain(text),
    }
}
