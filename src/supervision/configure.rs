//! Other daemons than before: what has changed is started, stopped or restarted, nothing else.

use std::{mem, time::Instant};

use actix::Handler;

use super::{
    child::Child,
    orders::Configure,
    problems::Problems,
    slot::{Order, Step, Then},
    spec::{Rules, Spec},
    supervisor::Supervisor,
    throttle::Throttle,
};
use crate::domain::{Plan, same_name};

impl Handler<Configure> for Supervisor {
    type Result = Result<Vec<String>, Problems>;

    fn handle(&mut self, configure: Configure, ctx: &mut Self::Context) -> Self::Result {
        let Configure { daemons, rules } = configure;
        let nodes: Vec<_> = daemons.iter().map(|(spec, _)| spec.node()).collect();
        Plan::new(&nodes)?; // all of it or nothing
        if rules.restarts_per_minute != self.rules.restarts_per_minute {
            self.throttle = Throttle::new(rules.restarts_per_minute, Instant::now());
        }
        let restarts_before = mem::take(&mut self.rules.restarts_before);
        self.rules = Rules { restarts_before, ..rules };
        let mut changes = self.let_go_of_others(&daemons);
        for (spec, child) in daemons {
            let index = self.slots.iter().position(|slot| same_name(&slot.spec.name, &spec.name));
            changes.extend(match (index, child) {
                (Some(index), child) => self.alter(index, spec, child),
                (None, Some(child)) => Some(self.take_in(spec, child)),
                (None, None) => None, // nobody knows how to build it
            });
        }
        self.replan()?;
        (0..self.slots.len()).for_each(|index| self.show(index));
        self.settle(ctx);
        Ok(changes)
    }
}

impl Supervisor {
    /// Stops what is no longer configured, for good.
    fn let_go_of_others(&mut self, daemons: &[(Spec, Option<Child>)]) -> Vec<String> {
        let mut changes = Vec::new();
        for slot in &mut self.slots {
            let stays = daemons.iter().any(|(spec, _)| same_name(&spec.name, &slot.spec.name));
            if !stays && !slot.leaving {
                (slot.leaving, slot.wanted, slot.next) = (true, false, None);
                let step = Step::Stop { force: false, then: Then::Rest };
                slot.orders.push_back(Order::silent(step));
                changes.push(format!("{}: stopped, it is no longer configured", slot.spec.name));
            }
        }
        changes
    }

    fn take_in(&mut self, spec: Spec, child: Child) -> String {
        let (name, enabled) = (spec.name.clone(), spec.enabled);
        let index = self.add(spec, child);
        self.slots[index].wanted = enabled;
        if enabled {
            self.slots[index].orders.push_back(Order::silent(Step::Start));
        }
        format!("{name}: new{}", if enabled { ", started" } else { ", not enabled" })
    }

    /// Makes a daemon what it is to be now; a sentence if that is anything new.
    fn alter(&mut self, index: usize, spec: Spec, child: Option<Child>) -> Option<String> {
        let slot = &mut self.slots[index];
        let returns = mem::take(&mut slot.leaving);
        let now = slot.next.as_ref().map_or(&slot.spec, |(next, _)| next);
        if *now == spec && !returns {
            return None;
        }
        let (name, before, enabled) = (spec.name.clone(), now.enabled, spec.enabled);
        let same = now.substance == spec.substance;
        slot.wanted = if before == enabled && !returns { slot.wanted } else { enabled };
        match child {
            Some(child) if !same => slot.next = Some((spec, child)),
            _ => {
                slot.life.set_policy(spec.policy);
                match &mut slot.next {
                    Some((next, _)) => *next = spec,
                    None => slot.spec = spec,
                }
            }
        }
        let wanted = slot.wanted;
        let alive = slot.life.is_alive();
        let step = match (wanted, same && !returns) {
            (true, true) if before == enabled => None,
            (true, true) => Some(Step::Start),
            (true, false) => Some(Step::Stop { force: false, then: Then::Start }),
            (false, _) => Some(Step::Stop { force: false, then: Then::Rest }),
        };
        if let Some(step) = step {
            slot.orders.push_back(Order::silent(step));
        }
        Some(match (step, alive) {
            (Some(Step::Stop { then: Then::Start, .. }), true) => {
                format!("{name}: restarted, its configuration has changed")
            }
            (Some(Step::Stop { then: Then::Rest, .. }), true) => format!("{name}: stopped"),
            (Some(Step::Start | Step::Stop { then: Then::Start, .. }), _) => {
                format!("{name}: started")
            }
            _ => format!("{name}: changed, and goes on"),
        })
    }
}
