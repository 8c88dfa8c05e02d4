use atmq_protocol::dialect::Answer;
use atmq_protocol::mqtt::{Connected, ConnectionId, Intent, LinkStatus, PublishResult, Urc};

/// The connections that a conversation shows to be open, or on their way.
#[derive(Debug, Default)]
pub(super) struct Links(Vec<ConnectionId>);

impl Links {
    /// Whether there is nothing to close: what a host closes by way of precaution, because an
    /// earlier one may have left it open, a module may refuse.
    pub(super) fn has_nothing_for(&self, intent: &Intent) -> bool {
        match intent {
            Intent::Close { connection } | Intent::Disconnect { connection } => {
                !self.0.contains(connection)
            }
            _ => false,
        }
    }

    /// The module has accepted this, and reports what comes of it or not.
    pub(super) fn accepted(&mut self, intent: &Intent, reports: bool) {
        match intent {
            Intent::Open { connection, .. } | Intent::Connect { connection, .. } => {
                self.set(*connection, true);
            }
            Intent::Close { connection } if !reports => self.set(*connection, false),
            _ => {}
        }
    }

    /// What a line tells of a connection that is asked after.
    pub(super) fn answered(&mut self, answer: &Answer) {
        if let Answer::State { connection, .. } | Answer::Link { connection, .. } = answer {
            self.set(*connection, true);
        }
    }

    /// What the module reports.
    pub(super) fn reported(&mut self, urc: &Urc) {
        let open = match urc {
            Urc::Opened { result, .. } => result.is_ok(),
            Urc::Closed { result: Ok(()), .. } | Urc::Disconnected { result: Ok(()), .. } => false,
            Urc::Connected {
                result: Connected::Accepted,
                ..
            }
            | Urc::SubscriptionChanged { result: Ok(_), .. }
            | Urc::Published {
                result: PublishResult::Done,
                ..
            }
            | Urc::Received { .. }
            | Urc::Buffered { .. } => true,
            Urc::Status { status, .. } => {
                matches!(status, LinkStatus::Fine | LinkStatus::CacheOverflow)
            }
            // They say nothing of the link.
            Urc::Closed { .. }
            | Urc::Disconnected { .. }
            | Urc::Connected { .. }
            | Urc::SubscriptionChanged { .. }
            | Urc::Published { .. } => return,
        };
        self.set(urc.connection(), open);
    }

    /// The module starts anew, or is off.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    fn set(&mut self, connection: ConnectionId, open: bool) {
        self.0.retain(|other| *other != connection);
        if open {
            self.0.push(connection);
        }
    }
}
