//! One layer against the schema: every problem of it, and what is good in it.

use std::{borrow::Cow, collections::HashMap};

use serde_yaml::Value;

use super::{
    document::{self, Content, Mark, Name, Yaml},
    form::{Around, Form, Leaf},
    nearest::nearest,
    problem::{Place, Problem},
    schema::{DEVICE, Key, Kind},
    tree::{Branch, Node, join},
    words::{beside, event, words},
};

/// Checks layers, one after the other, and gathers what is wrong.
pub(super) struct Checker<'a> {
    pub(super) around: Around<'a>,
    pub(super) problems: Vec<Problem>,
    /// Names of elements that are of no use: what refers to them is not wrong as well.
    pub(super) lost: Vec<String>,
    /// Defaults that have been read.
    pub(super) defaults: HashMap<&'static str, Value>,
}

impl<'a> Checker<'a> {
    /// Has seen nothing but `problems`.
    pub(super) fn new(around: Around<'a>, problems: Vec<Problem>) -> Self {
        Self { around, problems, lost: Vec::new(), defaults: HashMap::new() }
    }
}

/// Where the layer at hand comes from.
pub(super) enum Layer<'a> {
    /// A file: values have the types of YAML.
    File(&'a dyn Fn(Mark) -> Place),
    /// The environment or the command line: values are texts.
    Words(Place),
}

impl Layer<'_> {
    fn place(&self, mark: Mark) -> Place {
        match self {
            Self::File(place) => place(mark),
            Self::Words(place) => place.clone(),
        }
    }
}

