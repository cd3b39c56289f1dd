//! Files of many programs.

mod laws;

use super::{
    super::drawing::gap,
    super::{Drawing, Stroke},
    SvgError, read,
};

/// The tolerance that is used in tests, in millimetres.
const TOLERANCE: f64 = 0.02;

macro_rules! sample {
    ($name:literal) => {
        read(include_bytes!(concat!("../../../tests/stationd/data/drawings/", $name)), TOLERANCE)
            .unwrap()
    };
}

fn of(body: &str) -> Drawing {
    let text = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
        width="100mm" height="100mm" viewBox="0 0 100 100" fill="none" stroke="black">{body}</svg>"#
    );
    read(text.as_bytes(), TOLERANCE).unwrap()
}

/// Name, colour, number of strokes and length in micrometres of each layer.
fn summary(drawing: &Drawing) -> Vec<String> {
    let layer = |it: &super::super::Layer| {
        let colour = it.colour.as_deref().unwrap_or("-");
        format!("{} {colour} {} {:.3}", it.name, it.strokes.len(), it.draw_length())
    };
    drawing.layers.iter().map(layer).collect()
}

fn assert_near(found: &[[f64; 2]], expected: &[[f64; 2]]) {
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(gap(*found, *expected) < 1e-3, "{found:?} is not {expected:?}");
    }
}

fn assert_bounds(strokes: &[Stroke], min: [f64; 2], max: [f64; 2]) {
    let (low, high) = super::super::drawing::bounds(strokes).unwrap();
    assert!(
        gap(low, min) < 2.0 * TOLERANCE && gap(high, max) < 2.0 * TOLERANCE,
        "{low:?} {high:?}"
    );
}

#[test]
fn inkscape_layers_are_layers_and_hidden_ones_are_not_drawn() {
    let drawing = sample!("inkscape.svg");
    assert_eq!(drawing.size, Some([100.0, 80.0]));
    let [outline, circle] = &drawing.layers[..] else { panic!("{:?}", summary(&drawing)) };
    assert_eq!((outline.name.as_str(), &outline.colour), ("1 outline", &None));
    assert_near(
        &outline.strokes[0],
        &[[15.0, 65.0], [55.0, 65.0], [55.0, 45.0], [15.0, 45.0], [15.0, 65.0]],
    );
    assert_near(
        &outline.strokes[1],
        &[[15.0, 30.0], [25.0, 30.0], [25.0, 20.0], [15.0, 20.0], [15.0, 30.0]],
    );
    assert_near(&outline.strokes[2], &[[70.0, 70.0], [70.0, 60.0]]);
    assert_eq!((circle.name.as_str(), circle.colour.as_deref()), ("2 circle", Some("#0000ff")));
    assert_bounds(&circle.strokes, [60.0, 20.0], [80.0, 40.0]);
    let round = 20.0 * std::f64::consts::PI;
    assert!((circle.draw_length() - round).abs() < 0.1, "{}", circle.draw_length());
    assert_eq!(
        drawing.warnings,
        ["1 text is left out: text is drawn only once it is converted to paths"]
    );
}

#[test]
fn illustrator_files_have_entities_switches_and_classes() {
    let drawing = sample!("illustrator.svg");
    assert_near(&[drawing.size.unwrap()], &[[25.4, 50.8]]);
    let triangle = 12.7 * (2.0 + std::f64::consts::SQRT_2);
    assert_eq!(
        summary(&drawing),
        [
            "#ed1c24 #ed1c24 1 25.400".to_owned(),
            "#231f20 #231f20 1 25.400".to_owned(),
            format!("#00aeef #00aeef 1 {triangle:.3}"),
        ]
    );
    assert_near(&drawing.layers[0].strokes[0], &[[0.0, 50.8], [12.7, 50.8], [12.7, 38.1]]);
    assert_near(&drawing.layers[1].strokes[0], &[[0.0, 25.4], [25.4, 25.4]]);
    assert_eq!(drawing.warnings, ["1 element is drawn without being clipped"]);
}

#[test]
fn affinity_files_have_matrices_and_sizes_in_per_cent() {
    let drawing = sample!("affinity.svg");
    assert_near(&[drawing.size.unwrap()], &[[254.0, 127.0]]);
    let [curve, rectangle] = &drawing.layers[..] else { panic!("{:?}", summary(&drawing)) };
    assert_eq!(curve.name, "#005caf");
    let stroke = &curve.strokes[0];
    assert_near(&[stroke[0], stroke[stroke.len() - 1]], &[[25.4, 114.3], [50.8, 88.9]]);
    assert_bounds(&rectangle.strokes, [38.1, 88.9], [50.8, 114.3]);
    assert!((rectangle.draw_length() - 76.2).abs() < 1e-3);
    assert_eq!(
        drawing.warnings,
        ["1 image is left out", "sizes are in pixels: 96 of them are taken as an inch"]
    );
}

