mod recovery;

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use atmq_protocol::dialect::{Dialect, Power};
use atmq_protocol::limits::Limits;
use atmq_protocol::mqtt::{
    Connected, ConnectionId, FormatTable, Information, LinkStatus, Request, Setting, Urc,
};
use atmq_protocol::result_code::FinalResult;
use atmq_protocol::standard::StandardUrc;
use tracing::Span;

use super::command::{Command, Kind, Prepared, Wire};
use super::event::{Answer, Event, Transmit};
use super::fence::{self, Fence};
use super::owned;
use super::pending::{Pending, Stage};
use super::unread::Unread;
use crate::counters::Counters;
use crate::error::{ExchangeError, RequestError};

/// So many bytes of an unrecognised line are logged.
const SHOWN: usize = 80;

/// Everything of a session but the reader: what lines mean, by what was sent.
pub(super) struct Channel {
    pub(super) wire: Wire,
    pub(super) counters: Counters,
    pub(super) events: VecDeque<Event>,
    pub(super) transmit: VecDeque<Transmit>,
    pub(super) report_lines: bool,
    pub(super) report_unrecognised: bool,
    state: State,
    /// Accepted, but kept back by the fence.
    waiting: Option<Prepared>,
    /// Connections whose publishes are not reported.
    unreported: Vec<ConnectionId>,
    unread: Unread,
    /// Probes that were not answered before the fence came down.
    late_probes: u32,
    /// The next final result code belongs to a late probe.
    late_probe_answered: bool,
    /// Whether a prompt is awaited, until the reader has been told.
    prompt_awaited: Option<bool>,
    last_received: Option<Instant>,
    /// An incomplete line keeps answers from being seen, until the reader has been told.
    stalled: bool,
    /// The module has said that it started, and has answered nothing since.
    starting: bool,
    /// Until when the report of a publish without identifier may come that was given up.
    late_reports: Vec<(ConnectionId, Instant)>,
    /// The buffer of the last command line, for the next one.
    spare: Vec<u8>,
}

enum State {
    Clear,
    Pending(Box<Pending>),
    Fenced(Fence),
}

impl Channel {
    pub(super) fn new(dialect: &'static dyn Dialect, limits: Limits) -> Self {
        Self {
            wire: Wire {
                dialect,
                limits,
                formats: FormatTable::default(),
            },
            counters: Counters::default(),
            events: VecDeque::new(),
            transmit: VecDeque::new(),
            report_lines: false,
            report_unrecognised: true,
            state: State::Clear,
            waiting: None,
            unreported: Vec::new(),
            unread: Unread::default(),
            late_probes: 0,
            late_probe_answered: false,
            prompt_awaited: None,
            last_received: None,
            stalled: false,
            starting: false,
            late_reports: Vec::new(),
            spare: Vec::new(),
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.waiting.is_none() && !matches!(self.state, State::Pending(_))
    }

    pub(super) fn is_listening(&self) -> bool {
        !matches!(self.state, State::Clear)
    }

    pub(super) fn request(
        &mut self,
        command: Command,
        limit: Option<Duration>,
        now: Instant,
    ) -> Result<(), RequestError> {
        if !self.is_ready() {
            return Err(RequestError::Busy);
        }
        let mut prepared = self.wire.prepare(command)?;
        prepared.limit = limit.unwrap_or(prepared.limit);
        if let Kind::Mqtt(Request::Publish { connection, .. }) = &prepared.kind {
            prepared.reported &= !self.unreported.contains(connection);
        }
        self.enqueue(prepared, now);
        Ok(())
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

    /// Takes the next message out of the module's cache.
    pub(super) fn read_unread(
        &mut self,
        wanted: impl Fn(ConnectionId) -> bool,
        now: Instant,
    ) -> bool {
        if !self.is_ready() {
            return false;
        }
        let Some(request) = self.unread.next(wanted) else {
            return false;
        };
        match self.wire.prepare(Command::Mqtt(request)) {
            Ok(mut prepared) => {
                prepared.own = true;
                self.enqueue(prepared, now);
                true
            }
            // A dialect without such a command.
            Err(error) => {
                tracing::warn!(%error, "messages in the module's cache cannot be read");
                self.unread.clear();
                false
            }
        }
    }

    pub(super) fn check(&self, command: Command) -> Result<(), RequestError> {
        self.wire.prepare(command).map(drop)
    }

    /// Sends what waits, now that nothing keeps it back.
    fn start(&mut self, now: Instant) {
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
        let has_data = prepared.data.is_some();
        let mut pending = Pending::new(prepared, now);
        self.prompt_awaited = Some(has_data && !pending.is_upload(&self.wire));
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
                if let Some(data) = pending.prompt(now) {
                    tracing::trace!(length = data.len(), "prompt, data follows");
                    // A file may be a key.
                    let secret = pending.is_upload(&self.wire).then_some(0..data.len());
                    self.send(data, secret.into_iter().collect());
                }
            }
            State::Fenced(fence) => {
                tracing::debug!("late prompt, not answered");
                fence.prompt(now);
            }
            State::Clear => {}
        }
    }

