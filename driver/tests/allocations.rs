//! What the session allocates: nothing for a line but what it hands out.
//!
//! A test of its own, because counting replaces the allocator of the whole program.

mod session;

use std::time::Instant;

use allocation_counter::{AllocationInfo, measure};
use atmq_driver::session::{Command, Event, Session};
use atmq_protocol::standard::StandardRequest;

use session::{perform, publish, session, step};

const TIMES: u64 = 1000;

/// A session with its buffers as large as they get.
fn grown_session(now: Instant) -> Session {
    let mut session = session(now);
    let message = [
        &b"\r\n+LMQTTURC: RECV,0,1,\"t\",9000,"[..],
        &[0; 9000],
        b"\r\n",
    ];
    session.receive(&message.concat(), now);
    while session.poll_event().is_some() {}
    for _ in 0..2 {
        perform(&mut session, publish(1, vec![0; 8000]), b"\r\n> ", now);
        session.receive(b"\r\nOK\r\n\r\n+LMQTTPUB: 0,1,0\r\n", now);
        while session.poll_event().is_some() {}
    }
    session
}

/// The module says this over and over; what that costs, and how many events it makes.
fn receive(line: &[u8]) -> (AllocationInfo, u64) {
    let now = Instant::now();
    let mut session = grown_session(now);
    let mut events = 0;
    let cost = measure(|| {
        for _ in 0..TIMES {
            session.receive(line, now);
            while session.poll_event().is_some() {
                events += 1;
            }
        }
    });
    (cost, events)
}

#[test]
fn a_line_that_carries_nothing_costs_nothing() {
    for (line, reports) in [
        (&b"\r\n+LMQTTPUB: 0,5,0\r\n"[..], 1),
        (b"\r\n+LMQTTURC: STATS,0,13\r\n", 1),
        (b"\r\n+CEREG: 1\r\n", 1),
        (b"\x00\xff noise of the line > \r\n", 0),
        (b"\r\nOK\r\n", 0),
    ] {
        let (cost, events) = receive(line);
        assert_eq!(cost.count_total, 0, "{}", line.escape_ascii());
        assert_eq!(events, reports * TIMES, "{}", line.escape_ascii());
    }
}

/// It is held for a while, and makes an event.
#[test]
fn a_message_that_cannot_be_read_costs_nothing() {
    let (cost, events) = receive(b"\r\n+LMQTTURC: RECV,0,1,\"t\",7,not that long\r\n");
    assert_eq!(cost.count_total, 0);
    assert!(events > TIMES - 10, "{events}");
}

#[test]
fn a_message_costs_its_topic_and_its_payload() {
    for length in [64, 8000] {
        let head = format!("\r\n+LMQTTURC: RECV,0,1,\"meter/7/set\",{length},");
        let line = [head.as_bytes(), &vec![0; length], b"\r\n"].concat();
        let (cost, events) = receive(&line);
        assert_eq!(events, TIMES);
        assert_eq!(cost.count_total, 2 * TIMES);
        assert_eq!(cost.bytes_total, (11 + length as u64) * TIMES);
    }
}

/// What a caller gives is handed on and not copied; the line that announces it is.
#[test]
fn a_large_payload_is_not_copied_on_its_way_out() {
    let now = Instant::now();
    let mut session = grown_session(now);
    let mut sent = 0;
    let payload = vec![0; 8000];
    let before = payload.as_ptr();
    let cost = measure(|| {
        let command = step(&mut session, publish(7, payload));
        session.request(command, None, now).unwrap();
        while session.poll_transmit().is_some() {}
        session.receive(b"\r\n> ", now);
        let data = session.poll_transmit().unwrap();
        assert_eq!(data.bytes.as_ptr(), before);
        sent = data.bytes.len();
        session.receive(b"\r\nOK\r\n\r\n+LMQTTPUB: 0,7,0\r\n", now);
        assert!(matches!(
            session.poll_event(),
            Some(Event::Completed(Ok(_)))
        ));
    });
    assert_eq!(sent, 8000);
    assert!(cost.bytes_total < 2000, "{cost:?}");
}

#[test]
fn a_publish_costs_its_line() {
    let now = Instant::now();
    let mut session = grown_session(now);
    let mut messages: Vec<_> = (0..TIMES).map(|_| publish(7, vec![b'x'; 64])).collect();
    let answer = b"\r\nOK\r\n\r\n+LMQTTPUB: 0,7,0\r\n";
    let cost = measure(|| {
        while let Some(message) = messages.pop() {
            perform(&mut session, message, answer, now);
        }
    });
    // The line as it grows, and the state of the exchange.
    assert!(cost.count_total <= 3 * TIMES, "{}", cost.count_total);
}

/// Many bytes in the middle of an exchange, of which nothing is ever taken out.
#[test]
fn a_flood_does_not_grow_the_session() {
    let now = Instant::now();
    for flood in [
        &b"\r\n+LMQTTURC: STATS,0,13\r\n"[..],
        b"\r\n+LMQTTURC: RECV,0,1,\"t\",4,abcd\r\n",
        b"\r\n+LMQTTURC: RECV,0,1\r\n",
        b"\r\n+LMQTTURC: RECV,0,1,\"t\",60000,abcd\r\n",
        b"\r\n+LMQTTURC: RECV,0,1,\"t\",99999999999999999999,a\r\n",
        b"garbage\r\n",
        b"no end at all",
        b"\r\n> \r\n> ",
        b"\r\n+CSQ: 1,0\r\n",
    ] {
        let mut session = grown_session(now);
        let signal = Command::Standard(StandardRequest::SignalQuality);
        session.request(signal, None, now).unwrap();
        let cost = measure(|| {
            for _ in 0..300_000 / flood.len() {
                session.receive(flood, now);
                while session.poll_event().is_some() {}
            }
        });
        // The longest line and the longest answer that are kept, once while they grow.
        assert!(
            cost.bytes_max < 200_000,
            "{} {cost:?}",
            flood.escape_ascii()
        );
    }
}
