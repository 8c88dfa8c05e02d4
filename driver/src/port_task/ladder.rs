use std::time::Duration;

use atmq_protocol::at::result_code::{CmeError, FinalResult};
use atmq_protocol::dialect::{self, Dialect, Model};
use atmq_protocol::standard::{StandardInformation, StandardRequest};
use tokio::time::Instant;

use crate::error::ExchangeError;
use crate::session::{Answer, Command, RawCommand};

/// How often a module that reboots while it is being initialised gets another chance. Ours.
const REBOOTS: usize = 3;

/// How long a module may say that it is busy before that is its answer: some do in the first
/// seconds after their start. Ours.
pub(crate) const BUSY: Duration = Duration::from_secs(10);

/// How long it is left alone between two tries. Ours.
pub(crate) const BUSY_PAUSE: Duration = Duration::from_millis(500);

/// What brings a module in order, one command after another.
#[derive(Debug)]
pub(super) struct Ladder {
    steps: Vec<Rung>,
    at: usize,
    reboots: usize,
    /// The module has rebooted: what was done is undone.
    again: bool,
    /// Since when the module says that it is busy, and when it is asked again.
    busy: Option<Busy>,
    model: Option<Box<Model>>,
}

/// What is said to the module.
#[derive(Debug, Clone, Copy)]
enum Rung {
    Request(StandardRequest),
    /// Whether it has this command set: asked of a module whose name is not known.
    Probe(&'static dyn Dialect),
}

#[derive(Debug, Clone, Copy)]
struct Busy {
    since: Instant,
    retry: Option<Instant>,
}

/// How a ladder has ended.
#[derive(Debug)]
pub(super) enum Top {
    /// The module is in order. What it is, if it was asked.
    Reached(Option<Box<Model>>),
    Failed(ExchangeError),
}

impl Ladder {
    /// `model`: whether the module is to be asked for its model. `restored`: what
    /// else it has to be told.
    pub(super) fn new(model: bool, restored: impl IntoIterator<Item = StandardRequest>) -> Self {
        let mut steps = vec![
            StandardRequest::Echo(false),
            StandardRequest::ErrorReports(1),
        ];
        steps.extend(model.then_some(StandardRequest::Model));
        steps.extend(restored);
        Self {
            steps: steps.into_iter().map(Rung::Request).collect(),
            at: 0,
            reboots: 0,
            again: false,
            busy: None,
            model: None,
        }
    }

    /// What is to be sent next, once it is not to wait any more.
    pub(super) fn step(&self) -> Command {
        match self.steps[self.at] {
            Rung::Request(request) => Command::Standard(request),
            Rung::Probe(dialect) => Command::Raw(RawCommand::new(dialect.recognised_by())),
        }
    }

    /// Until when a module that is busy is left alone.
    pub(super) fn waits_until(&self) -> Option<Instant> {
        self.busy?.retry
    }

    /// It has been left alone for long enough.
    pub(super) fn waited(&mut self) {
        if let Some(busy) = &mut self.busy {
            busy.retry = None;
        }
    }

    /// The module has rebooted meanwhile.
    pub(super) fn rebooted(&mut self) {
        self.reboots += 1;
        match self.busy.take() {
            // Nothing is under way, so no answer is owed.
            Some(Busy { retry: Some(_), .. }) => self.at = 0,
            _ => self.again = true,
        }
    }

    /// The step has been answered; the end, if it was the last.
    pub(super) fn answered(
        &mut self,
        outcome: Result<Answer, ExchangeError>,
        now: Instant,
    ) -> Option<Top> {
        if std::mem::take(&mut self.again) {
            self.at = 0;
            return match outcome {
                Err(error) if self.reboots >= REBOOTS => Some(Top::Failed(error)),
                _ => None,
            };
        }
        if self.is_to_wait(&outcome, now) {
            return None;
        }
        self.busy = None;
        let step = self.steps[self.at];
        let optional = match step {
            Rung::Request(StandardRequest::Echo(_)) => false,
            // Without numbers errors are plain ones. But one that stays busy is not in order.
            Rung::Request(StandardRequest::ErrorReports(_)) => !matches!(
                &outcome,
                Err(error) if error.cme().is_some_and(CmeError::is_busy)
            ),
            // What is restored is good to have: a module that has it no longer does not lack it.
            _ => true,
        };
        match (step, outcome) {
            (Rung::Request(StandardRequest::Model), Ok(Answer::Standard(information))) => {
                let name = information
                    .iter()
                    .find_map(|information| match information {
                        StandardInformation::Text(name) => Some(name.as_str()),
                        _ => None,
                    });
                self.named(name.unwrap_or_default());
            }
            (Rung::Request(StandardRequest::Model), Err(ExchangeError::Refused { .. })) => {
                self.named("");
            }
            (Rung::Probe(dialect), Ok(Answer::Raw(response)))
                if response.result == FinalResult::Ok =>
            {
                self.model = Some(dialect::any_model(dialect).into());
                let asked = |step: &Rung| matches!(step, Rung::Probe(_));
                while self.steps.get(self.at + 1).is_some_and(asked) {
                    self.at += 1;
                }
            }
            (_, Err(ExchangeError::Refused { .. })) if optional => {}
            (_, Err(error)) => return Some(Top::Failed(error)),
            (_, Ok(_)) => {}
        }
        self.at += 1;
        (self.at == self.steps.len()).then(|| Top::Reached(self.model.take()))
    }

    /// The module calls itself so. One that is not known is asked which command set it has.
    fn named(&mut self, name: &str) {
        let known = dialect::of_model(name);
        if known.is_none() {
            let behind = self.at + 1;
            self.steps.retain(|step| !matches!(step, Rung::Probe(_)));
            let probes = dialect::ALL.map(Rung::Probe);
            self.steps.splice(behind..behind, probes);
        }
        self.model = Some(known.unwrap_or(dialect::UNKNOWN).into());
    }

    /// Whether the step is to be tried again, because the module is busy.
    fn is_to_wait(&mut self, outcome: &Result<Answer, ExchangeError>, now: Instant) -> bool {
        let Err(error) = outcome else {
            return false;
        };
        let since = self.busy.map_or(now, |busy| busy.since);
        if !error.cme().is_some_and(CmeError::is_busy) || now >= since + BUSY {
            return false;
        }
        if self.busy.is_none() {
            let limit = BUSY.as_secs();
            tracing::info!(%error, "the module is busy, and is given {limit} s");
        }
        self.busy = Some(Busy {
            since,
            retry: Some(now + BUSY_PAUSE),
        });
        true
    }
}
