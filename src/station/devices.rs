//! The machines of a station: those configured, and the simulated ones asked for.

use std::time::Duration;

use crate::{
    config::{Config, DeviceConfig, EbbConfig, HpglConfig, HpglHandshake, Place, Problem},
    daemons::device_manager::Configured,
    domain::{Envelope, PlotOptions, same_name},
    drivers::{self, EbbOptions, Handshake, HpglOptions, Plotter},
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
        plot: PlotOptions::default(),
    }
}

/// What only plotters need.
fn plotter(device: &DeviceConfig) -> Plotter {
    let EbbConfig { pen_up, pen_down, acceleration, junction_deviation, .. } = device.ebb;
    let EbbConfig { steps_per_mm, y_down, .. } = device.ebb;
    let milliseconds = |time: Duration| u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
    Plotter {
        ebb: EbbOptions {
            pen_up,
            pen_down,
            raise_ms: milliseconds(device.ebb.raise).min(60_000),
            lower_ms: milliseconds(device.ebb.lower).min(60_000),
            speed_down_mm_s: device.ebb.speed_down,
            speed_up_mm_s: device.ebb.speed_up,
            acceleration,
            junction_deviation,
            steps_per_mm,
            y_down,
            bed_height: device.envelope.map(|envelope| envelope.y),
        },
        hpgl: HpglOptions {
            handshake: match device.hpgl.handshake {
                HpglHandshake::Poll => Handshake::Poll,
                HpglHandshake::XonXoff => Handshake::XonXoff,
                HpglHandshake::RtsCts => Handshake::RtsCts,
            },
            buffer: device.hpgl.buffer,
            single_pen: device.hpgl.single_pen,
        },
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
