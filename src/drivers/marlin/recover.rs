//! Lines that got lost, answers that got lost, machines that say nothing any more.
//!
//! There is one cure for all of it. The wire is left to come to rest: what is said meanwhile answers
//! lines that are sent again anyway. Then what is in doubt is sent again, and the machine refuses
//! what it has had by asking for the line after that.

use std::time::Duration;

use super::{Event, Machine, Marlin, Phase, Tag, Why, window::Rewound};
use crate::toolpath::gcode::Words;

/// A wire on which nothing was said for so long is at rest. Older firmware says `ok` after a
/// request to send again, once or twice; that comes at once.
const QUIET: Duration = Duration::from_millis(100);
/// However much is said.
const QUIET_LONGEST: Duration = Duration::from_secs(1);

/// A line that is not answered for so long is asked after: a machine that says when it is busy says
/// so every two seconds.
const PROBE: Duration = Duration::from_secs(5);
/// How often that is done without an answer.
const PROBES: u32 = 3;

/// `wait` may be said while a line is on its way.
const CROSSING: Duration = Duration::from_millis(500);

/// An error is the machine's last word on a line unless a request to send again follows.
const LAST_WORD: Duration = Duration::from_secs(1);

/// Lines that are asked for again, of all that are sent: above that (one in ten) a wire is broken.
const MOST_SHARE: u64 = 10;
/// The first ones, and the same one again and again.
const MOST_AT_FIRST: u64 = 10;
const MOST_REPEATS: u32 = 20;

/// What is being done about it.
#[derive(Debug, Default)]
pub(super) struct Recovery {
    /// Since when the wire is left alone, and since when it is quiet.
    quiet: Option<(Duration, Duration)>,
    /// When it was last asked after a line, and how often.
    probed: Duration,
    probes: u32,
}

impl Recovery {
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet.is_some()
    }

    /// Leaves the wire alone from now on.
    pub(super) fn listen(&mut self, now: Duration) {
        let (began, _) = self.quiet.unwrap_or((now, now));
        self.quiet = Some((began, now));
    }

    /// Something was said on it.
    pub(super) fn hear(&mut self, now: Duration) {
        if let Some((_, since)) = &mut self.quiet {
            *since = now;
        }
    }

    /// When it has been left alone for long enough.
    pub(super) fn until(&self) -> Option<Duration> {
        self.quiet.map(|(began, since)| (since + QUIET).min(began + QUIET_LONGEST))
    }

    /// A line was answered, or will be.
    pub(super) fn progress(&mut self) {
        self.probes = 0;
    }
}

impl Marlin {
    pub(super) fn hear_resend(&mut self, number: u64) {
        match &self.phase {
            Phase::Closed
            | Phase::Greeting { .. }
            | Phase::Identifying { .. }
            | Phase::Estop { .. }
            | Phase::Halted(_) => return,
            Phase::Stopping(stop) if stop.is_halting() => return,
            _ => {}
        }
        self.machine.error = None;
        // Lines that were under way behind one that got lost are refused too.
        let follows = self.recovery.is_quiet();
        self.recovery.listen(self.now);
        let (taken_back, acknowledged) = match self.window.rewind_to(number) {
            Rewound::To { taken_back, acknowledged } => (taken_back, acknowledged),
            Rewound::Unknown => return self.out_of_step(number),
        };
        let tags = (0..acknowledged).rev().filter_map(|back| self.window.acknowledged_tag(back));
        for tag in tags.collect::<Vec<_>>() {
            if let Tag::File(line) = tag {
                self.count_acknowledged(line);
            }
        }
        self.take_back(taken_back);
        if matches!(&self.phase, Phase::Console(_)) && !self.window.has(Tag::Console) {
            self.console_done();
        }
        if !follows && acknowledged == 0 {
            self.chat(&format!("line {number} was asked for again"));
        }
        match &mut self.phase {
            Phase::Stopping(_) => self.refused_while_stopping(false),
            // A machine that has more than it acknowledged lacks nothing.
            Phase::Running(job) if !follows && acknowledged == 0 => {
                let sent = self.checkpoint.lines_sent;
                let (resends, repeats) = job.count_resend(number);
                let many = resends > MOST_AT_FIRST && resends * MOST_SHARE > sent;
                if many || repeats > MOST_REPEATS {
                    let reason = format!(
                        "the machine asked for lines again {resends} times in {sent}: check the \
                         cable and the baud rate"
                    );
                    self.say(Event::Fault(reason.clone()));
                    self.stop(Why::Interrupted(reason));
                }
            }
            _ => {}
        }
    }

    /// It asks for a line that it cannot want: it has begun to count anew, or was misheard.
    fn out_of_step(&mut self, number: u64) {
        match &self.phase {
            Phase::Running(_) => {
                let reason = format!(
                    "the machine asks for line {number}, which is not one of the last: it was reset"
                );
                self.say(Event::Fault(reason.clone()));
                self.stop(Why::Interrupted(reason));
                self.lose_position();
            }
            Phase::Stopping(_) => self.refused_while_stopping(true),
            Phase::Console(_) => self.console_late(self.options.timeout),
            _ => self.greet_again(),
        }
    }

    fn take_back(&mut self, lines: usize) {
        let of_file = |tag: &Tag| matches!(tag, Tag::File(_));
        let back = self.window.pending_tags().take(lines).filter(of_file).count() as u64;
        if back > 0 {
            self.checkpoint.lines_acknowledged -= back.min(self.checkpoint.lines_acknowledged);
            self.since_rest = self.since_rest.saturating_sub(back);
            let before = (0..).map_while(|back| self.window.acknowledged_tag(back));
            let last = before.filter(of_file).find_map(|tag| match tag {
                Tag::File(number) => Some(number),
                _ => None,
            });
            self.checkpoint.acknowledged_line = last.unwrap_or(0);
        }
    }