impl Checker<'_> {
    /// Checks a whole layer of `keys`.
    pub(super) fn layer(&mut self, layer: &Layer<'_>, keys: &'static [Key], yaml: &Yaml) -> Node {
        if matches!(yaml.content, Content::Scalar(Value::Null)) {
            return Node::empty();
        }
        self.section(layer, keys, "", yaml).unwrap_or_else(Node::empty)
    }

    fn error(&mut self, place: Place, key: &str, message: impl Into<String>) {
        self.problems.push(Problem::error(place, key, message));
    }

    fn kind(&mut self, layer: &Layer<'_>, kind: &Kind, key: &str, yaml: &Yaml) -> Option<Node> {
        match kind {
            Kind::One(form) => self.one(layer, *form, key, yaml),
            Kind::Many(form) => self.many(layer, *form, key, yaml),
            Kind::Section(keys) => self.section(layer, keys, key, yaml),
            Kind::Sections { keys, shorthand } => self.sections(layer, keys, *shorthand, key, yaml),
            Kind::Table(kind) => self.table(layer, kind, |name| Ok(name.to_owned()), key, yaml),
            Kind::Events(kind) => self.table(layer, kind, event, key, yaml),
            Kind::Short { keys, shorthand } => {
                let parsed = self.structure(layer, key, yaml)?;
                self.element(layer, keys, Some(shorthand), key, &parsed)
            }
        }
    }

    fn one(&mut self, layer: &Layer<'_>, form: Form, key: &str, yaml: &Yaml) -> Option<Node> {
        let place = layer.place(yaml.mark);
        let value = match (&yaml.content, layer) {
            (Content::Scalar(Value::String(text)), Layer::Words(_)) => words(form, text),
            (Content::Scalar(Value::String(text)), _) if matches!(form, Form::Beside) => {
                beside(&place, text)
            }
            (Content::Scalar(value), _) => value.clone(),
            (Content::List(_), _) => Value::Sequence(Vec::new()),
            (Content::Map(_), _) => Value::Mapping(serde_yaml::Mapping::new()),
        };
        match form.read(&value, &self.around) {
            Ok(leaf) => Some(Node { place, content: Branch::Leaf(leaf) }),
            Err(message) => {
                self.error(place, key, message);
                None
            }
        }
    }

    fn many(&mut self, layer: &Layer<'_>, form: Form, key: &str, yaml: &Yaml) -> Option<Node> {
        let place = layer.place(yaml.mark);
        let parsed = self.structure(layer, key, yaml)?;
        let items = match (&parsed.content, layer) {
            (Content::List(items), _) => items.clone(),
            (Content::Scalar(Value::String(text)), Layer::Words(_)) => {
                text.split(',').map(|item| Yaml::text(item.trim())).collect()
            }
            _ => {
                let allowed = form.allowed();
                self.error(place, key, format!("is not a list, allowed: a list, each {allowed}"));
                return None;
            }
        };
        let nodes = items.iter().enumerate();
        let nodes = nodes.map(|(index, item)| {
            self.one(layer, form, &format!("{key}[{index}]"), item)
                .unwrap_or_else(|| Node::wrong(layer.place(item.mark)))
        });
        Some(Node { place, content: Branch::List(nodes.collect()) })
    }

    fn sections(
        &mut self,
        layer: &Layer<'_>,
        keys: &'static [Key],
        shorthand: Option<&'static str>,
        key: &str,
        yaml: &Yaml,
    ) -> Option<Node> {
        let place = layer.place(yaml.mark);
        let parsed = self.structure(layer, key, yaml)?;
        let content = match (&parsed.content, layer) {
            (Content::List(items), _) => {
                let nodes = items.iter().enumerate().map(|(index, item)| {
                    self.element(layer, keys, shorthand, &format!("{key}[{index}]"), item)
                        .unwrap_or_else(|| Node::wrong(layer.place(item.mark)))
                });
                Branch::List(nodes.collect())
            }
            // `a,b`: names alone.
            (Content::Scalar(Value::String(text)), Layer::Words(_)) if shorthand.is_some() => {
                let nodes = text.split(',').enumerate().map(|(index, item)| {
                    let item = Yaml::text(item.trim());
                    let key = format!("{key}[{index}]");
                    self.element(layer, keys, shorthand, &key, &item)
                        .unwrap_or_else(|| Node::wrong(place.clone()))
                });
                Branch::List(nodes.collect())
            }
            // `devices.0.port=…`: single elements, by number.
            (Content::Map(entries), Layer::Words(_))
                if entries.iter().all(|(name, _)| name.text.parse::<usize>().is_ok()) =>
            {
                let nodes = entries.iter().filter_map(|(name, item)| {
                    let key = format!("{key}[{}]", name.text);
                    let node = self.element(layer, keys, shorthand, &key, item)?;
                    Some((name.text.clone(), node))
                });
                Branch::Map(nodes.collect())
            }
            _ => {
                let names = names(keys);
                let message = format!("is not a list, allowed: a list of sections with {names}");
                self.error(place, key, message);
                return None;
            }
        };
        Some(Node { place, content })
    }

    fn element(
        &mut self,
        layer: &Layer<'_>,
        keys: &'static [Key],
        shorthand: Option<&'static str>,
        key: &str,
        yaml: &Yaml,
    ) -> Option<Node> {
        let (Content::Scalar(Value::String(path)), Some(name)) = (&yaml.content, shorthand) else {
            return self.section(layer, keys, key, yaml);
        };
        let entry = |name: &str, text: &str| {
            let value = Yaml { mark: yaml.mark, ..Yaml::text(text) };
            (Name { text: name.to_owned(), mark: yaml.mark }, value)
        };
        let mut entries = vec![entry(name, path)];
        if name == "path" {
            // The text alone: it names itself by its last part.
            let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
            entries.insert(0, entry("name", last));
        }
        let content = Content::Map(entries);
        self.section(layer, keys, key, &Yaml { mark: yaml.mark, content })
    }

    /// `judge` says what a name means, or what is wrong with it.
    fn table(
        &mut self,
        layer: &Layer<'_>,
        kind: &Kind,
        judge: impl Fn(&str) -> Result<String, String>,
        key: &str,
        yaml: &Yaml,
    ) -> Option<Node> {
        let place = layer.place(yaml.mark);
        let parsed = self.structure(layer, key, yaml)?;
        let Content::Map(entries) = &parsed.content else {
            self.error(place, key, "is not a section, allowed: names with a value each");
            return None;
        };
        let mut nodes: Vec<(String, Node)> = Vec::new();
        for (name, value) in entries {
            let (mut name, value) = dotted(layer, kind, name, value);
            let path = join(key, &name.text);
            name.text = match judge(&name.text) {
                Ok(text) => text,
                Err(wrong) => {
                    self.error(layer.place(name.mark), &path, wrong);
                    continue;
                }
            };
            if nodes.iter().any(|(known, _)| *known == name.text) {
                self.error(layer.place(name.mark), &path, "is given twice");
            } else if let Some(node) = self.kind(layer, kind, &path, value) {
                nodes.push((name.text, node));
            }
        }
        Some(Node { place, content: Branch::Map(nodes) })
    }

    pub(super) fn section(
        &mut self,
        layer: &Layer<'_>,
        keys: &'static [Key],
        key: &str,
        yaml: &Yaml,
    ) -> Option<Node> {
        let place = layer.place(yaml.mark);
        let parsed = self.structure(layer, key, yaml)?;
        let Content::Map(entries) = &parsed.content else {
            let message = format!("is not a section, allowed: {}", names(keys));
            self.error(place, key, message);
            return None;
        };
        let mut nodes: Vec<(String, Node)> = Vec::new();
        let mut seen: Vec<(&str, Mark)> = Vec::new();
        for (name, value) in entries {
            let path = join(key, &name.text);
            let at = layer.place(name.mark);
            let single = key.is_empty() && name.text == "device";
            let named = |known: &&Key| known.name == name.text || known.alias == Some(&name.text);
            let target = if single { "devices" } else { &name.text };
            let Some(known) = keys.iter().find(|known| known.name == target || named(known)) else {
                self.error(at, &path, unknown(keys, key, &name.text));
                continue;
            };
            if let Some((_, first)) = seen.iter().find(|(seen, _)| *seen == known.name) {
                let message = format!("is given twice, first in line {}", first.line);
                self.error(at, &path, message);
                continue;
            }
            seen.push((known.name, name.mark));
            if let Some(node) = self.entry(layer, known, single, &path, value) {
                nodes.push((known.name.to_owned(), node));
            }
        }
        Some(Node { place, content: Branch::Map(nodes) })
    }

    /// A key of a section. A null where null is the default, and a section, list or table that is
    /// left empty, are as good as not given, but for what a lower layer said.
    fn entry(
        &mut self,
        layer: &Layer<'_>,
        known: &Key,
        single: bool,
        path: &str,
        value: &Yaml,
    ) -> Option<Node> {
        if is_null(layer, value) {
            if known.default == Some("null") && !matches!(known.kind, Kind::One(Form::Workspace)) {
                let leaf = Leaf { shown: Value::Null, value: Value::Null };
                let place = layer.place(value.mark);
                return Some(Node { place, content: Branch::Leaf(leaf) });
            }
            if !matches!(known.kind, Kind::One(_)) {
                return None;
            }
        }
        let node = if single {
            self.device(layer, path, value)
        } else {
            self.kind(layer, &known.kind, path, value)
        };
        Some(node.unwrap_or_else(|| Node::wrong(layer.place(value.mark))))
    }

    /// `device: {…}` is a list of one device, which is named `device` if it has no name.
    fn device(&mut self, layer: &Layer<'_>, path: &str, yaml: &Yaml) -> Option<Node> {
        let mut node = self.section(layer, DEVICE, path, yaml)?;
        let place = node.place.clone();
        if let (Branch::Map(entries), Layer::File(_)) = (&mut node.content, layer)
            && yaml.get("name").is_none()
        {
            let leaf = Leaf { shown: "device".into(), value: "device".into() };
            let name = Node { place: place.clone(), content: Branch::Leaf(leaf) };
            entries.insert(0, ("name".to_owned(), name));
        }
        let content = match layer {
            Layer::File(_) => Branch::List(vec![node]),
            Layer::Words(_) => Branch::Map(vec![("0".to_owned(), node)]),
        };
        Some(Node { place, content })
    }

    /// On the command line and in the environment, lists and sections are texts in YAML.
    fn structure<'y>(
        &mut self,
        layer: &Layer<'_>,
        key: &str,
        yaml: &'y Yaml,
    ) -> Option<Cow<'y, Yaml>> {
        let (Content::Scalar(Value::String(text)), Layer::Words(place)) = (&yaml.content, layer)
        else {
            return Some(Cow::Borrowed(yaml));
        };
        if !text.trim_start().starts_with(['[', '{']) {
            return Some(Cow::Borrowed(yaml));
        }
        match document::parse(text) {
            Ok(parsed) => Some(Cow::Owned(parsed)),
            Err((_, message)) => {
                self.error(place.clone(), key, message);
                None
            }
        }
    }
}

