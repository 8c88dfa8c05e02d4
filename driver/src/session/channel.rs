mod lines;
mod recovery;
mod reports;

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use atmq_protocol::at::result_code::FinalResult;
use atmq_protocol::dialect::{self, Model};
use atmq_protocol::mqtt::{ConnectionId, LinkStatus, Urc};
use atmq_protocol::throttle::Throttle;
use tracing::Span;

pub(crate) use recovery::PROMPT_MARGIN;

use super::command::{Command, ExchangeId};
use super::event::{Answer, Event, Transmit};
use super::fence::{Fence, Input, Verdict};
use super::pending::Pending;
use super::unread::Unread;
use super::wire::{Prepared, Wire};
use crate::counters::Counters;
use crate::error::{ExchangeError, RequestError};

/// As much as most command lines hold, in bytes. Ours.
const USUAL_LINE: usize = 128;

/// Everything of a session but the reader: what lines mean, by what was sent.
pub(super) struct Channel {
    pub(super) wire: Wire,
    pub(super) counters: Counters,
    pub(super) events: VecDeque<Event>,
    /// Which exchanges those of the events are that have ended.
    pub(super) ended: VecDeque<ExchangeId>,
    pub(super) transmit: VecDeque<Transmit>,
    pub(super) report_lines: bool,
    pub(super) report_unrecognised: bool,
    state: State,
    /// Exchanges that keep the line no longer, and whose report is still to come, in the order of
    /// their commands.
    reports: VecDeque<Box<Pending>>,
    /// The exchange that was asked for last.
    last: ExchangeId,
    /// Accepted, but kept back by the fence or a report.
    waiting: Option<Prepared>,
    unread: Unread,
    /// Probes that were not answered before the fence came down.
    late_probes: u32,
    /// The next final result code belongs to a late probe.
    late_probe_answered: bool,
    /// Whether a prompt is awaited, until the reader has been told.
    prompt_awaited: Option<Awaited>,
    last_received: Option<Instant>,
    /// An incomplete line keeps answers from being seen, until the reader has been told.
    stalled: bool,
    /// The port is not read at present.
    held_back: bool,
    /// The module has said that it started, and has answered nothing since.
    starting: bool,
    /// It has answered a command since the port was opened, or has started.
    known: bool,
    /// Until when the report of a publish without identifier may come that was given up.
    late_reports: Vec<(ConnectionId, Instant)>,
    /// What the module may still wait for behind a command that was forced.
    left_behind: Option<Input>,
    /// How often starts and power downs are logged.
    reboots: Throttle<Instant>,
    power_downs: Throttle<Instant>,
    /// What has been warned of: once is enough.
    warned: [bool; Warning::COUNT],
    /// The buffer of the last command line, for the next one.
    spare: Vec<u8>,
}

/// Whether a prompt is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaited {
    Not,
    /// This sign, for what is sent now: what has come before answers something older.
    Anew(&'static [u8]),
    /// For what was sent before: it may have come, and wait to be read.
    Still,
}

/// What is wrong with a received message.
#[derive(Debug, Clone, Copy)]
enum Warning {
    OtherForm,
    NoLength,
    Ambiguous,
    Torn,
    Unknown,
}

impl Warning {
    const COUNT: usize = 5;
}

enum State {
    Clear,
    Pending(Box<Pending>),
    Fenced(Fence),
}

