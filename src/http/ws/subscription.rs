//! What a client wants to hear.

use crate::domain::{Channel, Frame, same_name};

/// A set of channels and single things.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Subscription {
    /// One bit a channel.
    channels: u8,
    /// `job:ID`, `device:NAME`, `daemon:NAME`.
    things: Vec<String>,
}

/// The most single things a client may follow.
const MAX_THINGS: usize = 64;
const LONGEST_NAME: usize = 128;

fn bit(channel: Channel) -> u8 {
    match channel {
        Channel::Jobs => 1,
        Channel::Devices => 2,
        Channel::Daemons => 4,
        Channel::System => 8,
        Channel::Logs => 16,
        Channel::Audit => 32,
    }
}

/// Every channel but `logs` and `audit`, which have to be asked for by name.
const ALL: u8 = 1 | 2 | 4 | 8;

fn group(name: &str) -> Option<u8> {
    match name {
        "all" => Some(ALL),
        "device" => Some(bit(Channel::Devices)),
        _ => name.parse().map(bit).ok(),
    }
}

impl Subscription {
    /// The set named; none means `all`.
    pub(super) fn parse(names: &[String]) -> Result<Self, String> {
        if names.is_empty() {
            return Ok(Self { channels: ALL, things: Vec::new() });
        }
        let mut set = Self::default();
        for name in names {
            let name = name.trim();
            if let Some(bits) = group(&name.to_ascii_lowercase()) {
                set.channels |= bits;
            } else if is_thing(name) {
                if set.things.len() >= MAX_THINGS {
                    return Err(format!("at most {MAX_THINGS} single things can be followed"));
                }
                set.things.push(name.to_owned());
            } else {
                return Err(format!(
                    "there is no channel \"{}\": use jobs, devices, daemons, system, logs, audit, \
                     all, job:ID, device:NAME or daemon:NAME",
                    name.chars().take(LONGEST_NAME).collect::<String>()
                ));
            }
        }
        Ok(set)
    }

    /// Takes a set away; an empty one takes everything.
    pub(super) fn remove(&mut self, names: &[String]) -> Result<(), String> {
        if names.is_empty() {
            *self = Self::default();
            return Ok(());
        }
        let less = Self::parse(names)?;
        self.channels &= !less.channels;
        self.things.retain(|thing| !less.things.contains(thing));
        Ok(())
    }

    /// True if nothing was asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.channels == 0 && self.things.is_empty()
    }

    /// True if a frame was asked for.
    pub(super) fn wants(&self, frame: &Frame) -> bool {
        self.wants_thing(frame.channel, &frame.resource)
    }

    /// True if news of this thing was asked for. What else happens to do with a single thing (an
    /// audit record, an alert) is news of another channel. What a program writes or a machine says goes
    /// to those alone who follow it.
    pub(super) fn wants_thing(&self, channel: Channel, resource: &str) -> bool {
        if channel == Channel::Logs && resource != "system" {
            return self.has_thing(resource);
        }
        let own = matches!(channel, Channel::Jobs | Channel::Devices | Channel::Daemons);
        self.wants_channel(channel) || own && self.has_thing(resource)
    }

    /// Names of daemons and devices match as people write them.
    fn has_thing(&self, resource: &str) -> bool {
        self.things.iter().any(|thing| same_name(thing, resource))
    }

    /// True if all of a channel was asked for.
    pub(super) fn wants_channel(&self, channel: Channel) -> bool {
        self.channels & bit(channel) != 0
    }

    /// The names of the set, for the acknowledgement.
    pub(super) fn names(&self) -> Vec<String> {
        let channels = Channel::ALL.into_iter().filter(|channel| self.wants_channel(*channel));
        channels.map(|channel| channel.as_str().to_owned()).chain(self.things.clone()).collect()
    }
}

fn is_thing(name: &str) -> bool {
    name.len() <= LONGEST_NAME
        && name
            .split_once(':')
            .is_some_and(|(kind, id)| matches!(kind, "job" | "device" | "daemon") && !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> Result<Subscription, String> {
        Subscription::parse(&names.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    fn frame(channel: Channel, resource: &str) -> Frame {
        Frame { seq: None, channel, resource: resource.to_owned(), text: "{}".into() }
    }

    #[test]
    fn nothing_named_means_all_but_logs_and_audit() {
        let all = set(&[]).unwrap();
        assert_eq!(all, set(&["all"]).unwrap());
        assert_eq!(all.names(), ["jobs", "devices", "daemons", "system"]);
        assert!(!all.wants(&frame(Channel::Logs, "system")));
    }

    #[test]
    fn the_alias_and_capitals_are_understood() {
        assert_eq!(set(&["device"]), set(&["devices"]));
        assert_eq!(set(&["JOBS"]), set(&["jobs"]));
    }

    #[test]
    fn a_single_thing_is_heard_alone() {
        let one = set(&["device:plotter"]).unwrap();
        assert!(one.wants(&frame(Channel::Devices, "device:plotter")));
        assert!(!one.wants(&frame(Channel::Devices, "device:plotter2")));
        assert!(!one.wants(&frame(Channel::Jobs, "job:1")));
        assert!(!one.wants(&frame(Channel::Audit, "device:plotter")));
    }

    #[test]
    fn unknown_names_are_refused() {
        for name in ["job", "job:", "jobs:1", "everything", "disk:1", ""] {
            assert!(set(&[name]).is_err(), "{name}");
        }
    }

    #[test]
    fn what_is_taken_away_is_gone() {
        let mut some = set(&["all", "job:1", "logs"]).unwrap();
        some.remove(&["jobs".to_owned(), "job:1".to_owned()]).unwrap();
        assert_eq!(some.names(), ["devices", "daemons", "system", "logs"]);
        some.remove(&[]).unwrap();
        assert!(some.is_empty());
    }
}
