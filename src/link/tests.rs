//! The link thread against simulated machines behind real pseudo-terminals.

mod answers;
mod plotters;

use std::{
    cell::RefCell,
    fmt::Write as _,
    io::Write as _,
    sync::mpsc::{self, Receiver},
    time::{Duration, Instant},
};

use super::*;
use crate::{
    domain::{DeviceStatus, JobId, Machine},
    toolpath,
};

const PATIENCE: Duration = Duration::from_mins(1);

struct Station {
    link: LinkHandle,
    reports: Receiver<Report>,
    seen: RefCell<Vec<Report>>,
}

impl Station {
    fn start(simulator: SimulatorOptions) -> Self {
        let options = LinkOptions {
            name: "test".to_owned(),
            driver: "grbl".to_owned(),
            port: "sim:grbl".to_owned(),
            baud_rate: 115_200,
            timeout: Duration::from_secs(2),
            identity: None,
            start_lines: Vec::new(),
            end_lines: Vec::new(),
            on_stop: vec!["G0 Z5".to_owned()],
            plotter: Plotter::default(),
            simulator,
        };
        Self::with(options)
    }

    fn with(options: LinkOptions) -> Self {
        let (sender, reports) = mpsc::channel();
        let link = LinkHandle::spawn(options, move |report| drop(sender.send(report))).unwrap();
        Self { link, reports, seen: RefCell::default() }
    }

    fn idle(speed: f64) -> Self {
        let station = Self::start(SimulatorOptions { speed, ..SimulatorOptions::default() });
        station.until_status(DeviceStatus::Idle);
        station
    }

    fn until<T>(&self, what: &str, wanted: impl Fn(&Report) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(report) = self.reports.recv_timeout(left) else {
                panic!("{what} did not come; what came: {:#?}", self.seen.borrow());
            };
            let found = wanted(&report);
            self.seen.borrow_mut().push(report);
            if let Some(found) = found {
                return found;
            }
        }
    }

    fn until_status(&self, wanted: DeviceStatus) -> Option<String> {
        self.until(wanted.as_str(), |report| match report {
            Report::Status { status, message } if *status == wanted => Some(message.clone()),
            _ => None,
        })
    }

    fn run(&self, text: &str) -> JobId {
        let job = JobId::new();
        self.link.run(Run {
            job,
            source: Source::Bytes(text.as_bytes().to_vec()),
            start: Start::default(),
        });
        job
    }

    fn until_moving(&self, job: JobId) {
        self.until("progress", |report| match report {
            Report::Progress { job: of, checkpoint } if *of == job => {
                (checkpoint.lines_acknowledged > 5).then_some(())
            }
            _ => None,
        });
    }

    fn end(&self, job: JobId) -> (End, Checkpoint) {
        self.until("the end", |report| match report {
            Report::Ended { job: of, end, checkpoint } if *of == job => {
                Some((end.clone(), *checkpoint))
            }
            _ => None,
        })
    }
}

/// A zigzag of that many lines, all within a small bed.
fn zigzag(lines: usize) -> String {
    let mut text = String::from("G21 G90\nG0 Z5\n");
    for line in 0..lines {
        let _ = writeln!(text, "G1 X{} Y{} F3000", 10 + line % 7 * 4, 10 + line % 11 * 3);
    }
    text
}

#[test]
fn a_file_is_drawn_through_a_real_terminal() {
    let station = Station::idle(0.0);
    let text = zigzag(2000);
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().write_all(text.as_bytes()).unwrap();
    let job = JobId::new();
    station.link.run(Run {
        job,
        source: Source::File(file.path().to_owned()),
        start: Start::default(),
    });
    let (end, checkpoint) = station.end(job);
    assert_eq!(end, End::Completed);
    let lines = toolpath::analyse(text.as_bytes(), &[]).unwrap().0.lines;
    assert_eq!((checkpoint.lines_acknowledged, checkpoint.lines_sent), (lines, lines));
    let drawing = station.link.drawing().unwrap();
    assert_eq!((drawing.overflows, drawing.total), (0, 2001));
    let picture = toolpath::preview(text.as_bytes(), &Machine::unknown("grbl"), 10_000).unwrap();
    for (index, drawn) in drawing.moves.iter().enumerate() {
        let wanted = &picture.points[2 * index + 2..2 * index + 4];
        let off = (drawn.to[0] - wanted[0]).hypot(drawn.to[1] - wanted[1]);
        assert!(off < 1e-9, "move {index}: {drawn:?} instead of {wanted:?}");
    }
    assert!(station.link.heard().is_some());
    assert!(station.link.close(PATIENCE));
}

