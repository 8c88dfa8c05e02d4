use std::mem::take;
use std::time::{Duration, Instant};

use atmq_protocol::at::result_code::FinalResult;
use atmq_protocol::mqtt::{ConnectionId, Information, LinkStatus, Request, Urc};
use atmq_protocol::standard::StandardInformation;
use tracing::Span;
use tracing::field::Empty;

use super::event::{Answer, Response};
use super::owned;
use super::wire::{Kind, Prepared, Wire};
use crate::error::ExchangeError;

/// How long the prompt is awaited. Ours: twice what the slowest host seen waits (reference
/// `lmqtt.md` 1.7).
const PROMPT_LIMIT: Duration = Duration::from_secs(10);

/// The longest answer that is kept, in bytes. Ours.
const MAX_ANSWER: usize = 64 * 1024;

/// What a stored line costs beside its bytes, so that empty lines have a limit as well.
const LINE_COST: usize = 32;

/// The exchange in progress.
pub(super) struct Pending {
    pub(super) prepared: Prepared,
    pub(super) stage: Stage,
    pub(super) deadline: Instant,
    pub(super) began: Instant,
    /// The exchange in the log: its command without parameters, how long it took and how it ended.
    pub(super) span: Span,
    echoed: bool,
    /// What of the data may still be sent back.
    data_echo: Vec<u8>,
    /// `OK` has come.
    pub(super) carried_out: bool,
    /// `OK` has come before the prompt.
    pub(super) accepted_early: bool,
    /// Bytes of data that the command announces.
    pub(super) announced: Option<usize>,
    information: Vec<StandardInformation>,
    mqtt_information: Vec<Information<'static>>,
    lines: Vec<Vec<u8>>,
    report: Option<Urc>,
    report_line: Option<Vec<u8>>,
    /// The module has reported that it sent the packet again.
    pub(super) sent_again: bool,
    /// Bytes of the answer so far.
    stored: usize,
    lost: Option<(LinkStatus, Option<i32>)>,
    /// The report of an earlier exchange that was given up cannot be told from that of this one.
    pub(super) ambiguous: bool,
}

/// How far the exchange is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The command line was sent.
    Command,
    /// The command line was sent, and data is to follow when the prompt has come.
    Prompt,
    /// The data is sent, at the latest at this time.
    Data(Instant),
}

impl Pending {
    pub(super) fn new(prepared: Prepared, now: Instant) -> Self {
        let (stage, limit) = match prepared.data {
            Some(_) => (Stage::Prompt, PROMPT_LIMIT.min(prepared.limit)),
            None => (Stage::Command, prepared.limit),
        };
        let span = tracing::debug_span!(
            "exchange",
            command = prepared.name(),
            duration = Empty,
            outcome = Empty
        );
        Self {
            announced: prepared.data.as_ref().map(Vec::len),
            prepared,
            stage,
            deadline: now + limit,
            began: now,
            span,
            echoed: false,
            data_echo: Vec::new(),
            carried_out: false,
            accepted_early: false,
            information: Vec::new(),
            mqtt_information: Vec::new(),
            lines: Vec::new(),
            report: None,
            report_line: None,
            sent_again: false,
            stored: 0,
            lost: None,
            ambiguous: false,
        }
    }

    /// How long the prompt is awaited.
    pub(super) fn prompt_limit(&self) -> Duration {
        PROMPT_LIMIT.min(self.prepared.limit)
    }

    /// The data to send now that the prompt has come.
    pub(super) fn prompt(&mut self, now: Instant) -> Option<Vec<u8>> {
        if self.stage != Stage::Prompt {
            return None;
        }
        let data = self.prepared.data.take()?;
        if self.echoed {
            self.data_echo.clone_from(&data);
        }
        // On a slow line the data needs its time: a millisecond a byte at 9600 Bd.
        let sent = now + Duration::from_millis(data.len() as u64);
        self.stage = Stage::Data(sent);
        self.deadline = sent + self.prepared.limit;
        Some(data)
    }

