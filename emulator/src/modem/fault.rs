//! Faults on demand: what a module does on a bad day, so that a host can be tested against it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use atmq_protocol::mqtt::{ConnectionId, LinkStatus, Urc};
use atmq_protocol::result_code::FinalResult;

use super::{Modem, Phase};
use crate::network::NetworkRequest;

/// Faults that may wait for their moment. Ours.
const FAULTS: usize = 64;

/// The longest text of a fault, in bytes. Ours: more than any answer of the module.
const TEXT_LIMIT: usize = 16 * 1024;

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
    /// `+LMQTTPUB=0,7`. `+LMQTTPUB` is not the beginning of `+LMQTTPUBEX`, and empty is that of
    /// every line. For [`Effect::UrcLost`] the beginning of the URC: `+LMQTTURC: STATS`.
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
    /// due: `+LMQTTOPEN: 0,-1,1`.
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
    pub(super) fn take_for_command(&mut self, line: &[u8]) -> Option<Effect> {
        self.take(|fault| fault.effect != Effect::UrcLost && fault.begins(line))
    }

    /// Whether this URC is lost.
    pub(super) fn loses_urc(&mut self, line: &[u8]) -> bool {
        self.take(|fault| fault.effect == Effect::UrcLost && fault.begins(line))
            .is_some()
    }

    fn take(&mut self, which: impl Fn(&Fault) -> bool) -> Option<Effect> {
        let at = self.waiting.iter().position(which)?;
        self.waiting.remove(at).map(|fault| fault.effect)
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
        self.faults.waiting.push_back(fault);
        Ok(())
    }

    /// The faults that have not happened yet.
    pub fn faults(&self) -> impl Iterator<Item = &Fault> {
        self.faults.waiting.iter()
    }

    /// Forgets the faults that have not happened yet.
    pub fn clear_faults(&mut self) {
        self.faults.waiting.clear();
    }

    /// Has the module send a line as if it were a URC: between line ends, when no command is being
    /// executed, and when it is awake. The line is not looked at.
    ///
    /// # Errors
    /// [`FaultError::TooLong`] beyond 16 KiB, [`FaultError::Congested`] while the host does not
    /// read, [`FaultError::NotRunning`].
    pub fn inject(&mut self, line: &[u8], now: Instant) -> Result<(), FaultError> {
        self.check_injected(line.len())?;
        self.output.urc(now, |out| out.extend_from_slice(line));
        self.drive(now);
        Ok(())
    }

    /// Has the module send bytes at once, even within the answer to a command: noise, half a
    /// line, a line that another one cuts in two.
    ///
    /// # Errors
    /// As those of [`inject`](Self::inject).
    pub fn inject_bytes(&mut self, bytes: &[u8], now: Instant) -> Result<(), FaultError> {
        self.check_injected(bytes.len())?;
        self.output.raw(bytes);
        self.drive(now);
        Ok(())
    }

    /// Has the module report this in the words of its dialect, whether or not it is so. What it
    /// does stays as it is; see [`lose_link`](Self::lose_link) for a loss that is one.
    ///
    /// # Errors
    /// As those of [`inject`](Self::inject), and [`FaultError::NoConnection`].
    pub fn inject_urc(&mut self, urc: &Urc<'_>, now: Instant) -> Result<(), FaultError> {
        let id = urc.connection();
        self.check_connection(id)?;
        self.check_injected(0)?;
        self.report(id, urc, now);
        self.drive(now);
        Ok(())
    }

    /// The link of a connection is lost for this reason, as far as the module can tell: it is
    /// closed, reported so, and the connection with its configuration is gone, or opened again by
    /// a module that reconnects. The broker sees a link that was closed without a DISCONNECT.
    ///
    /// # Errors
    /// [`FaultError::NoConnection`], [`FaultError::NotOpen`].
    pub fn lose_link(
        &mut self,
        connection: ConnectionId,
        status: LinkStatus,
        extend: Option<i32>,
        now: Instant,
    ) -> Result<(), FaultError> {
        self.check_connection(connection)?;
        let ConnectionId(link) = connection;
        if self.connection(connection).is_closed() {
            return Err(FaultError::NotOpen { connection: link });
        }
        self.network.push_back(NetworkRequest::Close { link });
        self.lose(connection, status, extend, now);
        self.drive(now);
        Ok(())
    }

    fn check_injected(&self, length: usize) -> Result<(), FaultError> {
        check_length(length)?;
        if !self.is_running() {
            return Err(FaultError::NotRunning);
        }
        match self.takes_network() {
            true => Ok(()),
            false => Err(FaultError::Congested {
                waiting: self.output.waiting(),
            }),
        }
    }

    fn check_connection(&self, ConnectionId(connection): ConnectionId) -> Result<(), FaultError> {
        let last = self.profile.limits.connections - 1;
        if connection > last {
            return Err(FaultError::NoConnection { connection, last });
        }
        Ok(())
    }

    /// Begins to execute a command line, unless it is lost.
    pub(super) fn begin(&mut self, line: Vec<u8>, now: Instant) {
        self.last_line.clone_from(&line);
        let (latency, abortable) = self.latency_of(&line);
        let mut due = now + self.spread(latency);
        let abort_from = abortable.then_some(now + ABORT_FROM);
        let fault = self.faults.take_for_command(&line);
        match fault {
            Some(Effect::Silent) => return self.lint.finished(true),
            Some(Effect::Late(by)) => due += by,
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
                    self.urc(now + after, urc.as_bytes());
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
        if self.faults.loses_urc(line) {
            return;
        }
        self.output.urc(due, |out| out.extend_from_slice(line));
    }
}

