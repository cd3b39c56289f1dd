//! What each line makes the machine do.

use super::{After, Marlin, Wait, heaters, modal};
use crate::firmware::words::{Word, value, words};

/// Commands that are taken and have no effect on what a simulated machine shows.
const IGNORED: [u32; 38] = [
    16, 17, 18, 21, 31, 42, 73, 75, 76, 77, 84, 85, 92, 106, 107, 111, 117, 120, 121, 145, 150,
    200, 201, 203, 204, 205, 211, 220, 221, 280, 300, 301, 304, 420, 500, 501, 503, 900,
];

impl Marlin {
    /// Begins with the first line of the queue.
    pub(super) fn execute(&mut self) {
        let Some(line) = self.queue.front().cloned() else { return };
        self.lines += 1;
        self.planner.drawing.lines += 1;
        let at = self.lines;
        if self.faults.silent_at_line == Some(at) {
            self.voice.silent = true;
        }
        if self.faults.reset_at_line == Some(at) {
            self.boot();
            return self.greet();
        }
        if let Some((_, number)) = self.faults.alarm_at_line.filter(|(line, _)| *line == at) {
            self.say(&format!("Error:Thermal Runaway, system stopped! Heater_ID: {number}"));
            return self.kill();
        }
        if let Some((_, number)) = self.faults.error_at_line.filter(|(line, _)| *line == at) {
            return self.say(&format!("Error:simulated error {number}"));
        }
        self.command(&line);
    }

    fn command(&mut self, line: &str) {
        let body = line.rsplit_once('*').map_or(line, |(body, _)| body).trim();
        let numbered = body.strip_prefix('N');
        let body = numbered.map_or(body, |rest| {
            rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-').trim_start()
        });
        let words = words(body);
        let code = body.as_bytes().first().filter(|byte| byte.is_ascii_alphabetic());
        let (Some(code), Some((letter, Some(number)))) = (code, words.first().copied()) else {
            return self.unknown(body);
        };
        debug_assert_eq!(code.to_ascii_uppercase(), letter, "words begin where the text does");
        match (letter, tenths(number)) {
            (b'G', number) => self.g(number, &words, body),
            (b'M', number) if number % 10 == 0 => self.m(number / 10, &words, body),
            (b'T', _) => {}
            _ => self.unknown(body),
        }
    }

    fn unknown(&mut self, body: &str) {
        self.say(&format!("echo:Unknown command: \"{body}\""));
    }

    fn g(&mut self, tenths: u32, words: &[Word], body: &str) {
        match tenths {
            0 | 10 | 20 | 30 => {
                self.modal.set_motion(u8::try_from(tenths / 10).unwrap_or(0));
                match self.modal.travel(words, self.planner.end()) {
                    Err(message) => self.say(&format!("echo:{message}")),
                    Ok(blocks) => {
                        let mut from = self.planner.end();
                        let blocks = blocks.into_iter().filter(|block| {
                            let empty = modal::is_empty(from, block);
                            from = block.to;
                            !empty
                        });
                        self.wait = Some(Wait::Blocks(blocks.collect()));
                    }
                }
            }
            40 => {
                let milliseconds = value(words, b'P').map_or(0.0, |value| value / 1000.0);
                let seconds = value(words, b'S').unwrap_or(milliseconds);
                self.wait = Some(Wait::Motion(After::Dwell(seconds)));
            }
            200 => self.modal.set_inches(true),
            210 => self.modal.set_inches(false),
            280 => self.wait = Some(Wait::Motion(After::Home(words.to_vec()))),
            900 => self.modal.set_relative(false),
            910 => self.modal.set_relative(true),
            920 => self.modal.set_position(words, self.planner.end()),
            100 | 110 | 170 | 290 => {}
            _ => self.unknown(body),
        }
    }

    fn m(&mut self, number: u32, words: &[Word], body: &str) {
        match number {
            0 | 1 => self.wait = Some(Wait::Motion(After::User)),
            3 | 4 => self.modal.set_spindle(true),
            5 => self.modal.set_spindle(false),
            82 => self.modal.set_filament_relative(false),
            83 => self.modal.set_filament_relative(true),
            104 | 109 | 140 | 190 => self.heat(number, words),
            105 => {
                let report = heaters::report(&self.tool, &self.bed);
                self.reply = Some(format!("ok {report}"));
            }
            108 | 110 | 112 => {}
            113 => {
                if let Some(seconds) = value(words, b'S') {
                    self.dialect.busy_every = seconds_of(seconds);
                }
            }
            114 => self.report_position(),
            115 => self.identify(),
            118 => {
                let text = body.get(4..).unwrap_or("").trim();
                let (prefix, text) = match text.strip_prefix("A1 ") {
                    Some(text) => ("//", text),
                    None => ("", text),
                };
                self.say(&format!("{prefix}{text}"));
            }
            155 if self.dialect.autoreport => {
                let every = seconds_of(value(words, b'S').unwrap_or(0.0));
                self.timers.report_every = every.unwrap_or_default();
                self.timers.report = every.map(|every| self.now + every);
            }
            400 => self.wait = Some(Wait::Motion(After::Nothing)),
            410 => {
                self.quick_stop();
                self.wait = Some(Wait::Motion(After::Nothing));
            }
            _ if IGNORED.contains(&number) => {}
            _ => self.unknown(body),
        }
    }

    fn heat(&mut self, number: u32, words: &[Word]) {
        let tool = matches!(number, 104 | 109);
        let cools = value(words, b'R').is_some();
        let target = value(words, b'S').or_else(|| value(words, b'R'));
        let heater = if tool { &mut self.tool } else { &mut self.bed };
        if let Some(target) = target {
            heater.target = target.max(0.0);
        }
        if self.speed <= 0.0 {
            heater.settle();
        }
        if matches!(number, 109 | 190) {
            self.wait = Some(Wait::Heat { tool, cools });
        }
    }

    fn report_position(&mut self) {
        let [x, y, z, e] = self.modal.logical(self.planner.end());
        let planned = format!("X:{x:.2} Y:{y:.2} Z:{z:.2} E:{e:.2}");
        let [x, y, z, _] = self.planner.position.map(|at| (at * 80.0).round());
        self.say(&format!("{planned} Count X:{x} Y:{y} Z:{z}"));
    }

    fn identify(&mut self) {
        self.say(
            "FIRMWARE_NAME:Marlin 2.1.2.1 (May 16 2023 12:00:00) \
             SOURCE_CODE_URL:github.com/MarlinFirmware/Marlin PROTOCOL_VERSION:1.0 \
             MACHINE_TYPE:3D Printer EXTRUDER_COUNT:1 UUID:cede2a2f-41a2-4748-9b12-c55c62f367ff",
        );
        let flag = u8::from;
        let (report, parser) = (self.dialect.autoreport, self.dialect.emergency_parser);
        self.say("Cap:SERIAL_XON_XOFF:0");
        self.say("Cap:EEPROM:0");
        self.say(&format!("Cap:AUTOREPORT_TEMP:{}", flag(report)));
        self.say(&format!("Cap:EMERGENCY_PARSER:{}", flag(parser)));
        self.say("Cap:PROMPT_SUPPORT:0");
    }
}

/// Numbers of words in tenths: G38.2 is 382.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
fn tenths(value: f64) -> u32 {
    (value * 10.0).round() as u32
}

fn seconds_of(seconds: f64) -> Option<std::time::Duration> {
    std::time::Duration::try_from_secs_f64(seconds).ok().filter(|every| !every.is_zero())
}
