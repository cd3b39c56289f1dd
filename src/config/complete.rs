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
            let path = join(path, key.name);
            let found = given.iter().position(|(name, _)| name == key.name);
            let Some(mut below) =
                found.map(|index| given.swap_remove(index).1).or_else(|| self.default(key))
            else {
                let missing = "is missing, it must be given";
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
            whole &= self.inner(&mut below, &key.kind, &path);
            entries.push((key.name.to_owned(), below));
        }
        whole
    }

    /// Completes the sections below a key.
    fn inner(&mut self, node: &mut Node, kind: &Kind, path: &str) -> bool {
        match kind {
            Kind::One(_) | Kind::Many(_) => true,
            Kind::Section(keys) => self.complete(node, keys, path),
            Kind::Sections { keys, .. } => {
                let Branch::List(items) = &mut node.content else { return true };
                let mut index = 0;
                items.retain_mut(|item| {
                    index += 1;
                    let path = format!("{path}[{}]", index - 1);
                    !matches!(item.content, Branch::Wrong) && self.complete(item, keys, &path)
                });
                true
            }
            Kind::Table(kind) => {
                if let Branch::Map(entries) = &mut node.content {
                    entries.retain_mut(|(name, below)| self.inner(below, kind, &join(path, name)));
                }
                true
            }
        }
    }

    fn default(&self, key: &Key) -> Option<Node> {
        let value: Value = serde_yaml::from_str(key.default?).ok()?;
        let content = match (&key.kind, value) {
            (Kind::One(form), value) if !value.is_null() || matches!(form, Form::Workspace) => {
                Branch::Leaf(form.read(&value, &self.around).ok()?)
            }
            (_, Value::Null) => Branch::Leaf(Leaf { shown: Value::Null, value: Value::Null }),
            (Kind::Section(_) | Kind::Table(_), _) => Branch::Map(Vec::new()),
            _ => Branch::List(Vec::new()),
        };
        Some(Node { place: Place::Default, content })
    }
}
