//! MQTT by hand: packets put together byte by byte and a blocking socket to send them on.
//!
//! It shares no code with what it tests, and it can say what no MQTT library would. Everything
//! here panics when the other side does not do as expected.

mod client;

pub use self::client::{RawClient, Received};

/// PINGREQ.
pub const PINGREQ: [u8; 2] = [0xC0, 0];
/// PINGRESP.
pub const PINGRESP: [u8; 2] = [0xD0, 0];
/// DISCONNECT.
pub const DISCONNECT: [u8; 2] = [0xE0, 0];
/// CONNACK with return code 0, without a session from before.
pub const ACCEPTED: [u8; 4] = [0x20, 2, 0, 0];
/// CONNACK with return code 0 and the session-present flag.
pub const RESUMED: [u8; 4] = [0x20, 2, 1, 0];

/// A control packet: first byte, remaining length, body.
pub fn packet(header: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![header];
    let mut length = body.len();
    loop {
        let low = (length & 0x7f) as u8;
        length >>= 7;
        bytes.push(if length > 0 { low | 0x80 } else { low });
        if length == 0 {
            break;
        }
    }
    bytes.extend_from_slice(body);
    bytes
}

/// Bytes behind their length in two bytes, as strings are encoded.
pub fn field(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    let length = u16::try_from(bytes.len()).expect("a field is shorter than 65,536 bytes");
    [&length.to_be_bytes(), bytes].concat()
}

/// PUBACK.
pub fn puback(id: u16) -> Vec<u8> {
    packet(0x40, &id.to_be_bytes())
}

/// PUBREC.
pub fn pubrec(id: u16) -> Vec<u8> {
    packet(0x50, &id.to_be_bytes())
}

/// PUBREL.
pub fn pubrel(id: u16) -> Vec<u8> {
    packet(0x62, &id.to_be_bytes())
}

/// PUBCOMP.
pub fn pubcomp(id: u16) -> Vec<u8> {
    packet(0x70, &id.to_be_bytes())
}

/// SUBSCRIBE to filters, each with the QoS asked for.
pub fn subscribe(id: u16, filters: &[(&str, u8)]) -> Vec<u8> {
    let mut body = id.to_be_bytes().to_vec();
    for (filter, qos) in filters {
        body.extend(field(filter));
        body.push(*qos);
    }
    packet(0x82, &body)
}

/// SUBACK.
pub fn suback(id: u16, codes: &[u8]) -> Vec<u8> {
    packet(0x90, &[&id.to_be_bytes(), codes].concat())
}

/// UNSUBSCRIBE.
pub fn unsubscribe(id: u16, filters: &[&str]) -> Vec<u8> {
    let mut body = id.to_be_bytes().to_vec();
    for filter in filters {
        body.extend(field(filter));
    }
    packet(0xA2, &body)
}

/// UNSUBACK.
pub fn unsuback(id: u16) -> Vec<u8> {
    packet(0xB0, &id.to_be_bytes())
}

/// CONNECT, with every byte open to change.
#[derive(Clone, Debug)]
pub struct Connect {
    /// Protocol name.
    pub name: &'static str,
    /// Protocol level.
    pub level: u8,
    /// Connect flags.
    pub flags: u8,
    /// Keep Alive in seconds.
    pub keep_alive_secs: u16,
    /// Client id, will, user name and password, as they are encoded.
    pub payload: Vec<u8>,
}

impl Connect {
    /// MQTT 3.1.1, clean session, no keep-alive.
    pub fn new(client_id: impl AsRef<[u8]>) -> Self {
        Self {
            name: "MQTT",
            level: 4,
            flags: 0x02,
            keep_alive_secs: 0,
            payload: field(client_id),
        }
    }

    /// MQTT 3.1 instead.
    #[must_use]
    pub fn level_3(self) -> Self {
        Self {
            name: "MQIsdp",
            level: 3,
            ..self
        }
    }

    /// Another protocol, or another version of it.
    #[must_use]
    pub fn protocol(self, name: &'static str, level: u8) -> Self {
        Self {
            name,
            level,
            ..self
        }
    }