impl Channel {
    pub(super) fn new(model: &Model) -> Self {
        Self {
            wire: Wire::new(model),
            counters: Counters::default(),
            events: VecDeque::new(),
            ended: VecDeque::new(),
            transmit: VecDeque::new(),
            report_lines: false,
            report_unrecognised: true,
            state: State::Clear,
            reports: VecDeque::new(),
            last: ExchangeId::default(),
            waiting: None,
            unread: Unread::default(),
            late_probes: 0,
            late_probe_answered: false,
            prompt_awaited: None,
            last_received: None,
            stalled: false,
            held_back: false,
            starting: false,
            known: false,
            late_reports: Vec::new(),
            left_behind: None,
            reboots: Throttle::new(),
            power_downs: Throttle::new(),
            warned: [false; Warning::COUNT],
            spare: Vec::with_capacity(USUAL_LINE),
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.waiting.is_none() && !matches!(self.state, State::Pending(_))
    }

    pub(super) fn is_listening(&self) -> bool {
        !matches!(self.state, State::Clear) || !self.reports.is_empty()
    }

    pub(super) fn request(
        &mut self,
        command: Command,
        limit: Option<Duration>,
        now: Instant,
    ) -> Result<ExchangeId, RequestError> {
        if !self.is_ready() {
            return Err(RequestError::Busy);
        }
        let mut prepared = self.wire.prepare(command)?;
        prepared.limit = limit.unwrap_or(prepared.limit);
        self.last.0 += 1;
        prepared.id = self.last;
        self.enqueue(prepared, now);
        Ok(self.last)
    }

    fn enqueue(&mut self, prepared: Prepared, now: Instant) {
        self.waiting = Some(prepared);
        match &mut self.state {
            State::Fenced(fence) => {
                let verdict = fence.wanted(now);
                self.obey(verdict, now);
            }
            _ => self.start(now),
        }
    }

    pub(super) fn is_cached(&self, connection: ConnectionId) -> bool {
        self.unread.is_cached(connection)
    }

    pub(super) fn has_unread(&self, wanted: impl Fn(ConnectionId) -> bool) -> bool {
        self.unread
            .is_due(|connection| wanted(connection) && !self.awaits_report(connection))
    }

    /// Takes the next message out of the module's cache.
    pub(super) fn read_unread(
        &mut self,
        wanted: impl Fn(ConnectionId) -> bool,
        now: Instant,
    ) -> bool {
        if !self.is_ready() {
            return false;
        }
        let reports = &self.reports;
        let wanted = |connection| wanted(connection) && !reports::awaited(reports, connection);
        let Some(operation) = self.unread.next(wanted) else {
            return false;
        };
        let plan = self.wire.plan(operation);
        match plan.map(|mut plan| plan.begin()) {
            Ok(Some(step)) => {
                let mut prepared = Prepared::from(*step);
                prepared.own = true;
                self.enqueue(prepared, now);
                true
            }
            Ok(None) => false,
            // A dialect without such a command.
            Err(error) => {
                tracing::warn!(%error, "messages in the module's cache cannot be read");
                self.unread.clear();
                false
            }
        }
    }

    /// Sends what waits, now that no fence keeps it back, unless a report does.
    fn start(&mut self, now: Instant) {
        if !self
            .waiting
            .as_ref()
            .is_some_and(|waiting| self.takes_prepared(waiting))
        {
            return;
        }
        let Some(mut prepared) = self.waiting.take() else {
            return;
        };
        self.counters.exchanges += 1;
        let mut sent = std::mem::take(&mut self.spare);
        sent.clone_from(&prepared.line);
        self.send(
            std::mem::replace(&mut prepared.line, sent),
            std::mem::take(&mut prepared.secrets),
        );
        let mut pending = Pending::new(prepared, now);
        self.prompt_awaited = Some(match pending.sign() {
            Some(sign) => Awaited::Anew(sign),
            None => Awaited::Not,
        });
        pending.ambiguous = self.is_ambiguous(&pending, now);
        tracing::trace!(parent: &pending.span, "command sent");
        self.state = State::Pending(Box::new(pending));
    }

    /// Whether a late report would look like that of the exchange: messages with quality of
    /// service 0 have no identifier.
    fn is_ambiguous(&mut self, pending: &Pending, now: Instant) -> bool {
        self.late_reports.retain(|(_, until)| now < *until);
        let late = &self.late_reports;
        !late.is_empty()
            && pending
                .unidentified()
                .is_some_and(|connection| late.iter().any(|(other, _)| *other == connection))
    }

    /// The span of the exchange in progress, or none.
    fn span(&self) -> Span {
        match &self.state {
            State::Pending(pending) => pending.span.clone(),
            _ => Span::none(),
        }
    }

    fn send(&mut self, bytes: Vec<u8>, secrets: Vec<std::ops::Range<usize>>) {
        self.counters.bytes_sent += bytes.len() as u64;
        self.transmit.push_back(Transmit { bytes, secrets });
    }

    pub(super) fn count_received(&mut self, length: usize, now: Instant) {
        self.counters.bytes_received += length as u64;
        self.last_received = Some(now);
        if let State::Fenced(fence) = &mut self.state {
            fence.received(now);
        }
    }

    pub(super) fn overlong(&mut self, length: usize) {
        tracing::debug!(length, "overlong line discarded");
        self.counters.overlong_lines += 1;
        self.events.push_back(Event::Overlong { length });
    }

    pub(super) fn prompt(&mut self, now: Instant) {
        let _entered = self.span().entered();
        match &mut self.state {
            State::Pending(pending) => {
                if let Some(dialect::Data { bytes, secret, .. }) = pending.prompt(now) {
                    tracing::trace!(length = bytes.len(), "prompt, data follows");
                    let secret = secret.then_some(0..bytes.len());
                    self.send(bytes, secret.into_iter().collect());
                }
            }
            State::Fenced(fence) => {
                tracing::debug!("late prompt, not answered");
                let verdict = fence.prompt(now);
                if fence.input() == Input::Escapable && verdict == Verdict::Up {
                    self.escape();
                }
                self.obey(verdict, now);
                // It may have been noise, and the prompt itself is still to come.
                self.prompt_awaited = Some(Awaited::Still);
            }
            State::Clear => {}
        }
    }

    /// Ends the exchange in progress if nothing more is awaited.
    fn finish_if_complete(&mut self, now: Instant) {
        let complete = matches!(&self.state, State::Pending(pending) if pending.is_complete());
        if complete && let Some(mut pending) = self.take_pending() {
            // Answers come in order, so those of older probes can no longer come.
            self.late_probes = 0;
            let outcome = pending.outcome(FinalResult::Ok);
            let may_owe = !pending.carried_out && !pending.has_ok_first();
            self.complete(pending, outcome, now);
            if may_owe {
                // It said `OK` before the prompt, and may say so once more behind the data.
                self.fence(Fence::owing(Some(1), now));
            }
        }
    }

    /// The exchange in progress, which is one no longer.
    fn take_pending(&mut self) -> Option<Box<Pending>> {
        match std::mem::replace(&mut self.state, State::Clear) {
            State::Pending(pending) => {
                self.prompt_awaited = Some(Awaited::Not);
                Some(pending)
            }
            state => {
                self.state = state;
                None
            }
        }
    }

    /// An exchange has ended so.
    fn complete(
        &mut self,
        pending: Box<Pending>,
        outcome: Result<Answer, ExchangeError>,
        now: Instant,
    ) {
        let took = now.saturating_duration_since(pending.began);
        pending.span.record("duration", tracing::field::debug(took));
        match &outcome {
            Ok(answer) => pending.span.record("outcome", answer.in_one_word()),
            Err(error) => pending.span.record("outcome", error.in_one_word()),
        };
        tracing::debug!(parent: &pending.span, "exchange ended");
        let prepared = pending.prepared;
        self.tell(&prepared, outcome);
        self.spare = prepared.line;
    }

    /// Tells the outcome of an exchange to whom it concerns.
    fn tell(&mut self, prepared: &Prepared, outcome: Result<Answer, ExchangeError>) {
        if matches!(&outcome, Ok(_) | Err(ExchangeError::Refused { .. })) {
            self.known = true;
            self.left_behind = None;
            self.unread.answered();
        }
        if !prepared.own {
            self.events.push_back(Event::Completed(outcome));
            self.ended.push_back(prepared.id);
            return;
        }
        let answers = outcome.map(|answer| match answer {
            Answer::Mqtt { answers, .. } => answers,
            _ => Vec::new(),
        });
        if let Some(dialect::Answer::Message {
            connection,
            message_id,
            topic,
            payload,
        }) = self.unread.done(answers)
        {
            self.counters.reads += 1;
            self.events.push_back(Event::Urc(Urc::Received {
                connection,
                message_id,
                topic,
                payload,
            }));
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let line = match &self.state {
            State::Clear => None,
            State::Pending(pending) => Some(pending.deadline),
            State::Fenced(fence) => fence.deadline(),
        };
        let reports = self.reports.iter().map(|pending| pending.deadline);
        reports.chain(line).min()
    }

    /// `at_prompt`: the module has sent a prompt that was not expected.
    pub(super) fn handle_timeout(&mut self, at_prompt: bool, now: Instant) {
        match &mut self.state {
            State::Clear => {}
            State::Pending(pending) if now < pending.deadline => {}
            State::Pending(_) => self.give_up(at_prompt, now),
            State::Fenced(fence) => {
                let verdict = fence.handle_timeout(now);
                self.obey(verdict, now);
            }
        }
        self.give_up_reports(now);
    }

    /// Whether a prompt is awaited, if that has changed since the last call.
    pub(super) fn prompt_awaited(&mut self) -> Option<Awaited> {
        self.prompt_awaited.take()
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (state, command) = match &self.state {
            State::Clear => ("clear", None),
            State::Pending(pending) => ("pending", Some(pending.prepared.name())),
            State::Fenced(_) => ("fenced", self.waiting.as_ref().map(Prepared::name)),
        };
        f.debug_struct("Channel")
            .field("state", &state)
            .field("command", &command)
            .field("reports", &self.reports.len())
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

/// Whether a status means that the link is gone. A full cache loses a message, not the link.
pub(crate) fn is_loss(status: LinkStatus) -> bool {
    !matches!(status, LinkStatus::Fine | LinkStatus::CacheOverflow)
}
