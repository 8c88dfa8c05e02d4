use std::time::{Duration, Instant};

use atmq_protocol::mqtt::{ConnectionId, Information, LinkStatus, Request, Urc};
use atmq_protocol::result_code::FinalResult;
use atmq_protocol::standard::StandardInformation;

use super::command::{Kind, Prepared, Wire};
use super::event::{Answer, Response};
use super::owned;
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
    echoed: bool,
    /// `OK` has come.
    pub(super) carried_out: bool,
    information: Vec<StandardInformation>,
    mqtt_information: Vec<Information<'static>>,
    lines: Vec<Vec<u8>>,
    report: Option<Urc<'static>>,
    report_line: Option<Vec<u8>>,
    /// Bytes of the answer so far.
    stored: usize,
    lost: Option<(LinkStatus, Option<i32>)>,
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
        Self {
            prepared,
            stage,
            deadline: now + limit,
            echoed: false,
            carried_out: false,
            information: Vec::new(),
            mqtt_information: Vec::new(),
            lines: Vec::new(),
            report: None,
            report_line: None,
            stored: 0,
            lost: None,
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
        // On a slow line the data needs its time: a millisecond a byte at 9600 Bd.
        let sent = now + Duration::from_millis(data.len() as u64);
        self.stage = Stage::Data(sent);
        self.deadline = sent + self.prepared.limit;
        Some(data)
    }

    /// Whether the line is the command that was sent, once.
    pub(super) fn take_echo(&mut self, line: &[u8]) -> bool {
        let sent = &self.prepared.line[..self.prepared.line.len() - 1];
        let echo = !self.echoed && without_returns(line) == sent;
        self.echoed |= echo;
        echo
    }

    /// Takes an information response.
    pub(super) fn take_information(&mut self, line: &[u8], wire: &Wire) -> bool {
        match &self.prepared.kind {
            Kind::Standard(request) => {
                let Some(information) = StandardInformation::decode(request, line) else {
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
                let own = is_own(&self.prepared.name, line);
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

    pub(super) fn is_raw(&self) -> bool {
        matches!(self.prepared.kind, Kind::Raw)
    }

    /// Takes the result URC of this very exchange, once.
    pub(super) fn take_report(&mut self, urc: &Urc<'_>, line: &[u8], wire: &Wire) -> bool {
        let awaited =
            self.report.is_none() && self.request(wire, |request| request.is_answered_by(urc));
        if awaited {
            self.report = Some(owned::urc(urc.clone()));
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
        extend: Option<i32>,
        wire: &Wire,
    ) {
        let concerned = self.request(wire, |request| {
            request.connection() == Some(connection)
                && !matches!(request, Request::Close { .. } | Request::Disconnect { .. })
        });
        if concerned && self.lost.is_none() {
            self.lost = Some((status, extend));
        }
    }

    /// Whether nothing more is awaited once `OK` has come.
    pub(super) fn is_complete(&self) -> bool {
        let reported = self.report.is_some() || self.lost.is_some();
        self.carried_out && (reported || !self.prepared.reported)
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
    pub(super) fn finish(self, result: FinalResult) -> Result<Answer, ExchangeError> {
        let command = self.prepared.name;
        if self.stored > MAX_ANSWER {
            let limit = MAX_ANSWER;
            return Err(ExchangeError::TooLong { command, limit });
        }
        if let Kind::Raw = self.prepared.kind {
            return Ok(Answer::Raw(Response {
                lines: self.lines,
                result,
                report: self.report_line,
            }));
        }
        if result != FinalResult::Ok {
            return Err(ExchangeError::Refused { command, result });
        }
        if let (Some((status, extend)), None) = (self.lost, &self.report) {
            return Err(ExchangeError::LinkLost {
                command,
                status,
                extend,
            });
        }
        Ok(match self.prepared.kind {
            Kind::Standard(_) => Answer::Standard(self.information),
            Kind::Mqtt(_) | Kind::Raw => Answer::Mqtt {
                information: self.mqtt_information,
                report: self.report,
            },
        })
    }

    /// Counts what a line costs; `false` if it is not to be stored.
    fn store(&mut self, length: usize) -> bool {
        self.stored = self.stored.saturating_add(length + LINE_COST);
        self.stored <= MAX_ANSWER
    }
}

/// Whether a line begins with the name of the raw command that `command` is called.
fn is_own(command: &str, line: &[u8]) -> bool {
    let name = command.trim_end_matches('?').as_bytes().get(2..);
    let Some(name @ [b'+', ..]) = name else {
        return false;
    };
    let begins = line.get(..name.len());
    begins.is_some_and(|begins| begins.eq_ignore_ascii_case(name))
        && line.get(name.len()) == Some(&b':')
}

fn without_returns(line: &[u8]) -> &[u8] {
    let returns = line.iter().rev().take_while(|byte| **byte == b'\r');
    &line[..line.len() - returns.count()]
}
