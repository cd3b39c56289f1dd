//! What a shape is painted with.

use super::{
    colour_names::NAMED,
    number::{Scanner, share},
};

/// Red, green, blue.
pub(super) type Rgb = [u8; 3];

/// A value of `fill` or `stroke`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    None,
    Colour(Rgb),
    /// The value of `color`.
    Current,
    /// A gradient or a pattern: it has no single colour.
    Other,
}

impl Paint {
    /// `None`: the text means nothing, and what was inherited stays.
    pub(super) fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        match text {
            "none" | "transparent" => Some(Self::None),
            "currentColor" | "currentcolor" => Some(Self::Current),
            "context-fill" | "context-stroke" => Some(Self::Other),
            _ => match text.strip_prefix("url(") {
                // What follows is for those who cannot follow the link.
                Some(link) => {
                    let fallback = link.split_once(')').map_or("", |(_, after)| after.trim());
                    Some(match Self::of(fallback) {
                        Some(Self::Colour(colour)) => Self::Colour(colour),
                        _ => Self::Other,
                    })
                }
                None => colour(text),
            },
        }
    }
}

fn colour(text: &str) -> Option<Paint> {
    if let Some(hex) = text.strip_prefix('#') {
        return hexadecimal(hex);
    }
    if let Some((name, arguments)) = text.split_once('(') {
        return function(name, arguments.strip_suffix(')')?);
    }
    let name = text.to_ascii_lowercase();
    let found = NAMED.binary_search_by_key(&name.as_str(), |(known, _)| known).ok()?;
    hexadecimal(NAMED[found].1)
}

fn hexadecimal(text: &str) -> Option<Paint> {
    let digit = |char: char| char.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut digits: Vec<u8> = text.chars().map(digit).collect::<Option<_>>()?;
    // Three or four digits stand for twice as many.
    if matches!(digits.len(), 3 | 4) {
        digits = digits.iter().flat_map(|digit| [*digit; 2]).collect();
    }
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] * 16 + pair[1]).collect();
    match bytes[..] {
        [red, green, blue] if digits.len() == 6 => Some(Paint::Colour([red, green, blue])),
        [_, _, _, 0] => Some(Paint::None),
        [red, green, blue, _] if digits.len() == 8 => Some(Paint::Colour([red, green, blue])),
        _ => None,
    }
}

fn function(name: &str, arguments: &str) -> Option<Paint> {
    let parts: Vec<&str> =
        arguments.split([',', '/', ' ']).map(str::trim).filter(|it| !it.is_empty()).collect();
    let alpha = parts.get(3).map_or(Some(1.0), |text| share(text))?;
    let [first, second, third] = parts.get(..3)? else { return None };
    let rgb = match name.trim().to_ascii_lowercase().as_str() {
        "rgb" | "rgba" => {
            let channel = |text: &str| match text.strip_suffix('%') {
                Some(text) => Some(Scanner::new(text).number()? / 100.0),
                None => Some(Scanner::new(text).number()? / 255.0),
            };
            [channel(first)?, channel(second)?, channel(third)?]
        }
        "hsl" | "hsla" => hsl(Scanner::new(first).number()?, share(second)?, share(third)?),
        _ => return None,
    };
    Some(if alpha <= 0.0 { Paint::None } else { Paint::Colour(rgb.map(byte)) })
}

/// CSS Color 4, 7.1.
fn hsl(hue: f64, saturation: f64, lightness: f64) -> [f64; 3] {
    let reach = saturation * lightness.min(1.0 - lightness);
    [0.0, 8.0, 4.0].map(|offset| {
        let k = (offset + hue / 30.0).rem_euclid(12.0);
        lightness - reach * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0)
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 255")]
fn byte(share: f64) -> u8 {
    (share.clamp(0.0, 1.0) * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_however_they_are_written() {
        let red = Paint::Colour([255, 0, 0]);
        for text in [
            "red",
            "RED",
            "#f00",
            "#FF0000",
            "#ff0000ff",
            "#f00f",
            "rgb(255,0,0)",
            "rgb(100%, 0%, 0%)",
            "rgb(255 0 0 / 50%)",
            "rgba(255, 0, 0, 0.5)",
            "hsl(0, 100%, 50%)",
            "url(#grad) red",
        ] {
            assert_eq!(Paint::of(text), Some(red), "{text}");
        }
        for text in ["none", "transparent", "#ff000000", "rgba(1,2,3,0)"] {
            assert_eq!(Paint::of(text), Some(Paint::None), "{text}");
        }
        assert_eq!(Paint::of("currentColor"), Some(Paint::Current));
        assert_eq!(Paint::of("url(#gradient)"), Some(Paint::Other));
        assert_eq!(Paint::of("hsl(120, 100%, 25%)"), Some(Paint::Colour([0, 128, 0])));
        for text in ["", "#12", "reddish", "rgb(1,2)", "#ggg", "rgb(", "icc-color(1)"] {
            assert_eq!(Paint::of(text), None, "{text}");
        }
    }

    #[test]
    fn names_are_sorted() {
        assert!(NAMED.is_sorted());
    }
}
