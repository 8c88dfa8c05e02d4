//! Where things begin and end in a byte stream.
//!
//! [`ResponseReader`] reads what a module sends, [`CommandReader`] what a host sends. Both are fed
//! pieces of any size and give the same result for any way of cutting the stream into pieces.
//! Both are bounded: what grows past the limit is discarded, and reported.

mod command_reader;
mod frame;
mod message;
mod quoted;
mod response_reader;

pub use command_reader::{CTRL_Z, CommandReader, DataEnd, ESCAPE, Input};
pub use frame::{Extent, Frame};
pub use message::{Counting, Deviation, MESSAGE_GAP, MessageForm};
pub use quoted::QuotedForm;
pub use response_reader::ResponseReader;
