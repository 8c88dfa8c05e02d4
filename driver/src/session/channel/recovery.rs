//! What the channel does when an exchange does not end as it should.

use std::time::Instant;

use atmq_protocol::mqtt::FormatTable;
use atmq_protocol::result_code::FinalResult;

use super::{Channel, State};
use crate::error::ExchangeError;
use crate::session::command::Kind;
use crate::session::event::Event;
use crate::session::fence::{self, Fence, Verdict};
use crate::session::pending::Stage;

impl Channel {
    /// Puts up the fence, not knowing what the module owes.
    pub(in crate::session) fn synchronise(&mut self, now: Instant) {
        if let State::Pending(_) = self.state {
            self.give_up(now);
        }
        match &mut self.state {
            // It may still take a probe for its data.
            State::Fenced(fence) if fence.in_data_mode() => fence.owes_unknown(),
            _ => self.fence(Fence::owing(None, now)),
        }
    }

    /// The module has lost all that it was told.
    pub(super) fn rebooted(&mut self, now: Instant) {
        tracing::warn!("the module rebooted");
        self.counters.reboots += 1;
        self.wire.formats = FormatTable::default();
        self.unreported.clear();
        self.late_probes = 0;
        self.late_probe_answered = false;
        self.events.push_back(Event::Rebooted);
        let failed = match std::mem::replace(&mut self.state, State::Clear) {
            State::Pending(pending) => Some(pending.prepared),
            // What does not depend on a connection can still be sent.
            _ => self
                .waiting
                .take_if(|waiting| matches!(waiting.kind, Kind::Mqtt(_))),
        };
        if let Some(prepared) = failed {
            let command = prepared.name;
            self.complete(Err(ExchangeError::Rebooted { command }));
        }
        self.fence(Fence::owing(Some(0), now));
    }

    /// The exchange in progress is given up; there is one.
    pub(super) fn give_up(&mut self, now: Instant) {
        let State::Pending(pending) = std::mem::replace(&mut self.state, State::Clear) else {
            return;
        };
        self.counters.timeouts += 1;
        let limit = pending.prepared.limit;
        let command = pending.prepared.name.clone();
        let fence = match pending.stage {
            _ if pending.carried_out => {
                self.complete(Err(ExchangeError::NoReport { command, limit }));
                return;
            }
            Stage::Prompt => Fence::data_mode(now, 1),
            Stage::Data(sent) => Fence::data_mode(sent, 1),
            Stage::Command => Fence::owing(Some(1), now),
        };
        let outcome = match pending.stage {
            // What came of it is known, only its `OK` was lost.
            _ if pending.has_report() => pending.finish(FinalResult::Ok),
            Stage::Prompt => {
                let limit = pending.prompt_limit();
                Err(ExchangeError::NoPrompt { command, limit })
            }
            _ => Err(ExchangeError::Timeout { command, limit }),
        };
        self.complete(outcome);
        self.fence(fence);
    }

    /// Puts up a fence.
    pub(super) fn fence(&mut self, fence: Fence) {
        tracing::debug!("channel fenced");
        self.counters.fences += 1;
        self.prompt_awaited = Some(fence.in_data_mode());
        self.state = State::Fenced(fence);
    }

    /// Takes the fence down, and sends what has waited.
    pub(super) fn fence_down(&mut self, now: Instant) {
        if let State::Fenced(fence) = std::mem::replace(&mut self.state, State::Clear) {
            tracing::trace!("fence down");
            self.late_probes += fence.probes;
        }
        self.prompt_awaited = Some(false);
        self.start(now);
    }

    /// Does what the fence wants.
    pub(super) fn obey(&mut self, verdict: Verdict, now: Instant) {
        match verdict {
            Verdict::Up => {}
            Verdict::Down => self.fence_down(now),
            Verdict::Probe => {
                self.counters.probes += 1;
                let quiet = |since| now.saturating_duration_since(since) >= fence::QUIET;
                let unanswered =
                    matches!(&self.state, State::Fenced(fence) if fence.unanswered > 1);
                self.stalled = unanswered && self.last_received.is_none_or(quiet);
                self.prompt_awaited = Some(false);
                let mut line = Vec::new();
                fence::PROBE.encode(&mut line);
                self.send(line, Vec::new());
            }
            Verdict::GivenUp => {
                let probes = match &self.state {
                    State::Fenced(fence) => fence.unanswered,
                    _ => 0,
                };
                if let Some(prepared) = self.waiting.take() {
                    let command = prepared.name;
                    let error = ExchangeError::Unresponsive { command, probes };
                    self.events.push_back(Event::Completed(Err(error)));
                }
            }
        }
    }

    /// Drops the answer of a probe that came after the fence was down.
    pub(super) fn take_late_probe(&mut self, line: &[u8]) -> bool {
        if self.late_probe_answered && fence::is_result(line) {
            self.late_probe_answered = false;
            self.late_probes = self.late_probes.saturating_sub(1);
            self.counters.stray_results += 1;
            return true;
        }
        if self.late_probes > 0 && fence::answers_probe(line) {
            self.late_probe_answered = true;
            return true;
        }
        false
    }

    /// Whether an incomplete line has swallowed the answer to a probe; once.
    pub(in crate::session) fn is_stalled(&mut self) -> bool {
        std::mem::take(&mut self.stalled)
    }

    /// `length` bytes of an incomplete line have been dropped.
    pub(in crate::session) fn abandoned(&mut self, length: usize) {
        if length > 0 {
            tracing::debug!(length, "incomplete line dropped");
            self.counters.abandoned_lines += 1;
        }
    }
}
