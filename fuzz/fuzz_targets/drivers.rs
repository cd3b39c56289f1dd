//! Each driver, whatever its machine says and whatever is asked of it: a job ends once, nothing of
//! its file is sent after that, each question is answered once, the emergency stop goes before
//! everything else, what is told in figures can be told in JSON, and time passes.
#![no_main]

use std::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use stationd::{
    domain::Jog,
    drivers::{self, Command, Driver, Event, Handshake, Options, Plotter, Start, StopPoint},
};
use stationd_fuzz::driver;

#[derive(Arbitrary, Debug)]
struct Talk {
    driver: u8,
    scripts: bool,
    handshake: u8,
    single_pen: bool,
    steps: Vec<Step>,
}

#[derive(Arbitrary, Debug)]
enum Step {
    Plug,
    Unplug,
    /// The machine says something.
    Say(Vec<u8>),
    /// A line that it is known to say.
    Word(u8),
    Supply(u8),
    EndOfFile,
    Start {
        preamble: bool,
        skip: u8,
        stops: Vec<(u8, bool)>,
    },
    Pause,
    Resume,
    SkipLayer,
    Cancel,
    Interrupt,
    FileFailed,
    Send(Vec<u8>),
    Home,
    Unlock,
    Jog(i8, i8, i8),
    StopJog,
    Estop,
    ClearEstop,
    Pass(u16),
    /// Time passes until the driver wants to be called.
    Wait,
}

/// Nothing but a line of the file has it.
const MARK: &str = "9871";

/// A driver, a line of a file for it, what stops its machine in an emergency, what that says.
struct Kind {
    line: &'static [u8],
    estop: &'static [u8],
    words: &'static [&'static str],
}

fn kind(driver: &str) -> Kind {
    let gcode = b"G1 X1.9871 F600\n";
    match driver {
        "ebb" => Kind {
            line: b"SM,9871,20,20\n",
            estop: b"ES",
            words: &[
                "OK",
                "QM,0,0,0,0",
                "QM,1,1,1,0",
                "QG,00",
                "1",
                "!8 Err",
                "0,0",
                "EBBv13_and_above EB Firmware Version 2.8.1",
            ],
        },
        "grbl" => Kind {
            line: gcode,
            estop: b"\x18",
            words: &[
                "ok",
                "error:20",
                "ALARM:1",
                "Grbl 1.1h ['$' for help]",
                "<Idle|MPos:0.000,0.000,0.000|Bf:15,128>",
                "<Hold:0|MPos:0.000,0.000,0.000>",
                "<Run|WPos:1.000,0.000,0.000|Ln:1>",
                "[VER:1.1h.20190825:]",
                "[OPT:V,15,128]",
            ],
        },
        "hpgl" => Kind {
            line: b"PD9871,40;\n",
            estop: b"\x1b.K",
            words: &["0", "255", "1024", "7475A", "24", "0,0,0", "-1", "16"],
        },
        "line" => Kind {
            line: gcode,
            estop: b"!",
            words: &["ok", "error: no", "line machine ready", "busy", "hello"],
        },
        "marlin" => Kind {
            line: gcode,
            estop: b"M112",
            words: &[
                "ok",
                "ok N3 P15 B3",
                "ok T:20.0 /0.0 B:20.0 /0.0",
                "Resend: 2",
                "Resend: 18446744073709551615",
                "Error:checksum mismatch, Last Line: 1",
                "Error:Printer halted. kill() called!",
                "start",
                "wait",
                "echo:busy: processing",
                "echo:busy: paused for user",
                "//action:pause",
                "FIRMWARE_NAME:Marlin 2.1",
                "X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0",
            ],
        },
        other => panic!("{other} has no line here"),
    }
}

fn options(talk: &Talk) -> Options {
    let mut plotter = Plotter::default();
    plotter.line.halt = vec!["!".to_owned()];
    plotter.hpgl.single_pen = talk.single_pen;
    let handshakes = [Handshake::Poll, Handshake::XonXoff, Handshake::RtsCts];
    plotter.hpgl.handshake = handshakes[usize::from(talk.handshake) % 3];
    let script = || if talk.scripts { vec!["PU".to_owned(), "M5".to_owned()] } else { Vec::new() };
    Options {
        timeout: Duration::from_secs(10),
        start_lines: script(),
        end_lines: script(),
        on_stop: script(),
        plotter,
    }
}

struct Desk {
    driver: Box<dyn Driver>,
    kind: Kind,
    now: Duration,
    open: bool,
    latched: bool,
    starts: usize,
    questions: usize,
    ends: usize,
    answers: usize,
}

impl Desk {
    fn ask(&mut self, command: Command) {
        self.starts += usize::from(matches!(command, Command::Start(_)));
        let asks =
            matches!(command, Command::Send(_) | Command::Home | Command::Unlock | Command::Jog(_));
        self.questions += usize::from(asks);
        self.latched &= command != Command::ClearEstop;
        self.driver.command(command, self.now);
    }

    fn estop(&mut self) {
        self.driver.command(Command::Estop, self.now);
        let mut out = Vec::new();
        self.driver.transmit(&mut out);
        let token = self.kind.estop;
        let sent = out[..out.len().min(64)].windows(token.len()).any(|part| part == token);
        let confirmed = self.events().contains(&Event::EstopConfirmed);
        let out = String::from_utf8_lossy(&out);
        assert!(!self.open || self.latched || sent || confirmed, "no stop: {out:?}");
        self.latched = true;
    }

