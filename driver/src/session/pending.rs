use std::mem::take;
use std::time::{Duration, Instant};

use atmq_protocol::at::result_code::FinalResult;
use atmq_protocol::dialect::{self, Ask, Prompt, Reported};
use atmq_protocol::mqtt::{ConnectionId, LinkStatus, Urc};
use atmq_protocol::standard::StandardInformation;
use tracing::Span;
use tracing::field::Empty;

use super::event::{Answer, Response};
use super::wire::{Kind, Prepared};
use crate::error::ExchangeError;

/// How long the prompt is awaited. Ours: twice what the slowest host seen waits.
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
    /// An error has come, behind which the report may still follow.
    pub(super) refused: Option<FinalResult>,
    /// How the module asks for the data, and how many bytes they are.
    pub(super) asks: Option<(Ask, usize)>,
    information: Vec<StandardInformation>,
    answers: Vec<dialect::Answer>,
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
            asks: prepared
                .data
                .as_ref()
                .map(|data| (data.ask, data.bytes.len())),
            prepared,
            stage,
            deadline: now + limit,
            began: now,
            span,
            echoed: false,
            data_echo: Vec::new(),
            carried_out: false,
            accepted_early: false,
            refused: None,
            information: Vec::new(),
            answers: Vec::new(),
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

    /// The sign that is awaited, if a sign asks for the data.
    pub(super) fn sign(&self) -> Option<&'static [u8]> {
        match self.asks?.0.prompt {
            Prompt::Sign(sign) | Prompt::SignAfterOk(sign) => Some(sign),
            _ => None,
        }
    }

    /// Whether the line asks for the data.
    pub(super) fn is_asked_by(&self, line: &[u8]) -> bool {
        let prompt = self.asks.map(|(ask, _)| ask.prompt);
        self.stage == Stage::Prompt && prompt.is_some_and(|prompt| is_word(prompt, line))
    }

    /// Whether an `OK` that comes before the data is not the end by the rules of the command.
    pub(super) fn has_ok_first(&self) -> bool {
        let prompt = self.asks.map(|(ask, _)| ask.prompt);
        matches!(prompt, Some(Prompt::SignAfterOk(_) | Prompt::AfterOk))
    }

    /// Whether `OK` asks for the data.
    pub(super) fn is_asked_by_ok(&self) -> bool {
        let prompt = self.asks.map(|(ask, _)| ask.prompt);
        prompt == Some(Prompt::AfterOk)
    }

    /// The data to send now that the prompt has come.
    pub(super) fn prompt(&mut self, now: Instant) -> Option<dialect::Data> {
        if self.stage != Stage::Prompt {
            return None;
        }
        let data = self.prepared.data.take()?;
        if self.echoed {
            self.data_echo.clone_from(&data.bytes);
        }
        // On a slow line the data needs its time: a millisecond a byte at 9600 Bd.
        let sent = now + Duration::from_millis(data.bytes.len() as u64);
        self.stage = Stage::Data(sent);
        self.deadline = sent + self.prepared.limit;
        Some(data)
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

    /// Takes an information response, which the dialect reads so if it is one of its own.
    /// `unmistakable`: the line speaks of the module's power, so it is no free text.
    pub(super) fn take_information(
        &mut self,
        line: &[u8],
        answer: Option<dialect::Answer>,
        unmistakable: bool,
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
            Kind::Step { .. } => {
                let Some(answer) = answer else {
                    return false;
                };
                if self.store(line.len()) {
                    self.answers.push(answer);
                }
                true
            }
            Kind::Raw { .. } => {
                let own = answer.is_some() || is_own(&self.prepared.line, line);
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
            Kind::Step { .. } => false,
            Kind::Raw { .. } => true,
        }
    }

    /// The connection, if the exchange is a publish without identifier.
    pub(super) fn unidentified(&self) -> Option<ConnectionId> {
        let report = self.prepared.report.filter(|_| !self.is_raw())?;
        let unidentified = matches!(report.message_id, None | Some(0));
        (report.what == Reported::Published && unidentified).then_some(report.connection)
    }

    /// Whether nobody knows what the command does.
    pub(super) fn is_unknown(&self) -> bool {
        matches!(self.prepared.kind, Kind::Raw { known: false })
    }

    pub(super) fn is_raw(&self) -> bool {
        matches!(self.prepared.kind, Kind::Raw { .. })
    }

    /// Takes the result URC of this very exchange, once. That the packet was sent again is noted, and is
    /// not its result.
    pub(super) fn take_report(&mut self, urc: &Urc, line: &[u8]) -> bool {
        let Some(expected) = self.prepared.report else {
            return false;
        };
        self.sent_again |= expected.is_repeated_by(urc);
        // Without its data nothing has been done.
        let begun = self.stage != Stage::Prompt || self.refused.is_some();
        let awaited = self.report.is_none() && begun && expected.is_met_by(urc);
        if awaited {
            self.report = Some(urc.clone());
            if self.is_raw() {
                self.report_line = Some(line.to_vec());
            }
        }
        awaited
    }

    /// The link of a connection is lost: what this exchange waits for may never be reported.
    pub(super) fn link_lost(
        &mut self,
        connection: ConnectionId,
        status: LinkStatus,
        code: Option<i32>,
    ) {
        if self.prepared.link == Some(connection) && self.lost.is_none() {
            self.lost = Some((status, code));
        }
    }

    /// An error has come. Whether the report may still follow, which decides.
    pub(super) fn may_yet_be_reported(&mut self, result: &FinalResult, now: Instant) -> bool {
        let patience = self.prepared.report_after_error;
        let waits = self.prepared.reported && self.report.is_none() && !patience.is_zero();
        if waits {
            self.refused = Some(result.clone());
            self.deadline = now + patience;
        }
        waits
    }

    /// Whether nothing more is awaited once `OK` has come.
    pub(super) fn is_complete(&self) -> bool {
        if self.refused.is_some() {
            return self.report.is_some();
        }
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

    /// What the exchange has come to, with the final result code `result`.
    pub(super) fn outcome(&mut self, result: FinalResult) -> Result<Answer, ExchangeError> {
        let command = || self.prepared.name();
        if self.stored > MAX_ANSWER {
            return Err(ExchangeError::TooLong {
                command: command(),
                limit: MAX_ANSWER,
            });
        }
        if self.is_raw() {
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
            Kind::Step { .. } | Kind::Raw { .. } => Answer::Mqtt {
                answers: take(&mut self.answers),
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

/// Whether a line is, or begins with, the word that asks for data.
pub(super) fn is_word(prompt: Prompt, line: &[u8]) -> bool {
    let Prompt::Line(word) = prompt else {
        return false;
    };
    let behind = line.strip_prefix(word);
    behind.is_some_and(|behind| matches!(behind.first(), None | Some(b' ')))
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
