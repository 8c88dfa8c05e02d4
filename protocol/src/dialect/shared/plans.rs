use alloc::boxed::Box;

use crate::dialect::{Answer, Follow, Next, Step, StepEnd};
use crate::mqtt::{
    Connected, ConnectionId, ConnectionState, Outcome, Proof, Reason, ReasonKind, Refusal,
};

/// What came of a CONNECT.
pub(in crate::dialect) fn connected(result: Connected) -> Outcome {
    match result {
        Connected::Accepted => Outcome::Done,
        // MQTT reserves these codes; a module that shows one speaks of itself.
        Connected::Refused(Refusal::Other(code)) => {
            Outcome::NotAccepted(Reason::number(code.into()))
        }
        Connected::Refused(refusal) => Outcome::Refused(refusal),
        Connected::Failed(reason) => Outcome::NotAccepted(reason),
        Connected::Retransmitted(code) => {
            Outcome::NotAccepted(Reason::new(ReasonKind::Unknown, code))
        }
    }
}

/// Steps of which any may be refused.
#[derive(Debug)]
pub(in crate::dialect) struct Leaving {
    rest: Option<Step>,
    failed: bool,
}

impl Leaving {
    /// What is left of them behind the first one.
    pub(in crate::dialect) fn new(rest: Option<Step>) -> Self {
        Self {
            rest,
            failed: false,
        }
    }
}

impl Follow for Leaving {
    fn next(&mut self, end: &StepEnd<'_>) -> Next {
        self.failed |= !matches!(
            end,
            StepEnd::Done { .. } | StepEnd::Refused(_) | StepEnd::Unreported { .. }
        );
        match self.rest.take() {
            Some(step) => Next::Step(Box::new(step)),
            None if self.failed => Next::Done(Outcome::Failed(Proof::MayHaveArrived)),
            None => Next::Done(Outcome::Done),
        }
    }
}

/// Picks a connection out of the answer to the question for all states.
#[derive(Debug)]
pub(in crate::dialect) struct StateOf(pub(in crate::dialect) ConnectionId);

impl Follow for StateOf {
    fn next(&mut self, end: &StepEnd<'_>) -> Next {
        Next::Done(match end {
            StepEnd::Done { .. } => Outcome::State(state(self.0, end)),
            _ => Outcome::Failed(Proof::MayHaveArrived),
        })
    }
}

/// How far a connection is, by the answers of a step.
pub(in crate::dialect) fn state(
    wanted: ConnectionId,
    end: &StepEnd<'_>,
) -> Option<ConnectionState> {
    let StepEnd::Done { answers, .. } = end else {
        return None;
    };
    answers.iter().find_map(|answer| match answer {
        Answer::State { connection, state } if *connection == wanted => Some(*state),
        _ => None,
    })
}
