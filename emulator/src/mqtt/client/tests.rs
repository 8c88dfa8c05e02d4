//! The client against a broker written out byte by byte.

mod keep_alive;
mod properties;
mod repetition;
mod session;

use super::*;
use crate::mqtt::event::{Message, ProtocolError};

const TIMEOUT: Duration = Duration::from_secs(10);
const CONNACK: &[u8] = b"\x20\x02\x00\x00";

/// A client and the time, which only the test moves.
struct Bench {
    client: Client,
    now: Instant,
}

impl Bench {
    fn connecting(options: &ConnectOptions, session: Session) -> Self {
        let now = Instant::now();
        let client = Client::connect(options, session, now).expect("options that fit");
        Self { client, now }
    }

    /// A client whose CONNECT was answered.
    fn connected(options: &ConnectOptions, session: Session, connack: &[u8]) -> Self {
        let mut bench = Self::connecting(options, session);
        bench.sent();
        bench.receive(connack);
        let event = bench.client.poll_event();
        assert!(matches!(event, Some(Event::Connected { .. })), "{event:?}");
        bench
    }

    fn new() -> Self {
        Self::connected(&options(), Session::default(), CONNACK)
    }

    fn receive(&mut self, bytes: &[u8]) {
        self.client.receive(bytes, self.now);
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.client.handle_timeout(self.now);
    }

    fn sent(&mut self) -> Vec<u8> {
        self.client.poll_transmit().unwrap_or_default()
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.client.poll_event()).collect()
    }

    fn publish(&mut self, message_id: u16, qos: QoS) -> Result<(), RequestError> {
        let publication = Publication {
            message_id,
            qos,
            retain: false,
            topic: "t",
            payload: b"x",
        };
        self.client.publish(&publication, self.now)
    }
}

fn options() -> ConnectOptions {
    ConnectOptions {
        keep_alive: 0,
        packet_timeout: TIMEOUT,
        retries: 2,
        ..ConnectOptions::new("id")
    }
}

fn received(message_id: u16, qos: QoS, payload: &[u8]) -> Event {
    Event::Received(Message {
        message_id,
        qos,
        retain: false,
        dup: false,
        topic: "t".into(),
        payload: payload.to_vec(),
    })
}

#[test]
fn connect_goes_out_first_and_connack_is_reported() {
    let mut bench = Bench::connecting(&options(), Session::default());
    assert_eq!(
        bench.sent(),
        b"\x10\x0e\x00\x04MQTT\x04\x00\x00\x00\x00\x02id"
    );
    assert!(!bench.client.is_connected());
    bench.receive(b"\x20\x02\x01\x00");
    assert_eq!(
        bench.events(),
        [Event::Connected {
            session_present: true
        }]
    );
    assert!(bench.client.is_connected());
}

#[test]
fn a_refusal_is_reported_with_its_code_also_above_5() {
    for code in [1, 5, 6, 255] {
        let mut bench = Bench::connecting(&options(), Session::default());
        bench.receive(&[0x20, 2, 0, code]);
        assert_eq!(bench.events(), [Event::Refused { code }]);
        assert_eq!(bench.client.poll_timeout(), None);
        assert_eq!(
            bench.publish(1, QoS::AtMostOnce),
            Err(RequestError::NotConnected)
        );
    }
}

#[test]
fn a_silent_broker_is_given_up_after_the_packet_timeout() {
    let mut bench = Bench::connecting(&options(), Session::default());
    assert_eq!(bench.client.poll_timeout(), Some(bench.now + TIMEOUT));
    bench.pass(TIMEOUT - Duration::from_millis(1));
    assert_eq!(bench.events(), []);
    bench.pass(Duration::from_millis(1));
    assert_eq!(bench.events(), [Event::ConnectTimedOut]);
    bench.receive(CONNACK);
    assert_eq!(bench.events(), []);
}

#[test]
fn requests_before_connack_are_refused() {
    let mut bench = Bench::connecting(&options(), Session::default());
    bench.sent();
    let (client, now) = (&mut bench.client, bench.now);
    let filters = [("t", QoS::AtMostOnce)];
    assert_eq!(
        client.subscribe(1, &filters, now),
        Err(RequestError::NotConnected)
    );
    assert_eq!(
        client.unsubscribe(1, &["t"], now),
        Err(RequestError::NotConnected)
    );
    assert_eq!(
        bench.publish(0, QoS::AtMostOnce),
        Err(RequestError::NotConnected)
    );
    assert_eq!(bench.sent(), b"");
}

