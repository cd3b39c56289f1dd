//! Where a machine is: what can be opened.

use std::{
    io,
    os::fd::BorrowedFd,
    path::{Path, PathBuf},
};

use serialport::FlowControl;

use super::{LinkOptions, serial::Serial, simulated::Simulator, tcp::Tcp};
use crate::drivers::{self, Handshake};

/// An open connection. Reads and writes never wait: they fail with `WouldBlock` instead.
pub(super) trait Link: Send {
    /// For polling.
    fn fd(&self) -> BorrowedFd<'_>;

    /// No bytes at all mean that the other side is gone.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Takes as much as there is room for.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Throws away what was written and has not left the computer.
    fn discard(&mut self);
}

/// The address of a machine, parsed.
pub(super) enum Port {
    Serial(PathBuf),
    Tcp(String),
    Simulated(Simulator),
}

impl Port {
    pub(super) fn of(options: &LinkOptions) -> io::Result<Self> {
        let wrong = |what: String| io::Error::new(io::ErrorKind::InvalidInput, what);
        let LinkOptions { name, driver, port, .. } = options;
        if !drivers::NAMES.contains(&driver.as_str()) {
            let known = drivers::NAMES.join(", ");
            return Err(wrong(format!(
                "device \"{name}\": no driver \"{driver}\" (there is: {known})"
            )));
        }
        if let Some(address) = port.strip_prefix("tcp://") {
            return Ok(Self::Tcp(address.to_owned()));
        }
        if let Some(simulated) = port.strip_prefix("sim:") {
            if simulated != driver {
                let message = format!("device \"{name}\": {port} cannot be driven by \"{driver}\"");
                return Err(wrong(message));
            }
            return Ok(Self::Simulated(Simulator::spawn(name, simulated, &options.simulator)?));
        }
        if port.is_empty() {
            return Err(wrong(format!("device \"{name}\" has no port")));
        }
        Ok(Self::Serial(PathBuf::from(port)))
    }

    pub(super) fn open(&self, options: &LinkOptions) -> io::Result<Box<dyn Link>> {
        let (baud_rate, flow) = (options.baud_rate, flow(options));
        Ok(match self {
            Self::Serial(path) => Box::new(Serial::open(path, baud_rate, flow)?),
            Self::Tcp(address) => Box::new(Tcp::open(address)?),
            Self::Simulated(simulator) => {
                Box::new(Serial::open(&simulator.power_on()?, baud_rate, flow)?)
            }
        })
    }

    /// Where a port appears when a machine is plugged in.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::Serial(path) => Some(path),
            Self::Tcp(_) | Self::Simulated(_) => None,
        }
    }

    /// By what the machine behind it is known.
    pub(super) fn identity(&self) -> Option<PathBuf> {
        match self {
            Self::Serial(path) => super::detect::identity(path),
            Self::Tcp(_) | Self::Simulated(_) => None,
        }
    }
}

/// What the port itself heeds.
fn flow(options: &LinkOptions) -> FlowControl {
    match options.plotter.hpgl.handshake {
        _ if options.driver != "hpgl" => FlowControl::None,
        Handshake::Poll => FlowControl::None,
        Handshake::XonXoff => FlowControl::Software,
        Handshake::RtsCts => FlowControl::Hardware,
    }
}
