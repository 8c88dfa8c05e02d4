use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use atmq_protocol::at::result_code::FinalResult;

use super::uart::heard_at;

/// What the module has to say: at once, or when its time has come; and how far the serial line
/// has carried it. By default nothing, on a line that takes no time.
#[derive(Debug, Default)]
pub(super) struct Output {
    style: Style,
    /// What the line has carried, as the host hears it.
    carried: Vec<u8>,
    /// The host's rate, if it matters.
    host_rate: Option<u32>,
    /// What it has not carried yet.
    ready: Vec<u8>,
    pace: Pace,
    /// URCs by the time from which they may be sent, and in order where it is the same.
    urcs: BTreeMap<(Instant, u64), Vec<u8>>,
    urc_bytes: usize,
    sequence: u64,
}

/// How lines are written: V.250's V, Q, S3 and S4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Style {
    /// Result codes in words, or as numbers.
    pub(super) verbose: bool,
    /// No final result codes at all.
    pub(super) quiet: bool,
    /// S3, the carriage return.
    pub(super) line_end: u8,
    /// S4, the line feed.
    pub(super) line_feed: u8,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            verbose: true,
            quiet: false,
            line_end: b'\r',
            line_feed: b'\n',
        }
    }
}

/// How fast the serial line carries bytes.
#[derive(Debug, Default)]
struct Pace {
    /// How long a byte takes; zero: no time.
    byte: Duration,
    /// The same, once everything said so far is carried: a new rate holds from behind the `OK` of
    /// its command (V.250 section 6.2.10).
    next_byte: Duration,
    /// The rate in bits per second, and the next one likewise.
    rate: u32,
    next_rate: u32,
    /// Since when the line is busy with the first byte that it has not carried.
    since: Option<Instant>,
}

impl Pace {
    /// Everything has been carried.
    fn rest(&mut self) {
        self.since = None;
        self.byte = self.next_byte;
        self.rate = self.next_rate;
    }
}

/// Bytes are handed over in pieces that take the line so long: a host's system does not see
/// single bytes either, and a timer for each would be in vain.
const PIECE: Duration = Duration::from_millis(1);

impl Output {
    /// How lines are written from now on.
    pub(super) fn set_style(&mut self, style: Style) {
        self.style = style;
    }

    /// The module's rate, and how long the line takes for a byte, once what is said has been carried.
    pub(super) fn set_pace(&mut self, rate: u32, byte: Duration) {
        self.pace.next_rate = rate;
        self.pace.next_byte = byte;
    }

    /// The host's rate; `None` if it is as good as the module's.
    pub(super) fn set_host_rate(&mut self, rate: Option<u32>) {
        self.host_rate = rate;
    }

