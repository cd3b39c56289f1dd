//! What kind of file it is.

use std::path::Path;

use super::gcode::Command;

/// The kinds of files that machines take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// G-code, RS-274 and its dialects.
    Gcode,
    /// Scalable Vector Graphics, also compressed.
    Svg,
    /// Hewlett-Packard's language for plotters.
    Hpgl,
    /// Commands for an EBB plotter, one a line.
    Ebb,
    /// Lines of any kind, for a machine that takes them as they are.
    Lines,
}

impl FileKind {
    /// Tells the kind by the extension of the file's name, else by its first bytes (a few hundred
    /// are enough). `None`: no machine takes it.
    pub fn of(name: &str, head: &[u8]) -> Option<Self> {
        Self::of_name(name).or_else(|| Self::of_content(head))
    }

    /// Tells the kind by the extension of the file's name alone.
    pub fn of_name(name: &str) -> Option<Self> {
        let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
        match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("gcode" | "gco" | "gc" | "g" | "nc" | "ngc" | "tap" | "cnc") => Some(Self::Gcode),
            Some("svg" | "svgz") => Some(Self::Svg),
            Some("hpgl" | "hpg" | "hgl" | "plt") => Some(Self::Hpgl),
            Some("ebb") => Some(Self::Ebb),
            Some("lines") => Some(Self::Lines),
            _ => None,
        }
    }

    /// Tells the kind by its first bytes alone.
    pub fn of_content(head: &[u8]) -> Option<Self> {
        if is_svg(head) {
            return Some(Self::Svg);
        }
        if is_ebb(head) {
            return Some(Self::Ebb);
        }
        let hpgl = || is_hpgl(head).then_some(Self::Hpgl);
        let mut splitter = super::Splitter::new();
        let whole_lines = head
            .iter()
            .rposition(|byte| super::split::is_line_end(*byte))
            .map_or(head.len(), |end| end + 1);
        splitter.supply(&head[..whole_lines]);
        splitter.finish();
        let mut line = Vec::new();
        let mut seen = 0;
        while seen < 8 {
            match splitter.next_line(&mut line) {
                // The ends of a tape, and commands to the controller itself.
                super::Next::Line(_) if matches!(line[..], [b'%' | b'$', ..]) => {}
                super::Next::Line(_) if is_gcode(&line) => seen += 1,
                super::Next::Line(_) | super::Next::TooLong(_) => return hpgl(),
                super::Next::More | super::Next::End => break,
            }
        }
        if seen > 0 { Some(Self::Gcode) } else { hpgl() }
    }

    /// The drivers that take it; first those whose machines do as it is.
    pub fn drivers(self) -> &'static [&'static str] {
        match self {
            Self::Gcode => &["grbl", "marlin", "ebb"],
            Self::Svg => &["grbl", "marlin", "ebb", "hpgl"],
            Self::Hpgl => &["hpgl", "grbl", "marlin", "ebb"],
            Self::Ebb => &["ebb"],
            Self::Lines => &["line"],
        }
    }

    /// True if a machine of this driver takes it: those it is meant for, and one that takes any
    /// lines, if a person says so.
    pub fn suits(self, driver: &str) -> bool {
        self.drivers().contains(&driver) || (self == Self::Gcode && driver == "line")
    }

    /// True if it becomes a program of its own for that driver; false if the machine takes it as it
    /// is.
    pub fn is_converted_for(self, driver: &str) -> bool {
        match self {
            Self::Gcode => driver == "ebb",
            Self::Svg => true,
            Self::Hpgl => driver != "hpgl",
            Self::Ebb | Self::Lines => false,
        }
    }

    /// The kinds that machines of this driver take, in words for people.
    pub fn taken_by(driver: &str) -> String {
        let all = [Self::Gcode, Self::Svg, Self::Hpgl, Self::Ebb, Self::Lines];
        let taken = all.into_iter().filter(|kind| kind.suits(driver)).map(Self::in_words);
        let taken: Vec<_> = taken.collect();
        match taken.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
            None => "no files".to_owned(),
        }
    }

    /// In words for people.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Gcode => "G-code",
            Self::Svg => "SVG",
            Self::Hpgl => "HPGL",
            Self::Ebb => "EBB commands",
            Self::Lines => "lists of lines",
        }
    }

    /// As it is shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gcode => "gcode",
            Self::Svg => "svg",
            Self::Hpgl => "hpgl",
            Self::Ebb => "ebb",
            Self::Lines => "lines",
        }
    }
}

/// Words, or a command of Marlin with letters or text after it.
fn is_gcode(line: &[u8]) -> bool {
    if Command::read(line).is_some_and(|command| command.letter != b'T') {
        return true;
    }
    let mut words = super::gcode::Words::new(line).peekable();
    words.peek().is_some() && words.all(|word| word.is_ok())
}

/// Nothing but commands of an EBB, and more than one of them.
fn is_ebb(head: &[u8]) -> bool {
    let mut splitter = super::Splitter::of(super::Dialect::Ebb);
    splitter.supply(head);
    // The last line may be cut off.
    let (mut line, mut seen) = (Vec::new(), 0);
    while seen < 8 {
        match splitter.next_line(&mut line) {
            super::Next::Line(_) if super::ebb::is_command(&line) => seen += 1,
            super::Next::Line(_) | super::Next::TooLong(_) => return false,
            super::Next::More | super::Next::End => break,
        }
    }
    seen >= 2
}

