use std::time::Duration;

use atmq_driver::Direction;

use super::meaning::Hop;

/// Something that host or module said, complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// When its last byte passed, on the clock of whoever fed the bytes.
    pub(crate) at: Duration,
    /// Who said it.
    pub(crate) from: Direction,
    /// What it is.
    pub(crate) kind: Kind,
    /// The bytes, without line end.
    pub(crate) bytes: Vec<u8>,
    /// The number of the command that it belongs to, from 1.
    pub(crate) exchange: Option<u64>,
    /// In words, where it is known.
    pub(crate) meaning: Option<String>,
    /// What passed between module and broker because of it, or before it.
    pub(crate) hop: Option<Hop>,
    /// Whether it tells that something went wrong.
    pub(crate) failed: bool,
    /// Its place among all entries.
    pub(crate) order: u64,
}

/// What an [`Entry`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A command line.
    Command,
    /// The raw bytes behind a prompt or a `CONNECT`.
    Data,
    /// The command, sent back.
    Echo,
    /// The prompt.
    Prompt,
    /// An information response.
    Response,
    /// A final result code.
    Result,
    /// The result URC of a command.
    Report,
    /// Another URC.
    Urc,
    /// What cannot be told, such as a line of the host without a command.
    Unknown,
}

impl Kind {
    /// A word for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Data => "data",
            Self::Echo => "echo",
            Self::Prompt => "prompt",
            Self::Response => "response",
            Self::Result => "result",
            Self::Report => "report",
            Self::Urc => "urc",
            Self::Unknown => "unknown",
        }
    }
}
