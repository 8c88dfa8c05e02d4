use std::collections::VecDeque;
use std::time::Duration;

use atmq_driver::Direction;
use atmq_protocol::at::framing::{CommandReader, Frame, Input, MESSAGE_GAP, ResponseReader};
use atmq_protocol::at::result_code::FinalResult;
use atmq_protocol::dialect::{Power, Said};

use super::Event;
use super::entry::{Entry, Kind};
use super::links::Links;
use super::meaning::{self, Meaning};
use super::pending::{Pending, in_words, report_of};
use super::reports::{Missing, Reports, Until};
use crate::dialect::{LINE_LIMIT, Listener, data_behind, power};
use crate::explain::explain_line;
use crate::grammar::split_first;
use crate::output::count;

/// Makes entries of the bytes that pass, in either direction and in any pieces.
#[derive(Debug)]
pub(crate) struct Dialogue {
    host: CommandReader,
    module: ResponseReader,
    listener: Listener,
    /// The command whose final result code is owed.
    pending: Option<Pending>,
    /// The data began to come before the module had asked for it.
    early: bool,
    /// What has been promised of commands that were accepted.
    reports: Reports,
    links: Links,
    /// Whether final result codes are written, and in words: not after `ATQ1` or `ATV0`.
    in_words: bool,
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

impl Dialogue {
    pub(crate) fn new() -> Self {
        Self {
            host: CommandReader::new(LINE_LIMIT),
            module: ResponseReader::new(LINE_LIMIT),
            listener: Listener::of_others(),
            pending: None,
            early: false,
            reports: Reports::default(),
            links: Links::default(),
            in_words: true,
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
        self.pass(at);
        match direction {
            Direction::HostToModule => {
                self.count_typed(bytes);
                self.host.push(bytes);
                if begins_command(bytes)
                    && let Some(pending) = &mut self.pending
                {
                    // The host has given up the prompt, if it has waited for one.
                    pending.data = None;
                }
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

    /// Takes in what a capture has.
    pub(crate) fn take(&mut self, at: Duration, event: Event) {
        let (kind, words) = match event {
            Event::Bytes(direction, bytes) => return self.push(at, direction, &bytes),
            Event::Complete => return self.pass(at),
            Event::World(words) => (Kind::World, words),
            Event::Comment(words) => (Kind::Comment, words),
            Event::Lost => {
                let words = "something was missed here by whoever recorded";
                (Kind::Note, words.to_owned())
            }
            Event::Cut(missing) => {
                let what = count(missing, "byte");
                (
                    Kind::Note,
                    format!("{what} missing here: the record was cut"),
                )
            }
            Event::Other(number) => (Kind::Note, format!("event {number} of the line")),
        };
        self.pass(at);
        let (from, meaning) = (Direction::ModuleToHost, Meaning::default());
        self.entry(from, kind, words.into_bytes(), None, meaning);
    }

    /// So late it is, and nothing has passed: reports may be overdue.
    pub(crate) fn pass(&mut self, at: Duration) {
        for missing in self.reports.overdue(at) {
            self.missing(missing);
        }
        self.at = at;
    }

    /// The conversation has ended: what has not come by now did not come.
    pub(crate) fn end(&mut self) {
        self.settle();
        self.abandon(Until::End);
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
        // A module that executes a command reads on when it asks for the data.
        let asks = self.pending.as_ref().is_some_and(|of| of.data.is_some());
        if asks && !begins_command(self.host.peek()) {
            return false;
        }
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
            Kind::Data => Meaning::data(bytes.len(), std::mem::take(&mut self.early)),
            Kind::Command => Meaning::words("the previous command again"),
            _ => Meaning::default(),
        };
        if let Some(pending) = &mut self.pending {
            pending.since = self.at;
        }
        let number = self.pending.as_ref().map(|pending| pending.number);
        self.entry(Direction::HostToModule, kind, bytes, number, meaning);
        true
    }

    fn command(&mut self, line: Vec<u8>) {
        self.unanswered(Until::NextCommand);
        self.commands += 1;
        let number = self.commands;
        let commanded = self.listener.command(&line);
        let mut meaning = match &commanded {
            Some(commanded) => meaning::of_intent(&commanded.intent),
            None => meaning::of_command(&line[2..], self.listener.owns(&line)),
        };
        let explained = explain_line(&line, None);
        if let Some(explained) = explained.filter(|explained| !explained.wrong.is_empty()) {
            meaning.words = Some(explained.brief());
        }
        let ask = commanded.as_ref().and_then(|commanded| commanded.ask);
        match ask.and_then(|ask| ask.prompt.sign()) {
            Some(sign) => self.module.expect_prompt(sign),
            None => self.module.forget_prompt(),
        }
        let intent = commanded.as_ref().map(|commanded| {
            let reports = commanded.report.is_some();
            (commanded.intent.clone(), reports)
        });
        self.pending = Some(Pending {
            number,
            line: line.clone(),
            intent,
            since: self.at,
            echoed: false,
            answered: false,
            data: ask.as_ref().and_then(data_behind),
        });
        self.in_words = in_words(&line[2..], self.in_words);
        let name = report_of(&line[2..]);
        let from = Direction::HostToModule;
        self.entry(from, Kind::Command, line, Some(number), meaning);
        if let (Some(commanded), Some(name)) = (commanded, name)
            && commanded.report.is_some()
            && let Some(missing) = self.reports.expect(number, commanded, name, self.at)
        {
            self.missing(missing);
        }
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
            pending.answered = true;
            if let Some((length, end)) = pending.data.take() {
                self.host.expect_data(Some(length), end);
                self.early = self.host.unread() > 0;
            }
        }
        let meaning = Meaning::words("send the data");
        let from = Direction::ModuleToHost;
        self.entry(from, Kind::Prompt, b">".to_vec(), number, meaning);
        while self.host_input() {}
    }

    fn line(&mut self, line: Vec<u8>) {
        let from = Direction::ModuleToHost;
        let until = match power(&line) {
            Some(Power::Started) => Some(Until::Restart),
            Some(Power::Down) => Some(Until::PowerDown),
            Some(Power::Banner) | None => None,
        };
        if let Some(until) = until {
            self.abandon(until);
            self.links.clear();
            self.in_words = true;
        }
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
                self.links.answered(&answer);
                let meaning = meaning::of_answer(&answer);
                self.entry(from, Kind::Response, line, number, meaning);
            }
            Some(Said::Urc(urc)) => {
                let reported = self.reports.take(&urc);
                let intent = reported.as_ref().map(|(_, commanded)| &commanded.intent);
                let mut meaning = meaning::of_urc(&urc, intent);
                if meaning.failed && intent.is_some_and(|of| self.links.has_nothing_for(of)) {
                    meaning = Meaning::words(NOTHING_TO_CLOSE);
                }
                self.links.reported(&urc);
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
        let mut meaning = meaning::of_result(result);
        match result {
            FinalResult::Ok => {
                self.listener.carried_out(&pending.line);
                if let Some((intent, reports)) = &pending.intent {
                    self.links.accepted(intent, *reports);
                }
            }
            FinalResult::Connect(_) => {
                if let Some((length, end)) = pending.data.take() {
                    self.host.expect_data(Some(length), end);
                    self.early = self.host.unread() > 0;
                    // The bytes that follow are answered once more.
                    pending.echoed = true;
                    pending.answered = true;
                    self.pending = Some(pending);
                }
            }
            _ => {
                self.host.abort_data();
                self.reports.refused(number);
                let intent = pending.intent.as_ref();
                if intent.is_some_and(|(intent, _)| self.links.has_nothing_for(intent)) {
                    meaning = Meaning::words(NOTHING_TO_CLOSE);
                }
            }
        }
        let from = Direction::ModuleToHost;
        self.entry(from, Kind::Result, line, Some(number), meaning);
        while self.host_input() {}
    }

    /// The final result code of the pending command does not come any more.
    fn unanswered(&mut self, until: Until) {
        let Some(pending) = self.pending.take() else {
            return;
        };
        self.reports.unanswered(pending.number);
        if !self.in_words {
            return;
        }
        self.missing(pending.unanswered(self.at, until));
    }

    /// Nothing that the module owes comes any more.
    fn abandon(&mut self, until: Until) {
        self.unanswered(until);
        for missing in self.reports.give_up(self.at, until) {
            self.missing(missing);
        }
    }

    fn missing(&mut self, missing: Missing) {
        let Missing {
            at,
            number,
            waited,
            words,
        } = missing;
        let now = std::mem::replace(&mut self.at, at);
        let (from, meaning) = (Direction::ModuleToHost, Meaning::failure(words));
        self.entry(from, Kind::Missing, Vec::new(), Some(number), meaning);
        if let Some(entry) = self.entries.back_mut() {
            entry.waited = Some(waited);
        }
        self.at = now;
    }

    fn entry(
        &mut self,
        from: Direction,
        kind: Kind,
        bytes: Vec<u8>,
        exchange: Option<u64>,
        mut meaning: Meaning,
    ) {
        if let Some(pending) = &mut self.pending
            && kind == Kind::Response
        {
            pending.answered = true;
        }
        let told = matches!(kind, Kind::Command | Kind::Response | Kind::Urc);
        if told && meaning.words.is_none() {
            let asked = self.pending.as_ref().map(|pending| &pending.line[..]);
            let asked = asked.filter(|_| kind == Kind::Response);
            let explained = explain_line(&bytes, asked);
            meaning.words = explained.map(|explained| explained.brief());
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
            waited: None,
            order: self.count,
        });
    }
}

/// What it means that a close is refused where nothing is open.
const NOTHING_TO_CLOSE: &str = "refused: nothing was open";

/// What stands for a line that was too long to keep.
fn overlong(length: usize) -> Vec<u8> {
    format!("({length} bytes without a line end)").into_bytes()
}

/// Whether these bytes of a host are a command line, whose end may be missing.
fn begins_command(bytes: &[u8]) -> bool {
    let start = bytes.iter().position(|byte| !byte.is_ascii_control());
    let begin = start.and_then(|start| bytes.get(start..start + 2));
    begin.is_some_and(|begin| begin.eq_ignore_ascii_case(b"AT"))
}
