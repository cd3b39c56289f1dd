//! The machines of a station: those configured, and the simulated ones asked for.

use std::time::Duration;

use crate::{
    config::{
        Config, DeviceConfig, EbbConfig, HpglConfig, HpglHandshake, LineConfig, Place, Problem,
    },
    daemons::device_manager::Configured,
    domain::{Envelope, PlotOptions, same_name},
    drivers::{self, Handshake, HpglOptions, LineOptions, Pattern, Plotter},
    link::{LinkOptions, SimulatorOptions},
};

/// How far a simulated machine reaches, in millimetres: an A4 plotter's bed.
const SIMULATED: Envelope = Envelope { x: 300.0, y: 218.0, z: Some(50.0) };

/// Adds a simulated machine for every driver asked for, all of them if none is named.
pub(super) fn add_simulated(config: &mut Config, asked: Option<&[String]>) -> Result<(), Problem> {
    let Some(asked) = asked else { return Ok(()) };
    let all: Vec<_> = drivers::NAMES.iter().map(ToString::to_string).collect();
    for driver in if asked.is_empty() { &all } else { asked } {
        if !drivers::NAMES.contains(&driver.as_str()) {
            let known = drivers::NAMES.join(", ");
            let wrong =
                format!("no driver of this version is called \"{driver}\": there is {known}");
            return Err(Problem::error(Place::Flag("--simulate".to_owned()), "", wrong));
        }
        let name = format!("sim-{driver}");
        if !config.devices.iter().any(|device| same_name(&device.name, &name)) {
            config.devices.push(simulated(name, driver));
        }
    }
    Ok(())
}

fn simulated(name: String, driver: &str) -> DeviceConfig {
    // Tool off and out of the way, as each protocol says it.
    let on_stop: &[&str] = match driver {
        "ebb" => &["HM,4000"],
        "grbl" => &["M5", "G90 G0 Z5"],
        // Without any, a Marlin machine has its heaters, fan and motors switched off.
        _ => &[],
    };
    DeviceConfig {
        name,
        driver: driver.to_owned(),
        port: format!("sim:{driver}"),
        baud_rate: 115_200,
        timeout: Duration::from_secs(30),
        envelope: Some(SIMULATED),
        motion: None,
        deny: Vec::new(),
        allow: Vec::new(),
        require_confirmation: false,
        start_lines: Vec::new(),
        end_lines: Vec::new(),
        on_stop: on_stop.iter().map(|line| (*line).to_owned()).collect(),
        ebb: EbbConfig::default(),
        hpgl: HpglConfig::default(),
        line: simulated_line(),
        plot: PlotOptions::default(),
    }
}

/// What stops the simulated machine, and how it greets.
fn simulated_line() -> LineConfig {
    LineConfig {
        banner: Some("^line machine ready".to_owned()),
        halt: vec!["!".to_owned()],
        ..LineConfig::default()
    }
}

/// How a machine that only acknowledges lines is driven.
fn line(config: &LineConfig) -> LineOptions {
    let usual = LineOptions::default();
    // The configuration has been checked: what is no pattern never gets here.
    let pattern = |text: &String| Pattern::new(text).ok();
    LineOptions {
        ack: pattern(&config.ack).unwrap_or(usual.ack),
        error: pattern(&config.error).unwrap_or(usual.error),
        busy: config.busy.as_ref().and_then(pattern),
        banner: config.banner.as_ref().and_then(pattern),
        eol: config.eol.bytes(),
        settle: config.settle,
        pause: config.pause.clone(),
        resume: config.resume.clone(),
        halt: config.halt.clone(),
        estop: config.estop.clone(),
    }
}

/// What only one of the drivers needs.
fn plotter(device: &DeviceConfig) -> Plotter {
    Plotter {
        ebb: device.ebb.options(device.envelope),
        hpgl: HpglOptions {
            handshake: match device.hpgl.handshake {
                HpglHandshake::Poll => Handshake::Poll,
                HpglHandshake::XonXoff => Handshake::XonXoff,
                HpglHandshake::RtsCts => Handshake::RtsCts,
            },
            buffer: device.hpgl.buffer,
            single_pen: device.hpgl.single_pen,
        },
        line: line(&device.line),
    }
}

/// The machines as the device manager takes them.
pub(super) fn configured(config: &Config) -> Vec<Configured> {
    let simulator = SimulatorOptions {
        speed: config.simulator.speed,
        baud_rate: config.simulator.baud_rate,
        ..SimulatorOptions::default()
    };
    let one = |device: &DeviceConfig| Configured {
        envelope: device.envelope,
        motion: device.motion(),
        link: LinkOptions {
            name: device.name.clone(),
            driver: device.driver.clone(),
            port: device.port.clone(),
            baud_rate: device.baud_rate,
            timeout: device.timeout,
            identity: None,
            start_lines: device.start_lines.clone(),
            end_lines: device.end_lines.clone(),
            on_stop: device.on_stop.clone(),
            plotter: plotter(device),
            simulator: simulator.clone(),
        },
    };
    config.devices.iter().map(one).collect()
}
