//! Each command, with what it answers.

use super::{
    Ebb, EbbVersion, Stuck,
    motion::{Axis, CLOCK, Motion, rate},
    parser::{Parameters, Wrong, name},
};

const INT: (i64, i64) = (i32::MIN as i64, i32::MAX as i64);

/// Commands that wait at most in the queue of firmware 3.
const MOST_DEPTH: usize = 32;

/// Raw readings of a current limit and of a 9 V supply (`QC`), and of USB power alone.
const REFERENCE: u16 = 394;
const POWERED: u16 = 300;
const UNPOWERED: u16 = 21;

/// A delay without motion is cut to that, in milliseconds.
const LONGEST_DELAY: i64 = 100_000;

impl Ebb {
    pub(super) fn command(&mut self, line: &str) -> Result<(), Wrong> {
        let upper = line.to_ascii_uppercase();
        let (name, rest) = name(&upper);
        let mut p = Parameters::new(rest);
        match name {
            "SM" | "XM" => {
                let motion = self.stepper(name, &mut p)?;
                return self.motion(name, motion);
            }
            "LM" => {
                let axes = [Self::axis(&mut p)?, Self::axis(&mut p)?];
                let axes = Self::cleared(axes, &mut p)?;
                return self.motion(name, Motion::Steps(axes));
            }
            "LT" => {
                let intervals = p.number(0, i64::from(u32::MAX))?;
                let axes = [Self::timed_axis(&mut p)?, Self::timed_axis(&mut p)?];
                let axes = Self::cleared(axes, &mut p)?;
                return self.motion(name, Motion::Timed(axes, intervals.unsigned_abs()));
            }
            "HM" => {
                let frequency = f64::from(u16::try_from(p.number(2, 25_000)?).unwrap_or(2));
                let first = p.optional(INT.0, INT.1)?;
                let second = first.map(|_| p.number(INT.0, INT.1)).transpose()?;
                p.end()?;
                let to = [first.unwrap_or(0), second.unwrap_or(0)];
                return self.motion(name, Motion::Home { frequency, to });
            }
            "EM" => {
                let first = p.number(0, 5)?;
                let second = p.optional(0, 5)?;
                p.end()?;
                let mode = u8::try_from(first).ok().filter(|mode| *mode > 0);
                let on = [Some(first > 0), second.map(|second| second > 0)];
                return self.motion(name, Motion::Motors { mode, on });
            }
            "SP" => return self.pen(&mut p),
            "TP" => {
                let seconds = milliseconds(p.optional(1, 65_535)?);
                p.end()?;
                let up = !self.machine.pen_up;
                return self.motion(name, Motion::Pen { up, seconds });
            }
            "S2" => {
                p.number(0, 65_535)?;
                p.number(0, 24)?;
                p.optional(0, 65_535)?;
                let delay = milliseconds(p.optional(0, 65_535)?);
                p.end()?;
                return self.motion(name, Motion::Delay(delay));
            }
            "CS" => {
                p.end()?;
                self.machine.clear_counters();
            }
            "SC" => {
                p.number(0, 255)?;
                p.number(0, 65_535)?;
                p.end()?;
            }
            "CU" => return self.configure(&mut p),
            "SL" => {
                let value = p.number(0, 255)?;
                let index = p.optional(0, 31)?.unwrap_or(0);
                p.end()?;
                if let (Ok(value), Ok(index)) = (u8::try_from(value), usize::try_from(index)) {
                    self.settings.variables[index] = value;
                }
            }
            "NI" => self.settings.nodes = self.settings.nodes.wrapping_add(1),
            "ND" => self.settings.nodes = self.settings.nodes.wrapping_sub(1),
            "SR" | "PD" | "PO" | "SE" | "SN" => {}
            "ST" => {
                // The name is kept as it was written.
                let text = Parameters::new(&line[name.len()..]).text()?;
                if text.len() > 16 {
                    return Err(Wrong::Invalid);
                }
                text.clone_into(&mut self.nickname);
            }
            "R" => self.restart(),
            "RB" => {
                self.restart();
                return Ok(());
            }
            _ => return self.query(name, &mut p),
        }
        self.acknowledge(name);
        Ok(())
    }

