use std::collections::VecDeque;
use std::time::Duration;

use atmq_protocol::dialect::Commanded;
use atmq_protocol::mqtt::Urc;

use crate::duration::span;

/// Commands whose outcome may still be reported. Ours: a host waits for one, or for a few.
const OPEN: usize = 32;

/// Reports that commands have promised and that have not come.
#[derive(Debug, Default)]
pub(super) struct Reports(VecDeque<Awaited>);

#[derive(Debug)]
struct Awaited {
    /// Of the command.
    number: u64,
    commanded: Commanded,
    /// What the line is called.
    name: &'static str,
    /// When the command was typed.
    since: Duration,
    /// It has been told that it has not come; it may come all the same.
    told: bool,
}

/// Something of the module that did not come.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Missing {
    /// When that was clear.
    pub(super) at: Duration,
    /// Of the command.
    pub(super) number: u64,
    pub(super) waited: Duration,
    pub(super) words: String,
}

/// Until when somebody has waited for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    NextCommand,
    Restart,
    PowerDown,
    /// More commands wait than are remembered.
    Others,
    End,
}

impl Until {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::NextCommand => "until the next command",
            Self::Restart => "until the module started anew",
            Self::PowerDown => "until the module switched itself off",
            Self::Others => "while other commands came",
            Self::End => "until the end",
        }
    }
}

impl Awaited {
    fn missing(&self, at: Duration, within: impl FnOnce(Duration) -> String) -> Missing {
        let waited = at.saturating_sub(self.since);
        Missing {
            at,
            number: self.number,
            waited,
            words: format!("no {} report {}", self.name, within(waited)),
        }
    }

    fn given_up(&self, at: Duration, until: Until) -> Missing {
        self.missing(at, |waited| {
            format!("for {}, {}", span(waited), until.words())
        })
    }
}

impl Reports {
    /// A command was typed whose outcome is reported by a line of this name. What cannot be waited
    /// for any longer is returned.
    pub(super) fn expect(
        &mut self,
        number: u64,
        commanded: Commanded,
        name: &'static str,
        now: Duration,
    ) -> Option<Missing> {
        let oldest = match self.0.len() {
            OPEN => self.0.pop_front(),
            _ => None,
        };
        self.0.push_back(Awaited {
            number,
            commanded,
            name,
            since: now,
            told: false,
        });
        let oldest = oldest.filter(|oldest| !oldest.told)?;
        Some(oldest.given_up(now, Until::Others))
    }

    /// The command that this is the report of.
    pub(super) fn take(&mut self, urc: &Urc) -> Option<(u64, Commanded)> {
        let met = |awaited: &Awaited| {
            let report = awaited.commanded.report.as_ref();
            report.is_some_and(|report| report.is_met_by(urc))
        };
        let place = self.0.iter().position(met)?;
        let awaited = self.0.remove(place)?;
        Some((awaited.number, awaited.commanded))
    }

    /// The command was refused: nothing is reported.
    pub(super) fn refused(&mut self, number: u64) {
        self.0.retain(|awaited| awaited.number != number);
    }

    /// The command was not answered: that its report is missing as well goes without saying.
    pub(super) fn unanswered(&mut self, number: u64) {
        let mut awaited = self.0.iter_mut();
        if let Some(awaited) = awaited.find(|awaited| awaited.number == number) {
            awaited.told = true;
        }
    }

    /// The reports whose time is over, the one that was due first in front.
    pub(super) fn overdue(&mut self, now: Duration) -> Vec<Missing> {
        let mut overdue = Vec::new();
        for awaited in self.0.iter_mut().filter(|awaited| !awaited.told) {
            let limit = awaited.commanded.limit;
            let due = awaited.since.saturating_add(limit);
            if due < now {
                awaited.told = true;
                overdue.push(awaited.missing(due, |_| format!("within {} s", limit.as_secs())));
            }
        }
        overdue.sort_by_key(|missing| missing.at);
        overdue
    }

    /// None of them comes any more.
    pub(super) fn give_up(&mut self, now: Duration, until: Until) -> Vec<Missing> {
        let awaited = self.0.drain(..).filter(|awaited| !awaited.told);
        awaited
            .map(|awaited| awaited.given_up(now, until))
            .collect()
    }
}
