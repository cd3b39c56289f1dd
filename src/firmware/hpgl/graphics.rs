//! HP-GL: instructions of two letters, carried out as their numbers come.

use std::f64::consts::TAU;

use super::{Hpgl, motion::FASTEST};

/// How far the pen reaches in A4 format, in plotter units (`OH`).
const HARD_CLIP: [f64; 4] = [0.0, 0.0, 10_870.0, 7600.0];

/// Where the scaling points are (`IP` without numbers).
const SCALING: [f64; 4] = [430.0, 200.0, 10_430.0, 7400.0];

/// HP-GL errors (`OE`).
const UNKNOWN: u8 = 1;
const COUNT: u8 = 2;

/// Degrees of a chord of an arc.
const CHORD: f64 = 5.0;

/// The state of the language.
#[derive(Debug)]
pub(super) struct Graphics {
    /// The instruction that is being read: its letters.
    name: Vec<u8>,
    /// The number that is being read.
    digits: String,
    numbers: Vec<f64>,
    /// A label runs up to its terminator.
    label: bool,
    label_end: u8,
    relative: bool,
    speed: f64,
    pen: u32,
    error: u8,
    scaling_points: [f64; 4],
    /// User units: x from, x to, y from, y to.
    user: Option<[f64; 4]>,
    initialized: bool,
}

impl Default for Graphics {
    fn default() -> Self {
        Self {
            name: Vec::new(),
            digits: String::new(),
            numbers: Vec::new(),
            label: false,
            label_end: 3,
            relative: false,
            speed: FASTEST,
            pen: 1,
            error: 0,
            scaling_points: SCALING,
            user: None,
            initialized: true,
        }
    }
}

impl Graphics {
    /// Forgets the instruction that is being read.
    pub(super) fn abort(&mut self) {
        self.name.clear();
        self.digits.clear();
        self.numbers.clear();
        self.label = false;
    }

    fn scale(&self) -> [f64; 2] {
        let [x1, y1, x2, y2] = self.scaling_points;
        self.user.map_or([1.0; 2], |[from_x, to_x, from_y, to_y]| {
            [(x2 - x1) / (to_x - from_x), (y2 - y1) / (to_y - from_y)]
        })
    }

    /// Plotter units of a point.
    fn absolute(&self, point: [f64; 2]) -> [f64; 2] {
        let [sx, sy] = self.scale();
        self.user.map_or(point, |[from_x, _, from_y, _]| {
            let [x1, y1, ..] = self.scaling_points;
            [x1 + (point[0] - from_x) * sx, y1 + (point[1] - from_y) * sy]
        })
    }

    /// Plotter units of a way.
    fn distance(&self, way: [f64; 2]) -> [f64; 2] {
        let [sx, sy] = self.scale();
        [way[0] * sx, way[1] * sy]
    }
}

