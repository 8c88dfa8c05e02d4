use std::time::{Duration, Instant};

use super::options::ConnectOptions;

/// When to ask the broker for a sign of life, and when to stop believing in one.
pub(super) struct KeepAlive {
    /// Silence after which PINGREQ is sent.
    interval: Duration,
    /// How long PINGRESP may take.
    patience: Duration,
    /// How often PINGREQ is sent again.
    retries: u32,
    /// PINGREQ packets sent since the last PINGRESP.
    unanswered: u32,
    due: Instant,
}

/// What is due.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// PINGREQ is to be sent.
    Request,
    /// So many were sent for nothing.
    GiveUp { requests: u32 },
}

impl KeepAlive {
    /// `None` when keepalive is off.
    pub(super) fn new(options: &ConnectOptions, now: Instant) -> Option<Self> {
        let interval = Duration::from_secs(options.keep_alive.into());
        (!interval.is_zero()).then(|| Self {
            interval,
            // A broker closes after one and a half intervals of silence, however patient the
            // client is with its answers.
            patience: options.packet_timeout.min(interval),
            retries: options.retries,
            unanswered: 0,
            due: now + interval,
        })
    }

    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// Something was sent. That is a sign of our life; of the broker's only PINGRESP is.
    pub(super) fn handle_sent(&mut self, now: Instant) {
        if self.unanswered == 0 {
            self.due = now + self.interval;
        }
    }

    /// PINGRESP came. One that was not asked for is no reason to be silent any longer.
    pub(super) fn handle_response(&mut self, now: Instant) {
        if self.unanswered > 0 {
            self.unanswered = 0;
            self.due = now + self.interval;
        }
    }

    /// What is due by now, once.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Option<Due> {
        if self.due > now {
            return None;
        }
        if self.unanswered > self.retries {
            return Some(Due::GiveUp {
                requests: self.unanswered,
            });
        }
        self.unanswered += 1;
        self.due = now + self.patience;
        Some(Due::Request)
    }
}
