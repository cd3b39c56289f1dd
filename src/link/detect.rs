//! Which serial ports there are, and what may be behind them, without touching any.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Serialize;
use serialport::{SerialPortType, UsbPortInfo};

/// The directory in which udev names serial ports by what is behind them.
const BY_ID: &str = "/dev/serial/by-id";

/// A serial port that a machine may be behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// The device file.
    pub port: String,
    /// The by-id path that leads to it, for the configuration: it survives replugging.
    pub identity: Option<String>,
    /// `VVVV:PPPP`, the USB vendor and product.
    pub usb_id: Option<String>,
    /// Maker and product as the device says.
    pub description: Option<String>,
    /// The serial number as the device says.
    pub serial_number: Option<String>,
    /// What such a USB id is mostly found in. The chip says nothing certain about the firmware.
    pub family: Option<&'static str>,
    /// The driver to try first, where the id is telling.
    pub driver: Option<&'static str>,
}

/// USB vendor, product (`None` = any), what it mostly is, the driver to try first.
type Known = (u16, Option<u16>, &'static str, Option<&'static str>);

const KNOWN: [Known; 19] = [
    (0x04d8, Some(0xfd92), "EiBotBoard (AxiDraw, EggBot)", Some("ebb")),
    (0x2341, Some(0x0043), "Arduino Uno", Some("grbl")),
    (0x2341, Some(0x0042), "Arduino Mega", None),
    (0x2341, Some(0x0010), "Arduino Mega", None),
    (0x2341, None, "Arduino", None),
    (0x2a03, None, "Arduino", None),
    (0x1a86, Some(0x7523), "CH340 (many GRBL boards)", Some("grbl")),
    (0x1a86, Some(0x5523), "CH341", None),
    (0x1a86, Some(0x55d4), "CH9102", None),
    (0x0403, None, "FTDI", None),
    (0x10c4, Some(0xea60), "CP210x", None),
    (0x067b, Some(0x2303), "PL2303", None),
    (0x0483, Some(0x5740), "STM32 virtual port", None),
    (0x1d50, Some(0x614e), "Klipper", None),
    (0x1d50, Some(0x6015), "Smoothieboard", None),
    (0x2c99, Some(0x0002), "Prusa MK3", Some("marlin")),
    (0x16c0, Some(0x0483), "Teensy", None),
    (0x2e8a, Some(0x000a), "RP2040", None),
    (0x303a, Some(0x1001), "ESP32-S3", None),
];

/// The serial ports of this computer, those with a known USB id first. None is opened.
pub fn detect() -> Vec<Candidate> {
    let ports = serialport::available_ports().unwrap_or_default();
    let mut found: Vec<Candidate> = ports
        .into_iter()
        .filter_map(|port| match port.port_type {
            SerialPortType::UsbPort(usb) => Some(describe(port.port_name, &usb, Path::new(BY_ID))),
            // The kernel lists UARTs that no hardware stands behind; a machine on a real one is
            // configured by hand.
            _ => None,
        })
        .collect();
    found.sort_by_key(|candidate| (candidate.family.is_none(), candidate.port.clone()));
    found
}

fn describe(port: String, usb: &UsbPortInfo, by_id: &Path) -> Candidate {
    let known = KNOWN.iter().find(|(vendor, product, ..)| {
        *vendor == usb.vid && product.is_none_or(|product| product == usb.pid)
    });
    let names = [usb.manufacturer.as_deref(), usb.product.as_deref()];
    let description = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
    Candidate {
        identity: identity_in(by_id, Path::new(&port)).map(|path| path.display().to_string()),
        usb_id: Some(format!("{:04x}:{:04x}", usb.vid, usb.pid)),
        description: Some(description).filter(|text| !text.is_empty()),
        serial_number: usb.serial_number.clone(),
        family: known.map(|known| known.2),
        driver: known.and_then(|known| known.3),
        port,
    }
}

/// The by-id path that leads to the same device file as `port`.
pub(super) fn identity(port: &Path) -> Option<PathBuf> {
    // A test cannot plug anything in.
    #[cfg(feature = "faults")]
    if let Some(by_id) = std::env::var_os("SERIAL_BY_ID") {
        return identity_in(Path::new(&by_id), port);
    }
    identity_in(Path::new(BY_ID), port)
}

fn identity_in(by_id: &Path, port: &Path) -> Option<PathBuf> {
    let device = fs::canonicalize(port).ok()?;
    let mut links: Vec<PathBuf> =
        fs::read_dir(by_id).ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    links.sort();
    links.into_iter().find(|link| fs::canonicalize(link).is_ok_and(|target| target == device))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn usb(vid: u16, pid: u16) -> UsbPortInfo {
        UsbPortInfo {
            vid,
            pid,
            serial_number: None,
            manufacturer: Some("SchmalzHaus".to_owned()),
            product: None,
        }
    }

    #[test]
    fn a_known_usb_id_tells_the_family_and_an_unknown_one_nothing() {
        let nowhere = Path::new("/nonexistent");
        let board = describe("/dev/ttyACM0".to_owned(), &usb(0x04d8, 0xfd92), nowhere);
        assert_eq!(board.driver, Some("ebb"));
        assert_eq!(board.description.as_deref(), Some("SchmalzHaus"));
        let uno = describe("/dev/ttyACM0".to_owned(), &usb(0x2341, 0x0043), nowhere);
        assert_eq!(uno.family, Some("Arduino Uno"));
        let other = describe("/dev/ttyACM0".to_owned(), &usb(1, 2), nowhere);
        assert_eq!((other.family, other.usb_id.as_deref()), (None, Some("0001:0002")));
    }

    #[test]
    fn a_port_is_known_by_the_link_that_leads_to_it() {
        let directory = tempfile::tempdir().unwrap();
        let (port, other) = (directory.path().join("ttyUSB0"), directory.path().join("ttyUSB1"));
        std::fs::write(&port, "").unwrap();
        std::fs::write(&other, "").unwrap();
        let by_id = directory.path().join("by-id");
        std::fs::create_dir(&by_id).unwrap();
        symlink(&port, by_id.join("usb-a")).unwrap();
        assert_eq!(identity_in(&by_id, &port), Some(by_id.join("usb-a")));
        assert_eq!(identity_in(&by_id, &other), None);
    }
}