fn check_length(length: usize) -> Result<(), FaultError> {
    if length > TEXT_LIMIT {
        let limit = TEXT_LIMIT;
        return Err(FaultError::TooLong { length, limit });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::profile::Profile;

    fn modem(now: Instant) -> Modem {
        let mut modem = Modem::new(Profile::nt35e().instant(), 0, now, SystemTime::now());
        modem.receive(b"ATE0\r", now);
        heard(&mut modem);
        modem
    }

    fn heard(modem: &mut Modem) -> String {
        let mut heard = Vec::new();
        while let Some(bytes) = modem.poll_transmit() {
            heard.extend(bytes);
        }
        heard.escape_ascii().to_string()
    }

    fn typed(modem: &mut Modem, line: &str, now: Instant) -> String {
        modem.receive(format!("{line}\r").as_bytes(), now);
        heard(modem)
    }

    #[test]
    fn each_fault_happens_once() {
        let now = Instant::now();
        let answer = |result| Effect::Answer {
            lines: vec!["+CSQ: 5,0".to_owned()],
            result,
            urcs: vec![(Duration::ZERO, "+CEREG: 2".to_owned())],
        };
        for (effect, first) in [
            (
                answer(FinalResult::Ok),
                r"\r\n+CSQ: 5,0\r\n\r\nOK\r\n\r\n+CEREG: 2\r\n",
            ),
            (
                answer(FinalResult::Error),
                r"\r\n+CSQ: 5,0\r\n\r\nERROR\r\n\r\n+CEREG: 2\r\n",
            ),
            (
                Effect::Outcome("+LMQTTOPEN: 0,-1,1".to_owned()),
                r"\r\nOK\r\n\r\n+LMQTTOPEN: 0,-1,1\r\n",
            ),
            (Effect::Silent, ""),
            (Effect::ResultLost, r"\r\n+CSQ: 29,0\r\n"),
            (
                Effect::Garbage(b"\x00\xff".to_vec()),
                r"\x00\xff\r\n+CSQ: 29,0\r\n\r\nOK\r\n",
            ),
            (Effect::Reboot, r"^boot.rom\'v\'!\r\n"),
        ] {
            let mut modem = modem(now);
            let fault = Fault::new("+csq", effect);
            modem.add_fault(fault.clone()).unwrap();
            assert_eq!(modem.faults().collect::<Vec<_>>(), [&fault]);
            assert_eq!(typed(&mut modem, "AT", now), r"\r\nOK\r\n");
            assert_eq!(typed(&mut modem, "AT+CSQ", now), first, "{fault:?}");
            modem.receive(b"ATE0\r", now);
            heard(&mut modem);
            let usual = r"\r\n+CSQ: 29,0\r\n\r\nOK\r\n";
            assert_eq!(typed(&mut modem, "AT+CSQ", now), usual, "{fault:?}");
        }
    }

    #[test]
    fn a_late_command_is_executed_late() {
        let now = Instant::now();
        let mut modem = modem(now);
        let by = Duration::from_secs(20);
        modem.add_fault(Fault::new("", Effect::Late(by))).unwrap();
        assert_eq!(typed(&mut modem, "AT+CSQ", now), "");
        assert_eq!(modem.poll_timeout(), Some(now + by));
        modem.handle_timeout(now + by);
        assert_eq!(heard(&mut modem), r"\r\n+CSQ: 29,0\r\n\r\nOK\r\n");
    }

    #[test]
    fn a_urc_is_lost_and_those_like_it_are_not() {
        let now = Instant::now();
        let mut modem = modem(now);
        typed(&mut modem, "AT+CEREG=1", now);
        modem
            .add_fault(Fault::new("+CEREG: 2", Effect::UrcLost))
            .unwrap();
        // Neither a command nor another URC.
        assert_eq!(
            typed(&mut modem, "AT+CEREG?", now),
            r"\r\n+CEREG: 1,1\r\n\r\nOK\r\n"
        );
        let searching = atmq_protocol::standard::Registration::Searching;
        modem.set_registration(searching, now);
        assert_eq!(heard(&mut modem), "");
        modem.set_registration(atmq_protocol::standard::Registration::Home, now);
        assert_eq!(heard(&mut modem), r"\r\n+CEREG: 1\r\n");
    }

    #[test]
    fn a_beginning_ends_with_a_word() {
        for (on, line, begins) in [
            ("+LMQTTPUB", "+LMQTTPUB=0,7", true),
            ("+LMQTTPUB", "+LMQTTPUBEX=0,7", false),
            ("+LMQTTPUB=0,7", "+lmqttpub=0,7,1", true),
            ("+LMQTTPUB=0,7", "+LMQTTPUB=0,77,1", false),
            ("+LMQTTPUB=", "+LMQTTPUB=0,7", true),
            ("", "", true),
            ("", "+CSQ", true),
            ("+CSQ", "", false),
        ] {
            let fault = Fault::new(on, Effect::Silent);
            assert_eq!(fault.begins(line.as_bytes()), begins, "{on} {line}");
        }
    }

    #[test]
    fn anything_can_be_injected_but_not_without_end() {
        let now = Instant::now();
        let mut modem = modem(now);
        modem.inject(b"+CMTI: \"SM\",1", now).unwrap();
        assert_eq!(heard(&mut modem), r#"\r\n+CMTI: \"SM\",1\r\n"#);
        modem.inject_bytes(b"\r\n+CER", now).unwrap();
        assert_eq!(heard(&mut modem), r"\r\n+CER");
        let urc = Urc::Status {
            connection: ConnectionId(0),
            status: LinkStatus::Http,
            extend: Some(404),
        };
        modem.inject_urc(&urc, now).unwrap();
        assert_eq!(heard(&mut modem), r"\r\n+LMQTTURC: STATS,0,7,404\r\n");
        let urc = Urc::Buffered {
            connection: ConnectionId(5),
            message_id: 1,
        };
        let (connection, last) = (5, 4);
        let refused = FaultError::NoConnection { connection, last };
        assert_eq!(modem.inject_urc(&urc, now), Err(refused));
        let long = vec![b'x'; TEXT_LIMIT + 1];
        assert!(modem.inject(&long, now).is_err());
        let mut taken = 0;
        while modem.inject(&long[1..], now).is_ok() {
            taken += 1;
        }
        assert_eq!(taken, 4);
        for _ in 0..FAULTS {
            modem.add_fault(Fault::new("", Effect::Silent)).unwrap();
        }
        let more = modem.add_fault(Fault::new("", Effect::Silent));
        assert_eq!(more, Err(FaultError::TooMany { limit: FAULTS }));
        modem.clear_faults();
        assert_eq!(modem.faults().count(), 0);
        modem.power_off(now);
        assert_eq!(modem.inject(b"x", now), Err(FaultError::NotRunning));
        let closed = modem.lose_link(ConnectionId(0), LinkStatus::Fatal, None, now);
        assert_eq!(closed, Err(FaultError::NotOpen { connection: 0 }));
    }
}