#[test]
fn each_qos_is_published_with_its_own_handshake() {
    let mut bench = Bench::new();
    bench.publish(9, QoS::AtMostOnce).unwrap();
    assert_eq!(bench.sent(), b"\x30\x04\x00\x01tx");
    assert_eq!(bench.events(), [Event::Published { message_id: 9 }]);

    bench.publish(1, QoS::AtLeastOnce).unwrap();
    assert_eq!(bench.sent(), b"\x32\x06\x00\x01t\x00\x01x");
    assert_eq!(bench.events(), []);
    bench.receive(b"\x40\x02\x00\x01");
    assert_eq!(bench.events(), [Event::Published { message_id: 1 }]);

    bench.publish(2, QoS::ExactlyOnce).unwrap();
    assert_eq!(bench.sent(), b"\x34\x06\x00\x01t\x00\x02x");
    bench.receive(b"\x50\x02\x00\x02");
    assert_eq!(bench.events(), []);
    assert_eq!(bench.sent(), b"\x62\x02\x00\x02");
    bench.receive(b"\x70\x02\x00\x02");
    assert_eq!(bench.events(), [Event::Published { message_id: 2 }]);
    assert_eq!(bench.client.poll_timeout(), None);
}

#[test]
fn message_id_0_travels_under_an_identifier_of_our_own() {
    let mut bench = Bench::new();
    bench.publish(0, QoS::AtLeastOnce).unwrap();
    assert_eq!(bench.sent(), b"\x32\x06\x00\x01t\xff\xffx");
    bench
        .client
        .subscribe(0, &[("t", QoS::AtLeastOnce)], bench.now)
        .unwrap();
    assert_eq!(bench.sent(), b"\x82\x06\xff\xfe\x00\x01t\x01");
    bench.receive(b"\x90\x03\xff\xfe\x01\x40\x02\xff\xff");
    assert_eq!(
        bench.events(),
        [
            Event::Subscribed {
                message_id: 0,
                codes: vec![1]
            },
            Event::Published { message_id: 0 },
        ]
    );
}

#[test]
fn subscribing_and_unsubscribing_report_what_the_broker_answered() {
    let mut bench = Bench::new();
    let filters = [("a", QoS::AtLeastOnce), ("b/#", QoS::ExactlyOnce)];
    bench.client.subscribe(3, &filters, bench.now).unwrap();
    assert_eq!(
        bench.sent(),
        b"\x82\x0c\x00\x03\x00\x01a\x01\x00\x03b/#\x02"
    );
    bench.receive(b"\x90\x04\x00\x03\x01\x80");
    bench
        .client
        .unsubscribe(4, &["a", "b/#"], bench.now)
        .unwrap();
    assert_eq!(bench.sent(), b"\xa2\x0a\x00\x04\x00\x01a\x00\x03b/#");
    bench.receive(b"\xb0\x02\x00\x04");
    assert_eq!(
        bench.events(),
        [
            Event::Subscribed {
                message_id: 3,
                codes: vec![1, 0x80]
            },
            Event::Unsubscribed { message_id: 4 },
        ]
    );
}

/// With another number of return codes nobody knows which filter was refused.
#[test]
fn a_suback_with_too_few_or_too_many_codes_loses_the_link() {
    for (codes, filters) in [(&[1][..], 2), (&[1, 0x80, 1], 2), (&[0, 0], 1)] {
        let mut bench = Bench::new();
        let all = [("a", QoS::AtLeastOnce), ("b", QoS::AtLeastOnce)];
        let asked = &all[..filters];
        bench.client.subscribe(3, asked, bench.now).unwrap();
        let length = u8::try_from(2 + codes.len()).unwrap();
        bench.receive(&[&[0x90, length, 0, 3], codes].concat());
        let codes = codes.len();
        let error = ProtocolError::ReturnCodes { filters, codes };
        assert_eq!(bench.events(), [Event::Lost(error.into())]);
        assert!(!bench.client.is_connected());
    }
}

