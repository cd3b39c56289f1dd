//! The acceptance cases: what the sources say and what boards were seen to do.

use super::*;

struct Desk {
    machine: Marlin,
    now: Duration,
}

impl Desk {
    fn new() -> Self {
        Self::with(Dialect::default(), Faults::default())
    }

    fn with(dialect: Dialect, faults: Faults) -> Self {
        let mut desk = Self { machine: Marlin::with(1.0, faults, dialect), now: Duration::ZERO };
        desk.machine.power_on(desk.now);
        assert_eq!(desk.said()[..2], ["start", "Marlin 2.1.2.1"]);
        desk
    }

    fn said(&mut self) -> Vec<String> {
        let mut out = Vec::new();
        self.machine.transmit(&mut out);
        String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
    }

    fn tell(&mut self, text: &str) -> Vec<String> {
        self.machine.receive(text.as_bytes(), self.now);
        self.said()
    }

    fn numbered(&mut self, number: u32, text: &str) -> Vec<String> {
        let line = numbered(number, text);
        self.tell(&line)
    }

    fn after(&mut self, milliseconds: u64) -> Vec<String> {
        self.now += Duration::from_millis(milliseconds);
        self.machine.advance(self.now);
        self.said()
    }

    fn x(&self) -> f64 {
        self.machine.planner.position[0]
    }
}

fn numbered(number: u32, text: &str) -> String {
    let line = format!("N{number} {text}");
    let sum = line.bytes().fold(0, |sum, byte| sum ^ byte);
    format!("{line}*{sum}\n")
}

#[test]
fn numbers_and_checksums_are_kept_and_asked_for_again() {
    assert_eq!(numbered(0, "M110 N0"), "N0 M110 N0*125\n");
    let mut desk = Desk::new();
    assert_eq!(desk.tell("N0 M110 N0*125\n"), ["ok"]);
    assert_eq!(desk.numbered(1, "G21"), ["ok"]);
    let skipped = ["Error:Line Number is not Last Line Number+1, Last Line: 1", "Resend: 2"];
    assert_eq!(desk.numbered(3, "G21"), skipped);
    assert_eq!(desk.tell("N2 G21*1\n"), ["Error:checksum mismatch, Last Line: 1", "Resend: 2"]);
    let bare = ["Error:No Checksum with line number, Last Line: 1", "Resend: 2"];
    assert_eq!(desk.tell("N2 G21\n"), bare);
    assert_eq!(desk.numbered(2, "G21"), ["ok"]);
    assert_eq!(desk.numbered(2, "G21")[1], "Resend: 3", "a line is never carried out twice");
    assert_eq!(desk.tell("G21 ; without a number\n\n"), ["ok"]);
    assert_eq!(desk.numbered(9, "M110 N100"), ["ok"], "M110 may be out of order");
    assert_eq!(desk.numbered(101, "G21"), ["ok"]);
}

#[test]
fn a_refused_line_takes_the_rest_of_the_ring_with_it() {
    // Paced byte by byte nothing waits; while a line is carried out, all that comes does.
    let mut desk = Desk::new();
    assert!(desk.numbered(1, "G4 P100").is_empty());
    let rest = format!("{}{}", "N2 G21*0\n", numbered(3, "G90"));
    assert!(desk.tell(&rest).is_empty());
    let said = desk.after(200);
    assert_eq!(said, ["ok", "Error:checksum mismatch, Last Line: 1", "Resend: 2"]);
}

#[test]
fn older_boards_say_ok_after_a_request_to_send_again() {
    let mut desk = Desk::with(Dialect::old(), Faults::default());
    assert_eq!(desk.tell("N1 G21*0\n")[1..], ["Resend: 1", "ok"]);
    let twice = Dialect { oks_after_resend: 2, ..Dialect::default() };
    let mut desk = Desk::with(twice, Faults::default());
    assert_eq!(desk.tell("N1 G21*0\n")[1..], ["Resend: 1", "ok", "ok"]);
}

