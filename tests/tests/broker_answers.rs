//! What the emulated module makes of a broker that answers otherwise than asked: of hand-made
//! bytes, as its host hears it.

use std::time::{Duration, Instant, SystemTime};

use atmq_emulator::Profile;
use atmq_emulator::modem::Modem;
use atmq_emulator::network::{NetworkEvent, NetworkRequest};

const LINK: u8 = 0;

/// A module without latency, connected to whoever [`Bench::broker`] speaks for.
struct Bench {
    modem: Modem,
    now: Instant,
    closed: bool,
}

impl Bench {
    fn connected() -> Self {
        Self::connected_as(Profile::nt35e())
    }

    fn connected_as(profile: Profile) -> Self {
        let now = Instant::now();
        let profile = profile.instant();
        let mut bench = Self {
            modem: Modem::new(profile, 0, now, SystemTime::now()),
            now,
            closed: false,
        };
        bench.host("ATE0");
        bench.host("AT+LMQTTOPEN=0,\"h\",1883");
        bench.host("AT+LMQTTCONN=0,\"id\"");
        assert_eq!(bench.broker(b"\x20\x02\0\0"), "+LMQTTCONN: 0,0,0");
        bench
    }

    /// The host sends a command; what it hears.
    fn host(&mut self, line: &str) -> String {
        self.modem.receive(format!("{line}\r").as_bytes(), self.now);
        self.heard()
    }

    /// The broker sends bytes; what the host hears.
    fn broker(&mut self, bytes: &[u8]) -> String {
        let bytes = bytes.to_vec();
        let event = NetworkEvent::Received { link: LINK, bytes };
        self.modem.handle_network(event, self.now);
        self.heard()
    }

    /// The lines that the host hears, with a blank between them.
    fn heard(&mut self) -> String {
        let mut heard = Vec::new();
        loop {
            while let Some(bytes) = self.modem.poll_transmit() {
                heard.extend(bytes);
            }
            match self.modem.poll_network() {
                Some(NetworkRequest::Open { link, .. }) => {
                    let event = NetworkEvent::Opened { link };
                    self.modem.handle_network(event, self.now);
                }
                Some(NetworkRequest::Close { .. }) => self.closed = true,
                Some(NetworkRequest::Send { .. }) => {}
                None => break,
            }
        }
        let heard = String::from_utf8(heard).expect("the module writes text");
        let lines = heard.split("\r\n").filter(|line| !line.is_empty());
        lines.collect::<Vec<_>>().join(" ")
    }
}

#[test]
fn a_subscription_that_the_broker_refuses_is_never_reported_as_made() {
    let two = "AT+LMQTTSUBUNSUB=0,0,7,\"a\",1,\"b\",1";
    for (codes, reported) in [
        ([0, 0], "+LMQTTSUBUNSUB: 0,7,0,2"),
        ([1, 2], "+LMQTTSUBUNSUB: 0,7,0,2"),
        ([0x80, 0x80], "+LMQTTSUBUNSUB: 0,7,1"),
        ([0x80, 0], "+LMQTTSUBUNSUB: 0,7,1"),
        ([0, 0x80], "+LMQTTSUBUNSUB: 0,7,1"),
        // Reserved, so no success.
        ([0, 3], "+LMQTTSUBUNSUB: 0,7,1"),
        ([0xff, 0], "+LMQTTSUBUNSUB: 0,7,1"),
    ] {
        let mut bench = Bench::connected();
        assert_eq!(bench.host(two), "OK");
        let [first, second] = codes;
        let heard = bench.broker(&[0x90, 4, 0, 7, first, second]);
        assert_eq!(heard, reported, "{codes:x?}");
        assert!(!bench.closed);
    }
}

/// A PUBLISH with quality of service 0.
fn message(topic: &str, payload: &[u8]) -> Vec<u8> {
    let mut length = 2 + topic.len() + payload.len();
    let mut packet = vec![0x30];
    while length >= 128 {
        packet.push((length % 128) as u8 | 0x80);
        length /= 128;
    }
    packet.push(length as u8);
    packet.extend((topic.len() as u16).to_be_bytes());
    packet.extend(topic.as_bytes());
    packet.extend(payload);
    packet
}

