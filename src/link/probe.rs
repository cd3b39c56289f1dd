//! Asks what is behind a port. This opens it, which starts most boards anew, and says a few words to
//! whatever is there, none of which moves a machine.

use std::{
    io,
    path::Path,
    time::{Duration, Instant},
};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde::Serialize;

use super::{port::Link, serial::Serial};

/// A boot loader takes its time before the firmware greets.
const BANNER: Duration = Duration::from_millis(2500);
/// For the answer to a question.
const ANSWER: Duration = Duration::from_millis(700);
/// What is kept of what a machine says.
const KEPT: usize = 2000;

/// The rates that machines are found at, the most common first.
const RATES: [u32; 3] = [115_200, 250_000, 9600];

/// What is asked and by which driver's protocol: GRBL's build information, Marlin's firmware
/// information, the version of an EBB, the identification of an HPGL plotter.
const QUESTIONS: [(&str, &str); 4] =
    [("grbl", "$I\n"), ("marlin", "M115\n"), ("ebb", "V\r"), ("hpgl", "OI;")];

/// What was found behind a port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The device file.
    pub port: String,
    /// The driver that understands what is there, if any does.
    pub driver: Option<&'static str>,
    /// The rate at which it was understood.
    pub baud_rate: Option<u32>,
    /// What it said of itself.
    pub firmware: Option<String>,
    /// Why nothing was found.
    pub error: Option<String>,
}

impl Found {
    /// A port that the station itself has: nothing is asked.
    pub fn own(port: String, device: &str) -> Self {
        let error = Some(format!("it is device \"{device}\" of this station: it was not asked"));
        Self { port, driver: None, baud_rate: None, firmware: None, error }
    }
}

/// Opens a serial port and asks what is there. Blocks for some seconds.
pub fn probe(port: &str) -> Found {
    let mut found =
        Found { port: port.to_owned(), driver: None, baud_rate: None, firmware: None, error: None };
    match ask_at_all_rates(Path::new(port)) {
        Ok(Some((rate, driver, firmware))) => {
            found.driver = Some(driver);
            found.baud_rate = Some(rate);
            found.firmware = Some(firmware);
        }
        Ok(None) => found.error = Some("it did not answer to any question".to_owned()),
        Err(error) => found.error = Some(error.to_string()),
    }
    found
}

fn ask_at_all_rates(path: &Path) -> io::Result<Option<(u32, &'static str, String)>> {
    if !is_serial(&std::fs::canonicalize(path)?) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a serial port"));
    }
    for rate in RATES {
        let mut port = Serial::open(path, rate, serialport::FlowControl::None)?;
        if let Some((driver, firmware)) = ask(&mut port)? {
            return Ok(Some((rate, driver, firmware)));
        }
    }
    Ok(None)
}

/// Serial ports and pseudo-terminals alone: to open another device file may do anything, as a
/// hardware watchdog shows.
fn is_serial(path: &Path) -> bool {
    let Some(name) = path.to_str().and_then(|path| path.strip_prefix("/dev/")) else {
        return false;
    };
    let real = ["ttyS", "ttyUSB", "ttyACM", "ttyAMA", "rfcomm", "pts/"];
    let numbered = |kind: &&str| {
        name.strip_prefix(*kind)
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    real.iter().any(numbered)
}

fn ask(port: &mut Serial) -> io::Result<Option<(&'static str, String)>> {
    let mut said = Vec::new();
    listen(port, &mut said, BANNER)?;
    if let Some(found) = recognise(&said) {
        return Ok(Some(found));
    }
    for (_, question) in QUESTIONS {
        say(port, question)?;
        listen(port, &mut said, ANSWER)?;
        if let Some(found) = recognise(&said) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// A question is a few bytes: a port that does not take them has no room for anything.
fn say(port: &mut Serial, question: &str) -> io::Result<()> {
    match port.write(question.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
        written => written.map(drop),
    }
}

/// Takes in what comes, until it is understood or the time is over.
fn listen(port: &mut Serial, said: &mut Vec<u8>, time: Duration) -> io::Result<()> {
    let until = Instant::now() + time;
    let mut buffer = [0; 512];
    while recognise(said).is_none() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        poll(&mut [PollFd::new(port.fd(), PollFlags::POLLIN)], timeout)?;
        match port.read(&mut buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                said.extend_from_slice(&buffer[..count.min(KEPT.saturating_sub(said.len()))]);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The driver of a machine that says this, and the line by which it is known: at most 200 letters.
pub fn recognise(said: &[u8]) -> Option<(&'static str, String)> {
    let text = String::from_utf8_lossy(said);
    let whole = text.rfind(['\n', '\r']).map_or("", |end| &text[..end]);
    whole.lines().flat_map(|line| line.split('\r')).map(str::trim).find_map(|line| {
        let driver = if line.starts_with("Grbl ") || line.starts_with("[VER:1.1") {
            "grbl"
        } else if line.contains("FIRMWARE_NAME:") || line.starts_with("Marlin ") {
            "marlin"
        } else if line.contains("EB Firmware Version") {
            "ebb"
        } else if is_plotter(line) {
            "hpgl"
        } else {
            return None;
        };
        Some((driver, line.chars().filter(|it| !it.is_control()).take(200).collect()))
    })
}

/// Plotters answer OI with their number: 7470A, 7475A, 7550A …
fn is_plotter(line: &str) -> bool {
    let digits = line.strip_suffix(|letter: char| letter.is_ascii_uppercase());
    digits.is_some_and(|digits| {
        digits.len() == 4 && digits.starts_with('7') && digits.bytes().all(|it| it.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_serial_ports_are_opened() {
        for good in ["/dev/ttyUSB0", "/dev/ttyACM12", "/dev/pts/3", "/dev/ttyS0"] {
            assert!(is_serial(Path::new(good)), "{good}");
        }
        let bad = [
            "/dev/watchdog",
            "/dev/tty",
            "/dev/tty1",
            "/dev/sda",
            "/dev/ttyS",
            "/etc/ttyS0",
            "/dev/ttyS0/../sda",
        ];
        for bad in bad {
            assert!(!is_serial(Path::new(bad)), "{bad}");
        }
    }

    #[test]
    fn machines_are_known_by_what_they_say() {
        let of = |said: &str| recognise(said.as_bytes()).map(|found| found.0);
        assert_eq!(of("\r\nGrbl 1.1h ['$' for help]\r\n"), Some("grbl"));
        assert_eq!(of("Grbl 1.1"), None, "half a line");
        assert_eq!(
            of("echo:Unknown command\nFIRMWARE_NAME:Marlin 2.1.2 (x)\nok\n"),
            Some("marlin")
        );
        assert_eq!(of("start\nMarlin 2.1.2\n"), Some("marlin"));
        assert_eq!(
            of("!8 Err: Unknown command\r\nEBBv13_and_above EB Firmware Version 2.8.1\r\n"),
            Some("ebb")
        );
        assert_eq!(of("7475A\r"), Some("hpgl"));
        assert_eq!(of("7475\r12345\rhello\n"), None);
        assert_eq!(recognise(&[0xff, 0xfe, b'\n']), None);
        let (_, line) = recognise(b"Grbl 1.1h \x1b[2J<b>\n").unwrap();
        assert_eq!(line, "Grbl 1.1h [2J<b>");
    }
}
