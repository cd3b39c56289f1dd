//! The modal state of a machine that follows a file.

use super::{Arc, Words};

/// How fast a rapid move is taken to be where the machine has not said.
pub const RAPID_MM_PER_MINUTE: f64 = 3000.0;

/// Feeds before the first F word: what such files mostly mean.
const DEFAULT_FEED: f64 = 600.0;

/// One piece of motion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// Where it begins, in millimetres of the coordinates the file starts in.
    pub from: [f64; 3],
    /// Where it ends.
    pub to: [f64; 3],
    /// The way between, if it is not straight.
    pub arc: Option<Arc>,
    /// True if the tool works: a G1, G2 or G3 with the pen down or the spindle on.
    pub draw: bool,
    /// Its length in millimetres.
    pub length: f64,
    /// How long it takes at its feed.
    pub seconds: f64,
}

/// What a line does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Line {
    /// Its motion, if any.
    pub segment: Option<Segment>,
    /// How long it dwells.
    pub dwell_seconds: f64,
    /// Something that a person should know.
    pub warning: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Motion {
    None,
    Rapid,
    Feed,
    Arc { clockwise: bool },
}

/// Follows a file line by line.
#[derive(Clone, Debug)]
pub struct Interpreter {
    motion: Motion,
    units: Option<f64>,
    relative: Option<bool>,
    plane: (usize, usize),
    centre_absolute: bool,
    inverse_time: bool,
    feed: Option<f64>,
    spindle: Option<bool>,
    z_used: bool,
    position: [f64; 3],
    offset: [f64; 3],
}

impl Default for Interpreter {
    fn default() -> Self {
        Self {
            // GRBL starts in G0.
            motion: Motion::Rapid,
            units: None,
            relative: None,
            plane: (0, 1),
            centre_absolute: false,
            inverse_time: false,
            feed: None,
            spindle: None,
            z_used: false,
            position: [0.0; 3],
            offset: [0.0; 3],
        }
    }
}

/// What a line asks for besides its modal settings.
#[derive(Default)]
struct Asked {
    axes: [Option<f64>; 3],
    centre: [Option<f64>; 3],
    radius: Option<f64>,
    p: Option<f64>,
    what: Special,
    warning: Option<&'static str>,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Special {
    #[default]
    Move,
    Dwell,
    Home,
    SetPosition,
    ClearOffset,
    Nothing,
}

impl Interpreter {
    /// Takes one line, as [`super::super::Splitter`] cuts it.
    pub fn line(&mut self, text: &[u8]) -> Line {
        if text.first() == Some(&b'$') {
            return Line { warning: Some("a machine setting or command"), ..Line::default() };
        }
        let mut asked = Asked::default();
        let mut feed = None;
        for word in Words::new(text) {
            match word {
                Ok((b'G', value)) => self.g(value, &mut asked),
                Ok((b'M', value)) => self.m(value),
                Ok((b'X', value)) => asked.axes[0] = Some(value),
                Ok((b'Y', value)) => asked.axes[1] = Some(value),
                Ok((b'Z', value)) => asked.axes[2] = Some(value),
                Ok((b'I', value)) => asked.centre[0] = Some(value),
                Ok((b'J', value)) => asked.centre[1] = Some(value),
                Ok((b'K', value)) => asked.centre[2] = Some(value),
                Ok((b'R', value)) => asked.radius = Some(value),
                Ok((b'P', value)) => asked.p = Some(value),
                Ok((b'F', value)) => feed = Some(value),
                Ok(_) => {}
                Err(_) => asked.warning = Some("text that is not G-code"),
            }
        }
        let scale = self.units.unwrap_or(1.0);
        if let Some(feed) = feed {
            self.feed = Some(if self.inverse_time { feed } else { feed * scale });
        }
        self.carry_out(&asked, scale)
    }

    fn carry_out(&mut self, asked: &Asked, scale: f64) -> Line {
        let mut line = Line { warning: asked.warning, ..Line::default() };
        match asked.what {
            Special::Dwell => line.dwell_seconds = asked.p.unwrap_or(0.0).max(0.0),
            Special::ClearOffset => self.offset = [0.0; 3],
            Special::SetPosition => {
                for axis in 0..3 {
                    if let Some(value) = asked.axes[axis] {
                        self.offset[axis] = self.position[axis] - value * scale;
                    }
                }
            }
            // Where the machine's home is in the file's coordinates is not known here; most often
            // it is the origin.
            Special::Home => line.segment = Some(self.straight([0.0; 3], true)),
            Special::Move if asked.axes != [None; 3] || asked.centre != [None; 3] => {
                self.travel(asked, scale, &mut line);
            }
            Special::Move | Special::Nothing => {}
        }
        line
    }

