//! The page's files: what may not stand in them, and colours that can be read.

use std::{collections::BTreeMap, fs, path::Path};

fn files() -> Vec<(String, String)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("static");
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            files.push((name, fs::read_to_string(path).unwrap()));
        }
    }
    assert!(files.len() > 20, "where is the page?");
    files
}

#[test]
fn nothing_comes_from_elsewhere_and_no_text_becomes_markup() {
    let forbidden = [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "DOMParser",
        "createContextualFragment",
        "javascript:",
        "srcdoc",
        "@import",
    ];
    for (name, text) in files() {
        for word in forbidden {
            assert!(!text.contains(word), "{name} contains {word}");
        }
        let foreign = text
            .replace("http://www.w3.org/2000/svg", "")
            .split(['"', '\'', '`', '(', ' '])
            .any(|word| word.starts_with("http://") || word.starts_with("https://"));
        assert!(!foreign, "{name} names an address outside the station");
        if name == "index.html" {
            let tags = text.split('<').map(|rest| rest.split('>').next().unwrap_or_default());
            for tag in tags {
                let mut set = tag.split_whitespace().filter_map(|word| word.split_once('='));
                let handler = set.any(|(name, _)| name.starts_with("on") || name == "style");
                assert!(!handler, "{name}: <{tag}> has a handler or a style of its own");
                assert!(
                    !tag.starts_with("script") || tag.contains("src="),
                    "{name}: a script stands in the page itself"
                );
            }
        }
    }
}

type Colours = BTreeMap<String, [f64; 3]>;

/// The colours that a block of the style sheet sets.
fn block(css: &str, selector: &str) -> Colours {
    let start = css.find(&format!("{selector} {{")).unwrap_or_else(|| panic!("no {selector}"));
    let body = css[start..].split('}').next().unwrap();
    let colour = |line: &str| {
        let (name, value) = line.trim().strip_prefix("--")?.split_once(": #")?;
        let hex = value.split(';').next().filter(|hex| hex.len() == 6)?;
        let part = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        Some((name.to_owned(), [part(0), part(2), part(4)].map(|part| f64::from(part) / 255.0)))
    };
    body.lines().filter_map(colour).collect()
}

/// Relative luminance, as WCAG 2.2 defines it.
fn luminance(colour: [f64; 3]) -> f64 {
    let linear = |part: f64| {
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    let [red, green, blue] = colour.map(linear);
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// Which ink stands on which ground, and the least contrast there (WCAG 2.2, 1.4.3 and 1.4.11).
fn pairs() -> Vec<(String, String, f64)> {
    let meanings = ["neutral", "active", "good", "attention", "bad"];
    let inks = ["ink", "ink-soft", "ink-faint"];
    let mut pairs = vec![
        ("stop-ink", "stop".to_owned(), 4.5),
        ("on-active", "active".to_owned(), 4.5),
        ("panel", "ink-faint".to_owned(), 4.5),
        ("edge", "panel".to_owned(), 3.0),
        ("edge", "ground".to_owned(), 3.0),
        ("stop", "panel".to_owned(), 3.0),
        ("path-todo", "path-paper".to_owned(), 3.0),
    ];
    for ground in ["ground", "panel", "raised", "neutral-tint", "path-paper"] {
        pairs.extend(inks.iter().chain(&meanings).map(|ink| (*ink, ground.to_owned(), 4.5)));
    }
    for meaning in meanings {
        let on_tint = inks.iter().chain([&meaning]);
        pairs.extend(on_tint.map(|ink| (*ink, format!("{meaning}-tint"), 4.5)));
    }
    pairs.into_iter().map(|(ink, ground, least)| (ink.to_owned(), ground, least)).collect()
}

#[test]
fn everything_can_be_read_in_every_theme() {
    let css = include_str!("../../../static/tokens.css");
    let light = block(css, ":root");
    let dark = block(css, ":root[data-theme=\"dark\"]");
    let more = block(css, ":root[data-contrast=\"more\"]");
    let dark_more = block(css, ":root[data-theme=\"dark\"][data-contrast=\"more\"]");
    let themes: [(&str, &[&Colours]); 4] = [
        ("light", &[&light]),
        ("dark", &[&light, &dark]),
        ("light, more contrast", &[&light, &more]),
        ("dark, more contrast", &[&light, &dark, &more, &dark_more]),
    ];
    let mut weak = Vec::new();
    for (theme, layers) in themes {
        let colours: Colours = layers.iter().flat_map(|layer| (*layer).clone()).collect();
        let of = |name: &str| *colours.get(name).unwrap_or_else(|| panic!("{theme}: no --{name}"));
        for (ink, ground, least) in pairs() {
            let ratio = contrast(of(&ink), of(&ground));
            if ratio < least {
                weak.push(format!("{theme}: {ink} on {ground} is {ratio:.2}, not {least}"));
            }
        }
    }
    assert_eq!(weak, [""; 0]);
}
