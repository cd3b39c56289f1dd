//! A job: prepared, fed command by command, held, ended.
//!
//! A pause waits for the next place where the pen is up, but no longer than a person does; then the
//! job stands between two commands, and the pen is raised there and lowered again where it stood.

use std::{collections::VecDeque, time::Duration};

use super::{Asker, Ebb, End, Event, Feed, Halt, Origin, Phase, Start, Status, Why};
use crate::{
    drivers::feed::Next,
    toolpath::{Dialect, ebb::Interpreter},
};

/// Longer commands must not have another one stuck behind them.
const LONG: f64 = 0.3;

/// How long a pause waits for the pen to be up.
const PEN_PATIENCE: Duration = Duration::from_secs(3);

/// Characters of a command, at most.
const LONGEST: usize = 255;

/// How fast the carriage goes to the origin, in steps a second of a motor.
pub(super) const HOMING: u32 = 4000;

/// A job on the machine.
pub(super) struct Job {
    pub(super) feed: Feed,
    stage: Stage,
    pause: Pause,
    /// Commands of the driver itself that go before anything else.
    todo: VecDeque<String>,
    /// Follows what has been sent, for the state of the pen.
    pen: Interpreter,
    /// How many more commands have to wait until the queue is empty.
    long: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    /// The pen goes up.
    Raise,
    /// The carriage goes to the origin; then the motors are set up.
    Origin,
    /// The file and the scripts around it.
    Feed,
    /// The pen is raised, then everything must be done.
    Finish,
    /// The motors are switched off.
    Off,
}

/// Whether the job is held still.
#[derive(Clone, Debug, PartialEq)]
enum Pause {
    No,
    /// Waits for a good place, then for standstill.
    Wanted {
        since: Duration,
        why: Halt,
        /// Going on has been asked for meanwhile.
        resume: bool,
        raised: bool,
    },
    /// Stands; at a stop of the file or not.
    Held {
        at_stop: bool,
    },
    /// The pen goes down again.
    Lowering,
}

impl Job {
    fn new(start: Start, pen: Interpreter, raise: String) -> Self {
        Self {
            feed: Feed::new(start, Dialect::Ebb),
            stage: Stage::Raise,
            pause: Pause::No,
            todo: VecDeque::from([raise]),
            pen,
            long: 0,
        }
    }

    pub(super) fn is_held(&self) -> bool {
        matches!(self.pause, Pause::Held { .. })
    }

    /// True while the end, a standstill or an empty queue is awaited.
    pub(super) fn is_waiting(&self) -> bool {
        match self.pause {
            Pause::Held { .. } => false,
            Pause::Wanted { .. } | Pause::Lowering => true,
            Pause::No => self.stage != Stage::Feed || self.long > 0 || self.feed.is_at_stop(),
        }
    }

    /// When a pause is out of patience.
    pub(super) fn deadline(&self) -> Option<Duration> {
        match self.pause {
            Pause::Wanted { since, .. } => Some(since + PEN_PATIENCE),
            _ => None,
        }
    }
}

/// Refuses what the board would not read, and what would put it out of step with this driver.
pub(super) fn check(line: &[u8]) -> Result<(), String> {
    if line.len() > LONGEST {
        let length = line.len();
        return Err(format!("the command has {length} characters, the machine takes at most 255"));
    }
    let text = String::from_utf8_lossy(line).to_ascii_uppercase();
    let (name, rest) = text.split_once(',').unwrap_or((&text, ""));
    let option = rest.split(',').next().unwrap_or("");
    let forbidden = match name {
        "CU" => matches!(option, "1" | "10" | "54") || option.starts_with("25"),
        "R" | "RB" | "BL" => true,
        _ => false,
    };
    if forbidden {
        return Err(format!("{text} would change how the machine answers, or restart it"));
    }
    Ok(())
}

