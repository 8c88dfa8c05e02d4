use std::collections::VecDeque;
use std::time::Duration;

use atmq_driver::Direction;
use atmq_protocol::at::framing::{
    CommandReader, DataEnd, Frame, Input, MESSAGE_GAP, ResponseReader,
};
use atmq_protocol::at::result_code::FinalResult;
use atmq_protocol::dialect::{Commanded, Said};

use super::entry::{Entry, Kind};
use super::meaning::{self, Meaning};
use crate::dialect::{LINE_LIMIT, Listener, data_behind};
use crate::explain::explain_line;
use crate::grammar::split_first;

/// Commands whose outcome may still be reported. Ours: a host waits for one, or for a few.
const OPEN: usize = 32;

/// Makes entries of the bytes that pass, in either direction and in any pieces.
#[derive(Debug)]
pub(crate) struct Dialogue {
    host: CommandReader,
    module: ResponseReader,
    listener: Listener,
    /// The command whose final result code is owed.
    pending: Option<Pending>,
    /// Commands whose outcome is owed, by their number.
    open: VecDeque<(u64, Commanded)>,
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
    /// How many raw bytes are to follow, and what ends them.
    data: Option<(usize, DataEnd)>,
}

impl Dialogue {
    pub(crate) fn new() -> Self {
        Self {
            host: CommandReader::new(LINE_LIMIT),
            module: ResponseReader::new(LINE_LIMIT),
            listener: Listener::of_others(),
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
        let commanded = self.listener.command(&line);
        let meaning = match &commanded {
            Some(commanded) => meaning::of_intent(&commanded.intent),
            None => meaning::of_command(&line[2..], self.listener.owns(&line)),
        };
        let ask = commanded.as_ref().and_then(|commanded| commanded.ask);
        match ask.and_then(|ask| ask.prompt.sign()) {
            Some(sign) => self.module.expect_prompt(sign),
            None => self.module.forget_prompt(),
        }
        if let Some(commanded) = commanded
            && commanded.report.is_some()
        {
            if self.open.len() == OPEN {
                self.open.pop_front();
            }
            self.open.push_back((number, commanded));
        }
        self.pending = Some(Pending {
            number,
            line: line.clone(),
            echoed: false,
            data: ask.as_ref().and_then(data_behind),
        });
        let from = Direction::HostToModule;
        self.entry(from, Kind::Command, line, Some(number), meaning);
    }

    fn module_frame(&mut self) -> bool {
        let frame = self.module.next(|line| self.listener.extent(line));
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
            if let Some((length, end)) = pending.data.take() {
                self.host.expect_data(Some(length), end);
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
        }
        let pending = self.pending.as_ref();
        let number = pending.map(|pending| pending.number);
        let said = self
            .listener
            .read(&line, pending.map(|pending| &pending.line[..]));
        match said {
            Some(Said::Answer(answer)) => {
                let meaning = meaning::of_answer(&answer);
                self.entry(from, Kind::Response, line, number, meaning);
            }
            Some(Said::Urc(urc)) => {
                let mut open = self.open.iter();
                let place = open.position(|(_, commanded)| {
                    let report = commanded.report.as_ref();
                    report.is_some_and(|report| report.is_met_by(&urc))
                });
                let reported = place.and_then(|place| self.open.remove(place));
                let intent = reported.as_ref().map(|(_, commanded)| &commanded.intent);
                let meaning = meaning::of_urc(&urc, intent);
                let (kind, number) = match reported {
                    Some((number, _)) => (Kind::Report, Some(number)),
                    None => (Kind::Urc, None),
                };
                self.entry(from, kind, line, number, meaning);
            }
            Some(Said::Part) => self.entry(from, Kind::Urc, line, None, Meaning::default()),
            None if self.is_answer(&line) => {
                self.entry(from, Kind::Response, line, number, Meaning::default());
            }
            None => {
                let kind = match line.first() {
                    Some(b'+' | b'^') => Kind::Urc,
                    // What a command answers in free words, such as `ATI`.
                    _ if number.is_some() => Kind::Response,
                    _ => Kind::Unknown,
                };
                let (number, meaning) = match kind {
                    Kind::Response => (number, Meaning::default()),
                    _ => (None, meaning::of_line(&line)),
                };
                self.entry(from, kind, line, number, meaning);
            }
        }
    }

    /// Whether the line answers the pending command by its name: `+CSQ: …` answers `AT+CSQ`.
    fn is_answer(&self, line: &[u8]) -> bool {
        let Some(pending) = &self.pending else {
            return false;
        };
        let name = split_first(&pending.line[2..]).0.name;
        name.len() > 1
            && line
                .split_at_checked(name.len())
                .is_some_and(|(begin, rest)| {
                    begin.eq_ignore_ascii_case(name) && rest.starts_with(b":")
                })
    }

    fn result(&mut self, result: &FinalResult, line: Vec<u8>) {
        let Some(mut pending) = self.pending.take() else {
            return;
        };
        let number = pending.number;
        match result {
            FinalResult::Ok => self.listener.carried_out(&pending.line),
            FinalResult::Connect(_) => {
                if let Some((length, end)) = pending.data.take() {
                    self.host.expect_data(Some(length), end);
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

/// What stands for a line that was too long to keep.
fn overlong(length: usize) -> Vec<u8> {
    format!("({length} bytes without a line end)").into_bytes()
}
