//! What can be told from the bytes of a host and from when they come, without their meaning.

use std::time::{Duration, Instant};

use atmq_protocol::at::command::{Command, Form};
use atmq_protocol::at::framing::DataEnd;
use atmq_protocol::dialect::Dialect;

use super::{Attention, Rule};

const CARRIAGE_RETURN: u8 = b'\r';
const LINE_FEED: u8 = b'\n';
const BACKSPACE: u8 = 0x08;
const DELETE: u8 = 0x7f;
const CTRL_Z: u8 = 0x1a;
const ESCAPE: u8 = 0x1b;

/// A host that asks more often than this for what changes slowly does nothing else.
const POLL: Duration = Duration::from_secs(1);

/// Queries that hosts poll, beside those of the dialect.
const POLLED: [&str; 7] = [
    "+CSQ", "+CESQ", "+CREG", "+CGREG", "+CEREG", "+CGATT", "+CPIN",
];

/// What has been noticed: the rule, the particulars, the bytes.
pub(super) type Notice = (Rule, String, Vec<u8>);

/// Follows the bytes of a host.
#[derive(Debug)]
pub(super) struct Typing {
    limit: usize,
    /// What ends a payload behind the prompt.
    prompt_end: DataEnd,
    /// The current line, up to the limit.
    line: Vec<u8>,
    /// Bytes of the current line, however many.
    length: usize,
    /// Whether a quote in the current line is open.
    quoted: bool,
    /// A line feed in the current line has been noticed.
    fed: bool,
    /// Bytes of an announced payload still to come, and what ends it before.
    data: usize,
    data_end: DataEnd,
    /// The last byte was the last of a payload.
    data_ended: bool,
    /// A command waits for its prompt; bytes that came meanwhile, `usize::MAX` once they have
    /// ended the payload.
    before_prompt: Option<usize>,
    /// That the start of the module was not awaited has been noticed.
    booting: bool,
    /// Of each polled query, when it came last and how often it came too early.
    polls: Vec<(&'static str, Instant, u32)>,
}

/// Whether the byte ends a payload before all of it has come.
fn ends(end: DataEnd, byte: u8) -> bool {
    end == DataEnd::ControlCharacters && matches!(byte, CTRL_Z | ESCAPE)
}

impl Typing {
    pub(super) fn new(limit: usize, prompt_end: DataEnd) -> Self {
        Self {
            limit,
            prompt_end,
            line: Vec::new(),
            length: 0,
            quoted: false,
            fed: false,
            data: 0,
            data_end: prompt_end,
            data_ended: false,
            before_prompt: None,
            booting: false,
            polls: Vec::new(),
        }
    }

    /// The module asks for data of this length, which may end so.
    pub(super) fn prompted(&mut self, length: usize, end: DataEnd) {
        self.data_end = end;
        let early = self.before_prompt.take().unwrap_or(0);
        self.data = length.saturating_sub(early);
        self.data_ended = self.data == 0;
        self.end_line();
    }

    /// The module waits for nothing but commands.
    pub(super) fn finished(&mut self) {
        self.data = 0;
        self.before_prompt = None;
    }

    /// The module starts anew, and has forgotten what came so far.
    pub(super) fn rebooted(&mut self) {
        *self = Self::new(self.limit, self.prompt_end);
    }

    /// Bytes of the host, and what the module is doing when they come.
    pub(super) fn receive(
        &mut self,
        bytes: &[u8],
        attention: Attention,
        dialect: &dyn Dialect,
        now: Instant,
        notices: &mut Vec<Notice>,
    ) {
        let mut busy = attention == Attention::Executing;
        self.booting &= attention == Attention::Booting;
        let mut at = 0;
        while at < bytes.len() {
            if self.data > 0 {
                let taken = self.data.min(bytes.len() - at);
                let came = &bytes[at..at + taken];
                match came.iter().position(|byte| ends(self.data_end, *byte)) {
                    Some(before) => {
                        at += before + 1;
                        self.data = 0;
                    }
                    None => {
                        at += taken;
                        self.data -= taken;
                    }
                }
                self.data_ended = self.data == 0;
                busy = self.data_ended;
                continue;
            }
            let byte = bytes[at];
            let rest = &bytes[at..];
            at += 1;
            let behind_data = std::mem::take(&mut self.data_ended);
            let ends_payload = ends(self.prompt_end, byte);
            if let Some(early) = &mut self.before_prompt
                && (byte != LINE_FEED || *early > 0)
            {
                if *early == 0 {
                    notices.push((Rule::PromptNotAwaited, String::new(), rest.to_vec()));
                }
                *early = if ends_payload {
                    usize::MAX
                } else {
                    early.saturating_add(1)
                };
                continue;
            }
            match byte {
                CARRIAGE_RETURN if self.length == 0 => {}
                CARRIAGE_RETURN => busy |= self.take_line(dialect, now, notices),
                BACKSPACE | DELETE => {
                    self.length = self.length.saturating_sub(1);
                    if self.line.len() > self.length {
                        self.quoted ^= self.line.pop() == Some(b'"');
                    }
                }
                CTRL_Z if behind_data => {
                    notices.push((Rule::CtrlZAfterPayload, String::new(), vec![CTRL_Z]));
                }
                // Nothing begins with a control character.
                0..=0x1f if self.length == 0 => {}
                _ => {
                    if self.length == 0 {
                        self.begin_line(rest, attention, busy, notices);
                    }
                    if byte == LINE_FEED {
                        self.take_line_feed(notices);
                    }
                    self.quoted ^= byte == b'"';
                    self.length += 1;
                    if self.line.len() < self.limit {
                        self.line.push(byte);
                    }
                    if self.line.eq_ignore_ascii_case(b"A/") {
                        self.end_line();
                        busy = true;
                    }
                }
            }
        }
    }

