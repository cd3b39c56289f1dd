//! What comes next, with stops and what is left out.

use std::time::Duration;

use super::*;
use crate::drivers::Plotter;

fn options() -> Options {
    Options {
        timeout: Duration::from_secs(1),
        start_lines: vec!["begin".to_owned(), "; nothing".to_owned()],
        end_lines: vec!["end".to_owned()],
        on_stop: Vec::new(),
        plotter: Plotter::default(),
    }
}

fn stop(line: u64, instead: bool) -> StopPoint {
    StopPoint { line, instead, message: format!("stop {line}"), layer_end: None }
}

fn layer(line: u64, end: u64) -> StopPoint {
    StopPoint { layer_end: Some(end), ..stop(line, false) }
}

/// Everything in order; at a stop `at_stop` decides.
fn all(start: Start, file: &str, mut at_stop: impl FnMut(&mut Feed)) -> Vec<String> {
    let mut feed = Feed::new(start, Dialect::Gcode);
    let (mut said, options) = (Vec::new(), options());
    feed.supply(file.as_bytes());
    feed.finish();
    loop {
        match feed.next(&options) {
            Next::Line(origin) => {
                assert_eq!(feed.next(&options), Next::Line(origin), "the same until taken");
                said.push(match origin {
                    Origin::File(number) => {
                        format!("{number} {}", String::from_utf8_lossy(feed.line()))
                    }
                    _ => String::from_utf8_lossy(feed.line()).into_owned(),
                });
                feed.take();
            }
            Next::Stop(message) => {
                said.push(message);
                feed.take();
                assert!(feed.is_at_stop(), "nobody passes a stop by taking it");
                at_stop(&mut feed);
            }
            Next::Fail(..) | Next::Wait => unreachable!("the file is whole"),
            Next::End => {
                assert!(feed.is_over());
                return said;
            }
        }
    }
}

#[test]
fn a_line_without_an_end_is_waited_for_however_long_it_is() {
    for length in [1, MAX_RAW_LINE, MAX_RAW_LINE + 1] {
        let options = Options { start_lines: Vec::new(), ..options() };
        let mut feed = Feed::new(Start::default(), Dialect::Gcode);
        feed.supply(&vec![b'X'; length]);
        assert_eq!(feed.next(&options), Next::Wait);
        assert!(feed.wants_file(), "a job of {length} bytes waits for ever");
        feed.finish();
        match feed.next(&options) {
            Next::Line(Origin::File(1)) => assert!(length <= MAX_RAW_LINE),
            Next::Fail(1, _) => assert!(length > MAX_RAW_LINE),
            next => panic!("{next:?}"),
        }
    }
}

const FILE: &str = "A1\n\nB2 ; two\nC3\nD4\n";

#[test]
fn scripts_stand_around_the_file() {
    let said = all(Start::default(), FILE, |_| ());
    assert_eq!(said, ["begin", "1 A1", "3 B2", "4 C3", "5 D4", "end"]);
}

#[test]
fn a_resumed_job_has_its_preamble_and_leaves_out_what_is_done() {
    let start = Start {
        preamble: Some(vec!["back".to_owned()]),
        skip: 2,
        stops: vec![stop(3, false), stop(5, false)],
    };
    let said = all(start, FILE, Feed::pass);
    assert_eq!(said, ["back", "4 C3", "stop 5", "5 D4", "end"]);
}

#[test]
fn a_stop_comes_before_its_line_or_instead_of_it() {
    let start = Start { stops: vec![stop(3, true), stop(4, false)], ..Start::default() };
    let mut passed = Vec::new();
    let said = all(start, FILE, |feed| {
        feed.pass();
        passed.push(feed.passed());
    });
    assert_eq!(said, ["begin", "1 A1", "stop 3", "stop 4", "4 C3", "5 D4", "end"]);
    assert_eq!(passed, [Some((1, 3)), None]);
}

#[test]
fn a_layer_that_is_skipped_ends_where_the_next_begins_or_with_the_file() {
    let drop = |feed: &mut Feed| assert!(feed.drop_layer());
    let drop_all = |stops| all(Start { stops, ..Start::default() }, FILE, drop);
    let said = drop_all(vec![layer(1, 4), layer(4, 6)]);
    assert_eq!(said, ["begin", "stop 1", "stop 4", "end"]);
    let said = drop_all(vec![layer(3, 5)]);
    assert_eq!(said, ["begin", "1 A1", "stop 3", "5 D4", "end"], "none is asked for at line 5");
    let said = drop_all(vec![layer(1, 4)]);
    assert_eq!(said, ["begin", "stop 1", "4 C3", "5 D4", "end"]);
}

#[test]
fn nothing_is_left_out_where_no_layer_begins() {
    let start = Start { stops: vec![stop(3, true)], ..Start::default() };
    let said = all(start, FILE, |feed| {
        assert!(!feed.drop_layer() && feed.is_at_stop());
        feed.pass();
    });
    assert_eq!(said, ["begin", "1 A1", "stop 3", "4 C3", "5 D4", "end"]);
}
