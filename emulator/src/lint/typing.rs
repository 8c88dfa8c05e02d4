//! What can be told from the bytes of a host and from when they come, without their meaning.

use std::time::{Duration, Instant};

use atmq_protocol::at::command::{Command, Form};
use atmq_protocol::at::framing::{CTRL_Z, DataEnd};
use atmq_protocol::dialect::Dialect;

use super::characters::Editing;
use super::data::Data;
use super::{Attention, Rule};

const CARRIAGE_RETURN: u8 = b'\r';
const LINE_FEED: u8 = b'\n';
const BACKSPACE: u8 = 0x08;
const DELETE: u8 = 0x7f;

/// A host that asks more often than this for what changes slowly does nothing else.
const POLL: Duration = Duration::from_secs(1);

/// Queries that hosts poll, beside those of the dialect.
const POLLED: [&str; 7] = [
    "+CSQ", "+CESQ", "+CREG", "+CGREG", "+CEREG", "+CGATT", "+CPIN",
];

/// What has been noticed: the rule, the particulars, the bytes.
pub(super) type Notice = (Rule, String, Vec<u8>);

/// Bytes kept of what comes before its prompt, more than a module keeps.
const EARLY: usize = 64 * 1024;

/// How long the rest of a line is waited for that has broken a rule by when it began.
const REST: Duration = Duration::from_secs(1);

