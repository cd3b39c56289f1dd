//! The acceptance cases: what real controllers of version 1.1h were seen to do.

use super::*;

struct Desk {
    machine: Grbl,
    now: Duration,
}

impl Desk {
    fn new() -> Self {
        let mut desk = Self { machine: Grbl::new(1.0, Faults::default()), now: Duration::ZERO };
        desk.machine.power_on(desk.now);
        assert_eq!(desk.said(), ["Grbl 1.1h ['$' for help]"]);
        desk
    }

    fn said(&mut self) -> Vec<String> {
        let mut out = Vec::new();
        self.machine.transmit(&mut out);
        let text = String::from_utf8(out).unwrap();
        text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }

    fn tell(&mut self, text: &str) -> Vec<String> {
        self.machine.receive(text.as_bytes(), self.now);
        self.said()
    }

    fn realtime(&mut self, byte: u8) -> Vec<String> {
        self.machine.receive(&[byte], self.now);
        self.said()
    }

    fn after(&mut self, milliseconds: u64) -> Vec<String> {
        self.now += Duration::from_millis(milliseconds);
        self.machine.advance(self.now);
        self.said()
    }

    fn is_at(&self, wanted: [f64; 3]) {
        let position = self.machine.planner.position;
        assert!(planner::distance(position, wanted) < 1e-9, "{position:?} is not {wanted:?}");
    }

    fn state(&mut self) -> String {
        let report = self.realtime(b'?');
        report[0][1..].split('|').next().unwrap().to_owned()
    }
}

#[test]
fn a_hold_in_motion_slows_down_then_stands_and_goes_on() {
    let mut desk = Desk::new();
    assert_eq!(desk.tell("G21G90\nG1X100F3000\n"), ["ok", "ok"]);
    desk.after(500);
    assert_eq!(desk.state(), "Run");
    desk.realtime(b'!');
    assert_eq!(desk.state(), "Hold:1");
    desk.after(1000);
    assert_eq!(desk.state(), "Hold:0");
    let held = desk.machine.planner.position[0];
    // 25 mm at 50 mm/s, and half a second's deceleration at 500 mm/s².
    assert!((held - 27.5).abs() < 0.01, "{held}");
    desk.after(10_000);
    assert!((desk.machine.planner.position[0] - held).abs() < 1e-9);
    desk.realtime(b'~');
    assert_eq!(desk.state(), "Run");
    desk.after(5000);
    assert_eq!(desk.state(), "Idle");
}

#[test]
fn a_reset_from_a_hold_keeps_the_position_and_does_not_lock() {
    let mut desk = Desk::new();
    desk.tell("G21G90\nG1X100F3000\n");
    desk.after(500);
    desk.realtime(b'!');
    desk.after(1000);
    assert_eq!(desk.realtime(0x18), ["Grbl 1.1h ['$' for help]"]);
    assert_eq!(desk.state(), "Idle");
    assert!(desk.machine.planner.position[0] > 25.0);
    assert_eq!(desk.tell("G0X0\n"), ["ok"]);
}

#[test]
fn a_reset_in_motion_locks_until_unlocked() {
    let mut desk = Desk::new();
    desk.tell("G21G90\nG1X100F3000\n");
    desk.after(500);
    let locked = ["ALARM:3", "Grbl 1.1h ['$' for help]", "[MSG:'$H'|'$X' to unlock]"];
    assert_eq!(desk.realtime(0x18), locked);
    assert_eq!(desk.state(), "Alarm");
    assert_eq!(desk.tell("G0X0\n"), ["error:9"]);
    assert_eq!(desk.tell("$X\n"), ["[MSG:Caution: Unlocked]", "ok"]);
    assert_eq!(desk.tell("G0X0\n"), ["ok"]);
}

#[test]
fn leaving_check_mode_starts_anew() {
    let mut desk = Desk::new();
    assert_eq!(desk.tell("$C\n"), ["[MSG:Enabled]", "ok"]);
    assert_eq!(desk.tell("G0X100\n"), ["ok"]);
    assert_eq!(desk.state(), "Check");
    assert_eq!(desk.tell("$C\n"), ["[MSG:Disabled]", "ok", "Grbl 1.1h ['$' for help]"]);
    assert_eq!(desk.machine.planner.drawing.total, 0);
}

