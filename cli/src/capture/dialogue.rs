use std::collections::VecDeque;
use std::time::Duration;

use atmq_driver::Direction;
use atmq_protocol::at::command::Command;
use atmq_protocol::at::framing::{
    CommandReader, DataEnd, Frame, Input, MESSAGE_GAP, ResponseReader,
};
use atmq_protocol::at::result_code::FinalResult;
use atmq_protocol::dialect::{Context, Dialect, Lmqtt};
use atmq_protocol::limits::Limits;
use atmq_protocol::mqtt::{FormatTable, PublishPayload, Request};

use super::entry::{Entry, Kind};
use super::meaning::{self, Meaning};
use crate::dialogue::context;
use crate::explain::explain_line;

/// The longest line that is read, a payload of the prompt in hexadecimal digits with its topic.
const LINE_LIMIT: usize = 20 * 1024;

/// The longest raw data behind a prompt or a `CONNECT`. Ours: many times what a module takes.
const DATA_LIMIT: usize = 1024 * 1024;

/// Commands whose outcome may still be reported. Ours: a host waits for one, or for a few.
const OPEN: usize = 32;

const DIALECT: Lmqtt = Lmqtt::DEFAULT;

/// Wider than any module's, so that everything on the line can be read.
const LIMITS: Limits = Limits {
    connections: 7,
    command_line: LINE_LIMIT,
    host: LINE_LIMIT,
    client_id: LINE_LIMIT,
    username: LINE_LIMIT,
    password: LINE_LIMIT,
    topic: LINE_LIMIT,
    will_payload: LINE_LIMIT,
    inline_payload: LINE_LIMIT,
    prompt_payload: DATA_LIMIT,
    keep_alive: u16::MAX,
    ..atmq_protocol::dialect::lmqtt::NT35E.limits
};

/// Makes entries of the bytes that pass, in either direction and in any pieces.
#[derive(Debug)]
pub(crate) struct Dialogue {
    host: CommandReader,
    module: ResponseReader,
    formats: FormatTable,
    /// The command whose final result code is owed.
    pending: Option<Pending>,
    /// Commands whose outcome is owed: number, line behind `AT`, formats when it was sent.
    open: VecDeque<(u64, Vec<u8>, FormatTable)>,
    /// Commands so far.
    commands: u64,
    /// Entries so far.
    count: u64,
    entries: VecDeque<Entry>,
    /// Bytes that make no complete line yet, for each direction.
    incomplete: [usize; 2],
    at: Duration,
    /// When the module has said something last.
    heard: Duration,
}

#[derive(Debug)]
struct Pending {
    number: u64,
    /// With its `AT`.
    line: Vec<u8>,
    echoed: bool,
    /// Raw bytes that are to follow.
    data: Option<usize>,
}

impl Dialogue {
    pub(crate) fn new() -> Self {
        Self {
            host: CommandReader::new(LINE_LIMIT),
            module: ResponseReader::new(LINE_LIMIT),
            formats: FormatTable::default(),
            pending: None,
            open: VecDeque::new(),
            commands: 0,
            count: 0,
            entries: VecDeque::new(),
            incomplete: [0; 2],
            at: Duration::ZERO,
            heard: Duration::ZERO,
        }
    }

    /// Takes in bytes that passed then. Call [`next`](Self::next) until there is nothing left.
    pub(crate) fn push(&mut self, at: Duration, direction: Direction, bytes: &[u8]) {
        if at.saturating_sub(self.heard) >= MESSAGE_GAP {
            self.settle();
        }
        self.at = at;
        match direction {
            Direction::HostToModule => {
                self.count_typed(bytes);
                self.host.push(bytes);
                while self.host_input() {}
            }
            Direction::ModuleToHost => {
                self.heard = at;
                self.incomplete[direction as usize] += bytes.len();
                self.module.push(bytes);
                while self.module_frame() {}
            }
        }
    }

    /// Nothing more of the module follows what has come: a message that could be the beginning of
    /// a longer one is complete.
    pub(crate) fn settle(&mut self) {
        self.module.settle();
        while self.module_frame() {}
    }

    /// What has been said.
    pub(crate) fn next(&mut self) -> Option<Entry> {
        self.entries.pop_front()
    }

    /// Bytes of host and module that make no complete line, or no complete data.
    pub(crate) fn incomplete(&self) -> [usize; 2] {
        self.incomplete
    }

    /// Counts what the host has typed of a line: control characters between lines are none.
    fn count_typed(&mut self, bytes: &[u8]) {
        let typed = &mut self.incomplete[Direction::HostToModule as usize];
        for byte in bytes {
            *typed = match byte {
                b'\r' => 0,
                0..=0x1f if *typed == 0 => 0,
                _ => *typed + 1,
            };
        }
    }

