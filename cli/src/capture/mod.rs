//! Captures: what passed on the wire, in pcapng files that Wireshark opens.
//!
//! | module | what it holds |
//! |---|---|
//! | [`recorder`] | writes one while a session runs |
//! | [`block`], [`rtac`] | the formats of the file and of its records |
//! | [`reader`], [`blocks`] | reads one, whoever wrote it |
//! | [`tapped`] | ports that are recorded |
//! | [`dialogue`], [`entry`], [`meaning`] | makes commands and answers of the bytes, and says what they mean |
//! | [`pending`], [`reports`], [`links`] | what has not come, and which connections are shown open |
//! | [`session`] | a whole capture as exchanges |

mod block;
mod blocks;
pub(crate) mod dialogue;
mod entry;
mod links;
mod mask;
mod meaning;
mod pending;
mod reader;
mod recorder;
mod reports;
mod rtac;
mod session;
mod tapped;
#[cfg(test)]
mod tests;

pub(crate) use self::entry::{Entry, Kind};
pub(crate) use self::mask::Mask;
pub(crate) use self::meaning::Hop;
pub(crate) use self::reader::Capture;
pub(crate) use self::recorder::{RecordArguments, Recorder};
pub(crate) use self::rtac::Event;
pub(crate) use self::session::{Exchange, Session};
pub(crate) use self::tapped::Recorded;