#[test]
fn figma_backgrounds_are_not_drawn_and_areas_are_drawn_by_their_outline() {
    let drawing = sample!("figma.svg");
    assert_near(&[drawing.size.unwrap()], &[[50.8, 25.4]]);
    let pixel = 25.4 / 96.0;
    let [area, lines] = &drawing.layers[..] else { panic!("{:?}", summary(&drawing)) };
    assert_eq!(summary(&drawing)[0], "#1e1e1e #1e1e1e 2 114.300");
    assert_bounds(&area.strokes[1..], [72.0 * pixel, 36.0 * pixel], [120.0 * pixel, 60.0 * pixel]);
    assert_eq!((lines.name.as_str(), lines.strokes.len()), ("#f24822", 2));
    assert_bounds(&lines.strokes[1..], [10.0 * pixel, 66.0 * pixel], [30.0 * pixel, 86.0 * pixel]);
    let around = (2.0 * std::f64::consts::PI * (11.5 + 5.0) + 40.0) * pixel;
    assert!((lines.draw_length() - around).abs() < 0.1, "{} {around}", lines.draw_length());
    assert_eq!(
        drawing.warnings,
        [
            "1 element is drawn without being clipped",
            "1 shape is left out that only colours the page",
            "sizes are in pixels: 96 of them are taken as an inch",
        ]
    );
}

#[test]
fn matplotlib_files_use_their_glyphs_and_ticks() {
    let drawing = sample!("matplotlib.svg");
    let point = 25.4 / 72.0;
    let names: Vec<_> = drawing.layers.iter().map(|layer| layer.name.as_str()).collect();
    assert_eq!(names, ["#000000", "#1f77b4", "#ff7f0e"]);
    let [tick, glyph] = &drawing.layers[0].strokes[..] else { panic!() };
    assert_near(tick, &[[36.0 * point, 18.0 * point], [36.0 * point, 14.4 * point]]);
    let glyph_at = |x: f64, y: f64| [(36.0 + x / 640.0) * point, (4.0 + y / 640.0) * point];
    assert_near(
        glyph,
        &[
            glyph_at(794.0, 531.0),
            glyph_at(1825.0, 531.0),
            glyph_at(1825.0, 4091.0),
            glyph_at(794.0, 531.0),
        ],
    );
    let line = (36_f64.hypot(36.0) + 72_f64.hypot(18.0)) * point;
    assert!((drawing.layers[1].draw_length() - line).abs() < 1e-6);
    assert_eq!(
        drawing.warnings,
        [
            "2 elements are drawn without being clipped",
            "1 dashed shape is drawn without gaps",
            "1 shape is left out that only colours the page",
        ]
    );
}

#[test]
fn potrace_files_are_upside_down_and_ten_times_too_large() {
    let drawing = sample!("potrace.svg");
    let [layer] = &drawing.layers[..] else { panic!("{:?}", summary(&drawing)) };
    assert_eq!(layer.strokes.len(), 2);
    assert_bounds(&layer.strokes[..1], [2.54, 2.54], [15.24, 15.24]);
    assert_bounds(&layer.strokes[1..], [3.81, 3.81], [6.35, 6.35]);
    assert_eq!(drawing.warnings, [""; 0]);
}

#[test]
fn plotter_tools_write_layers_and_style_sheets() {
    let drawing = sample!("vpype.svg");
    assert_eq!(summary(&drawing), ["1 #0000ff 2 30.000", "2 #008000 1 20.000"]);
    assert_near(&drawing.layers[1].strokes[0], &[[10.0, 50.0], [20.0, 50.0], [20.0, 40.0]]);

    let drawing = sample!("axidraw.svg");
    let [black, red] = &drawing.layers[..] else { panic!("{:?}", summary(&drawing)) };
    assert_eq!((black.name.as_str(), red.name.as_str()), ("#000000", "#ff0000"));
    let stroke = &black.strokes[0];
    let page = 215.9;
    assert_near(
        &[stroke[0], stroke[stroke.len() - 1]],
        &[[25.4, page - 25.4], [25.4, page - 50.8]],
    );
    assert_near(&red.strokes[0], &[[25.4, page - 76.2], [50.8, page - 76.2]]);
    assert_bounds(&red.strokes[1..], [50.8, page - 114.3], [76.2, page - 88.9]);
    assert_eq!(
        drawing.warnings,
        [
            "1 shape is left out, having neither stroke nor fill",
            "1 <use> links to what does not exist"
        ]
    );
}

