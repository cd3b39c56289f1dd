//! The configurations in the guides are good.

use super::Bench;
use crate::config::{Problem, schema::ROOT};

const GUIDES: [(&str, &str); 5] = [
    ("README.md", include_str!("../../../README.md")),
    ("docs/daemons.md", include_str!("../../../docs/daemons.md")),
    ("docs/from-supervisord.md", include_str!("../../../docs/from-supervisord.md")),
    ("docs/plugins.md", include_str!("../../../docs/plugins.md")),
    ("docs/plotters.md", include_str!("../../../docs/plotters.md")),
];

/// Each block of YAML that is a configuration, not a part of one or a plugin.
fn configurations(guide: &str) -> Vec<&str> {
    let blocks = guide.split("```yaml\n").skip(1);
    let blocks = blocks.map(|rest| rest.split_once("```").expect("the end of a block").0);
    blocks.filter(|block| is_configuration(block)).collect()
}

fn is_configuration(block: &str) -> bool {
    let first = block.lines().find(|line| !line.starts_with('#'));
    let name = first.and_then(|line| line.split_once(':')).map(|(name, _)| name);
    name.is_some_and(|name| name != "name" && ROOT.iter().any(|key| key.name == name))
}

/// True if the computer of whoever runs the tests lacks something that the example needs.
fn is_of_this_computer(problem: &Problem) -> bool {
    let wanting = [
        "is not a program in PATH",
        "cannot be read: ",
        "is not a user of this computer",
        "is not a group of this computer",
        "cannot be become: ",
        "is no directory",
    ];
    wanting.iter().any(|words| problem.to_string().contains(words))
}

#[test]
fn every_configuration_in_a_guide_is_good() {
    for (name, guide) in GUIDES {
        for (at, block) in configurations(guide).into_iter().enumerate() {
            let bench = Bench::new(block);
            let problems = bench.load().map_or_else(|problems| problems, |it| it.warnings);
            let wrong: Vec<_> =
                problems.into_iter().filter(|it| !is_of_this_computer(it)).collect();
            assert_eq!(bench.lines(&wrong), "", "configuration {at} of {name}:\n{block}");
        }
    }
}

#[test]
fn the_guides_have_configurations() {
    let counts = GUIDES.map(|(_, guide)| configurations(guide).len());
    assert!(counts[0] >= 2 && counts[1] >= 10 && counts[2] == 1 && counts[4] == 1, "{counts:?}");
}

#[test]
fn what_is_wrong_in_a_guide_is_seen() {
    let problems = Bench::new("daemons: [{name: a, command: [/bin/sleep], ready: {dealy: 1s}}]")
        .load()
        .expect_err("a key that does not exist");
    assert!(problems.iter().any(|problem| !is_of_this_computer(problem)));
}
