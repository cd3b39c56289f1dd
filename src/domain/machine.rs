//! A machine as far as its files are concerned.

use super::{EbbOptions, Envelope, Motion};

/// A machine that a file may run on.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// What people call it.
    pub name: String,
    /// The protocol it speaks.
    pub driver: String,
    /// How far it reaches; none is no check.
    pub envelope: Option<Envelope>,
    /// How it accelerates.
    pub motion: Motion,
    /// Commands that it is not given, besides the usual ones: `M502`, `$RST`, `G28`.
    pub deny: Vec<String>,
    /// Commands that it is given although they are usually denied.
    pub allow: Vec<String>,
    /// How it draws if it is an EBB plotter.
    pub ebb: EbbOptions,
    /// How many pens it changes without a person; 1 is none.
    pub pens: u32,
    /// A person changes the pens that a file in its own language asks for.
    pub single_pen: bool,
}

impl Machine {
    /// What the carousel of an HP 7475A holds.
    pub const HPGL_PENS: u32 = 6;

    /// A machine of this driver of which nothing else is known.
    pub fn unknown(driver: &str) -> Self {
        Self {
            name: driver.to_owned(),
            driver: driver.to_owned(),
            envelope: None,
            motion: Motion::usual(driver, false),
            deny: Vec::new(),
            allow: Vec::new(),
            ebb: EbbOptions::default(),
            pens: if driver == "hpgl" { Self::HPGL_PENS } else { 1 },
            single_pen: false,
        }
    }
}
