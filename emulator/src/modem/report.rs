//! When the outcome of a command is told, and when its final result code.

use std::time::{Duration, Instant};

use atmq_protocol::at::result_code::FinalResult;
use atmq_protocol::mqtt::ConnectionId;

use super::{Modem, NOT_ALLOWED, Phase};
use crate::quirks::ResultOrder;

/// How long `OK` waits for an outcome where the two come together: what the manual allows a
/// command other than OPEN.
const OUTCOME_LIMIT: Duration = Duration::from_secs(30);

impl Modem {
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
