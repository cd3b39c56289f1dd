//! G-code as GRBL 1.1 understands it. Numbers of errors: gnea/grbl, `doc/csv/error_codes_en_US.csv`.

use super::planner::{Block, distance};

/// The most of each axis, in mm/min ($110).
pub(super) const RAPID: f64 = 3000.0;

/// The modal state.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "so many modal groups have two words")]
pub(super) struct Modal {
    pub(super) motion: u16,
    pub(super) plane: (usize, usize),
    inches: bool,
    relative: bool,
    inverse_time: bool,
    pub(super) feed: f64,
    pub(super) speed: f64,
    pub(super) spindle: bool,
    system: usize,
    offset: [f64; 3],
    z_used: bool,
    spindle_used: bool,
}

/// What survives a reset.
#[derive(Clone, Debug, Default)]
pub(super) struct Eeprom {
    systems: [[f64; 3]; 6],
    homes: [[f64; 3]; 2],
}

/// What a line makes the machine do.
#[derive(Debug, Default)]
pub(super) struct Effect {
    pub(super) blocks: Vec<Block>,
    /// Seconds to wait once all motion is done.
    pub(super) dwell: Option<f64>,
    /// M0.
    pub(super) pause: bool,
    /// M2, M30.
    pub(super) end: bool,
}

impl Default for Modal {
    fn default() -> Self {
        Self {
            motion: 0,
            plane: (0, 1),
            inches: false,
            relative: false,
            inverse_time: false,
            feed: 0.0,
            speed: 0.0,
            spindle: false,
            system: 0,
            offset: [0.0; 3],
            z_used: false,
            spindle_used: false,
        }
    }
}

/// The words of a line.
#[derive(Default)]
pub(super) struct Words {
    axes: [Option<f64>; 3],
    pub(super) centre: [Option<f64>; 3],
    pub(super) radius: Option<f64>,
    p: Option<f64>,
    l: Option<f64>,
    special: u16,
    machine: bool,
    motion: Option<u16>,
    pause: bool,
    end: bool,
}

impl Words {
    /// Only a circle moves without naming an axis.
    fn is_full_circle(&self) -> bool {
        matches!(self.motion, Some(20 | 30)) && self.centre != [None; 3]
    }
}

impl Modal {
    /// From work to machine coordinates.
    pub(super) fn work_offset(&self, eeprom: &Eeprom) -> [f64; 3] {
        std::array::from_fn(|axis| eeprom.systems[self.system][axis] + self.offset[axis])
    }

    /// `[GC:…]`, the answer to `$G`.
    pub(super) fn describe(&self) -> String {
        format!(
            "[GC:G{} G{} G17 G{} G{} G{} M{} M9 T0 F{} S{}]",
            self.motion / 10,
            54 + self.system,
            if self.inches { 20 } else { 21 },
            if self.relative { 91 } else { 90 },
            if self.inverse_time { 93 } else { 94 },
            if self.spindle { 3 } else { 5 },
            self.feed,
            self.speed
        )
    }

    /// Carries out one line (upper case, no blanks, no comments), or says which error it is.
    pub(super) fn execute(
        &mut self,
        line: &str,
        position: [f64; 3],
        eeprom: &mut Eeprom,
    ) -> Result<Effect, u8> {
        // An error leaves no trace: everything happens to a copy first.
        let mut next = self.clone();
        let block = next.read(line)?;
        let effect = next.carry_out(&block, position, eeprom)?;
        *self = next;
        if effect.end {
            *self = Self { feed: self.feed, offset: self.offset, ..Self::default() };
        }
        Ok(effect)
    }

    fn read(&mut self, line: &str) -> Result<Words, u8> {
        let mut block = Words::default();
        let mut rest = line;
        while let Some(letter) = rest.chars().next() {
            if !letter.is_ascii_uppercase() {
                return Err(1);
            }
            rest = &rest[1..];
            let end = rest
                .find(|c: char| !matches!(c, '0'..='9' | '.' | '-' | '+'))
                .unwrap_or(rest.len());
            let value: f64 = rest[..end].parse().map_err(|_| 2_u8)?;
            rest = &rest[end..];
            match letter {
                'G' => self.g(value, &mut block)?,
                'M' => self.m(value, &mut block)?,
                'X' => block.axes[0] = Some(value),
                'Y' => block.axes[1] = Some(value),
                'Z' => block.axes[2] = Some(value),
                'I' => block.centre[0] = Some(value),
                'J' => block.centre[1] = Some(value),
                'K' => block.centre[2] = Some(value),
                'R' => block.radius = Some(value),
                'P' => block.p = Some(value),
                'L' => block.l = Some(value),
                'F' if value < 0.0 => return Err(4),
                // In G93 it counts moves a minute.
                'F' if self.inverse_time => self.feed = value,
                'F' => self.feed = value * if self.inches { 25.4 } else { 1.0 },
                'S' => self.speed = value,
                'T' | 'N' => {}
                _ => return Err(20),
            }
        }
        if let Some(motion) = block.motion {
            self.motion = motion;
        }
        Ok(block)
    }

    fn g(&mut self, value: f64, block: &mut Words) -> Result<(), u8> {
        let number = number(value);
        match number {
            0 | 10 | 20 | 30 | 382..=385 | 800 => {
                if block.motion.replace(number).is_some() {
                    return Err(21);
                }
            }
            40 | 100 | 280 | 281 | 300 | 301 | 920 | 921 => block.special = number,
            170 => self.plane = (0, 1),
            180 => self.plane = (2, 0),
            190 => self.plane = (1, 2),
            200 => self.inches = true,
            210 => self.inches = false,
            530 => block.machine = true,
            540 | 550 | 560 | 570 | 580 | 590 => self.system = usize::from((number - 540) / 10),
            900 => self.relative = false,
            910 => self.relative = true,
            930 => self.inverse_time = true,
            940 => self.inverse_time = false,
            400 | 490 | 610 | 911 => {}
            _ => return Err(20),
        }
        Ok(())
    }

