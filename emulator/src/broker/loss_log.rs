//! What the broker drops for want of room, said in the log.

use std::time::Instant;

use atmq_protocol::throttle::Throttle;

use super::{CloseReason, Counters, Limits, Violation};

/// Turns counters into lines: one at the first loss, then no more than one each ten seconds.
#[derive(Debug, Default)]
pub(super) struct LossLog {
    queues: Losses,
    retained: Losses,
    closed: Throttle<Instant>,
}

#[derive(Debug, Default)]
struct Losses {
    told: u64,
    throttle: Throttle<Instant>,
}

impl Losses {
    /// How many to tell of now, of all there are.
    fn pass(&mut self, all: u64, now: Instant) -> Option<u64> {
        let untold = all - self.told;
        if untold == 0 || self.throttle.pass(now).is_none() {
            return None;
        }
        self.told = all;
        Some(untold)
    }
}

impl LossLog {
    /// Tells of messages that were dropped.
    pub(super) fn look(&mut self, counters: Counters, limits: &Limits, now: Instant) {
        if let Some(messages) = self.queues.pass(counters.dropped_queue_full, now) {
            tracing::warn!(
                messages,
                limit = limits.queued_messages,
                limit_bytes = limits.queued_bytes,
                "the embedded broker drops messages: a subscriber does not acknowledge in time"
            );
        }
        if let Some(messages) = self.retained.pass(counters.dropped_retained_full, now) {
            tracing::warn!(
                messages,
                limit = limits.retained_messages,
                limit_bytes = limits.retained_bytes,
                "the embedded broker does not retain messages: it holds as many as it may"
            );
        }
    }

    /// Tells of a connection that is closed because of a limit.
    pub(super) fn closed(&mut self, reason: &CloseReason, now: Instant) {
        let limit: &dyn std::fmt::Display = match reason {
            CloseReason::Violation(violation @ Violation::PacketTooLarge { .. }) => violation,
            reason @ CloseReason::Overflow { .. } => reason,
            _ => return,
        };
        if self.closed.pass(now).is_some() {
            tracing::warn!(reason = %limit, "the embedded broker closes a connection");
        }
    }

    /// Tells of the rest, at the end.
    pub(super) fn end(&self, counters: Counters) {
        let all = counters.dropped_queue_full;
        if all > self.queues.told {
            tracing::warn!(messages = all, "the embedded broker has dropped messages");
        }
        let all = counters.dropped_retained_full;
        if all > self.retained.told {
            tracing::warn!(
                messages = all,
                "the embedded broker has not retained messages"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_flood_of_losses_is_told_at_once_and_then_now_and_then() {
        let mut losses = Losses::default();
        let start = Instant::now();
        assert_eq!(losses.pass(0, start), None);
        assert_eq!(losses.pass(1, start), Some(1));
        for all in 2..1000 {
            let now = start + Duration::from_millis(all);
            assert_eq!(losses.pass(all, now), None);
        }
        let later = start + Duration::from_secs(10);
        assert_eq!(losses.pass(1500, later), Some(1499));
        let much_later = later + Duration::from_secs(60);
        assert_eq!(losses.pass(1500, much_later), None, "nothing new");
    }
}