    fn host_input(&mut self) -> bool {
        let Some(input) = self.host.next(&mut Vec::new()) else {
            return false;
        };
        let (kind, bytes) = match input {
            Input::Command(body) => {
                let line = [b"AT", body].concat();
                self.command(line);
                return true;
            }
            Input::Repeat => (Kind::Command, b"A/".to_vec()),
            Input::Data(data) => (Kind::Data, data.to_vec()),
            Input::Cancelled => (Kind::Unknown, vec![0x1b]),
            Input::Noise(line) => (Kind::Unknown, line.to_vec()),
            Input::Overlong { length } => (Kind::Unknown, overlong(length)),
        };
        if kind == Kind::Data {
            // Its end is no line end.
            self.incomplete[Direction::HostToModule as usize] = self.host.unread();
        }
        let meaning = match kind {
            Kind::Data => Meaning::data(bytes.len()),
            Kind::Command => Meaning::words("the previous command again"),
            _ => Meaning::default(),
        };
        let number = self.pending.as_ref().map(|pending| pending.number);
        self.entry(Direction::HostToModule, kind, bytes, number, meaning);
        true
    }

    fn command(&mut self, line: Vec<u8>) {
        self.commands += 1;
        let number = self.commands;
        let mut data = None;
        let mut reported = false;
        let meaning = match request_in(&line[2..], &self.formats) {
            Some(request) => {
                data = announced_by(&request);
                reported = DIALECT.exchange(&request).reported;
                meaning::of_request(&request)
            }
            None => meaning::of_command(&line[2..]),
        };
        if data.is_some() {
            self.module.expect_prompt();
        } else {
            self.module.forget_prompt();
        }
        if reported {
            if self.open.len() == OPEN {
                self.open.pop_front();
            }
            let body = line[2..].to_vec();
            self.open.push_back((number, body, self.formats.clone()));
        }
        self.pending = Some(Pending {
            number,
            line: line.clone(),
            echoed: false,
            data: data.filter(|length| *length <= DATA_LIMIT),
        });
        let from = Direction::HostToModule;
        self.entry(from, Kind::Command, line, Some(number), meaning);
    }

    fn module_frame(&mut self) -> bool {
        let context = context(&self.formats);
        let frame = self.module.next(|line| DIALECT.extent(line, context));
        let line = match frame {
            None => return false,
            Some(
                Frame::Line(line)
                | Frame::Message { line, .. }
                | Frame::Lost { bytes: line, .. }
                | Frame::Torn(line),
            ) => line.to_vec(),
            Some(Frame::Prompt) => {
                self.incomplete[Direction::ModuleToHost as usize] = 0;
                self.prompt();
                return true;
            }
            Some(Frame::Overlong { length }) => {
                let (from, kind) = (Direction::ModuleToHost, Kind::Unknown);
                self.entry(from, kind, overlong(length), None, Meaning::default());
                return true;
            }
        };
        self.incomplete[Direction::ModuleToHost as usize] = 0;
        self.line(line);
        true
    }

    fn prompt(&mut self) {
        let mut number = None;
        if let Some(pending) = &mut self.pending {
            number = Some(pending.number);
            if let Some(length) = pending.data.take() {
                self.host.expect_data(length, DataEnd::Length);
            }
        }
        let meaning = Meaning::words("send the data");
        let from = Direction::ModuleToHost;
        self.entry(from, Kind::Prompt, b">".to_vec(), number, meaning);
    }

    fn line(&mut self, line: Vec<u8>) {
        let from = Direction::ModuleToHost;
        if let Some(pending) = &mut self.pending {
            let number = Some(pending.number);
            let echo = line.trim_ascii_end();
            if !pending.echoed && echo.eq_ignore_ascii_case(pending.line.trim_ascii_end()) {
                pending.echoed = true;
                self.entry(from, Kind::Echo, line, number, Meaning::default());
                return;
            }
            if let Some(result) = FinalResult::decode(&line) {
                self.result(&result, line);
                return;
            }
            if let Some(meaning) = self.response(&line) {
                self.entry(from, Kind::Response, line, number, meaning);
                return;
            }
        }
        let Some(urc) = DIALECT.decode_urc(&line, &self.formats) else {
            let (kind, meaning) = match (line.first(), &self.pending) {
                (Some(b'+' | b'^'), _) => (Kind::Urc, meaning::of_line(&line)),
                // What a command answers in free words, such as `ATI`.
                (_, Some(pending)) => {
                    let number = Some(pending.number);
                    self.entry(from, Kind::Response, line, number, Meaning::default());
                    return;
                }
                (_, None) => (Kind::Unknown, meaning::of_line(&line)),
            };
            self.entry(from, kind, line, None, meaning);
            return;
        };
        let mut open = self.open.iter();
        let place = open.position(|(_, body, formats)| {
            request_in(body, formats).is_some_and(|request| request.is_answered_by(&urc))
        });
        let reported = place.and_then(|place| self.open.remove(place));
        let meaning = match &reported {
            Some((_, body, formats)) => meaning::of_urc(&urc, request_in(body, formats).as_ref()),
            None => meaning::of_urc(&urc, None),
        };
        let (kind, number) = match reported {
            Some((number, ..)) => (Kind::Report, Some(number)),
            None => (Kind::Urc, None),
        };
        drop(urc);
        self.entry(from, kind, line, number, meaning);
    }

