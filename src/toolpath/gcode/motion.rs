//! How a line moves the machine.

use super::{
    Arc, Interpreter, Segment, Spindle, curve,
    interpreter::{Asked, Special},
    modal::{Anchor, Modal, Motion},
};
use crate::{
    domain::Light,
    toolpath::{Dialect, Found},
};

/// Feeds before the first F word: what such files mostly mean.
const DEFAULT_FEED: f64 = 600.0;

impl Interpreter {
    pub(super) fn carry_out(&mut self, asked: &Asked, scale: f64, found: &mut Found) {
        match asked.what {
            Special::Dwell => {
                found.dwell_seconds = self.dwell(asked).max(0.0);
                found.waits = true;
            }
            Special::ClearOffset => {
                self.modal.offset = [0.0; 3];
                self.modal.offset_anchor = [Anchor::Origin; 3];
            }
            Special::SetPosition => {
                self.modal.set_position(asked, scale);
                if let Some(at) = asked.filament {
                    self.modal.filament.set(at);
                }
            }
            // Where the machine's home is in the file's coordinates is not known here; most often
            // it is the origin.
            Special::Home(axes) => {
                let mut home = self.modal.position;
                for axis in (0..3).filter(|axis| axes[*axis]) {
                    home[axis] = 0.0;
                    self.modal.anchor[axis] = Anchor::Lost;
                    if self.dialect == Dialect::Marlin {
                        // It forgets what G92 has put between.
                        self.modal.offset[axis] = 0.0;
                        self.modal.offset_anchor[axis] = Anchor::Origin;
                    }
                }
                let home = self.straight(home, true);
                found.segments.push(home);
                found.note(Light::Amber, "home", "a way home (G28, G30), taken to be the origin");
            }
            Special::Curve if asked.axes != [None; 3] => self.curve(asked, scale, found),
            Special::Move if asked.axes != [None; 3] || asked.centre != [None; 3] => {
                self.travel(asked, scale, found);
            }
            // To feed or to retract without a move is no work.
            Special::Move | Special::Curve => {
                self.modal.filament.feed(asked.filament);
            }
            Special::Nothing => {}
        }
    }

    /// GRBL counts seconds in P; Marlin milliseconds in P and seconds in S.
    fn dwell(&self, asked: &Asked) -> f64 {
        match (self.dialect, asked.s) {
            (Dialect::Marlin, Some(seconds)) => seconds,
            (Dialect::Marlin, None) => asked.p.unwrap_or(0.0) / 1000.0,
            _ => asked.p.unwrap_or(0.0),
        }
    }

    fn travel(&mut self, asked: &Asked, scale: f64, found: &mut Found) {
        self.missing(found);
        let to = self.target(asked, scale);
        let modal = &mut self.modal;
        let comes_out = modal.filament.feed(asked.filament);
        let mut segment = match modal.motion {
            Motion::None => return,
            Motion::Rapid => self.straight(to, true),
            Motion::Feed => self.straight(to, false),
            Motion::Arc { clockwise } => {
                if let Some(arc) = self.arc(asked, scale, to, clockwise) {
                    self.segment(to, Some(arc), arc.length(), false)
                } else {
                    found.note(Light::Red, "arc", "an arc that cannot be drawn");
                    self.straight(to, false)
                }
            }
        };
        if let Some(works) = self.modal.filament.works(comes_out) {
            segment.draw = works;
        }
        found.segments.push(segment);
    }

    fn curve(&mut self, asked: &Asked, scale: f64, found: &mut Found) {
        self.missing(found);
        let from = self.modal.position;
        let to = self.target(asked, scale);
        let handle = |value: Option<f64>| value.unwrap_or(0.0) * scale;
        let [leaves_x, leaves_y, _] = asked.centre.map(handle);
        let leaves = [from[0] + leaves_x, from[1] + leaves_y];
        let arrives = [to[0] + handle(asked.p), to[1] + handle(asked.q)];
        let comes_out = self.modal.filament.feed(asked.filament);
        let works = self.modal.filament.works(comes_out);
        for point in curve::points(from, leaves, arrives, to) {
            let mut segment = self.straight(point, false);
            segment.draw = works.unwrap_or(segment.draw);
            found.segments.push(segment);
        }
    }

    /// Where a move ends.
    fn target(&mut self, asked: &Asked, scale: f64) -> [f64; 3] {
        let modal = &mut self.modal;
        modal.z_used |= asked.axes[2].is_some();
        modal.tool_changed = false;
        let relative = modal.relative.unwrap_or(false);
        let mut to = modal.position;
        for (axis, to) in to.iter_mut().enumerate() {
            let Some(value) = asked.axes[axis] else { continue };
            if relative {
                *to += value * scale;
            } else if asked.machine {
                *to = value * scale;
                modal.anchor[axis] = Anchor::Lost;
            } else {
                *to = value * scale + modal.offset[axis];
                modal.anchor[axis] = modal.offset_anchor[axis];
            }
        }
        to
    }

