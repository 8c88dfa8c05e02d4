//! How many messages passed, and how long each took.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::output::count;

/// Two significant digits are more than a serial line repeats.
const DIGITS: u8 = 2;

/// The longest latency that is told apart, in microseconds: an hour, more than any command may
/// take.
const LONGEST: u64 = 3_600_000_000;

/// Counts messages and their latencies, in bounded memory.
pub(crate) struct Summary {
    start: Instant,
    messages: u64,
    failed: u64,
    bytes: u64,
    /// In microseconds.
    latencies: Histogram<u64>,
}

impl Summary {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            messages: 0,
            failed: 0,
            bytes: 0,
            latencies: Histogram::new_with_max(LONGEST, DIGITS)
                .expect("two digits and a large maximum are possible"),
        }
    }

    /// A message has passed, `latency` after it was asked for.
    pub(crate) fn passed(&mut self, bytes: usize, latency: Duration) {
        self.messages += 1;
        self.bytes += bytes as u64;
        self.latencies
            .saturating_record(latency.as_micros().try_into().unwrap_or(u64::MAX));
    }

    /// A message did not pass.
    pub(crate) fn failed(&mut self) {
        self.failed += 1;
    }

    pub(crate) fn messages(&self) -> u64 {
        self.messages
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut object = json!({
            "event": "summary",
            "messages": self.messages,
            "failed": self.failed,
            "bytes": self.bytes,
            "ms": crate::duration::milliseconds(self.start.elapsed()),
        });
        if !self.latencies.is_empty() {
            object["latency_ms"] = json!({
                "min": milliseconds(self.latencies.min()),
                "p50": self.percentile(50.0),
                "p90": self.percentile(90.0),
                "p99": self.percentile(99.0),
                "max": milliseconds(self.latencies.max()),
            });
        }
        object
    }

    pub(crate) fn to_text(&self) -> String {
        let seconds = self.start.elapsed().as_secs_f64();
        let (messages, bytes) = (count(self.messages, "message"), count(self.bytes, "byte"));
        let rate = self.messages as f64 / seconds.max(1e-9);
        let mut text = format!("{messages}, {bytes} in {seconds:.2} s, {rate:.1} a second");
        if self.failed > 0 {
            text.push_str(&format!(", {} failed", self.failed));
        }
        if !self.latencies.is_empty() {
            let [p50, p90, p99] = [50.0, 90.0, 99.0].map(|of| self.percentile(of));
            let max = milliseconds(self.latencies.max());
            text.push_str(&format!(
                "; latency p50 {p50:.1} ms, p90 {p90:.1} ms, p99 {p99:.1} ms, max {max:.1} ms"
            ));
        }
        text
    }

    fn percentile(&self, percent: f64) -> f64 {
        milliseconds(self.latencies.value_at_percentile(percent))
    }
}

fn milliseconds(microseconds: u64) -> f64 {
    microseconds as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_what_was_counted() {
        let mut summary = Summary::new();
        for milliseconds in 1..=100 {
            summary.passed(4, Duration::from_millis(milliseconds));
        }
        summary.failed();
        let object = summary.to_json();
        assert_eq!(
            (&object["messages"], &object["failed"]),
            (&100.into(), &1.into())
        );
        assert_eq!(object["bytes"], 400);
        for (key, expected) in [("p50", 50.0), ("p90", 90.0), ("p99", 99.0), ("max", 100.0)] {
            let value = object["latency_ms"][key].as_f64().expect("a number");
            assert!(
                (value - expected).abs() <= expected / 50.0,
                "{key} is {value}"
            );
        }
        assert!(summary.to_text().starts_with("100 messages, 400 bytes in "));
    }

    #[test]
    fn nothing_has_no_latency() {
        assert_eq!(Summary::new().to_json().get("latency_ms"), None);
    }
}
