//! Modal state in words and numbers.

use crate::toolpath::gcode::{Anchor, Modal, Spindle};

impl Modal {
    /// With the place where the machine stood at first put in, as far as it matters.
    pub(super) fn started_at(mut self, start: Option<[f64; 3]>) -> Self {
        let Some(start) = start else { return self };
        for (axis, start) in start.into_iter().enumerate() {
            if self.anchor[axis] == Anchor::Start {
                (self.position[axis], self.anchor[axis]) =
                    (self.position[axis] + start, Anchor::Origin);
            }
            if self.offset_anchor[axis] == Anchor::Start {
                (self.offset[axis], self.offset_anchor[axis]) =
                    (self.offset[axis] + start, Anchor::Origin);
            }
        }
        self
    }

    /// Where the machine is in work coordinates, without what G92 has put between; `None` if the
    /// file does not say, for an axis that it moves.
    pub(super) fn place(&self, start: Option<[f64; 3]>) -> Option<[f64; 3]> {
        let known = self.started_at(start);
        let says = known.anchor.iter().take(self.axes()).all(|anchor| *anchor == Anchor::Origin);
        says.then_some(known.position)
    }

    /// The axes that it moves: X Y, or X Y Z.
    pub(super) fn axes(&self) -> usize {
        if self.z_used { 3 } else { 2 }
    }

    /// G92 is in force.
    pub(super) fn is_offset(&self) -> bool {
        self.offset.iter().any(|offset| offset.abs() > 0.0)
    }
}

/// The modes in force, for people.
pub(super) fn in_words(modal: &Modal) -> Vec<String> {
    let inches = modal.units == Some(25.4);
    let plane = match modal.plane {
        (0, 1) => "XY",
        (2, 0) => "ZX",
        _ => "YZ",
    };
    let mut words = vec![
        if inches { "inches" } else { "millimetres" }.to_owned(),
        if modal.relative == Some(true) { "relative moves" } else { "absolute moves" }.to_owned(),
        format!("plane {plane}"),
        format!("coordinate system {}", system(modal)),
    ];
    match modal.feed {
        Some(feed) if modal.inverse_time => words.push(format!("{} moves a minute", number(feed))),
        Some(feed) => words.push(format!("feed {} mm/min", number(feed))),
        None => words.push("no feed yet".to_owned()),
    }
    let speed = modal.speed.map(|speed| format!(" at S{}", number(speed))).unwrap_or_default();
    match modal.spindle {
        Some(Spindle::Clockwise) => words.push(format!("spindle on (M3){speed}")),
        Some(Spindle::Counter) => words.push(format!("spindle on (M4){speed}")),
        Some(Spindle::Off) => words.push("spindle off".to_owned()),
        None => {}
    }
    if modal.coolant != [false; 2] {
        words.push("coolant on".to_owned());
    }
    if modal.is_offset() {
        let [x, y, z] = modal.offset.map(number);
        words.push(format!("offset (G92) X{x} Y{y} Z{z}"));
    }
    let [x, y, z] = modal.position.map(number);
    words.push(format!("at X{x} Y{y} Z{z}"));
    words
}

/// `G54` to `G59.3`.
pub(super) fn system(modal: &Modal) -> String {
    match modal.system % 10 {
        0 => format!("G{}", modal.system / 10),
        tenth => format!("G{}.{tenth}", modal.system / 10),
    }
}

/// At most four decimals, none that say nothing.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}
