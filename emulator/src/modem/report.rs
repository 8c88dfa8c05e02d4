//! The URCs: what is reported, and when.

use std::time::Instant;

use atmq_protocol::dialect::Dialect;
use atmq_protocol::mqtt::{
    Connected, ConnectionId, LinkStatus, OpenFailure, PublishResult, SubscriptionChange, Urc,
};

use super::Modem;

impl Modem {
    pub(super) fn report_opened(
        &mut self,
        id: ConnectionId,
        result: Result<(), OpenFailure>,
        now: Instant,
    ) {
        let urc = Urc::Opened {
            connection: id,
            result,
        };
        self.report_outcome(id, &urc, now);
    }

    pub(super) fn report_connected(&mut self, id: ConnectionId, result: Connected, now: Instant) {
        let urc = Urc::Connected {
            connection: id,
            result,
        };
        self.report_outcome(id, &urc, now);
    }

    pub(super) fn report_subscription(
        &mut self,
        id: ConnectionId,
        message_id: u16,
        change: SubscriptionChange,
        result: Result<Option<i32>, Option<i32>>,
        now: Instant,
    ) {
        let urc = Urc::SubscriptionChanged {
            connection: id,
            message_id,
            change: Some(change),
            result,
        };
        self.report_outcome(id, &urc, now);
    }

    pub(super) fn report_published(
        &mut self,
        id: ConnectionId,
        message_id: u16,
        result: PublishResult,
        extend: Option<i32>,
        now: Instant,
    ) {
        self.lint.published(id, message_id);
        if !self.connection(id).config.result_urcs {
            return;
        }
        let urc = Urc::Published {
            connection: id,
            message_id,
            result,
            extend,
        };
        self.report_outcome(id, &urc, now);
    }

    pub(super) fn report_status(&mut self, id: ConnectionId, status: LinkStatus, now: Instant) {
        let urc = Urc::Status {
            connection: id,
            status,
            extend: None,
        };
        self.report(id, &urc, now);
    }

    /// Reports the outcome of a command, as late as the module does.
    pub(super) fn report_outcome(&mut self, id: ConnectionId, urc: &Urc<'_>, now: Instant) {
        let due = self.connection(id).outcome_from.max(now);
        self.report(id, urc, due);
    }

    /// Reports what has happened, from `due` on, and in the order in which it has happened: so a
    /// message that was queued for the session comes in the same burst as the outcome of the
    /// CONNECT, but behind it.
    pub(super) fn report(&mut self, id: ConnectionId, urc: &Urc<'_>, due: Instant) {
        let connection = self.connection(id);
        let due = connection.reported_until.max(due);
        connection.reported_until = due;
        self.lint.reported(id, urc, self.formats[id], due);
        let (dialect, formats) = (&self.profile.dialect, &self.formats);
        self.output
            .urc(due, |out| dialect.encode_urc(urc, formats, out));
    }
}
