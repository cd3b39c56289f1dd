//! What a printer lays down: the tool of such a file works while filament comes out of it.

/// The filament (E) of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::toolpath) struct Filament {
    /// E counts from where it is: M83, or G91 as long as no M82 follows.
    pub(in crate::toolpath) is_relative: bool,
    /// The last E word, or what G92 has said; none if there was neither.
    at: Option<f64>,
    /// A move has laid some down: the file is a print.
    is_used: bool,
}

impl Filament {
    /// How much there was so far; none if the file never says.
    pub(in crate::toolpath) fn at(&self) -> Option<f64> {
        self.at
    }

    /// G92 gives the amount so far another number.
    pub(super) fn set(&mut self, at: f64) {
        self.at = Some(at);
    }

    /// Takes the E word of a line; true if filament comes out.
    pub(super) fn feed(&mut self, word: Option<f64>) -> bool {
        let Some(word) = word else { return false };
        let at = self.at.unwrap_or(0.0);
        let by = if self.is_relative { word } else { word - at };
        self.at = Some(at + by);
        by > 0.0
    }

    /// Whether the tool works on a move that lays filament down or not; none if that does not tell,
    /// for the file is no print so far.
    pub(super) fn works(&mut self, comes_out: bool) -> Option<bool> {
        self.is_used |= comes_out;
        self.is_used.then_some(comes_out)
    }
}
