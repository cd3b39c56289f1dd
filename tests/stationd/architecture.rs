//! The layers: arrows point down only. Read from the `use` lines, not from a diagram.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// What each part of the program may use of the others. A part that is not listed does not exist.
const LAYERS: [(&str, &[&str]); 15] = [
    ("domain", &[]),
    ("firmware", &[]),
    ("sys", &[]),
    ("toolpath", &["domain"]),
    ("drivers", &["domain", "toolpath"]),
    ("feed", &["domain"]),
    ("log_file", &[]),
    ("config", &["domain"]),
    ("supervision", &["domain"]),
    ("link", &["domain", "drivers", "firmware", "sys"]),
    ("store", &["domain", "feed"]),
    (
        "daemons",
        &[
            "domain",
            "drivers",
            "feed",
            "link",
            "log_file",
            "store",
            "supervision",
            "sys",
            "toolpath",
        ],
    ),
    ("http", &["config", "daemons", "domain", "feed", "link", "store", "supervision", "toolpath"]),
    (
        "station",
        &[
            "config",
            "daemons",
            "domain",
            "drivers",
            "feed",
            "http",
            "link",
            "log_file",
            "store",
            "supervision",
            "sys",
        ],
    ),
    ("cli", &["config", "domain", "station", "sys", "toolpath"]),
];

const LONGEST: usize = 400;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// Its first part below `src`: `store` for `src/store/jobs/read.rs`, `feed` for `src/feed.rs`.
fn part_of(file: &Path) -> String {
    let below = file.strip_prefix(root().join("src")).unwrap();
    let first = below.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// Tests reach where they like; this is about the program.
fn is_test(file: &Path) -> bool {
    file.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs")
}

fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap()
}

/// The parts named after `crate::`, in a tree of braces or alone.
fn uses(text: &str) -> BTreeSet<String> {
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let mut found = BTreeSet::new();
    for (at, word) in code.match_indices("crate::") {
        if code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_') {
            continue; // another_crate::
        }
        let rest = &code[at + word.len()..];
        if let Some(tree) = rest.strip_prefix('{') {
            found.extend(top_of(tree));
        } else {
            found.insert(first_word(rest));
        }
    }
    found
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|it| it.is_alphanumeric() || *it == '_').collect()
}

/// The first words at the top of a tree of braces, which is open already.
fn top_of(tree: &str) -> BTreeSet<String> {
    let (mut found, mut depth, mut fresh) = (BTreeSet::new(), 0, true);
    for (at, char) in tree.char_indices() {
        match char {
            '{' => depth += 1,
            '}' if depth == 0 => return found,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            _ if char.is_whitespace() => {}
            _ => {
                if fresh && depth == 0 {
                    found.insert(first_word(&tree[at..]));
                }
                fresh = false;
            }
        }
    }
    found
}

#[test]
fn the_reader_of_use_lines_reads_them() {
    let text = "use crate::{
    daemons::{Tools, job_queue::{self, Act}},
    domain::{Job, JobId}, feed::Feed,
};
use crate::sys;
// use crate::cli;
let x = crate::store::open(other_crate::http::x);";
    let expected = ["daemons", "domain", "feed", "store", "sys"].map(str::to_owned);
    assert_eq!(uses(text), BTreeSet::from(expected));
}

#[test]
fn arrows_point_down_only() {
    let mut wrong = Vec::new();
    for file in files(&root().join("src")) {
        if file.extension().is_none_or(|it| it != "rs") || is_test(&file) {
            continue;
        }
        let part = part_of(&file);
        if matches!(part.as_str(), "lib" | "main") {
            continue;
        }
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == part) else {
            wrong.push(format!("{part} has no layer"));
            continue;
        };
        for used in uses(without_tests(&fs::read_to_string(&file).unwrap())) {
            let known = LAYERS.iter().any(|(name, _)| *name == used);
            if known && used != part && !allowed.contains(&used.as_str()) {
                wrong.push(format!("{} uses {used}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_layers_have_no_circle() {
    // Each part uses only what stands above it in the list, so the list is an order.
    for (at, (name, uses)) in LAYERS.iter().enumerate() {
        for used in *uses {
            let place = LAYERS.iter().position(|(name, _)| name == used);
            assert!(place.is_some_and(|place| place < at), "{name} uses {used}");
        }
    }
}

#[test]
fn a_file_is_one_idea() {
    let long: Vec<_> = ["src", "static"]
        .iter()
        .flat_map(|directory| files(&root().join(directory)))
        .filter(|file| {
            file.extension().is_some_and(|it| {
                ["rs", "js", "css", "html"].map(Into::into).contains(&it.to_owned())
            })
        })
        .filter_map(|file| {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            (lines > LONGEST).then(|| format!("{}: {lines} lines", file.display()))
        })
        .collect();
    assert!(long.is_empty(), "longer than {LONGEST} lines:\n{}", long.join("\n"));
}

#[test]
fn only_the_system_calls_are_unsafe() {
    let unsafe_files: Vec<_> = files(&root().join("src"))
        .into_iter()
        .filter(|file| part_of(file) != "sys" && file.extension().is_some_and(|it| it == "rs"))
        .filter(|file| {
            let text = fs::read_to_string(file).unwrap();
            text.lines().any(|line| line.contains("unsafe {") || line.contains("unsafe fn"))
        })
        .collect();
    assert!(unsafe_files.is_empty(), "{unsafe_files:?}");
}
