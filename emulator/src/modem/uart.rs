//! What the host sends, as the serial line brings it; and what either side hears of the other at
//! a wrong rate.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Bytes are taken over in pieces that take the line so long: a timer for each would be in vain.
const PIECE: Duration = Duration::from_millis(1);

/// Bytes of the host that are on the line.
#[derive(Debug, Default)]
pub(super) struct Arriving {
    waiting: VecDeque<u8>,
    /// How long the line takes for a byte; zero: no time.
    byte: Duration,
    /// When the first of them has come whole.
    next: Option<Instant>,
}

impl Arriving {
    /// How long the line takes for a byte that it has not begun to carry.
    pub(super) fn set_pace(&mut self, byte: Duration) {
        self.byte = byte;
    }

    /// The host sends.
    pub(super) fn push(&mut self, bytes: &[u8], now: Instant) {
        if !bytes.is_empty() && self.waiting.is_empty() {
            self.next = Some(now + self.byte);
        }
        self.waiting.extend(bytes);
    }

    /// Takes what has come by now.
    pub(super) fn take(&mut self, now: Instant) -> Vec<u8> {
        let mut came = Vec::new();
        while let Some(next) = self.next.filter(|next| *next <= now) {
            came.extend(self.waiting.pop_front());
            self.next = (!self.waiting.is_empty()).then_some(next + self.byte);
        }
        came
    }

    /// When some more will have come.
    pub(super) fn due(&self) -> Option<Instant> {
        let next = self.next?;
        let byte = self.byte.max(Duration::from_nanos(1));
        let piece = (PIECE.as_nanos() / byte.as_nanos()).max(1);
        let piece = u32::try_from(piece).unwrap_or(u32::MAX);
        let waiting = u32::try_from(self.waiting.len()).unwrap_or(u32::MAX);
        Some(next + self.byte * (piece.min(waiting) - 1))
    }

    /// Bytes that have not come yet.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The module hears nothing of what is on the line.
    pub(super) fn cut(&mut self) {
        self.waiting.clear();
        self.next = None;
    }
}

/// What a UART that listens at one rate hears of bytes sent at another, in bits per second, each
/// sent by itself: a start bit, eight data bits from the lowest on, a stop bit. Bits are sampled in
/// their middle; a byte with a wrong stop bit is handed over as it is, as most UARTs do.
pub(super) fn heard_at(bytes: &[u8], sent: u32, heard: u32) -> Vec<u8> {
    if sent == heard {
        return bytes.to_vec();
    }
    let mut all = Vec::new();
    for byte in bytes {
        hear(*byte, u64::from(sent), u64::from(heard), &mut all);
    }
    all
}

/// One byte. Time is counted in units of which a sent bit has `heard`, and a heard bit `sent`.
fn hear(byte: u8, sent: u64, heard: u64, out: &mut Vec<u8>) {
    let bits = u16::from(byte) << 1 | 0x200;
    let is_high = |time: u64| {
        let bit = time / heard;
        bit > 9 || bits >> bit & 1 == 1
    };
    // The line is high from the stop bit on.
    let end = 10 * heard;
    let mut time = 0;
    while time < end {
        // A start bit begins where the line falls, and that is at the edge of a bit.
        if is_high(time) {
            time = (time / heard + 1) * heard;
            continue;
        }
        if is_high(time + sent / 2) {
            time += sent / 2;
            continue;
        }
        let mut value = 0;
        for bit in 0..8 {
            let sample = time + sent * (2 * bit + 3) / 2;
            value |= u8::from(is_high(sample)) << bit;
        }
        out.push(value);
        time += sent * 19 / 2;
        // After a wrong stop bit the line is awaited high.
        while !is_high(time) {
            time = (time / heard + 1) * heard;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_takes_ten_bit_times_to_come() {
        let start = Instant::now();
        let mut line = Arriving::default();
        let byte = Duration::from_micros(1042);
        line.set_pace(byte);
        line.push(b"AT", start);
        line.push(b"\r", start);
        assert_eq!(line.take(start), b"");
        assert_eq!(line.due(), Some(start + byte));
        assert_eq!(line.take(start + byte), b"A");
        assert_eq!(line.take(start + 3 * byte), b"T\r");
        assert_eq!(line.due(), None);
        line.push(b"A", start + 9 * byte);
        assert_eq!(line.due(), Some(start + 10 * byte));
        line.cut();
        assert_eq!((line.due(), line.waiting()), (None, 0));
    }

    #[test]
    fn fast_bytes_are_taken_over_in_pieces() {
        let start = Instant::now();
        let mut line = Arriving::default();
        line.set_pace(Duration::from_micros(100));
        line.push(&[0; 25], start);
        let mut pieces = Vec::new();
        while let Some(due) = line.due() {
            pieces.push(line.take(due).len());
        }
        assert_eq!(pieces, [10, 10, 5]);
        line.set_pace(Duration::ZERO);
        line.push(b"at once", start);
        assert_eq!(line.take(start), b"at once");
    }

    #[test]
    fn a_wrong_rate_makes_garbage_and_always_the_same() {
        assert_eq!(heard_at(b"AT\r", 9600, 9600), b"AT\r");
        // Two percent off is near enough.
        assert_eq!(heard_at(b"AT\r", 9600, 9800), b"AT\r");
        // At half the rate two bits are heard as one: of nine low ones and the stop bit, five.
        assert_eq!(heard_at(b"\0", 9600, 4800), [0xf8]);
        // Sent at half the rate, each bit is heard as two; the stop bit comes too early.
        let slow = heard_at(b"AT\r", 9600, 19_200);
        assert_eq!(slow, heard_at(b"AT\r", 9600, 19_200));
        assert!(!slow.is_empty());
        assert_ne!(slow, b"AT\r");
        for sent in [4800, 115_200, 921_600] {
            for byte in 0..=255 {
                let garbage = heard_at(&[byte], sent, 57_600);
                assert!(garbage.len() <= 10, "{sent} {byte}");
            }
        }
    }
}
