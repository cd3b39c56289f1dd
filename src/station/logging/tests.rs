use std::{
    fmt, fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use log::{Level, LevelFilter, Log as _, Record, error, info};
use nix::{sys::stat::Mode, unistd::mkfifo};
use tempfile::{TempDir, tempdir};

use super::{LogFormat, LogHandle, LogOptions, Logging, Rotation};
use crate::station::testing::{eventually, in_child, rerun};

fn options(file: &Path, format: &str) -> LogOptions {
    LogOptions {
        level: LevelFilter::Info,
        modules: Vec::new(),
        format: LogFormat::parse(format),
        file: Some(file.to_owned()),
        rotation: None,
    }
}

fn say(log: &LogHandle, level: Level, target: &str, message: &str) {
    log.log(&Record::builder().level(level).target(target).args(format_args!("{message}")).build());
}

fn place() -> (TempDir, PathBuf) {
    let directory = tempdir().unwrap();
    let file = directory.path().join("stationd.log");
    (directory, file)
}

fn written(log: &LogHandle, file: &Path) -> String {
    log.queue.flush(Duration::from_secs(20));
    fs::read_to_string(file).unwrap()
}

/// The line without its time, which must be one.
fn after_time(line: &str) -> &str {
    let (time, rest) = line.split_at("2023-11-14T22:13:20.120Z".len());
    time.parse::<crate::domain::Timestamp>().unwrap();
    rest
}

#[test]
fn text_is_one_line_a_record() {
    let (_directory, file) = place();
    let log = LogHandle::open(&options(&file, "text")).unwrap();
    say(&log, Level::Warn, "websocket", "two\nlines and \x1b[31mred");
    let fields = [("job", 17)];
    log.log(
        &Record::builder()
            .level(Level::Info)
            .target("performance")
            .key_values(&fields)
            .args(format_args!("done"))
            .build(),
    );
    let text = written(&log, &file);
    let lines: Vec<&str> = text.lines().map(after_time).collect();
    assert_eq!(
        lines,
        [
            " - websocket - WARN - two\\nlines and \\u{1b}[31mred",
            " - performance - INFO - done job=17"
        ]
    );
}

#[test]
fn json_is_flat_and_keeps_the_types_of_fields() {
    let (_directory, file) = place();
    let log = LogHandle::open(&options(&file, "json")).unwrap();
    let fields: [(&str, log::kv::Value<'_>); 3] =
        [("lines", 17.into()), ("ok", true.into()), ("level", "mine".into())];
    log.log(
        &Record::builder()
            .level(Level::Info)
            .target("audit")
            .key_values(&fields)
            .args(format_args!("a \"quoted\"\nword"))
            .build(),
    );
    let text = written(&log, &file);
    let mut line: serde_json::Value = serde_json::from_str(text.trim_end()).unwrap();
    let time = line.as_object_mut().unwrap().remove("time").unwrap();
    assert_eq!(after_time(time.as_str().unwrap()), "");
    assert_eq!(
        line,
        serde_json::json!({
            "level": "INFO", "target": "audit", "msg": "a \"quoted\"\nword",
            "lines": 17, "ok": true, "_level": "mine",
        })
    );
}

#[test]
fn a_template_is_filled_in_and_keeps_what_it_does_not_know() {
    let (_directory, file) = place();
    let template = "%(levelname)-6s|%(name)9s|%(thread)s 100%(|%(message)s|%(process)d %(asctime)s";
    let log = LogHandle::open(&options(&file, template)).unwrap();
    say(&log, Level::Info, "queue", "hello");
    let text = written(&log, &file);
    let (start, time) = text.trim_end().rsplit_once(' ').unwrap();
    let pid = std::process::id();
    assert_eq!(start, format!("INFO  |    queue|%(thread)s 100%(|hello|{pid}"));
    assert_eq!(after_time(time), "");
}

#[test]
fn levels_are_per_target_and_can_change() {
    let (_directory, file) = place();
    let mut options = options(&file, "%(message)s");
    options.modules = vec![("chatty".to_owned(), LevelFilter::Error)];
    let log = LogHandle::open(&options).unwrap();
    let round = |word: &str| {
        say(&log, Level::Debug, "station", &format!("{word} debug"));
        say(&log, Level::Info, "station", &format!("{word} info"));
        say(&log, Level::Info, "chatty::inside", &format!("{word} chatty"));
        say(&log, Level::Info, "actix_server::builder", &format!("{word} library"));
    };
    round("first");
    options.level = LevelFilter::Debug;
    options.modules.clear();
    log.reload(&options);
    round("second");
    assert_eq!(
        written(&log, &file),
        "first info\nsecond debug\nsecond info\nsecond chatty\nsecond library\n"
    );
}

#[test]
fn rotation_keeps_the_newest_whole_and_compresses_the_old() {
    let (directory, file) = place();
    let mut options = options(&file, "%(message)s");
    options.rotation =
        Some(Rotation { max_bytes: 1000, backups: 3, compress: true, max_age: None });
    let log = LogHandle::open(&options).unwrap();
    for number in 0..300 {
        say(&log, Level::Info, "t", &format!("line {number:04} of the log"));
    }
    log.queue.flush(Duration::from_secs(20));
    let mut names: Vec<_> = fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["stationd.log", "stationd.log.1", "stationd.log.2.gz", "stationd.log.3.gz"]);
    let newest = fs::read_to_string(&file).unwrap();
    let before = fs::read_to_string(directory.path().join("stationd.log.1")).unwrap();
    let lines: Vec<&str> = before.lines().chain(newest.lines()).collect();
    let first = 300 - lines.len();
    let expected: Vec<String> =
        (first..300).map(|number| format!("line {number:04} of the log")).collect();
    assert_eq!(lines, expected, "no line is cut, lost or out of order");
    assert_eq!(log.lost(), 0);
}

#[test]
fn what_was_in_the_file_before_counts_too() {
    let (directory, file) = place();
    let before = "before\n".repeat(200);
    fs::write(&file, &before).unwrap();
    let mut options = options(&file, "%(message)s");
    options.rotation =
        Some(Rotation { max_bytes: 1000, backups: 1, compress: false, max_age: None });
    let log = LogHandle::open(&options).unwrap();
    say(&log, Level::Info, "t", "after");
    assert_eq!(written(&log, &file), "after\n");
    let old = fs::read_to_string(directory.path().join("stationd.log.1")).unwrap();
    assert_eq!(old, before);
}

#[test]
fn old_files_go_by_age_and_others_stay() {
    let (directory, file) = place();
    for name in ["stationd.log.7.gz", "stationd.log.notes", "stationd.log.8"] {
        fs::write(directory.path().join(name), "old").unwrap();
    }
    let mut options = options(&file, "text");
    let rotation = |max_age| Rotation { max_bytes: 1000, backups: 3, compress: true, max_age };
    options.rotation = Some(rotation(Some(Duration::from_hours(1))));
    LogHandle::open(&options).unwrap();
    assert!(directory.path().join("stationd.log.8").exists());
    options.rotation = Some(rotation(Some(Duration::ZERO)));
    LogHandle::open(&options).unwrap();
    assert!(!directory.path().join("stationd.log.7.gz").exists());
    assert!(!directory.path().join("stationd.log.8").exists());
    assert!(directory.path().join("stationd.log.notes").exists());
}

#[test]
fn a_moved_file_is_followed_until_it_is_reopened() {
    let (directory, file) = place();
    let log = LogHandle::open(&options(&file, "%(message)s")).unwrap();
    let moved = directory.path().join("moved");
    fs::rename(&file, &moved).unwrap();
    say(&log, Level::Info, "t", "to the old one");
    assert_eq!(written(&log, &moved), "to the old one\n");
    log.reopen();
    say(&log, Level::Info, "t", "to the new one");
    assert_eq!(written(&log, &file), "to the new one\n");
}

#[test]
fn a_full_disk_costs_lines_and_nothing_else() {
    let log = LogHandle::open(&options(Path::new("/dev/full"), "text")).unwrap();
    for _ in 0..3 {
        say(&log, Level::Info, "t", "there is no room for this");
    }
    log.queue.flush(Duration::from_secs(20));
    assert_eq!(log.lost(), 3);
}

#[test]
fn a_reader_that_does_not_read_holds_nobody_up() {
    let (_directory, file) = place();
    mkfifo(&file, Mode::from_bits_truncate(0o600)).unwrap();
    let _reader = fs::OpenOptions::new().read(true).write(true).open(&file).unwrap();
    let log = LogHandle::open(&options(&file, "text")).unwrap();
    let began = Instant::now();
    let line = "x".repeat(1000);
    for _ in 0..20_000 {
        say(&log, Level::Info, "t", &line);
    }
    assert!(began.elapsed() < Duration::from_secs(20));
    log.queue.flush(Duration::from_secs(20));
    assert!(log.lost() > 10_000, "{}", log.lost());
}

#[test]
fn the_listener_hears_every_line_but_not_its_own() {
    let (_directory, file) = place();
    let log = LogHandle::open(&options(&file, "%(message)s")).unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (ears, mouth) = (Arc::clone(&heard), log.clone());
    log.on_line(move |level, target, message| {
        ears.lock().unwrap().push(format!("{level} {target} {message}"));
        say(&mouth, Level::Error, "listener", "I heard it");
    });
    say(&log, Level::Info, "queue", "one");
    say(&log, Level::Debug, "queue", "not logged");
    say(&log, Level::Warn, "queue", "two");
    eventually("both are heard", || (heard.lock().unwrap().len() >= 2).then_some(()));
    assert_eq!(written(&log, &file).matches("I heard it").count(), 2);
    assert_eq!(*heard.lock().unwrap(), ["INFO queue one", "WARN queue two"]);
}

#[test]
fn a_record_that_panics_harms_nobody_else() {
    struct Bomb;
    impl fmt::Display for Bomb {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("on purpose")
        }
    }
    let (_directory, file) = place();
    let log = LogHandle::open(&options(&file, "%(message)s")).unwrap();
    let inner = log.clone();
    let thread = std::thread::spawn(move || {
        inner.log(&Record::builder().level(Level::Info).args(format_args!("{Bomb}")).build());
    });
    assert!(thread.join().is_err());
    say(&log, Level::Info, "t", "still here");
    assert_eq!(written(&log, &file), "still here\n");
}

#[test]
fn a_message_without_end_is_cut() {
    let (_directory, file) = place();
    let log = LogHandle::open(&options(&file, "%(message)s")).unwrap();
    say(&log, Level::Info, "t", &"ü".repeat(1_000_000));
    let length = written(&log, &file).len();
    assert!((16_000..=16_385).contains(&length), "{length}");
}

#[test]
fn a_closed_stdout_stops_nobody() {
    if in_child() {
        let mut options = options(Path::new(""), "text");
        options.file = None;
        let logging = Logging::start(&options).unwrap();
        info!("the gate is open");
        // The other end is closed once this file is gone.
        let gate = std::env::var("STATIOND_TEST_GATE").unwrap();
        eventually("stdout is closed", || (!Path::new(&gate).exists()).then_some(()));
        for _ in 0..100 {
            info!("into the void");
        }
        drop(logging);
        fs::write(gate, "survived").unwrap();
        return;
    }
    let directory = tempdir().unwrap();
    let gate = directory.path().join("gate");
    fs::write(&gate, "").unwrap();
    let mut child = rerun("station::logging::tests::a_closed_stdout_stops_nobody")
        .env("STATIOND_TEST_GATE", &gate)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().ends_with(" - INFO - the gate is open")));
    drop(lines);
    fs::remove_file(&gate).unwrap();
    eventually("it goes on", || (fs::read_to_string(&gate).ok()? == "survived").then_some(()));
    // How the harness ends that lost its stdout is of no interest.
    child.wait().unwrap();
}

#[test]
fn panics_and_stderr_reach_the_log_file() {
    if in_child() {
        let file = PathBuf::from(std::env::var("STATIOND_TEST_LOG").unwrap());
        let logging = Logging::start(&options(&file, "%(levelname)s %(message)s")).unwrap();
        logging.handle().capture_stderr();
        std::thread::Builder::new()
            .name("worker".to_owned())
            .spawn(|| panic!("on\npurpose"))
            .unwrap()
            .join()
            .unwrap_err();
        error!("logged");
        drop(logging);
        nix::unistd::write(std::io::stderr(), b"raw\n").unwrap();
        return;
    }
    let (_directory, file) = place();
    let name = "station::logging::tests::panics_and_stderr_reach_the_log_file";
    let output = rerun(name).env("STATIOND_TEST_LOG", &file).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].starts_with("ERROR thread worker panicked at src/station/"), "{text}");
    assert!(lines[0].ends_with(": on purpose"), "{text}");
    assert_eq!(lines[1..], ["ERROR logged", "raw"]);
}
