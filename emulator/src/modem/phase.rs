//! What the command interpreter is doing, step by step.

use std::time::Instant;

use atmq_protocol::at::framing::Input;
use atmq_protocol::at::result_code::FinalResult;

use super::fault::Effect;
use super::publish::Publish;
use super::upload::Upload;
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
    /// A prompt stands, and the payload is awaited.
    Prompted { publish: Publish, give_up: Instant },
    /// The payload is there, and is published once the module has thought about it.
    Publishing {
        due: Instant,
        publish: Publish,
        payload: Vec<u8>,
    },
    /// `CONNECT` stands, and a file is awaited.
    Uploading { upload: Upload, give_up: Instant },
    /// `OK` waits for the outcome of the command.
    Reporting { give_up: Instant },
    /// The module starts.
    Booting { due: Instant },
    /// The module has no power.
    Off,
}

impl Phase {
    pub(super) fn attention(&self) -> Attention {
        match self {
            Self::Idle | Self::Prompted { .. } | Self::Uploading { .. } => Attention::Listening,
            Self::Executing { .. } | Self::Publishing { .. } | Self::Reporting { .. } => {
                Attention::Executing
            }
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
            Phase::Publishing {
                due,
                publish,
                payload,
            } if due <= now => match self.publish_prompted(&publish, &payload, now) {
                Ok(()) => self.finish_publish(publish.connection, now),
                Err(refused) => self.finish(Err(refused)),
            },
            Phase::Booting { due } if due <= now => {
                self.boot(now);
            }
            Phase::Prompted { publish, give_up } => {
                return self.read_payload(publish, give_up, now);
            }
            Phase::Uploading { upload, give_up } => {
                return self.read_upload(upload, give_up, now);
            }
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

    fn read_payload(&mut self, publish: Publish, give_up: Instant, now: Instant) -> bool {
        match self.reader.next(&mut Vec::new()) {
            Some(Input::Data(payload)) => {
                let payload = payload.to_vec();
                let latency = self.profile.latency.command;
                self.phase = Phase::Publishing {
                    due: now + self.spread(latency),
                    publish,
                    payload,
                };
                return true;
            }
            Some(Input::Cancelled) => {
                self.lint.published(publish.connection, publish.message_id);
                self.finish(Ok(FinalResult::Ok));
                return true;
            }
            _ => {}
        }
        if give_up <= now {
            let came = self.reader.abort_data();
            self.lint.gave_up(came, publish.length, now);
            self.finish(Err(NOT_ALLOWED));
            return true;
        }
        self.phase = Phase::Prompted { publish, give_up };
        false
    }
}
