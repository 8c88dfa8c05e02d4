//! The broker's codec and what is behind it, and a client that sends anything.

use std::time::{Duration, Instant};

use atmq_emulator::broker::{Core, Limits, Output};

use crate::pieces::pieces;

/// CONNECT of MQTT 3.1.1 with a clean session, the client id `f` and a keepalive of 60 s.
const CONNECT: &[u8] = b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x01f";

/// How often a broker may want to be woken in 1000 seconds.
const WAKES: usize = 10_000;

/// The first byte decides the cuts, the second whether a CONNECT stands in front.
///
/// # Panics
/// Another cut gives other answers, or an answer is no whole packet; the broker is never at rest.
pub(crate) fn check(data: &[u8]) {
    let [seed, mode, bytes @ ..] = data else {
        return;
    };
    let bytes = match mode & 1 {
        0 => bytes.to_vec(),
        _ => [CONNECT, bytes].concat(),
    };
    let whole = run(std::iter::once(&bytes[..]));
    let split = run(pieces(&bytes, *seed));
    assert_eq!(split, whole);
}

fn run<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<u8>, Option<String>) {
    let mut now = Instant::now();
    let end = now + Duration::from_secs(1000);
    let mut core = Core::new(Limits::default());
    let client = core.open(now);
    let (mut sent, mut closed) = (Vec::new(), None);
    let mut settle = |core: &mut Core| loop {
        match core.poll() {
            Output::Transmit { connection, bytes } => {
                assert_eq!(connection, client);
                are_whole_packets(&bytes);
                core.transmitted(connection, bytes.len());
                sent.extend(bytes);
            }
            Output::Close { connection, reason } => {
                assert_eq!(connection, client);
                assert_eq!(closed, None, "it is closed once");
                closed = Some(format!("{reason:?}"));
            }
            Output::Wait(until) => return until,
        }
    };
    for piece in pieces {
        core.receive(client, piece, now);
        settle(&mut core);
    }
    let mut wakes = 0;
    while let Some(due) = settle(&mut core).filter(|due| *due <= end) {
        now = now.max(due);
        core.handle_timeout(now);
        wakes += 1;
        assert!(wakes < WAKES, "the broker is never at rest");
    }
    (sent, closed)
}

fn are_whole_packets(mut bytes: &[u8]) {
    while let Some((_, behind)) = bytes.split_first() {
        let digits = behind.iter().take_while(|byte| **byte >= 0x80).count() + 1;
        assert!(digits <= 4, "the length has at most four digits");
        let digit = |(at, byte): (usize, &u8)| usize::from(byte & 0x7f) << (7 * at);
        let length: usize = behind[..digits].iter().enumerate().map(digit).sum();
        bytes = &behind[digits + length..];
    }
}
