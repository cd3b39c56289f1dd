//! Files on their way in.

use std::{
    io::{BufReader, Write as _},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{FILE, raw, weight};
use crate::support::{Answer, Client, Station, read_answer};

const BOUNDARY: &str = "XsepX";

fn plotter() -> Station {
    Station::with().simulate("grbl").set("simulator.speed", "0").start()
}

/// A part of a form, whole.
fn part(disposition: &str, content: &str) -> String {
    format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n")
}

fn form(client: &Client, body: &str) -> Answer {
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    client.request("POST", "/api/v1/jobs", &[("Content-Type", &kind)], body.as_bytes())
}

#[test]
fn a_file_comes_as_the_body_with_its_fields_in_the_address() {
    let station = plotter();
    let path = "/api/v1/jobs?name=my%20plot.nc&priority=high&hold=true&device=SIM_GRBL&at=2001-01-01T00:00:00Z";
    let job = station.tcp().request("POST", path, &[], FILE);
    let location = job.header("location").unwrap().to_owned();
    let job = job.expect(201);
    assert_eq!(location, format!("/api/v1/jobs/{}", job["id"].as_str().unwrap()));
    for (name, value) in [
        ("name", json!("my plot.nc")),
        ("kind", json!("device")),
        ("state", json!("HELD")),
        ("priority", json!(10)),
        ("device", json!("sim-grbl")),
        ("driver", json!("grbl")),
        ("lines_total", json!(3)),
        ("attempts", json!(0)),
        ("max_attempts", json!(1)),
        ("command", Value::Null),
        ("not_before", json!("2001-01-01T00:00:00.000Z")),
        ("progress_percentage", json!(0.0)),
    ] {
        assert_eq!(job[name], value, "{name}");
    }
    assert_eq!(station.tcp().get(&location).expect(200), job);
}

#[test]
fn files_come_as_parts_of_a_form_with_the_same_fields() {
    let station = plotter();
    let text = String::from_utf8(FILE.to_vec()).unwrap();
    let end = format!("--{BOUNDARY}--\r\n");
    let one = part("name=\"hold\"", "true")
        + &part("name=\"file\"; filename=\"../../a b.gcode\"", &text)
        + &part("name=\"priority\"", "-3")
        + &end;
    let job = form(&station.tcp(), &one).expect(201);
    assert_eq!((&job["name"], &job["state"]), (&json!("a b.gcode"), &json!("HELD")));
    assert_eq!(job["priority"], -3, "fields may come after the file");
    let two = part("name=\"file\"; filename=\"1.nc\"", &text)
        + &part("name=\"file\"; filename=\"2.nc\"", &text)
        + &end;
    let both = form(&station.tcp(), &two).expect(201);
    let names: Vec<&Value> =
        both["items"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["1.nc", "2.nc"]);
    for (fields, pointer) in [
        (part("name=\"file.path\"", "/etc/passwd"), "/file.path"),
        (part("name=\"priority\"", "urgent"), "/priority"),
        (part("name=\"device\"", "none"), "/device"),
    ] {
        let wrong = fields + &part("name=\"file\"; filename=\"3.nc\"", &text) + &end;
        let problem = form(&station.tcp(), &wrong).expect(422);
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    form(&station.tcp(), &(part("name=\"hold\"", "true") + &end)).refused(422);
    let kept = station.tcp().get("/api/v1/jobs").expect(200);
    assert_eq!(kept["items"].as_array().unwrap().len(), 3, "of a refused form nothing is kept");
}

#[test]
fn a_form_without_an_end_is_refused_and_costs_nothing() {
    let station = plotter();
    let text = String::from_utf8(FILE.to_vec()).unwrap();
    let file = part("name=\"file\"; filename=\"1.nc\"", &text);
    let start = Instant::now();
    for body in [
        file.clone(),
        file[..file.len() - 2].to_owned(),
        file.clone() + "--",
        file.clone() + "--XsepY--\r\n",
        format!("--{BOUNDARY}\r\n"),
        format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"\r\n"),
        format!("--{BOUNDARY}\r\n\r\n\r\n--{BOUNDARY}--\r\n"),
        format!("--{BOUNDARY}--\r\n"),
        "x".repeat(300_000),
        String::new(),
        file.clone() + &"\r\n-".repeat(50_000),
    ] {
        let answer = form(&station.tcp(), &body);
        let shown: String = body.chars().take(60).collect();
        assert!(matches!(answer.status, 400 | 422), "{} {shown}: {answer:?}", body.len());
    }
    for kind in
        ["multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed; boundary=x"]
    {
        let answer =
            station.tcp().request("POST", "/api/v1/jobs", &[("Content-Type", kind)], b"--x--");
        assert!((400..=422).contains(&answer.status), "{kind}: {answer:?}");
    }
    // One that claims more than it sends, and goes.
    let head = station.tcp().head(
        "POST",
        "/api/v1/jobs",
        &[
            ("Content-Type", &format!("multipart/form-data; boundary={BOUNDARY}")),
            ("Content-Length", "1000000"),
        ],
    );
    for _ in 0..20 {
        let mut stream = station.tcp().connect().unwrap();
        stream.write_all((head.clone() + &file).as_bytes()).unwrap();
    }
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    assert_eq!(station.tcp().get("/api/v1/jobs").expect(200)["items"], json!([]));
    // Nothing spins on what was left behind.
    let ticks = || -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", station.pid())).unwrap();
        let fields: Vec<&str> = text.rsplit_once(") ").unwrap().1.split(' ').collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    };
    let mut socket = crate::support::WebSocket::subscribed(&station.tcp(), &["system"]);
    socket.message();
    let before = ticks();
    for _ in 0..3 {
        socket.message(); // each second
    }
    let spent = ticks() - before;
    assert!(spent < 100, "{spent} of 300 hundredths");
}

