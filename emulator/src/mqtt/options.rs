use std::fmt;
use std::time::Duration;

pub use atmq_protocol::mqtt::{QoS, Version};

/// The message a broker publishes when the client vanishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Will {
    /// Topic it is published to.
    pub topic: String,
    /// Its payload.
    pub payload: Vec<u8>,
    /// Its quality of service.
    pub qos: QoS,
    /// Whether the broker retains it.
    pub retain: bool,
}

/// What a CONNECT carries, and how patient the client is.
#[derive(Clone)]
pub struct ConnectOptions {
    /// Protocol version.
    pub version: Version,
    /// Client identifier; what an empty one means is for the broker to say.
    pub client_id: String,
    /// User name.
    pub username: Option<String>,
    /// Password; MQTT allows one only with a user name.
    pub password: Option<Vec<u8>>,
    /// Whether both sides forget everything about earlier and later links.
    pub clean_session: bool,
    /// Seconds after which a silent client sends PINGREQ; 0 means never.
    pub keep_alive: u16,
    /// The will, if any.
    pub will: Option<Will>,
    /// How long an answer may take before its packet is sent again.
    pub packet_timeout: Duration,
    /// How often a packet is sent again before its exchange has failed.
    pub retries: u32,
    /// The largest packet accepted from the broker, in bytes with its header.
    pub maximum_packet_size: u32,
}

impl ConnectOptions {
    /// Eight times the 8,000 bytes that the largest publish of the known modules may carry. Whatever
    /// a module of the fleet sends reaches another one; a broker that announces more cannot make
    /// the emulator allocate it.
    pub const DEFAULT_MAXIMUM_PACKET_SIZE: u32 = 64 * 1024;

    /// What modules do when nothing is configured: MQTT 3.1.1, a persistent session, 120 s of
    /// keepalive; and the EigenComm stack's 10 s and 3 retries for an unanswered packet.
    pub fn new(client_id: impl Into<String>) -> Self {
        Self {
            version: Version::default(),
            client_id: client_id.into(),
            username: None,
            password: None,
            clean_session: false,
            keep_alive: 120,
            will: None,
            packet_timeout: Duration::from_secs(10),
            retries: 3,
            maximum_packet_size: Self::DEFAULT_MAXIMUM_PACKET_SIZE,
        }
    }
}

impl fmt::Debug for ConnectOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectOptions")
            .field("version", &self.version)
            .field("client_id", &self.client_id)
            .field("username", &self.username)
            .field("password", &self.password.as_ref().map(|_| "redacted"))
            .field("clean_session", &self.clean_session)
            .field("keep_alive", &self.keep_alive)
            .field("will", &self.will)
            .field("packet_timeout", &self.packet_timeout)
            .field("retries", &self.retries)
            .field("maximum_packet_size", &self.maximum_packet_size)
            .finish()
    }
}

/// A message the host publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publication<'a> {
    /// The host's msgID. It is the packet identifier on the wire, but where MQTT has no place for
    /// it: with QoS 0, and when it is 0.
    pub message_id: u16,
    /// Quality of service.
    pub qos: QoS,
    /// Whether the broker retains the message.
    pub retain: bool,
    /// Topic name.
    pub topic: &'a str,
    /// Payload.
    pub payload: &'a [u8],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_of_the_options_hides_the_password() {
        let mut options = ConnectOptions::new("device");
        options.password = Some(b"hunter2".to_vec());
        let text = format!("{options:?}");
        assert!(
            !text.contains("hunter2") && !text.contains("104, 117"),
            "{text}"
        );
        assert!(text.contains("redacted"), "{text}");
    }
}
