//! What the channel does when an exchange does not end as it should.

use std::time::{Duration, Instant};

use atmq_protocol::at::framing::ESCAPE;
use atmq_protocol::at::result_code::FinalResult;
use atmq_protocol::dialect::Ask;

use super::{Awaited, Channel, State};
use crate::error::{ExchangeError, Reached};
use crate::session::event::Event;
use crate::session::fence::{self, Fence, Input, Verdict};
use crate::session::pending::{Pending, Stage};
use crate::session::wire::{Kind, Prepared};

/// How much longer than the module itself nothing is sent where it may wait for data. Ours.
pub(crate) const PROMPT_MARGIN: Duration = Duration::from_secs(5);

/// How long a module is left alone that waits for data without an end. Ours.
const FOR_EVER: Duration = Duration::from_secs(24 * 60 * 60);

impl Channel {
    /// Puts up the fence, not knowing what the module owes.
    pub(in crate::session) fn synchronise(&mut self, unknown: bool, at_prompt: bool, now: Instant) {
        if let State::Pending(_) = self.state {
            self.give_up(at_prompt, now);
        }
        match &mut self.state {
            State::Fenced(fence) if fence.input() != Input::Commands => fence.owes_unknown(),
            _ if unknown && !self.known => self.fence(Fence::unknown(self.patience(), now)),
            _ => self.fence(Fence::owing(None, now)),
        }
    }

    /// See [`Session::takes_commands`](crate::session::Session::takes_commands).
    pub(in crate::session) fn takes_commands(&mut self) {
        self.known = true;
        if let State::Fenced(fence) = &mut self.state {
            fence.takes_commands();
        }
    }

    /// How long the module may wait for data.
    fn patience(&self) -> Duration {
        self.wire.limits.prompt_timeout + PROMPT_MARGIN
    }

    /// See [`Session::awaits_data`](crate::session::Session::awaits_data).
    pub(in crate::session) fn awaits_data(&self, length: usize) -> Option<usize> {
        match &self.state {
            State::Fenced(fence) if !fence.allows(length) => match fence.input() {
                Input::Data { missing, .. } => Some(missing),
                _ => None,
            },
            _ => None,
        }
    }

    /// Takes the fence down for a command of so many bytes, without forgetting what the module may
    /// be waiting for.
    pub(in crate::session) fn force(&mut self, length: usize, now: Instant) {
        self.left_behind = match &self.state {
            State::Fenced(fence) if length > 0 => fence.with_sent(length),
            _ => None,
        };
        self.fence_down(now);
    }

    /// The fence behind a command whose data was awaited, or not answered, since then.
    fn data_mode(&self, pending: &Pending, since: Instant) -> Fence {
        let Some((ask, missing)) = pending.asks else {
            return Fence::unknown(self.patience(), since);
        };
        let Ask {
            prompt,
            patience,
            escapable,
            ..
        } = ask;
        let input = match escapable {
            true => Input::Escapable,
            false => Input::Data { missing, sent: 0 },
        };
        let patience = patience.unwrap_or(FOR_EVER) + PROMPT_MARGIN;
        let fence = Fence::data_mode(input, patience, since);
        match pending.stage {
            Stage::Prompt => fence.asking_by(prompt),
            _ => fence,
        }
    }

    /// Forgets what is under way. What the module was told stays: it may be as it was, and if it
    /// has rebooted there are no connections.
    pub(in crate::session) fn interrupt(&mut self, now: Instant) {
        self.wire.host.estranged();
        self.waiting = None;
        self.reports.clear();
        self.transmit.clear();
        self.late_probes = 0;
        self.late_probe_answered = false;
        self.starting = false;
        self.known = false;
        let mut fence = match (self.take_pending(), &self.state) {
            (Some(pending), _) => match pending.stage {
                Stage::Command => Fence::owing(None, now),
                Stage::Prompt => self.data_mode(&pending, now),
                Stage::Data(sent) => self.data_mode(&pending, sent),
            },
            (None, State::Fenced(fence)) if fence.input() != Input::Commands => return,
            _ => Fence::owing(None, now),
        };
        fence.owes_unknown();
        self.fence(fence);
    }

    /// The module has started, and lost all that it was told.
    pub(super) fn started(&mut self, now: Instant) {
        if self.starting {
            // Most modules use more than one line to say so.
            if let State::Fenced(fence) = &mut self.state {
                fence.started(now);
            }
            return;
        }
        if let Some(held_back) = self.reboots.pass(now) {
            tracing::warn!(held_back, "the module rebooted");
        }
        self.counters.reboots += 1;
        self.forget_module();
        self.events.push_back(Event::Rebooted);
        let rebooted = |command, reached| ExchangeError::Rebooted { command, reached };
        // What does not depend on a connection can still be sent.
        self.fail_all(
            rebooted,
            |waiting| matches!(waiting, Kind::Step { .. }),
            now,
        );
        self.fence(Fence::owing(Some(0), now));
        self.starting = true;
        self.known = true;
        self.left_behind = None;
    }

    /// The module switches itself off.
    pub(super) fn powered_down(&mut self, now: Instant) {
        if let Some(held_back) = self.power_downs.pass(now) {
            tracing::warn!(held_back, "the module switches itself off");
        }
        self.counters.power_downs += 1;
        self.forget_module();
        self.events.push_back(Event::PoweredDown);
        let down = |command, reached| ExchangeError::PoweredDown { command, reached };
        self.fail_all(down, |_| true, now);
        self.fence(Fence::off());
    }

    fn forget_module(&mut self) {
        self.wire.host.started();
        self.unread.clear();
        self.late_reports.clear();
        self.late_probes = 0;
        self.late_probe_answered = false;
        self.starting = false;
    }