    /// What a line means.
    pub(super) fn line(&mut self, line: &[u8], now: Instant) {
        let _entered = self.span().entered();
        if self.take_late_probe(line) {
            return;
        }
        match &mut self.state {
            State::Pending(pending) => {
                if pending.take_echo(line) {
                    self.counters.echoes += 1;
                    return;
                }
                if let Some(result) = FinalResult::decode(line) {
                    self.final_result(result, now);
                    return;
                }
            }
            State::Fenced(fence) => {
                if fence.in_data_mode() && is_connect(line) {
                    tracing::debug!("late CONNECT, no file follows");
                    fence.prompt(now);
                    return;
                }
                if fence.probes > 0 && fence::answers_probe(line) {
                    fence.probe_answered();
                    return;
                }
                if fence::is_result(line) && fence.expects_result() {
                    if fence.settles() {
                        self.fence_down(now);
                    }
                    return;
                }
            }
            State::Clear => {}
        }
        self.content(line, now);
    }

    /// A line that is neither echo nor final result code.
    fn content(&mut self, line: &[u8], now: Instant) {
        let urc = self.wire.dialect.decode_urc(line, &self.wire.formats);
        let power = match &urc {
            Some(_) => None,
            None => self.wire.dialect.power(line),
        };
        let unmistakable = matches!(power, Some(Power::Started | Power::Down));
        if let State::Pending(pending) = &mut self.state {
            if let Some(urc) = &urc
                && pending.take_report(urc, line, &self.wire)
            {
                self.counters.urcs += 1;
                self.follow(urc);
                self.finish_if_complete(now);
                return;
            }
            if pending.take_information(line, unmistakable, &self.wire) {
                return;
            }
            if urc.is_none() && pending.is_raw() && !unmistakable {
                pending.take_line(line);
                return;
            }
        }
        if self.report_lines {
            self.events.push_back(Event::Line(line.to_vec()));
        }
        match (urc, power) {
            (Some(urc), _) => self.urc(urc, now),
            (None, Some(Power::Down)) => self.powered_down(now),
            (None, Some(Power::Started)) => self.started(now),
            (None, Some(Power::Banner)) if !self.owes_text() => self.started(now),
            (None, _) => match StandardUrc::decode(line) {
                Some(urc) => {
                    self.counters.urcs += 1;
                    self.events.push_back(Event::Standard(urc));
                }
                None => self.unrecognised(line),
            },
        }
    }

    /// Whether a line of any words may be a late answer.
    fn owes_text(&self) -> bool {
        matches!(&self.state, State::Fenced(fence) if fence.owes_text)
    }

    fn unrecognised(&mut self, line: &[u8]) {
        // What stands behind a `=` may be an echo with a password, damaged on the way.
        let shown = line.split(|byte| *byte == b'=').next().unwrap_or_default();
        let shown = &shown[..shown.len().min(SHOWN)];
        tracing::debug!(line = %shown.escape_ascii(), length = line.len(), "unrecognised line");
        if fence::is_result(line) {
            self.counters.stray_results += 1;
        } else {
            self.counters.unrecognised_lines += 1;
        }
        if self.report_unrecognised {
            self.events.push_back(Event::Unrecognised(line.to_vec()));
        }
    }

    fn urc(&mut self, urc: Urc<'_>, now: Instant) {
        self.counters.urcs += 1;
        self.follow(&urc);
        if let Urc::Buffered {
            connection,
            message_id,
        } = urc
        {
            self.unread.buffered(connection, message_id);
        }
        if let Urc::Status {
            connection,
            status,
            extend,
        } = urc
            && is_loss(status)
        {
            tracing::debug!(%connection, ?status, ?extend, "link lost");
            if let State::Pending(pending) = &mut self.state {
                pending.link_lost(connection, status, extend, &self.wire);
            }
        }
        self.events.push_back(Event::Urc(owned::urc(urc)));
        self.finish_if_complete(now);
    }

    /// The configuration of a connection is lost when it is closed.
    fn follow(&mut self, urc: &Urc<'_>) {
        match urc {
            Urc::Closed {
                connection,
                result: Ok(()),
            } => {
                self.wire.formats[*connection] = Default::default();
                self.unreported.retain(|other| other != connection);
                self.late_reports.retain(|(other, _)| other != connection);
                self.unread.closed(*connection);
            }
            Urc::Connected {
                connection,
                result: Connected::Accepted | Connected::Retransmitted(_),
            } => self.unread.connected(*connection),
            _ => {}
        }
    }

