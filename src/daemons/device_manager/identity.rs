//! Which machine a name stands for, from one run of the station to the next.
//!
//! A device file like `/dev/ttyUSB0` goes to whatever is plugged in first. The machine that was
//! first seen behind a name is the one that is meant, until a person says otherwise or the
//! configuration gives another port.

use serde::{Deserialize, Serialize};

use crate::store::{Store, StoreError, settings};

#[derive(PartialEq, Serialize, Deserialize)]
struct Known {
    port: String,
    identity: String,
}

/// By which by-id path the machine on this port was known before.
pub(super) fn known(store: &Store, name: &str, port: &str) -> Result<Option<String>, StoreError> {
    let text = store.read(|connection| settings::get(connection, &key(name)))?;
    let known = text.and_then(|text| serde_json::from_str::<Known>(&text).ok());
    Ok(known.filter(|known| known.port == port).map(|known| known.identity))
}

/// Keeps in mind which machine is meant. A database that cannot be written costs only that.
pub(super) fn note(store: &Store, name: &str, port: &str, identity: &str) {
    if known(store, name, port).is_ok_and(|known| known.as_deref() == Some(identity)) {
        return;
    }
    let known = Known { port: port.to_owned(), identity: identity.to_owned() };
    let Ok(text) = serde_json::to_string(&known) else { return };
    let key = key(name);
    drop(store.record(move |tx| settings::set(tx, &key, &text)));
}

fn key(name: &str) -> String {
    format!("device.identity.{}", name.to_ascii_lowercase())
}