#[test]
fn room_is_told_by_boards_that_do() {
    let mut desk = Desk::with(Dialect::advanced(), Faults::default());
    assert_eq!(desk.numbered(1, "G21"), ["ok N1 P15 B3"]);
    assert_eq!(desk.tell("G1 X100 F600\n"), ["ok P14 B3"]);
    assert!(desk.tell("M105\n")[0].starts_with("ok T:21.00 /0.00 B:21.00 /0.00 @:0 B@:0"));
}

#[test]
fn the_planner_takes_fifteen_moves_the_queue_four_lines_and_the_ring_127_bytes() {
    let mut desk = Desk::new();
    let mut oks = 0;
    for x in 1..=16 {
        oks += desk.tell(&format!("G1 X{x} F60\n")).len();
    }
    assert_eq!(oks, 15, "the sixteenth waits for room");
    desk.tell(&"x".repeat(127));
    assert_eq!(desk.machine.drawing().overflows, 0, "nothing is read meanwhile");
    desk.tell("x");
    assert_eq!(desk.machine.drawing().overflows, 1);
    assert_eq!(desk.after(1100), ["ok"]);
}

#[test]
fn it_says_that_it_is_busy_and_that_it_waits() {
    let dialect = Dialect { wait_every: Some(Duration::from_secs(1)), ..Dialect::default() };
    let mut desk = Desk::with(dialect, Faults::default());
    assert_eq!(desk.after(1000), ["wait"]);
    assert!(desk.tell("G4 S5\n").is_empty());
    assert_eq!(desk.after(4900), ["echo:busy: processing", "echo:busy: processing"]);
    assert_eq!(desk.after(200), ["ok"]);
    assert_eq!(desk.after(1000), ["wait"]);
}

#[test]
fn heaters_take_their_time_and_are_reported() {
    let mut desk = Desk::new();
    assert_eq!(desk.tell("M104 S50\nM155 S3\n"), ["ok", "ok"]);
    assert_eq!(desk.after(3000), [" T:36.00 /50.00 B:21.00 /0.00 @:127 B@:0"]);
    assert!(desk.tell("M109 S50\n").is_empty());
    let said = desk.after(2500);
    assert_eq!(said[0], " T:41.00 /50.00 B:21.00 /0.00 @:127 B@:0 W:?");
    assert!(said.contains(&"echo:busy: processing".to_owned()));
    assert!(desk.after(200).contains(&"ok".to_owned()), "within a degree");
    // M108 ends the wait, by the emergency parser.
    assert!(desk.tell("M190 S90\n").is_empty());
    assert_eq!(desk.tell("M108\n"), ["ok", "ok"]);
}

#[test]
fn a_quick_stop_ends_motion_and_throws_away_what_comes_in_the_next_second() {
    let mut desk = Desk::new();
    assert_eq!(desk.tell("G1 X100 F3000\nG1 X200\n"), ["ok", "ok"]);
    desk.after(500);
    let stopped = desk.x();
    assert!((20.0..26.0).contains(&stopped));
    assert!(desk.tell("M410\n").is_empty());
    assert!(desk.tell("G1 X0\n").is_empty());
    assert_eq!(desk.after(1100), ["ok", "ok"], "its own answer comes when it is over");
    desk.after(5000);
    assert!(desk.x() < 1e-9, "moves are made again");
    // Without the parser nobody reads while a line waits.
    let mut old = Desk::with(Dialect::old(), Faults::default());
    assert!(old.tell("G1 X100 F3000\nM400\nM410\n").len() == 1);
    old.after(1000);
    assert!(old.x() > 45.0);
}

#[test]
fn m112_kills_for_good() {
    for (dialect, line) in [(Dialect::default(), "N5 M112\n"), (Dialect::old(), "M112\n")] {
        let mut desk = Desk::with(dialect, Faults::default());
        desk.tell("G1 X100 F3000\nM104 S200\n");
        desk.after(500);
        assert_eq!(desk.tell(line), ["Error:Printer halted. kill() called!"]);
        let at = desk.x();
        assert!(desk.tell("M105\n").is_empty());
        assert!(desk.after(5000).is_empty());
        assert!((desk.x() - at).abs() < 1e-9);
        desk.machine.power_on(desk.now);
        assert_eq!(desk.tell("M105\n")[0], "start");
    }
}

