use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

use super::{AliDevice, ConnectionId, QoS, TlsVersion};
use crate::Secret;

/// Everything that a connection to a broker is made with.
///
/// A host asks for it with [`Operation::Connect`](super::Operation::Connect); a module hands it to
/// its own client with [`Act::Connect`](crate::dialect::Act::Connect).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connect {
    /// Which of the module's connections.
    pub connection: ConnectionId,
    /// Name or address of the broker.
    pub host: String,
    /// Its TCP port.
    pub port: u16,
    /// The client id; the broker may refuse an empty one.
    pub client_id: String,
    /// The user name.
    pub username: Option<String>,
    /// The password; only with a user name.
    pub password: Option<Secret<'static>>,
    /// Version of the MQTT protocol.
    pub version: Version,
    /// Whether the broker drops what it keeps of an earlier session of this client id.
    pub clean_session: bool,
    /// Seconds without a packet after which the module sends a PINGREQ; 0 is never.
    pub keep_alive: u16,
    /// How long and how often the module waits for acknowledgements; `None` is its own choice.
    pub timeouts: Option<Timeouts>,
    /// What the broker publishes when the connection is lost.
    pub will: Option<Will>,
    /// How the link is secured; `None` is plain TCP.
    pub tls: Option<TlsUse>,
    /// The Alibaba Cloud device from which the module computes its credentials.
    pub device: Option<AliDevice<'static>>,
    /// How payloads to publish are given to the module.
    pub payloads: PayloadFormat,
    /// Whether received payloads are reported in hexadecimal digits.
    pub receive_hex: bool,
    /// Whether received messages wait in the module until they are read.
    pub cached: bool,
    /// How long the link may take to open; `None` is what the manual allows.
    pub open_limit: Option<Duration>,
}

impl Connect {
    /// MQTT 3.1.1 over TCP with a clean session, a keepalive of 120 s and no credentials.
    pub fn new(
        connection: ConnectionId,
        host: impl Into<String>,
        port: u16,
        client_id: impl Into<String>,
    ) -> Self {
        Self {
            connection,
            host: host.into(),
            port,
            client_id: client_id.into(),
            username: None,
            password: None,
            version: Version::default(),
            clean_session: true,
            keep_alive: Self::KEEP_ALIVE,
            timeouts: None,
            will: None,
            tls: None,
            device: None,
            payloads: PayloadFormat::Automatic,
            receive_hex: false,
            cached: false,
            open_limit: None,
        }
    }

    /// The keepalive unless another is asked for, in seconds.
    pub const KEEP_ALIVE: u16 = 120;
}

/// Version of the MQTT protocol, by its protocol level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    /// MQTT 3.1
    V3_1 = 3,
    /// MQTT 3.1.1
    #[default]
    V3_1_1 = 4,
}

/// How long and how often the module tries to have a packet acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Seconds until a packet without acknowledgement is sent again, 1 to 60.
    pub packet_seconds: u8,
    /// How often it is sent again, 1 to 10.
    pub retries: u8,
    /// Whether each repetition is reported.
    pub notice: bool,
}

impl Default for Timeouts {
    /// EigenComm's defaults (reference `ecmt.md` 2.2), which other families are taken to share.
    fn default() -> Self {
        Self {
            packet_seconds: 10,
            retries: 3,
            notice: false,
        }
    }
}

/// The message that the broker publishes when the connection is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Will {
    /// Where it is published.
    pub topic: String,
    /// What is published.
    pub payload: alloc::vec::Vec<u8>,
    /// With which quality of service.
    pub qos: QoS,
    /// Whether the broker retains it.
    pub retain: bool,
}

impl Will {
    /// A will that is sent at most once and not retained.
    ///
    /// ```
    /// # use atmq_protocol::mqtt::{QoS, Will};
    /// let will = Will::new("meter/7/state", "offline").qos(QoS::AtLeastOnce).retain(true);
    /// assert_eq!(will.payload, b"offline");
    /// assert_eq!(Will::new(String::from("t"), String::from("gone")), Will::new("t", b"gone"));
    /// ```
    pub fn new(topic: impl Into<String>, payload: impl Into<alloc::vec::Vec<u8>>) -> Self {
        Self {
            topic: topic.into(),
            payload: payload.into(),
            qos: QoS::AtMostOnce,
            retain: false,
        }
    }

    /// With which quality of service it is published.
    pub fn qos(mut self, qos: QoS) -> Self {
        self.qos = qos;
        self
    }

    /// Whether the broker retains it.
    pub fn retain(mut self, retain: bool) -> Self {
        self.retain = retain;
        self
    }
}

/// How payloads to publish are given to the module. It holds for a connection as long as it is
/// open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum PayloadFormat {
    /// As they are, inside of the command or behind a prompt, where the module carries every byte
    /// so; in hexadecimal digits on a module whose prompt ends at Ctrl-Z and ESC
    /// ([`Limits::prompt_end`](crate::limits::Limits::prompt_end)).
    #[default]
    Automatic,
    /// In hexadecimal digits. Two of them make a byte, so half as much fits.
    Hex,
}

/// Which of the module's TLS contexts secures a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsUse {
    /// The context, counted as the module counts them.
    pub context: u8,
    /// What it is set to before; `None` if that has been done.
    pub set_up: Option<TlsSetUp>,
}

/// A certificate or a key, as PEM.
pub type Pem = Arc<[u8]>;

/// What a TLS context is set to. Certificates and keys are PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct TlsSetUp {
    /// The certificates trusted to sign the broker's; `None` verifies nothing.
    pub ca: Option<Pem>,
    /// The module's certificate and its private key.
    pub identity: Option<(Pem, Pem)>,
    /// Which versions of TLS are spoken.
    pub version: TlsVersion,
    /// Whether the host's name is sent in the handshake (SNI).
    pub server_name: bool,
    /// Whether a certificate is good before and after its time.
    pub ignore_time: bool,
}

/// A key is not shown.
impl fmt::Debug for TlsSetUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsSetUp")
            .field("verified", &self.ca.is_some())
            .field("client", &self.identity.is_some())
            .field("version", &self.version)
            .field("server_name", &self.server_name)
            .field("ignore_time", &self.ignore_time)
            .finish()
    }
}
