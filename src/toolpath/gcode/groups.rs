//! What the G and M words set, in whichever dialect.

use super::{
    Interpreter, Spindle,
    codes::{knows_m, tenths},
    interpreter::{Asked, Special},
    modal::{Anchor, Motion},
};
use crate::{
    domain::Light,
    toolpath::{Dialect, Found},
};

impl Interpreter {
    pub(super) fn g(&mut self, value: f64, asked: &mut Asked, found: &mut Found) {
        found.more = true;
        let modal = &mut self.modal;
        match tenths(value) {
            0 => modal.motion = Motion::Rapid,
            // Probing moves are feeds too.
            10 | 382..=385 => modal.motion = Motion::Feed,
            20 => modal.motion = Motion::Arc { clockwise: true },
            30 => modal.motion = Motion::Arc { clockwise: false },
            800 => modal.motion = Motion::None,
            40 => asked.what = Special::Dwell,
            170 => modal.plane = (0, 1),
            180 => modal.plane = (2, 0),
            190 => modal.plane = (1, 2),
            200 => modal.units = Some(25.4),
            210 => modal.units = Some(1.0),
            mode @ (900 | 910) => {
                modal.relative = Some(mode == 910);
                modal.filament.is_relative = mode == 910;
            }
            901 => modal.centre_absolute = true,
            911 => modal.centre_absolute = false,
            930 => modal.inverse_time = true,
            940 => modal.inverse_time = false,
            280 | 300 => asked.what = Special::Home([true; 3]),
            281 | 301 => asked.what = Special::Nothing,
            920 => asked.what = Special::SetPosition,
            921 | 922 => asked.what = Special::ClearOffset,
            100 => {
                asked.what = Special::Nothing;
                modal.anchor = [Anchor::Lost; 3];
                let text = "a change of a coordinate system, which is not followed";
                found.note(Light::Amber, "coordinate-system", text);
            }
            530 => {
                asked.machine = true;
                let text = "machine coordinates (G53), taken as the file's own";
                found.note(Light::Amber, "machine-coordinates", text);
            }
            system @ (540 | 550 | 560 | 570 | 580 | 590..=593) => {
                if modal.system != system {
                    modal.anchor = [Anchor::Lost; 3];
                }
                modal.system = system;
                if system != 540 {
                    let text = "another coordinate system (G55 to G59), which is not followed";
                    found.note(Light::Amber, "coordinate-system", text);
                }
            }
            400 | 490 | 610 => {}
            _ => {
                found.note(Light::Amber, "unknown-word", format!("G{value} is not known"));
            }
        }
    }

    pub(super) fn m(&mut self, value: f64, asked: &mut Asked, found: &mut Found) {
        let modal = &mut self.modal;
        let number = tenths(value);
        match number {
            0 | 10 => found.stop = Some(if number == 0 { "M0".into() } else { "M1".into() }),
            60 => asked.change = true,
            6000 if self.dialect == Dialect::Marlin => found.stop = Some("M600".into()),
            30 => modal.spindle = Some(Spindle::Clockwise),
            40 => modal.spindle = Some(Spindle::Counter),
            50 => modal.spindle = Some(Spindle::Off),
            70 => modal.coolant[0] = true,
            80 => modal.coolant[1] = true,
            90 => modal.coolant = [false; 2],
            820 | 830 => modal.filament.is_relative = number == 830,
            // The end of a program ends the spindle too.
            20 | 300 if modal.spindle.is_some() => modal.spindle = Some(Spindle::Off),
            _ => {}
        }
        modal.spindle_used |= matches!(number, 30 | 40);
        found.more |= !matches!(number, 0 | 10 | 60 | 6000);
        found.waits |= matches!(number, 0..=90 | 300 | 1090 | 1900 | 4000 | 6000);
        if !knows_m(self.dialect, number) {
            let text = format!("M{value} is not known to GRBL 1.1, which stops there");
            found.note(Light::Amber, "unknown-word", text);
        }
    }
}
