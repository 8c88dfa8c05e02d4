//! The faults that wait for their moment.

use std::collections::VecDeque;
use std::time::Instant;

use super::beginning::begins;
use super::{Effect, Fault};

/// A fault that has still to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArmedFault {
    /// As it was added, its beginning in the words of the tables.
    pub fault: Fault,
    /// How often it has happened.
    pub happened: u32,
    /// How many lines begin so since it has last happened.
    pub passed: u32,
}

impl ArmedFault {
    /// How often it has still to happen; `None`: without end.
    pub fn left(&self) -> Option<u32> {
        let times = self.fault.times?;
        Some(times.get().saturating_sub(self.happened))
    }

    /// Whether it is its turn at a line that begins so.
    fn counts(&mut self) -> bool {
        let every = self.fault.every.get();
        self.passed = self.passed.saturating_add(1).min(every);
        self.passed == every
    }
}

/// The faults that wait for their moment, in the order in which they were added.
#[derive(Debug, Default)]
pub(in crate::modem) struct Faults {
    armed: VecDeque<ArmedFault>,
    /// The final result code of the command that is being executed is lost.
    pub(in crate::modem) result_lost: bool,
}

impl Faults {
    pub(super) fn armed(&self) -> &VecDeque<ArmedFault> {
        &self.armed
    }

    pub(super) fn add(&mut self, fault: Fault) {
        self.armed.push_back(ArmedFault {
            fault,
            happened: 0,
            passed: 0,
        });
    }

    pub(super) fn clear(&mut self) {
        self.armed.clear();
    }

    /// What goes wrong with this command line, if anything does. `results`: whether there is a final
    /// result code to be lost.
    pub(super) fn take_for_command(
        &mut self,
        line: &[u8],
        results: bool,
        now: Instant,
    ) -> Option<Fault> {
        self.take(now, |fault| match fault.effect {
            Effect::UrcLost => false,
            Effect::ResultLost if !results => false,
            _ => begins(&fault.on, line.trim_ascii_start()),
        })
    }

    /// What loses this URC, which is sent then, if anything does.
    pub(super) fn take_for_urc(&mut self, line: &[u8], due: Instant) -> Option<Fault> {
        self.take(due, |fault| {
            fault.effect == Effect::UrcLost && begins(&fault.on, line)
        })
    }

    /// The first whose turn it is. One that finds its turn taken has it at the next
    /// line.
    fn take(&mut self, at: Instant, which: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let mut taken = None;
        self.armed.retain_mut(|armed| {
            let is_armed = armed.fault.from.is_none_or(|from| from <= at);
            if !is_armed || !which(&armed.fault) || !armed.counts() || taken.is_some() {
                return true;
            }
            taken = Some(armed.fault.clone());
            armed.passed = 0;
            armed.happened = armed.happened.saturating_add(1);
            armed.left() != Some(0)
        });
        taken
    }
}
