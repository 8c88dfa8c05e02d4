use std::fmt;

use atmq_protocol::dialect::Step;
use atmq_protocol::redact::redacted;
use atmq_protocol::standard::StandardRequest;

/// Which exchange of a session: [`Session::request`](super::Session::request) gives it,
/// [`Session::ended`](super::Session::ended) tells of which one the outcome is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ExchangeId(pub(super) u64);

/// Something to exchange with the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A command that every module knows.
    Standard(StandardRequest),
    /// A step of a plan, see [`Session::plan`](super::Session::plan).
    Step(Box<Step>),
    /// A command line as the caller wrote it.
    Raw(RawCommand),
}

/// A command line as the caller wrote it.
///
/// Where the dialect knows the command, the session treats it like its own: the manual's time
/// limit, the prompt, the result URC, and what the command changes of the payload formats.
/// `Debug` shows nothing behind the `=`, and no secret behind another sign.
#[derive(Clone, PartialEq, Eq)]
pub struct RawCommand {
    /// The line from `AT` on, without line end.
    pub line: Vec<u8>,
    /// What follows the prompt, if the command brings one.
    pub data: Option<Vec<u8>>,
    /// Whether to wait for the result URC, if the command has one, and not for the final result
    /// code alone.
    pub reported: bool,
}

impl RawCommand {
    /// A line that ends with its final result code.
    pub fn new(line: impl Into<Vec<u8>>) -> Self {
        Self {
            line: line.into(),
            data: None,
            reported: false,
        }
    }
}

impl fmt::Debug for RawCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawCommand")
            .field("name", &name(&self.line))
            .field("data_length", &self.data.as_ref().map(Vec::len))
            .field("reported", &self.reported)
            .finish()
    }
}

/// A command line without its parameters, and without a secret behind any other sign.
pub(super) fn name(line: &[u8]) -> String {
    let line = redacted(line);
    let end = line.iter().position(|byte| *byte == b'=');
    let end = end.unwrap_or(line.len());
    line[..end].trim_ascii_end().escape_ascii().to_string()
}
