//! What the manuals say of the plotter.
#![expect(clippy::float_cmp, reason = "a machine stands on whole steps")]

use super::*;

struct Desk {
    machine: Hpgl,
    now: Duration,
}

impl Desk {
    fn new() -> Self {
        let mut desk = Self { machine: Hpgl::new(1.0, Faults::default()), now: Duration::ZERO };
        desk.machine.power_on(desk.now);
        desk
    }

    fn tell(&mut self, text: &str) -> String {
        self.machine.receive(text.as_bytes(), self.now);
        self.said()
    }

    fn said(&mut self) -> String {
        let mut out = Vec::new();
        self.machine.transmit(&mut out);
        String::from_utf8(out).unwrap()
    }

    fn after(&mut self, milliseconds: u64) -> String {
        self.now += Duration::from_millis(milliseconds);
        self.machine.advance(self.now);
        self.said()
    }

    fn drawn(&self) -> Vec<([f64; 2], bool)> {
        let moves = &self.machine.drawing().moves;
        moves.iter().map(|to| ([to.to[0], to.to[1]], to.draw)).collect()
    }
}

#[test]
fn device_control_acts_at_once_and_takes_no_room() {
    let mut desk = Desk::new();
    assert_eq!(desk.tell("\x1b.B"), "1024\r");
    assert_eq!(desk.tell("\x1b.L\x1b.O\x1b.E"), "1024\r8\r0\r");
    desk.tell("PU4000,4000;PD0,0;");
    assert_eq!(desk.tell("\x1b.B\x1b.O"), format!("{}\r0\r", 1024 - "PD0,0;".len()));
    assert_eq!(desk.tell("\x1b.L"), "", "not before the buffer is empty");
    assert_eq!(desk.after(10_000), "1024\r");
    assert_eq!(desk.tell("\x1b.?\x1b.E\x1b.E"), "11\r0\r");
    assert_eq!(desk.tell("\x1b.M;;;10:\x1b.B"), "1024\n");
    assert_eq!(desk.tell("\x1b.R\x1b.B"), "1024\r");
}

#[test]
fn points_are_drawn_as_they_come_whatever_separates_them() {
    let mut desk = Desk::new();
    desk.tell("IN;SP1;PU400,400;PD800,400,800 800;PR-400,0;PU;PA0,0;OA;");
    assert_eq!(desk.after(20_000), "0,0,0\r");
    let moves: Vec<_> = desk.drawn().into_iter().collect();
    let drawn: Vec<[f64; 2]> = moves.iter().filter(|(_, draw)| *draw).map(|(at, _)| *at).collect();
    assert_eq!(drawn, [[20.0, 10.0], [20.0, 20.0], [10.0, 20.0]]);
    assert_eq!(moves.last().unwrap().0, [0.0, 0.0]);
}

#[test]
fn the_abort_forgets_the_buffer_but_not_the_line_under_way() {
    let mut desk = Desk::new();
    desk.tell("PU;PD4000,0;PD4000,4000;PD0,4000;");
    desk.after(200);
    assert_eq!(desk.tell("\x1b.K\x1b.B\x1b.O"), "1024\r8\r");
    desk.after(20_000);
    let drawn = desk.drawn();
    assert_eq!(drawn.last().unwrap().0, [100.0, 0.0]);
    assert_eq!(desk.tell("PU;SP0;OA;"), "");
    assert_eq!(desk.after(5000), "4000,0,0\r");
}

#[test]
fn what_has_no_room_is_lost_and_an_error() {
    let mut desk = Desk::new();
    desk.tell("VS1;PD4000,4000;");
    desk.tell(&"PD0,0;".repeat(200));
    assert!(desk.machine.drawing().overflows > 0);
    assert_eq!(desk.tell("\x1b.E"), "16\r");
}

#[test]
fn a_host_that_asks_for_it_is_told_to_wait() {
    let mut desk = Desk::new();
    desk.tell("\x1b.I81;;17:\x1b.N;19:");
    desk.tell("VS1;PD4000,4000;");
    assert_eq!(desk.tell(&"PD0,0;".repeat(150)), "");
    assert_eq!(desk.tell(&"PD0,0;".repeat(10)), "\x13");
    assert_eq!(desk.after(120_000), "\x11");
}

#[test]
fn errors_scaling_circles_and_labels() {
    let mut desk = Desk::new();
    desk.tell("IN;IP0,0,4000,4000;SC0,100,0,100;PA50,50;XX1;LBHello; OE;\x03OE;OE;");
    assert_eq!(desk.after(20_000), "1\r0\r");
    assert_eq!(desk.drawn().last().unwrap().0, [50.0, 50.0]);
    desk.tell("CI10;OA;");
    assert_eq!(desk.after(20_000), "2000,2000,0\r");
    let far = |at: &[f64; 2]| (at[0] - 50.0).hypot(at[1] - 50.0);
    let circle: Vec<_> =
        desk.drawn().into_iter().filter(|(_, draw)| *draw).map(|(at, _)| far(&at)).collect();
    assert_eq!(circle.len(), 72);
    assert!(circle.iter().all(|radius| (radius - 10.0).abs() < 1e-6));
}

#[test]
fn the_speed_is_that_of_the_pen() {
    let mut desk = Desk::new();
    desk.tell("PD;");
    desk.after(200);
    desk.tell("VS2;PD4000,0;OA;");
    assert_eq!(desk.after(4900), "");
    assert_eq!(desk.after(200), "4000,0,1\r");
}
