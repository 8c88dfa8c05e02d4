//! The core in virtual time, with hand-made packets.

mod limits;
mod properties;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::*;
use crate::broker::{ConnectReturnCode, Credentials, Greeting};

const PINGREQ: &[u8] = b"\xC0\0";
const PINGRESP: &[u8] = b"\xD0\0";
const DISCONNECT: &[u8] = b"\xE0\0";
const ACCEPTED: &[u8] = b"\x20\x02\0\0";
const RESUMED: &[u8] = b"\x20\x02\x01\0";

/// A core, the time, and what came out.
struct Bench {
    core: Core,
    now: Instant,
    sent: BTreeMap<ConnectionId, Vec<u8>>,
    closed: BTreeMap<ConnectionId, CloseReason>,
    deadline: Option<Instant>,
}

impl Bench {
    fn new(limits: Limits) -> Self {
        Self::with(Core::new(limits))
    }

    fn with(core: Core) -> Self {
        let (sent, closed) = (BTreeMap::new(), BTreeMap::new());
        Self {
            core,
            now: Instant::now(),
            sent,
            closed,
            deadline: None,
        }
    }

    fn open(&mut self) -> ConnectionId {
        let id = self.core.open(self.now);
        self.drain();
        id
    }

    fn receive(&mut self, id: ConnectionId, bytes: impl AsRef<[u8]>) {
        self.core.receive(id, bytes.as_ref(), self.now);
        self.drain();
    }

    /// Opens a connection and sends CONNECT with these flags and keep-alive.
    fn connect(&mut self, client_id: &str, flags: u8, keep_alive: u8) -> ConnectionId {
        let id = self.open();
        self.receive(id, connect(client_id, flags, keep_alive));
        id
    }

    /// A clean session with subscriptions at one QoS.
    fn subscriber(&mut self, client_id: &str, filters: &[&str], qos: u8) -> ConnectionId {
        let id = self.connect(client_id, 0x02, 0);
        for filter in filters {
            self.receive(id, subscribe(filter, qos));
        }
        self.take(id);
        id
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.core.handle_timeout(self.now);
        self.drain();
    }

    /// What was sent to a connection since the last call.
    fn take(&mut self, id: ConnectionId) -> Vec<u8> {
        self.sent.remove(&id).unwrap_or_default()
    }

    fn drain(&mut self) {
        loop {
            match self.core.poll() {
                Output::Transmit { connection, bytes } => {
                    assert!(!self.closed.contains_key(&connection), "sent after the end");
                    self.sent.entry(connection).or_default().extend(bytes);
                }
                Output::Close { connection, reason } => {
                    let before = self.closed.insert(connection, reason);
                    assert_eq!(before, None, "closed twice");
                }
                Output::Wait(deadline) => {
                    self.deadline = deadline;
                    return;
                }
            }
        }
    }
}

fn packet(header: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    assert!(
        body.len() < 128,
        "a test packet has a remaining length of one byte"
    );
    [&[header, body.len() as u8][..], &body].concat()
}

fn connect(client_id: &str, flags: u8, keep_alive: u8) -> Vec<u8> {
    let will: &[u8] = if flags & 4 == 0 {
        b""
    } else {
        b"\0\x04will\0\x04gone"
    };
    let head = [flags, 0, keep_alive, 0, client_id.len() as u8];
    packet(
        0x10,
        &[b"\0\x04MQTT\x04", &head, client_id.as_bytes(), will],
    )
}

fn subscribe(filter: &str, qos: u8) -> Vec<u8> {
    packet(
        0x82,
        &[&[0, 1, 0, filter.len() as u8], filter.as_bytes(), &[qos]],
    )
}

fn publish(flags: u8, topic: &str, id: u8, payload: &[u8]) -> Vec<u8> {
    let id = [0, id];
    let id = if flags & 6 == 0 { &[][..] } else { &id };
    packet(
        0x30 | flags,
        &[&[0, topic.len() as u8], topic.as_bytes(), id, payload],
    )
}

const GONE: &[u8] = b"\x30\x0A\0\x04willgone";

