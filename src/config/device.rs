//! A machine as it is configured.

use std::time::Duration;

use serde::Deserialize;

use super::{EbbConfig, HpglConfig, LineConfig};
use crate::domain::{Envelope, Machine, Motion, PlotOptions};

/// A machine.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceConfig {
    /// What people call it; unique without regard to case and to `_` or `-`.
    pub name: String,
    /// The protocol it speaks; one of [`KNOWN_DRIVERS`](super::KNOWN_DRIVERS).
    pub driver: String,
    /// What is opened: an absolute path, `tcp://HOST:PORT` or `sim:DRIVER`.
    pub port: String,
    /// The speed of a serial line.
    pub baud_rate: u32,
    /// How long the machine may be silent when it owes an answer.
    pub timeout: Duration,
    /// How far it can reach; none is no check.
    pub envelope: Option<Envelope>,
    /// How it accelerates; what is not given is as usual for its driver.
    pub motion: Option<MotionConfig>,
    /// Commands that no file may have, besides the usual ones; upper case.
    pub deny: Vec<String>,
    /// Commands that files may have although they are usually denied; upper case.
    pub allow: Vec<String>,
    /// Every job for it waits until a person releases it.
    pub require_confirmation: bool,
    /// Lines sent before each job.
    pub start_lines: Vec<String>,
    /// Lines sent after each completed job.
    pub end_lines: Vec<String>,
    /// Lines that make it safe when a job is stopped.
    pub on_stop: Vec<String>,
    /// How an EBB plotter draws.
    pub ebb: EbbConfig,
    /// How an HP-GL plotter is driven.
    pub hpgl: HpglConfig,
    /// How a machine is driven that only acknowledges lines.
    pub line: LineConfig,
    /// How it draws what is not in its own language.
    pub plot: PlotOptions,
}

impl DeviceConfig {
    /// The machine as far as its files are concerned.
    pub fn machine(&self) -> Machine {
        Machine {
            name: self.name.clone(),
            driver: self.driver.clone(),
            envelope: self.envelope,
            motion: self.motion(),
            deny: self.deny.clone(),
            allow: self.allow.clone(),
            ebb: self.ebb.options(self.envelope),
            pens: match self.driver.as_str() {
                "hpgl" if !self.hpgl.single_pen => self.hpgl.pens,
                _ => 1,
            },
            single_pen: self.driver == "hpgl" && self.hpgl.single_pen,
        }
    }

    /// How it accelerates.
    pub fn motion(&self) -> Motion {
        let mut motion = Motion::usual(&self.driver, self.port.starts_with("sim:"));
        let Some(given) = &self.motion else { return motion };
        let set = |axes: &mut [f64; 3], all: Option<f64>, z: Option<f64>| {
            *axes = all.map_or(*axes, |all| [all; 3]);
            axes[2] = z.unwrap_or(axes[2]);
        };
        set(&mut motion.acceleration, given.acceleration, given.z_acceleration);
        set(&mut motion.rapid, given.rapid, given.z_rapid);
        set(
            &mut motion.max_feed,
            given.max_feed,
            given.z_rapid.filter(|_| given.max_feed.is_none()),
        );
        motion.junction_deviation = given.junction_deviation.unwrap_or(motion.junction_deviation);
        motion
    }
}

/// How a machine accelerates, as far as it is given.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MotionConfig {
    /// mm/s².
    pub acceleration: Option<f64>,
    /// mm/s², of Z if that differs.
    pub z_acceleration: Option<f64>,
    /// How far a corner may be cut, in mm.
    pub junction_deviation: Option<f64>,
    /// Rapid moves, in mm/min.
    pub rapid: Option<f64>,
    /// mm/min, of Z if that differs.
    pub z_rapid: Option<f64>,
    /// Working moves are never faster, in mm/min.
    pub max_feed: Option<f64>,
}
