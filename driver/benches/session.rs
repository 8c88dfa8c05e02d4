//! How fast the session turns a module's bytes into messages, and what it allocates for them,
//! against the floor of splitting the same bytes at line feeds.
//!
//! `cargo bench -p atmq-driver` prints each time as a ratio to the floor measured in the same
//! run. Absolute times depend on the machine and on what else it does; allocations do not.

mod floor;
#[path = "../tests/session/mod.rs"]
mod session;

use std::hint::black_box;
use std::time::Instant;

use allocation_counter::measure;
use atmq_driver::session::{Event, Session};
use atmq_protocol::mqtt::Urc;

use floor::{fastest, floor};
use session::{perform, publish, session};

const BYTES: usize = 8 * 1024 * 1024;
const EXCHANGES: u16 = 20_000;

/// Lets a session read the stream in pieces; how many messages come out.
fn read(session: &mut Session, stream: &[u8], piece: usize, now: Instant) -> usize {
    let mut messages = 0;
    for piece in stream.chunks(piece) {
        session.receive(piece, now);
        while let Some(event) = session.poll_event() {
            messages += usize::from(matches!(event, Event::Urc(Urc::Received { .. })));
            black_box(event);
        }
    }
    messages
}

fn main() {
    let now = Instant::now();
    for length in [64, 1024, 8000] {
        let head = format!("\r\n+LMQTTURC: RECV,0,1,\"meter/7/set\",{length},");
        let message = [head.as_bytes(), &vec![b'x'; length], b"\r\n"].concat();
        let stream = message.repeat(BYTES / message.len());
        let (floor_time, _) = fastest(|| floor(&stream));
        for piece in [4096, 64] {
            let mut session = session(now);
            let (time, messages) = fastest(|| read(&mut session, &stream, piece, now));
            let cost = measure(|| {
                read(&mut session, &stream, piece, now);
            });
            println!(
                "messages of {length:4} B, {piece:4} bytes at a time {:6.2} × floor {:6.0} MB/s {:6.0} ns \
                 and {:.2} allocations each",
                time.as_secs_f64() / floor_time.as_secs_f64(),
                stream.len() as f64 / time.as_secs_f64() / 1e6,
                time.as_secs_f64() * 1e9 / messages as f64,
                cost.count_total as f64 / messages as f64,
            );
        }
    }
    let mut session = session(now);
    let answers: Vec<_> = (1..=EXCHANGES)
        .map(|id| format!("\r\nOK\r\n\r\n+LMQTTPUB: 0,{id},0\r\n"))
        .collect();
    let wire = answers.concat();
    let (floor_time, _) = fastest(|| floor(wire.as_bytes()));
    let mut round = || {
        for (id, answer) in (1..=EXCHANGES).zip(&answers) {
            perform(
                &mut session,
                publish(id, vec![b'x'; 64]),
                answer.as_bytes(),
                now,
            );
        }
        usize::from(EXCHANGES)
    };
    let (time, _) = fastest(&mut round);
    let cost = measure(|| {
        round();
    });
    let each = f64::from(EXCHANGES);
    println!(
        "publish of 64 B, QoS 1: {:.1} × floor of its answers, {:.0} ns and {:.2} allocations each, \
         two of which are the caller's",
        time.as_secs_f64() / floor_time.as_secs_f64(),
        time.as_secs_f64() * 1e9 / each,
        cost.count_total as f64 / each,
    );
}