    fn final_result(&mut self, result: FinalResult, now: Instant) {
        let State::Pending(pending) = &mut self.state else {
            return;
        };
        if result == FinalResult::Ok {
            if pending.carried_out {
                // A second `OK` answers nothing.
                self.unrecognised(b"OK");
                return;
            }
            if pending.stage == Stage::Prompt {
                if let Some(pending) = self.take_pending() {
                    let command = pending.prepared.name();
                    self.complete(pending, Err(ExchangeError::PromptSkipped { command }), now);
                    self.fence(Fence::data_mode(now, 0));
                }
                return;
            }
            pending.carried_out = true;
            self.configured();
            self.finish_if_complete(now);
            return;
        }
        if let FinalResult::Connect(_) = result
            && pending.stage == Stage::Prompt
            && pending.is_upload(&self.wire)
        {
            self.prompt(now);
            return;
        }
        if let Some(mut pending) = self.take_pending() {
            self.counters.refusals += 1;
            let outcome = pending.outcome(result);
            self.complete(pending, outcome, now);
            self.state = State::Fenced(Fence::pause(now));
        }
    }

    /// The command in progress was carried out: what it configured holds from now on.
    fn configured(&mut self) {
        let State::Pending(pending) = &self.state else {
            return;
        };
        let mut formats = self.wire.formats.clone();
        let (unreported, unread) = (&mut self.unreported, &mut self.unread);
        pending.request(&self.wire, |request| {
            let Request::Configure {
                connection,
                setting,
            } = request
            else {
                return false;
            };
            formats[*connection].apply(setting);
            match setting {
                Setting::ResultUrcs(on) => {
                    unreported.retain(|other| other != connection);
                    if !on {
                        unreported.push(*connection);
                    }
                }
                Setting::Cache(on) => unread.configured(*connection, *on),
                _ => {}
            }
            true
        });
        self.wire.formats = formats;
    }

    /// Ends the exchange in progress if nothing more is awaited.
    fn finish_if_complete(&mut self, now: Instant) {
        let complete = matches!(&self.state, State::Pending(pending) if pending.is_complete());
        if complete && let Some(mut pending) = self.take_pending() {
            // Answers come in order, so those of older probes can no longer come.
            self.late_probes = 0;
            let outcome = pending.outcome(FinalResult::Ok);
            self.complete(pending, outcome, now);
        }
    }

    /// The exchange in progress, which is one no longer.
    fn take_pending(&mut self) -> Option<Box<Pending>> {
        match std::mem::replace(&mut self.state, State::Clear) {
            State::Pending(pending) => Some(pending),
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
        self.prompt_awaited = Some(false);
        let prepared = pending.prepared;
        self.tell(prepared.own, outcome);
        self.spare = prepared.line;
    }

    /// Tells the outcome of an exchange, of the session's `own` if it is one, to whom it concerns.
    fn tell(&mut self, own: bool, outcome: Result<Answer, ExchangeError>) {
        if matches!(&outcome, Ok(_) | Err(ExchangeError::Refused { .. })) {
            self.unread.answered();
        }
        if !own {
            self.events.push_back(Event::Completed(outcome));
            return;
        }
        let information = outcome.map(|answer| match answer {
            Answer::Mqtt { information, .. } => information,
            _ => Vec::new(),
        });
        if let Some(Information::Message {
            connection,
            message_id,
            topic,
            payload,
        }) = self.unread.done(information)
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
        match &self.state {
            State::Clear => None,
            State::Pending(pending) => Some(pending.deadline),
            State::Fenced(fence) => fence.deadline(),
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        match &mut self.state {
            State::Clear => {}
            State::Pending(pending) if now < pending.deadline => {}
            State::Pending(_) => self.give_up(now),
            State::Fenced(fence) => {
                let verdict = fence.handle_timeout(now);
                self.obey(verdict, now);
            }
        }
    }

    /// Whether a prompt is awaited, if that has changed since the last call.
    pub(super) fn prompt_awaited(&mut self) -> Option<bool> {
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
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

/// Whether a status means that the link is gone. A full cache loses a message, not the link.
pub(crate) fn is_loss(status: LinkStatus) -> bool {
    !matches!(status, LinkStatus::Fine | LinkStatus::CacheOverflow)
}

/// What asks for the bytes of a file (reference `README.md`, "Decisions").
fn is_connect(line: &[u8]) -> bool {
    matches!(FinalResult::decode(line), Some(FinalResult::Connect(_)))
}
