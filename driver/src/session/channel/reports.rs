//! Exchanges of which the final result code has come and the report has not: others have the line.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use atmq_protocol::at::command;
use atmq_protocol::at::result_code::FinalResult;
use atmq_protocol::dialect::Step;
use atmq_protocol::mqtt::{ConnectionId, Intent, Queried, Urc};

use super::{Channel, State};
use crate::error::ExchangeError;
use crate::session::command::Command;
use crate::session::pending::Pending;
use crate::session::wire::Prepared;

/// Whether one of the exchanges is about the connection.
pub(super) fn awaited(reports: &VecDeque<Box<Pending>>, connection: ConnectionId) -> bool {
    let mut expected = reports.iter().filter_map(|pending| pending.prepared.report);
    expected.any(|expected| expected.connection == connection)
}

/// The name of the first command on a line.
fn name(line: &[u8]) -> Option<&[u8]> {
    let (command, _) = command::Command::split_first(line.get(2..)?, |_| true);
    Some(command.name)
}

impl Channel {
    /// Whether a report about the connection is still to come.
    pub(in crate::session) fn awaits_report(&self, connection: ConnectionId) -> bool {
        awaited(&self.reports, connection)
    }

    /// See [`Session::takes`](crate::session::Session::takes).
    pub(in crate::session) fn takes(&self, command: &Command) -> bool {
        match command {
            Command::Standard(_) => true,
            Command::Step(step) => self.takes_step(step),
            Command::Raw(raw) => self.takes_line(None, &raw.line),
        }
    }

    /// The same for a step.
    pub(in crate::session) fn takes_step(&self, step: &Step) -> bool {
        let reported = step.report.map(|expected| expected.connection);
        self.takes_line(reported.or(step.link), &step.line)
    }

    /// The same for what is written down.
    pub(super) fn takes_prepared(&self, prepared: &Prepared) -> bool {
        let reported = prepared.report.map(|expected| expected.connection);
        self.takes_line(reported.or(prepared.link), &prepared.line)
    }

    /// The same for a line that is about this connection, if that is known already.
    fn takes_line(&self, connection: Option<ConnectionId>, line: &[u8]) -> bool {
        if self.reports.is_empty() {
            return true;
        }
        if let Some(connection) = connection {
            return !self.awaits_report(connection);
        }
        let Some(commanded) = self.wire.host.command(line) else {
            return true;
        };
        // What answers a question for the state of connections may look like the report of a command
        // of the same name.
        let mut awaited = self.reports.iter().map(|pending| &pending.prepared.line);
        let asks_for_states = matches!(
            commanded.intent,
            Intent::Query {
                what: Queried::States,
                ..
            }
        );
        if asks_for_states && awaited.any(|awaited| name(awaited) == name(line)) {
            return false;
        }
        let reported = commanded.report.map(|expected| expected.connection);
        let connection = reported.or(commanded.intent.connection());
        !connection.is_some_and(|connection| self.awaits_report(connection))
    }

    /// The final result code of the exchange in progress has come: if its report has not, it waits
    /// for that beside the line.
    pub(super) fn free_line(&mut self) {
        if let Some(pending) = self.take_pending() {
            // Answers come in order, so those of older probes can no longer come.
            self.late_probes = 0;
            self.known = true;
            self.left_behind = None;
            self.reports.push_back(pending);
        }
    }

    /// Gives a report to the oldest exchange that waits for it; whether there is one.
    pub(super) fn take_report(&mut self, urc: &Urc, line: &[u8], now: Instant) -> bool {
        let mut waiting = self.reports.iter_mut();
        let taken = waiting.any(|pending| pending.take_report(urc, line))
            || match &mut self.state {
                State::Pending(pending) => pending.take_report(urc, line),
                _ => false,
            };
        if taken {
            self.counters.urcs += 1;
            self.follow(urc);
            self.finish_reported(now);
            self.finish_if_complete(now);
        }
        taken
    }

    /// Ends the exchanges beside the line that wait for nothing any more.
    pub(super) fn finish_reported(&mut self, now: Instant) {
        while let Some(mut pending) = self.take_waiting(Pending::is_complete) {
            let outcome = pending.outcome(FinalResult::Ok);
            self.complete(pending, outcome, now);
            self.start_if_clear(now);
        }
    }

    /// Gives up those whose time is over. Nothing of them is owed that could answer another.
    pub(super) fn give_up_reports(&mut self, now: Instant) {
        while let Some(mut pending) = self.take_waiting(|pending| pending.deadline <= now) {
            let outcome = match pending.refused.take() {
                Some(result) => {
                    self.counters.refusals += 1;
                    pending.outcome(result)
                }
                None => Err(ExchangeError::NoReport {
                    limit: self.time_out(&pending, now),
                    command: pending.prepared.name(),
                    sent_again: pending.sent_again,
                }),
            };
            self.complete(pending, outcome, now);
            self.start_if_clear(now);
        }
    }

    /// Sends the command that the last report has kept back, if one has.
    fn start_if_clear(&mut self, now: Instant) {
        if let State::Clear = self.state {
            self.start(now);
        }
    }

    /// Counts an exchange whose time is over, and remembers what may be reported of it; its limit.
    pub(super) fn time_out(&mut self, pending: &Pending, now: Instant) -> Duration {
        self.counters.timeouts += 1;
        let limit = pending.prepared.limit;
        if let Some(connection) = pending.unidentified() {
            self.late_reports.push((connection, now + limit));
        }
        limit
    }

    fn take_waiting(&mut self, which: impl Fn(&Pending) -> bool) -> Option<Box<Pending>> {
        let at = self.reports.iter().position(|pending| which(pending))?;
        self.reports.remove(at)
    }
}
