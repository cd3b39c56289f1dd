//! Whether a file suits one machine.

use super::{findings::Findings, policy::denied};
use crate::domain::{DeviceVerdict, Light, Machine};

/// What speaks against a machine, gathered while its file is read.
pub(super) struct Suit<'a> {
    machine: &'a Machine,
    /// Commands that it is not given.
    pub(super) denied: Vec<String>,
    findings: Findings,
    /// The first line that leaves its envelope.
    left: Option<u64>,
    bounds: Option<([f64; 3], [f64; 3])>,
}

impl<'a> Suit<'a> {
    pub(super) fn new(machine: &'a Machine) -> Self {
        let denied = denied(machine);
        Self { machine, denied, findings: Findings::default(), left: None, bounds: None }
    }

    /// A line has a command that is denied to one machine at least.
    pub(super) fn command(&mut self, line: u64, command: &str) {
        if self.denied.iter().any(|denied| denied == command) {
            let what = match command {
                "$=" => "a machine setting ($n=…)",
                command => command,
            };
            let text =
                format!("{what} is denied: `allow` in the device's configuration lets it pass");
            self.findings.add(Light::Red, Some(line), "denied-command", text.into());
        }
    }

    /// All motion up to this line lies between these corners.
    pub(super) fn bounds(&mut self, line: u64, min: [f64; 3], max: [f64; 3]) {
        self.bounds = Some((min, max));
        if let (None, Some(envelope)) = (self.left, &self.machine.envelope)
            && envelope.is_left_by(min, max)
        {
            self.left = Some(line);
        }
    }

    /// The verdict; `own` is what the file's own problems amount to.
    pub(super) fn verdict(mut self, own: Light) -> DeviceVerdict {
        if let Some((min, max)) = self.bounds {
            let name = &self.machine.name;
            let left = self.machine.envelope.map(|envelope| envelope.left_by(min, max));
            if let Some(Some(how)) = left {
                let text = format!("leaves the envelope of {name}: {how}");
                self.findings.add(Light::Red, self.left, "envelope", text.into());
            } else if left.is_none() {
                let text = format!("no envelope is configured for {name}: bounds are not checked");
                self.findings.add(Light::Amber, None, "no-envelope", text.into());
            }
        }
        let problems = self.findings.into_vec();
        let worst = problems.first().map_or(Light::Green, |worst| worst.severity);
        DeviceVerdict { device: self.machine.name.clone(), verdict: own.max(worst), problems }
    }
}
