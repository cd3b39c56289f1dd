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

/// The values as `serde_yaml` would have them.
fn value(yaml: &Yaml) -> Value {
    match &yaml.content {
        Content::Scalar(value) => value.clone(),
        Content::List(items) => Value::Sequence(items.iter().map(value).collect()),
        Content::Map(entries) => Value::Mapping(
            entries
                .iter()
                .map(|(name, below)| (document::plain(&name.text), value(below)))
                .collect(),
        ),
    }
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

    /// Where this reader and `serde_yaml` both take a document, they take it for the same.
    #[test]
    fn the_two_readers_agree(pieces in prop::collection::vec(piece(), 0..12)) {
        let text = pieces.concat();
        let tagged = text.contains('!');
        if let (Ok(ours), Ok(theirs), false) =
            (document::parse(&text), serde_yaml::from_str::<Value>(&text), tagged)
        {
            prop_assert_eq!(format!("{:?}", value(&ours)), format!("{theirs:?}"));
        }
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
