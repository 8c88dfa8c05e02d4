//! The linter of hosts: notices what the manual forbids or warns of, while the module puts up
//! with it. Hardware may not.
//!
//! A [`Linter`] sits inside of every [`Modem`](crate::modem::Modem). It sees what the host types
//! and what the module reports, changes nothing, and hands out [`Finding`]s. A rule says what is
//! wrong ([`Rule`]); `docs/lint.md` explains all of them.

mod advice;
mod characters;
mod connection;
mod data;
mod host;
mod lost;
mod rule;
mod settings;
mod swallowed;
mod typing;

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use atmq_protocol::at::command::{Command, Form};
use atmq_protocol::at::framing::DataEnd;
use atmq_protocol::at::parameter::ParameterError;
use atmq_protocol::dialect::{Dialect, Report};
use atmq_protocol::limits::Limits;
use atmq_protocol::mqtt::{ConnectionId, Intent, Queried, Urc};
use atmq_protocol::redact::redacted;

use crate::profile::Profile;
use connection::Observed;
use lost::Lost;
use swallowed::command_within;
use typing::{Notice, Typing};

pub use rule::{Rule, Severity};

/// Different findings of one rule that are told apart; further ones count as repeated.
const EXAMPLES: usize = 20;

/// Bytes shown of a finding.
const SHOWN: usize = 160;

/// Findings that wait to be taken; further ones are only counted.
const WAITING: usize = 256;

/// A rule that the host has broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which rule.
    pub rule: Rule,
    /// How bad that is on this module.
    pub severity: Severity,
    /// The connection concerned, where it is one in particular.
    pub connection: Option<ConnectionId>,
    /// The particulars; may be empty.
    pub detail: String,
    /// The bytes concerned, without passwords and device secrets, and cut if they are many.
    pub bytes: Vec<u8>,
    /// Since the module was switched on.
    pub at: Duration,
    /// The same has been found before, or so many others of this rule that it need not be shown.
    pub repeated: bool,
}

/// What the module is doing when bytes come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attention {
    /// It waits for a command or a payload.
    Listening,
    /// It executes a command, whose final result is still to come.
    Executing,
    /// It starts.
    Booting,
}

/// Watches what a host does. Its memory is bounded.
#[derive(Debug)]
pub struct Linter {
    started: Instant,
    /// When the host has sent something last.
    arrived: Instant,
    /// The profile knows hosts that give every publish a message id.
    numbers_qos_0: bool,
    typing: Typing,
    lost: Lost,
    connections: Vec<Observed>,
    /// The connection of the command being executed.
    executing: Option<ConnectionId>,
    counts: [u64; Rule::COUNT],
    /// Of each rule, what findings it has had.
    seen: [Vec<u64>; Rule::COUNT],
    waiting: VecDeque<Finding>,
}

impl Linter {
    pub(crate) fn new(profile: &Profile, now: Instant) -> Self {
        let Limits {
            connections,
            command_line,
            ..
        } = profile.limits;
        let keeps_settings = profile.dialect.keeps_settings();
        Self {
            started: now,
            arrived: now,
            numbers_qos_0: profile.quirks.qos_0_message_ids,
            typing: Typing::new(command_line),
            lost: Lost::default(),
            connections: (0..connections)
                .map(|_| Observed::new(keeps_settings))
                .collect(),
            executing: None,
            counts: [0; Rule::COUNT],
            seen: std::array::from_fn(|_| Vec::new()),
            waiting: VecDeque::new(),
        }
    }

    /// The next finding that has not been taken yet.
    pub(crate) fn poll(&mut self) -> Option<Finding> {
        self.waiting.pop_front()
    }

    /// How often each rule has been broken so far, of those that have been.
    pub fn counts(&self) -> impl Iterator<Item = (Rule, u64)> {
        Rule::all().zip(self.counts).filter(|(_, count)| *count > 0)
    }

