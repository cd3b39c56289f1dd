//! What nobody has set, from the defaults; and what must have been set.

use serde_yaml::Value;

use super::{
    check::Checker,
    form::{Form, Leaf},
    problem::{Place, Problem},
    schema::{Key, Kind},
    tree::{Branch, Node, join},
};

impl Checker<'_> {
    /// Puts the keys of a section in the order of the schema, with a default where one is missing.
    /// False if one is missing that has no default: the section is then of no use.
    pub(super) fn complete(&mut self, node: &mut Node, keys: &[Key], path: &str) -> bool {
        let place = node.place.clone();
        let Branch::Map(entries) = &mut node.content else { return true };
        let mut given = std::mem::take(entries);
        let mut whole = true;
        for key in keys {
            let found = given.iter().position(|(name, _)| name == key.name);
            let Some(mut below) =
                found.map(|index| given.swap_remove(index).1).or_else(|| self.default(key))
            else {
                let missing = "is missing, it must be given";
                let path = join(path, key.name);
                self.problems.push(Problem::error(place.clone(), path, missing));
                whole = false;
                continue;
            };
            if matches!(below.content, Branch::Wrong) {
                let Some(default) = self.default(key) else {
                    whole = false;
                    continue;
                };
                below.content = default.content;
            }
            if !matches!(key.kind, Kind::One(_) | Kind::Many(_)) {
                whole &= self.inner(&mut below, &key.kind, &join(path, key.name));
            }
            entries.push((key.name.to_owned(), below));
        }
        whole
    }

    /// Completes the sections below a key.
    fn inner(&mut self, node: &mut Node, kind: &Kind, path: &str) -> bool {
        match kind {
            Kind::One(_) | Kind::Many(_) => true,
            Kind::Section(keys) | Kind::Short { keys, .. } => self.complete(node, keys, path),
            Kind::Sections { keys, .. } => {
                let Branch::List(items) = &mut node.content else { return true };
                // What is of no use stays, so that the others keep their numbers.
                for (index, item) in items.iter_mut().enumerate() {
                    let whole = !matches!(item.content, Branch::Wrong)
                        && self.complete(item, keys, &format!("{path}[{index}]"));
                    if !whole {
                        self.lost.extend(item.at("name").and_then(Node::text).map(str::to_owned));
                        item.content = Branch::Wrong;
                    }
                }
                true
            }
            Kind::Table(kind) | Kind::Events(kind) => {
                if let Branch::Map(entries) = &mut node.content {
                    entries.retain_mut(|(name, below)| self.inner(below, kind, &join(path, name)));
                }
                true
            }
        }
    }

    fn default(&mut self, key: &Key) -> Option<Node> {
        let text = key.default?;
        // Read once: a list of many sections has thousands.
        let parse = || serde_yaml::from_str(text).unwrap_or(Value::Null);
        let value = self.defaults.entry(text).or_insert_with(parse).clone();
        let content = match (&key.kind, value) {
            (Kind::One(form), value) if !value.is_null() || matches!(form, Form::Workspace) => {
                Branch::Leaf(form.read(&value, &self.around).ok()?)
            }
            (_, Value::Null) => Branch::Leaf(Leaf { shown: Value::Null, value: Value::Null }),
            (Kind::Section(_) | Kind::Table(_) | Kind::Events(_) | Kind::Short { .. }, _) => {
                Branch::Map(Vec::new())
            }
            (Kind::Many(form), Value::Sequence(items)) => {
                let leaves = items.iter().map(|item| form.read(item, &self.around).ok());
                let node = |leaf| Node { place: Place::Default, content: Branch::Leaf(leaf) };
                Branch::List(leaves.map(|leaf| leaf.map(node)).collect::<Option<_>>()?)
            }
            _ => Branch::List(Vec::new()),
        };
        Some(Node { place: Place::Default, content })
    }
}