    /// What is under way, or its answer, is lost.
    pub(super) fn send_all_again(&mut self) {
        self.window.rewind();
        self.recovery.listen(self.now);
        if matches!(&self.phase, Phase::Console(_)) && !self.window.has(Tag::Console) {
            self.console_done();
        }
    }

    pub(super) fn hear_wait(&mut self) {
        let halting = matches!(&self.phase, Phase::Stopping(stop) if stop.is_halting());
        if self.window.has_under_way()
            && !halting
            && !self.recovery.is_quiet()
            && !matches!(self.phase, Phase::Identifying { .. })
            && self.now >= self.machine.moved + CROSSING
        {
            self.send_all_again();
        }
    }

    pub(super) fn tick_recovery(&mut self) {
        if self.recovery.until().is_some_and(|at| self.now >= at) {
            self.recovery.quiet = None;
            self.machine.moved = self.now;
        }
    }

    fn patience(&self) -> Duration {
        let slow = self.window.front().map_or(Duration::ZERO, |(_, line)| slow(line));
        self.options.timeout.saturating_add(slow)
    }

    fn probes_at(&self) -> Option<Duration> {
        let pause = PROBE.min(self.options.timeout / 3);
        let since = self.machine.moved.max(self.recovery.probed);
        (self.recovery.probes < PROBES).then_some(since + pause)
    }

    /// When a machine counts as gone: it says nothing at all, or it says when it is busy, and does
    /// not.
    fn gone_at(&self) -> Duration {
        let Machine { heard, moved, says_busy, .. } = &self.machine;
        let sign = if *says_busy { *moved } else { (*heard).max(*moved) };
        sign + self.patience()
    }

    /// When what is under way is looked after next.
    pub(super) fn watch_at(&self) -> Option<Duration> {
        let stop = self.stop_watch_at();
        let error = self.machine.error.as_ref().map(|(_, at)| *at + LAST_WORD);
        let under_way = self.window.has_under_way() && !self.recovery.is_quiet();
        // A stop has a time of its own.
        let stops = matches!(self.phase, Phase::Stopping(_));
        let gone = (!stops).then(|| self.gone_at());
        let line = [self.probes_at(), gone].into_iter().flatten().min().filter(|_| under_way);
        [stop, error, line].into_iter().flatten().min()
    }

    pub(super) fn tick_under_way(&mut self) {
        if matches!(self.phase, Phase::Stopping(_)) {
            self.tick_stop();
        }
        if let Some((message, at)) = self.machine.error.clone()
            && self.now >= at + LAST_WORD
        {
            self.machine.error = None;
            self.line_failed(&message);
        }
        if !self.window.has_under_way() || self.recovery.is_quiet() {
            return;
        }
        if self.now >= self.gone_at() && !matches!(self.phase, Phase::Stopping(_)) {
            return self.gone();
        }
        if self.probes_at().is_some_and(|at| self.now >= at) {
            self.recovery.probed = self.now;
            self.recovery.probes += 1;
            if self.window.admits_probe() {
                if self.window.fits(self.window.length(b"M105")) {
                    self.send_line(b"M105", Tag::Probe);
                }
            } else if !matches!(self.phase, Phase::Stopping(_)) {
                self.send_all_again();
            }
        }
    }

    fn gone(&mut self) {
        let patience = self.patience();
        match &self.phase {
            Phase::Running(_) => {
                let seconds = patience.as_secs_f64();
                let reason = if self.now < self.machine.heard + patience {
                    format!("the machine has acknowledged nothing for {seconds} s")
                } else {
                    format!("the machine has not answered for {seconds} s")
                };
                self.say(Event::Fault(reason.clone()));
                self.stop(Why::Interrupted(reason));
            }
            Phase::Console(_) => self.console_late(patience),
            Phase::Ready => self.greet_again(),
            _ => {}
        }
    }
}

/// What is planned may take that long to be carried out, where no line says how long.
const MOTION: Duration = Duration::from_mins(5);

/// Lines that take long, perhaps without any sign of life: dwells, homing, heating, people, and what
/// waits for the motion before it.
fn slow(line: &[u8]) -> Duration {
    let words: Vec<(u8, f64)> = Words::new(line).flatten().collect();
    let value = |letter: u8| words.iter().find(|(known, _)| *known == letter).map(|word| word.1);
    let is = |letter: u8, number: f64| words.contains(&(letter, number));
    if is(b'G', 4.0) {
        let milliseconds = value(b'P').map_or(0.0, |value| value / 1000.0);
        let seconds = value(b'S').unwrap_or(milliseconds);
        return Duration::try_from_secs_f64(seconds).unwrap_or_default().saturating_add(MOTION);
    }
    let waits = [3.0, 4.0, 5.0, 400.0].iter().any(|number| is(b'M', *number));
    if is(b'G', 28.0) || is(b'G', 29.0) || waits {
        return MOTION;
    }
    if [109.0, 190.0, 191.0, 303.0].iter().any(|number| is(b'M', *number)) {
        return Duration::from_mins(20);
    }
    if [0.0, 1.0, 600.0].iter().any(|number| is(b'M', *number)) {
        return Duration::from_hours(24);
    }
    Duration::ZERO
}