impl Ebb {
    pub(super) fn start(&mut self, start: Start) {
        let refusal = match &self.phase {
            _ if self.latched => Some("the emergency stop has not been cleared"),
            Phase::Ready if self.machine.powered == Some(false) => {
                Some("the motors have no power: plug in the supply")
            }
            Phase::Ready if self.machine.status.is_some_and(Status::limit) => {
                Some("a limit switch has closed")
            }
            Phase::Ready => None,
            Phase::Running(_) => Some("another job is on the machine"),
            Phase::Closed | Phase::Greeting { .. } | Phase::Setup(_) | Phase::Useless(_) => {
                Some("the machine is not connected")
            }
            _ => Some("the machine is busy"),
        };
        // A job that is running keeps its own facts: they are not this one's.
        if let Some(reason) = refusal {
            let reason = format!("nothing was sent: {reason}");
            return self.ended(End::Interrupted { reason, position_known: true });
        }
        self.checkpoint = super::Checkpoint::after(start.skip);
        self.since_idle = 0;
        self.machine.status = None;
        let pen = Interpreter::new(self.axes);
        self.phase = Phase::Running(Box::new(Job::new(start, pen, self.pen_up())));
    }

    pub(super) fn pump_job(&mut self) {
        let idle = self.is_idle();
        let Phase::Running(job) = &mut self.phase else { return };
        if let Some(command) = job.todo.pop_front() {
            return self.ask(command.as_bytes(), Asker::Script);
        }
        match (&job.pause, job.stage) {
            (Pause::Lowering, _) if idle => self.go_on(),
            (Pause::Held { .. } | Pause::Lowering, _) => {}
            (Pause::Wanted { since, .. }, Stage::Feed) => {
                let goes_on = !job.pen.pen_up() && self.now < *since + PEN_PATIENCE;
                if !(goes_on && self.feed()) && self.is_idle() {
                    self.stand();
                }
            }
            (_, Stage::Raise) if idle => {
                job.stage = Stage::Origin;
                // Wherever it is by now, a job begins at the origin.
                let moved = self.machine.motors_on && self.machine.steps != Some([0; 2]);
                if moved {
                    job.todo.push_back(format!("HM,{HOMING}"));
                }
                self.pump_job();
            }
            (_, Stage::Origin) if idle => {
                job.stage = Stage::Feed;
                // On, at sixteenth steps: another program may have left another mode.
                job.todo.push_back("EM,1,1".to_owned());
                self.pump_job();
            }
            (Pause::No, Stage::Feed) => {
                self.feed();
            }
            (_, Stage::Finish) if idle => {
                job.stage = Stage::Off;
                job.todo.push_back("EM,0,0".to_owned());
                self.pump_job();
            }
            (_, Stage::Off) if idle => {
                self.phase = Phase::Ready;
                self.ended(End::Completed);
            }
            _ => {}
        }
    }

    /// Sends the next line of the job; false if there is none now.
    fn feed(&mut self) -> bool {
        let idle = self.is_idle();
        let Phase::Running(job) = &mut self.phase else { return false };
        let next = job.feed.next(&self.options);
        if let Some((lines, number)) = job.feed.passed() {
            self.checkpoint.pass(lines, number);
        }
        let origin = match next {
            Next::Line(origin) => origin,
            Next::Wait => return false,
            Next::Stop(message) => {
                if job.pause == Pause::No && idle {
                    self.hold_at_stop(message);
                }
                return false;
            }
            Next::Fail(line, message) => {
                self.cannot_send(Why::Failed { line: Some(line), message });
                return true;
            }
            Next::End => {
                if job.pause == Pause::No {
                    job.stage = Stage::Finish;
                    if !job.pen.pen_up() {
                        let raise = self.pen_up();
                        self.todo(raise);
                    }
                    self.pump_job();
                }
                return false;
            }
        };
        if let Err(message) = check(job.feed.line()) {
            self.cannot_send(match origin {
                Origin::File(line) => Why::Failed { line: Some(line), message },
                Origin::Script(name, index) => {
                    Why::Failed { line: None, message: format!("{name} {}: {message}", index + 1) }
                }
                Origin::Console => Why::Failed { line: None, message },
            });
            return true;
        }
        if job.long > 0 {
            match self.machine.status {
                // The queue is empty: what comes now finds room.
                Some(status) if !status.waits() => job.long -= 1,
                _ => return true,
            }
        }
        let line = job.feed.line().to_vec();
        job.feed.take();
        let motion = job.pen.line(&line);
        let seconds = motion.dwell_seconds + motion.segment.map_or(0.0, |segment| segment.seconds);
        if seconds > LONG || line.starts_with(b"HM") || line.starts_with(b"hm") {
            job.long = self.machine.depth + 1;
        }
        if let Origin::File(number) = origin {
            self.checkpoint.lines_sent += 1;
            self.checkpoint.sent_line = number;
        }
        self.ask(&line, Asker::Feed(origin));
        true
    }