/// An acknowledgement of something else, or of nothing, ends nothing.
#[test]
fn an_acknowledgement_of_another_identifier_is_not_taken_for_ours() {
    let mut bench = Bench::new();
    bench.publish(1, QoS::AtLeastOnce).unwrap();
    bench.publish(2, QoS::ExactlyOnce).unwrap();
    let filters = [("t", QoS::AtMostOnce)];
    bench.client.subscribe(3, &filters, bench.now).unwrap();
    bench.client.unsubscribe(4, &["t"], bench.now).unwrap();
    bench.sent();
    // Each kind with identifiers that wait for another kind, and with one that nobody waits for.
    let kinds = [(0x40, 1), (0x70, 2), (0x90, 3), (0xb0, 4)];
    let mut strangers = 0;
    for (kind, own) in kinds {
        for id in (1..=5).filter(|id| *id != own) {
            match kind {
                0x90 => bench.receive(&[kind, 3, 0, id, 0]),
                _ => bench.receive(&[kind, 2, 0, id]),
            }
            strangers += 1;
            assert_eq!(bench.events(), [], "{kind:x} of {id}");
        }
    }
    // PUBCOMP comes before PUBREC.
    bench.receive(b"\x70\x02\x00\x02");
    assert_eq!(bench.events(), []);
    assert_eq!(bench.client.stale_acknowledgements(), strangers + 1);
    // All of them still wait for their own.
    bench.receive(b"\x40\x02\x00\x01\x50\x02\x00\x02\x70\x02\x00\x02");
    bench.receive(b"\x90\x03\x00\x03\x00\xb0\x02\x00\x04");
    let codes = vec![0];
    assert_eq!(
        bench.events(),
        [
            Event::Published { message_id: 1 },
            Event::Published { message_id: 2 },
            Event::Subscribed {
                message_id: 3,
                codes
            },
            Event::Unsubscribed { message_id: 4 },
        ]
    );
}

#[test]
fn an_identifier_in_use_is_refused_until_its_answer_came() {
    let mut bench = Bench::new();
    bench.publish(1, QoS::AtLeastOnce).unwrap();
    bench.sent();
    let in_use = Err(RequestError::IdInFlight { message_id: 1 });
    assert_eq!(bench.publish(1, QoS::ExactlyOnce), in_use);
    assert_eq!(bench.client.unsubscribe(1, &["t"], bench.now), in_use);
    assert_eq!(bench.sent(), b"");
    bench.receive(b"\x40\x02\x00\x01");
    bench.publish(1, QoS::ExactlyOnce).unwrap();
}

#[test]
fn requests_in_flight_are_limited() {
    let mut bench = Bench::new();
    for id in 1..=64 {
        bench.publish(id, QoS::AtLeastOnce).unwrap();
    }
    assert_eq!(
        bench.publish(65, QoS::AtLeastOnce),
        Err(RequestError::TooManyInFlight { limit: 64 })
    );
    bench.publish(0, QoS::AtMostOnce).unwrap();
}

#[test]
fn what_mqtt_cannot_carry_is_refused_and_leaves_nothing_behind() {
    let mut bench = Bench::new();
    let result = bench
        .client
        .subscribe(1, &[("", QoS::AtMostOnce)], bench.now);
    assert_eq!(
        result,
        Err(RequestError::Unencodable(EncodeError::TopicFilter))
    );
    assert_eq!(bench.sent(), b"");
    bench.publish(1, QoS::AtLeastOnce).unwrap();
}

#[test]
fn a_broker_that_breaks_the_protocol_loses_the_link() {
    let lost = |error: ProtocolError| [Event::Lost(error.into())];
    let mut bench = Bench::connecting(&options(), Session::default());
    bench.receive(b"\xd0\x00");
    assert_eq!(bench.events(), lost(ProtocolError::BeforeConnack));

    let mut bench = Bench::new();
    bench.receive(CONNACK);
    assert_eq!(bench.events(), lost(ProtocolError::SecondConnack));

    let mut bench = Bench::new();
    bench.receive(b"\x30\xff\xff\x7f");
    assert_eq!(
        bench.events(),
        lost(ProtocolError::TooLarge { limit: 65536 })
    );
    bench.receive(b"\x30\x04\x00\x01ta");
    assert_eq!(bench.events(), []);

    let mut bench = Bench::new();
    for id in 1..=1025u16 {
        let [high, low] = id.to_be_bytes();
        bench.receive(&[0x34, 5, 0, 1, b't', high, low]);
    }
    assert_eq!(
        bench.events()[1024..],
        lost(ProtocolError::TooManyUnreleased { limit: 1024 })
    );
}

#[test]
fn disconnect_says_so_and_keeps_the_session() {
    let mut bench = Bench::new();
    bench.publish(1, QoS::AtLeastOnce).unwrap();
    bench.sent();
    bench.client.disconnect();
    assert_eq!(bench.sent(), b"\xe0\x00");
    assert_eq!(bench.client.poll_timeout(), None);
    bench.receive(b"\x40\x02\x00\x01");
    assert_eq!(bench.events(), []);
    assert!(!bench.client.into_session().is_empty());
}

#[test]
fn disconnect_before_connack_sends_nothing() {
    let mut bench = Bench::connecting(&options(), Session::default());
    bench.sent();
    bench.client.disconnect();
    assert_eq!(bench.sent(), b"");
}
