//! What a client may take, and no more.

use super::*;
use crate::broker::subscriptions::MAX_LEVELS;

#[test]
fn who_does_not_read_is_closed_and_who_reads_is_not() {
    let mut bench = Bench::new(Limits {
        outgoing_bytes: 100,
        ..Limits::default()
    });
    let slow = bench.subscriber("slow", &["t"], 0);
    let quick = bench.subscriber("quick", &["t"], 0);
    let publisher = bench.subscriber("publisher", &[], 0);
    for _ in 0..20 {
        bench.receive(publisher, publish(0, "t", 0, b"0123456789"));
        let read = bench.take(quick).len();
        bench.core.transmitted(quick, read + 5);
    }
    assert_eq!(
        bench.closed.get(&slow),
        Some(&CloseReason::Overflow { limit: 100 })
    );
    assert_eq!(bench.closed.get(&quick), None);
}

#[test]
fn a_full_queue_drops_and_counts() {
    let mut bench = Bench::new(Limits {
        queued_messages: 2,
        ..Limits::default()
    });
    let id = bench.connect("c", 0x00, 0);
    bench.receive(id, subscribe("t", 1));
    bench.receive(id, DISCONNECT);
    let publisher = bench.subscriber("publisher", &[], 0);
    for payload in [b"1", b"2", b"3"] {
        bench.receive(publisher, publish(2, "t", 1, payload));
    }
    assert_eq!(bench.core.counters().dropped_queue_full, 1);
    let id = bench.connect("c", 0x00, 0);
    let queued = [publish(2, "t", 1, b"1"), publish(2, "t", 2, b"2")].concat();
    assert_eq!(bench.take(id), [RESUMED, &queued].concat());
}

#[test]
fn more_subscriptions_than_allowed_are_refused() {
    let mut bench = Bench::new(Limits {
        subscriptions: 1,
        ..Limits::default()
    });
    let id = bench.subscriber("c", &["a"], 0);
    bench.receive(id, subscribe("b", 0));
    bench.receive(id, subscribe("a", 1));
    assert_eq!(bench.take(id), b"\x90\x03\0\x01\x80\x90\x03\0\x01\x01");
}

#[test]
fn a_filter_of_too_many_levels_is_refused() {
    let mut bench = Bench::new(Limits::default());
    let id = bench.subscriber("c", &[], 0);
    let filter = "/".repeat(MAX_LEVELS);
    let body = [&[0, 1, 0, MAX_LEVELS as u8], filter.as_bytes(), &[0]].concat();
    bench.receive(id, [&[0x82, 0xCD, 0x01], &body[..]].concat());
    assert_eq!(bench.take(id), b"\x90\x03\0\x01\x80");
}

#[test]
fn more_sessions_than_allowed_are_refused() {
    let mut bench = Bench::new(Limits {
        sessions: 1,
        ..Limits::default()
    });
    bench.connect("a", 0x02, 0);
    let id = bench.connect("b", 0x02, 0);
    assert_eq!(bench.take(id), b"\x20\x02\0\x03");
    assert_eq!(
        bench.closed[&id],
        CloseReason::Refused(ConnectReturnCode::ServerUnavailable)
    );
    let id = bench.connect("a", 0x02, 0);
    assert_eq!(bench.take(id), ACCEPTED);
}

#[test]
fn a_packet_beyond_the_limit_closes() {
    let mut bench = Bench::new(Limits {
        packet_bytes: 100,
        ..Limits::default()
    });
    let id = bench.subscriber("c", &[], 0);
    bench.receive(id, [0x30, 101]);
    let violation = Violation::PacketTooLarge {
        length: 101,
        limit: 100,
    };
    assert_eq!(bench.closed[&id], CloseReason::Violation(violation));
}