#[test]
fn too_much_is_refused_and_nothing_of_it_is_kept() {
    let station = Station::with().simulate("grbl").set("queue.max_file_size", "1MB").start();
    let before = weight(&station.workspace().join("files"));
    let large = FILE.repeat(70_000); // 1.2 MB
    let refused = station.tcp().request("POST", "/api/v1/jobs", &[], &large).refused(413);
    assert!(refused.contains("1000000") || refused.contains("1 MB"), "{refused}");
    let text = String::from_utf8(large.clone()).unwrap();
    let whole = part("name=\"file\"; filename=\"1.nc\"", &text) + &format!("--{BOUNDARY}--\r\n");
    form(&station.tcp(), &whole).refused(413);
    // Chunked, of a length that nobody knows before.
    let mut chunked = station
        .tcp()
        .head("POST", "/api/v1/jobs", &[("Transfer-Encoding", "chunked")])
        .into_bytes();
    for piece in large.chunks(100_000) {
        chunked.extend(format!("{:x}\r\n", piece.len()).bytes());
        chunked.extend(piece);
        chunked.extend(b"\r\n");
    }
    chunked.extend(b"0\r\n\r\n");
    raw(&station.tcp(), &chunked).refused(413);
    // Cut off in the middle.
    let head = station.tcp().head("POST", "/api/v1/jobs", &[("Content-Length", "900000")]);
    let mut stream = station.tcp().connect().unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&large[..500_000]).unwrap();
    drop(stream);
    crate::support::eventually("nothing is left behind", || {
        (weight(&station.workspace().join("files")) == before).then_some(())
    });
    assert_eq!(station.tcp().get("/api/v1/jobs").expect(200)["items"], json!([]));
    let fits = FILE.repeat(50_000);
    station.tcp().request("POST", "/api/v1/jobs?hold=true", &[], &fits).expect(201);
    assert_eq!(weight(&station.workspace().join("files")), (fits.len() as u64, 1));
}

#[test]
fn what_no_machine_takes_is_refused() {
    let station = plotter();
    let post = |name: &str, body: &[u8]| {
        let path = format!("/api/v1/jobs?name={name}");
        station.tcp().request("POST", &path, &[], body).refused(422)
    };
    assert!(post("a.nc", b"").contains("empty"));
    assert!(post("a.nc", b"; only a remark\n(and another)\n").contains("no line"));
    post("a.png", b"\x89PNG\r\n\x1a\n");
    post("a.txt", b"dear all,\n");
    post("a", &[0; 4096]);
    // Told by its content, whatever it is called.
    let path = "/api/v1/jobs?name=plan";
    station.tcp().request("POST", path, &[], FILE).expect(201);
}

#[test]
fn one_connection_takes_many_requests() {
    let station = Station::start();
    let tcp = station.tcp();
    let request = tcp.head("GET", "/health", &[]) + &tcp.head("GET", "/nothing", &[]);
    let mut stream = BufReader::new(tcp.connect().unwrap());
    for _ in 0..3 {
        stream.get_mut().write_all(request.as_bytes()).unwrap();
        read_answer(&mut stream).unwrap().expect(200);
        read_answer(&mut stream).unwrap().refused(404);
    }
}