    fn begin_line(
        &mut self,
        rest: &[u8],
        attention: Attention,
        busy: bool,
        notices: &mut Vec<Notice>,
    ) {
        let end = rest.iter().position(|byte| *byte == CARRIAGE_RETURN);
        let line = rest[..end.unwrap_or(rest.len())].to_vec();
        if attention == Attention::Booting {
            if !std::mem::replace(&mut self.booting, true) {
                notices.push((Rule::BootNotAwaited, String::new(), line));
            }
        } else if busy {
            notices.push((Rule::CommandBeforeFinalResult, String::new(), line));
        }
    }

    /// Between quotes it may be part of a value.
    fn take_line_feed(&mut self, notices: &mut Vec<Notice>) {
        if !self.quoted && !std::mem::replace(&mut self.fed, true) {
            let mut line = self.line.clone();
            line.push(LINE_FEED);
            notices.push((Rule::LineFeedOnly, String::new(), line));
        }
    }

    fn end_line(&mut self) {
        self.line.clear();
        self.length = 0;
        self.quoted = false;
        self.fed = false;
    }

    /// The line is complete. Returns whether the module has something to answer.
    fn take_line(
        &mut self,
        dialect: &dyn Dialect,
        now: Instant,
        notices: &mut Vec<Notice>,
    ) -> bool {
        let line = std::mem::take(&mut self.line);
        let length = self.length;
        self.end_line();
        if length > self.limit {
            let detail = format!("{length} bytes, the module takes {}", self.limit);
            notices.push((Rule::LineTooLong, detail, line));
            return true;
        }
        let start = line
            .windows(2)
            .position(|pair| pair.eq_ignore_ascii_case(b"AT"));
        let garbage = &line[..start.unwrap_or(line.len())];
        if !garbage.trim_ascii().is_empty() {
            let garbage = garbage.to_vec();
            notices.push((Rule::GarbageBetweenCommands, String::new(), garbage));
        }
        let Some(start) = start else {
            return false;
        };
        self.take_command_line(&line[start + 2..], dialect, now, notices);
        true
    }

    fn take_command_line(
        &mut self,
        line: &[u8],
        dialect: &dyn Dialect,
        now: Instant,
        notices: &mut Vec<Notice>,
    ) {
        let mut rest = line;
        loop {
            let (command, left) = Command::split_first(rest, |name| dialect.owns(name));
            if dialect.asks_for_payload(&command) {
                self.before_prompt = Some(0);
            }
            if let Some(name) = polled(&command, dialect) {
                self.take_query(name, &command, now, notices);
            }
            if left.is_empty() {
                return;
            }
            rest = left;
        }
    }

    fn take_query(
        &mut self,
        name: &'static str,
        command: &Command<'_>,
        now: Instant,
        notices: &mut Vec<Notice>,
    ) {
        let Some((_, last, early)) = self.polls.iter_mut().find(|(known, ..)| *known == name)
        else {
            return self.polls.push((name, now, 0));
        };
        *early = match now.saturating_duration_since(*last) < POLL {
            true => *early + 1,
            false => 0,
        };
        *last = now;
        // Once may be chance: two tasks of the host want to know the same.
        if *early >= 2 {
            let detail = format!("{} times", *early + 1);
            notices.push((Rule::PollingTooFast, detail, command.line()));
        }
    }
}

/// What the command is called, if it is a query that hosts poll.
fn polled(command: &Command<'_>, dialect: &dyn Dialect) -> Option<&'static str> {
    let is = |name: &&str| command.is(name);
    match command.form {
        Form::Read | Form::Execute => {}
        _ => return None,
    }
    let known = POLLED.into_iter().find(is);
    known.or_else(|| dialect.spec(command.name).map(|spec| spec.name))
}
