//! The module's own reconnect, in profiles that have it (as ECMT's does; inferred for others).

use std::time::{Duration, Instant};

use atmq_protocol::mqtt::ConnectionId;

use super::Modem;
use super::connection::{Link, Purpose};
use crate::mqtt::ConnectOptions;

/// How long the module waits before it tries for the second time; each time twice as long, up to
/// the last. Ours: ECMT's sources name no times.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

fn pause(attempt: u32) -> Duration {
    let factor = 1_u32.checked_shl(attempt).unwrap_or(u32::MAX);
    FIRST_PAUSE.saturating_mul(factor).min(LONGEST_PAUSE)
}

impl Modem {
    /// A link was lost: it is opened again, the first time at once. It goes on until it succeeds
    /// or the host closes the connection.
    pub(super) fn begin_reconnect(
        &mut self,
        id: ConnectionId,
        options: Box<ConnectOptions>,
        attempt: u32,
        now: Instant,
    ) {
        self.keep_session(id);
        let cid = self.connection(id).cid;
        if attempt > 0 || !self.is_active(cid) {
            return self.wait(id, options, attempt.saturating_sub(1), now);
        }
        let purpose = Purpose::Reconnect { attempt };
        self.connection(id).link = Link::Reopening { options, purpose };
        self.request_link(id);
    }

    /// The attempt has failed: the next one comes after a pause.
    pub(super) fn wait(
        &mut self,
        id: ConnectionId,
        options: Box<ConnectOptions>,
        attempt: u32,
        now: Instant,
    ) {
        self.keep_session(id);
        self.connection(id).link = Link::Waiting {
            options,
            attempt: attempt.saturating_add(1),
            due: now + pause(attempt),
        };
    }

    /// When the next attempt is made.
    pub(super) fn reconnects_due(&self) -> Option<Instant> {
        let due = self
            .connections
            .iter()
            .filter_map(|connection| match &connection.link {
                Link::Waiting { due, .. } => Some(*due),
                _ => None,
            });
        due.min()
    }

    /// Makes the attempts whose time has come; without a network they wait on.
    pub(super) fn reconnects_timeout(&mut self, now: Instant) {
        for id in self.ids() {
            let cid = self.connection(id).cid;
            let active = self.is_active(cid);
            let link = &mut self.connection(id).link;
            match link {
                Link::Waiting { due, .. } if *due <= now && !active => *due = now + FIRST_PAUSE,
                Link::Waiting { due, .. } if *due <= now => {}
                _ => continue,
            }
            if !active {
                continue;
            }
            if let Link::Waiting {
                options, attempt, ..
            } = std::mem::replace(link, Link::Closed)
            {
                let purpose = Purpose::Reconnect { attempt };
                *link = Link::Reopening { options, purpose };
                self.request_link(id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute() {
        let pauses: Vec<_> = (0..8).map(|attempt| pause(attempt).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
    }
}