/// Text in UTF-8 that begins as XML does and soon comes to `<svg`.
fn is_svg(head: &[u8]) -> bool {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let svg = |at: &[u8]| {
        at.strip_prefix(b"<svg").is_some_and(|after| {
            after.first().is_none_or(|byte| byte.is_ascii_whitespace() || b">/:".contains(byte))
        })
    };
    svg(text)
        || ((text.starts_with(b"<?xml") || text.starts_with(b"<!"))
            && (text.windows(6).any(svg) || text.windows(13).any(|it| it == b"<!DOCTYPE svg")))
}

/// Instructions that such files begin with, and nothing else that would be strange.
fn is_hpgl(head: &[u8]) -> bool {
    let mut splitter = super::hpgl::Splitter::new();
    splitter.supply(head);
    let (mut line, mut seen) = (Vec::new(), 0);
    // The last one may be cut off.
    while let super::Next::Line(_) = splitter.next_line(&mut line) {
        let known: &[&[u8]] = &[
            b"IN", b"DF", b"SP", b"PU", b"PD", b"PA", b"PR", b"IP", b"SC", b"VS", b"PS", b"RO",
            b"BP", b"NP", b"PW", b"LT", b"FS", b"DT", b"LA", b"CI", b"LO", b"SI", b"SR", b"DI",
        ];
        if !line.get(..2).is_some_and(|name| known.contains(&name)) {
            return false;
        }
        seen += 1;
        if seen == 8 {
            break;
        }
    }
    // A word of a text may happen to be one.
    let strange = |byte: &u8| !byte.is_ascii() || b"=<>{}[]@$\\".contains(byte);
    seen >= 2 && !head.iter().take(64).any(strange)
}

#[cfg(test)]
mod tests {
    use super::FileKind;

    #[test]
    fn the_extension_decides_and_else_the_content() {
        assert_eq!(FileKind::of("a.GCode", b""), Some(FileKind::Gcode));
        assert_eq!(FileKind::of("a.txt", b"; hello\ng21 g90\nG0X1Y2\n"), Some(FileKind::Gcode));
        for known in [
            &b"%\nO1000\nG21\n"[..],
            b"$H\nG0 X1\n",
            b"(by hand)\nM3 S100\n",
            b"N10 G1 X-1.5 Y.5",
            b"G21\rG0 X1\rG0 X",
            b"M862.3 P \"MK3S\"\nM115 U3.13.3\nG28 W\nM117 Here we go\n",
        ] {
            assert_eq!(FileKind::of_content(known), Some(FileKind::Gcode));
        }
        assert_eq!(FileKind::of("plot", b"G21\nG0 X1\n"), Some(FileKind::Gcode));
        assert_eq!(FileKind::of("a.txt", b"dear all,\nG1\n"), None);
        assert_eq!(FileKind::of("a.png", b"\x89PNG\r\n\x1a\n"), None);
        assert_eq!(FileKind::of_content(b""), None);
        assert_eq!(FileKind::of("knife.lines", b"cut 3 4\n"), Some(FileKind::Lines));
        assert_eq!(FileKind::taken_by("hpgl"), "SVG and HPGL");
        assert_eq!(FileKind::taken_by("ebb"), "G-code, SVG, HPGL and EBB commands");
        assert_eq!(FileKind::taken_by("line"), "G-code and lists of lines");
        assert!(FileKind::Gcode.suits("line") && !FileKind::Svg.suits("line"));
        assert!(!FileKind::Gcode.drivers().contains(&"line"), "only if a person says so");
    }

    #[test]
    fn drawings_are_told_apart() {
        assert_eq!(FileKind::of("a.SVG", b"G1 X1\n"), Some(FileKind::Svg));
        assert_eq!(FileKind::of("a.svgz", b"\x1f\x8b"), Some(FileKind::Svg));
        assert_eq!(FileKind::of("a.plt", b""), Some(FileKind::Hpgl));
        for svg in [
            &b"<svg xmlns='http://www.w3.org/2000/svg'/>"[..],
            b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- made by -->\n<svg\n width='1'>",
            b"<?xml version='1.0'?><!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN'",
            b"<!-- x --><svg:svg>",
        ] {
            assert_eq!(FileKind::of_content(svg), Some(FileKind::Svg), "{svg:?}");
        }
        for hpgl in [
            &b"IN;SP1;PU0,0;PD1,1;"[..],
            b"\x1b.(\x1b.I81;;17:IN;DF;PA;",
            b"INPAPU0,0PD1200,0PD1200,800",
            b"\x1b%0BBP;IN;",
        ] {
            assert_eq!(FileKind::of_content(hpgl), Some(FileKind::Hpgl), "{hpgl:?}");
        }
        assert_eq!(FileKind::of("a.EBB", b""), Some(FileKind::Ebb));
        for ebb in [
            &b"# up first\nSP,1,250\nSM,500,800,0\nSP,0"[..],
            b"EM,1,1\r\nLM,412378430,442,0,412378430,442,0,3\r\n",
        ] {
            assert_eq!(FileKind::of_content(ebb), Some(FileKind::Ebb), "{ebb:?}");
        }
        for other in [
            &b"<html><svg/></html>"[..],
            b"<?xml version='1.0'?><note/>",
            b"PAPUA NEW GUINEA",
            b"INSERT",
            b"SP,1\nnot a command\n",
            b"SP,one\nSP,two\n",
        ] {
            assert_eq!(FileKind::of_content(other), None, "{other:?}");
        }
    }
}
