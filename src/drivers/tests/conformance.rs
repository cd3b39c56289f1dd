//! What every driver keeps, whatever its machine says and whatever is asked of it. A new driver has
//! a line in [`ALL`].

use std::time::Duration;

use super::bench::{Bench, options};
use crate::{
    domain::{Capability, DeviceStatus, Jog},
    drivers::{self, Command, Driver, End, Event, NAMES, Options, Plotter, Refused, Start},
    firmware::{Faults, simulate},
};

/// A driver under test.
struct One {
    name: &'static str,
    /// A line of a file in its language, with [`MARK`] in it, and one that goes back.
    line: &'static str,
    back: &'static str,
    /// What stops its machine in an emergency.
    estop: &'static [u8],
    /// What its machine says, well or not.
    words: &'static [&'static str],
}

/// Nothing but a file's line has it.
const MARK: &str = "9871";

const ALL: [One; 5] = [
    One {
        name: "ebb",
        line: "SM,9871,20,20\n",
        back: "SM,9871,-20,-20\n",
        estop: b"ES",
        words: &[
            "OK",
            "QM,0,0,0,0",
            "QG,00",
            "1",
            "!8 Err",
            "EBBv13_and_above EB Firmware Version 2.8.1",
        ],
    },
    One {
        name: "grbl",
        line: "G1 X1.9871 F600\n",
        back: "G1 X0 F600\n",
        estop: b"\x18",
        words: &[
            "ok",
            "error:20",
            "ALARM:1",
            "Grbl 1.1h ['$' for help]",
            "<Idle|MPos:0.000,0.000,0.000|Bf:15,128>",
            "<Hold:0|MPos:0.000,0.000,0.000>",
            "[VER:1.1h.20190825:]",
            "[OPT:V,15,128]",
        ],
    },
    One {
        name: "hpgl",
        line: "PD9871,40;\n",
        back: "PD0,40;\n",
        estop: b"\x1b.K",
        words: &["0", "255", "1024", "7475A", "24", "0,0,0", "-1", "99999999999999999999"],
    },
    One {
        name: "line",
        line: "G1 X1.9871 F600\n",
        back: "G1 X0 F600\n",
        estop: b"!",
        words: &["ok", "error: no", "line machine ready", "busy", "hello"],
    },
    One {
        name: "marlin",
        line: "G1 X1.9871 F600\n",
        back: "G1 X0 F600\n",
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
];

impl One {
    fn driver(&self) -> Box<dyn Driver> {
        let mut plotter = Plotter::default();
        plotter.line.halt = vec!["!".to_owned()];
        drivers::create(self.name, Options { plotter, ..options() }).unwrap()
    }
}

/// Dice that fall the same way each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit).unwrap()).unwrap()
    }

    fn command(&mut self) -> Command {
        match self.below(14) {
            0 => Command::Pause,
            1 => Command::Resume,
            2 => Command::SkipLayer,
            3 => Command::Cancel,
            4 => Command::Interrupt("test".to_owned()),
            5 => Command::FileFailed("test".to_owned()),
            6 => Command::Send("M114".to_owned()),
            7 => Command::Home,
            8 => Command::Unlock,
            9 => Command::Jog(Jog { x: 1.0, y: 0.0, z: 0.0, feed: 600.0 }),
            10 => Command::StopJog,
            11 => Command::ClearEstop,
            _ => Command::Start(Start::default()),
        }
    }

    /// Words of the machine, some cut or with noise in them, or noise alone.
    fn words(&mut self, words: &[&str]) -> Vec<u8> {
        let mut said = Vec::new();
        for _ in 0..=self.below(3) {
            let word = words[self.below(words.len())].as_bytes();
            match self.below(8) {
                0 => {
                    let noise = (0..self.below(20)).map(|_| u8::try_from(self.below(256)).unwrap());
                    said.extend(noise);
                }
                1 => said.extend_from_slice(&word[..self.below(word.len() + 1)]),
                _ => said.extend_from_slice(word),
            }
            said.extend_from_slice([&b"\r\n"[..], b"\n", b"\r", b"\n\r"][self.below(4)]);
        }
        said
    }
}

/// A driver, what it was asked and what it has said.
struct Talk<'a> {
    one: &'a One,
    driver: Box<dyn Driver>,
    now: Duration,
    open: bool,
    latched: bool,
    starts: usize,
    questions: usize,
    ends: usize,
    answers: usize,
    seed: u64,
}

