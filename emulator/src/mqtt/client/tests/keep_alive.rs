//! Keepalive.

use super::*;

#[test]
fn keepalive_asks_after_silence_only() {
    let options = ConnectOptions {
        keep_alive: 60,
        ..options()
    };
    let mut bench = Bench::connected(&options, Session::default(), CONNACK);
    bench.pass(Duration::from_secs(50));
    bench.publish(0, QoS::AtMostOnce).unwrap();
    bench.sent();
    bench.pass(Duration::from_secs(59));
    assert_eq!(bench.sent(), b"");
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.sent(), b"\xc0\x00");
    bench.receive(b"\xd0\x00");
    assert_eq!(
        bench.client.poll_timeout(),
        Some(bench.now + Duration::from_secs(60))
    );
}

#[test]
fn an_unanswered_keepalive_loses_the_link() {
    let options = ConnectOptions {
        keep_alive: 60,
        ..options()
    };
    let mut bench = Bench::connected(&options, Session::default(), CONNACK);
    bench.pass(Duration::from_secs(60));
    bench.pass(TIMEOUT);
    // What is published meanwhile is no answer.
    bench.publish(0, QoS::AtMostOnce).unwrap();
    bench.events();
    bench.pass(TIMEOUT);
    assert_eq!(bench.events(), []);
    bench.pass(TIMEOUT);
    assert_eq!(
        bench.events(),
        [Event::Lost(Loss::KeepaliveTimeout { requests: 3 })]
    );
    assert_eq!(bench.sent(), b"\xc0\x00\xc0\x00\x30\x04\x00\x01tx\xc0\x00");
    assert_eq!(bench.client.poll_timeout(), None);
}

#[test]
fn a_patient_client_still_asks_within_the_keepalive() {
    let options = ConnectOptions {
        keep_alive: 10,
        packet_timeout: Duration::from_secs(60),
        ..options()
    };
    let mut bench = Bench::connected(&options, Session::default(), CONNACK);
    bench.pass(TIMEOUT);
    bench.pass(TIMEOUT);
    assert_eq!(bench.sent(), b"\xc0\x00\xc0\x00");
}

#[test]
fn without_keepalive_a_client_is_silent_for_ever() {
    let bench = Bench::new();
    assert_eq!(bench.client.poll_timeout(), None);
}