    /// Reads the line as an information response to the pending command.
    fn response(&self, line: &[u8]) -> Option<Meaning> {
        let pending = self.pending.as_ref()?;
        if let Some(request) = request_in(&pending.line[2..], &self.formats)
            && let Some(information) = DIALECT.decode_information(&request, line, &self.formats)
        {
            return Some(meaning::of_information(&information));
        }
        // `+CSQ: …` answers `AT+CSQ`, unless it can be nothing but a report of its outcome.
        let (command, _) = first_command(&pending.line[2..]);
        let rest = line
            .get(..command.name.len())
            .filter(|name| command.name.len() > 1 && name.eq_ignore_ascii_case(command.name))
            .map(|_| &line[command.name.len()..])?;
        let answers = rest.starts_with(b":") && DIALECT.decode_urc(line, &self.formats).is_none();
        answers.then(|| meaning::of_line(line))
    }

    fn result(&mut self, result: &FinalResult, line: Vec<u8>) {
        let Some(mut pending) = self.pending.take() else {
            return;
        };
        let number = pending.number;
        let request = request_in(&pending.line[2..], &self.formats);
        match result {
            FinalResult::Ok => {
                if let Some(Request::Configure {
                    connection,
                    setting,
                }) = &request
                {
                    self.formats[*connection].apply(setting);
                }
                if let Some(Request::Close { connection }) = &request {
                    // The configuration is gone with the connection.
                    self.formats[*connection] = Default::default();
                }
            }
            FinalResult::Connect(_) => {
                if let Some(length) = pending.data.take() {
                    self.host.expect_data(length, DataEnd::Length);
                    // The bytes that follow are answered once more.
                    pending.echoed = true;
                    self.pending = Some(pending);
                }
            }
            _ => {
                self.host.abort_data();
                self.open.retain(|(open, ..)| *open != number);
            }
        }
        let from = Direction::ModuleToHost;
        let meaning = meaning::of_result(result);
        self.entry(from, Kind::Result, line, Some(number), meaning);
    }

    fn entry(
        &mut self,
        from: Direction,
        kind: Kind,
        bytes: Vec<u8>,
        exchange: Option<u64>,
        mut meaning: Meaning,
    ) {
        let told = matches!(kind, Kind::Command | Kind::Response | Kind::Urc);
        if told && meaning.words.is_none() {
            let asked = self.pending.as_ref().map(|pending| &pending.line[..]);
            let asked = asked.filter(|_| kind == Kind::Response);
            let explained = explain_line(&bytes, asked);
            meaning.words = explained.map(|explained| explained.brief().to_owned());
        }
        self.count += 1;
        self.entries.push_back(Entry {
            at: self.at,
            from,
            kind,
            bytes,
            exchange,
            meaning: meaning.words,
            hop: meaning.hop,
            failed: meaning.failed,
            order: self.count,
        });
    }
}

/// How much data a command line announces, if it is such a command.
pub(crate) fn announced(line: &[u8]) -> Option<usize> {
    let body = line.get(2..)?;
    let length = announced_by(&request_in(body, &FormatTable::default())?);
    length.filter(|length| *length <= DATA_LIMIT)
}

fn announced_by(request: &Request<'_>) -> Option<usize> {
    match request {
        Request::Publish {
            payload: PublishPayload::Prompted(length),
            ..
        }
        | Request::PublishExtended { length, .. }
        | Request::Upload { length, .. } => Some(*length),
        _ => None,
    }
}

/// The request that a command line makes, if the dialect knows it; without the `AT`.
fn request_in<'l>(body: &'l [u8], formats: &FormatTable) -> Option<Request<'l>> {
    let (command, _) = first_command(body);
    if !DIALECT.owns(command.name) {
        return None;
    }
    let context = Context {
        limits: &LIMITS,
        formats,
    };
    DIALECT.decode_request(&command, context).ok()
}

fn first_command(body: &[u8]) -> (Command<'_>, &[u8]) {
    Command::split_first(body, |name| DIALECT.owns(name))
}

/// What stands for a line that was too long to keep.
fn overlong(length: usize) -> Vec<u8> {
    format!("({length} bytes without a line end)").into_bytes()
}
