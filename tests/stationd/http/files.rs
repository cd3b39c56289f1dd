//! What belongs to a job beside its row: the file, its picture, what its program wrote.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::support::Station;

#[test]
fn a_file_comes_back_as_it_was_and_is_never_shown_as_a_page() {
    let station = Station::with().simulate("grbl").start();
    let small = "G0 X1 ; <script>alert(1)</script>\r\nG0 X2".to_owned();
    let large = "G1 X1 F600 (a line of a large file)\n".repeat(10_000);
    for file in [small, large] {
        let path = "/api/v1/jobs?name=%3Cb%3E.gcode&hold=true";
        let job = station.tcp().request("POST", path, &[], file.as_bytes()).expect(201);
        let answer =
            station.tcp().get(&format!("/api/v1/jobs/{}/file", job["id"].as_str().unwrap()));
        assert_eq!(answer.text(), file);
        assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
        assert_eq!(answer.header("content-security-policy"), Some("sandbox"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        let shown = answer.header("content-disposition").unwrap();
        assert!(shown.starts_with("attachment; filename=\"_b_.gcode\""), "{shown}");
    }
    for entry in std::fs::read_dir(station.workspace().join("files")).unwrap() {
        assert_eq!(entry.unwrap().metadata().unwrap().permissions().mode() & 0o7777, 0o640);
    }
}

#[test]
fn a_picture_of_a_file_shows_its_motion() {
    let station = Station::with().simulate("grbl").start();
    let file = b"G21 G90\nG0 X10 Y10\nG1 Y20 F600\nG2 X20 Y20 I5 J0\n";
    let job = station.tcp().request("POST", "/api/v1/jobs?hold=true", &[], file).expect(201);
    let id = job["id"].as_str().unwrap();
    let picture = station.tcp().get(&format!("/api/v1/jobs/{id}/toolpath")).expect(200);
    let names: Vec<&String> = picture.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        ["draw", "lines", "lines_total", "max", "min", "numbers", "points", "simplified"]
    );
    let points = picture["points"].as_array().unwrap();
    assert_eq!(points[2..6], [10.0, 10.0, 10.0, 20.0]);
    assert_eq!(points[points.len() - 2..], [20.0, 20.0]);
    assert_eq!(points.len() / 2, picture["lines"].as_array().unwrap().len());
    assert_eq!(picture["draw"].as_array().unwrap()[..3], [0, 0, 1]);
    assert_eq!(picture["lines"].as_array().unwrap()[..4], [0, 2, 3, 4]);
    assert_eq!((&picture["min"], &picture["max"]), (&json!([0.0, 0.0]), &json!([20.0, 25.0])));
    assert_eq!(job["analysis"]["min"], json!([10.0, 10.0, 0.0]));
    let top = job["analysis"]["max"][1].as_f64().unwrap();
    assert!((top - 25.0).abs() < 0.02, "the top of the arc, by its chords: {top}");
}

#[test]
fn what_a_program_wrote_is_its_log() {
    let station = Station::start();
    let script = "for i in 1 2 3 4 5; do echo line $i; done; echo '<script>' >&2";
    let id = station.submit(&json!({"command": ["sh", "-c", script]}));
    station.await_job(&id, "COMPLETED");
    let log = |query: &str| station.tcp().get(&format!("/api/v1/jobs/{id}/log{query}"));
    let all = log("");
    assert_eq!(all.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(all.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(all.text(), "line 1\nline 2\nline 3\nline 4\nline 5\n<script>\n");
    assert_eq!(log("?tail=2").text(), "line 5\n<script>\n");
    log("?tail=0").refused(422);
    log("?tail=x").refused(422);
    let file = station.tcp().get(&format!("/api/v1/jobs/{id}/file")).refused(404);
    assert!(file.contains("runs a program"), "{file}");
    station.tcp().get(&format!("/api/v1/jobs/{id}/toolpath")).refused(404);
}
