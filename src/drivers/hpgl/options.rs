//! What is particular to a plotter.

/// How a plotter is kept from losing bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Handshake {
    /// Only as much is sent as it says there is room for.
    #[default]
    Poll,
    /// The same, and it may say XOFF and XON, which the port heeds.
    XonXoff,
    /// The same, and it may use the lines RTS and CTS, which the port heeds.
    RtsCts,
}

/// How an HP-GL plotter is driven.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HpglOptions {
    /// How it is kept from losing bytes.
    pub handshake: Handshake,
    /// How many bytes its buffer holds; none is what it says itself.
    pub buffer: Option<usize>,
    /// True if a person changes the pen: a job stops before each `SP` of another pen.
    pub single_pen: bool,
}