    fn query(&mut self, name: &str, p: &mut Parameters<'_>) -> Result<(), Wrong> {
        const OK: &str = "\r\nOK\r\n";
        const REVERSED: &str = "\n\rOK\r\n";
        let machine = &self.machine;
        let executing = machine.is_executing();
        let moves = [machine.moves(0), machine.moves(1)];
        let waits = machine.waiting() > 0;
        let (value, ending) = match name {
            "V" => (self.version.text().to_owned(), "\r\n"),
            "QM" => {
                let bits = [executing, moves[0], moves[1], waits].map(u8::from);
                let value = format!("{},{},{},{}", bits[0], bits[1], bits[2], bits[3]);
                (if self.settings.future { value } else { format!("QM,{value}") }, "\n\r")
            }
            "QG" => {
                let button = std::mem::take(&mut self.settings.button);
                let bits = [waits, moves[1], moves[0], executing, machine.pen_up, button];
                let mut status = bits.iter().rev().fold(0_u8, |sum, bit| sum << 1 | u8::from(*bit));
                if self.version == EbbVersion::V3 && machine.limited {
                    status |= 0x80;
                }
                (format!("{status:02X}"), "\r\n")
            }
            "QS" => (format!("{},{}", machine.counters[0], machine.counters[1]), REVERSED),
            "QP" => (u8::from(machine.pen_up).to_string(), REVERSED),
            "QR" => ("1".to_owned(), REVERSED),
            "QB" => (u8::from(std::mem::take(&mut self.settings.button)).to_string(), OK),
            "QC" => {
                let volts = if machine.powered { POWERED } else { UNPOWERED };
                (format!("{REFERENCE:04},{volts:04}"), OK)
            }
            "QE" => {
                let steps = 16_u8 >> machine.mode.saturating_sub(1).min(4);
                let [first, second] = machine.on.map(|on| if on { steps } else { 0 });
                (format!("{first},{second}"), OK)
            }
            "QL" => {
                let index = usize::try_from(p.optional(0, 31)?.unwrap_or(0)).unwrap_or(0);
                (self.settings.variables[index].to_string(), OK)
            }
            "QN" => (self.settings.nodes.to_string(), OK),
            "QT" => (self.nickname.clone(), OK),
            "QU" if self.version == EbbVersion::V3 => {
                let value = match p.number(0, 255)? {
                    2 => MOST_DEPTH,
                    3 => machine.depth,
                    6 => machine.waiting(),
                    _ => return Err(Wrong::Invalid),
                };
                (if self.settings.future { value.to_string() } else { format!("QU,{value}") }, OK)
            }
            "PI" => ("1".to_owned(), "\r\n"),
            "ES" => {
                let off = p.optional(0, 1)? == Some(1);
                let interrupted = self.machine.stop();
                if off {
                    let off = [Some(false); 2];
                    self.machine.push(Motion::Motors { mode: None, on: off });
                }
                (u8::from(interrupted).to_string(), REVERSED)
            }
            _ => return Err(Wrong::Unknown(name.to_owned())),
        };
        p.end()?;
        self.tell(name, &value, ending);
        Ok(())
    }

    fn configure(&mut self, p: &mut Parameters<'_>) -> Result<(), Wrong> {
        let number = p.number(0, 257)?;
        let value = p.number(-32_768, 32_767)?;
        p.end()?;
        let newer = self.version == EbbVersion::V3;
        match (number, value) {
            (1, value) => self.settings.acknowledges = value != 0,
            (4, value) if newer => {
                let depth = usize::try_from(value).unwrap_or(1).clamp(1, MOST_DEPTH);
                self.stuck = Some((Stuck::Depth(depth), "CU".to_owned()));
                return Ok(());
            }
            (10, value) if newer => {
                // Half of the answer is made before the syntax changes.
                let before = std::mem::replace(&mut self.settings.future, value != 0);
                let text = match (before, value != 0) {
                    (false, true) => "\n",
                    (true, false) => "CUOK\r\n",
                    (true, true) => "CU\n",
                    (false, false) => "OK\r\n",
                };
                self.voice.answer(text, self.now);
                return Ok(());
            }
            (51, 0) if newer => self.machine.limited = false,
            (53, value) if newer => self.settings.limit_reply = value != 0,
            // The rest has no part in what is drawn; older firmware takes anything.
            _ => {}
        }
        self.acknowledge("CU");
        Ok(())
    }

