//! Answers that come late, twice or not at all.

use super::*;

#[test]
fn a_late_puback_costs_repetitions_with_dup_and_at_last_the_publish() {
    let mut bench = Bench::new();
    bench.publish(1, QoS::AtLeastOnce).unwrap();
    bench.sent();
    for attempt in 1..=2 {
        assert_eq!(bench.client.poll_timeout(), Some(bench.now + TIMEOUT));
        bench.pass(TIMEOUT);
        assert_eq!(bench.sent(), b"\x3a\x06\x00\x01t\x00\x01x");
        assert_eq!(
            bench.events(),
            [Event::Retransmitted {
                message_id: 1,
                attempt,
                publish: true,
            }]
        );
    }
    bench.pass(TIMEOUT);
    assert_eq!(bench.sent(), b"");
    let unanswered = Unanswered::Publish;
    assert_eq!(
        bench.events(),
        [Event::PublishFailed {
            message_id: 1,
            unanswered
        }]
    );
    bench.receive(b"\x40\x02\x00\x01");
    assert_eq!(bench.events(), []);
    assert_eq!(bench.client.stale_acknowledgements(), 1);
}

#[test]
fn pubrel_is_repeated_in_its_turn() {
    let mut bench = Bench::new();
    bench.publish(1, QoS::ExactlyOnce).unwrap();
    bench.pass(TIMEOUT);
    bench.receive(b"\x50\x02\x00\x01");
    bench.sent();
    bench.events();
    bench.pass(TIMEOUT);
    bench.pass(TIMEOUT);
    assert_eq!(bench.sent(), b"\x62\x02\x00\x01\x62\x02\x00\x01");
    bench.pass(TIMEOUT);
    let unanswered = Unanswered::Release;
    assert_eq!(
        bench.events()[2..],
        [Event::PublishFailed {
            message_id: 1,
            unanswered
        }]
    );
}

#[test]
fn subscribe_and_unsubscribe_time_out_after_their_repetitions() {
    let mut bench = Bench::new();
    bench
        .client
        .subscribe(1, &[("t", QoS::AtMostOnce)], bench.now)
        .unwrap();
    bench.client.unsubscribe(2, &["t"], bench.now).unwrap();
    let first = bench.sent();
    bench.pass(TIMEOUT);
    // MQTT 3.1.1 has no DUP here: the same bytes again.
    assert_eq!(bench.sent(), first);
    bench.pass(TIMEOUT);
    bench.events();
    bench.pass(TIMEOUT);
    assert_eq!(
        bench.events(),
        [
            Event::SubscribeTimedOut { message_id: 1 },
            Event::UnsubscribeTimedOut { message_id: 2 },
        ]
    );
}

#[test]
fn acknowledgements_that_come_twice_or_for_nothing_are_dropped_and_counted() {
    let mut bench = Bench::new();
    bench.publish(1, QoS::AtLeastOnce).unwrap();
    bench.publish(2, QoS::ExactlyOnce).unwrap();
    bench.sent();
    bench.receive(b"\x40\x02\x00\x01\x40\x02\x00\x01\x50\x02\x00\x02\x50\x02\x00\x02");
    assert_eq!(bench.sent(), b"\x62\x02\x00\x02");
    bench.receive(b"\x70\x02\x00\x02\x70\x02\x00\x02\xb0\x02\x00\x05\x90\x03\x00\x05\x00");
    assert_eq!(
        bench.events(),
        [
            Event::Published { message_id: 1 },
            Event::Published { message_id: 2 }
        ]
    );
    assert_eq!(bench.client.stale_acknowledgements(), 5);
    assert!(bench.client.is_connected());
}

#[test]
fn a_pubrec_of_an_exchange_given_up_is_released() {
    let mut bench = Bench::new();
    bench.receive(b"\x50\x02\x00\x08");
    assert_eq!(bench.sent(), b"\x62\x02\x00\x08");
    bench.receive(b"\x70\x02\x00\x08");
    assert_eq!(bench.events(), []);
}

#[test]
fn mqtt_3_1_marks_every_repetition() {
    let options = ConnectOptions {
        version: Version::V3_1,
        ..options()
    };
    let mut bench = Bench::connecting(&options, Session::default());
    assert_eq!(
        bench.sent(),
        b"\x10\x10\x00\x06MQIsdp\x03\x00\x00\x00\x00\x02id"
    );
    bench.receive(CONNACK);
    bench
        .client
        .subscribe(1, &[("t", QoS::AtMostOnce)], bench.now)
        .unwrap();
    bench.sent();
    bench.pass(TIMEOUT);
    assert_eq!(bench.sent(), b"\x8a\x06\x00\x01\x00\x01t\x00");
}