    /// Whether the data is a file, which `CONNECT` asks for instead of a prompt.
    pub(super) fn is_upload(&self, wire: &Wire) -> bool {
        self.request(wire, |request| matches!(request, Request::Upload { .. }))
    }

    /// Whether the line is the command that was sent, once, or the next line of the data.
    pub(super) fn take_echo(&mut self, line: &[u8]) -> bool {
        let sent = &self.prepared.line[..self.prepared.line.len() - 1];
        let echo = !self.echoed && without_returns(line) == sent;
        self.echoed |= echo;
        echo || self.take_data_echo(line)
    }

    /// A module that has sent back the command may send back the data, line for line, and a line
    /// of it may look like an answer.
    fn take_data_echo(&mut self, line: &[u8]) -> bool {
        let rest = self.data_echo.trim_ascii_start();
        if rest.is_empty() {
            return false;
        }
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let echo = without_returns(&rest[..end]) == without_returns(line);
        let taken = self.data_echo.len() - rest.len() + end;
        self.data_echo
            .drain(..if echo { taken } else { self.data_echo.len() });
        echo
    }

    /// Takes an information response. `unmistakable`: the line speaks of the module's power, so
    /// it is no free text.
    pub(super) fn take_information(
        &mut self,
        line: &[u8],
        unmistakable: bool,
        wire: &Wire,
    ) -> bool {
        match &self.prepared.kind {
            Kind::Standard(request) => {
                let information = StandardInformation::decode(request, line)
                    .filter(|found| !(unmistakable && is_text(found)));
                let Some(information) = information else {
                    return false;
                };
                if self.store(line.len()) {
                    self.information.push(information);
                }
                true
            }
            Kind::Mqtt(request) => {
                let information = wire
                    .dialect
                    .decode_information(request, line, &wire.formats);
                let Some(information) = information else {
                    return false;
                };
                let information = owned::information(information);
                if self.store(line.len()) {
                    self.mqtt_information.push(information);
                }
                true
            }
            Kind::Raw => {
                let own = is_own(&self.prepared.line, line);
                if own {
                    self.take_line(line);
                }
                own
            }
        }
    }

    /// Takes any line into the answer to a raw command.
    pub(super) fn take_line(&mut self, line: &[u8]) {
        if self.store(line.len()) {
            self.lines.push(line.to_vec());
        }
    }

    /// Whether any line may be the answer.
    pub(super) fn takes_text(&self) -> bool {
        match &self.prepared.kind {
            Kind::Standard(request) => request.is_answered_by_text(),
            Kind::Mqtt(_) => false,
            Kind::Raw => true,
        }
    }

    /// The connection, if the exchange is a publish without identifier.
    pub(super) fn unidentified(&self) -> Option<ConnectionId> {
        match self.prepared.kind {
            Kind::Mqtt(Request::Publish {
                connection,
                message_id: 0,
                ..
            }) => Some(connection),
            _ => None,
        }
    }

    /// Whether nobody knows what the command does.
    pub(super) fn is_unknown(&self, wire: &Wire) -> bool {
        self.is_raw() && !self.request(wire, |_| true)
    }

    pub(super) fn is_raw(&self) -> bool {
        matches!(self.prepared.kind, Kind::Raw)
    }

    /// Takes the result URC of this very exchange, once. That the packet was sent again is noted, and is
    /// not its result.
    pub(super) fn take_report(&mut self, urc: &Urc, line: &[u8], wire: &Wire) -> bool {
        self.sent_again |= self.request(wire, |request| request.is_repeated_by(urc));
        // Without its data nothing has been done.
        let awaited = self.report.is_none()
            && self.stage != Stage::Prompt
            && self.request(wire, |request| request.is_answered_by(urc));
        if awaited {
            self.report = Some(urc.clone());
            if self.is_raw() {
                self.report_line = Some(line.to_vec());
            }
        }
        awaited
    }

