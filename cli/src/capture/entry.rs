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
    /// How long something was waited for that did not come.
    pub(crate) waited: Option<Duration>,
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
    /// Nothing: an answer or a report that did not come.
    Missing,
    /// What was done to an emulated module or to its surroundings: its kind, a colon, words.
    World,
    /// A comment that somebody has put into the capture.
    Comment,
    /// What the capture tells of itself and of the line.
    Note,
}

impl Kind {
    /// Whether nobody said it on the line: it stands beside what was said.
    pub(crate) fn is_aside(self) -> bool {
        matches!(self, Self::World | Self::Comment | Self::Note)
    }

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
            Self::Missing => "missing",
            Self::World => "world",
            Self::Comment => "comment",
            Self::Note => "note",
        }
    }
}