#[test]
fn every_command_of_a_path_is_followed() {
    for (path, points) in [
        ("M1 2L3 4", vec![[1.0, 98.0], [3.0, 96.0]]),
        ("m1 2 3 4 5 6", vec![[1.0, 98.0], [4.0, 94.0], [9.0, 88.0]]),
        ("M1,2H5V6h-1v-2", vec![[1.0, 98.0], [5.0, 98.0], [5.0, 94.0], [4.0, 94.0], [4.0, 96.0]]),
        ("M1 1h2v2zm5 5h1", vec![[1.0, 99.0], [3.0, 99.0], [3.0, 97.0], [1.0, 99.0]]),
        ("M1 1h2v2zh9", vec![[1.0, 99.0], [3.0, 99.0], [3.0, 97.0], [1.0, 99.0]]),
        ("M5 5L5 5", vec![[5.0, 95.0], [5.0, 95.0]]),
        ("M1 1A0 5 0 0 0 9 9", vec![[1.0, 99.0], [9.0, 91.0]]),
        ("M1 1L2 2 oops L3 3", vec![[1.0, 99.0], [2.0, 98.0]]),
    ] {
        let drawing = of(&format!(r#"<path d="{path}"/>"#));
        assert_near(&drawing.layers[0].strokes[0], &points);
    }
    // The same curve in four ways.
    for same in ["S40 50 60 50", "C0 50 40 50 60 50"] {
        let drawing = of(&format!(r#"<path d="M0 0C0 0 0 50 0 50{same}"/>"#));
        let end = drawing.layers[0].strokes[0].last().copied().unwrap();
        assert_near(&[end], &[[60.0, 50.0]]);
    }
    let smooth = of(r#"<path d="M0 50Q10 40 20 50T40 50"/>"#);
    let whole = of(r#"<path d="M0 50Q10 40 20 50Q30 60 40 50"/>"#);
    assert_eq!(smooth, whole);
    assert!(of(r#"<path d="L5 5"/>"#).layers.is_empty());
    assert!(of(r#"<path d="M5 5"/>"#).layers.is_empty());
}

#[test]
fn frames_in_frames_have_their_own_coordinates() {
    let drawing = of(r##"<svg x="10" y="10" width="50" height="20" viewBox="0 0 10 10">
        <path d="M0 0H10"/></svg>
        <symbol id="s" viewBox="0 0 2 2"><path d="M0 0V2"/></symbol>
        <use xlink:href="#s" x="50" y="50" width="20" height="20"/>
        <g id="h" transform="scale(2)"><line x2="50%" y2="0"/></g><use href="#h" y="10"/>"##);
    let strokes = &drawing.layers[0].strokes;
    assert_near(&strokes[0], &[[25.0, 90.0], [45.0, 90.0]]);
    assert_near(&strokes[1], &[[50.0, 50.0], [50.0, 30.0]]);
    assert_near(&strokes[2], &[[0.0, 100.0], [100.0, 100.0]]);
    assert_near(&strokes[3], &[[0.0, 90.0], [100.0, 90.0]]);
}

#[test]
fn a_page_without_a_size_is_as_large_as_its_content() {
    let text =
        r#"<svg xmlns="http://www.w3.org/2000/svg"><path stroke="red" d="M96 96h96v192"/></svg>"#;
    let drawing = read(text.as_bytes(), TOLERANCE).unwrap();
    assert_eq!(drawing.size, None);
    assert_near(&drawing.layers[0].strokes[0], &[[0.0, 50.8], [25.4, 50.8], [25.4, 0.0]]);
    assert!(drawing.warnings[0].starts_with("the page has no size"), "{:?}", drawing.warnings);
}

#[test]
fn compressed_and_utf_16_files_are_read() {
    let text = r#"<svg xmlns="http://www.w3.org/2000/svg" width="10mm" height="10mm">
        <path stroke="red" d="M0 0h9"/></svg>"#;
    let plain = read(text.as_bytes(), TOLERANCE).unwrap();
    assert_eq!(plain.layers[0].strokes.len(), 1);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, text.as_bytes()).unwrap();
    let compressed = gzip.finish().unwrap();
    assert_eq!(read(&compressed, TOLERANCE).unwrap(), plain);
    assert!(matches!(read(&compressed[..40], TOLERANCE), Err(SvgError::NotGzip)));
    let wide: Vec<u8> =
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect();
    assert_eq!(read(&wide, TOLERANCE).unwrap(), plain);
}

#[test]
fn what_is_no_svg_is_refused() {
    for (bytes, says) in [
        (&b""[..], "cannot be read"),
        (b"G1 X1\n", "cannot be read"),
        (b"<html><body/></html>", "begins with <html>"),
        (b"<svg><g></svg>", "cannot be read"),
        (b"\xff\x00\xfe", "not in UTF-8"),
        (b"\x1f\x8bnothing", "broken"),
    ] {
        let error = read(bytes, TOLERANCE).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}
