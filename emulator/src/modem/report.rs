//! The URCs: what is reported, and when.

use std::time::{Duration, Instant};

use atmq_protocol::at::result_code::FinalResult;
use atmq_protocol::dialect::Dialect;
use atmq_protocol::mqtt::{
    Connected, ConnectionId, LinkStatus, OpenFailure, PublishResult, Reason, ReasonKind, Request,
    SubscriptionChange, Urc,
};

use super::{Modem, Phase};
use crate::quirks::ResultOrder;

/// How long `OK` waits for an outcome where the two come together: what the manual allows a
/// command other than OPEN.
const OUTCOME_LIMIT: Duration = Duration::from_secs(30);

impl Modem {
    /// Whether the host will hear what came of a request.
    pub(super) fn is_reported(&self, request: &Request<'_>) -> bool {
        let publish = matches!(
            request,
            Request::Publish { .. } | Request::PublishExtended { .. }
        );
        let wanted = match request.connection() {
            Some(id) if publish => self.connections[usize::from(id.0)].config.result_urcs,
            _ => true,
        };
        wanted && self.profile.dialect.exchange(request).reported
    }

    /// From here on an outcome may be reported; before the latency has passed the host must not
    /// hear it.
    pub(super) fn begin_outcome(&mut self, id: ConnectionId, now: Instant) {
        let latency = self.profile.latency.result;
        let from = now + self.spread(latency);
        self.connection(id).outcome_from = from;
        self.outcome_due = None;
    }

    /// Ends a publish that was not refused.
    pub(super) fn finish_publish(&mut self, id: ConnectionId, now: Instant) {
        if self.connection(id).config.result_urcs {
            self.finish_reported(now);
        } else {
            self.finish(Ok(FinalResult::Ok));
        }
    }

    /// Ends a command whose outcome is reported: with `OK`, or by waiting for the outcome first.
    pub(super) fn finish_reported(&mut self, now: Instant) {
        if self.profile.quirks.result_order == ResultOrder::OkFirst {
            return self.finish(Ok(FinalResult::Ok));
        }
        let give_up = now + OUTCOME_LIMIT;
        self.phase = Phase::Reporting { give_up };
    }

    /// Whether the outcome that `OK` waits for has come.
    pub(super) fn await_outcome(&mut self, give_up: Instant, now: Instant) -> bool {
        if self.outcome_due.unwrap_or(give_up) > now {
            self.phase = Phase::Reporting { give_up };
            return false;
        }
        if self.profile.quirks.result_order == ResultOrder::UrcFirst {
            self.output.release(now);
        }
        self.finish(Ok(FinalResult::Ok));
        true
    }

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
        result: Result<Option<i32>, Reason>,
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
        reason: Reason,
        now: Instant,
    ) {
        self.lint.published(id, message_id);
        let connection = self.connection(id);
        let extended = connection.extended.iter().position(|at| *at == message_id);
        if let Some(at) = extended {
            connection.extended.remove(at);
        }
        if connection.config.result_urcs {
            let urc = published(id, message_id, result, reason, extended.is_some());
            self.report_outcome(id, &urc, now);
        }
    }

    /// A publish was sent again. The manual has no other place for the notice than result 1,
    /// which it once calls "retransmission"; that the number of repetitions stands behind it is
    /// QMT's (inferred). Repeated subscribes are not reported: there, result 1 is failure.
    pub(super) fn report_repeated(
        &mut self,
        id: ConnectionId,
        message_id: u16,
        attempt: u32,
        now: Instant,
    ) {
        let connection = self.connection(id);
        let extended = connection.extended.contains(&message_id);
        if connection.config.result_urcs {
            let result = PublishResult::WrongAcknowledgement;
            let reason = Reason::new(ReasonKind::Unknown, i32::try_from(attempt).ok());
            let urc = published(id, message_id, result, reason, extended);
            self.report(id, &urc, now);
        }
    }

    pub(super) fn report_status(
        &mut self,
        id: ConnectionId,
        status: LinkStatus,
        code: Option<i32>,
        now: Instant,
    ) {
        let urc = Urc::Status {
            connection: id,
            status,
            code,
        };
        self.report(id, &urc, now);
    }

    /// Reports the outcome of a command, as late as the module does.
    pub(super) fn report_outcome(&mut self, id: ConnectionId, urc: &Urc, now: Instant) {
        let connection = self.connection(id);
        let due = connection.outcome_from.max(now);
        self.outcome_due = Some(due.max(connection.reported_until));
        self.report(id, urc, due);
    }

    /// Reports what has happened, from `due` on, and in the order in which it has happened: so a
    /// message that was queued for the session comes in the same burst as the outcome of the
    /// CONNECT, but behind it.
    pub(super) fn report(&mut self, id: ConnectionId, urc: &Urc, due: Instant) {
        let connection = self.connection(id);
        let due = connection.reported_until.max(due);
        connection.reported_until = due;
        self.lint.reported(id, urc, self.formats[id], due);
        let (dialect, formats) = (&self.profile.dialect, &self.formats);
        let mut line = Vec::new();
        dialect.encode_urc(urc, formats, &mut line);
        self.urc(due, &line);
    }
}

fn published(
    connection: ConnectionId,
    message_id: u16,
    result: PublishResult,
    reason: Reason,
    extended: bool,
) -> Urc {
    if extended {
        return Urc::PublishedExtended {
            connection,
            message_id,
            result,
            reason,
        };
    }
    Urc::Published {
        connection,
        message_id,
        result,
        reason,
    }
}
