//! The pen of a plotter that a person changes it of.

/// The pen in the holder of a plotter without a carousel, as far as a file tells.
#[derive(Clone, Copy, Debug, Default)]
pub struct Holder {
    pen: Option<u32>,
}

impl Holder {
    /// Takes an instruction; returns the pen that a person must put in before it, if that is another
    /// one. The first is in the holder already, and `SP0` leaves there what is in it.
    pub fn change(&mut self, instruction: &[u8]) -> Option<u32> {
        let pen = chosen(instruction)?;
        let before = self.pen.replace(pen);
        before.is_some_and(|before| before != pen).then_some(pen)
    }

    /// What a person is told.
    pub fn request(pen: u32) -> String {
        format!("put pen {pen} into the holder")
    }
}

/// The pen that `SP` takes; none if it puts it away, or is something else.
fn chosen(instruction: &[u8]) -> Option<u32> {
    let text = str::from_utf8(instruction.strip_prefix(b"SP")?).ok()?;
    text.trim_end_matches(';').trim().parse().ok().filter(|pen| *pen > 0)
}

#[cfg(test)]
mod tests {
    use super::Holder;

    #[test]
    fn a_person_is_asked_for_each_other_pen() {
        let mut holder = Holder::default();
        for (instruction, pen) in [
            ("IN;", None),
            ("SP1;", None),
            ("SP1;", None),
            ("SP2;", Some(2)),
            ("SP2;", None),
            ("SP0;", None),
            ("SP2;", None),
            ("SP;", None),
            ("SP1", Some(1)),
        ] {
            assert_eq!(holder.change(instruction.as_bytes()), pen, "{instruction}");
        }
    }
}
