use std::ops::Range;

use atmq_protocol::at::result_code::FinalResult;
use atmq_protocol::dialect;
use atmq_protocol::mqtt::{ConnectionId, Urc};
use atmq_protocol::redact::HIDDEN;
use atmq_protocol::standard::{StandardInformation, StandardUrc};

use crate::error::ExchangeError;

/// What a session has to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// An exchange that was asked for has ended; [`Session::ended`](super::Session::ended) tells
    /// which one.
    Completed(Result<Answer, ExchangeError>),
    /// Something happened by itself, or too late to answer an exchange.
    Urc(Urc),
    /// The module has reported something that is not MQTT's.
    Standard(StandardUrc),
    /// A line that is no answer, no URC and no echo. Not if
    /// [`Session::report_unrecognised`](super::Session::report_unrecognised) says so.
    Unrecognised(Vec<u8>),
    /// A received message could not be read, and is lost. What has come of it follows as
    /// [`Event::Unrecognised`].
    Unreadable {
        /// The connection that it was for.
        connection: Option<ConnectionId>,
    },
    /// A line was longer than the session stores and has been discarded.
    Overlong {
        /// Its length in bytes.
        length: usize,
    },
    /// The module has started: it has lost its connections and its configuration.
    Rebooted,
    /// The module says that it switches itself off. Its connections are gone.
    PoweredDown,
    /// The bytes of a line that is no answer, ahead of the event that it makes. Only if asked
    /// for by [`Session::report_lines`](super::Session::report_lines).
    Line(Vec<u8>),
}

/// The answer to a command that the module has carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To [`Command::Standard`](super::Command::Standard).
    Standard(Vec<StandardInformation>),
    /// To [`Command::Step`](super::Command::Step).
    Mqtt {
        /// What was answered before the final result code.
        answers: Vec<dialect::Answer>,
        /// The report; `None` if the step has none, or it cannot be told from another's.
        report: Option<Urc>,
    },
    /// To [`Command::Raw`](super::Command::Raw), whatever its final result code.
    Raw(Response),
}

impl Answer {
    /// For the log.
    pub(super) fn in_one_word(&self) -> &'static str {
        match self {
            Self::Raw(response) if response.result != FinalResult::Ok => "refused",
            _ => "done",
        }
    }
}

/// The answer to a raw command, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The lines before the final result code, without line ends, echo and URCs of others.
    pub lines: Vec<Vec<u8>>,
    /// The final result code.
    pub result: FinalResult,
    /// The line of the result URC, if it came before the end of the exchange.
    pub report: Option<Vec<u8>>,
}

/// Bytes to write to the port.
#[derive(Clone, PartialEq, Eq)]
pub struct Transmit {
    /// The bytes, all of which must be written before others.
    pub bytes: Vec<u8>,
    /// Where passwords and device secrets stand in them.
    pub secrets: Vec<Range<usize>>,
}

impl Transmit {
    /// The bytes for the eyes of people: with `***` for each secret.
    pub fn redacted(&self) -> Vec<u8> {
        redact(&self.bytes, &self.secrets)
    }
}

impl std::fmt::Debug for Transmit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Transmit({})", self.redacted().escape_ascii())
    }
}

/// `bytes` with `***` for each of the ranges, which are in order and do not overlap.
pub(crate) fn redact(bytes: &[u8], secrets: &[Range<usize>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for secret in secrets {
        out.extend_from_slice(&bytes[from..secret.start]);
        out.extend_from_slice(HIDDEN);
        from = secret.end;
    }
    out.extend_from_slice(&bytes[from..]);
    out
}
