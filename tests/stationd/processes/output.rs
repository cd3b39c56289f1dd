//! What programs write: kept, turned, compressed, followed and published.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    os::unix::fs::MetadataExt as _,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use serde_json::json;

use crate::support::{Station, WebSocket, eventually, program, sh};

/// A program that writes each line that is put into its FIFO, and so never before it is asked.
const ECHO: &str = "[ -p \"$0.in\" ] || mkfifo \"$0.in\"; echo up; while :; do cat \"$0.in\"; done";

/// A daemon that runs [`ECHO`] with a FIFO called `NAME.in` in the workspace.
fn echo(name: &str, more: &serde_json::Value) -> serde_json::Value {
    let mut daemon = sh(name, ECHO, more);
    daemon["command"].as_array_mut().unwrap().push(json!(name));
    daemon
}

impl Station {
    /// Has an [`echo`] write these lines.
    fn say(&self, name: &str, lines: &str) {
        fs::write(self.workspace().join(format!("{name}.in")), lines).unwrap();
    }

    fn log_of(&self, name: &str) -> String {
        fs::read_to_string(self.workspace().join(format!("logs/{name}.log"))).unwrap_or_default()
    }

    fn await_log(&self, name: &str, text: &str) {
        eventually(&format!("the log of {name} is {text:?}"), || {
            (self.log_of(name) == text).then_some(())
        });
    }
}

fn resident_kilobytes(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn one_that_floods_its_output_starves_nobody_and_grows_nothing() {
    let rules = json!({"log": {"max_size": "200kB", "backup_count": 3, "compress": true}});
    let flood = "exec yes 'a line of the flood that is as long as lines of a log are'";
    let daemons =
        json!([sh("flood", flood, &rules), echo("calm", &json!({"ready": {"log": "^up$"}})),]);
    let station = Station::with().daemons(&daemons).start();
    station.await_pid("calm");
    let logs = station.workspace().join("logs");
    let backups = || {
        let names = fs::read_dir(&logs).unwrap().map(|entry| entry.unwrap().file_name());
        let names = names.map(|name| name.into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name.starts_with("flood.log.")).collect();
        names.sort();
        names
    };
    eventually("the log was turned more often than there are backups", || {
        backups().iter().any(|name| name.contains(".3")).then_some(())
    });
    // Some turns later, everybody still answers, and no memory is taken.
    let before = resident_kilobytes(station.pid());
    let first = fs::metadata(logs.join("flood.log")).unwrap().ino();
    for round in 0..10 {
        let asked = Instant::now();
        assert_eq!(station.tcp().get("/health").status, 200);
        station.say("calm", &format!("round {round}\n"));
        eventually("the calm one is heard", || {
            station.log_of("calm").contains(&format!("round {round}\n")).then_some(())
        });
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    }
    eventually("the log was turned again", || {
        (fs::metadata(logs.join("flood.log")).ok()?.ino() != first).then_some(())
    });
    let grown = resident_kilobytes(station.pid()).saturating_sub(before);
    assert!(grown < 20_000, "{grown} kB");
    station.order("flood", "stop");
    // What the pipe still held may turn the log once more.
    let text = eventually("all is compressed", || {
        let whole = backups() == ["flood.log.1", "flood.log.2.gz", "flood.log.3.gz"];
        let gzip = Command::new("gzip").arg("-dc").arg(logs.join("flood.log.2.gz")).output();
        let unpacked = gzip.unwrap();
        (whole && unpacked.status.success()).then(|| String::from_utf8(unpacked.stdout).unwrap())
    });
    assert!(fs::metadata(logs.join("flood.log")).unwrap().len() <= 600_000);
    assert!(text.contains("a line of the flood") && text.len() < 600_000, "{}", text.len());
}

#[test]
fn one_that_never_ends_a_line_has_its_log_turned_too() {
    let rules = json!({"log": {"max_size": "100kB", "backup_count": 2, "compress": false}});
    let flood = "yes 0123456789 | tr -d '\\n'";
    let station = Station::with().daemons(&json!([sh("flood", flood, &rules)])).start();
    let size = |name: &str| {
        fs::metadata(station.workspace().join("logs").join(name)).map_or(0, |found| found.len())
    };
    eventually("there are two old ones", || (size("flood.log.2") > 0).then_some(()));
    station.order("flood", "stop");
    for name in ["flood.log", "flood.log.1", "flood.log.2"] {
        assert!(size(name) < 5_000_000, "{name}: {}", size(name));
    }
}

#[test]
fn a_log_that_was_moved_away_is_opened_anew_when_asked() {
    let daemons = json!([echo("camera", &json!({"ready": {"log": "^up$"}}))]);
    let station = Station::with().daemons(&daemons).start();
    let pid = station.await_pid("camera");
    let log = station.workspace().join("logs/camera.log");
    let mut moved = "up\n".to_owned();
    for (round, signal) in [Signal::SIGHUP, Signal::SIGUSR1].into_iter().enumerate() {
        let aside = station.workspace().join(format!("logs/aside-{round}"));
        fs::rename(&log, &aside).unwrap();
        station.say("camera", "still there\n");
        moved += "still there\n";
        eventually("the old file is written on", || {
            (fs::read_to_string(&aside).unwrap() == moved).then_some(())
        });
        assert!(!log.exists());
        station.signal(signal);
        // What is written before the station has seen the signal still goes to the old one.
        let mut said = 0;
        let now = eventually("a new file is written", || {
            said += 1;
            station.say("camera", &format!("round {round}: {said}\n"));
            Some(station.log_of("camera")).filter(|text| text.ends_with('\n'))
        });
        let old = fs::read_to_string(&aside).unwrap();
        let all = format!("{}{now}", old.strip_prefix(&moved).unwrap());
        assert!(
            all.starts_with(&format!("round {round}: 1\n")),
            "nothing is lost or out of order: {all}"
        );
        eventually("all is there", || {
            let text = old.clone() + &station.log_of("camera");
            text.contains(&format!("round {round}: {said}\n")).then_some(())
        });
        moved = station.log_of("camera");
        assert_eq!(moved.lines().last(), Some(format!("round {round}: {said}").as_str()));
    }
    assert_eq!(station.await_pid("camera"), pid, "it goes on undisturbed");
}

#[test]
fn the_last_lines_are_printed_and_more_is_followed_over_restarts() {
    let daemons = json!([
        echo("camera", &json!({"ready": {"log": "^up$"}})),
        sh("other", "echo of another; exec sleep 600", &json!({})),
    ]);
    let station = Station::with().daemons(&daemons).start();
    station.await_pid("camera");
    station.say("camera", "one\ntwo\nthree\n");
    station.await_log("camera", "up\none\ntwo\nthree\n");
    let last = station.cli(["daemon", "logs", "camera", "-n", "2"]).exited(0).stdout;
    assert_eq!(last, "two\nthree\n");
    assert_eq!(station.cli(["logs", "Camera", "-n", "1"]).exited(0).stdout, "three\n");
    let text = station.tcp().get("/api/v1/daemons/camera/log?lines=1").text();
    assert_eq!(text, "three\n");
    station.await_log("other", "of another\n");
    let both = station.cli(["daemon", "logs", "camera", "other", "-n", "1"]).exited(0).stdout;
    for line in ["three", "of another"] {
        assert!(both.lines().any(|it| it.ends_with(line)), "{both}");
    }

    let mut command = program(station.home());
    command.arg("--workspace").arg(station.workspace()).args(["daemon", "logs", "-f", "camera"]);
    let mut follower = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| tell.send(line)));
    let mut heard = Vec::new();
    let mut hear = |last: &str| {
        eventually(&format!("{last} is heard"), || {
            heard.extend(told.try_iter());
            (heard.last().is_some_and(|line| line == last)).then_some(())
        });
        std::mem::take(&mut heard)
    };
    assert_eq!(hear("three"), ["up", "one", "two", "three"]);
    station.say("camera", "four\n");
    assert_eq!(hear("four"), ["four"]);
    station.order("camera", "restart");
    assert_eq!(hear("up"), ["up"]);
    station.say("camera", "five\n");
    assert_eq!(hear("five"), ["five"]);
    follower.kill().unwrap();
    follower.wait().unwrap();
}

