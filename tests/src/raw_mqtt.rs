//! MQTT by hand: packets put together byte by byte and a blocking socket to send them on.
//!
//! It shares no code with what it tests, and it can say what no MQTT library would. Everything
//! here panics when the other side does not do as expected.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long the other side may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

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

/// The client's end of a connection.
#[derive(Debug)]
pub struct RawClient {
    stream: TcpStream,
    received: Vec<u8>,
}

impl RawClient {
    /// Opens the connection and sends nothing.
    pub fn open(broker: SocketAddr) -> Self {
        let stream = TcpStream::connect(broker).expect("the broker accepts connections");
        stream
            .set_nodelay(true)
            .expect("a connected socket takes options");
        Self {
            stream,
            received: Vec::new(),
        }
    }

    /// Opens the connection, sends CONNECT and expects CONNACK without a session from before.
    #[track_caller]
    pub fn connect(broker: SocketAddr, connect: &Connect) -> Self {
        let mut client = Self::open(broker);
        client.send(connect.bytes());
        client.expect(ACCEPTED);
        client
    }

    /// Opens the connection, sends CONNECT and expects CONNACK with the session-present flag.
    #[track_caller]
    pub fn resume(broker: SocketAddr, connect: &Connect) -> Self {
        let mut client = Self::open(broker);
        client.send(connect.bytes());
        client.expect(RESUMED);
        client
    }

    /// Sends bytes.
    #[track_caller]
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream
            .write_all(bytes.as_ref())
            .expect("the connection is open");
    }

    /// Sends bytes to a connection that the other side may be about to close.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) {
        // That it is closed already is for the next read to find.
        let _ = self.stream.write_all(bytes.as_ref());
    }

    /// The next packet.
    #[track_caller]
    pub fn receive(&mut self) -> Vec<u8> {
        match self.receive_within(ANSWER_LIMIT) {
            Received::Packet(packet) => packet,
            other => panic!("expected a packet: {other:?}"),
        }
    }

    /// Expects exactly this packet.
    #[track_caller]
    pub fn expect(&mut self, packet: impl AsRef<[u8]>) {
        let received = self.receive();
        assert_eq!(
            received,
            packet.as_ref(),
            "received (left) another packet than expected"
        );
    }

    /// Expects PUBLISH.
    #[track_caller]
    pub fn expect_publish(&mut self) -> Publish {
        let packet = self.receive();
        match Publish::read(&packet) {
            Some(publish) => publish,
            None => panic!("expected PUBLISH, received {packet:02x?}"),
        }
    }

    /// Expects the connection to be closed, without another packet before.
    #[track_caller]
    pub fn expect_closed(&mut self) {
        self.expect_closed_within(ANSWER_LIMIT);
    }

    /// Expects the connection to be closed, with a time limit of one's own.
    #[track_caller]
    pub fn expect_closed_within(&mut self, limit: Duration) {
        match self.receive_within(limit) {
            Received::Closed => {}
            other => panic!("expected the connection to be closed: {other:?}"),
        }
    }

    /// Waits until the other side has dealt with everything sent before, and returns what it sent
    /// meanwhile.
    #[track_caller]
    pub fn fence(&mut self) -> Vec<Vec<u8>> {
        self.send(PINGREQ);
        let mut packets = Vec::new();
        loop {
            let packet = self.receive();
            if packet == PINGRESP {
                return packets;
            }
            packets.push(packet);
        }
    }

    /// Waits until the other side has dealt with everything sent before, and expects that it sent
    /// nothing.
    #[track_caller]
    pub fn expect_nothing(&mut self) {
        let packets = self.fence();
        assert!(
            packets.is_empty(),
            "expected nothing, received {packets:02x?}"
        );
    }

    /// Subscribes, and expects every QoS to be granted as asked.
    #[track_caller]
    pub fn subscribe(&mut self, filters: &[(&str, u8)]) {
        const ID: u16 = 0x5B5C;
        self.send(subscribe(ID, filters));
        let codes: Vec<u8> = filters.iter().map(|(_, qos)| *qos).collect();
        self.expect(suback(ID, &codes));
    }

    /// Publishes and goes through the whole exchange that its QoS asks for.
    #[track_caller]
    pub fn publish(&mut self, publish: &Publish) {
        self.send(publish.bytes());
        match publish.qos {
            0 => self.expect_nothing(),
            1 => self.expect(puback(publish.id)),
            _ => {
                self.expect(pubrec(publish.id));
                self.send(pubrel(publish.id));
                self.expect(pubcomp(publish.id));
            }
        }
    }

    /// Expects PUBLISH and goes through the whole exchange that its QoS asks for.
    #[track_caller]
    pub fn accept_publish(&mut self) -> Publish {
        let publish = self.expect_publish();
        match publish.qos {
            0 => {}
            1 => self.send(puback(publish.id)),
            _ => {
                self.send(pubrec(publish.id));
                self.expect(pubrel(publish.id));
                self.send(pubcomp(publish.id));
            }
        }
        publish
    }

    /// Waits for the next packet, or for the end, or for the time limit.
    pub fn receive_within(&mut self, limit: Duration) -> Received {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(packet) = self.split_off() {
                return Received::Packet(packet);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Received::Nothing;
            }
            self.stream
                .set_read_timeout(Some(left))
                .expect("a connected socket takes options");
            let mut chunk = [0; 4096];
            match self.stream.read(&mut chunk) {
                Ok(0) => return Received::Closed,
                Ok(length) => self.received.extend_from_slice(&chunk[..length]),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => {}
                    ErrorKind::Interrupted => {}
                    _ => return Received::Closed,
                },
            }
        }
    }

    /// The first whole packet received.
    fn split_off(&mut self) -> Option<Vec<u8>> {
        let end = self
            .received
            .get(1..)?
            .iter()
            .position(|byte| byte & 0x80 == 0)?
            + 2;
        let digits = self.received[1..end].iter().rev();
        let length = digits.fold(0, |sum, byte| sum << 7 | usize::from(byte & 0x7f));
        if self.received.len() < end + length {
            return None;
        }
        Some(self.received.drain(..end + length).collect())
    }
}

/// What came from the other side within a time limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// A whole packet.
    Packet(Vec<u8>),
    /// The connection was closed, possibly in the middle of a packet.
    Closed,
    /// Neither.
    Nothing,
}