    fn travel(&mut self, asked: &Asked, scale: f64, line: &mut Line) {
        self.z_used |= asked.axes[2].is_some();
        let relative = self.relative.unwrap_or(false);
        let mut to = self.position;
        for (axis, to) in to.iter_mut().enumerate() {
            if let Some(value) = asked.axes[axis] {
                *to = value * scale + if relative { *to } else { self.offset[axis] };
            }
        }
        line.warning = line.warning.or_else(|| self.missing());
        line.segment = match self.motion {
            Motion::None => None,
            Motion::Rapid => Some(self.straight(to, true)),
            Motion::Feed => Some(self.straight(to, false)),
            Motion::Arc { clockwise } => {
                let arc = self.arc(asked, scale, to, clockwise);
                Some(if let Some(arc) = arc {
                    self.segment(to, Some(arc), arc.length(), false)
                } else {
                    line.warning = Some("an arc that cannot be drawn");
                    self.straight(to, false)
                })
            }
        };
    }

    /// What should have been said before the first move.
    fn missing(&mut self) -> Option<&'static str> {
        if self.units.is_none() {
            self.units = Some(1.0);
            return Some("no units (G20 or G21) before the first move: taken as millimetres");
        }
        if self.relative.is_none() {
            self.relative = Some(false);
            return Some("no G90 or G91 before the first move: taken as absolute");
        }
        if self.feed.is_none() && self.motion != Motion::Rapid {
            self.feed = Some(DEFAULT_FEED);
            return Some("no feed (F) before the first working move: GRBL refuses it");
        }
        None
    }

    fn arc(&self, asked: &Asked, scale: f64, to: [f64; 3], clockwise: bool) -> Option<Arc> {
        let (first, second) = self.plane;
        if let Some(radius) = asked.radius {
            return Arc::of_radius(self.position, to, self.plane, radius * scale, clockwise);
        }
        if asked.centre[first].is_none() && asked.centre[second].is_none() {
            return None;
        }
        let centre = |axis: usize| {
            let value = asked.centre[axis].unwrap_or(0.0) * scale;
            value + if self.centre_absolute { self.offset[axis] } else { self.position[axis] }
        };
        let centre = (centre(first), centre(second));
        Some(Arc::around(self.position, to, self.plane, centre, clockwise))
    }

    fn straight(&mut self, to: [f64; 3], rapid: bool) -> Segment {
        let length =
            self.position.iter().zip(to).map(|(from, to)| (to - from).powi(2)).sum::<f64>();
        self.segment(to, None, length.sqrt(), rapid)
    }

    fn segment(&mut self, to: [f64; 3], arc: Option<Arc>, length: f64, rapid: bool) -> Segment {
        let from = std::mem::replace(&mut self.position, to);
        let feed = self.feed.unwrap_or(DEFAULT_FEED).max(1e-3);
        let minutes = if rapid {
            length / RAPID_MM_PER_MINUTE
        } else if self.inverse_time {
            1.0 / feed
        } else {
            length / feed
        };
        Segment { from, to, arc, draw: !rapid && self.tool_down(), length, seconds: minutes * 60.0 }
    }

    /// A pen is down at or below zero; without any Z word, the spindle words tell; and a file that
    /// has neither draws with every working move.
    fn tool_down(&self) -> bool {
        match self.spindle {
            Some(on) if !self.z_used => on,
            on => self.position[2] - self.offset[2] <= 0.0 || on == Some(true),
        }
    }

    fn g(&mut self, value: f64, asked: &mut Asked) {
        match tenths(value) {
            0 => self.motion = Motion::Rapid,
            // Probing moves are feeds too.
            10 | 382..=385 => self.motion = Motion::Feed,
            20 => self.motion = Motion::Arc { clockwise: true },
            30 => self.motion = Motion::Arc { clockwise: false },
            800 => self.motion = Motion::None,
            40 => asked.what = Special::Dwell,
            170 => self.plane = (0, 1),
            180 => self.plane = (2, 0),
            190 => self.plane = (1, 2),
            200 => self.units = Some(25.4),
            210 => self.units = Some(1.0),
            900 => self.relative = Some(false),
            910 => self.relative = Some(true),
            901 => self.centre_absolute = true,
            911 => self.centre_absolute = false,
            930 => self.inverse_time = true,
            940 => self.inverse_time = false,
            280 | 300 => asked.what = Special::Home,
            281 | 301 => asked.what = Special::Nothing,
            920 => asked.what = Special::SetPosition,
            921 | 922 => asked.what = Special::ClearOffset,
            100 => {
                asked.what = Special::Nothing;
                asked.warning = Some("a change of a coordinate system, which is not followed");
            }
            530 => asked.warning = Some("machine coordinates (G53), taken as the file's own"),
            540 | 400 | 490 | 610 => {}
            550..=599 => {
                asked.warning =
                    Some("another coordinate system (G55 to G59), which is not followed");
            }
            _ => asked.warning = Some("a G word that is not known"),
        }
    }

    fn m(&mut self, value: f64) {
        match tenths(value) {
            30 | 40 => self.spindle = Some(true),
            50 => self.spindle = Some(false),
            // The end of a program ends the spindle too.
            20 | 300 if self.spindle.is_some() => self.spindle = Some(false),
            _ => {}
        }
    }
}

/// G and M numbers have at most one decimal.
#[expect(clippy::cast_possible_truncation, reason = "a float that is cast saturates")]
fn tenths(value: f64) -> i32 {
    (value * 10.0).round() as i32
}
