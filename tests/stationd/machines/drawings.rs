//! Drawings that are submitted: what the machine draws is what the file shows.

use serde_json::{Value, json};

use super::{SIM, await_done, drawing, simulated, submit, with_devices};
use crate::support::Station;

const INKSCAPE: &str = include_str!("../data/drawings/inkscape.svg");
const CUTTER: &[u8] = include_bytes!("../data/drawings/cutter.plt");

/// The pieces that a machine drew with its pen down and standing still in Z, each from its smaller
/// end, in hundredths of a millimetre, sorted.
fn drawn(station: &Station) -> Vec<[[i64; 2]; 2]> {
    let drawing = drawing(station);
    assert_eq!(drawing["total"], drawing["moves"].as_array().unwrap().len(), "none is forgotten");
    let (mut at, mut pieces) = ([0.0; 3], Vec::new());
    for one in drawing["moves"].as_array().unwrap() {
        let number = |index: usize| one[index].as_f64().unwrap();
        let to = [number(0), number(1), number(2)];
        if number(3) > 0.5 && at[2] <= 0.0 && to[2] <= 0.0 {
            pieces.push(piece([at[0], at[1]], [to[0], to[1]]));
        }
        at = to;
    }
    pieces.sort_unstable();
    pieces
}

fn piece(a: [f64; 2], b: [f64; 2]) -> [[i64; 2]; 2] {
    #[expect(clippy::cast_possible_truncation, reason = "a few hundred millimetres")]
    let hundredths = |value: f64| (value * 100.0).round() as i64;
    let (a, b) = (a.map(hundredths), b.map(hundredths));
    if a <= b { [a, b] } else { [b, a] }
}

fn closed(points: &[[f64; 2]]) -> Vec<[[i64; 2]; 2]> {
    points.iter().zip(points.iter().cycle().skip(1)).map(|(a, b)| piece(*a, *b)).collect()
}

#[test]
fn an_svg_is_drawn_as_it_looks() {
    let station = simulated("0").start();
    let id = submit(&station, "name=badge.svg", INKSCAPE);
    let stopped = station.await_job(&id, "PAUSED");
    assert_eq!(stopped["error"], "layer 2 of 2: \"2 circle\" (#0000ff): change the pen");
    station.act(&id, "resume").expect(200);
    let job = station.await_job(&id, "COMPLETED");
    assert_eq!((&job["device"], &job["driver"]), (&json!(SIM), &json!("grbl")));
    // By hand from the file: Y points up on the machine, and the page is 80 mm high.
    let mut wanted = closed(&[[15.0, 65.0], [55.0, 65.0], [55.0, 45.0], [15.0, 45.0]]);
    wanted.extend(closed(&[[15.0, 30.0], [25.0, 30.0], [25.0, 20.0], [15.0, 20.0]]));
    wanted.push(piece([70.0, 70.0], [70.0, 60.0]));
    let found = drawn(&station);
    for line in &wanted {
        assert!(found.contains(line), "{line:?} was not drawn");
    }
    // The rest is the circle: all its corners are on it, and they go all the way round.
    let round: Vec<_> = found.iter().filter(|line| !wanted.contains(line)).collect();
    let mut length = 0.0;
    for [a, b] in round {
        let [a, b] = [a, b].map(|point| point.map(|value| value as f64 / 100.0));
        let off = ((a[0] - 70.0).hypot(a[1] - 30.0) - 10.0).abs();
        assert!(off < 0.02, "{a:?} is {off} mm off the circle");
        length += (b[0] - a[0]).hypot(b[1] - a[1]);
    }
    assert!((length - 20.0 * std::f64::consts::PI).abs() < 0.2, "{length} mm around");
    assert_eq!(found.iter().filter(|line| wanted.contains(line)).count(), wanted.len());

    let analysis = &job["analysis"];
    let layers = analysis["layers"].as_array().unwrap();
    assert_eq!((&layers[0]["name"], &layers[0]["colour"]), (&json!("1 outline"), &Value::Null));
    assert_eq!((&layers[1]["name"], &layers[1]["colour"]), (&json!("2 circle"), &json!("#0000ff")));
    assert!(layers[0]["line"].as_u64() < layers[1]["line"].as_u64());
    assert!(layers[1]["line"].as_u64() < job["lines_total"].as_u64());
    let warning = analysis["warnings"][0].as_str().unwrap();
    assert!(warning.starts_with("1 text is left out"), "{warning}");
    assert_eq!(job["lines_acknowledged"], job["lines_total"]);
    let file = station.local().request("GET", &format!("/api/v1/jobs/{id}/file"), &[], b"");
    assert_eq!(file.text(), INKSCAPE, "the file is what was submitted");
    let picture = station.local().get(&format!("/api/v1/jobs/{id}/toolpath")).expect(200);
    assert_eq!(picture["lines_total"], job["lines_total"]);
}

