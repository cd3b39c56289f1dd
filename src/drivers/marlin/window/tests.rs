//! Windows by hand.

use super::*;

fn sent(window: &mut Window, lines: u64) -> String {
    let mut out = Vec::new();
    for line in 1..=lines {
        window.send(b"G1", Tag::File(line), &mut out);
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn lines_have_numbers_and_checksums() {
    let mut window = Window::default();
    assert_eq!(sent(&mut window, 2), "N1 G1*41\nN2 G1*42\n");
    assert_eq!(window.length(b"G1"), "N3 G1*255".len());
}

#[test]
fn one_line_is_under_way_unless_the_machine_says_that_it_takes_more() {
    let mut window = Window::default();
    assert!(window.admits(90));
    sent(&mut window, 1);
    assert!(!window.admits(5));
    window.set_slots(4);
    assert!(window.admits(20) && !window.admits(95));
    sent(&mut window, 3);
    assert!(!window.admits(1));
    assert_eq!(window.acknowledge(Some(3)), 3, "those before it too");
    assert_eq!(window.acknowledge(Some(2)), 0, "once is enough");
    assert_eq!(window.acknowledge(None), 1);
    assert_eq!(window.acknowledge(None), 0, "one too many");
}

#[test]
fn nothing_is_sent_behind_what_may_wait() {
    let mut window = Window::default();
    window.set_slots(4);
    let mut out = Vec::new();
    for (line, admits) in
        [("G1 X1", true), ("g02X1I5", true), ("G4 S1", false), ("G28", false), ("M5", false)]
    {
        window.send(line.as_bytes(), Tag::File(1), &mut out);
        assert_eq!(window.admits(10), admits, "{line}");
        window.acknowledge(None);
    }
}

#[test]
fn what_is_asked_for_is_sent_again_and_nothing_else() {
    let mut window = Window::default();
    sent(&mut window, 5);
    assert_eq!(window.acknowledge(Some(3)), 3);
    let mut out = Vec::new();
    window.send_bare(b"M108", Tag::Urgent, &mut out);
    assert_eq!(
        window.rewind_to(3),
        Rewound::To { taken_back: 1, acknowledged: 0 },
        "an acknowledgement can have been another line's"
    );
    assert!(!window.has(Tag::Urgent));
    out.clear();
    assert!(window.send_again(&mut out), "one at a time");
    assert_eq!(out, b"N3 G1*43\n");
    assert_eq!(window.rewind_to(6), Rewound::To { taken_back: 0, acknowledged: 3 });
    assert!(window.is_empty());
    assert_eq!(window.rewind_to(7), Rewound::Unknown);
    assert_eq!(window.rewind_to(0), Rewound::Unknown);
}

#[test]
fn lines_that_nobody_will_ask_for_are_forgotten() {
    let mut window = Window::default();
    for _ in 0..1000 {
        sent(&mut window, 1);
        window.acknowledge(None);
    }
    assert_eq!(window.lines.len(), KEPT);
    assert_eq!(window.rewind_to(1000 - 64), Rewound::Unknown);
    assert_eq!(window.rewind_to(1000 - 63), Rewound::To { taken_back: 64, acknowledged: 0 });
}
