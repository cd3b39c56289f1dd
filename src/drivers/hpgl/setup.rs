//! A machine of which nothing is known is told how to speak, and asked who it is.
//!
//! Whoever had the port before may have asked as well, and an answer does not say to which question:
//! nothing is asked before the line has been quiet.

use std::{collections::VecDeque, time::Duration};

use super::{Handshake, Hpgl, Machine, POLL_IDLE, Phase, Question, SMALLEST, wire};

/// Longer than an answer is under way, that of a slow wire and of an adapter included.
const QUIET: Duration = Duration::from_millis(200);

/// Setting up.
pub(super) struct Setup {
    since: Duration,
    /// How often it has been tried before in vain.
    pub(super) tries: u32,
    /// A question has been asked; before, it is only listened.
    asking: bool,
    /// The questions that are left.
    left: VecDeque<Question>,
}

impl Setup {
    /// How long an answer, or the quiet, may take.
    fn patience(&self) -> Duration {
        if self.tries < 3 { Duration::from_secs(2) } else { Duration::from_secs(10) }
    }

    /// When there is something to do, if the machine was heard last at `heard`.
    pub(super) fn deadline(&self, heard: Duration) -> Duration {
        let given_up = self.since + self.patience();
        if self.asking { given_up } else { given_up.min(heard.max(self.since) + QUIET) }
    }
}

impl Hpgl {
    /// Starts over with a machine of which nothing is known.
    pub(super) fn set_up(&mut self, tries: u32) {
        (self.asked, self.queued) = (None, None);
        let hpgl = &self.options.plotter.hpgl;
        let size = hpgl.buffer.unwrap_or(SMALLEST);
        self.machine = Machine { heard: self.machine.heard, size, ..Machine::default() };
        // On, if it is daisy-chained; whatever is left of another job is forgotten.
        self.out.extend_from_slice(b"\x1b.(");
        self.out.extend_from_slice(wire::ABORT);
        self.out.extend_from_slice(b"\x1b.R");
        self.out.extend_from_slice(wire::SET_TERMINATOR);
        match hpgl.handshake {
            Handshake::Poll => {}
            Handshake::XonXoff => self.out.extend_from_slice(b"\x1b.I81;;17:\x1b.N;19:"),
            Handshake::RtsCts => self.out.extend_from_slice(b"\x1b.@;1:"),
        }
        let mut left = VecDeque::from([Question::WireError, Question::Length, Question::Identity]);
        left.retain(|question| *question != Question::Length || hpgl.buffer.is_none());
        self.phase = Phase::Setup(Setup { since: self.now, tries, asking: false, left });
    }

    pub(super) fn next_of_setup(&mut self) {
        let Phase::Setup(setup) = &mut self.phase else { return };
        if let Some(question) = setup.left.pop_front() {
            (setup.since, setup.asking) = (self.now, true);
            return self.ask(question);
        }
        self.machine.credit = self.machine.size - super::MARGIN;
        self.phase = Phase::Ready;
        self.polled = self.now.saturating_sub(POLL_IDLE);
        self.put(b"PU;");
    }

    pub(super) fn tick_setup(&mut self) {
        let Phase::Setup(setup) = &self.phase else { return };
        if self.now < setup.deadline(self.machine.heard) {
            return;
        }
        if setup.asking {
            let tries = setup.tries.saturating_add(1);
            self.set_up(tries);
        } else {
            self.next_of_setup();
        }
    }
}
