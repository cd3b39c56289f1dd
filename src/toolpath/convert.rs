//! From a file to what its machine understands.

use std::io::{self, Read};

use thiserror::Error;

use super::{
    Drawing, FileKind, emit,
    hpgl::{self, HpglError},
    optimise,
    svg::{self, SvgError},
};
use crate::domain::{LayerStart, PlotOptions};

/// What goes to a machine instead of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// In the machine's language.
    pub bytes: Vec<u8>,
    /// Where layers begin.
    pub layers: Vec<LayerStart>,
    /// What a person should know.
    pub warnings: Vec<String>,
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

/// Turns a file into a program for a driver; `None` if the machine takes the file as it is. Blocks,
/// and holds the whole drawing in memory.
pub fn convert(
    kind: FileKind,
    driver: &str,
    reader: impl Read,
    options: &PlotOptions,
) -> Result<Option<Program>, ConvertError> {
    let mut bytes = Vec::new();
    let (layers, drawing) = match (kind, driver) {
        (FileKind::Gcode | FileKind::Lines, _) | (FileKind::Hpgl, "hpgl") => return Ok(None),
        (FileKind::Svg | FileKind::Hpgl, "grbl" | "marlin") => {
            let drawing = drawing(kind, reader, options)?;
            (emit::gcode(&drawing, options, &mut bytes)?, drawing)
        }
        (FileKind::Svg, "hpgl") => {
            let drawing = drawing(kind, reader, options)?;
            (emit::hpgl(&drawing, &mut bytes)?, drawing)
        }
        // A further machine language has its arm here: `drawing` gives what is to be drawn.
        (kind, driver) => {
            return Err(ConvertError::NoWay { kind: kind.as_str(), driver: driver.to_owned() });
        }
    };
    Ok(Some(Program { bytes, layers, warnings: drawing.warnings }))
}

/// Reads a file into a drawing, in the order in which it is to be drawn.
fn drawing(
    kind: FileKind,
    mut reader: impl Read,
    options: &PlotOptions,
) -> Result<Drawing, ConvertError> {
    let mut drawing = match kind {
        FileKind::Svg => {
            let mut bytes = Vec::new();
            // One more than may be, to tell a file that is too large.
            reader.by_ref().take(svg::MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
            svg::read(&bytes, options.tolerance_mm)?
        }
        FileKind::Hpgl | FileKind::Gcode | FileKind::Lines => {
            hpgl::read(reader, options.tolerance_mm)?
        }
    };
    if drawing.layers.iter().all(|layer| layer.strokes.is_empty()) {
        let why = drawing.warnings.first().map(|first| format!(": {first}"));
        return Err(ConvertError::Empty(why.unwrap_or_default()));
    }
    if options.optimise {
        optimise(&mut drawing, options.join_mm);
    }
    Ok(drawing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Machine;

    const SQUARE: &str = r#"<svg xmlns="http://www.w3.org/2000/svg" width="50mm" height="50mm"
        viewBox="0 0 50 50"><rect x="10" y="10" width="20" height="10" stroke="red"/>
        <text>Hi</text></svg>"#;

    fn of(kind: FileKind, driver: &str, text: &str) -> Result<Option<Program>, ConvertError> {
        convert(kind, driver, text.as_bytes(), &PlotOptions::default())
    }

    #[test]
    fn a_square_for_each_machine() {
        let program = of(FileKind::Svg, "grbl", SQUARE).unwrap().unwrap();
        let found =
            super::super::analyse(&program.bytes[..], &[Machine::unknown("grbl")]).unwrap().0;
        assert_eq!((found.min, found.max), (Some([0.0; 3]), Some([30.0, 40.0, 5.0])));
        assert_eq!(found.warnings, [""; 0]);
        assert_eq!(program.layers.len(), 1);
        assert_eq!((program.layers[0].name.as_str(), program.layers[0].line), ("#ff0000", 4));
        assert!(program.warnings[0].starts_with("1 text is left out"));
        assert_eq!(of(FileKind::Svg, "marlin", SQUARE).unwrap().unwrap(), program);
        let program = of(FileKind::Svg, "hpgl", SQUARE).unwrap().unwrap();
        let text = String::from_utf8(program.bytes).unwrap();
        assert_eq!(
            text,
            "IN;\nSP1;\nPU400,1600;\nPD1200,1600,1200,1200,400,1200,400,1600;\nPU;\nSP0;\n"
        );
    }

    #[test]
    fn what_a_machine_understands_is_left_as_it_is() {
        assert_eq!(of(FileKind::Gcode, "grbl", "G21").unwrap(), None);
        assert_eq!(of(FileKind::Hpgl, "hpgl", "IN;").unwrap(), None);
        assert!(of(FileKind::Hpgl, "grbl", "IN;SP1;PU0,0;PD40,0;").unwrap().is_some());
    }

    #[test]
    fn what_cannot_be_drawn_is_refused_with_the_reason() {
        let text = r#"<svg xmlns="http://www.w3.org/2000/svg"><text>Hi</text></svg>"#;
        let error = of(FileKind::Svg, "grbl", text).unwrap_err().to_string();
        assert!(error.contains("no line that a pen could follow: 1 text is left out"), "{error}");
        let error = of(FileKind::Svg, "line", SQUARE).unwrap_err().to_string();
        assert_eq!(error, "svg files cannot be converted for the driver line");
        assert!(of(FileKind::Svg, "grbl", "<svg").is_err());
        assert!(of(FileKind::Hpgl, "grbl", "IN;").is_err());
    }
}