    /// Into the queue, or the parser waits with it.
    #[expect(clippy::unnecessary_wraps, reason = "ends every arm of a match of results")]
    fn motion(&mut self, name: &str, motion: Motion) -> Result<(), Wrong> {
        self.stuck = Some((Stuck::Motion(motion), name.to_owned()));
        Ok(())
    }

    fn stepper(&mut self, name: &str, p: &mut Parameters<'_>) -> Result<Motion, Wrong> {
        let duration = p.number(1, i64::from(u32::MAX))?;
        let first = p.number(INT.0, INT.1)?;
        let second = if name == "XM" {
            p.number(INT.0, INT.1)?
        } else {
            p.optional(INT.0, INT.1)?.unwrap_or(0)
        };
        let clear = p.optional(0, 3)?.unwrap_or(0);
        p.end()?;
        if first == 0 && second == 0 {
            return Ok(Motion::Delay(milliseconds(Some(duration.min(LONGEST_DELAY)))));
        }
        let steps = if name == "XM" { [first + second, first - second] } else { [first, second] };
        let intervals = milliseconds(Some(duration)) * CLOCK;
        let mut axes = steps.map(|steps| Axis {
            rate: rate(steps.abs(), intervals),
            steps,
            ..Axis::default()
        });
        for (number, axis) in (1_u8..).zip(&mut axes) {
            if axis.rate > super::motion::STEP {
                if name == "XM" || self.version == EbbVersion::V2 {
                    return Err(Wrong::RateTooHigh(number));
                }
                axis.rate = super::motion::STEP;
            }
        }
        axes[0].clear = clear & 1 != 0;
        axes[1].clear = clear & 2 != 0;
        Ok(Motion::Steps(axes))
    }

    fn axis(p: &mut Parameters<'_>) -> Result<Axis, Wrong> {
        let rate = i128::from(p.number(INT.0, INT.1)?);
        let steps = p.number(INT.0, INT.1)?;
        let accel = i128::from(p.number(INT.0, INT.1)?);
        Ok(Axis { rate, accel, steps, clear: false })
    }

    fn timed_axis(p: &mut Parameters<'_>) -> Result<Axis, Wrong> {
        let rate = i128::from(p.number(INT.0, INT.1)?);
        let accel = i128::from(p.number(INT.0, INT.1)?);
        Ok(Axis { rate: rate.abs(), accel, steps: if rate < 0 { -1 } else { 1 }, clear: false })
    }

    fn cleared(mut axes: [Axis; 2], p: &mut Parameters<'_>) -> Result<[Axis; 2], Wrong> {
        let clear = p.optional(0, 3)?.unwrap_or(0);
        p.end()?;
        axes[0].clear = clear & 1 != 0;
        axes[1].clear = clear & 2 != 0;
        Ok(axes)
    }

    fn pen(&mut self, p: &mut Parameters<'_>) -> Result<(), Wrong> {
        let most = if self.version == EbbVersion::V3 { 3 } else { 1 };
        let value = p.number(0, most)?;
        let seconds = milliseconds(p.optional(1, 65_535)?);
        p.optional(0, 7)?;
        p.end()?;
        if value >= 2 {
            self.machine.pen_up = true;
            self.acknowledge("SP");
            return Ok(());
        }
        self.motion("SP", Motion::Pen { up: value == 1, seconds })
    }
}

fn milliseconds(value: Option<i64>) -> f64 {
    u32::try_from(value.unwrap_or(0)).map_or(f64::from(u32::MAX), f64::from) / 1000.0
}