    fn todo(&mut self, command: String) {
        if let Phase::Running(job) = &mut self.phase {
            job.todo.push_back(command);
        }
    }

    fn cannot_send(&mut self, why: Why) {
        self.say(Event::Fault(why.to_string()));
        self.stop(why);
    }

    pub(super) fn acknowledged(&mut self, origin: Origin) {
        if let Origin::File(number) = origin {
            self.checkpoint.lines_acknowledged += 1;
            self.checkpoint.acknowledged_line = number;
            self.since_idle += 1;
        }
    }

    /// Notes what the machine may have held when the job was torn from it.
    pub(super) fn note_held(&mut self) {
        if matches!(self.phase, Phase::Running(_)) {
            self.checkpoint = super::Driver::checkpoint(self);
        }
    }

    pub(super) fn pause(&mut self, why: Halt) {
        let Phase::Running(job) = &mut self.phase else { return };
        match &mut job.pause {
            Pause::Wanted { resume, .. } => *resume = false,
            Pause::Held { .. } => {}
            // A job that is all sent ends by itself, and soon.
            Pause::No | Pause::Lowering if matches!(job.stage, Stage::Finish | Stage::Off) => {}
            Pause::No | Pause::Lowering => {
                let since = self.now;
                job.pause = Pause::Wanted { since, why, resume: false, raised: false };
            }
        }
    }

    /// Everything that was sent is done: the pen goes up, then the job is held.
    fn stand(&mut self) {
        let raise = self.pen_up();
        let Phase::Running(job) = &mut self.phase else { return };
        let Pause::Wanted { why, resume, raised, .. } = &mut job.pause else { return };
        if !job.pen.pen_up() && !*raised {
            *raised = true;
            job.todo.push_back(raise);
            return self.pump_job();
        }
        let (why, resume) = (why.clone(), *resume);
        job.pause = Pause::Held { at_stop: job.feed.is_at_stop() };
        let why = match job.feed.next(&self.options) {
            Next::Stop(message) => Halt::Stop(message),
            _ => why,
        };
        self.say(Event::Paused(why));
        if resume {
            self.resume();
        }
    }

    fn hold_at_stop(&mut self, message: String) {
        let raise = self.pen_up();
        let Phase::Running(job) = &mut self.phase else { return };
        if !job.pen.pen_up() {
            let since = self.now;
            let why = Halt::Stop(message);
            job.pause = Pause::Wanted { since, why, resume: false, raised: true };
            job.todo.push_back(raise);
            return self.pump_job();
        }
        job.pause = Pause::Held { at_stop: true };
        self.say(Event::Paused(Halt::Stop(message)));
    }

    pub(super) fn resume(&mut self) {
        let Phase::Running(job) = &mut self.phase else { return };
        match &mut job.pause {
            Pause::Wanted { resume, .. } => *resume = true,
            Pause::Held { at_stop } => {
                if *at_stop {
                    job.feed.pass();
                }
                self.lower();
            }
            Pause::No | Pause::Lowering => {}
        }
    }

    /// Leaves out the layer that begins at the stop that the job is at.
    pub(super) fn skip_layer(&mut self) {
        let Phase::Running(job) = &mut self.phase else { return };
        if job.pause == (Pause::Held { at_stop: true }) && job.feed.drop_layer() {
            self.go_on();
        }
    }

    /// Puts the pen down where it was, if it was.
    fn lower(&mut self) {
        let lower = self.pen_down();
        let Phase::Running(job) = &mut self.phase else { return };
        if job.pen.pen_up() {
            return self.go_on();
        }
        job.pause = Pause::Lowering;
        job.todo.push_back(lower);
        self.machine.status = None;
    }

    fn go_on(&mut self) {
        if let Phase::Running(job) = &mut self.phase {
            job.pause = Pause::No;
            self.say(Event::Resumed);
        }
    }

    pub(super) fn tick_job(&mut self) {
        let late = self.asked.front().filter(|asked| self.now >= asked.since + asked.patience);
        let Some(asked) = late else { return };
        let seconds = asked.patience.as_secs_f64();
        let reason = format!("the machine has acknowledged nothing for {seconds:.0} s");
        self.say(Event::Fault(reason.clone()));
        self.stop(Why::Interrupted(reason));
    }
}
