//! `check file`: what is known of a file before it runs. Works without a running station.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    str::FromStr,
};

use clap::Args;
use serde_json::{Value, json};

use super::{
    args::Global,
    failure::Failure,
    print::{Out, print_json, print_text},
    report::report,
};
use crate::{
    config::{KNOWN_DRIVERS, load},
    domain::{Analysis, Envelope, Light, Machine, PlotOptions, same_name},
    toolpath::{self, FileKind},
};

/// Of the beginning of a file, enough to tell its kind.
const HEAD: usize = 4096;

/// `check file FILE`
#[derive(Args, Clone, Debug, PartialEq)]
#[command(after_help = "\
Examples:
  stationd check file part.nc --driver grbl --envelope 300x218x50
  stationd check file part.nc --device plotter -o json

Exit codes: 0 the verdict is green or amber, 1 it is red, 2 wrong usage.")]
pub(super) struct CheckFileArgs {
    /// The file; - is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// For machines of this driver [default: the first that takes such files]
    #[arg(long)]
    pub driver: Option<String>,
    /// For this device, as it is configured
    #[arg(long, value_name = "NAME", conflicts_with = "driver")]
    pub device: Option<String>,
    /// How far the machine reaches, in millimetres
    #[arg(long, value_name = "XxY[xZ]")]
    pub envelope: Option<Reach>,
}

/// An envelope as it is written on a command line: `300x218` or `300x218x50`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reach(pub Envelope);

impl FromStr for Reach {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lengths: Option<Vec<f64>> = text
            .to_ascii_lowercase()
            .split('x')
            .map(|part| part.trim().parse().ok().filter(|it| *it > 0.0 && *it <= 1e5))
            .collect();
        let (x, y, z) = match lengths.as_deref() {
            Some([x, y]) => (*x, *y, None),
            Some([x, y, z]) => (*x, *y, Some(*z)),
            _ => return Err("write millimetres as 300x218 or 300x218x50"),
        };
        Ok(Self(Envelope { x, y, z }))
    }
}

/// `check file FILE`
pub(super) fn run(global: &Global, out: Out, args: &CheckFileArgs) -> Result<(), Failure> {
    let unreadable = |error: io::Error| {
        Failure::Usage(format!("{} cannot be read: {error}", args.file.display()))
    };
    let mut file = open(&args.file).map_err(unreadable)?;
    let mut head = Vec::new();
    file.by_ref().take(HEAD as u64).read_to_end(&mut head).map_err(unreadable)?;
    let name = args.file.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let kind = FileKind::of(&name, &head);
    let (machine, plot) = machine(global, args, kind)?;
    let analysis = analysed(kind, head.as_slice().chain(file), &machine, &plot)?;
    if analysis.lines == 0 {
        let message = format!("{} has no line for a machine", args.file.display());
        return Err(Failure::Failed(message));
    }
    let value = serde_json::to_value(&analysis).unwrap_or_default();
    if out.is_json() {
        let mut document = json!({"file": args.file, "driver": machine.driver});
        if let (Value::Object(document), Value::Object(found)) = (&mut document, value) {
            document.extend(found);
        }
        print_json(&document)?;
    } else {
        print_text(&report(out, &value))?;
    }
    if analysis.verdict == Light::Red { Err(Failure::Verdict(1)) } else { Ok(()) }
}

/// What is known of the file, or of the program that it becomes for this machine.
fn analysed(
    kind: Option<FileKind>,
    file: impl Read,
    machine: &Machine,
    plot: &PlotOptions,
) -> Result<Analysis, Failure> {
    let machines = std::slice::from_ref(machine);
    let unreadable = |error| Failure::Usage(format!("the file cannot be read: {error}"));
    let Some(kind) = kind.filter(|kind| kind.is_converted_for(&machine.driver)) else {
        return Ok(toolpath::analyse(file, machines).map_err(unreadable)?.0);
    };
    let program = toolpath::convert(kind, machine, file, plot);
    let program = program.map_err(|error| Failure::Failed(error.to_string()))?.unwrap_or_default();
    let (mut analysis, _) =
        toolpath::analyse(program.bytes.as_slice(), machines).map_err(unreadable)?;
    program.tell(&mut analysis);
    Ok(analysis)
}

fn open(file: &Path) -> io::Result<Box<dyn Read>> {
    if file == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    let opened = File::open(file)?;
    if opened.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(Box::new(opened))
}

/// The machine that is meant, and how it draws.
fn machine(
    global: &Global,
    args: &CheckFileArgs,
    kind: Option<FileKind>,
) -> Result<(Machine, PlotOptions), Failure> {
    let (mut machine, plot) = if let Some(name) = &args.device {
        configured(global, name)?
    } else {
        let usual = kind.and_then(|kind| kind.drivers().first().copied());
        let driver = args.driver.as_deref().map(str::to_ascii_lowercase);
        let Some(driver) = driver.or(usual.map(str::to_owned)) else {
            let message = "no machine takes this kind of file: name its --driver";
            return Err(Failure::Usage(message.to_owned()));
        };
        if !KNOWN_DRIVERS.contains(&driver.as_str()) {
            let known = KNOWN_DRIVERS.join(", ");
            let message = format!("no driver is called \"{driver}\": there is {known}");
            return Err(Failure::Usage(message));
        }
        (Machine::unknown(&driver), PlotOptions::default())
    };
    if kind.is_none_or(|kind| !kind.suits(&machine.driver)) {
        let what = kind.map_or("files of no known kind", FileKind::in_words);
        let taken = FileKind::taken_by(&machine.driver);
        let driver = &machine.driver;
        let message = format!("machines of the driver {driver} take {taken}, not {what}");
        return Err(Failure::Usage(message));
    }
    if let Some(Reach(envelope)) = args.envelope {
        machine.ebb.bed_height = Some(envelope.y);
        machine.envelope = Some(envelope);
    }
    Ok((machine, plot))
}

fn configured(global: &Global, name: &str) -> Result<(Machine, PlotOptions), Failure> {
    let loaded = load(&global.sources()).map_err(|problems| {
        let first = problems.first().map(ToString::to_string).unwrap_or_default();
        Failure::Failed(format!("the configuration is wrong: {first}"))
    })?;
    let devices = &loaded.config.devices;
    let found = devices.iter().find(|device| same_name(&device.name, name));
    found.map(|device| (device.machine(), device.plot.clone())).ok_or_else(|| {
        let names: Vec<_> = devices.iter().map(|device| device.name.as_str()).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        Failure::NotFound(format!("no device is called \"{name}\": there is {names}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_is_two_or_three_lengths() {
        let read = |text: &str| text.parse::<Reach>().map(|Reach(it)| (it.x, it.y, it.z));
        assert_eq!(read("300x218"), Ok((300.0, 218.0, None)));
        assert_eq!(read("300X218.5x50"), Ok((300.0, 218.5, Some(50.0))));
        for wrong in ["", "300", "300x", "0x10", "axb", "1x2x3x4", "-1x2", "infx1"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