    /// What should have been said before the first move.
    fn missing(&mut self, found: &mut Found) {
        let modal = &mut self.modal;
        if modal.units.is_none() {
            modal.units = Some(1.0);
            let text = "no units (G20 or G21) before the first move: taken as millimetres";
            found.note(Light::Amber, "no-units", text);
        }
        if modal.relative.is_none() {
            modal.relative = Some(false);
            let text = "no G90 or G91 before the first move: taken as absolute";
            found.note(Light::Amber, "no-distance-mode", text);
        }
        if modal.feed.is_none() && modal.motion != Motion::Rapid {
            modal.feed = Some(DEFAULT_FEED);
            let text = match self.dialect {
                Dialect::Marlin => {
                    "no feed (F) before the first working move: Marlin keeps the last one it had"
                }
                _ => "no feed (F) before the first working move: GRBL refuses it",
            };
            found.note(Light::Amber, "no-feed", text);
        }
    }

    fn arc(&self, asked: &Asked, scale: f64, to: [f64; 3], clockwise: bool) -> Option<Arc> {
        let modal = &self.modal;
        let (first, second) = modal.plane;
        if let Some(radius) = asked.radius {
            return Arc::of_radius(modal.position, to, modal.plane, radius * scale, clockwise);
        }
        if asked.centre[first].is_none() && asked.centre[second].is_none() {
            return None;
        }
        let centre = |axis: usize| {
            let value = asked.centre[axis].unwrap_or(0.0) * scale;
            value + if modal.centre_absolute { modal.offset[axis] } else { modal.position[axis] }
        };
        let centre = (centre(first), centre(second));
        Some(Arc::around(modal.position, to, modal.plane, centre, clockwise))
    }

    fn straight(&mut self, to: [f64; 3], rapid: bool) -> Segment {
        let [x, y, z] = self.modal.position;
        let squares = (to[0] - x).powi(2) + (to[1] - y).powi(2) + (to[2] - z).powi(2);
        self.segment(to, None, squares.sqrt(), rapid)
    }

    fn segment(&mut self, to: [f64; 3], arc: Option<Arc>, length: f64, rapid: bool) -> Segment {
        let modal = &mut self.modal;
        let from = std::mem::replace(&mut modal.position, to);
        // Marlin moves at its feed whatever the word is, once it has one.
        let fast = rapid && (self.dialect != Dialect::Marlin || modal.feed.is_none());
        let feed = modal.feed.unwrap_or(DEFAULT_FEED).max(1e-3);
        let minutes = match (fast, modal.inverse_time && !rapid) {
            (true, _) => 0.0,
            (false, true) => 1.0 / feed,
            (false, false) => length / feed,
        };
        let draw = !rapid && modal.may_work(from, to);
        Segment { from, to, arc, draw, length, seconds: minutes * 60.0 }
    }
}

impl Modal {
    fn set_position(&mut self, asked: &Asked, scale: f64) {
        for axis in 0..3 {
            if let Some(value) = asked.axes[axis] {
                self.offset[axis] = self.position[axis] - value * scale;
                self.offset_anchor[axis] = self.anchor[axis];
            }
        }
    }

    /// Whether the tool works on a feed move: in doubt it does, for what is taken for travel may be
    /// left out when a job goes on. Without Z, the spindle words tell where a pen or a laser is off.
    /// With it they do not, nor does the height: where zero is nobody knows (the top of the work, or
    /// the table under it), and the tool may be switched by hand. A move straight up ends a stroke.
    fn may_work(&self, from: [f64; 3], to: [f64; 3]) -> bool {
        if self.spindle.is_some() && !self.z_used {
            return self.spindle != Some(Spindle::Off);
        }
        let rises = to[2] > from[2] && to[..2] == from[..2];
        !rises || self.tool_down()
    }

    /// Whether the last move was a feed that may have been work though the spindle is off: the file
    /// has never switched it on, and only makes sure (M5) of what is switched by hand.
    pub(in crate::toolpath) fn is_off_in_doubt(&self) -> bool {
        let feeds = matches!(self.motion, Motion::Feed | Motion::Arc { .. });
        feeds && !self.z_used && self.spindle == Some(Spindle::Off) && !self.spindle_used
    }

    /// Whether a pen would be down: at or below zero; without any Z word, the spindle words tell; and
    /// a file that has neither draws with every working move.
    pub(in crate::toolpath) fn tool_down(&self) -> bool {
        let on = self.spindle.map(|spindle| spindle != Spindle::Off);
        match on {
            Some(on) if !self.z_used => on,
            on => self.position[2] - self.offset[2] <= 0.0 || on == Some(true),
        }
    }
}