    /// Bytes to send, as they are.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.ready.extend_from_slice(bytes);
    }

    /// A line, between the line ends that the module writes around each; after `ATV0` there is
    /// none in front (V.250 section 6.2.6).
    pub(super) fn line(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let line_end = [self.style.line_end, self.style.line_feed];
        if self.style.verbose {
            self.ready.extend_from_slice(&line_end);
        }
        write(&mut self.ready);
        self.ready.extend_from_slice(&line_end);
    }

    /// Whether final result codes are written at all.
    pub(super) fn says_results(&self) -> bool {
        !self.style.quiet
    }

    /// A final result code: in words, or as a number and a carriage return. Those that have no
    /// number keep their words (V.250 section 5.7.2).
    pub(super) fn result(&mut self, result: &FinalResult) {
        if self.style.quiet {
            return;
        }
        if self.style.verbose {
            return self.line(|out| result.encode(out));
        }
        match result.number() {
            Some(number) => self.ready.extend_from_slice(number.to_string().as_bytes()),
            None => result.encode(&mut self.ready),
        }
        self.ready.push(self.style.line_end);
    }

    /// A line that is sent from `due` on, as soon as no command is being executed.
    pub(super) fn urc(&mut self, due: Instant, write: impl FnOnce(&mut Vec<u8>)) {
        let mut line = Vec::new();
        write(&mut line);
        self.urc_bytes += line.len();
        self.sequence += 1;
        self.urcs.insert((due, self.sequence), line);
    }

    /// Makes ready the URCs whose time has come.
    pub(super) fn release(&mut self, now: Instant) {
        while let Some(first) = self.urcs.first_entry()
            && first.key().0 <= now
        {
            let line = first.remove();
            self.urc_bytes -= line.len();
            self.line(|out| out.extend_from_slice(&line));
        }
    }

    /// When the next URC is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.urcs.first_key_value().map(|((due, _), _)| *due)
    }

    /// Lets the line carry what it can by `now`. To be called before and after anything is said.
    pub(super) fn carry(&mut self, now: Instant) {
        if self.ready.is_empty() {
            self.pace.rest();
            return;
        }
        let since = *self.pace.since.get_or_insert(now);
        let busy = now.saturating_duration_since(since);
        let count = match busy.as_nanos().checked_div(self.pace.byte.as_nanos()) {
            None => self.ready.len(),
            Some(count) => {
                usize::try_from(count).map_or(self.ready.len(), |count| count.min(self.ready.len()))
            }
        };
        let bytes: Vec<u8> = self.ready.drain(..count).collect();
        match self.host_rate {
            None => self.carried.extend(bytes),
            Some(rate) => self.carried.extend(heard_at(&bytes, self.pace.rate, rate)),
        }
        // At most as many as there were bytes, which is far below the limit.
        self.pace.since = Some(since + self.pace.byte * count as u32);
        if self.ready.is_empty() {
            self.pace.rest();
        }
    }

    /// When the line will have carried some more.
    pub(super) fn carries_until(&self) -> Option<Instant> {
        let since = self.pace.since?;
        let byte = self.pace.byte.max(Duration::from_nanos(1));
        let piece = (PIECE.as_nanos() / byte.as_nanos()).max(1);
        let count = usize::try_from(piece).unwrap_or(usize::MAX);
        Some(since + byte * count.min(self.ready.len()) as u32)
    }

    /// Takes everything that the line has carried.
    pub(super) fn take(&mut self) -> Option<Vec<u8>> {
        (!self.carried.is_empty()).then(|| std::mem::take(&mut self.carried))
    }

    /// Bytes that the line has still to carry.
    pub(super) fn not_carried(&self) -> usize {
        self.ready.len()
    }

    /// Bytes waiting, ready or not.
    pub(super) fn waiting(&self) -> usize {
        self.carried.len() + self.ready.len() + self.urc_bytes
    }

    /// The power is gone: what the line has not carried is lost.
    pub(super) fn cut(&mut self) {
        self.forget();
        self.ready.clear();
    }

    /// Forgets what is not yet ready.
    pub(super) fn forget(&mut self) {
        self.urcs.clear();
        self.urc_bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_takes_ten_bit_times_a_byte() {
        let start = Instant::now();
        let mut output = Output::default();
        // 9600 bits per second.
        output.set_pace(9600, Duration::from_nanos(1_041_666));
        output.carry(start);
        output.raw(b"0123456789");
        output.carry(start);
        assert_eq!(output.take(), None);
        let mut now = start;
        let mut heard = Vec::new();
        while let Some(due) = output.carries_until() {
            now = due;
            output.carry(now);
            heard.extend(output.take().unwrap_or_default());
        }
        assert_eq!(heard, b"0123456789");
        assert_eq!(now - start, Duration::from_nanos(10_416_660));
    }

    #[test]
    fn a_new_rate_holds_from_behind_what_is_said() {
        let start = Instant::now();
        let mut output = Output::default();
        output.raw(b"OK");
        output.set_pace(9600, Duration::from_millis(1));
        output.carry(start);
        assert_eq!(output.take(), Some(b"OK".to_vec()));
        output.raw(b"ab");
        output.carry(start);
        assert_eq!(output.take(), None);
        output.carry(start + Duration::from_millis(1));
        assert_eq!(output.take(), Some(b"a".to_vec()));
    }
}
