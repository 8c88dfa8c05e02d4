//! Faults on demand: what a module does on a bad day, so that a host can be tested against it.

mod armed;
mod beginning;

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use atmq_protocol::at::result_code::FinalResult;

use super::{Happening, Modem, OUTPUT_LIMIT, Phase};

pub use armed::ArmedFault;
pub(super) use armed::Faults;

/// Faults that may wait for their moment. Ours.
const FAULTS: usize = 64;

/// The longest text of a fault, in bytes. Ours: more than any answer of the module.
const TEXT_LIMIT: usize = 16 * 1024;

/// As long as no module is run, for times that a clock cannot hold. Ours.
const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// A byte that comes sooner behind a command does not abort it (V.250 section 5.6.1).
const ABORT_FROM: Duration = Duration::from_millis(125);

/// Something that goes wrong at its moment, once unless it is said otherwise: [`Modem::add_fault`].
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
    /// How the command line begins that it happens to, in any letter case: `+CSQ`, `+COPS=0`, `E0`.
    /// `+CREG` is not the beginning of `+CREGX`. For [`Effect::UrcLost`] the beginning of the URC:
    /// `+CREG: 1`, or of what the module prints when it starts or switches itself off.
    ///
    /// `AT` in front, and the sign of a name, may be left out. `AT` alone is a line with nothing
    /// behind it, and empty is the beginning of every line.
    pub on: String,
    /// What happens.
    pub effect: Effect,
    /// Before this moment it neither happens nor counts; `None`: from now on.
    pub from: Option<Instant>,
    /// Of so many lines that begin so, it happens to the last.
    pub every: NonZeroU32,
    /// How often it happens; `None`: without end.
    pub times: Option<NonZeroU32>,
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
    /// The command is executed, but its final result code is lost. It neither happens nor counts
    /// where the host has switched them off (`ATQ1`).
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
    /// The module has no such command, so that the fault would never happen.
    #[error("this module has no command {given}{}", beginning::Instead(like.as_deref(), "AT+CLAC lists what it has"))]
    UnknownCommand {
        /// The beginning that was given.
        given: String,
        /// The command that may be meant.
        like: Option<String>,
    },
    /// The module sends no such line by itself, so that the fault would never happen.
    #[error("this module sends no URC {given}{}", beginning::Instead(like.as_deref(), known))]
    UnknownUrc {
        /// The beginning that was given.
        given: String,
        /// The URC that may be meant.
        like: Option<String>,
        /// Those that it sends, as a sentence.
        known: String,
    },
    /// Too many wait for their moment.
    #[error("{limit} faults are waiting, no more fit")]
    TooMany {
        /// How many may wait.
        limit: usize,
    },
    /// It would happen without anybody noticing: a delay of nothing, noise without bytes.
    #[error("this fault changes nothing, so that nobody could tell whether it has happened")]
    Nothing,
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
            from: None,
            every: NonZeroU32::MIN,
            times: Some(NonZeroU32::MIN),
        }
    }

    /// Neither happens nor counts before this moment.
    #[must_use]
    pub fn from(mut self, moment: Instant) -> Self {
        self.from = Some(moment);
        self
    }

    /// Of so many lines that begin so, it happens to the last.
    #[must_use]
    pub fn every(mut self, nth: NonZeroU32) -> Self {
        self.every = nth;
        self
    }

    /// Happens so often; with `None` without end.
    #[must_use]
    pub fn times(mut self, times: Option<NonZeroU32>) -> Self {
        self.times = times;
        self
    }

    /// Whether the line is the same with it as without.
    fn is_nothing(&self) -> bool {
        match &self.effect {
            Effect::Late(by) => by.is_zero(),
            Effect::Garbage(bytes) => bytes.is_empty(),
            _ => false,
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
}

/// Faults on demand. They are no state of the module: a reboot does not end them.
impl Modem {
    /// Has this happen at its moment. Of several for one line, the one that was added first happens,
    /// and the others at the next. The [linter](crate::lint) does not know of commands that are not
    /// executed.
    ///
    /// # Errors
    /// [`FaultError::UnknownCommand`] and [`FaultError::UnknownUrc`] for what cannot happen,
    /// [`FaultError::Nothing`] for what changes nothing, [`FaultError::TooMany`] beyond 64 that wait, [`FaultError::TooLong`] beyond 16 KiB.
    pub fn add_fault(&mut self, fault: Fault) -> Result<(), FaultError> {
        if self.faults.armed().len() >= FAULTS {
            return Err(FaultError::TooMany { limit: FAULTS });
        }
        check_length(fault.length().max(fault.on.len()))?;
        if fault.is_nothing() {
            return Err(FaultError::Nothing);
        }
        let on = match fault.effect {
            Effect::UrcLost => self.urc_beginning(&fault.on)?,
            _ => self.command_beginning(&fault.on)?,
        };
        let fault = Fault { on, ..fault };
        self.happened(Happening::FaultArmed(fault.clone()));
        self.faults.add(fault);
        Ok(())
    }

    /// The faults that have still to happen, in the order in which they were added.
    pub fn faults(&self) -> impl ExactSizeIterator<Item = &ArmedFault> {
        self.faults.armed().iter()
    }

    /// Forgets the faults that have still to happen.
    pub fn clear_faults(&mut self) {
        let count = self.faults.armed().len();
        self.faults.clear();
        self.happened(Happening::FaultsForgotten(count));
    }

    /// Begins to execute a command line, unless it is lost.
    pub(super) fn begin(&mut self, line: Vec<u8>, now: Instant) {
        self.last_line.clone_from(&line);
        let (latency, abortable) = self.latency_of(&line);
        let mut due = now + self.spread(latency);
        let abort_from = abortable.then_some(now + ABORT_FROM);
        let fault = self
            .faults
            .take_for_command(&line, self.output.says_results(), now);
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
                    self.made_up_urc(later(now, after), &urc);
                }
            }
            Some(Effect::Outcome(urc)) => {
                self.finish(Ok(FinalResult::Ok));
                let latency = self.profile.latency.result;
                let due = now + self.spread(latency);
                self.made_up_urc(due, &urc);
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

    /// Whether a line that would be sent then is lost.
    fn loses(&mut self, line: &[u8], due: Instant) -> bool {
        let fault = self.faults.take_for_urc(line, due);
        fault.map(|fault| self.fire(fault)).is_some()
    }

    /// A line that is sent from `due` on, unless it is lost.
    pub(super) fn urc(&mut self, due: Instant, line: &[u8]) {
        if self.loses(line, due) {
            return;
        }
        self.output.urc(due, |out| out.extend_from_slice(line));
    }

    /// The same, for a line of a fault. A fault without end could say more than any memory holds.
    fn made_up_urc(&mut self, due: Instant, line: &str) {
        if self.output.waiting() < OUTPUT_LIMIT {
            self.urc(due, line.as_bytes());
        }
    }

    /// What the module prints when it starts or switches itself off, line by line, unless it is
    /// lost.
    pub(super) fn kept_lines<'l>(&mut self, text: &'l str, now: Instant) -> Vec<&'l str> {
        let lines = text.split_inclusive('\n');
        let kept = lines.filter(|line| {
            let line = line.trim_end_matches(['\r', '\n']);
            line.is_empty() || !self.loses(line.as_bytes(), now)
        });
        kept.collect()
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
