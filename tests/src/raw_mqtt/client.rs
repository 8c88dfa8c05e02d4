//! A socket to send hand-made packets on.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::{
    ACCEPTED, Connect, PINGREQ, PINGRESP, Publish, RESUMED, puback, pubcomp, pubrec, pubrel,
    suback, subscribe,
};

/// How long the other side may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

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