#[test]
fn m0_waits_for_a_person() {
    let mut desk = Desk::new();
    assert_eq!(desk.tell("G1 X30 F600\nM0\n"), ["ok"]);
    let said = desk.after(6500);
    assert_eq!(said[0], "echo:busy: processing", "motion ends first");
    assert_eq!(said.last().unwrap(), "echo:busy: paused for user");
    assert_eq!(desk.tell("M108\n"), ["ok", "ok"]);
}

#[test]
fn positions_are_told_as_planned_and_as_they_are() {
    let mut desk = Desk::new();
    desk.tell("G1 X100 F3000\n");
    desk.after(1025);
    let said = desk.tell("M114\n");
    assert_eq!(said, ["X:100.00 Y:0.00 Z:0.00 E:0.00 Count X:4000 Y:0 Z:0", "ok"]);
    desk.after(2000);
    assert_eq!(desk.tell("G92 X0\nG91\nG1 X-5\nM114\n").len(), 5);
    desk.after(1000);
    assert!((desk.x() - 95.0).abs() < 1e-9);
    assert!(desk.tell("G28 X\n").is_empty());
    assert_eq!(desk.after(5000), ["ok"]);
    assert!(desk.x().abs() < 1e-9);
}

#[test]
fn what_it_does_not_know_it_says_and_acknowledges() {
    let mut desk = Desk::new();
    assert_eq!(desk.tell("G77 X1\n"), ["echo:Unknown command: \"G77 X1\"", "ok"]);
    assert_eq!(desk.tell("5 G1 X1*33\n"), ["echo:Unknown command: \"5 G1 X1\"", "ok"]);
    assert_eq!(desk.tell("M118 A1 action:pause\n"), ["//action:pause", "ok"]);
    let who = desk.tell("M115\n");
    assert!(who[0].starts_with("FIRMWARE_NAME:Marlin 2.1.2.1 "));
    assert!(who.contains(&"Cap:EMERGENCY_PARSER:1".to_owned()));
    assert_eq!(who.last().unwrap(), "ok");
}

#[test]
fn an_arc_is_round_and_an_extruding_move_draws() {
    let mut machine = Marlin::new(0.0, Faults::default());
    let lines = "G0 X10 Y0\nG3 X-10 Y0 I-10 J0 F600\nG3 X10 Y0 R10\nG2 X10 Y0 I-10\n";
    machine.receive(lines.as_bytes(), Duration::ZERO);
    let moves = &machine.drawing().moves;
    assert!(moves.iter().all(|to| (to.to[0].hypot(to.to[1]) - 10.0).abs() < 1e-9), "{moves:?}");
    assert!(moves.iter().any(|to| to.to[1] > 9.9) && moves.iter().any(|to| to.to[1] < -9.9));
    assert!(!moves[0].draw && moves[1].draw);
    let mut printer = Marlin::new(0.0, Faults::default());
    printer.receive(b"M83\nG1 X10 E1\nG1 X20\nG1 E-1\nG1 X30 E2\n", Duration::ZERO);
    let drawn: Vec<bool> = printer.drawing().moves.iter().map(|to| to.draw).collect();
    assert_eq!(drawn, [true, false, false, true]);
}

#[test]
fn faults_are_what_they_say() {
    let faults = Faults {
        late_ok: Some((2, Duration::from_secs(3))),
        storm_at_line: Some(4),
        alarm_at_line: Some((6, 0)),
        error_at_line: Some((3, 7)),
        ..Faults::default()
    };
    let mut desk = Desk::with(Dialect::default(), faults);
    assert_eq!(desk.numbered(1, "G21"), ["ok"]);
    assert!(desk.numbered(2, "G21").is_empty());
    assert!(desk.numbered(3, "G21").is_empty(), "nothing overtakes it");
    assert_eq!(desk.after(3000), ["ok", "Error:simulated error 7", "ok"]);
    assert_eq!(desk.numbered(4, "G21")[1], "Resend: 4");
    assert_eq!(desk.numbered(4, "G21")[1], "Resend: 4");
    assert_eq!(
        desk.tell("G21\nG90\nG28\n").last().unwrap(),
        "Error:Printer halted. kill() called!"
    );
}
