use super::message::{Deviation, MessageForm};
use super::quoted::QuotedForm;

/// Something a module has sent, complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A line without its line end: information response, result code, URC, echo or noise. Empty
    /// lines are not reported.
    Line(&'a [u8]),
    /// The line of a received message, without its line end. Topic and payload may hold line ends,
    /// and a payload may stand behind one ([`Extent::Block`]).
    Message {
        /// The line.
        line: &'a [u8],
        /// In what it differs from what the module was told.
        deviation: Option<Deviation>,
    },
    /// A received message that cannot be read.
    Lost {
        /// All of it if it can be read in more than one way; else its payload is not as long as
        /// announced, and this is its first line.
        bytes: &'a [u8],
        /// Which of the two.
        ambiguous: bool,
    },
    /// A line that began inside of what a lost message announced. It may be part of the payload,
    /// so it is no answer and no report; a module that starts anew in the middle of a payload is
    /// heard of here.
    Torn(&'a [u8]),
    /// The sign that asks for raw data, such as `> `, seen at the beginning of a line while it was
    /// expected.
    Prompt,
    /// A line was longer than the reader's limit and has been discarded up to its end.
    Overlong {
        /// Bytes discarded.
        length: usize,
    },
}

/// How far a line reaches, as its dialect tells from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// To the next line feed.
    Line,
    /// It may be a message, when more of it has come.
    Incomplete,
    /// To the end of a message, whatever topic and payload hold.
    Message(MessageForm),
    /// To the end of a message whose payload stands between quotes, without a length.
    Quoted(QuotedForm),
    /// So many bytes beyond its line end, and a line end behind them. It counts only once the line
    /// is complete: half a number is a number, too.
    Block(usize),
    /// To the first of these bytes, which end it. What they hold before a line end belongs to it.
    Marked(&'static [u8]),
    /// The same, where what stands before so many bytes of the line is no end.
    MarkedFrom(usize, &'static [u8]),
}