#[test]
fn hpgl_is_drawn_by_a_machine_that_speaks_g_code_with_the_pen_that_it_has() {
    let station = with_devices(&json!([{"name": "pen", "driver": "grbl", "port": "sim:grbl",
        "plot": {"pen_up": ["G0 Z2"], "pen_down": ["G1 Z-1 F300"], "optimise": false}}]))
    .set("simulator.speed", "0")
    .start();
    let path = "/api/v1/jobs?name=label.plt";
    let job = station.local().request("POST", path, &[], CUTTER).expect(201);
    let id = job["id"].as_str().unwrap();
    assert_eq!(job["device"], "pen", "it is bound to the machine it was made for");
    let min = &job["analysis"]["min"];
    assert_eq!(
        (min, &job["analysis"]["max"]),
        (&json!([0.0, 0.0, -1.0]), &json!([30.0, 20.0, 2.0]))
    );
    assert_eq!(job["analysis"]["layers"], json!([{"name": "pen 1", "colour": null, "line": 4}]));
    station.await_job(id, "COMPLETED");
}

#[test]
fn large_drawings_are_kept_on_disk_and_survive_a_kill() {
    let mut station = simulated("0").start();
    let line = |n: u32| format!("<path d='M{} {}h.5v.5'/>", f64::from(n % 250), f64::from(n / 250));
    let body: String = (0..20_000).map(line).collect();
    let text = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' width='280mm' height='200mm' viewBox='0 0 280 200' \
         fill='none' stroke='#c00'>{body}</svg>"
    );
    let id = submit(&station, "hold=true", &text);
    station.kill();
    station.again();
    let job = station.job(&id);
    assert_eq!(job["name"], "job.svg");
    assert_eq!(std::fs::read_dir(station.workspace().join("files")).unwrap().count(), 2);
    station.act(&id, "release").expect(200);
    let job = await_done(&station, &id);
    let length = job["analysis"]["draw_length_mm"].as_f64().unwrap();
    // Putting the pen down is a working move too, 5 mm each.
    assert!(length > 20_000.0 && length < 20_000.0 + 5.0 * 20_001.0, "{length}");
}

#[test]
fn what_cannot_be_drawn_is_refused_with_the_reason() {
    let station = simulated("0").start();
    let refused = |query: &str, text: &str| {
        let path = format!("/api/v1/jobs?{query}");
        station.local().request("POST", &path, &[], text.as_bytes()).refused(422)
    };
    let empty = "<svg xmlns='http://www.w3.org/2000/svg'><text>Hi</text></svg>";
    let hint = refused("", empty);
    assert!(hint.contains("1 text is left out"), "{hint}");
    let hint = refused("name=a.svg", "<svg><g></svg>");
    assert!(hint.contains("cannot be read"), "{hint}");
    let bomb = "<!DOCTYPE svg [<!ENTITY a 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'>\
        <!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;'>]>";
    let hint = refused("", &format!("{bomb}<svg>{}</svg>", "&c;".repeat(100_000)));
    assert!(hint.contains("draws too much"), "{hint}");
    let jobs = station.local().get("/api/v1/jobs").expect(200);
    assert_eq!(jobs["items"], json!([]));
}
