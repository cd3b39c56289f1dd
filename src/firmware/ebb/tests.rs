//! What the documentation says of the board.

use super::*;

struct Desk {
    machine: Ebb,
    now: Duration,
}

impl Desk {
    fn new(version: EbbVersion) -> Self {
        let machine = Ebb::with_version(1.0, Faults::default(), version);
        let mut desk = Self { machine, now: Duration::ZERO };
        desk.machine.power_on(desk.now);
        desk
    }

    fn future() -> Self {
        let mut desk = Self::new(EbbVersion::V3);
        assert_eq!(desk.tell("CU,10,1\r"), "\n");
        desk
    }

    fn said(&mut self) -> String {
        let mut out = Vec::new();
        self.machine.transmit(&mut out);
        String::from_utf8(out).unwrap()
    }

    fn tell(&mut self, text: &str) -> String {
        self.machine.receive(text.as_bytes(), self.now);
        self.said()
    }

    fn after(&mut self, milliseconds: u64) -> String {
        self.now += Duration::from_millis(milliseconds);
        self.machine.advance(self.now);
        self.said()
    }
}

#[test]
fn the_old_syntax_is_as_unsystematic_as_it_is() {
    let mut desk = Desk::new(EbbVersion::V2);
    assert_eq!(desk.tell("v\r"), "EBBv13_and_above EB Firmware Version 2.8.1\r\n");
    assert_eq!(desk.tell("QS\r"), "0,0\n\rOK\r\n");
    assert_eq!(desk.tell("QM\r"), "QM,0,0,0,0\n\r");
    assert_eq!(desk.tell("QG\r"), "10\r\n");
    assert_eq!(desk.tell("QC\r"), "0394,0300\r\nOK\r\n");
    assert_eq!(desk.tell("QP\r"), "1\n\rOK\r\n");
    assert_eq!(desk.tell("ES\r"), "0\n\rOK\r\n");
    assert_eq!(desk.tell("CU,10,1\r"), "OK\r\n");
    assert_eq!(desk.tell("QU,2\r"), "!8 Err: Unknown command 'QU:5155'\r\n");
    assert_eq!(desk.tell("ST,East EBB\rQT\r"), "OK\r\nEast EBB\r\nOK\r\n");
    assert_eq!(desk.tell("SM,1,26,0\r"), "!0 Err: <axis1> step rate too high\r\n");
}

#[test]
fn the_new_syntax_names_what_it_answers() {
    let mut desk = Desk::future();
    assert_eq!(desk.tell("SM,100,10,5\r"), "SM\n");
    assert_eq!(desk.tell("QS\r"), "QS,0,0\n");
    assert_eq!(desk.tell("SM,100\r"), "SM,!4 Err: Missing parameter(s)\n");
    assert_eq!(desk.tell("SM,100A\r"), "SM,!5 Err: Need comma next, found: 'A'\n");
    assert_eq!(desk.tell("TP,-1\r"), "TP,!6 Err: Invalid parameter value\n");
    assert_eq!(desk.tell("SM,1,1,1,0,0\r"), "SM,!7 Err: Extra parameter\n");
    assert_eq!(desk.tell("BB\r"), "BB,!8 Err: Unknown command 'BB:4242'\n");
    assert_eq!(desk.tell("SL,77,3\rQL,3\r"), "SL\nQL,77\n");
    assert_eq!(desk.tell("CU,10,0\r"), "CUOK\r\n");
}

#[test]
fn the_third_move_blocks_the_parser_and_even_a_stop_waits_behind_it() {
    let mut desk = Desk::future();
    assert_eq!(desk.tell("SM,1000,800,800\rSM,1000,800,800\r"), "SM\nSM\n");
    assert_eq!(desk.tell("QG\r"), "QG,1F\n");
    assert_eq!(desk.tell("SM,1000,800,800\rES\r"), "");
    assert_eq!(desk.after(999), "");
    assert_eq!(desk.after(2), "SM\nES,1\n");
    assert_eq!(desk.tell("QM\rQS\r"), "QM,0,0,0,0\nQS,800,800\n");
    let last = desk.machine.drawing().moves.back().unwrap();
    assert_eq!((last.to, last.draw), ([10.0, 0.0, 1.0], false));
}

#[test]
fn a_stop_at_once_keeps_the_steps_that_were_made() {
    let mut desk = Desk::future();
    desk.tell("SP,0,100\rSM,1000,800,-800\r");
    desk.after(600);
    assert_eq!(desk.tell("ES\rQS\r"), "ES,1\nQS,400,-400\n");
    let last = desk.machine.drawing().moves.back().unwrap();
    assert_eq!((last.to, last.draw), ([0.0, 5.0, 0.0], true));
    assert_eq!(desk.tell("EM,0,0\rQS\rQE\r"), "EM\nQS,0,0\nQE,0,0\n");
}

#[test]
fn a_longer_queue_takes_more() {
    let mut desk = Desk::future();
    assert_eq!(desk.tell("QU,2\rCU,4,5\rQU,3\r"), "QU,32\nCU\nQU,5\n");
    assert_eq!(desk.tell(&"SM,10,8,8\r".repeat(7)), "SM\n".repeat(6));
    assert_eq!(desk.after(11), "SM\n");
}

#[test]
fn low_level_moves_take_the_time_of_the_documentation() {
    // Examples 6 and 7 of `LM`: 77 ms and 500 ms.
    for (line, least, most) in [
        ("LM,42950000,50,13400,0,0,0,3\r", 75, 79),
        ("LM,17179000,75,-687,8592000,75,687,3\r", 498, 506),
        ("LM,85899346,10,0,17180814,2,0,3\r", 9, 11),
        ("LT,12500,17179000,-687,8592000,687,3\r", 499, 501),
    ] {
        let mut desk = Desk::future();
        desk.tell(line);
        assert_eq!(desk.after(least).len() + desk.tell("QG\r").len(), 6);
        desk.tell("QG\r");
        assert!(desk.machine.machine.is_executing(), "{line} is over too early");
        desk.after(most - least);
        assert!(!desk.machine.machine.is_executing(), "{line} takes too long");
        assert_eq!(desk.machine.strain().0, 0);
    }
    let mut desk = Desk::future();
    desk.tell("LT,12500,17179000,-687,8592000,687,3\r");
    desk.after(501);
    assert_eq!(desk.tell("QS\r"), "QS,75,75\n");
    desk.tell("LM,1000,100,-1,0,0,0,3\r");
    assert_eq!(desk.machine.strain().0, 1);
}

#[test]
fn home_is_where_the_motors_were_switched_on() {
    let mut desk = Desk::future();
    desk.tell("XM,100,80,40\r");
    desk.after(200);
    assert_eq!(desk.tell("QS\rHM,1000\r"), "QS,120,40\nHM\n");
    desk.after(200);
    assert_eq!(desk.tell("QS\r"), "QS,0,0\n");
}