/// Follows the bytes of a host.
#[derive(Debug)]
pub(super) struct Typing {
    limit: usize,
    /// V.250's S3 and S5.
    line_end: u8,
    backspace: u8,
    /// The current line, up to the limit.
    line: Vec<u8>,
    /// Bytes of the current line, however many.
    length: usize,
    /// Whether a quote in the current line is open.
    quoted: bool,
    /// A line feed in the current line has been noticed.
    fed: bool,
    editing: Editing,
    /// The rule that the current line has broken by when it began, and until when it is waited for.
    early: Option<(Rule, Instant)>,
    /// The current line begins right behind the last byte of a payload.
    surplus: bool,
    /// The last byte ended a line.
    after_line: bool,
    /// The host was seen to end its lines with a line feed as well.
    sends_line_feeds: bool,
    /// The line feed of the last line is still to come, and is no data.
    skip_line_feed: bool,
    /// The data that is awaited.
    data: Option<Data>,
    /// The last byte was the last of a payload.
    data_ended: bool,
    /// A command waits for its prompt; the bytes that came meanwhile.
    before_prompt: Option<Vec<u8>>,
    /// That the start of the module was not awaited has been noticed.
    booting: bool,
    /// Of each polled query, when it came last and how often it came too early.
    polls: Vec<(&'static str, Instant, u32)>,
}

impl Typing {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            line_end: CARRIAGE_RETURN,
            backspace: BACKSPACE,
            line: Vec::new(),
            length: 0,
            quoted: false,
            fed: false,
            editing: Editing::default(),
            early: None,
            surplus: false,
            after_line: false,
            sends_line_feeds: false,
            skip_line_feed: false,
            data: None,
            data_ended: false,
            before_prompt: None,
            booting: false,
            polls: Vec::new(),
        }
    }

    /// The characters that end a line and take one back from now on: V.250's S3 and S5.
    pub(super) fn set_characters(&mut self, line_end: u8, backspace: u8) {
        self.line_end = line_end;
        self.backspace = backspace;
    }

    /// The module asks for data of this length, which may end so.
    pub(super) fn prompted(
        &mut self,
        length: Option<usize>,
        end: DataEnd,
        dialect: &dyn Dialect,
        now: Instant,
        notices: &mut Vec<Notice>,
    ) {
        self.end_line(notices);
        self.skip_line_feed = std::mem::take(&mut self.after_line) && self.sends_line_feeds;
        self.data = Some(Data::new(length, end));
        let early = self.take_early(notices);
        let taken = self.take_data(&early);
        // The module does not hear the rest of it before it has used the data.
        self.receive(&early[taken..], Attention::Executing, dialect, now, notices);
    }

    /// The module waits for nothing but commands.
    pub(super) fn finished(&mut self, notices: &mut Vec<Notice>) {
        self.data = None;
        self.skip_line_feed = false;
        self.take_early(notices);
    }

    /// The module starts anew, and has forgotten what came so far.
    pub(super) fn rebooted(&mut self, notices: &mut Vec<Notice>) {
        self.end_line(notices);
        self.take_early(notices);
        *self = Self {
            line_end: self.line_end,
            backspace: self.backspace,
            ..Self::new(self.limit)
        };
    }

    /// Until when the rest of a line is waited for.
    pub(super) fn due(&self) -> Option<Instant> {
        self.early.map(|(_, until)| until)
    }

    /// The rest of the line does not come any more.
    pub(super) fn pass(&mut self, now: Instant, notices: &mut Vec<Notice>) {
        if self.due().is_some_and(|due| due <= now) {
            self.tell_early(notices);
        }
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
        if let Some((_, until)) = &mut self.early {
            *until = now + REST;
        }
        let mut at = 0;
        while at < bytes.len() {
            if self.data.is_some() {
                at += self.take_data(&bytes[at..]);
                busy = self.data_ended;
                continue;
            }
            let byte = bytes[at];
            let rest = &bytes[at..];
            at += 1;
            let behind_data = std::mem::take(&mut self.data_ended);
            if std::mem::take(&mut self.after_line) {
                self.sends_line_feeds = byte == LINE_FEED;
                if self.sends_line_feeds {
                    continue;
                }
            }
            if let Some(early) = &mut self.before_prompt {
                let room = EARLY.saturating_sub(early.len());
                early.extend(&rest[..rest.len().min(room)]);
                return;
            }
            match byte {
                _ if byte == self.line_end && self.length == 0 => {}
                _ if byte == self.line_end => busy |= self.take_line(dialect, now, notices),
                _ if byte == self.backspace || byte == DELETE => self.take_back(),
                CTRL_Z if behind_data => {
                    notices.push((Rule::CtrlZAfterPayload, String::new(), vec![CTRL_Z]));
                }
                // Nothing begins with a control character.
                0..=0x1f if self.length == 0 => {}
                _ => {
                    if self.length == 0 {
                        self.surplus = behind_data;
                        self.begin_line(attention, busy, now);
                    }
                    if byte == LINE_FEED {
                        self.take_line_feed(notices);
                    }
                    self.quoted ^= byte == b'"';
                    self.length += 1;
                    if self.line.len() < self.limit {
                        self.line.push(byte);
                    }
                    // A command has not come before its first letters: a rest of a payload may have.
                    if self.length > 2 && command_start(&self.line) == Some(self.length - 2) {
                        self.begin_line(attention, busy, now);
                    }
                    if self.line.eq_ignore_ascii_case(b"A/") {
                        self.end_line(notices);
                        busy = true;
                    }
                }
            }
        }
    }

    /// Takes what of the bytes belongs to the data that is awaited: how many that are.
    fn take_data(&mut self, bytes: &[u8]) -> usize {
        let Some(data) = &mut self.data else {
            return 0;
        };
        let fed = !bytes.is_empty() && std::mem::take(&mut self.skip_line_feed);
        let skipped = usize::from(fed && bytes[0] == LINE_FEED);
        let (taken, complete) = data.take(&bytes[skipped..]);
        if complete {
            self.data = None;
        }
        self.data_ended = complete;
        skipped + taken
    }

    /// What came before the prompt, which is noticed if it is anything.
    fn take_early(&mut self, notices: &mut Vec<Notice>) -> Vec<u8> {
        let early = self.before_prompt.take().unwrap_or_default();
        if !early.is_empty() {
            notices.push((Rule::PromptNotAwaited, String::new(), early.clone()));
        }
        early
    }

    /// The character before is taken back.
    fn take_back(&mut self) {
        if self.length == 0 {
            return;
        }
        self.editing.taken_back += 1;
        self.editing.in_value |= self.quoted;
        self.length -= 1;
        if self.length == 0 {
            self.early = None;
        }
        if self.line.len() > self.length {
            self.quoted ^= self.line.pop() == Some(b'"');
        }
    }

    /// What a line has broken by when it began is told once all of it is there.
    fn begin_line(&mut self, attention: Attention, busy: bool, now: Instant) {
        let rule = if attention == Attention::Booting {
            (!std::mem::replace(&mut self.booting, true)).then_some(Rule::BootNotAwaited)
        } else {
            busy.then_some(Rule::CommandBeforeFinalResult)
        };
        self.early = rule.map(|rule| (rule, now + REST));
    }

    /// Tells that the current line has come too soon, with what of it is there.
    pub(super) fn tell_early(&mut self, notices: &mut Vec<Notice>) {
        let Some((rule, _)) = self.early.take() else {
            return;
        };
        // While it starts, a module loses whatever comes.
        let start = match rule {
            Rule::BootNotAwaited => Some(0),
            _ if matches!(self.line.first(), Some(b'A' | b'a')) => Some(0),
            _ => command_start(&self.line),
        };
        if let Some(start) = start {
            notices.push((rule, String::new(), self.line[start..].to_vec()));
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

    fn end_line(&mut self, notices: &mut Vec<Notice>) {
        self.tell_early(notices);
        self.line.clear();
        self.length = 0;
        self.quoted = false;
        self.fed = false;
        self.editing = Editing::default();
    }

    /// The line is complete. Returns whether the module has something to answer.
    fn take_line(
        &mut self,
        dialect: &dyn Dialect,
        now: Instant,
        notices: &mut Vec<Notice>,
    ) -> bool {
        self.tell_early(notices);
        let line = std::mem::take(&mut self.line);
        let (length, fed) = (self.length, self.fed);
        let editing = std::mem::take(&mut self.editing);
        self.end_line(notices);
        self.after_line = true;
        if length > self.limit {
            let detail = format!("{length} bytes, the module takes {}", self.limit);
            notices.push((Rule::LineTooLong, detail, line));
            return true;
        }
        let start = command_start(&line);
        let garbage = &line[..start.unwrap_or(line.len())];
        if !garbage.trim_ascii().is_empty() {
            let detail = match self.surplus {
                true => "it follows a payload, of which fewer bytes were announced",
                false => "",
            };
            let notice = (
                Rule::GarbageBetweenCommands,
                detail.into(),
                garbage.to_vec(),
            );
            notices.push(notice);
        }
        let Some(start) = start else {
            return false;
        };
        self.take_command_line(&line[start + 2..], dialect, now, notices);
        let told = editing.told(&line[start..], fed);
        if !told.is_empty() {
            let command = line[start..].to_vec();
            notices.push((Rule::ControlCharacterInCommand, told, command));
        }
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
                self.before_prompt = Some(Vec::new());
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
            notices.push((Rule::PollingTooFast, String::new(), command.line()));
        }
    }
}

/// Where the command of a line begins, if there is one.
fn command_start(line: &[u8]) -> Option<usize> {
    line.windows(2)
        .position(|pair| pair.eq_ignore_ascii_case(b"AT"))
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
