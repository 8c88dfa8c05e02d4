//! The language itself: lines, prompts and data in a stream, commands, parameters, result codes.
//! No vendor's words.

pub mod command;
pub mod framing;
pub mod parameter;
pub mod result_code;
