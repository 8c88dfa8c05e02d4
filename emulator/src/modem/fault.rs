//! Faults on demand: what a module does on a bad day, so that a host can be tested against it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use atmq_protocol::at::result_code::FinalResult;

use super::{Happening, Modem, Phase};

/// Faults that may wait for their moment. Ours.
const FAULTS: usize = 64;

/// The longest text of a fault, in bytes. Ours: more than any answer of the module.
const TEXT_LIMIT: usize = 16 * 1024;

/// As long as no module is run, for times that a clock cannot hold. Ours.
const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// A byte that comes sooner behind a command does not abort it (V.250 section 5.6.1).
const ABORT_FROM: Duration = Duration::from_millis(125);

/// Something that goes wrong once, at its moment: [`Modem::add_fault`].
///
/// ```
/// use std::time::{Duration, Instant, SystemTime};
/// use atmq_emulator::Profile;
/// use atmq_emulator::modem::{Effect, Fault, Modem};
///
/// let now = Instant::now();
/// let mut modem = Modem::new(Profile::nt35e().instant(), 0, now, SystemTime::now());
/// modem.add_fault(Fault::new("+CSQ", Effect::ResultLost))?;
/// modem.receive(b"ATE0\r", now);
/// modem.poll_transmit();
/// modem.receive(b"AT+CSQ\r", now);
/// assert_eq!(modem.poll_transmit().as_deref(), Some(&b"\r\n+CSQ: 29,0\r\n"[..]));
/// modem.receive(b"AT\r", now);
/// assert_eq!(modem.poll_transmit().as_deref(), Some(&b"\r\nOK\r\n"[..]));
/// # Ok::<(), atmq_emulator::modem::FaultError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// How the command line begins that it happens to, without `AT`, in any letter case: `+CSQ`,
    /// `+COPS=0`. `+CREG` is not the beginning of `+CREGX`, and empty is that of every line. For
    /// [`Effect::UrcLost`] the beginning of the URC: `+CREG: 1`.
    pub on: String,
    /// What happens.
    pub effect: Effect,
}

/// What goes wrong with one command, or with one URC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The command is not executed, but answered so: these lines, this final result code. After
    /// each of these times from there a URC follows.
    Answer {
        /// Information responses, without line ends.
        lines: Vec<String>,
        /// The final result code.
        result: FinalResult,
        /// URCs, without line ends, each with its time from the final result code on.
        urcs: Vec<(Duration, String)>,
    },
    /// The command is not executed, but answered with `OK`, and with this URC when its outcome is
    /// due.
    Outcome(String),
    /// The command is executed so much later.
    Late(Duration),
    /// The command is lost: neither executed nor answered.
    Silent,
    /// The command is executed, but its final result code is lost.
    ResultLost,
    /// These bytes come before the answer, as noise on the line does.
    Garbage(Vec<u8>),
    /// The module starts anew instead of executing the command.
    Reboot,
    /// The URC that begins so is not sent.
    UrcLost,
}

/// Why a fault cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// Too many wait for their moment.
    #[error("{limit} faults are waiting, no more fit")]
    TooMany {
        /// How many may wait.
        limit: usize,
    },
    /// The bytes to send are too many.
    #[error("a fault says at most {limit} bytes, not {length}")]
    TooLong {
        /// Bytes given.
        length: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The module says so much already that no more fits.
    #[error("the module has {waiting} bytes to send already")]
    Congested {
        /// Bytes that wait for the host.
        waiting: usize,
    },
    /// The module has no such connection.
    #[error("connection {connection} is not there: the module has 0 to {last}")]
    NoConnection {
        /// What was given.
        connection: u8,
        /// The last one.
        last: u8,
    },
    /// The connection is not open.
    #[error("connection {connection} is not open")]
    NotOpen {
        /// What was given.
        connection: u8,
    },
    /// The module is switched off, or is just starting.
    #[error("the module is off or starting")]
    NotRunning,
}

impl Fault {
    /// This happens at the next command line or URC that begins so, once.
    pub fn new(on: impl Into<String>, effect: Effect) -> Self {
        Self {
            on: on.into(),
            effect,
        }
    }

    /// Bytes that it makes the module say.
    fn length(&self) -> usize {
        match &self.effect {
            Effect::Answer { lines, urcs, .. } => {
                let urcs = urcs.iter().map(|(_, urc)| urc.len());
                lines.iter().map(String::len).chain(urcs).sum()
            }
            Effect::Outcome(line) => line.len(),
            Effect::Garbage(bytes) => bytes.len(),
            Effect::Late(_)
            | Effect::Silent
            | Effect::ResultLost
            | Effect::Reboot
            | Effect::UrcLost => 0,
        }
    }

    fn begins(&self, line: &[u8]) -> bool {
        let Some((start, rest)) = line.split_at_checked(self.on.len()) else {
            return false;
        };
        let is_word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let goes_on = is_word(start.last()) && is_word(rest.first());
        start.eq_ignore_ascii_case(self.on.as_bytes()) && !goes_on
    }
}

