//! What a line means, by what was asked.

use std::time::Instant;

use atmq_protocol::at::framing::Deviation;
use atmq_protocol::at::result_code::FinalResult;
use atmq_protocol::dialect::{Power, Said};
use atmq_protocol::mqtt::{Connected, Urc};
use atmq_protocol::standard::StandardUrc;

use super::{Channel, State, Warning, is_loss};
use crate::session::event::Event;
use crate::session::fence::{self, Fence};
use crate::session::pending::Stage;

/// So many bytes of an unrecognised line are logged.
const SHOWN: usize = 80;

impl Channel {
    /// What a line means.
    pub(in crate::session) fn line(&mut self, line: &[u8], now: Instant) {
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
                if pending.is_asked_by(line) {
                    self.prompt(now);
                    return;
                }
                if let Some(result) = FinalResult::decode(line) {
                    self.final_result(line, result, now);
                    return;
                }
            }
            State::Fenced(fence) => {
                if fence.is_asked_by(line) {
                    tracing::debug!("late prompt, not answered");
                    fence.prompt(now);
                    return;
                }
                if fence.probes > 0 && (self.wire.host.probe().answers)(line) {
                    fence.probe_answered();
                    return;
                }
                if fence::is_result(line) && fence.expects_result() {
                    let verdict = fence.settles(now);
                    self.obey(verdict, now);
                    return;
                }
            }
            State::Clear => {}
        }
        self.content(line, now);
    }

    /// A received message.
    pub(in crate::session) fn message(
        &mut self,
        line: &[u8],
        deviation: Option<Deviation>,
        now: Instant,
    ) {
        match deviation {
            None => {}
            Some(Deviation::NoLength) => {
                if matches!(
                    self.wire.host.power(line),
                    Some(Power::Started | Power::Down)
                ) {
                    // The module was cut short in the middle of a message.
                    return self.lost(line, false, now);
                }
                self.warn(Warning::NoLength);
            }
            Some(_) => self.warn(Warning::OtherForm),
        }
        self.line(line, now);
    }

    /// A received message that cannot be read.
    pub(in crate::session) fn lost(&mut self, bytes: &[u8], ambiguous: bool, now: Instant) {
        if ambiguous {
            self.unreadable(bytes, Warning::Ambiguous);
        } else {
            self.unreadable(bytes, Warning::Torn);
            self.follow_power(bytes, now);
        }
    }

    fn unreadable(&mut self, bytes: &[u8], why: Warning) {
        self.counters.messages_unreadable += 1;
        self.warn(why);
        if self.report_lines {
            self.events.push_back(Event::Line(bytes.to_vec()));
        }
        self.events.push_back(Event::Unreadable {
            connection: self.wire.host.addressee(bytes),
        });
        if self.report_unrecognised {
            self.events.push_back(Event::Unrecognised(bytes.to_vec()));
        }
    }

    /// Says once what is wrong with received messages: there may be many of them.
    fn warn(&mut self, warning: Warning) {
        let what = match warning {
            Warning::OtherForm => {
                "the module reports messages in another form than it was told: quoted, or digits \
                 in place of text or the other way round"
            }
            Warning::NoLength => {
                "the module reports messages without their length, so a payload with a line end \
                 cannot be told from what the module itself says"
            }
            Warning::Ambiguous => {
                "dropped a received message that can be read in more than one way: its topic or \
                 payload holds a quote and a number; received in hexadecimal digits it cannot"
            }
            Warning::Torn => "dropped a received message that is not as long as announced",
            Warning::Unknown => "dropped a received message in an unknown form",
        };
        if std::mem::replace(&mut self.warned[warning as usize], true) {
            tracing::debug!(what);
        } else {
            tracing::warn!("{what}");
        }
    }

    /// A line that may be part of a payload, so it answers nothing.
    pub(in crate::session) fn torn(&mut self, line: &[u8], now: Instant) {
        let _entered = self.span().entered();
        if self.report_lines {
            self.events.push_back(Event::Line(line.to_vec()));
        }
        if !self.follow_power(line, now) {
            self.unrecognised(line);
        }
    }

    /// Whether a line that may be part of a payload says why that is torn.
    pub(super) fn follow_power(&mut self, line: &[u8], now: Instant) -> bool {
        match self.wire.host.power(line) {
            Some(Power::Started) => self.started(now),
            Some(Power::Down) => self.powered_down(now),
            Some(Power::Banner) | None => return false,
        }
        true
    }

    /// A line that is neither echo nor final result code.
    fn content(&mut self, line: &[u8], now: Instant) {
        let pending = match &self.state {
            State::Pending(pending) => Some(&pending.prepared.line[..]),
            _ => None,
        };
        let (answer, urc) = match self.wire.host.read(line, pending) {
            Some(Said::Answer(answer)) => (Some(answer), None),
            Some(Said::Urc(urc)) => (None, Some(urc)),
            Some(Said::Part) => {
                if self.report_lines {
                    self.events.push_back(Event::Line(line.to_vec()));
                }
                return;
            }
            None => (None, None),
        };
        let message = urc.is_none() && self.wire.host.addressee(line).is_some();
        let power = match &urc {
            // What a stranger has published, from the quote on, says nothing of the module.
            None if !message || !line.contains(&b'"') => self.wire.host.power(line),
            _ => None,
        };
        let unmistakable = matches!(power, Some(Power::Started | Power::Down));
        if let Some(urc) = &urc
            && self.take_report(urc, line, now)
        {
            return;
        }
        if let State::Pending(pending) = &mut self.state {
            if pending.take_information(line, answer, unmistakable) {
                return;
            }
            if urc.is_none() && pending.is_raw() && !unmistakable {
                pending.take_line(line);
                return;
            }
        }
        if message && power.is_none() {
            self.unreadable(line, Warning::Unknown);
            return;
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
        if tracing::enabled!(tracing::Level::DEBUG) {
            let shown = atmq_protocol::redact::redacted(line);
            let shown = shown.split(|byte| *byte == b'=').next().unwrap_or_default();
            let shown = &shown[..shown.len().min(SHOWN)];
            tracing::debug!(line = %shown.escape_ascii(), length = line.len(), "unrecognised line");
        }
        if fence::is_result(line) {
            self.counters.stray_results += 1;
        } else {
            self.counters.unrecognised_lines += 1;
        }
        if self.report_unrecognised {
            self.events.push_back(Event::Unrecognised(line.to_vec()));
        }
    }

    fn urc(&mut self, urc: Urc, now: Instant) {
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
            code,
        } = urc
            && is_loss(status)
        {
            tracing::debug!(%connection, ?status, ?code, "link lost");
            for pending in &mut self.reports {
                pending.link_lost(connection, status, code);
            }
            if let State::Pending(pending) = &mut self.state {
                pending.link_lost(connection, status, code);
            }
        }
        self.events.push_back(Event::Urc(urc));
        self.finish_reported(now);
        self.finish_if_complete(now);
    }

    /// What is known of a connection is lost when it is closed.
    pub(super) fn follow(&mut self, urc: &Urc) {
        match urc {
            Urc::Closed {
                connection,
                result: Ok(()),
            } => {
                self.late_reports.retain(|(other, _)| other != connection);
                self.unread.closed(*connection);
            }
            Urc::Connected {
                connection,
                // What a connect that is never reported has come to, its caller asks for.
                result: Connected::Accepted | Connected::Retransmitted(_),
            } => self.unread.connected(*connection),
            _ => {}
        }
    }

    fn final_result(&mut self, line: &[u8], result: FinalResult, now: Instant) {
        let State::Pending(pending) = &mut self.state else {
            return;
        };
        let awaits_prompt = pending.stage == Stage::Prompt;
        // A command has one final result code; what comes behind it belongs to no command, and
        // says nothing of what was accepted. But a module that says `OK` before it asks for the
        // data may say so once more behind it.
        let accepted = match result {
            FinalResult::Ok => awaits_prompt && pending.accepted_early,
            _ => pending.accepted_early && !pending.has_ok_first(),
        };
        if accepted {
            self.unrecognised(line);
            return;
        }
        if result == FinalResult::Ok {
            if awaits_prompt {
                pending.accepted_early = true;
                if pending.is_asked_by_ok() {
                    self.prompt(now);
                }
                return;
            }
            pending.carried_out = true;
            self.follow_command();
            self.finish_if_complete(now);
            self.free_line();
            return;
        }
        if pending.may_yet_be_reported(&result, now) {
            self.free_line();
            self.state = State::Fenced(Fence::pause(now));
            return;
        }
        if let Some(mut pending) = self.take_pending() {
            self.counters.refusals += 1;
            // What is reported of this very exchange says more than the code.
            let outcome = pending.outcome(match pending.has_report() {
                true => FinalResult::Ok,
                false => result,
            });
            self.complete(pending, outcome, now);
            self.state = State::Fenced(Fence::pause(now));
        }
    }

    /// The command in progress was carried out: what it has set holds from now on.
    pub(super) fn follow_command(&mut self) {
        if let State::Pending(pending) = &self.state
            && let Some(caching) = self.wire.host.carried_out(&pending.prepared.line)
        {
            self.unread.configured(caching);
        }
    }
}
