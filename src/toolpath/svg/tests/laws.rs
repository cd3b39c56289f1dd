//! What holds for every file, also for those that mean harm.

use std::{fmt::Write as _, time::Instant};

use kurbo::{CubicBez, ParamCurve, Point};
use proptest::prelude::*;

use super::{
    super::{
        super::{Drawing, drawing::gap},
        read,
    },
    TOLERANCE, of,
};

/// Files that mean harm: each ends soon, with an error or with what is harmless of it.
#[test]
fn harmful_files_do_no_harm() {
    let svg = |body: &str| {
        format!(r#"<svg xmlns="http://www.w3.org/2000/svg" stroke="red">{body}</svg>"#)
    };
    let nested = |name: &str, count: usize| {
        svg(&format!(
            "{}<path d='M0 0h9'/>{}",
            format!("<{name}>").repeat(count),
            format!("</{name}>").repeat(count)
        ))
    };
    let mut uses = String::from("<g id='a0'><path d='M0 0h9v9h9z'/></g>");
    for level in 1..40 {
        let below = format!("<use href='#a{}'/>", level - 1);
        let _ = write!(uses, "<g id='a{level}'>{}</g>", below.repeat(10));
    }
    let mut entities =
        String::from("<!DOCTYPE svg [<!ENTITY a0 'M0 0 h1 h1 h1 h1 h1 h1 h1 h1 h1'>");
    for level in 1..10 {
        let _ = write!(entities, "<!ENTITY a{level} '{}'>", format!("&a{};", level - 1).repeat(10));
    }
    let big = "x".repeat(1 << 20);
    let quadratic = format!("<!DOCTYPE svg [<!ENTITY a '{big}'>]>{}", svg(&"&a;".repeat(1 << 16)));
    let long_path = "h1 ".repeat(1_000_000);
    let selector = format!("{}path{{stroke:red}}", "g ".repeat(2000));
    let cases = [
        ("nested groups", nested("g", 100_000)),
        ("nested frames", nested("svg", 100_000)),
        ("unclosed groups", "<svg>".repeat(300_000)),
        ("uses of uses", svg(&uses)),
        (
            "a use of itself",
            svg("<g id='a'><use href='#b'/></g><g id='b'><use href='#a'/><use href='#b'/></g>"),
        ),
        ("entities", format!("{entities}]>{}", svg("<path d='&a9;'/>"))),
        ("one large entity", quadratic),
        ("a long path", svg(&format!("<path d='M0 0{long_path}'/>"))),
        ("huge curves", svg(&"<path d='M0 0C1e6 1e6 -1e6 1e6 1e6 0'/>".repeat(300))),
        (
            "huge numbers",
            svg(
                "<path d='M0 0C1e300 1e300 -1e300 1e300 1e300 0h1e308h1e308'/><circle r='1e300'/><rect width='1e308' height='1e308' rx='1e307'/>",
            ),
        ),
        (
            "huge scales",
            svg(
                "<g transform='scale(1e300)'><g transform='scale(1e300)'><path d='M0 0a5 5 0 1 1 3 3'/></g></g>",
            ),
        ),
        ("nothing scales", svg("<g transform='scale(0)'><path d='M0 0a5 5 0 1 1 3 3'/></g>")),
        ("selectors", svg(&format!("<style>{}</style>{}", selector.repeat(100), nested("g", 150)))),
        (
            "rules",
            svg(&format!(
                "<style>{}</style>{}",
                ".a .b{stroke:red}".repeat(2_000),
                "<g class='b'/>".repeat(2_000)
            )),
        ),
        (
            "a view box of nothing",
            "<svg viewBox='0 0 1e-300 1e-300' width='1e308' height='-1'><path d='M0 0h1'/></svg>"
                .to_owned(),
        ),
        ("many ids", svg(&"<use href='#x'/>".repeat(100_000))),
    ];
    for (name, text) in cases {
        let start = Instant::now();
        let found = read(text.as_bytes(), TOLERANCE);
        let took = start.elapsed().as_secs_f64();
        assert!(took < 120.0, "{name} took {took} s");
        let points: usize =
            found.iter().flat_map(|it| &it.layers).flat_map(|it| &it.strokes).map(Vec::len).sum();
        assert!(points <= 4_200_000, "{name}: {points} points");
        let finite = |it: &Drawing| {
            it.layers
                .iter()
                .flat_map(|it| &it.strokes)
                .flatten()
                .flatten()
                .all(|value| value.is_finite())
        };
        assert!(found.as_ref().map_or(true, finite), "{name}");
    }
}

/// From a point to the nearest of a line of straight pieces.
fn distance(point: Point, line: &[[f64; 2]]) -> f64 {
    let piece = |pair: &[[f64; 2]]| {
        let (from, to) =
            (Point::from((pair[0][0], pair[0][1])), Point::from((pair[1][0], pair[1][1])));
        let along = to - from;
        let share =
            if along.hypot2() > 0.0 { (point - from).dot(along) / along.hypot2() } else { 0.0 };
        (from + along * share.clamp(0.0, 1.0) - point).hypot()
    };
    line.windows(2).map(piece).fold(f64::INFINITY, f64::min)
}

proptest! {
    /// No point of a curve is further than the tolerance from the straight pieces, and no end of a
    /// piece is off the curve.
    #[test]
    fn straight_pieces_stay_within_the_tolerance(
        points in proptest::collection::vec(0.0_f64..100.0, 8),
        scale in 0.1_f64..10.0,
    ) {
        let [ax, ay, bx, by, cx, cy, dx, dy] = points[..] else { unreachable!() };
        let path = format!(
            r#"<g transform="scale({scale})"><path d="M{ax} {ay}C{bx} {by} {cx} {cy} {dx} {dy}"/></g>"#
        );
        let drawing = of(&path);
        let line = &drawing.layers[0].strokes[0];
        let on_page = |x: f64, y: f64| Point::new(x * scale, 100.0 - y * scale);
        let curve = CubicBez::new(on_page(ax, ay), on_page(bx, by), on_page(cx, cy), on_page(dx, dy));
        for step in 0..=400 {
            let off = distance(curve.eval(f64::from(step) / 400.0), line);
            prop_assert!(off <= TOLERANCE, "{off}");
        }
        prop_assert!(line.len() < 2000, "{} points", line.len());
    }

    /// Points of a circle, as an arc of a path in any position, are all as far from its centre.
    #[test]
    fn arcs_are_round(radius in 1.0_f64..40.0, turn in 0.0_f64..360.0, from in 0.0_f64..6.0) {
        let end = |angle: f64| (50.0 + radius * angle.cos(), 50.0 + radius * angle.sin());
        let ((x, y), (x2, y2)) = (end(from), end(from + 2.0));
        let path = format!(r#"<path d="M{x} {y}A{radius} {radius} {turn} 0 1 {x2} {y2}"/>"#);
        let drawing = of(&path);
        let line = &drawing.layers[0].strokes[0];
        for point in line {
            prop_assert!((gap(*point, [50.0, 50.0]) - radius).abs() < TOLERANCE);
        }
        for step in 0..=100 {
            let (x, y) = end(from + 2.0 * f64::from(step) / 100.0);
            let off = distance(Point::new(x, 100.0 - y), line);
            prop_assert!(off <= TOLERANCE, "{off}");
        }
    }

    /// Whatever a file says, it is read or refused, and nothing in it is no number.
    #[test]
    fn no_text_makes_it_panic(d in "[MmLlHhVvCcSsQqTtAaZz0-9eE., +-]{0,60}", transform in "[a-z(),0-9.-]{0,30}", css in "[a-z{}.#:;@/* >]{0,60}") {
        let drawing = of(&format!(r#"<style>{}</style><g transform="{transform}"><path d="{d}"/><polygon points="{d}"/></g>"#, css.replace('>', "&gt;")));
        for stroke in drawing.layers.iter().flat_map(|layer| &layer.strokes) {
            prop_assert!(stroke.len() >= 2);
            prop_assert!(stroke.iter().flatten().all(|value| value.is_finite()));
        }
    }
}
