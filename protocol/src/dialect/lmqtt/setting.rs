use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::ops::{Index, IndexMut};

use crate::Secret;
use crate::at::parameter;
use crate::mqtt::{AliDevice, ConnectionId, Timeouts, Version, Will};

/// A value of the connection's configuration, set before it is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting<'a> {
    /// Version of the MQTT protocol.
    Version(Version),
    /// Whether the broker drops what it keeps of an earlier session of this client id.
    CleanSession(bool),
    /// Seconds between two packets after which the module sends a PINGREQ; 0 is never.
    KeepAlive(u16),
    /// How long an acknowledgement is awaited, and how often the packet is sent again.
    Timeouts(Timeouts),
    /// How received payloads are written, and whether their length stands before them.
    ReceiveMode {
        /// How the payload is written.
        format: DataFormat,
        /// Whether `<len>` stands before the payload.
        show_length: bool,
    },
    /// How payloads to publish are written.
    SendMode(DataFormat),
    /// Both formats in one.
    DataFormats {
        /// How payloads to publish are written.
        send: DataFormat,
        /// How received payloads are written.
        receive: DataFormat,
    },
    /// Whether received messages wait in the module until they are read.
    Cache(bool),
    /// Whether the outcome of a publish is reported as a URC.
    ResultUrcs(bool),
    /// The cloud platform, and how its payloads are framed.
    Cloud {
        /// 1 OneNET, 2 Alibaba Cloud, others: plain MQTT.
        platform: u8,
        /// 1 JSON in the manual's example; depends on the platform.
        data_type: u8,
    },
    /// An Alibaba Cloud device, from which the module computes its credentials.
    AliAuth {
        /// `ProductKey`
        product_key: Cow<'a, str>,
        /// `DeviceName`
        device_name: Cow<'a, str>,
        /// `DeviceSecret`
        device_secret: Secret<'a>,
    },
    /// The same, with what else the module may be told of such a device. It shares its key,
    /// [`SettingKey::AliAuth`].
    AliDevice(AliDevice<'a>),
    /// Whether the module leaves the connected state of the radio at once after a keepalive
    /// (release assistance).
    QuickRelease(bool),
    /// The packet data context that the link is made over.
    PdpContext(u8),
    /// Whether the link is TLS, and with which of the module's TLS contexts.
    Tls {
        /// TLS instead of TCP.
        enabled: bool,
        /// The TLS context, 0 to 5.
        context: u8,
    },
    /// What the broker publishes when the connection is lost, or nothing.
    Will(Option<Will>),
}

/// Names a [`Setting`], to ask for its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(
    missing_docs,
    reason = "each is documented at the setting of the same name"
)]
pub enum SettingKey {
    Version,
    CleanSession,
    KeepAlive,
    Timeouts,
    ReceiveMode,
    SendMode,
    DataFormats,
    Cache,
    ResultUrcs,
    Cloud,
    AliAuth,
    QuickRelease,
    PdpContext,
    Tls,
    Will,
}

impl Setting<'_> {
    /// What the setting is called.
    pub fn key(&self) -> SettingKey {
        match self {
            Self::Version(_) => SettingKey::Version,
            Self::CleanSession(_) => SettingKey::CleanSession,
            Self::KeepAlive(_) => SettingKey::KeepAlive,
            Self::Timeouts(_) => SettingKey::Timeouts,
            Self::ReceiveMode { .. } => SettingKey::ReceiveMode,
            Self::SendMode(_) => SettingKey::SendMode,
            Self::DataFormats { .. } => SettingKey::DataFormats,
            Self::Cache(_) => SettingKey::Cache,
            Self::ResultUrcs(_) => SettingKey::ResultUrcs,
            Self::Cloud { .. } => SettingKey::Cloud,
            Self::AliAuth { .. } | Self::AliDevice(_) => SettingKey::AliAuth,
            Self::QuickRelease(_) => SettingKey::QuickRelease,
            Self::PdpContext(_) => SettingKey::PdpContext,
            Self::Tls { .. } => SettingKey::Tls,
            Self::Will(_) => SettingKey::Will,
        }
    }
}

/// How a payload is written on the AT interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DataFormat {
    /// As it is.
    #[default]
    Text = 0,
    /// Two hexadecimal digits a byte, between quotes (inferred).
    HexString = 1,
    /// Two hexadecimal digits a byte, without quotes (inferred).
    Hex = 2,
}

impl DataFormat {
    /// From the number on the wire; `None` above 2.
    pub fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Text),
            1 => Some(Self::HexString),
            2 => Some(Self::Hex),
            _ => None,
        }
    }

    /// How many bytes a payload of `length` bytes takes on the wire, quotes aside.
    pub fn wire_length(self, length: usize) -> usize {
        match self {
            Self::Text => length,
            Self::HexString | Self::Hex => length.saturating_mul(2),
        }
    }

    /// The payload as it stands on the wire, quotes aside.
    pub fn encode(self, payload: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
        match self {
            Self::Text => payload,
            Self::HexString | Self::Hex => {
                let mut digits = Vec::with_capacity(payload.len() * 2);
                parameter::encode_hex(&payload, &mut digits);
                Cow::Owned(digits)
            }
        }
    }

    /// The payload that stands on the wire, quotes aside; `None` if it is not in this format.
    pub fn decode(self, wire: &[u8]) -> Option<Cow<'_, [u8]>> {
        match self {
            Self::Text => Some(Cow::Borrowed(wire)),
            Self::HexString | Self::Hex => parameter::decode_hex(wire).map(Cow::Owned),
        }
    }
}

/// How the payloads of one connection are written, in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Formats {
    /// Payloads that the host gives to publish.
    pub send: DataFormat,
    /// Payloads that the module reports.
    pub receive: DataFormat,
    /// Whether the length stands before a reported payload.
    pub show_length: bool,
}

impl Formats {
    /// Takes over what a setting says of the formats; others change nothing.
    pub fn apply(&mut self, setting: &Setting<'_>) {
        match *setting {
            Setting::ReceiveMode {
                format,
                show_length,
            } => {
                self.receive = format;
                self.show_length = show_length;
            }
            Setting::SendMode(format) => self.send = format,
            Setting::DataFormats { send, receive } => {
                self.send = send;
                self.receive = receive;
            }
            _ => {}
        }
    }
}

/// The formats of all connections of a module. A connection that no module has is plain text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FormatTable([Formats; FormatTable::CONNECTIONS]);

impl FormatTable {
    /// QMT has the most connections, 0 to 5 (reference `qmt.md` 2); one more for all others.
    const CONNECTIONS: usize = 7;

    /// These formats for every connection.
    pub const fn all(formats: Formats) -> Self {
        Self([formats; Self::CONNECTIONS])
    }

    fn place(connection: ConnectionId) -> usize {
        usize::from(connection.0).min(Self::CONNECTIONS - 1)
    }
}

impl Index<ConnectionId> for FormatTable {
    type Output = Formats;

    fn index(&self, connection: ConnectionId) -> &Formats {
        &self.0[Self::place(connection)]
    }
}

impl IndexMut<ConnectionId> for FormatTable {
    fn index_mut(&mut self, connection: ConnectionId) -> &mut Formats {
        &mut self.0[Self::place(connection)]
    }
}
