//! Whatever comes in, what comes out is a configuration or a list of problems.

use proptest::prelude::*;
use serde_yaml::Value;

use super::Bench;
use crate::config::{
    Level, SAMPLE,
    document::{self, Content, Yaml},
};

/// Pieces of which YAML is made, and of which bad YAML is made.
fn piece() -> impl Strategy<Value = String> {
    let pieces = vec![
        "\n",
        "\n  ",
        "\n- ",
        ": ",
        "- ",
        "? ",
        "{",
        "}",
        "[",
        "]",
        ",",
        "&a ",
        "*a",
        "!t ",
        "!!str ",
        "|\n",
        ">-\n",
        "'",
        "\"",
        "# ",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "~",
        "null",
        "5s",
        "10MB",
        "1e999",
        "-1",
        "0x10",
        ".nan",
        "true",
        "websocket",
        "port",
        "devices",
        "device",
        "name",
        "driver",
        "grbl",
        "hooks",
        "profiles",
        "envelope",
        "\u{feff}",
        "\t",
        "\u{e9}",
        "<<",
        "\\",
    ];
    prop_oneof![4 => prop::sample::select(pieces).prop_map(str::to_owned), 1 => ".{0,8}"]
}

/// A plugin that is good.
const PLUGIN: &str = "
name: p
version: null
daemons:
- {name: film, command: [a], depends_on: [heartbeat, {name: cut, condition: healthy}]}
- name: cut
  command: [a, --fast]
  ready: {log: up}
  health: {tcp: 'localhost:80', interval: 5s}
hooks: {COMPLETED: [{command: [a]}]}
commands: [{name: a, command: [a, '{args}']}]
";

/// The values of this reader, whose keys are texts.
fn ours(yaml: &Yaml) -> Value {
    match &yaml.content {
        Content::Scalar(value) => value.clone(),
        Content::List(items) => items.iter().map(ours).collect(),
        Content::Map(entries) => {
            let pairs =
                entries.iter().map(|(name, below)| (name.text.as_str().into(), ours(below)));
            Value::Mapping(pairs.collect())
        }
    }
}

/// Values of every kind.
fn any_value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        "[^\\p{Cc}\u{feff}]{0,20}".prop_map(Value::from),
        prop::sample::select(vec![
            "0644", "1e3", "~", "no", "null", "0x1", "- a", "a: b", "#", "é\n"
        ])
        .prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 32, 5, |inner| {
        let name = "[a-z0-9_. :#-]{0,8}";
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Sequence),
            prop::collection::btree_map(name, inner, 0..5).prop_map(|pairs| {
                Value::Mapping(
                    pairs.into_iter().map(|(name, below)| (name.into(), below)).collect(),
                )
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    /// Bytes never panic; they are good, or there is an error.
    #[test]
    fn any_bytes_are_judged(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        judged(&bytes)?;
    }

    /// So with anything that looks like YAML.
    #[test]
    fn any_pieces_are_judged(pieces in prop::collection::vec(piece(), 0..40)) {
        judged(pieces.concat().as_bytes())?;
    }

    /// So with the sample after a few random changes.
    #[test]
    fn any_change_of_the_sample_is_judged(
        changes in prop::collection::vec((0..SAMPLE.len(), 0..30_usize, piece()), 1..8),
    ) {
        let mut text = SAMPLE.replace("  #", "  ").into_bytes();
        for (at, length, piece) in changes {
            let at = at.min(text.len());
            let end = (at + length).min(text.len());
            text.splice(at..end, piece.into_bytes());
        }
        judged(&text)?;
    }

    /// Nothing that a plugin says keeps the station from starting.
    #[test]
    fn any_plugin_is_judged(
        changes in prop::collection::vec((0..PLUGIN.len(), 0..30_usize, piece()), 0..8),
        other in prop::collection::vec(piece(), 0..20),
    ) {
        let mut text = PLUGIN.as_bytes().to_vec();
        for (at, length, piece) in changes {
            let at = at.min(text.len());
            let end = (at + length).min(text.len());
            text.splice(at..end, piece.into_bytes());
        }
        let bench = Bench::new("{station: {workspace: ws}, profiles: {a: [film]}}").programs(&["a"]);
        bench.write("ws/plugins/a/plugin.yaml", text);
        bench.write("ws/plugins/b/plugin.yaml", format!("name: b\n{}", other.concat()));
        bench.write("ws/plugins/c/plugin.yaml", PLUGIN);
        let loaded = bench.load();
        prop_assert!(loaded.is_ok_and(|loaded| loaded.plugins.len() == 3));
    }

    /// So with any value for any variable and any `--set`.
    #[test]
    fn any_words_are_judged(text in ".{0,40}", pieces in prop::collection::vec(piece(), 0..12)) {
        let pieces = pieces.concat();
        let bench = Bench::new("device: {driver: grbl, port: /dev/a}")
            .env("STATIOND_DEVICES", &pieces)
            .env("STATIOND_HOOKS", &text)
            .set(&format!("devices[0].{text}={pieces}"))
            .set(&text)
            .set(&format!("{pieces}={text}"));
        if let Err(problems) = bench.load() {
            prop_assert!(problems.iter().any(|problem| problem.level == Level::Error));
        }
    }

    /// What `serde_yaml` writes, this reader takes for what it was.
    #[test]
    fn what_is_written_is_read(value in any_value()) {
        let text = serde_yaml::to_string(&value).unwrap();
        let read = document::parse(&text);
        prop_assert_eq!(read.as_ref().map(ours), Ok(value), "{}", text);
    }
}

fn judged(bytes: &[u8]) -> Result<(), TestCaseError> {
    let bench = Bench::new("");
    bench.write("s.yaml", bytes);
    match bench.load() {
        Ok(loaded) => prop_assert!(loaded.warnings.iter().all(|p| p.level == Level::Warning)),
        Err(problems) => {
            prop_assert!(problems.iter().any(|problem| problem.level == Level::Error));
            for problem in problems {
                prop_assert!(!problem.message.contains("invalid type"), "{problem}");
                prop_assert!(!problem.message.contains("missing field"), "{problem}");
            }
        }
    }
    Ok(())
}