impl Talk<'_> {
    fn command(&mut self, command: Command) {
        self.starts += usize::from(matches!(command, Command::Start(_)));
        let asks =
            matches!(command, Command::Send(_) | Command::Home | Command::Unlock | Command::Jog(_));
        self.questions += usize::from(asks);
        self.latched &= command != Command::ClearEstop;
        self.driver.command(command, self.now);
    }

    /// The emergency stop goes before everything else, unless the machine is stopped already.
    fn estop(&mut self) {
        self.look();
        self.driver.command(Command::Estop, self.now);
        let mut out = Vec::new();
        self.driver.transmit(&mut out);
        let token = self.one.estop;
        let sent = out[..out.len().min(64)].windows(token.len()).any(|part| part == token);
        let confirmed = self.events().contains(&Event::EstopConfirmed);
        let name = self.one.name;
        assert!(
            !self.open || self.latched || sent || confirmed,
            "{name} {}: {:?}",
            self.seed,
            String::from_utf8_lossy(&out)
        );
        self.latched = true;
    }

    fn events(&mut self) -> Vec<Event> {
        let events: Vec<Event> = std::iter::from_fn(|| self.driver.event()).collect();
        let count = |is: fn(&Event) -> bool| events.iter().filter(|event| is(event)).count();
        self.ends += count(|event| matches!(event, Event::Ended(_)));
        self.answers += count(|event| matches!(event, Event::Answered(_)));
        events
    }

    /// What holds after each step.
    fn look(&mut self) {
        let (name, seed) = (self.one.name, self.seed);
        self.events();
        let mut out = Vec::new();
        self.driver.transmit(&mut out);
        assert!(out.len() <= 65_536, "{name} {seed}: {} bytes at once", out.len());
        assert!(self.ends <= self.starts, "{name} {seed}: a job ended twice");
        assert!(self.answers <= self.questions, "{name} {seed}: a question was answered twice");
        let over = self.ends == self.starts;
        let marked = String::from_utf8_lossy(&out).contains(MARK);
        assert!(!(over && marked), "{name} {seed}: the file goes on after its job has ended");
    }

    fn step(&mut self, dice: &mut Dice) {
        match dice.below(12) {
            0 if self.open => {
                self.driver.closed("unplugged", self.now);
                self.open = false;
            }
            0 | 1 if !self.open => {
                self.driver.opened(self.now);
                self.open = true;
            }
            1 | 2 => {
                let command = dice.command();
                self.command(command);
            }
            3 if dice.below(4) == 0 => self.estop(),
            4 | 5 => {
                while self.driver.wants_file() && dice.below(4) > 0 {
                    self.driver.supply(self.one.line.as_bytes(), self.now);
                }
                if self.driver.wants_file() && dice.below(6) == 0 {
                    self.driver.end_of_file(self.now);
                }
            }
            6 | 7 => self.wait(),
            _ if self.open => {
                let said = dice.words(self.one.words);
                self.driver.receive(&said, self.now);
            }
            _ => {}
        }
        self.now += Duration::from_millis(u64::try_from(dice.below(300)).unwrap());
        self.look();
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
        let (name, seed, at) = (self.one.name, self.seed, self.driver.deadline());
        panic!("{name} {seed}: it is {:?} and it asks for {at:?} for ever", self.now);
    }
}

fn converse(one: &One, seed: u64) {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut talk = Talk {
        one,
        driver: one.driver(),
        now: Duration::from_secs(1),
        open: false,
        latched: false,
        starts: 0,
        questions: 0,
        ends: 0,
        answers: 0,
        seed,
    };
    for _ in 0..60 {
        talk.step(&mut dice);
    }
    talk.driver.closed("unplugged", talk.now);
    talk.look();
    let name = one.name;
    assert_eq!(talk.ends, talk.starts, "{name} {seed}: each job ends once");
    assert_eq!(talk.answers, talk.questions, "{name} {seed}: each question is answered once");
}

#[test]
fn no_driver_is_left_out() {
    assert_eq!(ALL.map(|one| one.name), NAMES);
}

/// Ten thousand conversations with machines that say anything, in which people ask for anything.
#[test]
fn jobs_end_once_and_nothing_of_them_is_sent_afterwards_whatever_is_said() {
    for one in &ALL {
        (1..=2000).for_each(|seed| converse(one, seed));
    }
}

/// The same with machines that mean well: a job is done, another is stopped, and it is idle again.
#[test]
fn every_driver_drives_the_firmware_of_its_name() {
    for one in &ALL {
        let machine = simulate(one.name, 1.0, Faults::default()).unwrap();
        let mut bench = Bench::new(one.driver(), machine, 7);
        bench.until_idle();
        bench.run(one.line);
        let end = bench.end();
        assert!(matches!(end, End::Completed), "{}: {end:?} {bench:?}", one.name);
        bench.until_idle();
        bench.events.clear();
        bench.run(&format!("{}{}", one.line, one.back).repeat(200));
        bench.pass(Duration::from_millis(500));
        bench.command(Command::Cancel);
        assert_eq!(bench.end(), End::Cancelled, "{}: {bench:?}", one.name);
        bench.until_idle();
        assert_eq!(bench.status(), Some(DeviceStatus::Idle));
    }
}

/// What people are offered is what works, and what works is offered.
#[test]
fn a_machine_can_do_what_its_driver_says_it_can() {
    let jog = Jog { x: 1.0, ..Jog::default() };
    for one in &ALL {
        let can = drivers::capabilities(one.name);
        for (wanted, command) in [
            (Capability::Home, Command::Home),
            (Capability::Unlock, Command::Unlock),
            (Capability::Jog, Command::Jog(jog)),
        ] {
            let machine = simulate(one.name, 1.0, Faults::default()).unwrap();
            let mut bench = Bench::new(one.driver(), machine, 7);
            bench.until_idle();
            bench.events.clear();
            bench.command(command);
            let answer = |bench: &Bench| {
                bench.events.iter().find_map(|event| match event {
                    Event::Answered(answer) => Some(answer.clone()),
                    _ => None,
                })
            };
            bench.until("it answers", |bench| answer(bench).is_some());
            let refused = matches!(answer(&bench), Some(Err(Refused::Line(_))));
            // A plotter without a lock has nothing against being unlocked.
            let harmless = wanted == Capability::Unlock && one.name == "hpgl";
            assert_eq!(can.contains(&wanted) || harmless, !refused, "{} {wanted:?}", one.name);
        }
    }
}