/// MQTT 3.1.1 allows them, and lets a receiver close the connection over them (section 1.5.3).
#[test]
fn control_characters_in_a_topic_are_reported_as_they_are_or_end_the_link() {
    for topic in ["a\tb", "a\u{7f}", "a\u{9f}"] {
        let mut bench = Bench::connected();
        let heard = bench.broker(&message(topic, b"x"));
        assert_eq!(heard, format!("+LMQTTURC: RECV,0,0,\"{topic}\",x"));
        assert!(!bench.closed);
        let mut profile = Profile::nt35e();
        profile.quirks.takes_control_topics = false;
        let mut bench = Bench::connected_as(profile);
        let heard = bench.broker(&message(topic, b"x"));
        assert_eq!(heard, "+LMQTTURC: STATS,0,4");
        assert!(bench.closed);
    }
}

#[test]
fn a_message_longer_than_the_module_reports_is_dropped() {
    let long = "t".repeat(256);
    for (topic, length, reported) in [
        (long.as_str(), 1, true),
        (&format!("{long}t"), 1, false),
        ("t", 32_000, true),
        ("t", 32_001, false),
    ] {
        let mut bench = Bench::connected();
        let heard = bench.broker(&message(topic, &vec![b'x'; length]));
        assert_eq!(!heard.is_empty(), reported, "{} {length}", topic.len());
        assert!(!bench.closed);
    }
}

#[test]
fn a_packet_longer_than_the_module_takes_is_not_held_against_the_broker() {
    for (length, reported) in [(65_536 - 7, ""), (65_536, "+LMQTTURC: STATS,0,11")] {
        let mut bench = Bench::connected();
        let heard = bench.broker(&message("t", &vec![b'x'; length]));
        // 11: closed, by the module.
        assert_eq!(heard, reported, "{length}");
        assert_eq!(bench.closed, !reported.is_empty(), "{length}");
    }
}

#[test]
fn an_acknowledgement_that_cannot_be_right_closes_the_link() {
    let publish = "AT+LMQTTPUB=0,7,1,0,\"t\",1,\"x\"";
    for (command, answer) in [
        (
            "AT+LMQTTSUBUNSUB=0,0,7,\"a\",1,\"b\",1",
            &b"\x90\x03\x00\x07\x00"[..],
        ),
        (
            "AT+LMQTTSUBUNSUB=0,0,7,\"a\",1",
            b"\x90\x04\x00\x07\x00\x00",
        ),
        ("AT+LMQTTSUBUNSUB=0,0,7,\"a\",1", b"\x90\x02\x00\x07"),
        ("AT+LMQTTSUBUNSUB=0,1,7,\"a\",1", b"\xb0\x03\x00\x07\x00"),
        ("AT+LMQTTSUBUNSUB=0,1,7,\"a\",1", b"\xb0\x01\x07"),
        (publish, b"\x40\x03\x00\x07\x00"),
        (publish, b"\x40\x01\x07"),
    ] {
        let mut bench = Bench::connected();
        assert_eq!(bench.host(command), "OK");
        // 4: the broker broke the protocol.
        assert_eq!(bench.broker(answer), "+LMQTTURC: STATS,0,4", "{answer:x?}");
        assert!(bench.closed, "{answer:x?}");
    }
}

#[test]
fn an_acknowledgement_of_something_else_is_not_reported() {
    let mut bench = Bench::connected();
    assert_eq!(bench.host("AT+LMQTTPUB=0,7,1,0,\"t\",1,\"x\""), "OK");
    for stranger in [
        b"\x40\x02\x00\x08",
        b"\x40\x02\x07\x00",
        b"\x70\x02\x00\x07",
        b"\xb0\x02\x00\x07",
    ] {
        assert_eq!(bench.broker(stranger), "", "{stranger:x?}");
    }
    assert_eq!(bench.broker(b"\x40\x02\x00\x07"), "+LMQTTPUB: 0,7,0");
    // It is acknowledged once.
    assert_eq!(bench.broker(b"\x40\x02\x00\x07"), "");
    bench.now += Duration::from_secs(1);
    bench.modem.handle_timeout(bench.now);
    assert_eq!(bench.heard(), "");
}
