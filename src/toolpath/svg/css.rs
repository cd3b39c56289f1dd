//! Style sheets, as far as drawing programs write them: selectors by name, class and id, also
//! within and right below others. What else there is (pseudo-classes, `@media`) never matches.

use std::collections::HashMap;

use roxmltree::Node;

use super::{style::Property, walk::MAX_STEPS};

/// The rules of all style sheets of a file.
#[derive(Default)]
pub(super) struct Sheet<'a> {
    rules: Vec<Rule<'a>>,
    /// Rules by what their last part asks for.
    by_key: HashMap<Key<'a>, Vec<usize>>,
}

/// One declaration.
#[derive(Clone, Copy)]
pub(super) struct Declaration<'a> {
    pub(super) property: Property,
    pub(super) value: &'a str,
    pub(super) important: bool,
}

struct Rule<'a> {
    /// From the last part to the first; each with what stands between it and the one after it.
    parts: Vec<(Part<'a>, Within)>,
    weight: [usize; 3],
    declarations: std::rc::Rc<[Declaration<'a>]>,
}

#[derive(Clone, Copy, PartialEq)]
enum Within {
    Child,
    Descendant,
}

#[derive(Default)]
struct Part<'a> {
    name: Option<&'a str>,
    id: Option<&'a str>,
    classes: Vec<&'a str>,
}

