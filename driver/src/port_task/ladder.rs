use atmq_protocol::limits::Limits;
use atmq_protocol::standard::{StandardInformation, StandardRequest};

use crate::error::ExchangeError;
use crate::session::Answer;

/// How often a module that reboots while it is being initialised gets another chance. Ours.
const REBOOTS: usize = 3;

/// What brings a module in order, one command after another.
#[derive(Debug)]
pub(super) struct Ladder {
    steps: Vec<StandardRequest>,
    at: usize,
    reboots: usize,
    /// The module has rebooted: what was done is undone.
    again: bool,
    limits: Option<Limits>,
}

/// How a ladder has ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Top {
    /// The module is in order. What it accepts, if it was asked.
    Reached(Option<Limits>),
    Failed(ExchangeError),
}

impl Ladder {
    /// `model`: whether the module's limits are to be found out by its model. `restored`: what
    /// else it has to be told.
    pub(super) fn new(model: bool, restored: impl IntoIterator<Item = StandardRequest>) -> Self {
        let mut steps = vec![
            StandardRequest::Echo(false),
            StandardRequest::ErrorReports(1),
        ];
        steps.extend(model.then_some(StandardRequest::Model));
        steps.extend(restored);
        Self {
            steps,
            at: 0,
            reboots: 0,
            again: false,
            limits: None,
        }
    }

    /// What is to be sent next.
    pub(super) fn step(&self) -> StandardRequest {
        self.steps[self.at]
    }

    /// The module has rebooted meanwhile.
    pub(super) fn rebooted(&mut self) {
        self.reboots += 1;
        self.again = true;
    }

    /// The step has been answered; the end, if it was the last.
    pub(super) fn answered(&mut self, outcome: Result<Answer, ExchangeError>) -> Option<Top> {
        if std::mem::take(&mut self.again) {
            self.at = 0;
            return match outcome {
                Err(error) if self.reboots >= REBOOTS => Some(Top::Failed(error)),
                _ => None,
            };
        }
        // What is restored is good to have: a module that has it no longer does not lack it.
        let optional = !matches!(
            self.step(),
            StandardRequest::Echo(_) | StandardRequest::ErrorReports(_)
        );
        match (self.step(), outcome) {
            (StandardRequest::Model, Ok(Answer::Standard(information))) => {
                let model = information.into_iter().find_map(|information| {
                    if let StandardInformation::Text(model) = information {
                        Some(model)
                    } else {
                        None
                    }
                });
                self.limits = Some(Limits::of_model(&model.unwrap_or_default()));
            }
            // A module that does not tell its model gets the narrower limits.
            (StandardRequest::Model, Err(ExchangeError::Refused { .. })) => {
                self.limits = Some(Limits::of_model(""));
            }
            (_, Err(ExchangeError::Refused { .. })) if optional => {}
            (_, Err(error)) => return Some(Top::Failed(error)),
            (_, Ok(_)) => {}
        }
        self.at += 1;
        (self.at == self.steps.len()).then(|| Top::Reached(self.limits.take()))
    }
}
