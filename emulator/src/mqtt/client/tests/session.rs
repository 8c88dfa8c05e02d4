//! Inbound messages, and what a session keeps from one link to the next.

use super::*;

#[test]
fn inbound_messages_are_acknowledged_as_their_qos_asks() {
    let mut bench = Bench::new();
    bench.receive(b"\x30\x04\x00\x01ta\x32\x06\x00\x01t\x00\x05b\x34\x06\x00\x01t\x00\x06c");
    assert_eq!(
        bench.events(),
        [
            received(0, QoS::AtMostOnce, b"a"),
            received(5, QoS::AtLeastOnce, b"b"),
            received(6, QoS::ExactlyOnce, b"c"),
        ]
    );
    assert_eq!(bench.sent(), b"\x40\x02\x00\x05\x50\x02\x00\x06");
    bench.receive(b"\x62\x02\x00\x06");
    assert_eq!(bench.sent(), b"\x70\x02\x00\x06");
}

#[test]
fn a_qos_2_message_is_delivered_once_until_it_is_released() {
    let mut bench = Bench::new();
    bench.receive(b"\x34\x06\x00\x01t\x00\x06c\x3c\x06\x00\x01t\x00\x06c");
    assert_eq!(bench.events(), [received(6, QoS::ExactlyOnce, b"c")]);
    assert_eq!(bench.sent(), b"\x50\x02\x00\x06\x50\x02\x00\x06");
    bench.receive(b"\x62\x02\x00\x06\x62\x02\x00\x06");
    assert_eq!(bench.sent(), b"\x70\x02\x00\x06\x70\x02\x00\x06");
    bench.receive(b"\x34\x06\x00\x01t\x00\x06d");
    assert_eq!(bench.events(), [received(6, QoS::ExactlyOnce, b"d")]);
}

#[test]
fn a_qos_2_message_repeated_on_the_next_link_is_not_delivered_again() {
    let mut bench = Bench::new();
    bench.receive(b"\x34\x06\x00\x01t\x00\x06c");
    let session = bench.client.into_session();
    assert!(!session.is_empty());

    let mut bench = Bench::connected(&options(), session, b"\x20\x02\x01\x00");
    bench.receive(b"\x3c\x06\x00\x01t\x00\x06c");
    assert_eq!(bench.events(), []);
    assert_eq!(bench.sent(), b"\x50\x02\x00\x06");
}

#[test]
fn a_broker_that_forgot_the_session_may_reuse_its_identifiers() {
    let mut bench = Bench::new();
    bench.receive(b"\x34\x06\x00\x01t\x00\x06c");
    let session = bench.client.into_session();

    let mut bench = Bench::connected(&options(), session, CONNACK);
    bench.receive(b"\x34\x06\x00\x01t\x00\x06d");
    assert_eq!(bench.events(), [received(6, QoS::ExactlyOnce, b"d")]);
}

#[test]
fn a_persistent_session_resumes_what_was_in_flight_in_its_order() {
    let mut bench = Bench::new();
    bench.publish(2, QoS::ExactlyOnce).unwrap();
    bench.publish(1, QoS::AtLeastOnce).unwrap();
    bench.publish(3, QoS::ExactlyOnce).unwrap();
    bench
        .client
        .subscribe(4, &[("t", QoS::AtMostOnce)], bench.now)
        .unwrap();
    bench.receive(b"\x50\x02\x00\x02");
    // Half a packet before the loss must not swallow the next CONNACK.
    bench.receive(b"\x30\x7f\x00\x01t");
    let session = bench.client.into_session();
    assert_eq!(session.unacknowledged().collect::<Vec<_>>(), [2, 1, 3]);

    let mut bench = Bench::connecting(&options(), session);
    bench.sent();
    bench.receive(b"\x20\x02\x01\x00");
    assert_eq!(
        bench.events(),
        [Event::Connected {
            session_present: true
        }]
    );
    assert_eq!(
        bench.sent(),
        b"\x62\x02\x00\x02\x3a\x06\x00\x01t\x00\x01x\x3c\x06\x00\x01t\x00\x03x"
    );
    bench.receive(b"\x40\x02\x00\x01\x70\x02\x00\x02");
    assert_eq!(
        bench.events(),
        [
            Event::Published { message_id: 1 },
            Event::Published { message_id: 2 }
        ]
    );
    assert_eq!(
        bench.publish(3, QoS::AtLeastOnce),
        Err(RequestError::IdInFlight { message_id: 3 })
    );
}

#[test]
fn a_clean_session_neither_takes_nor_leaves_anything() {
    let mut bench = Bench::new();
    bench.publish(1, QoS::AtLeastOnce).unwrap();
    let session = bench.client.into_session();

    let clean = ConnectOptions {
        clean_session: true,
        ..options()
    };
    let mut bench = Bench::connected(&clean, session, CONNACK);
    assert_eq!(bench.sent(), b"");
    bench.publish(1, QoS::AtLeastOnce).unwrap();
    assert!(bench.client.into_session().is_empty());
}