    /// Without the Clean Session flag.
    #[must_use]
    pub fn persistent(self) -> Self {
        Self {
            flags: self.flags & !0x02,
            ..self
        }
    }

    /// With a keep-alive interval.
    #[must_use]
    pub fn keep_alive(self, seconds: u16) -> Self {
        Self {
            keep_alive_secs: seconds,
            ..self
        }
    }

    /// With more flags, whether or not the payload fits them.
    #[must_use]
    pub fn flags(self, flags: u8) -> Self {
        Self {
            flags: self.flags | flags,
            ..self
        }
    }

    /// With a will. Comes before [`Connect::login`], as in the packet.
    #[must_use]
    pub fn will(mut self, topic: &str, payload: &[u8], qos: u8, retain: bool) -> Self {
        self.payload.extend(field(topic));
        self.payload.extend(field(payload));
        self.flags(0x04 | qos << 3 | if retain { 0x20 } else { 0 })
    }

    /// With user name and password.
    #[must_use]
    pub fn login(mut self, username: &str, password: &str) -> Self {
        self.payload.extend(field(username));
        self.payload.extend(field(password));
        self.flags(0xC0)
    }

    /// The packet.
    pub fn bytes(&self) -> Vec<u8> {
        let mut body = field(self.name);
        body.extend([self.level, self.flags]);
        body.extend(self.keep_alive_secs.to_be_bytes());
        body.extend_from_slice(&self.payload);
        packet(0x10, &body)
    }
}

/// PUBLISH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish {
    /// Topic name.
    pub topic: String,
    /// Payload.
    pub payload: Vec<u8>,
    /// QoS, 0 to 2.
    pub qos: u8,
    /// Packet identifier; 0 at QoS 0, where there is none.
    pub id: u16,
    /// DUP flag.
    pub dup: bool,
    /// RETAIN flag.
    pub retain: bool,
}

impl Publish {
    /// QoS 0 without flags.
    pub fn new(topic: &str, payload: impl AsRef<[u8]>) -> Self {
        Self {
            topic: topic.to_owned(),
            payload: payload.as_ref().to_vec(),
            qos: 0,
            id: 0,
            dup: false,
            retain: false,
        }
    }

    /// With another QoS and a packet identifier.
    #[must_use]
    pub fn qos(self, qos: u8, id: u16) -> Self {
        Self { qos, id, ..self }
    }

    /// With the DUP flag.
    #[must_use]
    pub fn dup(self) -> Self {
        Self { dup: true, ..self }
    }

    /// With the RETAIN flag.
    #[must_use]
    pub fn retain(self) -> Self {
        Self {
            retain: true,
            ..self
        }
    }

    /// The packet.
    pub fn bytes(&self) -> Vec<u8> {
        let mut body = field(&self.topic);
        if self.qos > 0 {
            body.extend(self.id.to_be_bytes());
        }
        body.extend_from_slice(&self.payload);
        let flags = u8::from(self.dup) << 3 | self.qos << 1 | u8::from(self.retain);
        packet(0x30 | flags, &body)
    }

    /// Reads a packet; `None` if it is another one.
    pub fn read(packet: &[u8]) -> Option<Self> {
        let header = *packet.first()?;
        if header >> 4 != 3 {
            return None;
        }
        let body = &packet[1 + packet[1..].iter().position(|byte| byte & 0x80 == 0)? + 1..];
        let (length, rest) = body.split_at_checked(2)?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        let (topic, mut rest) = rest.split_at_checked(length)?;
        let qos = header >> 1 & 3;
        let mut id = 0;
        if qos > 0 {
            let (bytes, after) = rest.split_at_checked(2)?;
            id = u16::from_be_bytes([bytes[0], bytes[1]]);
            rest = after;
        }
        Some(Self {
            topic: String::from_utf8(topic.to_vec()).ok()?,
            payload: rest.to_vec(),
            qos,
            id,
            dup: header & 0x08 != 0,
            retain: header & 0x01 != 0,
        })
    }
}
