//! What a module model accepts: lengths, ranges, number of connections.
//!
//! Driver and emulator check against the same numbers: the driver before the first byte is sent,
//! the emulator before anything changes.

use core::time::Duration;

use crate::at::framing::{CTRL_Z, DataEnd, ESCAPE};
use crate::dialect::EncodeError;

/// The limits of one module model. Lengths are in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections that can be open at a time; their ids are `0..connections`.
    pub connections: u8,
    /// Longest command line, without `AT` and the line end (inferred: nothing states it).
    pub command_line: usize,
    /// Longest host name.
    pub host: usize,
    /// Longest client id.
    pub client_id: usize,
    /// Longest user name.
    pub username: usize,
    /// Longest password (inferred from the two above).
    pub password: usize,
    /// Longest topic or topic filter.
    pub topic: usize,
    /// Longest will payload (inferred from the OpenCPU header's buffers).
    pub will_payload: usize,
    /// Longest payload inside of the command line.
    pub inline_payload: usize,
    /// Longest payload behind a prompt.
    pub prompt_payload: usize,
    /// What ends the payload behind a prompt. Where control characters do, no payload that holds
    /// them can go there.
    pub prompt_end: DataEnd,
    /// How long the module waits for the next byte behind a prompt.
    pub prompt_timeout: Duration,
    /// Longest payload of a message that the module reports. What announces a longer one is none.
    pub received_payload: usize,
    /// Longest keepalive, in seconds.
    pub keep_alive: u16,
}

impl Limits {
    /// What both of two modules accept.
    #[must_use]
    pub fn common(&self, other: &Self) -> Self {
        Self {
            connections: self.connections.min(other.connections),
            command_line: self.command_line.min(other.command_line),
            host: self.host.min(other.host),
            client_id: self.client_id.min(other.client_id),
            username: self.username.min(other.username),
            password: self.password.min(other.password),
            topic: self.topic.min(other.topic),
            will_payload: self.will_payload.min(other.will_payload),
            inline_payload: self.inline_payload.min(other.inline_payload),
            prompt_payload: self.prompt_payload.min(other.prompt_payload),
            prompt_end: match self.prompt_end {
                DataEnd::Length => other.prompt_end,
                end => end,
            },
            // Whoever waits for a module that may be at a prompt waits for the slower one.
            prompt_timeout: self.prompt_timeout.max(other.prompt_timeout),
            // What a module may say is not what it takes.
            received_payload: self.received_payload.max(other.received_payload),
            keep_alive: self.keep_alive.min(other.keep_alive),
        }
    }

    /// Whether the module takes these bytes behind a prompt.
    ///
    /// # Errors
    /// They hold a character that ends the input before its length does.
    pub fn check_prompt_data(&self, data: &[u8]) -> Result<(), EncodeError> {
        let ends = match self.prompt_end {
            DataEnd::Length => None,
            DataEnd::ControlCharacters => memchr::memchr2(CTRL_Z, ESCAPE, data),
            DataEnd::Mark(mark) => memchr::memmem::find(data, mark),
        };
        match ends {
            Some(at) => Err(EncodeError::EndsPrompt {
                character: data[at].into(),
                at,
            }),
            None => Ok(()),
        }
    }
}
