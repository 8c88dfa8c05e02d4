//! What the command interpreter is doing, step by step.

use std::time::Instant;

use atmq_protocol::at::framing::Input;

use super::data::Asked;
use super::fault::Effect;
use super::{Modem, NOT_ALLOWED, OUTPUT_LIMIT};
use crate::lint::Attention;

/// What the command interpreter is doing.
pub(super) enum Phase {
    /// Waiting for a command.
    Idle,
    /// A command line is executed once the module has thought about it.
    Executing {
        due: Instant,
        line: Vec<u8>,
        fault: Option<Effect>,
        /// From when on a byte of the host aborts it, if one may.
        abort_from: Option<Instant>,
    },
    /// Data is asked for, and awaited.
    Prompted {
        asked: Asked,
        /// `None`: never.
        give_up: Option<Instant>,
    },
    /// The data is there, and is used once the module has thought about it.
    Taking {
        due: Instant,
        asked: Asked,
        data: Vec<u8>,
    },
    /// `OK` waits for the outcome of the command, which is reported.
    Reporting { give_up: Instant },
    /// The final result code waits for the outcome that it tells.
    Waiting { give_up: Instant },
    /// The module starts.
    Booting { due: Instant },
    /// The module has no power.
    Off,
}

impl Phase {
    pub(super) fn attention(&self) -> Attention {
        match self {
            Self::Idle | Self::Prompted { .. } => Attention::Listening,
            Self::Executing { .. }
            | Self::Taking { .. }
            | Self::Reporting { .. }
            | Self::Waiting { .. } => Attention::Executing,
            Self::Booting { .. } | Self::Off => Attention::Booting,
        }
    }
}

/// What the host has typed.
enum Typed {
    Nothing,
    /// Without `AT`: V.250 has a module pass it over in silence.
    Noise,
    /// A line that does not fit into the module's buffer.
    Overlong,
    Line(Vec<u8>),
}

impl Modem {
    /// Goes on until something has to be waited for.
    pub(super) fn drive(&mut self, now: Instant) {
        self.driven = now;
        self.arrive(now);
        self.lint.pass(now);
        self.announce_indicators(now);
        self.output.carry(now);
        while self.step(now) {
            self.output.carry(now);
        }
        self.output.carry(now);
    }

    /// Whether there may be more to do.
    fn step(&mut self, now: Instant) -> bool {
        match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Idle => {
                self.finish_search(now);
                self.finish_waking(now);
                if self.is_waking() {
                    return false;
                }
                if !self.asleep {
                    self.output.release(now);
                }
                let busy = self.read_command(now);
                if !busy {
                    self.fall_asleep(now);
                }
                return busy;
            }
            Phase::Executing {
                due, line, fault, ..
            } if due <= now => {
                self.execute_with(fault, &line, now);
            }
            Phase::Taking { due, asked, data } if due <= now => self.take_data(&asked, &data, now),
            Phase::Booting { due } if due <= now => {
                self.boot(now);
            }
            Phase::Prompted { asked, give_up } => return self.read_data(asked, give_up, now),
            Phase::Waiting { give_up } => return self.await_result(give_up, now),
            Phase::Reporting { give_up } => return self.await_outcome(give_up, now),
            waiting => {
                self.phase = waiting;
                return false;
            }
        }
        true
    }

    fn read_command(&mut self, now: Instant) -> bool {
        // Who does not take the answers gets no more of them.
        if self.output.not_carried() >= OUTPUT_LIMIT {
            return false;
        }
        let mut echo = Vec::new();
        let typed = match self.reader.next(&mut echo) {
            None => Typed::Nothing,
            Some(Input::Command(line)) => Typed::Line(line.to_vec()),
            Some(Input::Repeat) => Typed::Line(self.last_line.clone()),
            Some(Input::Overlong { .. }) => Typed::Overlong,
            Some(Input::Noise(_) | Input::Data(_) | Input::Cancelled) => Typed::Noise,
        };
        if self.settings.number("E") == 1 {
            self.output.raw(&echo);
        }
        match typed {
            Typed::Nothing => return false,
            Typed::Noise => {}
            Typed::Overlong => self.finish(Err(NOT_ALLOWED)),
            Typed::Line(line) => self.begin(line, now),
        }
        true
    }
}
