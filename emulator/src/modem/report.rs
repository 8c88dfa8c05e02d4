//! What the dialect is told to report, and when the host hears of it.

use std::time::{Duration, Instant};

use atmq_protocol::at::result_code::FinalResult;
use atmq_protocol::dialect::{Act, Report};
use atmq_protocol::mqtt::{
    Connected, ConnectionId, LinkStatus, OpenFailure, PublishResult, Reason, SubscriptionChange,
    Urc,
};

use super::faces::Whose;
use super::{Modem, NOT_ALLOWED, Phase};
use crate::quirks::ResultOrder;

/// How long `OK` waits for an outcome where the two come together: what the manual allows a
/// command other than OPEN.
const OUTCOME_LIMIT: Duration = Duration::from_secs(30);

impl Modem {
    /// Something has happened that the host may have to hear of. Whether it is reported.
    pub(super) fn tell(&mut self, urc: Urc, now: Instant) -> bool {
        let mut acts = Vec::new();
        self.face.happened(urc, &mut acts);
        let reported = acts.iter().any(|act| matches!(act, Act::Report(_)));
        self.perform_all(Whose::Dialect, acts, now);
        reported
    }

    /// A publish was sent again.
    pub(super) fn tell_repeated(
        &mut self,
        id: ConnectionId,
        message_id: u16,
        attempt: u32,
        now: Instant,
    ) {
        let mut acts = Vec::new();
        self.face.sent_again(id, message_id, attempt, &mut acts);
        self.perform_all(Whose::Dialect, acts, now);
    }

    pub(super) fn tell_opened(
        &mut self,
        connection: ConnectionId,
        result: Result<(), OpenFailure>,
        now: Instant,
    ) {
        self.tell(Urc::Opened { connection, result }, now);
    }

    pub(super) fn tell_connected(
        &mut self,
        connection: ConnectionId,
        result: Connected,
        now: Instant,
    ) {
        self.tell(Urc::Connected { connection, result }, now);
    }

    pub(super) fn tell_subscription(
        &mut self,
        connection: ConnectionId,
        message_id: u16,
        change: SubscriptionChange,
        result: Result<Option<i32>, Reason>,
        now: Instant,
    ) {
        let urc = Urc::SubscriptionChanged {
            connection,
            message_id,
            change: Some(change),
            result,
        };
        self.tell(urc, now);
    }

    pub(super) fn tell_published(
        &mut self,
        connection: ConnectionId,
        message_id: u16,
        result: PublishResult,
        reason: Reason,
        now: Instant,
    ) {
        let urc = Urc::Published {
            connection,
            message_id,
            result,
            reason,
        };
        if !self.tell(urc, now) {
            self.lint.published(connection, message_id, now);
        }
    }

    pub(super) fn tell_status(
        &mut self,
        connection: ConnectionId,
        status: LinkStatus,
        code: Option<i32>,
        now: Instant,
    ) {
        let urc = Urc::Status {
            connection,
            status,
            code,
        };
        self.tell(urc, now);
    }

    /// Reports what has happened in the order in which it has happened: so a message that was
    /// queued for the session comes in the same burst as the outcome of the CONNECT, but behind
    /// it. The outcome of a command comes as late as the module tells it.
    pub(super) fn report(&mut self, report: &Report, now: Instant) {
        let connection = self.connection(report.urc.connection());
        let due = match report.outcome {
            true => connection.outcome_from.max(now),
            false => now,
        };
        let due = connection.reported_until.max(due);
        connection.reported_until = due;
        if report.outcome {
            self.outcome_due = Some(due);
        }
        self.lint.reported(report, due);
        self.urc(due, &report.line);
    }

    /// From here on an outcome may be reported; before the latency has passed the host must not
    /// hear it.
    pub(super) fn begin_outcome(&mut self, id: ConnectionId, now: Instant) {
        let latency = self.profile.latency.result;
        let from = now + self.spread(latency);
        self.connection(id).outcome_from = from;
        self.outcome_due = None;
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

    /// Whether the outcome has come that is told by the final result code.
    pub(super) fn await_result(&mut self, give_up: Instant, now: Instant) -> bool {
        match self.outcome.take() {
            Some(result) => self.finish(result.map(|()| FinalResult::Ok)),
            None if give_up <= now => self.finish(Err(NOT_ALLOWED)),
            None => {
                self.phase = Phase::Waiting { give_up };
                return false;
            }
        }
        true
    }
}