    fn events(&mut self) -> Vec<Event> {
        let events: Vec<Event> = std::iter::from_fn(|| self.driver.event()).collect();
        let count = |is: fn(&Event) -> bool| events.iter().filter(|event| is(event)).count();
        self.ends += count(|event| matches!(event, Event::Ended(_)));
        self.answers += count(|event| matches!(event, Event::Answered(_)));
        for event in &events {
            let finite = match event {
                Event::Position(Some(at), _) => [at.x, at.y, at.z].into_iter().all(f64::is_finite),
                Event::Temperatures(all) => {
                    all.iter().all(|it| it.celsius.is_finite() && it.target.is_finite())
                }
                _ => true,
            };
            assert!(finite, "{event:?} is no place and no temperature");
        }
        events
    }

    /// What holds after each step.
    fn look(&mut self) {
        self.events();
        let mut out = Vec::new();
        self.driver.transmit(&mut out);
        assert!(out.len() <= 65_536, "{} bytes at once", out.len());
        assert!(self.ends <= self.starts, "a job ended twice");
        assert!(self.answers <= self.questions, "a question was answered twice");
        let out = String::from_utf8_lossy(&out);
        let over = self.ends == self.starts;
        assert!(!(over && out.contains(MARK)), "the file goes on after its job: {out:?}");
    }

    /// Time passes until the driver wants to be called; it then wants time to pass.
    fn wait(&mut self) {
        let Some(at) = self.driver.deadline() else { return };
        self.now = self.now.max(at);
        for _ in 0..20 {
            self.driver.tick(self.now);
            self.look();
            if self.driver.deadline().is_none_or(|next| next > self.now) {
                return;
            }
        }
        panic!("it is {:?}, and it asks for {:?} for ever", self.now, self.driver.deadline());
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Plug if !self.open => {
                self.open = true;
                self.driver.opened(self.now);
            }
            Step::Unplug if self.open => {
                self.open = false;
                self.driver.closed("unplugged", self.now);
            }
            Step::Say(bytes) if self.open => self.driver.receive(bytes, self.now),
            Step::Word(number) if self.open => {
                let word = self.kind.words[usize::from(*number) % self.kind.words.len()];
                self.driver.receive(word.as_bytes(), self.now);
                self.driver.receive(b"\r\n", self.now);
            }
            Step::Supply(count) => {
                for _ in 0..*count {
                    if self.driver.wants_file() {
                        self.driver.supply(self.kind.line, self.now);
                    }
                }
            }
            Step::EndOfFile if self.driver.wants_file() => self.driver.end_of_file(self.now),
            Step::Start { preamble, skip, stops } => {
                let stop = |(line, instead): &(u8, bool)| StopPoint {
                    line: u64::from(*line),
                    instead: *instead,
                    message: "change the pen".to_owned(),
                    layer_end: (!*instead).then_some(u64::from(*line) + 5),
                };
                let mut stops: Vec<StopPoint> = stops.iter().map(stop).collect();
                stops.sort_by_key(|stop| stop.line);
                let preamble = preamble.then(|| vec!["PU".to_owned(), "G0 X1".to_owned()]);
                self.ask(Command::Start(Start { preamble, skip: u64::from(*skip), stops }));
            }
            Step::Pause => self.ask(Command::Pause),
            Step::Resume => self.ask(Command::Resume),
            Step::SkipLayer => self.ask(Command::SkipLayer),
            Step::Cancel => self.ask(Command::Cancel),
            Step::Interrupt => self.ask(Command::Interrupt("test".to_owned())),
            Step::FileFailed => self.ask(Command::FileFailed("test".to_owned())),
            Step::Send(line) => {
                let line = String::from_utf8_lossy(line).replace(MARK, "M114");
                self.ask(Command::Send(line));
            }
            Step::Home => self.ask(Command::Home),
            Step::Unlock => self.ask(Command::Unlock),
            Step::Jog(x, y, z) => {
                let [x, y, z] = [x, y, z].map(|axis| f64::from(*axis));
                self.ask(Command::Jog(Jog { x, y, z, feed: 600.0 }));
            }
            Step::StopJog => self.ask(Command::StopJog),
            Step::Estop => self.estop(),
            Step::ClearEstop => self.ask(Command::ClearEstop),
            Step::Pass(ms) => self.now += Duration::from_millis(u64::from(*ms)),
            Step::Wait => self.wait(),
            _ => {}
        }
        self.look();
    }
}

fuzz_target!(|talk: Talk| {
    let name = driver(talk.driver);
    let mut desk = Desk {
        driver: drivers::create(name, options(&talk)).unwrap(),
        kind: kind(name),
        now: Duration::from_secs(1),
        open: false,
        latched: false,
        starts: 0,
        questions: 0,
        ends: 0,
        answers: 0,
    };
    talk.steps.iter().for_each(|step| desk.step(step));
    desk.driver.closed("unplugged", desk.now);
    desk.look();
    assert_eq!(desk.ends, desk.starts, "each job ends once");
    assert_eq!(desk.answers, desk.questions, "each question is answered once");
});