#[derive(PartialEq, Eq, Hash)]
enum Key<'a> {
    Id(&'a str),
    Class(&'a str),
    Name(&'a str),
    Any,
}

impl<'a> Sheet<'a> {
    /// Adds the rules of one `<style>`.
    pub(super) fn add(&mut self, text: &'a str) {
        let mut rest = text;
        while let Some((selectors, body, tail)) = block(rest) {
            rest = tail;
            let mut found = declarations(body).peekable();
            if found.peek().is_none() {
                continue;
            }
            let found: std::rc::Rc<[Declaration<'a>]> = found.collect();
            for selector in selectors.split(',') {
                let Some(rule) = rule(selector, &found) else { continue };
                let last = &rule.parts[0].0;
                let key = match (last.id, last.classes.first(), last.name) {
                    (Some(id), ..) => Key::Id(id),
                    (_, Some(class), _) => Key::Class(class),
                    (_, _, Some(name)) => Key::Name(name),
                    _ => Key::Any,
                };
                self.by_key.entry(key).or_default().push(self.rules.len());
                self.rules.push(rule);
            }
        }
    }

    /// What holds for an element, the weightiest last. `tried` counts the rules looked at.
    pub(super) fn matching(&self, node: Node<'_, '_>, tried: &mut usize) -> Vec<Declaration<'a>> {
        if self.rules.is_empty() {
            return Vec::new();
        }
        let id = node.attribute("id").map(Key::Id);
        let classes = node.attribute("class").unwrap_or_default().split_ascii_whitespace();
        let keys = [Key::Any, Key::Name(node.tag_name().name())].into_iter();
        let keys = keys.chain(classes.map(Key::Class)).chain(id);
        let mut found: Vec<usize> = Vec::new();
        for index in keys.filter_map(|key| self.by_key.get(&key)).flatten() {
            *tried += 1;
            if matches(&self.rules[*index].parts, node, tried) {
                found.push(*index);
            }
        }
        found.sort_unstable_by_key(|index| (self.rules[*index].weight, *index));
        found.iter().flat_map(|index| self.rules[*index].declarations.iter().copied()).collect()
    }
}

fn matches(parts: &[(Part<'_>, Within)], node: Node<'_, '_>, tried: &mut usize) -> bool {
    let Some(((part, _), rest)) = parts.split_first() else { return true };
    if !part.fits(node) {
        return false;
    }
    let Some((_, within)) = rest.first() else { return true };
    let mut above = node.parent_element();
    // Selectors of many parts can be tried in very many ways.
    while let Some(parent) = above.filter(|_| *tried < MAX_STEPS) {
        *tried += 1;
        if matches(rest, parent, tried) {
            return true;
        }
        above = if *within == Within::Child { None } else { parent.parent_element() };
    }
    false
}

impl Part<'_> {
    fn fits(&self, node: Node<'_, '_>) -> bool {
        let has = |class: &&str| {
            node.attribute("class")
                .is_some_and(|all| all.split_ascii_whitespace().any(|it| it == *class))
        };
        self.name.is_none_or(|name| node.tag_name().name() == name)
            && self.id.is_none_or(|id| node.attribute("id") == Some(id))
            && self.classes.iter().all(has)
    }
}

/// The next `selectors { body }`, and the rest.
fn block(text: &str) -> Option<(&str, &str, &str)> {
    let mut text = text;
    loop {
        text = text.trim_start();
        if let Some(comment) = text.strip_prefix("/*") {
            text = comment.split_once("*/")?.1;
        } else if let Some(sign) = ["<!--", "-->"].iter().find_map(|it| text.strip_prefix(it)) {
            text = sign;
        } else if text.starts_with('@') {
            text = after_at_rule(text)?;
        } else {
            break;
        }
    }
    let (selectors, rest) = text.split_once('{')?;
    let (body, rest) = rest.split_once('}').unwrap_or((rest, ""));
    Some((selectors, body, rest))
}

/// What follows `@import …;` or `@media … { … }`.
fn after_at_rule(text: &str) -> Option<&str> {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b';' if depth == 0 => return text.get(at + 1..),
            b'{' => depth += 1,
            b'}' if depth <= 1 => return text.get(at + 1..),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The declarations of a block or of a `style` attribute that matter to a pen.
pub(super) fn declarations(text: &str) -> impl Iterator<Item = Declaration<'_>> {
    text.split(';').filter_map(|declaration| {
        let (mut name, value) = declaration.split_once(':')?;
        if let Some((_, after)) = name.rsplit_once("*/") {
            name = after;
        }
        let property = Property::named(name.trim())?;
        let value = value.trim();
        let value = value.split_once("/*").map_or(value, |(before, _)| before.trim_end());
        let plain = value.strip_suffix("important").map(str::trim_end);
        let plain = plain.and_then(|value| value.strip_suffix('!')).map(str::trim_end);
        Some(Declaration { property, value: plain.unwrap_or(value), important: plain.is_some() })
    })
}

fn rule<'a>(selector: &'a str, declarations: &std::rc::Rc<[Declaration<'a>]>) -> Option<Rule<'a>> {
    let (mut parts, mut weight) = (Vec::new(), [0; 3]);
    let mut within = Within::Descendant;
    for word in selector.split_ascii_whitespace() {
        // `a>b` without blanks.
        for (index, word) in word.split('>').enumerate() {
            if index > 0 {
                within = Within::Child;
            }
            if word.is_empty() {
                continue;
            }
            let part = part(word)?;
            weight[0] += usize::from(part.id.is_some());
            weight[1] += part.classes.len();
            weight[2] += usize::from(part.name.is_some());
            // What stands before a part belongs to the part before it.
            if let Some((_, before)) = parts.last_mut() {
                *before = within;
            }
            parts.push((part, Within::Descendant));
            within = Within::Descendant;
        }
    }
    parts.reverse();
    let declarations = std::rc::Rc::clone(declarations);
    (!parts.is_empty()).then_some(Rule { parts, weight, declarations })
}

fn part(word: &str) -> Option<Part<'_>> {
    if word.contains(['[', ':', '+', '~', '(', '"']) {
        return None;
    }
    let mut part = Part::default();
    let end = word.find(['.', '#']).unwrap_or(word.len());
    let (name, mut rest) = word.split_at(end);
    part.name = Some(name).filter(|name| !matches!(*name, "" | "*"));
    while let Some(sign) = rest.chars().next() {
        let tail = &rest[1..];
        let end = tail.find(['.', '#']).unwrap_or(tail.len());
        let (name, after) = tail.split_at(end);
        if name.is_empty() {
            return None;
        }
        if sign == '#' {
            part.id = Some(name);
        } else {
            part.classes.push(name);
        }
        rest = after;
    }
    Some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stroke_of(sheet: &str, id: &str) -> String {
        let text = r#"<svg><g class="red bold" id="g"><path id="a" class="one two"/></g>
            <g id="h"><g><path id="b" class="one"/></g></g></svg>"#;
        let document = roxmltree::Document::parse(text).unwrap();
        let mut all = Sheet::default();
        all.add(sheet);
        let node = document.descendants().find(|node| node.attribute("id") == Some(id)).unwrap();
        let found = all.matching(node, &mut 0);
        found.iter().map(|it| it.value).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn selectors_find_their_elements_in_the_order_of_their_weight() {
        let sheet = "/* a comment */ <!-- .one { stroke: class; } #a{stroke:id} path{stroke:name}
            .one.two{stroke:both} *{stroke:any} @media print { .one { stroke: print } }
            @import url(x); .none, .two { fill-rule: evenodd; stroke: two } -->";
        assert_eq!(stroke_of(sheet, "a"), "any name class two both id");
        assert_eq!(stroke_of(sheet, "b"), "any name class");
    }

    #[test]
    fn parts_may_stand_within_each_other() {
        assert_eq!(stroke_of("g.red path{stroke:x}", "a"), "x");
        assert_eq!(stroke_of("g.red path{stroke:x}", "b"), "");
        assert_eq!(stroke_of("#h > path{stroke:x}", "b"), "");
        assert_eq!(stroke_of("#h path{stroke:x}", "b"), "x");
        assert_eq!(stroke_of("#g>path{stroke:x}", "a"), "x");
        assert_eq!(stroke_of("svg > g > g > path{stroke:x}", "b"), "x");
        assert_eq!(stroke_of("path:hover, path[d], a + path{stroke:x}", "b"), "");
    }

    #[test]
    fn what_is_no_sheet_matches_nothing() {
        for text in [
            "",
            "{",
            "}",
            "a",
            "a{",
            "a{stroke",
            "@",
            "@media{",
            "/*",
            ".{stroke:x}",
            "..a{stroke:y}",
        ] {
            assert_eq!(stroke_of(text, "a"), "", "{text}");
        }
        assert_eq!(stroke_of("path{stroke:x", "a"), "x");
    }

    #[test]
    fn the_word_important_is_understood() {
        let found: Vec<_> =
            declarations("stroke: red ! important; fill:blue!important;color:x").collect();
        let said: Vec<_> = found.iter().map(|it| (it.value, it.important)).collect();
        assert_eq!(said, [("red", true), ("blue", true), ("x", false)]);
    }
}