fn is_null(layer: &Layer<'_>, yaml: &Yaml) -> bool {
    match (&yaml.content, layer) {
        (Content::Scalar(Value::Null), _) => true,
        (Content::Scalar(Value::String(text)), Layer::Words(_)) => {
            matches!(text.as_str(), "" | "null" | "~")
        }
        _ => false,
    }
}

/// In a table of single values, `a.b=…` on the command line is the name `a.b`.
fn dotted<'y>(layer: &Layer<'_>, kind: &Kind, name: &Name, value: &'y Yaml) -> (Name, &'y Yaml) {
    let (mut name, mut value) = (name.clone(), value);
    while let (Layer::Words(_), Kind::One(_), Content::Map(below)) = (layer, kind, &value.content)
        && let [(next, inner)] = below.as_slice()
    {
        name.text = join(&name.text, &next.text);
        value = inner;
    }
    (name, value)
}

fn names(keys: &[Key]) -> String {
    let names: Vec<_> = keys.iter().map(|key| key.name).collect();
    names.join(", ")
}

/// What to say of a key that does not exist: the same name in another section if there is one, or
/// the nearest name in this one.
fn unknown(keys: &[Key], section: &str, name: &str) -> String {
    let elsewhere = keys.iter().find(|key| match key.kind {
        Kind::Section(inner) => section.is_empty() && inner.iter().any(|inner| inner.name == name),
        _ => false,
    });
    let near = if let Some(key) = elsewhere {
        join(key.name, name)
    } else {
        let known: Vec<_> = keys.iter().map(|key| key.name).collect();
        join(section, nearest(name, &known))
    };
    format!("is not a known key, the nearest is {near}, allowed: {}", names(keys))
}