    /// How bad it is to break a rule on this module.
    pub fn severity(&self, rule: Rule) -> Severity {
        match rule {
            Rule::MessageIdWithQos0 if self.numbers_qos_0 => Severity::Note,
            rule => rule.severity(),
        }
    }

    /// The characters that end a command line and take one back from now on: V.250's S3 and S5.
    pub(crate) fn set_characters(&mut self, line_end: u8, backspace: u8) {
        self.typing.set_characters(line_end, backspace);
    }

    /// When [`pass`](Self::pass) has something to do.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.typing.due()
    }

    /// Time has passed.
    pub(crate) fn pass(&mut self, now: Instant) {
        let mut notices = Vec::new();
        self.typing.pass(now, &mut notices);
        self.found(None, now, notices);
    }

    /// The host sends nothing more.
    pub(crate) fn host_left(&mut self, now: Instant) {
        let mut notices = Vec::new();
        self.typing.tell_early(&mut notices);
        self.found(None, now, notices);
    }

    /// Bytes of the host, as they come.
    pub(crate) fn receive(
        &mut self,
        bytes: &[u8],
        attention: Attention,
        dialect: &dyn Dialect,
        now: Instant,
    ) {
        self.arrived = now;
        let mut notices = Vec::new();
        self.lost
            .hear(bytes, |line| notices.push(wake_not_awaited(line)));
        self.typing
            .receive(bytes, attention, dialect, now, &mut notices);
        self.found(None, now, notices);
    }

    /// Bytes of the host that the module does not hear, because it wakes.
    pub(crate) fn lost(&mut self, bytes: &[u8], now: Instant) {
        let mut notices = Vec::new();
        self.lost
            .push(bytes, |line| notices.push(wake_not_awaited(line)));
        self.found(None, now, notices);
    }

    /// What an MQTT command asks for, before it is done.
    pub(crate) fn note(&mut self, intent: &Intent, command: &Command<'_>, dialect: &dyn Dialect) {
        let Some(id) = intent.connection() else {
            return;
        };
        let Some(connection) = self.connections.get_mut(usize::from(id.0)) else {
            return;
        };
        self.executing = Some(id);
        let line = command.line();
        let mut notices: Vec<Notice> = Vec::new();
        let stray = connection.stray_close.take();
        let closes = matches!(intent, Intent::Close { .. }) && connection.is_closed();
        let opens = matches!(
            intent,
            Intent::Configure { .. }
                | Intent::Open { .. }
                | Intent::Query {
                    what: Queried::Setting(_),
                    ..
                }
        );
        if let Some(stray) = stray
            && !opens
        {
            notices.push((Rule::CloseWithoutOpen, String::new(), stray));
        }
        if closes {
            connection.stray_close = Some(line.clone());
        }
        connection.note(intent, self.arrived, |rule, detail| {
            notices.push((rule, detail, line.clone()));
        });
        if let Form::Set(parameters) = command.form
            && command_within(parameters, dialect).is_some()
        {
            notices.push((Rule::CommandInData, "in a value".into(), line));
        }
        self.found(Some(id), self.arrived, notices);
    }

    /// An MQTT command that the module cannot read.
    pub(crate) fn unreadable(&mut self, command: &Command<'_>, error: &ParameterError) {
        let rule = match error {
            ParameterError::OutOfRange {
                name: "msglen",
                value,
                max,
                ..
            } if value > max => Rule::PayloadTooLong,
            ParameterError::LengthMismatch { .. }
            | ParameterError::Unterminated { name: "msg" } => Rule::PayloadLengthMismatch,
            _ => return,
        };
        self.found(
            None,
            self.arrived,
            vec![(rule, error.to_string(), command.line())],
        );
    }

    /// The module asks for data of this length, which may end so.
    pub(crate) fn prompted(
        &mut self,
        length: Option<usize>,
        end: DataEnd,
        dialect: &dyn Dialect,
        now: Instant,
    ) {
        let mut notices = Vec::new();
        self.typing
            .prompted(length, end, dialect, now, &mut notices);
        self.found(None, now, notices);
    }

    /// The data that the module has asked for.
    pub(crate) fn took(&mut self, data: &[u8], dialect: &dyn Dialect, now: Instant) {
        if let Some(command) = command_within(data, dialect) {
            let notice = (Rule::CommandInData, "in data".into(), command.to_vec());
            self.found(self.executing, now, vec![notice]);
        }
    }

    /// The module has given up waiting for a payload of which so much has come.
    pub(crate) fn gave_up(&mut self, came: usize, announced: usize, now: Instant) {
        let notice = (
            Rule::PayloadTooShort,
            format!("{came} of {announced} bytes"),
            Vec::new(),
        );
        self.found(self.executing, now, vec![notice]);
    }

    /// A final result code is written.
    pub(crate) fn finished(&mut self, success: bool) {
        let mut notices = Vec::new();
        self.typing.finished(&mut notices);
        self.found(None, self.arrived, notices);
        let executing = self.executing.take();
        if let Some(id) = executing
            && !success
        {
            self.connections[usize::from(id.0)].refused();
        }
    }

    /// The module reports something, not before `due`.
    pub(crate) fn reported(&mut self, report: &Report, due: Instant) {
        let id = report.urc.connection();
        let Some(connection) = self.connections.get_mut(usize::from(id.0)) else {
            return;
        };
        let mut notices: Vec<Notice> = Vec::new();
        connection.reported(report, due, |rule, detail| {
            let bytes = match &report.urc {
                Urc::Received { payload, .. } => payload.to_vec(),
                _ => Vec::new(),
            };
            notices.push((rule, detail, bytes));
        });
        self.found(Some(id), due, notices);
    }

    /// The host has left the prompt: what the command would have sent is not sent.
    pub(crate) fn cancelled(&mut self) {
        if let Some(id) = self.executing {
            self.connections[usize::from(id.0)].cancelled();
        }
    }

    /// A publish is done, which this firmware does not report.
    pub(crate) fn published(&mut self, id: ConnectionId, message_id: u16, now: Instant) {
        self.connections[usize::from(id.0)].acknowledged(message_id, now);
    }

    /// The module starts anew.
    pub(crate) fn rebooted(&mut self, now: Instant) {
        let mut notices: Vec<_> = self.lost.take().map(wake_not_awaited).into_iter().collect();
        self.typing.rebooted(&mut notices);
        self.found(None, now, notices);
        self.executing = None;
        for connection in &mut self.connections {
            connection.rebooted(now);
        }
    }

    fn found(&mut self, connection: Option<ConnectionId>, at: Instant, notices: Vec<Notice>) {
        for (rule, detail, bytes) in notices {
            let bytes = shown(&bytes);
            self.counts[rule as usize] += 1;
            let mut hasher = DefaultHasher::new();
            (connection, &detail, &bytes).hash(&mut hasher);
            let hash = hasher.finish();
            let seen = &mut self.seen[rule as usize];
            let repeated = seen.contains(&hash) || seen.len() >= EXAMPLES;
            if !repeated {
                seen.push(hash);
            }
            if self.waiting.len() < WAITING {
                self.waiting.push_back(Finding {
                    rule,
                    severity: self.severity(rule),
                    connection,
                    detail,
                    bytes,
                    at: at.saturating_duration_since(self.started),
                    repeated,
                });
            }
        }
    }
}

/// The bytes without secrets, cut to a length that can be shown.
fn shown(bytes: &[u8]) -> Vec<u8> {
    let mut shown = redacted(bytes);
    if shown.len() > SHOWN {
        shown.truncate(SHOWN);
        shown.extend_from_slice(b"...");
    }
    shown
}

fn wake_not_awaited(line: Vec<u8>) -> Notice {
    (Rule::WakeNotAwaited, String::new(), line)
}

#[cfg(test)]
mod tests;
