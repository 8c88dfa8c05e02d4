use std::fmt;

use atmq_protocol::mqtt::{ConnectionId, QoS, Request};
use atmq_protocol::redact::redacted;
use atmq_protocol::standard::StandardRequest;

/// Something to exchange with the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A command that is not MQTT's.
    Standard(StandardRequest),
    /// A request of the MQTT client; a publish only if its payload is inline.
    Mqtt(Request<'static>),
    /// A publish, whose payload goes the way that carries it unchanged.
    Publish(Publish),
    /// A file for the module to store.
    Upload(Upload),
    /// A command line as the caller wrote it.
    Raw(RawCommand),
}

/// A message to publish.
#[derive(Clone, PartialEq, Eq)]
pub struct Publish {
    /// The connection.
    pub connection: ConnectionId,
    /// The packet identifier; 0 with [`QoS::AtMostOnce`], and only there.
    pub message_id: u16,
    /// The quality of service.
    pub qos: QoS,
    /// Whether the broker retains the message.
    pub retain: bool,
    /// The topic.
    pub topic: String,
    /// The payload, any bytes.
    pub payload: Vec<u8>,
}

impl fmt::Debug for Publish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publish")
            .field("connection", &self.connection)
            .field("message_id", &self.message_id)
            .field("qos", &self.qos)
            .field("retain", &self.retain)
            .field("topic", &self.topic)
            .field("payload_length", &self.payload.len())
            .finish()
    }
}

/// A file for the module to store. What it holds may be a key, so `Debug` shows how long it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Upload {
    /// What the file is called in the module.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("name", &self.name)
            .field("length", &self.bytes.len())
            .finish()
    }
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