    /// Ends what is under way, and the exchange that waits if it is `concerned`.
    fn fail_all(
        &mut self,
        error: impl Fn(String, Reached) -> ExchangeError,
        concerned: impl Fn(&Kind) -> bool,
        now: Instant,
    ) {
        let reports = std::mem::take(&mut self.reports);
        for pending in reports.into_iter().chain(self.take_pending()) {
            let reached = match pending.is_accepted() {
                true => Reached::Accepted,
                false => Reached::Written,
            };
            let error = error(pending.prepared.name(), reached);
            self.complete(pending, Err(error), now);
        }
        if let Some(waiting) = self.waiting.take_if(|waiting| concerned(&waiting.kind)) {
            self.not_sent(&waiting, error(waiting.name(), Reached::Waiting));
        }
    }

    /// A command that waited has failed.
    fn not_sent(&mut self, prepared: &Prepared, error: ExchangeError) {
        tracing::debug!(%error, "command not sent");
        self.tell(prepared, Err(error));
    }

    /// The exchange in progress is given up; there is one.
    pub(super) fn give_up(&mut self, at_prompt: bool, now: Instant) {
        let Some(mut pending) = self.take_pending() else {
            return;
        };
        let limit = self.time_out(&pending, now);
        let command = pending.prepared.name();
        let fence = match pending.stage {
            Stage::Prompt => self.data_mode(&pending, now),
            Stage::Data(sent) => self.data_mode(&pending, sent),
            // A command of which nobody knew that it asks for data.
            Stage::Command if at_prompt && pending.is_unknown() => {
                Fence::unknown(self.patience(), now)
            }
            Stage::Command => match self.left_behind.take() {
                Some(input) => Fence::data_mode(input, self.patience(), now),
                None => Fence::owing(Some(1), now),
            },
        };
        let fence = fence.owing_text(pending.takes_text());
        let outcome = match pending.stage {
            // What came of it is known, only its `OK` was lost.
            _ if pending.has_report() => pending.outcome(FinalResult::Ok),
            Stage::Prompt => {
                let limit = pending.prompt_limit();
                Err(ExchangeError::NoPrompt { command, limit })
            }
            _ => Err(ExchangeError::Timeout { command, limit }),
        };
        self.complete(pending, outcome, now);
        self.fence(fence);
    }

    /// Puts up a fence.
    pub(super) fn fence(&mut self, fence: Fence) {
        tracing::debug!("channel fenced");
        self.counters.fences += 1;
        self.prompt_awaited = Some(match fence.input() {
            Input::Commands => Awaited::Not,
            _ => Awaited::Still,
        });
        let escapes = fence.input() == Input::Escapable;
        self.state = State::Fenced(fence);
        if escapes {
            self.escape();
        }
    }

    /// Leaves a prompt that Escape leaves; where none is, a module takes it for noise.
    pub(super) fn escape(&mut self) {
        self.send(vec![ESCAPE], Vec::new());
    }

    /// Takes the fence down, and sends what has waited.
    pub(in crate::session) fn fence_down(&mut self, now: Instant) {
        if let State::Fenced(fence) = std::mem::replace(&mut self.state, State::Clear) {
            tracing::trace!("fence down");
            self.late_probes += fence.probes;
            if fence.was_probed() {
                self.counters.recoveries += 1;
                self.unread.answered();
            }
        }
        self.starting = false;
        self.prompt_awaited = Some(Awaited::Not);
        self.start(now);
    }

    /// Does what the fence wants.
    pub(super) fn obey(&mut self, verdict: Verdict, now: Instant) {
        match verdict {
            Verdict::Up => {}
            Verdict::Down => self.fence_down(now),
            Verdict::Explain(left) => tracing::warn!(
                "the module does not answer AT; it may be waiting for data that an earlier program \
                 announced, so nothing is sent for {} s",
                left.as_secs()
            ),
            Verdict::Attention => {
                self.counters.probes += 1;
                let mut line = Vec::new();
                fence::ATTENTION.encode(&mut line);
                self.send(line, Vec::new());
            }
            Verdict::Probe => {
                self.counters.probes += 1;
                let quiet = |since| now.saturating_duration_since(since) >= fence::QUIET;
                let unanswered =
                    matches!(&self.state, State::Fenced(fence) if fence.unanswered > 1);
                self.stalled = unanswered && self.last_received.is_none_or(quiet);
                self.prompt_awaited = Some(Awaited::Not);
                let probe = self.wire.host.probe();
                self.send(probe.line.to_vec(), Vec::new());
            }
            Verdict::GivenUp { awaits } => {
                let probes = match &self.state {
                    State::Fenced(fence) => fence.unanswered,
                    _ => 0,
                };
                if let Some(prepared) = self.waiting.take() {
                    let command = prepared.name();
                    let error = ExchangeError::Unresponsive {
                        command,
                        probes,
                        awaits,
                    };
                    self.not_sent(&prepared, error);
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
        if self.late_probes > 0 && (self.wire.host.probe().answers)(line) {
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

    /// These bytes are about to be dropped. A payload whose end has not come may have swallowed
    /// what a reboot has to say.
    pub(in crate::session) fn search(&mut self, bytes: &[u8], now: Instant) {
        let lines = bytes.split(|byte| *byte == b'\n');
        for line in lines.map(<[u8]>::trim_ascii_end) {
            self.follow_power(line, now);
        }
    }

    /// The port is not read from now on, or is again.
    pub(in crate::session) fn hold_back(&mut self, held: bool, now: Instant) {
        if self.held_back && !held {
            self.last_received = Some(now);
        }
        self.held_back = held;
    }

    /// Since when nothing has come although something could.
    pub(in crate::session) fn quiet_since(&self) -> Option<Instant> {
        self.last_received.filter(|_| !self.held_back)
    }
}