/// The faults that wait for their moment, in the order in which they were added.
#[derive(Debug, Default)]
pub(super) struct Faults {
    waiting: VecDeque<Fault>,
    /// The final result code of the command that is being executed is lost.
    pub(super) result_lost: bool,
}

impl Faults {
    /// What goes wrong with this command line, if anything does.
    pub(super) fn take_for_command(&mut self, line: &[u8]) -> Option<Fault> {
        self.take(|fault| fault.effect != Effect::UrcLost && fault.begins(line))
    }

    /// What loses this URC, if anything does.
    pub(super) fn take_for_urc(&mut self, line: &[u8]) -> Option<Fault> {
        self.take(|fault| fault.effect == Effect::UrcLost && fault.begins(line))
    }

    fn take(&mut self, which: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let at = self.waiting.iter().position(which)?;
        self.waiting.remove(at)
    }
}

/// Faults on demand. They are no state of the module: a reboot does not end them.
impl Modem {
    /// Has this happen at its moment, once. Of several for one command, the one that was added
    /// first happens first. The [linter](crate::lint) does not know of commands that are not
    /// executed.
    ///
    /// # Errors
    /// [`FaultError::TooMany`] beyond 64 that wait, [`FaultError::TooLong`] beyond 16 KiB.
    pub fn add_fault(&mut self, fault: Fault) -> Result<(), FaultError> {
        if self.faults.waiting.len() >= FAULTS {
            return Err(FaultError::TooMany { limit: FAULTS });
        }
        check_length(fault.length().max(fault.on.len()))?;
        self.happened(Happening::FaultArmed(fault.clone()));
        self.faults.waiting.push_back(fault);
        Ok(())
    }

    /// The faults that have not happened yet.
    pub fn faults(&self) -> impl Iterator<Item = &Fault> {
        self.faults.waiting.iter()
    }

    /// Forgets the faults that have not happened yet.
    pub fn clear_faults(&mut self) {
        let count = self.faults.waiting.len();
        self.faults.waiting.clear();
        self.happened(Happening::FaultsForgotten(count));
    }

    /// Begins to execute a command line, unless it is lost.
    pub(super) fn begin(&mut self, line: Vec<u8>, now: Instant) {
        self.last_line.clone_from(&line);
        let (latency, abortable) = self.latency_of(&line);
        let mut due = now + self.spread(latency);
        let abort_from = abortable.then_some(now + ABORT_FROM);
        let fault = self.faults.take_for_command(&line);
        let fault = fault.map(|fault| self.fire(fault));
        match fault {
            Some(Effect::Silent) => return self.lint.finished(true),
            Some(Effect::Late(by)) => due = later(due, by),
            _ => {}
        }
        self.phase = Phase::Executing {
            due,
            line,
            fault,
            abort_from,
        };
    }

    /// Executes a command line, with what goes wrong with it.
    pub(super) fn execute_with(&mut self, fault: Option<Effect>, line: &[u8], now: Instant) {
        match fault {
            Some(Effect::Answer {
                lines,
                result,
                urcs,
            }) => {
                for line in lines {
                    self.output
                        .line(|out| out.extend_from_slice(line.as_bytes()));
                }
                self.finish(Ok(result));
                for (after, urc) in urcs {
                    self.urc(later(now, after), urc.as_bytes());
                }
            }
            Some(Effect::Outcome(urc)) => {
                self.finish(Ok(FinalResult::Ok));
                let latency = self.profile.latency.result;
                let due = now + self.spread(latency);
                self.urc(due, urc.as_bytes());
            }
            Some(Effect::Reboot) => self.reboot(now),
            Some(Effect::Garbage(bytes)) => {
                self.output.raw(&bytes);
                self.execute(line, now);
            }
            Some(Effect::ResultLost) => {
                self.faults.result_lost = true;
                self.execute(line, now);
            }
            None | Some(Effect::Late(_) | Effect::Silent | Effect::UrcLost) => {
                self.execute(line, now);
            }
        }
    }

    /// A line that is sent from `due` on, unless it is lost.
    pub(super) fn urc(&mut self, due: Instant, line: &[u8]) {
        if let Some(fault) = self.faults.take_for_urc(line) {
            self.fire(fault);
            return;
        }
        self.output.urc(due, |out| out.extend_from_slice(line));
    }
}

/// The moment that is so much later, or one that nobody will see.
fn later(now: Instant, by: Duration) -> Instant {
    now.checked_add(by).unwrap_or(now + NEVER)
}

/// Whether so many bytes are few enough to be said.
pub(super) fn check_length(length: usize) -> Result<(), FaultError> {
    if length > TEXT_LIMIT {
        let limit = TEXT_LIMIT;
        return Err(FaultError::TooLong { length, limit });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