    fn m(&mut self, value: f64, block: &mut Words) -> Result<(), u8> {
        match number(value) {
            0 => block.pause = true,
            20 | 300 => block.end = true,
            30 | 40 => (self.spindle, self.spindle_used) = (true, true),
            50 => (self.spindle, self.spindle_used) = (false, true),
            10 | 70 | 80 | 90 => {}
            _ => return Err(20),
        }
        Ok(())
    }

    fn carry_out(
        &mut self,
        block: &Words,
        position: [f64; 3],
        eeprom: &mut Eeprom,
    ) -> Result<Effect, u8> {
        let mut effect = Effect { pause: block.pause, end: block.end, ..Effect::default() };
        let scale = if self.inches { 25.4 } else { 1.0 };
        let work = self.work_offset(eeprom);
        let mut to = position;
        for (axis, value) in given(block.axes) {
            to[axis] = value * scale
                + match (block.machine, self.relative) {
                    (true, _) => 0.0,
                    (false, true) => position[axis],
                    (false, false) => work[axis],
                };
        }
        match block.special {
            40 => effect.dwell = Some(block.p.ok_or(28_u8)?),
            100 => self.set_system(block, position, scale, eeprom)?,
            280 | 300 => {
                if block.axes != [None; 3] {
                    effect.blocks.push(self.straight(position, to, true));
                }
                let home = eeprom.homes[usize::from(block.special == 300)];
                let from = effect.blocks.last().map_or(position, |block| block.to);
                effect.blocks.push(self.straight(from, home, true));
            }
            281 | 301 => eeprom.homes[usize::from(block.special == 301)] = position,
            920 => {
                for (axis, value) in given(block.axes) {
                    let system = eeprom.systems[self.system][axis];
                    self.offset[axis] = position[axis] - system - value * scale;
                }
            }
            921 => self.offset = [0.0; 3],
            _ if block.axes != [None; 3] || block.is_full_circle() => {
                self.motion(block, position, to, scale, &mut effect)?;
            }
            _ => {}
        }
        Ok(effect)
    }

    fn motion(
        &mut self,
        block: &Words,
        from: [f64; 3],
        to: [f64; 3],
        scale: f64,
        effect: &mut Effect,
    ) -> Result<(), u8> {
        self.z_used |= block.axes[2].is_some();
        if self.motion == 800 {
            return Err(31);
        }
        if self.motion != 0 && self.feed <= 0.0 {
            return Err(22);
        }
        if matches!(self.motion, 20 | 30) {
            let points = self.arc(block, from, to, scale)?;
            let ends = std::iter::once(from).chain(points.iter().copied());
            let chords = ends.zip(&points).map(|(from, to)| self.straight(from, *to, false));
            effect.blocks = chords.collect();
        } else {
            effect.blocks.push(self.straight(from, to, self.motion == 0));
        }
        if self.inverse_time && self.motion != 0 {
            let ends = std::iter::once(from).chain(effect.blocks.iter().map(|block| block.to));
            let length: f64 =
                ends.zip(&effect.blocks).map(|(from, block)| distance(from, block.to)).sum();
            effect
                .blocks
                .iter_mut()
                .for_each(|block| block.speed = (length * self.feed / 60.0).max(1e-3));
        }
        Ok(())
    }

    /// The tool works with the pen down (at or below zero) or the spindle on.
    fn straight(&self, from: [f64; 3], to: [f64; 3], rapid: bool) -> Block {
        let down = if self.spindle_used && !self.z_used {
            self.spindle
        } else {
            to[2] - self.offset[2] <= 0.0 || self.spindle
        };
        // Each axis has a limit of its own ($110 to $112): a diagonal is faster than any of them.
        let longest = from.into_iter().zip(to).map(|(from, to)| (to - from).abs());
        let longest = longest.fold(0.0, f64::max);
        let most = if longest > 0.0 { RAPID * distance(from, to) / longest } else { RAPID };
        let feed = if rapid { most } else { self.feed.min(most) };
        Block { to, speed: (feed / 60.0).max(1e-3), draw: !rapid && down }
    }

    fn set_system(
        &self,
        block: &Words,
        position: [f64; 3],
        scale: f64,
        eeprom: &mut Eeprom,
    ) -> Result<(), u8> {
        let system = match number(block.p.ok_or(28_u8)?) {
            0 => self.system,
            tens @ (10 | 20 | 30 | 40 | 50 | 60) => usize::from(tens / 10 - 1),
            _ => return Err(29),
        };
        for (axis, value) in given(block.axes) {
            eeprom.systems[system][axis] = match number(block.l.ok_or(28_u8)?) {
                20 => value * scale,
                200 => position[axis] - self.offset[axis] - value * scale,
                _ => return Err(20),
            };
        }
        Ok(())
    }
}

/// Numbers of words in tenths: G38.2 is 382.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
fn number(value: f64) -> u16 {
    (value * 10.0).round() as u16
}

/// The axes that a line names, with their values.
fn given(axes: [Option<f64>; 3]) -> impl Iterator<Item = (usize, f64)> {
    axes.into_iter().enumerate().filter_map(|(axis, value)| Some((axis, value?)))
}
