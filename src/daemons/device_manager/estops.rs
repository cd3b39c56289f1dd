//! The emergency stops of all machines, for whoever must press one at once.

use std::{
    collections::BTreeMap,
    sync::{PoisonError, RwLock},
};

use crate::{domain::same_name, link::Estop};

/// Finds a machine's emergency stop without asking any daemon.
#[derive(Default)]
pub struct Estops(RwLock<BTreeMap<String, Estop>>);

impl Estops {
    /// Puts a machine's stop where it is found; only the device manager does so.
    pub(super) fn put(&self, device: &str, estop: Estop) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(device.to_owned(), estop);
    }

    /// The stop of the machine of that name.
    pub fn get(&self, device: &str) -> Option<Estop> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.iter().find(|(name, _)| same_name(name, device)).map(|(_, estop)| estop.clone())
    }

    /// Every stop, with the name of its machine.
    pub fn all(&self) -> Vec<(String, Estop)> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|(name, estop)| (name.clone(), estop.clone())).collect()
    }
}