#[test]
fn a_connection_without_connect_is_closed_in_time() {
    let mut bench = Bench::new(Limits::default());
    let id = bench.open();
    assert_eq!(bench.deadline, Some(bench.now + Duration::from_secs(90)));
    bench.pass(Duration::from_secs(89));
    assert!(bench.closed.is_empty());
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.closed[&id], CloseReason::ConnectTimeout);
    assert_eq!(bench.deadline, None);
}

#[test]
fn keep_alive_is_enforced_after_one_and_a_half_intervals_of_silence() {
    let mut bench = Bench::new(Limits::default());
    let observer = bench.subscriber("observer", &["will"], 0);
    let id = bench.connect("c", 0x06, 10);
    assert_eq!(bench.deadline, Some(bench.now + Duration::from_secs(15)));
    bench.pass(Duration::from_secs(14));
    bench.receive(id, PINGREQ);
    bench.pass(Duration::from_millis(14_999));
    assert_eq!(bench.take(id), [ACCEPTED, PINGRESP].concat());
    assert_eq!(bench.take(observer), b"");
    bench.pass(Duration::from_millis(1));
    assert_eq!(bench.closed[&id], CloseReason::KeepAliveTimeout);
    assert_eq!(bench.take(observer), GONE);
}

#[test]
fn half_a_packet_does_not_keep_a_connection_alive() {
    let mut bench = Bench::new(Limits::default());
    let id = bench.connect("c", 0x02, 10);
    bench.pass(Duration::from_secs(14));
    bench.receive(id, b"\x30\x50\0");
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.closed[&id], CloseReason::KeepAliveTimeout);
}

#[test]
fn without_keep_alive_there_is_no_deadline() {
    let mut bench = Bench::new(Limits::default());
    let id = bench.connect("c", 0x02, 0);
    bench.pass(Duration::from_secs(1_000_000));
    bench.receive(id, PINGREQ);
    assert_eq!(bench.take(id), [ACCEPTED, PINGRESP].concat());
    assert_eq!(bench.deadline, None);
}

#[test]
fn connections_that_are_gone_leave_nothing_behind() {
    let mut bench = Bench::new(Limits::default());
    for _ in 0..10 {
        let id = bench.subscriber("c", &["a/b", "$share/g/#"], 1);
        bench.receive(id, DISCONNECT);
        let id = bench.connect("c", 0x06, 10);
        bench.core.closed(id);
        let id = bench.open();
        bench.core.closed(id);
        bench.drain();
    }
    let core = &bench.core;
    assert!(core.connections.is_empty() && core.sessions.is_empty() && core.clients.is_empty());
    assert!(core.timers.is_empty() && core.ready.is_empty() && core.ending.is_empty());
    assert_eq!(bench.deadline, None);
}

#[test]
fn wills_that_end_connections_publish_further_wills() {
    // Whoever gets this will cannot take it, and leaves one itself.
    let mut bench = Bench::new(Limits {
        outgoing_bytes: 20,
        ..Limits::default()
    });
    let ids = ["a", "b", "c"].map(|client_id| {
        let id = bench.connect(client_id, 0x06, 0);
        bench.receive(id, subscribe("will", 0));
        id
    });
    bench.core.closed(ids[0]);
    bench.drain();
    let overflow = CloseReason::Overflow { limit: 20 };
    assert_eq!(bench.closed[&ids[1]], overflow);
    assert_eq!(bench.closed[&ids[2]], overflow);
}

#[test]
fn the_authenticator_decides() {
    use ConnectReturnCode as Code;
    for code in [
        Code::UnacceptableProtocolVersion,
        Code::IdentifierRejected,
        Code::ServerUnavailable,
        Code::BadUserNameOrPassword,
        Code::NotAuthorized,
    ] {
        let core = Core::default().authenticated_by(move |who: &Credentials| {
            if who.client_id == "good" {
                Code::Accepted
            } else {
                code
            }
        });
        let mut bench = Bench::with(core);
        let id = bench.connect("good", 0x02, 0);
        assert_eq!(bench.take(id), ACCEPTED);
        let id = bench.connect("bad", 0x02, 0);
        assert_eq!(bench.take(id), [0x20, 2, 0, code.code()]);
        assert_eq!(bench.closed[&id], CloseReason::Refused(code));
    }
}

