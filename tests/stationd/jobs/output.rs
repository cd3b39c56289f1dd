//! What programs write: kept in bounds, followed while it comes.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::fs::PermissionsExt as _,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{WAIT_FOR_FILE, output};
use crate::support::{Station, WebSocket, eventually};

/// Bytes on disk of what a job wrote.
fn on_disk(station: &Station, id: &str) -> u64 {
    let directory = station.workspace().join("jobs").join(id);
    let entries = fs::read_dir(directory).unwrap().flatten();
    entries.map(|entry| entry.metadata().map_or(0, |data| data.len())).sum()
}

fn resident(station: &Station) -> u64 {
    let statm = fs::read_to_string(format!("/proc/{}/statm", station.pid())).unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

#[test]
fn a_flood_hurts_neither_disk_nor_memory_nor_other_jobs() {
    let station = Station::with().set("queue.max_output", "1MB").start();
    let before = resident(&station);
    let script = "echo first; head -c 300000000 /dev/zero | tr '\\0' 'x' | fold -w 99; echo last";
    let flood = station.submit(&json!({"command": ["sh", "-c", script]}));
    station.await_job(&flood, "RUNNING");
    let quick = station.submit(&json!({"command": ["echo", "hello"]}));
    station.await_job(&quick, "COMPLETED");
    assert_eq!(output(&station, &quick), "hello\n");
    let begun = Instant::now();
    while station.job(&flood)["state"] == "RUNNING" {
        assert!(on_disk(&station, &flood) <= 1_000_000);
        assert!(resident(&station) < before + 60_000_000);
        assert!(begun.elapsed() < Duration::from_mins(2), "it is held up for ever");
    }
    station.await_job(&flood, "COMPLETED");
    let kept = station.local().get(&format!("/api/v1/jobs/{flood}/log?tail=10000")).text();
    assert!(kept.ends_with("xlast\n"), "{:?}", &kept[kept.len() - 200..]);
    // The rest of the beginning, what was left out, and the end.
    assert_eq!(kept.matches("[stationd] ").count(), 1);
    let head = fs::read(station.workspace().join("jobs").join(&flood).join("output.log")).unwrap();
    assert!(head.starts_with(b"first\nxxx"));
    assert!(on_disk(&station, &flood) <= 1_000_000);
    let mode = fs::metadata(station.workspace().join("jobs").join(&flood).join("output.log"));
    assert_eq!(mode.unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn the_beginning_and_the_end_are_kept_and_the_cut_is_marked() {
    let station = Station::with().set("queue.max_output", "8192").start();
    let id = station.submit(&json!({"command": ["seq", "1", "5000"]}));
    station.await_job(&id, "COMPLETED");
    let text = output(&station, &id);
    // The last thousand lines are asked for; the whole has fewer now than it had.
    let all = station.local().get(&format!("/api/v1/jobs/{id}/log?tail=10000")).text();
    assert!(all.starts_with("1\n2\n3\n") && all.ends_with("\n4999\n5000\n"), "{all}");
    assert_eq!(all.matches(" bytes are left out here\n").count(), 1, "{all}");
    assert!(all.ends_with(&text));
}

#[test]
fn all_that_is_kept_can_be_asked_for_however_much_it_is() {
    let station = Station::start();
    let id = station.submit(&json!({"command": ["seq", "1", "700000"]}));
    station.await_job(&id, "COMPLETED");
    let before = resident(&station);
    let path = format!("/api/v1/jobs/{id}/log");
    let kept = fs::read(station.workspace().join("jobs").join(&id).join("output.log")).unwrap();
    assert!(kept.len() > 4_700_000, "{}", kept.len());
    assert_eq!(station.local().get(&format!("{path}?tail=all")).text().as_bytes(), kept);
    assert_eq!(
        station.local().get(&format!("{path}?lines=all&follow=true")).text().as_bytes(),
        kept
    );
    let shown = station.cli(["job", "logs", "-n", "all", &id]).exited(0).stdout;
    assert_eq!(shown.as_bytes(), kept);
    assert!(resident(&station) < before + 3_000_000, "it is never in memory as a whole");
    let refused = station.local().get(&format!("{path}?tail=10001")).refused(422);
    assert!(refused.contains("or all"), "{refused}");
    let refused = station.local().get(&format!("{path}?tail=some")).refused(422);
    assert!(refused.contains("a number of lines, or all"), "{refused}");
    let usage = station.cli(["job", "logs", "-n", "10001", &id]).exited(2).stderr;
    assert!(usage.contains("or all"), "{usage}");
}

#[test]
fn what_is_no_text_is_shown_as_well_as_it_can_be() {
    let station = Station::start();
    let script = r"printf 'caf\351 \0 \033[2J\377\n'; head -c 100000 /dev/urandom; printf '\nend'";
    let id = station.submit(&json!({"command": ["sh", "-c", script]}));
    station.await_job(&id, "COMPLETED");
    let text = station.local().get(&format!("/api/v1/jobs/{id}/log?tail=10000")).text();
    assert!(text.starts_with("caf\u{fffd} \0 \u{1b}[2J\u{fffd}\n") && text.ends_with("\nend"));
    let kept = fs::read(station.workspace().join("jobs").join(&id).join("output.log")).unwrap();
    assert!(kept.starts_with(b"caf\xe9 \0 \x1b[2J\xff\n"), "byte for byte on the disk");
    let shown = station.cli(["job", "logs", &id]).exited(0).stdout;
    assert!(!shown.contains('\u{1b}'), "nothing that a terminal obeys");
}

#[test]
fn who_follows_a_log_gets_it_line_by_line_until_the_job_is_over() {
    let station = Station::start();
    let go = station.home().join("go");
    let script =
        format!("echo one; printf 'caf\\303'; {WAIT_FOR_FILE}; printf '\\251\\n'; echo two >&2");
    let id = station.submit(&json!({"command": ["sh", "-c", script, go], "hold": true}));
    let client = station.local();
    let mut stream = client.connect().unwrap();
    let path = format!("/api/v1/jobs/{id}/log?follow=true");
    stream.write_all(client.head("GET", &path, &[("Connection", "close")]).as_bytes()).unwrap();
    station.act(&id, "release").expect(200);
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    assert!(lines.next().unwrap().contains("200"));
    assert_eq!(lines.find(|line| line == "one").as_deref(), Some("one"), "while it runs");
    assert_eq!(station.job(&id)["state"], "RUNNING");
    fs::write(go, "").unwrap();
    let rest: Vec<_> = lines.collect();
    let text = rest.concat();
    assert!(text.contains("caf") && text.contains("\u{e9}"), "{rest:?}");
    assert!(rest.iter().any(|line| line == "two") && rest.last().unwrap().is_empty(), "{rest:?}");
    station.await_job(&id, "COMPLETED");
    let again = station.cli(["job", "logs", "-f", &id]).exited(0).stdout;
    assert_eq!(again, "one\ncafé\ntwo\n");
    let last = station.cli(["job", "logs", "-n", "1", "--json", &id]).exited(0).stdout;
    assert_eq!(last, format!("{{\"message\":\"two\",\"target\":\"job:{id}\"}}\n"));
}

#[test]
fn lines_come_over_the_websocket_to_those_alone_who_follow_the_job() {
    let station = Station::start();
    let id =
        station.submit(&json!({"command": ["sh", "-c", "echo out; echo err >&2"], "hold": true}));
    let mut follower = WebSocket::subscribed(&station.local(), &[&format!("job:{id}")]);
    let mut other = WebSocket::subscribed(&station.local(), &["jobs", "logs"]);
    station.act(&id, "release").expect(200);
    for line in ["out", "err"] {
        let told = follower.until(|it| it["type"] == "log");
        assert_eq!(
            (&told["message"], &told["target"]),
            (&json!(line), &json!(format!("job:{id}")))
        );
    }
    other.until(|it| {
        let is_of_job = it["type"] == "log" && it["target"] == format!("job:{id}");
        assert!(!is_of_job, "{it}");
        it["to_state"] == "COMPLETED"
    });
}

#[test]
fn attempts_are_told_apart() {
    let station = Station::start();
    let flag = station.home().join("flag");
    let script = "echo hello; [ -e \"$0\" ] || { touch \"$0\"; exit 1; }";
    let id = station.submit(&json!({"command": ["sh", "-c", script, flag], "max_attempts": 2}));
    station.await_job(&id, "COMPLETED");
    assert_eq!(output(&station, &id), "hello\n[stationd] attempt 2\nhello\n");
}

#[test]
fn a_log_that_does_not_exist_or_makes_no_sense_is_refused() {
    let station = Station::start();
    let id = station.submit(&json!({"command": ["true"]}));
    station.await_job(&id, "COMPLETED");
    assert_eq!(output(&station, &id), "");
    station.cli(["job", "logs", "-f", &id]).exited(0);
    for query in ["tail=0", "tail=10001", "tail=x", "follow=maybe", "colour=red"] {
        station.local().get(&format!("/api/v1/jobs/{id}/log?{query}")).refused(422);
    }
    let unknown = "0190b6b8-7b3a-7000-8000-000000000001";
    station.local().get(&format!("/api/v1/jobs/{unknown}/log?follow=true")).refused(404);
    station.cli(["job", "logs", "-f", unknown]).exited(5);
    // Whoever follows does not keep a station from stopping.
    let held = station.submit(&json!({"command": ["true"], "hold": true}));
    let client = station.local();
    let mut stream = client.connect().unwrap();
    let path = format!("/api/v1/jobs/{held}/log?follow=true");
    stream.write_all(client.head("GET", &path, &[]).as_bytes()).unwrap();
    let mut first = String::new();
    BufReader::new(stream).read_line(&mut first).unwrap();
    let (mut station, begun) = (station, Instant::now());
    assert_eq!(station.stop(), 0);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    eventually("it is gone", || station.has_ended());
}
