mod recovery;

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use atmq_protocol::dialect::Dialect;
use atmq_protocol::limits::Limits;
use atmq_protocol::mqtt::{ConnectionId, FormatTable, LinkStatus, Request, Setting, Urc};
use atmq_protocol::result_code::FinalResult;

use super::command::{Command, Kind, Prepared, Wire};
use super::event::{Event, Transmit};
use super::fence::{self, Fence};
use super::owned;
use super::pending::{Pending, Stage};
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
    state: State,
    /// Accepted, but kept back by the fence.
    waiting: Option<Prepared>,
    /// Connections whose publishes are not reported.
    unreported: Vec<ConnectionId>,
    /// Probes that were not answered before the fence came down.
    late_probes: u32,
    /// The next final result code belongs to a late probe.
    late_probe_answered: bool,
    /// Whether a prompt is awaited, until the reader has been told.
    prompt_awaited: Option<bool>,
    last_received: Option<Instant>,
    /// An incomplete line keeps answers from being seen, until the reader has been told.
    stalled: bool,
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
            state: State::Clear,
            waiting: None,
            unreported: Vec::new(),
            late_probes: 0,
            late_probe_answered: false,
            prompt_awaited: None,
            last_received: None,
            stalled: false,
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
        self.waiting = Some(prepared);
        match &mut self.state {
            State::Fenced(fence) => {
                let verdict = fence.wanted(now);
                self.obey(verdict, now);
            }
            _ => self.start(now),
        }
        Ok(())
    }

    pub(super) fn check(&self, command: Command) -> Result<(), RequestError> {
        self.wire.prepare(command).map(drop)
    }

    /// Sends what waits, now that nothing keeps it back.
    fn start(&mut self, now: Instant) {
        let Some(prepared) = self.waiting.take() else {
            return;
        };
        tracing::debug!(command = prepared.name, "exchange begins");
        self.counters.exchanges += 1;
        self.send(prepared.line.clone(), prepared.secrets.clone());
        self.prompt_awaited = Some(prepared.data.is_some());
        self.state = State::Pending(Box::new(Pending::new(prepared, now)));
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
        match &mut self.state {
            State::Pending(pending) => {
                if let Some(data) = pending.prompt(now) {
                    tracing::trace!(length = data.len(), "prompt, data follows");
                    self.send(data, Vec::new());
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
        if let State::Pending(pending) = &mut self.state {
            if let Some(urc) = &urc
                && pending.take_report(urc, line, &self.wire)
            {
                self.counters.urcs += 1;
                self.follow(urc);
                self.finish_if_complete();
                return;
            }
            if pending.take_information(line, &self.wire) {
                return;
            }
            if urc.is_none() && pending.is_raw() && !is_boot_rom(line) {
                pending.take_line(line);
                return;
            }
        }
        if self.report_lines {
            self.events.push_back(Event::Line(line.to_vec()));
        }
        match urc {
            Some(urc) => self.urc(urc),
            None if is_banner(line) => self.rebooted(now),
            None => self.unrecognised(line),
        }
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
        self.events.push_back(Event::Unrecognised(line.to_vec()));
    }

    fn urc(&mut self, urc: Urc<'_>) {
        self.counters.urcs += 1;
        self.follow(&urc);
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
        self.finish_if_complete();
    }

    /// The configuration of a connection is lost when it is closed.
    fn follow(&mut self, urc: &Urc<'_>) {
        if let Urc::Closed {
            connection,
            result: Ok(()),
        } = urc
        {
            self.wire.formats[*connection] = Default::default();
            self.unreported.retain(|other| other != connection);
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
                let command = pending.prepared.name.clone();
                self.complete(Err(ExchangeError::PromptSkipped { command }));
                self.fence(Fence::data_mode(now, 0));
                return;
            }
            pending.carried_out = true;
            self.configured();
            self.finish_if_complete();
            return;
        }
        if let State::Pending(pending) = std::mem::replace(&mut self.state, State::Clear) {
            tracing::debug!(command = pending.prepared.name, %result, "refused");
            self.counters.refusals += 1;
            self.complete(pending.finish(result));
            self.state = State::Fenced(Fence::pause(now));
            self.prompt_awaited = Some(false);
        }
    }

    /// The command in progress was carried out: what it configured holds from now on.
    fn configured(&mut self) {
        let State::Pending(pending) = &self.state else {
            return;
        };
        let mut formats = self.wire.formats.clone();
        let unreported = &mut self.unreported;
        pending.request(&self.wire, |request| {
            let Request::Configure {
                connection,
                setting,
            } = request
            else {
                return false;
            };
            formats[*connection].apply(setting);
            if let Setting::ResultUrcs(on) = setting {
                unreported.retain(|other| other != connection);
                if !on {
                    unreported.push(*connection);
                }
            }
            true
        });
        self.wire.formats = formats;
    }

    /// Ends the exchange in progress if nothing more is awaited.
    fn finish_if_complete(&mut self) {
        match std::mem::replace(&mut self.state, State::Clear) {
            State::Pending(pending) if pending.is_complete() => {
                // Answers come in order, so those of older probes can no longer come.
                self.late_probes = 0;
                self.complete(pending.finish(FinalResult::Ok));
            }
            state => self.state = state,
        }
    }

    fn complete(&mut self, outcome: Result<super::Answer, ExchangeError>) {
        if let Err(error) = &outcome {
            tracing::debug!(%error, "exchange failed");
        }
        self.prompt_awaited = Some(false);
        self.state = State::Clear;
        self.events.push_back(Event::Completed(outcome));
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
            State::Pending(pending) => ("pending", Some(&pending.prepared.name)),
            State::Fenced(_) => ("fenced", self.waiting.as_ref().map(|waiting| &waiting.name)),
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

/// What the boot loader prints (reference `lmqtt.md` 1.10, measured).
fn is_boot_rom(line: &[u8]) -> bool {
    contains(line, b"boot.rom")
}

/// What a module prints when it starts. A result code or a URC begins with a plus.
fn is_banner(line: &[u8]) -> bool {
    is_boot_rom(line) || (!line.starts_with(b"+") && contains(line, b"Lierda"))
}

fn contains(line: &[u8], word: &[u8]) -> bool {
    line.windows(word.len()).any(|window| window == word)
}