#[test]
fn a_refused_client_takes_nothing_over() {
    let core = Core::default().authenticated_by(|who: &Credentials| match who.username {
        None => ConnectReturnCode::Accepted,
        Some(_) => ConnectReturnCode::NotAuthorized,
    });
    let mut bench = Bench::with(core);
    let owner = bench.connect("c", 0x02, 0);
    let intruder = bench.open();
    bench.receive(
        intruder,
        packet(0x10, &[b"\0\x04MQTT\x04\x82\0\0\0\x01c\0\x01u"]),
    );
    assert!(bench.closed.contains_key(&intruder) && !bench.closed.contains_key(&owner));
}

#[test]
fn a_greeting_to_no_topic_is_not_sent() {
    struct Greeter(String);

    impl Authenticator for Greeter {
        fn authenticate(&mut self, _: &Credentials) -> ConnectReturnCode {
            ConnectReturnCode::Accepted
        }

        fn greet(&mut self, _: &Credentials) -> Option<Greeting> {
            let topic = self.0.clone();
            let payload = b"hello".to_vec();
            Some(Greeting { topic, payload })
        }
    }

    let greeting = publish(0, "t", 0, b"hello");
    for (topic, greeting) in [("t", &greeting[..]), ("#", b""), ("", b"")] {
        let core = Core::default().authenticated_by(Greeter(topic.to_owned()));
        let mut bench = Bench::with(core);
        let id = bench.connect("c", 0x02, 0);
        assert_eq!(bench.take(id), [ACCEPTED, greeting].concat());
    }
}

#[test]
fn queue_subscriptions_share_like_a_group() {
    let mut bench = Bench::new(Limits::default());
    let one = bench.subscriber("one", &["$queue/t"], 0);
    let two = bench.subscriber("two", &["$queue/t"], 0);
    let publisher = bench.subscriber("publisher", &[], 0);
    for payload in [b"1", b"2", b"3"] {
        bench.receive(publisher, publish(0, "t", 0, payload));
    }
    assert_eq!(
        bench.take(one),
        [publish(0, "t", 0, b"1"), publish(0, "t", 0, b"3")].concat()
    );
    assert_eq!(bench.take(two), publish(0, "t", 0, b"2"));
}

#[test]
fn stale_acknowledgements_are_counted_and_ignored() {
    let mut bench = Bench::new(Limits::default());
    let id = bench.subscriber("c", &[], 0);
    bench.receive(id, b"\x40\x02\0\x09\x50\x02\0\x09\x70\x02\0\x09");
    assert_eq!(bench.take(id), b"\x62\x02\0\x09");
    assert_eq!(bench.core.counters().stale_acknowledgements, 3);
    assert!(bench.closed.is_empty());
}

#[test]
fn packets_of_a_broker_and_a_second_connect_close() {
    for packet in [ACCEPTED, PINGRESP, b"\x90\x03\0\x01\0", b"\xB0\x02\0\x01"] {
        let mut bench = Bench::new(Limits::default());
        let id = bench.subscriber("c", &[], 0);
        bench.receive(id, packet);
        assert_eq!(
            bench.closed[&id],
            CloseReason::Violation(Violation::PacketType(packet[0] >> 4))
        );
    }
    for level in [4, 6] {
        let mut bench = Bench::new(Limits::default());
        let observer = bench.subscriber("observer", &["will"], 0);
        let id = bench.connect("c", 0x06, 0);
        let mut second = connect("c", 0x06, 0);
        second[8] = level;
        bench.receive(id, second);
        assert_eq!(
            bench.closed[&id],
            CloseReason::Violation(Violation::SecondConnect)
        );
        assert_eq!(bench.take(id), ACCEPTED);
        assert_eq!(bench.take(observer), GONE);
    }
}

#[test]
fn what_comes_after_the_end_is_ignored() {
    let mut bench = Bench::new(Limits::default());
    let observer = bench.subscriber("observer", &["#"], 0);
    let id = bench.connect("c", 0x02, 0);
    bench.receive(id, [DISCONNECT, &publish(0, "t", 0, b"late")].concat());
    bench.receive(id, publish(0, "t", 0, b"later"));
    bench.core.closed(id);
    bench.drain();
    assert_eq!(bench.take(observer), b"");
}