#[test]
fn pause_resume_and_cancel_reach_the_machine() {
    let station = Station::idle(1.0);
    let job = station.run(&zigzag(500));
    station.until_moving(job);
    station.link.pause(job);
    station.until("a pause", |report| matches!(report, Report::Paused { .. }).then_some(()));
    let total = station.link.drawing().unwrap().total;
    station.link.resume(job);
    station.until("going on", |report| matches!(report, Report::Resumed { .. }).then_some(()));
    station.until("more progress", |report| {
        matches!(report, Report::Progress { .. } if station.link.drawing().unwrap().total > total).then_some(())
    });
    station.link.cancel(job);
    let (end, checkpoint) = station.end(job);
    assert_eq!(end, End::Cancelled);
    assert!(checkpoint.lines_acknowledged < checkpoint.lines_sent);
    assert!(checkpoint.receive_lines > 0 && checkpoint.planner_lines > 0, "{checkpoint:?}");
    assert_eq!(checkpoint.receive_lines, checkpoint.lines_sent - checkpoint.lines_acknowledged);
    let lifted = station.link.drawing().unwrap().moves.back().map(|last| last.to[2]);
    assert_eq!(lifted, Some(5.0), "on_stop ran");
    // Requests of a job that has ended change nothing.
    station.link.resume(job);
    station.link.pause(job);
    assert_eq!(station.link.send("$G").blocking_recv().unwrap().unwrap().len(), 1);
}

#[test]
fn an_emergency_stop_is_sent_confirmed_and_latched() {
    let station = Station::idle(1.0);
    let job = station.run(&zigzag(500));
    station.until_moving(job);
    let estop = station.link.estop();
    std::thread::spawn(move || estop.press()).join().unwrap();
    let latency = station.until("confirmation", |report| match report {
        Report::EstopConfirmed { latency } => Some(*latency),
        _ => None,
    });
    assert!(latency < Duration::from_secs(5), "{latency:?}");
    let (end, _) = station.end(job);
    assert_eq!(end, End::Interrupted { reason: "emergency stop".into(), position_known: false });
    let state = station.link.estop().state().borrow().clone().unwrap();
    assert!(state.sent && state.confirmed && state.latency_seconds.is_some());
    station.until_status(DeviceStatus::Alarm);
    assert_eq!(station.link.send("G0 X1").blocking_recv().unwrap(), Err(Refused::Estop));
    let refused = station.run("G0 X1\n");
    assert!(matches!(station.end(refused).0, End::Interrupted { .. }));
    station.link.clear_estop();
    station.until("clearing", |report| (*report == Report::EstopCleared).then_some(()));
    assert!(station.link.estop().state().borrow().is_none());
    station.link.unlock().blocking_recv().unwrap().unwrap();
    station.until_status(DeviceStatus::Idle);
}

#[test]
fn unplugging_interrupts_the_job_and_replugging_moves_nothing() {
    let station = Station::idle(1.0);
    let job = station.run(&zigzag(500));
    station.until_moving(job);
    assert!(station.link.plug(false));
    let (end, checkpoint) = station.end(job);
    assert!(matches!(end, End::Interrupted { position_known: false, .. }), "{end:?}");
    station.until_status(DeviceStatus::Disconnected);
    assert!(station.link.plug(true));
    station.until("identification", |report| {
        matches!(report, Report::Identified { .. }).then_some(())
    });
    station.until_status(DeviceStatus::Idle);
    // Until it was switched on again the machine may have gone on with what it held.
    let before = station.link.drawing().unwrap();
    let most = checkpoint.lines_sent + 2;
    assert!(before.lines <= most, "{} lines, the file and twice $I are {most}", before.lines);
    station.link.send("$G").blocking_recv().unwrap().unwrap();
    let after = station.link.drawing().unwrap();
    assert_eq!((after.total, after.lines), (before.total, before.lines + 1), "only $G was sent");
    let job = station.run("G21 G90\nG0 X1\n");
    assert_eq!(station.end(job).0, End::Completed);
}

#[test]
fn a_reset_in_the_middle_of_a_job_interrupts_it() {
    let faults = Faults { reset_at_line: Some(50), ..Faults::default() };
    let station =
        Station::start(SimulatorOptions { speed: 0.0, faults, ..SimulatorOptions::default() });
    station.until_status(DeviceStatus::Idle);
    let job = station.run(&zigzag(500));
    let (end, checkpoint) = station.end(job);
    assert_eq!(
        end,
        End::Interrupted { reason: "the machine was reset".into(), position_known: false }
    );
    assert_eq!(checkpoint.lines_acknowledged, 48);
}

#[test]
fn an_error_fails_the_job_with_its_line() {
    let station = Station::idle(0.0);
    let job = station.run("G21 G90\n(a comment)\nG0 X1\nG1 X2\n");
    let End::Failed { line, message } = station.end(job).0 else { panic!("{:?}", station.seen) };
    assert_eq!((line, message.as_str()), (Some(4), "error:22: no feed (F) has been set: G1 X2"));
}

#[test]
fn a_file_that_cannot_be_read_fails_the_job() {
    let station = Station::idle(0.0);
    let job = JobId::new();
    station.link.run(Run {
        job,
        source: Source::File("/nonexistent/file".into()),
        start: Start::default(),
    });
    let End::Failed { line: None, message } = station.end(job).0 else {
        panic!("{:?}", station.seen)
    };
    assert!(message.starts_with("/nonexistent/file: "), "{message}");
}