    /// The link of a connection is lost: what this exchange waits for may never be reported. A
    /// close is what it was.
    pub(super) fn link_lost(
        &mut self,
        connection: ConnectionId,
        status: LinkStatus,
        code: Option<i32>,
        wire: &Wire,
    ) {
        let concerned = self.request(wire, |request| {
            request.connection() == Some(connection)
                && !matches!(request, Request::Close { .. } | Request::Disconnect { .. })
        });
        if concerned && self.lost.is_none() {
            self.lost = Some((status, code));
        }
    }

    /// Whether nothing more is awaited once `OK` has come.
    pub(super) fn is_complete(&self) -> bool {
        let reported = self.report.is_some() || self.lost.is_some();
        match self.carried_out {
            true => reported || !self.prepared.reported,
            false => reported && self.is_accepted(),
        }
    }

    /// Whether the module has said `OK` to all that it was sent.
    pub(super) fn is_accepted(&self) -> bool {
        self.carried_out || (self.accepted_early && self.stage != Stage::Prompt)
    }

    pub(super) fn has_report(&self) -> bool {
        self.report.is_some()
    }

    /// The MQTT request that is being made, given to `f`; `false` if it is none.
    pub(super) fn request(&self, wire: &Wire, f: impl FnOnce(&Request<'_>) -> bool) -> bool {
        match &self.prepared.kind {
            Kind::Mqtt(request) => f(request),
            Kind::Raw => wire.request_in(&self.prepared.line).is_some_and(|r| f(&r)),
            Kind::Standard(_) => false,
        }
    }

    /// What the exchange has come to, with the final result code `result`.
    pub(super) fn outcome(&mut self, result: FinalResult) -> Result<Answer, ExchangeError> {
        let command = || self.prepared.name();
        if self.stored > MAX_ANSWER {
            return Err(ExchangeError::TooLong {
                command: command(),
                limit: MAX_ANSWER,
            });
        }
        if let Kind::Raw = self.prepared.kind {
            return Ok(Answer::Raw(Response {
                lines: take(&mut self.lines),
                result,
                report: self.report_line.take(),
            }));
        }
        if result != FinalResult::Ok {
            let command = command();
            return Err(ExchangeError::Refused { command, result });
        }
        if let (Some((status, code)), None) = (self.lost, &self.report) {
            return Err(ExchangeError::LinkLost {
                command: command(),
                status,
                code,
            });
        }
        Ok(match self.prepared.kind {
            Kind::Standard(_) => Answer::Standard(take(&mut self.information)),
            Kind::Mqtt(_) | Kind::Raw => Answer::Mqtt {
                information: take(&mut self.mqtt_information),
                report: self.report.take().filter(|_| !self.ambiguous),
            },
        })
    }

    /// Counts what a line costs; `false` if it is not to be stored.
    fn store(&mut self, length: usize) -> bool {
        self.stored = self.stored.saturating_add(length + LINE_COST);
        self.stored <= MAX_ANSWER
    }
}

/// Whether a line begins with the name of the command of a raw command line.
fn is_own(command_line: &[u8], line: &[u8]) -> bool {
    let end = command_line
        .iter()
        .position(|byte| matches!(byte, b'=' | b'?' | b'\r'));
    let name = command_line.get(2..end.unwrap_or(command_line.len()));
    let Some(name @ [b'+', ..]) = name.map(<[u8]>::trim_ascii_end) else {
        return false;
    };
    let begins = line.get(..name.len());
    begins.is_some_and(|begins| begins.eq_ignore_ascii_case(name))
        && line.get(name.len()) == Some(&b':')
}

fn is_text(information: &StandardInformation) -> bool {
    matches!(information, StandardInformation::Text(_))
}

fn without_returns(line: &[u8]) -> &[u8] {
    let returns = line.iter().rev().take_while(|byte| **byte == b'\r');
    &line[..line.len() - returns.count()]
}
