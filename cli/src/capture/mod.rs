//! Captures: what passed on the wire, in pcapng files that Wireshark opens.
//!
//! | module | what it holds |
//! |---|---|
//! | [`recorder`] | writes one while a session runs |
//! | [`redactor`] | takes the secrets out of what is written |
//! | [`block`], [`rtac`] | the formats of the file and of its records |
//! | [`reader`] | reads one, whoever wrote it |
//! | [`tapped`] | ports that are recorded |
//! | [`dialogue`] | makes commands, answers and exchanges of the bytes |

mod block;
pub(crate) mod dialogue;
mod meaning;
mod reader;
mod recorder;
mod redactor;
mod rtac;
mod tapped;
#[cfg(test)]
mod tests;

pub(crate) use self::reader::Capture;
pub(crate) use self::recorder::{RecordArguments, Recorder};
pub(crate) use self::rtac::Event;
pub(crate) use self::tapped::Recorded;
