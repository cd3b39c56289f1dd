//! Checked values of all layers, merged; each knows where it was given.

use serde_yaml::{Mapping, Value};

use super::{form::Leaf, problem::Place};
use crate::domain::same_name;

/// A value, a list or a section.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) content: Branch,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(super) enum Branch {
    Leaf(Leaf),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
    /// It was wrong, and that has been said.
    Wrong,
}

impl Node {
    /// A section without keys.
    pub(super) fn empty() -> Self {
        Self { place: Place::Default, content: Branch::Map(Vec::new()) }
    }

    /// Something that was wrong.
    pub(super) fn wrong(place: Place) -> Self {
        Self { place, content: Branch::Wrong }
    }

    /// What is at `path`, as `devices[0].port`; none if there is nothing.
    pub(super) fn at(&self, path: &str) -> Option<&Self> {
        segments(path).iter().try_fold(self, |node, segment| match &node.content {
            Branch::Map(entries) => {
                entries.iter().find(|(name, _)| name == segment).map(|(_, node)| node)
            }
            Branch::List(items) => items.get(segment.parse::<usize>().ok()?),
            Branch::Leaf(_) | Branch::Wrong => None,
        })
    }

    /// The same, to be changed. Sections only.
    pub(super) fn at_mut(&mut self, path: &str) -> Option<&mut Self> {
        segments(path).iter().try_fold(self, |node, segment| match &mut node.content {
            Branch::Map(entries) => {
                entries.iter_mut().find(|(name, _)| name == segment).map(|(_, node)| node)
            }
            _ => None,
        })
    }

    /// Lays `over` upon this: sections key by key, anything else is replaced. A section with
    /// numbers for keys changes single elements of a list; the error is the number of one that
    /// the list does not have.
    pub(super) fn merge(&mut self, over: Self) -> Result<(), String> {
        if self.place == Place::Default {
            self.place = over.place.clone();
        }
        match (&mut self.content, over.content) {
            (Branch::Map(entries), Branch::Map(over)) => {
                for (name, node) in over {
                    match entries.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, known)) => known.merge(node)?,
                        None => entries.push((name, node)),
                    }
                }
            }
            (Branch::List(items), Branch::Map(over)) => {
                for (name, node) in over {
                    let Ok(index) = name.parse::<usize>() else { return Err(name) };
                    let next = items.len();
                    match items.get_mut(index) {
                        Some(known) => known.merge(node)?,
                        None if index == next => items.push(node),
                        None => return Err(name),
                    }
                }
            }
            // What is wrong replaces nothing, and nothing mends it: it has been said.
            (Branch::Wrong, _) | (_, Branch::Wrong) => {}
            (content, over_content) => {
                *content = over_content;
                self.place = over.place;
            }
        }
        Ok(())
    }

    /// Lets the elements of the list `key` of `over`, if both have it, join those that are there:
    /// one of a known name changes that one, the others come after them.
    pub(super) fn join_named(&mut self, over: &mut Self, key: &str) -> Result<(), String> {
        let (Some(known), Branch::Map(entries)) = (self.at_mut(key), &mut over.content) else {
            return Ok(());
        };
        let Branch::List(known) = &mut known.content else { return Ok(()) };
        let is_list = |(name, node): &mut (String, Self)| {
            name == key && matches!(node.content, Branch::List(_))
        };
        let Some(at) = entries.iter_mut().position(is_list) else { return Ok(()) };
        if known.is_empty() {
            return Ok(());
        }
        let Branch::List(more) = entries.remove(at).1.content else { return Ok(()) };
        for node in more {
            let name = node.at("name").and_then(Self::text);
            let same = |other: &&mut Self| {
                let own = other.at("name").and_then(Self::text);
                name.zip(own).is_some_and(|(name, own)| same_name(name, own))
            };
            match known.iter_mut().find(same) {
                Some(other) => other.merge(node)?,
                None => known.push(node),
            }
        }
        Ok(())
    }

    /// The text of a leaf as the checked types read it.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.content {
            Branch::Leaf(leaf) => leaf.value.as_str(),
            _ => None,
        }
    }

    /// True for a leaf that says nothing: null, or a false.
    pub(super) fn is_nothing(&self) -> bool {
        match &self.content {
            Branch::Leaf(leaf) => matches!(leaf.value, Value::Null | Value::Bool(false)),
            _ => false,
        }
    }

    /// What is below the names of a section.
    pub(super) fn children(&self) -> impl Iterator<Item = (&String, &Self)> {
        let entries = match &self.content {
            Branch::Map(entries) => entries.as_slice(),
            _ => &[],
        };
        entries.iter().map(|(name, node)| (name, node))
    }

    /// The elements of a list that are not wrong, with their numbers.
    pub(super) fn elements(&self) -> impl Iterator<Item = (usize, &Self)> {
        let items = match &self.content {
            Branch::List(items) => items.as_slice(),
            _ => &[],
        };
        items.iter().enumerate().filter(|(_, item)| !matches!(item.content, Branch::Wrong))
    }

    /// As the checked types read it.
    pub(super) fn value(&self) -> Value {
        self.fold(|leaf| leaf.value.clone())
    }

    /// As it is shown to people.
    pub(super) fn shown(&self) -> Value {
        self.fold(|leaf| leaf.shown.clone())
    }

    fn fold(&self, leaf: impl Fn(&Leaf) -> Value + Copy) -> Value {
        match &self.content {
            Branch::Leaf(value) => leaf(value),
            Branch::Wrong => Value::Null,
            Branch::List(_) => {
                Value::Sequence(self.elements().map(|(_, item)| item.fold(leaf)).collect())
            }
            Branch::Map(entries) => {
                let pairs = entries.iter();
                let pairs = pairs.map(|(name, node)| (Value::from(name.as_str()), node.fold(leaf)));
                Value::Mapping(pairs.collect::<Mapping>())
            }
        }
    }

    /// Every value with its key; an empty list or section counts as one.
    pub(super) fn leaves<'a>(&'a self, path: &str, out: &mut Vec<(String, &'a Self)>) {
        match &self.content {
            Branch::List(items) if !items.is_empty() => {
                for (index, item) in items.iter().enumerate() {
                    item.leaves(&format!("{path}[{index}]"), out);
                }
            }
            Branch::Map(entries) if !entries.is_empty() => {
                for (name, node) in entries {
                    node.leaves(&join(path, name), out);
                }
            }
            _ => out.push((path.to_owned(), self)),
        }
    }
}

/// The path of a key of a section.
pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// `devices[0].port` or `devices.0.port` as `devices`, `0`, `port`.
pub(super) fn segments(path: &str) -> Vec<&str> {
    path.split(['.', '[', ']']).filter(|segment| !segment.is_empty()).collect()
}