#[test]
fn lines_are_answered_as_they_should_be() {
    let mut desk = Desk::new();
    assert_eq!(desk.tell("\n"), ["ok"]);
    assert_eq!(desk.tell("\r\n"), ["ok", "ok"]);
    assert_eq!(desk.tell(&format!("G0X{}\n", "0".repeat(87))), ["error:11"]);
    assert_eq!(desk.tell("G77\n"), ["error:20"]);
    assert_eq!(desk.tell("G1X5\n"), ["error:22"]);
    assert_eq!(desk.tell("GX\n"), ["error:2"]);
    assert_eq!(desk.tell("$Y\n"), ["error:3"]);
    assert_eq!(desk.tell("G2X10\n"), ["error:22"]);
    assert_eq!(desk.tell("G2X10F100\n"), ["error:35"]);
    assert_eq!(desk.tell("G2X10Y5I3J0F100\n"), ["error:33"]);
    let identity = ["[VER:1.1h.20190830:]", "[OPT:V,15,128]", "ok"];
    assert_eq!(desk.tell("$I\n"), identity);
    assert_eq!(desk.tell("$110=500\n"), ["ok"]);
}

#[test]
fn a_jog_can_be_cancelled() {
    let mut desk = Desk::new();
    assert_eq!(desk.tell("$J=G91X100F1000\n"), ["ok"]);
    assert_eq!(desk.state(), "Jog");
    assert_eq!(desk.tell("$J=G91Y1F1000\n"), ["ok"], "another may follow");
    assert_eq!(desk.tell("$H\n"), ["error:8"], "nothing else");
    desk.after(100);
    desk.realtime(0x85);
    assert_eq!(desk.state(), "Idle");
    assert_eq!(desk.tell("G0X0\n"), ["ok"]);
}

#[test]
fn the_planner_takes_fifteen_moves_and_the_ring_127_bytes() {
    let mut desk = Desk::new();
    desk.tell("G21G91F60\n");
    let mut oks = 0;
    for _ in 0..16 {
        oks += desk.tell("G1X1\n").len();
    }
    assert_eq!(oks, 15, "the sixteenth waits for room");
    assert_eq!(desk.realtime(b'?')[0].split('|').nth(2), Some("Bf:0,127"));
    desk.tell(&"x".repeat(127));
    assert_eq!(desk.machine.drawing().overflows, 0);
    desk.tell("x");
    assert_eq!(desk.machine.drawing().overflows, 1);
    assert_eq!(desk.after(1001), ["ok"]);
}

#[test]
fn offsets_and_homes_are_kept_apart() {
    let mut desk = Desk::new();
    desk.tell("G21G90\nG0X10Y10\nG10L20P1X0Y0\nG0X5Y5\n");
    desk.after(2000);
    desk.is_at([15.0, 15.0, 0.0]);
    desk.tell("G28.1\nG0X50\nG28\nG53G0X1\n");
    desk.after(10_000);
    desk.is_at([1.0, 15.0, 0.0]);
    desk.tell("$H\n");
    assert_eq!(desk.state(), "Home");
    assert_eq!(desk.after(10_000), ["ok"]);
    desk.is_at([0.0; 3]);
}

#[test]
fn a_dwell_waits_for_the_motion_before_it() {
    let mut desk = Desk::new();
    assert_eq!(desk.tell("G21G90\nG1X50F3000\nG4P2\n"), ["ok", "ok"]);
    assert_eq!(desk.after(2900), [""; 0]);
    assert_eq!(desk.after(200), ["ok"]);
}

#[test]
fn an_arc_is_round() {
    let mut desk = Desk::new();
    let mut machine = Grbl::new(0.0, Faults::default());
    machine.receive(b"G21G90\nG0X10Y0\nG3X-10Y0I-10J0F600\nG3X10Y0R10\n", Duration::ZERO);
    let moves = &machine.drawing().moves;
    assert!(moves.len() > 100);
    assert!(moves.iter().skip(1).all(|to| (to.to[0].hypot(to.to[1]) - 10.0).abs() < 1e-6));
    assert!(moves.iter().any(|to| to.to[1] > 9.99) && moves.iter().any(|to| to.to[1] < -9.99));
    assert_eq!(desk.state(), "Idle");
}
