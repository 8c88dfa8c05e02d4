//! What every time is compared with: splitting the same bytes at line feeds.

use std::hint::black_box;
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;

/// The fastest of some rounds, since what disturbs a round only makes it slower, and what the
/// round counts.
pub(crate) fn fastest(mut round: impl FnMut() -> usize) -> (Duration, usize) {
    let mut best = Duration::MAX;
    let mut count = 0;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        count = black_box(round());
        best = best.min(start.elapsed());
    }
    (best, count)
}

/// How many lines there are.
pub(crate) fn floor(stream: &[u8]) -> usize {
    let mut lines = 0;
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', stream) {
        lines += usize::from(end - start > 1);
        black_box(&stream[start..end]);
        start = end + 1;
    }
    lines
}
