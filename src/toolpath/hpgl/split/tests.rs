//! How files are cut.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

fn of(chunks: &[&[u8]]) -> Vec<(u64, String)> {
    let mut splitter = Splitter::new();
    let (mut lines, mut line) = (Vec::new(), Vec::new());
    let mut all = |splitter: &mut Splitter| {
        loop {
            match splitter.next_line(&mut line) {
                Next::Line(number) => {
                    lines.push((number, String::from_utf8_lossy(&line).into_owned()));
                }
                Next::TooLong(number) => lines.push((number, "too long".to_owned())),
                Next::More | Next::End => return,
            }
        }
    };
    for chunk in chunks {
        splitter.supply(chunk);
        all(&mut splitter);
    }
    splitter.finish();
    all(&mut splitter);
    lines
}

fn texts(text: &[u8]) -> Vec<String> {
    of(&[text]).into_iter().map(|(_, line)| line).collect()
}

#[test]
fn nothing_in_a_text_changes_how_the_plotter_speaks() {
    assert_eq!(texts(b"LBa\x1b.Kb\x03PU;"), ["LBa.Kb\x03", "PU;"]);
    assert_eq!(texts(b"DT\x1bLBa\x1b.KPU;LBb"), ["DT;", "LBa\x03", ".KPU;", "LBb\x03"]);
    assert_eq!(texts(b"SM\x1bDT\xffLBa\xffPD;"), ["SM;", "DT;", "LBa\x03", "PD;"]);
}

#[test]
fn instructions_are_found_with_any_separators() {
    for text in [
        &b"IN;SP1;PU100,200;PD300,-400;"[..],
        b"IN SP1 PU 100 200 PD 300 -400",
        b"insp1pu100,200pd300-400",
        b"IN;\r\nSP 1;\r\nPU\r\n100,\r\n200;\nPD300 , -400 ; ",
        b"\x1b.(IN;\x1b.I81;;17:SP1;\x1b.N;19:PU100,200;PD300,-400;\x1b.)",
        b"\x1b%0BIN;SP1;PU100,200;PD300,-400;\x1b%0A\x1bE",
        b" ; ;IN;SP1;PU100,200,;;PD300,-400",
    ] {
        assert_eq!(texts(text), ["IN;", "SP1;", "PU100,200;", "PD300,-400;"], "{text:?}");
    }
}

#[test]
fn what_is_no_instruction_comes_as_it_stands() {
    assert_eq!(texts(b"PU;PDabc;PU"), ["PU;", "PD;", "AB;", "C;", "PU;"]);
    assert_eq!(texts(b"PU1,2#3,4;PD"), ["PU1,2;", "#3,4;", "PD;"]);
    assert_eq!(texts(b"IN;100,200;PD"), ["IN;", "100,200;", "PD;"]);
    assert_eq!(texts(b"!ST1;@\nPD5,5;P"), ["!ST1;", "@;", "PD5,5;", "P;"]);
    assert_eq!(texts("PU;ü\x1b.K1:PD".as_bytes()), ["PU;", "??;", "PD;"]);
    assert_eq!(texts(b"P D1,1;PU"), ["P;", "D1,1;", "PU;"]);
    let long = format!("#{};PU;", "x".repeat(9000));
    assert_eq!(of(&[long.as_bytes()])[0], (1, "too long".to_owned()));
}

#[test]
fn labels_are_kept_whole() {
    assert_eq!(texts(b"LBPU 1;\x03PU;"), ["LBPU 1;\x03", "PU;"]);
    assert_eq!(texts(b"DT#;LBa;b#PU"), ["DT#;", "LBa;b#", "PU;"]);
    assert_eq!(texts(b"DT#;DT;LBa#\x03PU"), ["DT#;", "DT;", "LBa#\x03", "PU;"]);
    assert_eq!(texts(b"SMA;SM;PU;"), ["SMA;", "SM;", "PU;"]);
    assert_eq!(texts(b"CO\"no PU here\";PD;"), ["PD;"]);
    assert_eq!(texts(b"LBno end"), ["LBno end\x03"]);
}

#[test]
fn a_move_to_very_many_points_is_cut() {
    let mut text = String::from("PD");
    for point in 0..100_000 {
        let _ = write!(text, "{point},{},", point + 1);
    }
    let lines = of(&[text.as_bytes()]);
    assert_eq!(lines.len(), 100_000 / MAX_PAIRS);
    assert!(lines.iter().all(|(number, line)| *number == 1 && line.len() < 128));
    assert_eq!(lines[1].1, "PD8,9,9,10,10,11,11,12,12,13,13,14,14,15,15,16;");
    // No more than that is ever held back.
    let mut splitter = Splitter::new();
    let mut line = Vec::new();
    splitter.supply(&text.as_bytes()[..50_000]);
    while splitter.next_line(&mut line) != Next::More {}
    assert_eq!(splitter.waiting(), 0);
}

#[test]
fn what_is_too_long_is_reported_once() {
    let text =
        format!("LB{}\x03PU;VS{};PU;PU{};PD;", "x".repeat(9000), "1,".repeat(99), "1".repeat(99));
    assert_eq!(texts(text.as_bytes()), ["too long", "PU;", "too long", "PU;", "too long", "PD;"]);
}

proptest! {
    /// It makes no difference how a file is cut into pieces, and no piece is long.
    #[test]
    fn pieces_make_no_difference(
        text in proptest::collection::vec(
            prop_oneof![any::<u8>(), Just(b';'), Just(b','), Just(ESC), b'0'..=b'9', b'A'..=b'Z'],
            0..200),
        cut in 0_usize..200,
    ) {
        let (head, tail) = text.split_at(cut.min(text.len()));
        let whole = of(&[&text]);
        prop_assert_eq!(&whole, &of(&[head, tail]));
        prop_assert!(whole.iter().all(|(_, line)| line.len() <= MAX_RAW_LINE + 2 && line.len() >= 2));
    }
}