impl Hpgl {
    /// One byte of the buffer.
    pub(super) fn take(&mut self, byte: u8) {
        if self.graphics.label {
            if byte == self.graphics.label_end {
                self.graphics.label = false;
                self.count();
            }
            return;
        }
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' => {
                if self.graphics.name.len() >= 2 {
                    self.end();
                }
                self.graphics.name.push(byte.to_ascii_uppercase());
                if self.graphics.name == b"LB" {
                    self.graphics.abort();
                    self.graphics.label = true;
                }
            }
            b';' => self.end(),
            b'0'..=b'9' | b'.' | b'+' | b'-' => self.graphics.digits.push(char::from(byte)),
            b',' | b' ' | b'\r' | b'\n' => self.number(),
            _ => {}
        }
    }

    /// A number has ended; a pair of them is a point.
    fn number(&mut self) {
        let digits = std::mem::take(&mut self.graphics.digits);
        if digits.is_empty() {
            return;
        }
        let Ok(number) = digits.parse() else {
            self.graphics.error = COUNT;
            return;
        };
        self.graphics.numbers.push(number);
        let moves = matches!(&self.graphics.name[..], b"PA" | b"PR" | b"PU" | b"PD");
        if moves && self.graphics.numbers.len() == 2 {
            self.begin_move();
            let point = [self.graphics.numbers[0], self.graphics.numbers[1]];
            self.graphics.numbers.clear();
            self.go(point);
        }
    }

    /// What the letters of a move mean before its first point.
    fn begin_move(&mut self) {
        match &self.graphics.name[..] {
            b"PA" => self.graphics.relative = false,
            b"PR" => self.graphics.relative = true,
            b"PU" => self.motion.pen(false),
            b"PD" if self.graphics.pen > 0 => self.motion.pen(true),
            _ => {}
        }
    }

    fn go(&mut self, point: [f64; 2]) {
        let to = if self.graphics.relative {
            let [dx, dy] = self.graphics.distance(point);
            let [x, y] = self.motion.end();
            [x + dx, y + dy]
        } else {
            self.graphics.absolute(point)
        };
        let inside = |axis: usize| to[axis].clamp(HARD_CLIP[axis], HARD_CLIP[axis + 2]);
        // Pen up motion is as fast as the machine.
        let down = self.motion.down || self.graphics.name == b"PD";
        let speed = if down { self.graphics.speed } else { FASTEST };
        self.motion.go([inside(0), inside(1)], speed);
    }

    fn count(&mut self) {
        self.lines += 1;
        self.motion.drawing.lines += 1;
    }

    /// An instruction has ended.
    fn end(&mut self) {
        self.number();
        let name = std::mem::take(&mut self.graphics.name);
        let numbers = std::mem::take(&mut self.graphics.numbers);
        if name.is_empty() {
            return;
        }
        self.count();
        let here = |at: Option<u64>| at == Some(self.lines);
        if here(self.faults.silent_at_line) {
            self.voice.hush();
        }
        if here(self.faults.reset_at_line) {
            // It says nothing when it is switched on.
            return self.restart();
        }
        if here(self.faults.press_button_at_line) {
            self.viewing = true;
        }
        if let Some((line, number)) = self.faults.error_at_line
            && line == self.lines
        {
            self.graphics.error = number;
            return;
        }
        self.graphics.name.clone_from(&name);
        self.carry_out(&name, &numbers);
        self.graphics.name.clear();
    }

    fn carry_out(&mut self, name: &[u8], numbers: &[f64]) {
        let output = |values: &[f64]| {
            let texts: Vec<String> = values.iter().map(|value| format!("{value:.0}")).collect();
            texts.join(",")
        };
        match name {
            b"PA" | b"PR" | b"PU" | b"PD" => {
                self.begin_move();
                if !numbers.is_empty() {
                    self.graphics.error = COUNT;
                }
            }
            b"SP" => {
                self.motion.pen(false);
                let pen = numbers.first().copied().unwrap_or(0.0);
                self.graphics.pen =
                    (1..=6_u32).find(|known| (f64::from(*known) - pen).abs() < 0.5).unwrap_or(0);
                self.motion.change();
            }
            b"VS" => {
                let speed = numbers.first().copied().unwrap_or(FASTEST);
                self.graphics.speed = speed.clamp(0.38, FASTEST);
            }
            b"IN" | b"DF" => {
                let pen = self.graphics.pen;
                if name == b"IN" {
                    self.motion.pen(false);
                }
                self.graphics = super::Graphics { pen, ..super::Graphics::default() };
            }
            b"IP" => {
                self.graphics.scaling_points = <[f64; 4]>::try_from(numbers).unwrap_or(SCALING);
            }
            b"SC" => self.graphics.user = <[f64; 4]>::try_from(numbers).ok(),
            b"CI" | b"AA" | b"AR" => self.arc(name, numbers),
            b"EA" | b"ER" => self.rectangle(name, numbers),
            b"OI" => self.reply("7475A"),
            b"OE" => {
                let error = std::mem::take(&mut self.graphics.error);
                self.reply(&error.to_string());
            }
            b"OS" => {
                let initialized =
                    if std::mem::take(&mut self.graphics.initialized) { 8 } else { 0 };
                let error = if self.graphics.error > 0 { 32 } else { 0 };
                let status = u8::from(self.motion.down) + initialized + 16 + error;
                self.reply(&status.to_string());
            }
            b"OA" | b"OC" => {
                let [x, y] = self.motion.at;
                let text = format!("{},{}", output(&[x, y]), u8::from(self.motion.down));
                self.reply(&text);
            }
            b"OH" => self.reply(&output(&HARD_CLIP)),
            b"OP" => {
                let text = output(&self.graphics.scaling_points);
                self.reply(&text);
            }
            b"OF" => self.reply("40,40"),
            // They change how things look, and nothing that is watched here.
            b"LT" | b"PT" | b"FT" | b"SI" | b"SR" | b"SL" | b"DI" | b"DR" | b"CA" | b"CS"
            | b"SA" | b"SS" | b"CP" | b"SM" | b"DT" | b"TL" | b"XT" | b"YT" | b"IW" | b"RO"
            | b"PS" | b"IM" | b"DP" | b"DC" | b"AF" | b"AH" | b"PG" | b"FS" | b"AS" | b"UC"
            | b"WG" | b"EW" | b"RA" | b"RR" | b"NR" => {}
            _ => self.graphics.error = UNKNOWN,
        }
    }

    fn arc(&mut self, name: &[u8], numbers: &[f64]) {
        let from = self.motion.end();
        let speed = self.graphics.speed;
        let (centre, sweep) = match (name, numbers) {
            (b"CI", [radius, ..]) => {
                let [radius, _] = self.graphics.distance([*radius, 0.0]);
                let down = self.motion.down;
                // A circle is drawn around the pen, which comes back to its middle.
                self.motion.pen(false);
                self.motion.go([from[0] + radius, from[1]], FASTEST);
                self.motion.pen(true);
                self.chords(from, [from[0] + radius, from[1]], TAU, speed);
                self.motion.pen(false);
                self.motion.go(from, FASTEST);
                self.motion.pen(down);
                return;
            }
            (b"AA", [x, y, sweep, ..]) => (self.graphics.absolute([*x, *y]), *sweep),
            (_, [x, y, sweep, ..]) => {
                let [dx, dy] = self.graphics.distance([*x, *y]);
                ([from[0] + dx, from[1] + dy], *sweep)
            }
            _ => {
                self.graphics.error = COUNT;
                return;
            }
        };
        self.chords(centre, from, sweep.to_radians(), speed);
    }

    fn chords(&mut self, centre: [f64; 2], from: [f64; 2], sweep: f64, speed: f64) {
        let (dx, dy) = (from[0] - centre[0], from[1] - centre[1]);
        let count = (sweep.abs().min(100.0 * TAU) / CHORD.to_radians()).ceil().max(1.0);
        let mut step = 0.0;
        while step < count {
            step += 1.0;
            let (sine, cosine) = (sweep * step / count).sin_cos();
            let at = [centre[0] + dx * cosine - dy * sine, centre[1] + dx * sine + dy * cosine];
            self.motion.go(at, speed);
        }
    }

    fn rectangle(&mut self, name: &[u8], numbers: &[f64]) {
        let &[x, y] = numbers else {
            self.graphics.error = COUNT;
            return;
        };
        let from = self.motion.end();
        let to = if name == b"EA" {
            self.graphics.absolute([x, y])
        } else {
            let [dx, dy] = self.graphics.distance([x, y]);
            [from[0] + dx, from[1] + dy]
        };
        let (down, speed) = (self.motion.down, self.graphics.speed);
        self.motion.pen(true);
        for corner in [[to[0], from[1]], to, [from[0], to[1]], from] {
            self.motion.go(corner, speed);
        }
        self.motion.pen(down);
    }
}
