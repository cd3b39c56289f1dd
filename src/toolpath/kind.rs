//! What kind of file it is.

use std::path::Path;

/// The kinds of files that machines take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// G-code, RS-274 and its dialects.
    Gcode,
}

impl FileKind {
    /// Tells the kind by the extension of the file's name, else by its first bytes (a few hundred
    /// are enough). `None`: no machine takes it.
    pub fn of(name: &str, head: &[u8]) -> Option<Self> {
        let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
        match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("gcode" | "gco" | "gc" | "g" | "nc" | "ngc" | "tap" | "cnc") => Some(Self::Gcode),
            _ => Self::of_content(head),
        }
    }

    /// Tells the kind by its first bytes alone.
    pub fn of_content(head: &[u8]) -> Option<Self> {
        let mut splitter = super::Splitter::new();
        let whole_lines =
            head.iter().rposition(|byte| *byte == b'\n').map_or(head.len(), |end| end + 1);
        splitter.supply(&head[..whole_lines]);
        splitter.finish();
        let mut line = Vec::new();
        let mut seen = 0;
        while seen < 8 {
            match splitter.next_line(&mut line) {
                // The ends of a tape, and commands to the controller itself.
                super::Next::Line(_) if matches!(line[..], [b'%' | b'$', ..]) => {}
                super::Next::Line(_) if is_gcode(&line) => seen += 1,
                super::Next::Line(_) | super::Next::TooLong(_) => return None,
                super::Next::More | super::Next::End => break,
            }
        }
        (seen > 0).then_some(Self::Gcode)
    }

    /// The drivers that take it.
    pub fn drivers(self) -> &'static [&'static str] {
        match self {
            Self::Gcode => &["grbl"],
        }
    }

    /// As it is shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gcode => "gcode",
        }
    }
}

fn is_gcode(line: &[u8]) -> bool {
    let mut words = super::gcode::Words::new(line).peekable();
    words.peek().is_some() && words.all(|word| word.is_ok())
}

#[cfg(test)]
mod tests {
    use super::FileKind;

    #[test]
    fn the_extension_decides_and_else_the_content() {
        assert_eq!(FileKind::of("a.GCode", b""), Some(FileKind::Gcode));
        assert_eq!(FileKind::of("a.txt", b"; hello\ng21 g90\nG0X1Y2\n"), Some(FileKind::Gcode));
        for known in
            [&b"%\nO1000\nG21\n"[..], b"$H\nG0 X1\n", b"(by hand)\nM3 S100\n", b"N10 G1 X-1.5 Y.5"]
        {
            assert_eq!(FileKind::of_content(known), Some(FileKind::Gcode));
        }
        assert_eq!(FileKind::of("plot", b"G21\nG0 X1\n"), Some(FileKind::Gcode));
        assert_eq!(FileKind::of("a.txt", b"dear all,\nG1\n"), None);
        assert_eq!(FileKind::of("a.png", b"\x89PNG\r\n\x1a\n"), None);
        assert_eq!(FileKind::of_content(b""), None);
    }
}