#[test]
fn closing_makes_the_machine_safe_first() {
    let station = Station::idle(1.0);
    let job = station.run(&zigzag(500));
    station.until_moving(job);
    station.link.interrupt(job, "maintenance");
    let (end, _) = station.end(job);
    assert_eq!(end, End::Interrupted { reason: "maintenance".into(), position_known: true });
    let job = station.run(&zigzag(500));
    station.until_moving(job);
    let Station { link, reports, .. } = station;
    assert!(link.close(PATIENCE));
    let rest: Vec<Report> = reports.iter().collect();
    let reason = "the station is stopping".to_owned();
    let end = End::Interrupted { reason, position_known: true };
    assert!(
        rest.iter().any(|r| matches!(r, Report::Ended { end: of, .. } if *of == end)),
        "{rest:?}"
    );
    assert_eq!(rest.last(), Some(&Report::Closed));
}

#[test]
fn disconnect_stays_disconnected_until_connect() {
    let station = Station::idle(0.0);
    station.link.disconnect();
    station.until_status(DeviceStatus::Disconnected);
    let answer = station.link.send("$G").blocking_recv().unwrap();
    assert_eq!(answer, Err(Refused::Disconnected));
    station.link.connect(false);
    station.until_status(DeviceStatus::Idle);
}

#[test]
fn a_paced_wire_never_overflows_the_receive_buffer() {
    let options = SimulatorOptions { speed: 0.0, baud_rate: 115_200, faults: Faults::default() };
    let station = Station::start(options);
    station.until_status(DeviceStatus::Idle);
    let job = station.run(&zigzag(400));
    assert_eq!(station.end(job).0, End::Completed);
    assert_eq!(station.link.drawing().unwrap().overflows, 0);
}

#[test]
fn nobody_else_may_use_a_port_and_the_message_says_who_does() {
    use std::os::fd::AsFd;

    use nix::{
        fcntl::{Flock, FlockArg},
        pty::openpty,
        unistd::ttyname,
    };
    let pair = openpty(None, None).unwrap();
    let path = ttyname(pair.slave.as_fd()).unwrap();
    let file = std::fs::File::open(&path).unwrap();
    let _lock = Flock::lock(file, FlockArg::LockExclusiveNonblock).unwrap();
    let mut other = std::process::Command::new("sleep")
        .arg("60")
        .stdin(std::fs::File::open(&path).unwrap())
        .spawn()
        .unwrap();
    let error = serial::Serial::open(&path, 115_200, serialport::FlowControl::None)
        .err()
        .unwrap()
        .to_string();
    other.kill().unwrap();
    other.wait().unwrap();
    assert!(error.ends_with(&format!("is in use by pid {} (sleep)", other.id())), "{error}");
}

#[test]
fn an_emergency_stop_may_be_kept_by_any_thread() {
    fn any_thread<T: Clone + Send + Sync + 'static>() {}
    any_thread::<Estop>();
}

#[test]
fn what_nobody_can_drive_is_refused_at_once() {
    for (driver, port) in [("grbl", "sim:ebb"), ("nonsense", "/dev/ttyUSB0"), ("grbl", "")] {
        let options = LinkOptions {
            name: "test".to_owned(),
            driver: driver.to_owned(),
            port: port.to_owned(),
            baud_rate: 115_200,
            timeout: PATIENCE,
            identity: None,
            start_lines: Vec::new(),
            end_lines: Vec::new(),
            on_stop: Vec::new(),
            plotter: Plotter::default(),
            simulator: SimulatorOptions::default(),
        };
        let error = LinkHandle::spawn(options, |_| {}).err().unwrap();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{driver} {port}");
    }
}

#[test]
fn a_machine_on_the_network_is_driven_the_same_way() {
    use std::{io::Read, net::TcpListener};

    use crate::firmware::{Firmware, Grbl};
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // A serial server: no DTR, hence no banner until it is asked for.
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut machine = Grbl::new(0.0, Faults::default());
        let (mut buffer, mut out, born) = ([0; 4096], Vec::new(), Instant::now());
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            machine.receive(&buffer[..count], born.elapsed());
            machine.transmit(&mut out);
            stream.write_all(&out).unwrap();
            out.clear();
        }
    });
    let station = Station::with(LinkOptions {
        name: "network".to_owned(),
        driver: "grbl".to_owned(),
        port: format!("tcp://{address}"),
        baud_rate: 0,
        timeout: Duration::from_secs(5),
        identity: None,
        start_lines: Vec::new(),
        end_lines: Vec::new(),
        on_stop: Vec::new(),
        plotter: Plotter::default(),
        simulator: SimulatorOptions::default(),
    });
    station.until_status(DeviceStatus::Idle);
    let job = station.run(&zigzag(100));
    assert_eq!(station.end(job).0, End::Completed);
}
