use std::time::Duration;

use atmq_protocol::at::command::Form;
use atmq_protocol::at::framing::DataEnd;
use atmq_protocol::mqtt::Intent;

use super::reports::{Missing, Until};
use crate::duration::span;
use crate::grammar::{self, split_first};
use crate::visible::visible;

/// A command whose final result code is owed.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) number: u64,
    /// With its `AT`.
    pub(super) line: Vec<u8>,
    /// What it asks of the MQTT client, and whether what comes of that is reported.
    pub(super) intent: Option<(Intent, bool)>,
    /// When the host has last said something of it.
    pub(super) since: Duration,
    pub(super) echoed: bool,
    /// Something has answered it, but no final result code.
    pub(super) answered: bool,
    /// How many raw bytes are to follow, and what ends them.
    pub(super) data: Option<(usize, DataEnd)>,
}

impl Pending {
    /// The final result code has not come by now, and does not come any more.
    pub(super) fn unanswered(&self, now: Duration, until: Until) -> Missing {
        let waited = now.saturating_sub(self.since);
        let what = match self.answered {
            true => "final result code of",
            false => "answer to",
        };
        let name = [b"AT", split_first(&self.line[2..]).0.name].concat();
        let (name, time, until) = (visible(&name), span(waited), until.words());
        Missing {
            at: now,
            number: self.number,
            waited,
            words: format!("no {what} {name} for {time}, {until}"),
        }
    }
}

/// Whether final result codes are written, and in words, behind this command line; `before`:
/// whether they were before. They are not after `ATQ1` and `ATV0` (V.250 sections 6.2.5 and 6.2.6).
pub(super) fn in_words(mut body: &[u8], before: bool) -> bool {
    let mut in_words = before;
    while !body.is_empty() {
        let (command, rest) = split_first(body);
        let number: &[u8] = match command.form {
            Form::Set(number) => number,
            _ => b"0",
        };
        if command.is("Q") {
            in_words = number == b"0";
        } else if command.is("V") {
            in_words = number == b"1";
        } else if command.is("Z") || command.is("&F") {
            in_words = true;
        }
        body = rest;
    }
    in_words
}

/// What the line is called that reports what comes of a command.
pub(super) fn report_of(body: &[u8]) -> Option<&'static str> {
    grammar::command(split_first(body).0.name)?.report
}