#[test]
fn a_programs_lines_are_on_its_own_channel_and_on_no_other() {
    let daemons = json!([
        echo("camera", &json!({"ready": {"log": "^up$"}})),
        echo("other", &json!({"ready": {"log": "^up$"}})),
    ]);
    let station = Station::with().daemons(&daemons).start();
    station.await_pid("camera");
    station.await_pid("other");
    let mut own = WebSocket::subscribed(&station.tcp(), &["daemon:camera"]);
    let mut all = WebSocket::subscribed(&station.tcp(), &["daemons"]);
    let present = own.message();
    assert_eq!((&present["type"], &present["name"]), (&json!("daemon_status"), &json!("camera")));
    station.say("other", "not for everybody\n");
    station.say("camera", "one\n\u{1b}[31mtwo\n");
    for text in ["one", "\u{1b}[31mtwo"] {
        let line = own.message();
        assert_eq!(line["type"], "log", "{line}");
        assert_eq!((&line["target"], &line["message"]), (&json!("daemon:camera"), &json!(text)));
        assert_eq!((line.get("seq"), &line["level"]), (None, &json!("INFO")));
    }
    station.order("camera", "stop");
    let mut states = Vec::new();
    own.until(|message| {
        assert_ne!(message["target"], "daemon:other", "{message}");
        states.push(message["state"].clone());
        message["state"] == "STOPPED"
    });
    assert_eq!(states, ["STOPPING", "STOPPED"]);
    all.until(|message| {
        assert_ne!(message["type"], "log", "{message}");
        message["name"] == "camera" && message["state"] == "STOPPED"
    });
}

#[test]
fn output_is_kept_as_it_is_whatever_it_is() {
    let script =
        "printf 'no end of line'; printf '\\377\\000\\n'; head -c 100000 /dev/zero | tr '\\0' x";
    let station = Station::with().daemons(&json!([sh("odd", script, &json!({}))])).start();
    station.await_daemon("odd", "has done its work", |it| it["completed"] == true);
    let mut kept = Vec::new();
    fs::File::open(station.workspace().join("logs/odd.log"))
        .unwrap()
        .read_to_end(&mut kept)
        .unwrap();
    assert!(kept.starts_with(b"no end of line\xff\0\n"), "{:?}", &kept[..20]);
    let long = &kept[17..];
    assert!(long.iter().all(|byte| matches!(byte, b'x' | b'\n')), "{}", long.len());
    assert_eq!(long.split(|byte| *byte != b'x').map(<[u8]>::len).sum::<usize>(), 100_000);
}
