//! From a file to what its machine understands.

use std::io::{self, Read};

use thiserror::Error;

use super::{
    Drawing, FileKind, emit,
    hpgl::{self, HpglError},
    optimise, plan,
    svg::{self, SvgError},
};
use crate::domain::{Analysis, Finding, LayerStart, Machine, PlotOptions, Stop};

/// What goes to a machine instead of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// In the machine's language.
    pub bytes: Vec<u8>,
    /// Where layers begin.
    pub layers: Vec<LayerStart>,
    /// Where a person changes the pen.
    pub stops: Vec<Stop>,
    /// What a person should know.
    pub warnings: Vec<String>,
    /// What is wrong with the file.
    pub problems: Vec<Finding>,
}

impl Program {
    /// Adds to what was found in the program what only the file could tell.
    pub fn tell(self, analysis: &mut Analysis) {
        analysis.layers = self.layers;
        analysis.stops.extend(self.stops);
        analysis.stops.sort_by_key(|stop| stop.line);
        let wrong = self.problems.iter().map(ToString::to_string);
        analysis.warnings.splice(..0, wrong.chain(self.warnings));
        let worst = self.problems.iter().map(|problem| problem.severity).max().unwrap_or_default();
        analysis.verdict = analysis.verdict.max(worst);
        for device in &mut analysis.devices {
            device.verdict = device.verdict.max(worst);
        }
        analysis.problems.extend(self.problems);
        analysis.problems.sort_by_key(|problem| std::cmp::Reverse(problem.severity));
    }
}

/// Why a file cannot become a program.
#[derive(Debug, Error)]
pub enum ConvertError {
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It is no SVG that can be drawn.
    #[error(transparent)]
    Svg(#[from] SvgError),
    /// It is no HPGL that can be drawn.
    #[error("{0}")]
    Hpgl(HpglError),
    /// It is G-code without measure.
    #[error("the G-code file draws too much: more than 4 million points")]
    TooMuchGcode,
    /// There is nothing to draw.
    #[error("the drawing has no line that a pen could follow{0}")]
    Empty(String),
    /// Nothing leads from that kind of file to that driver.
    #[error("{kind} files cannot be converted for the driver {driver}")]
    NoWay {
        /// The kind of file.
        kind: &'static str,
        /// The driver.
        driver: String,
    },
}

impl From<HpglError> for ConvertError {
    fn from(error: HpglError) -> Self {
        match error {
            HpglError::Io(error) => Self::Io(error),
            error @ HpglError::TooMuch => Self::Hpgl(error),
        }
    }
}

/// Turns a file into a program for a machine; `None` if it takes the file as it is. Blocks, and holds
/// the whole drawing in memory.
pub fn convert(
    kind: FileKind,
    machine: &Machine,
    reader: impl Read,
    options: &PlotOptions,
) -> Result<Option<Program>, ConvertError> {
    let driver = machine.driver.as_str();
    if !kind.suits(driver) {
        let driver = driver.to_owned();
        return Err(ConvertError::NoWay { kind: kind.as_str(), driver });
    }
    if !kind.is_converted_for(driver) {
        return Ok(None);
    }
    let mut drawing = drawing(kind, reader, machine, options)?;
    drawing.layers.retain(|layer| !layer.strokes.is_empty());
    let pens = usize::try_from(machine.pens).unwrap_or(usize::MAX).max(1);
    if options.stop_between_layers {
        // One that changes its pens by itself is helped once it has no further one.
        drawing.layers.iter_mut().skip(pens).for_each(|layer| layer.stop = true);
    }
    let mut bytes = Vec::new();
    let layers = match driver {
        "ebb" => plan::plan(&drawing, &machine.ebb, &mut bytes)?.layers,
        "hpgl" => emit::hpgl(&drawing, pens, &mut bytes)?,
        _ => emit::gcode(&drawing, options, &mut bytes)?,
    };
    let stops = stops(&drawing, &layers);
    let Drawing { warnings, problems, .. } = drawing;
    Ok(Some(Program { bytes, layers, stops, warnings, problems }))
}

/// Where a person changes the pen, and what that person is told.
fn stops(drawing: &Drawing, starts: &[LayerStart]) -> Vec<Stop> {
    let count = starts.len();
    let layers = drawing.layers.iter().zip(starts).enumerate();
    let stops = layers.filter(|(_, (layer, _))| layer.stop).map(|(index, (_, start))| {
        let LayerStart { name, colour, line } = start;
        let what = match colour {
            Some(colour) if colour == name => name.clone(),
            Some(colour) => format!("\"{name}\" ({colour})"),
            None => format!("\"{name}\""),
        };
        let message = format!("layer {} of {count}: {what}: change the pen", index + 1);
        Stop { line: *line, message, alone: false, layer: true }
    });
    stops.collect()
}

/// Reads a file into a drawing, in the order in which it is to be drawn.
fn drawing(
    kind: FileKind,
    mut reader: impl Read,
    machine: &Machine,
    options: &PlotOptions,
) -> Result<Drawing, ConvertError> {
    let mut drawing = match kind {
        FileKind::Svg => {
            let mut bytes = Vec::new();
            // One more than may be, to tell a file that is too large.
            reader.by_ref().take(svg::MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
            svg::read(&bytes, options.tolerance_mm)?
        }
        FileKind::Gcode => {
            let mut drawing = plan::strokes(reader)?.ok_or(ConvertError::TooMuchGcode)?;
            // It is not about a sheet but about places on the machine.
            drawing.size = machine.envelope.map(|reach| [reach.x, reach.y]);
            drawing
        }
        // EBB commands and lists of lines are only for machines that take them as they are.
        FileKind::Hpgl | FileKind::Ebb | FileKind::Lines => {
            hpgl::read(reader, options.tolerance_mm)?
        }
    };
    if drawing.layers.iter().all(|layer| layer.strokes.is_empty()) {
        let why = drawing.warnings.first().map(|first| format!(": {first}"));
        return Err(ConvertError::Empty(why.unwrap_or_default()));
    }
    // The order of a program has been thought about already.
    if options.optimise && kind != FileKind::Gcode {
        optimise(&mut drawing, options.join_mm);
    }
    Ok(drawing)
}

#[cfg(test)]
mod tests;
