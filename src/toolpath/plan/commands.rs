//! Pieces of motion as `LM` commands.
//!
//! The steps of a command are the difference of two absolute places, each rounded by itself: what is
//! rounded away never adds up. Both motors get a rate that makes their steps in the same time.

use std::io::{self, Write};

use super::{
    Axes,
    axes::{real, whole},
    profile::Piece,
};

/// Intervals a second.
const CLOCK: f64 = 25_000.0;

/// A motor's rate of one step each interval.
const FULL: f64 = 2_147_483_648.0;

/// A motor is never asked to make more, in steps a second; the board can do 25 000.
pub(super) const MOST_RATE: f64 = 24_000.0;

/// No command lasts longer. While the board's parser waits with a command that has no room in the
/// queue it reads nothing, not even a stop: so long a stop may take.
const LONGEST: f64 = 0.25;

/// So much of a step more than is wanted is made possible, so that the last one does not fail to come
/// because of a rounded rate; the command ends with the last step wanted.
const SPARE: f64 = 0.05;

/// Writes commands, and counts them.
pub(super) struct Writer<W> {
    out: W,
    pub(super) axes: Axes,
    /// Where the motors are.
    pub(super) at: [i64; 2],
    /// Commands so far.
    pub(super) lines: u64,
    pub(super) seconds: f64,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(out: W, axes: Axes) -> Self {
        // Machines begin at their own origin, wherever that is on the sheet.
        Self { out, axes, at: [0; 2], lines: 0, seconds: 0.0 }
    }

    pub(super) fn line(&mut self, text: std::fmt::Arguments<'_>) -> io::Result<()> {
        self.lines += 1;
        self.out.write_fmt(format_args!("{text}\n"))
    }

    pub(super) fn pen(&mut self, up: bool, milliseconds: u32) -> io::Result<()> {
        self.seconds += f64::from(milliseconds) / 1000.0;
        let up = u8::from(up);
        match milliseconds {
            0 => self.line(format_args!("SP,{up}")),
            _ => self.line(format_args!("SP,{up},{milliseconds}")),
        }
    }

    /// Moves along one piece, in as many commands as it takes.
    pub(super) fn piece(&mut self, from: [f64; 2], piece: &Piece) -> io::Result<()> {
        let count = (piece.seconds / LONGEST).ceil().max(1.0);
        let mut done = 0.0;
        while done < count {
            let at = |share: f64| {
                let (v0, v1) = (piece.from_speed, piece.to_speed);
                // The way after that share of the time.
                let way = share * (v0 + (v1 - v0) * share / 2.0) / f64::midpoint(v0, v1);
                ([0, 1].map(|i| from[i] + (piece.to[i] - from[i]) * way), v0 + (v1 - v0) * share)
            };
            let (_, from_speed) = at(done / count);
            done += 1.0;
            let (to, to_speed) = at(done / count);
            let to = if done >= count { piece.to } else { to };
            self.to(to, piece.seconds / count, from_speed, to_speed)?;
        }
        Ok(())
    }

    fn to(&mut self, to: [f64; 2], seconds: f64, v0: f64, v1: f64) -> io::Result<()> {
        let target = self.axes.steps(to);
        let steps = [target[0] - self.at[0], target[1] - self.at[1]];
        if steps == [0; 2] {
            // Less than half a step: the next command makes it.
            return Ok(());
        }
        let most = real(steps[0].abs().max(steps[1].abs()));
        let spread = v0.max(v1) / f64::midpoint(v0, v1);
        let least = ((most + SPARE) * spread * CLOCK / MOST_RATE).ceil();
        let intervals = (seconds * CLOCK).round().max(least).max(1.0);
        let mut rates = [[0, 0]; 2];
        for (rate, steps) in rates.iter_mut().zip(steps) {
            if steps == 0 {
                continue;
            }
            let mean = (real(steps.abs()) + SPARE) * FULL / intervals;
            let [begin, end] = [v0, v1].map(|speed| mean * speed / f64::midpoint(v0, v1));
            let accel = whole((end - begin) / intervals);
            // The rate follows from the rounded acceleration, so that the sum is right.
            *rate = [whole(mean - real(accel) * intervals / 2.0).max(0), accel];
        }
        let [[r1, a1], [r2, a2]] = rates;
        self.at = target;
        self.seconds += intervals / CLOCK;
        self.line(format_args!("LM,{r1},{},{a1},{r2},{},{a2},3", steps[0], steps[1]))
    }
}
