//! The emulated module, and a host that sends anything.

use std::time::{Duration, Instant, UNIX_EPOCH};

use atmq_emulator::Profile;
use atmq_emulator::modem::Modem;
use atmq_emulator::network::{NetworkEvent, NetworkRequest, OpenFailure};

use crate::pieces::pieces;

/// The network does nothing at all.
const SILENT: u8 = 1;

/// It refuses links instead of opening them.
const REFUSING: u8 = 2;

/// What is sent is not answered.
const UNANSWERED: u8 = 4;

/// How long a module is watched behind the last byte.
const END: Duration = Duration::from_secs(100);

/// How often a module may want to be woken in that time.
const WAKES: usize = 10_000;

/// The first byte decides the cuts, the second what the network does. Where it does something, the
/// module reports that between the pieces, and what has come when it starts anew is lost: so only
/// without either another cut gives the same.
///
/// # Panics
/// Another cut gives other bytes to the host; the module takes nothing any more, or is never at
/// rest.
pub(crate) fn check(data: &[u8]) {
    let [seed, mode, bytes @ ..] = data else {
        return;
    };
    let whole = run(std::iter::once(bytes), *mode);
    let split = run(pieces(bytes, *seed), *mode);
    let restarted = |heard: &[u8]| {
        let words: [&[u8]; 2] = [b"boot.rom", b"POWER DOWN"];
        words
            .iter()
            .any(|word| heard.windows(word.len()).any(|seen| seen == *word))
    };
    if *mode & SILENT != 0 && !restarted(&whole) && !restarted(&split) {
        assert_eq!(
            split.escape_ascii().to_string(),
            whole.escape_ascii().to_string()
        );
    }
}

fn run<'a>(pieces: impl Iterator<Item = &'a [u8]>, mode: u8) -> Vec<u8> {
    let mut line = Line::new(mode);
    for mut piece in pieces {
        while !piece.is_empty() {
            let capacity = line.modem.input_capacity();
            assert!(capacity > 0, "the module takes nothing any more");
            let (taken, rest) = piece.split_at(capacity.min(piece.len()));
            line.modem.receive(taken, line.now);
            line.settle();
            piece = rest;
        }
    }
    line.wait();
    line.heard
}

struct Line {
    modem: Modem,
    now: Instant,
    heard: Vec<u8>,
    mode: u8,
}

impl Line {
    fn new(mode: u8) -> Self {
        let now = Instant::now();
        let time = UNIX_EPOCH + Duration::from_secs(1_795_223_107);
        let mut line = Self {
            modem: Modem::new(Profile::nt35e().instant(), 1, now, time),
            now,
            heard: Vec::new(),
            mode,
        };
        line.settle();
        line
    }

    fn settle(&mut self) {
        loop {
            while let Some(bytes) = self.modem.poll_transmit() {
                self.heard.extend(bytes);
            }
            while self.modem.poll_finding().is_some() {}
            let Some(request) = self.modem.poll_network() else {
                break;
            };
            let is = |what| self.mode & what != 0;
            let event = match request {
                _ if is(SILENT) => continue,
                NetworkRequest::Open { link, .. } if is(REFUSING) => NetworkEvent::OpenFailed {
                    link,
                    reason: OpenFailure::Refused,
                },
                NetworkRequest::Open { link, .. } => NetworkEvent::Opened { link },
                // With what accepts a CONNECT, whatever it was.
                NetworkRequest::Send { link, .. } if !is(UNANSWERED) => NetworkEvent::Received {
                    link,
                    bytes: b"\x20\x02\0\0".to_vec(),
                },
                NetworkRequest::Send { .. } | NetworkRequest::Close { .. } => continue,
            };
            self.modem.handle_network(event, self.now);
        }
    }

    fn wait(&mut self) {
        let end = self.now + END;
        let mut wakes = 0;
        while let Some(due) = self.modem.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.modem.handle_timeout(self.now);
            self.settle();
            wakes += 1;
            assert!(wakes < WAKES, "the module is never at rest");
        }
    }
}
