//! `transform`, as an attribute or in a style.

use kurbo::{Affine, Vec2};

use super::number::Scanner;

/// The transformation that a text means; `None` if it is not one, which leaves an element where it
/// is.
pub(super) fn transform(text: &str) -> Option<Affine> {
    let mut whole = Affine::IDENTITY;
    let mut rest = text.trim();
    while !rest.is_empty() && rest != "none" {
        let (name, tail) = rest.split_once('(')?;
        let (arguments, tail) = tail.split_once(')')?;
        whole *= function(name.trim_matches([' ', ',', '\t', '\r', '\n']), arguments)?;
        rest = tail.trim_start_matches([' ', ',', '\t', '\r', '\n']);
    }
    Some(whole)
}

fn function(name: &str, arguments: &str) -> Option<Affine> {
    // Units of CSS: degrees and pixels are what SVG means without.
    let plain;
    let arguments = if arguments.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        plain = arguments.replace("deg", "").replace("px", "");
        plain.as_str()
    } else {
        arguments
    };
    let (mut numbers, mut count) = ([0.0; 6], 0);
    let mut scanner = Scanner::new(arguments);
    while scanner.peek().is_some() {
        *numbers.get_mut(count)? = scanner.number()?;
        count += 1;
    }
    let [a, b, c, ..] = numbers;
    let affine = match (name, count) {
        ("matrix", 6) => Affine::new(numbers),
        ("translate", 1 | 2) => Affine::translate((a, b)),
        ("translateX", 1) => Affine::translate((a, 0.0)),
        ("translateY", 1) => Affine::translate((0.0, a)),
        ("scale", 1) => Affine::scale(a),
        ("scale", 2) => Affine::scale_non_uniform(a, b),
        ("scaleX", 1) => Affine::scale_non_uniform(a, 1.0),
        ("scaleY", 1) => Affine::scale_non_uniform(1.0, a),
        ("rotate", 1) => Affine::rotate(a.to_radians()),
        ("rotate", 3) => {
            let centre = Vec2::new(b, c);
            Affine::translate(centre) * Affine::rotate(a.to_radians()) * Affine::translate(-centre)
        }
        ("skewX", 1) => Affine::skew(a.to_radians().tan(), 0.0),
        ("skewY", 1) => Affine::skew(0.0, a.to_radians().tan()),
        _ => return None,
    };
    affine.is_finite().then_some(affine)
}

#[cfg(test)]
mod tests {
    use kurbo::Point;

    use super::transform;

    #[test]
    fn functions_apply_from_the_right() {
        for (text, x, y) in [
            ("", 3.0, 4.0),
            ("none", 3.0, 4.0),
            ("translate(10)", 13.0, 4.0),
            ("translate(10 , -2) scale(2)", 16.0, 6.0),
            ("scale(2,3),translate(1,1)", 8.0, 15.0),
            ("rotate(90)", -4.0, 3.0),
            ("rotate(90 3 4)", 3.0, 4.0),
            ("rotate(180deg)", -3.0, -4.0),
            ("translate(5px, 6px)", 8.0, 10.0),
            ("matrix(1 2 3 4 5 6)", 3.0 + 12.0 + 5.0, 6.0 + 16.0 + 6.0),
            ("skewX(45)", 7.0, 4.0),
            ("skewY(45)", 3.0, 7.0),
        ] {
            let found = transform(text).unwrap() * Point::new(3.0, 4.0);
            assert!((found - Point::new(x, y)).hypot() < 1e-9, "{text}: {found}");
        }
        for wrong in ["scale()", "matrix(1 2 3)", "rotate", "wobble(3)", "translate(1 2 3)"] {
            assert!(transform(wrong).is_none(), "{wrong}");
        }
    }
}
