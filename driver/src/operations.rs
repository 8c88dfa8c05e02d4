//! What callers want of the MQTT client, carried out step by step: any number of plans over one
//! session, each with its turn. Without port, clock or task.
//!
//! An operation whose caller has gone before its first step was sent is not begun. One that was
//! begun runs to its end; but a connect that has failed, or whose caller has gone, is undone
//! before anything else is sent.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use atmq_protocol::dialect::{IfRefused, Next, Plan, Step, StepEnd, Then};
use atmq_protocol::mqtt::{ConnectionId, Operation, Outcome, Proof};
use tokio::sync::oneshot;

use crate::error::{Disconnected, Error, ExchangeError};
use crate::messages::Link;
use crate::session::{Answer, Command, ExchangeId, Session};

/// What an operation has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Performed {
    pub(crate) outcome: Outcome,
    /// Of the last step that failed; with [`Outcome::Failed`] there is one.
    pub(crate) error: Option<Error>,
}

impl Performed {
    /// What came of it, or the error that kept it from coming to anything.
    pub(crate) fn into_outcome(self) -> Result<Outcome, Error> {
        match (self.outcome, self.error) {
            (Outcome::Failed(_), Some(error)) => Err(error),
            (outcome, _) => Ok(outcome),
        }
    }
}

/// Who wants an operation.
#[derive(Debug)]
pub(crate) struct Asked {
    /// The link that it is about.
    pub(crate) link: Option<Arc<Link>>,
    /// Whom the outcome is told; nothing while another link uses the connection.
    pub(crate) reply: oneshot::Sender<Result<Option<Performed>, Error>>,
}

impl Asked {
    /// The operation cannot be taken on. Whether somebody was told.
    pub(crate) fn refuse(self, operation: &Operation, error: &Error) -> bool {
        if let (Operation::Disconnect { .. }, Some(link)) = (operation, &self.link) {
            link.end(Disconnected::Requested);
        }
        self.reply.send(Err(error.clone())).is_ok()
    }
}

/// Carries operations out, one step of each at a time.
#[derive(Debug, Default)]
pub(crate) struct Performer {
    /// Those whose next step waits for its turn.
    queue: VecDeque<(Performing, Due)>,
    /// Those whose step is under way: one has the line, the others wait for a report.
    under_way: Vec<(ExchangeId, Performing, Plan)>,
}

#[derive(Debug)]
struct Performing {
    what: What,
    asked: Asked,
    /// A step of it has been sent.
    begun: bool,
    /// Whom the time behind its last step belongs to.
    then: Then,
    /// What it means that its last step is refused.
    if_refused: IfRefused,
    /// What its last step is called.
    command: String,
    /// Of the last step that failed.
    error: Option<Error>,
}

#[derive(Debug)]
enum What {
    Connect(ConnectionId),
    Disconnect,
    Other,
    /// A connect is undone; what is told of it when that is done, if anybody is to be told.
    Undo(Option<Performed>),
}

/// What comes next of an operation.
#[derive(Debug)]
enum Due {
    /// Its steps are not known yet: they depend on what has been carried out by then.
    Plan(Box<Operation>),
    Step(Plan, Box<Step>),
}

impl Performer {
    /// Takes on an operation. It has the next turn, behind others about its connection that have
    /// not begun.
    pub(crate) fn start(&mut self, operation: Operation, asked: Asked) {
        let performing = Performing {
            what: match &operation {
                Operation::Connect(connect) => What::Connect(connect.connection),
                Operation::Disconnect { .. } => What::Disconnect,
                _ => What::Other,
            },
            asked,
            begun: false,
            then: Then::Anybody,
            if_refused: IfRefused::Fails,
            command: String::new(),
            error: None,
        };
        let connection = connection(&operation);
        let due = Due::Plan(Box::new(operation));
        let mut waiting = self.queue.iter();
        let last = waiting.rposition(|(of, due)| !of.begun && due.is_about(connection));
        let at = last.map_or(0, |last| last + 1);
        self.queue.insert(at, (performing, due));
    }

    /// Whether nothing is left to do.
    pub(crate) fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.under_way.is_empty()
    }

    /// Whether a step waits for its turn that can be sent.
    pub(crate) fn is_due(&self, session: &Session) -> bool {
        self.turn(session).is_some()
    }

    /// Whether nothing may be sent before the next step.
    pub(crate) fn is_exclusive(&self, session: &Session) -> bool {
        let undone = |(of, due): &(Performing, Due)| of.is_undo() && due.can_go(session);
        self.any(Then::Nobody) || self.queue.iter().any(undone)
    }

    /// Whether the time behind some step belongs so.
    fn any(&self, then: Then) -> bool {
        let waiting = self.queue.iter().map(|(of, _)| of);
        let under_way = self.under_way.iter().map(|(_, of, _)| of);
        waiting.chain(under_way).any(|of| of.then == then)
    }

    /// Gives up what nobody waits for any more, and what has lost its link.
    pub(crate) fn tidy(&mut self, session: &mut Session) {
        while let Some(at) = self.queue.iter().position(|(of, _)| of.is_to_stop()) {
            if let Some((performing, _)) = self.queue.remove(at) {
                self.stop(performing, session);
            }
        }
    }

    /// Sends the next step, if there is one; its exchange.
    pub(crate) fn next(&mut self, session: &mut Session, now: Instant) -> Option<ExchangeId> {
        loop {
            self.tidy(session);
            let (mut performing, due) = self.queue.remove(self.turn(session)?)?;
            match due {
                Due::Plan(operation) => match session.plan(*operation) {
                    Ok(plan) => self.go_on(performing, plan),
                    Err(error) => performing.end(Err(error.into())),
                },
                Due::Step(plan, step) => {
                    performing.begun = true;
                    performing.then = step.then;
                    performing.if_refused = step.if_refused;
                    performing.command = String::from_utf8_lossy(step.name()).into_owned();
                    if let (true, Some(link)) = (step.begins_link, &performing.asked.link) {
                        link.arm();
                    }
                    match session.request(Command::Step(step), None, now) {
                        Ok(exchange) => {
                            self.under_way.push((exchange, performing, plan));
                            return Some(exchange);
                        }
                        // It is ready.
                        Err(error) => performing.end(Err(error.into())),
                    }
                }
            }
        }
    }

    /// The step of this exchange has ended so.
    pub(crate) fn step_ended(
        &mut self,
        exchange: ExchangeId,
        outcome: Result<Answer, ExchangeError>,
        session: &mut Session,
    ) {
        let mut under_way = self.under_way.iter();
        let Some(at) = under_way.position(|(of, ..)| *of == exchange) else {
            return;
        };
        let (_, mut performing, mut plan) = self.under_way.remove(at);
        match performing.follow(&mut plan, outcome) {
            Next::Step(step) if !performing.is_pointless() => {
                self.queue.push_back((performing, Due::Step(plan, step)));
            }
            Next::Step(_) => performing.end(Ok(None)),
            Next::Done(outcome) => self.finish(performing, outcome, session),
        }
    }

    /// The module has forgotten its connections: there is nothing to undo any more.
    pub(crate) fn forgotten(&mut self) {
        let is_undo = |(performing, _): &(Performing, Due)| performing.is_undo();
        while let Some(at) = self.queue.iter().position(is_undo) {
            if let Some((performing, _)) = self.queue.remove(at) {
                performing.end(Ok(None));
            }
        }
    }

    /// Nothing that was begun can go on. `waiting`: why the others cannot be begun, if they cannot.
    pub(crate) fn fail(&mut self, begun: &Error, waiting: Option<&Error>) {
        for (_, performing, _) in std::mem::take(&mut self.under_way) {
            performing.end(Err(begun.clone()));
        }
        self.fail_queue(begun, waiting);
    }

    /// The same for those whose turn it is not; what is under way goes on.
    pub(crate) fn fail_queue(&mut self, begun: &Error, waiting: Option<&Error>) {
        for (performing, due) in std::mem::take(&mut self.queue) {
            match (performing.begun, waiting) {
                (true, _) => performing.end(Err(begun.clone())),
                (false, Some(error)) => performing.end(Err(error.clone())),
                (false, None) => self.queue.push_back((performing, due)),
            }
        }
    }

    /// Whose turn it is.
    fn turn(&self, session: &Session) -> Option<usize> {
        let first = |which: &dyn Fn(&Performing) -> bool| {
            let mut waiting = self.queue.iter();
            waiting.position(|(of, due)| which(of) && due.can_go(session))
        };
        // An undo does not come between what is inseparable either.
        if self.any(Then::Nobody) {
            return first(&|of| of.then == Then::Nobody);
        }
        first(&Performing::is_undo).or_else(|| {
            let set_up = self.any(Then::NoOtherSetUp);
            let mut waiting = self.queue.iter();
            waiting.position(|(of, due)| {
                let waits = set_up && of.then != Then::NoOtherSetUp && due.sets_up();
                !waits && due.can_go(session)
            })
        })
    }

    /// The first step of a plan has the next turn.
    fn go_on(&mut self, performing: Performing, mut plan: Plan) {
        match plan.begin() {
            Some(step) => self.queue.push_front((performing, Due::Step(plan, step))),
            None => performing.end(Ok(None)),
        }
    }

    /// An operation that waits is not to go on.
    fn stop(&mut self, mut performing: Performing, session: &mut Session) {
        let Some(reason) = performing.ended() else {
            // Nobody waits for it.
            return match performing.what {
                What::Connect(connection) if performing.begun => {
                    self.undo(performing, connection, false, None, session);
                }
                _ => performing.end(Ok(None)),
            };
        };
        let error = Error::Disconnected(reason);
        performing.error = Some(error.clone());
        match performing.begun {
            true => self.finish(performing, Outcome::Failed(Proof::NeverLeft), session),
            false => performing.end(Err(error)),
        }
    }

    fn finish(&mut self, mut performing: Performing, outcome: Outcome, session: &mut Session) {
        let connected = outcome == Outcome::Done;
        let mut error = performing.error.take();
        if let (Outcome::Failed(_), None) = (&outcome, &error) {
            // The module has carried it out, but what it says is not what was asked for.
            let command = std::mem::take(&mut performing.command);
            error = Some(Error::NoInformation { command });
        }
        let gone = performing.asked.reply.is_closed();
        match performing.what {
            What::Connect(connection) if !connected || gone => {
                let pointless = performing.has_nothing_to_undo(error.as_ref());
                let told = Performed { outcome, error };
                if pointless {
                    performing.end(Ok(Some(told)));
                } else {
                    self.undo(performing, connection, connected, Some(told), session);
                }
            }
            _ => performing.end(Ok(Some(Performed { outcome, error }))),
        }
    }

    /// Releases what a connect has got hold of, before anything else is sent.
    fn undo(
        &mut self,
        mut performing: Performing,
        connection: ConnectionId,
        connected: bool,
        told: Option<Performed>,
        session: &mut Session,
    ) {
        performing.what = What::Undo(told);
        performing.then = Then::Anybody;
        let operation = Operation::Disconnect {
            connection,
            connected,
        };
        match session.plan(operation) {
            Ok(plan) => self.go_on(performing, plan),
            Err(error) => performing.end(Err(error.into())),
        }
    }
}

impl Performing {
    /// What comes behind the step that has ended so.
    fn follow(&mut self, plan: &mut Plan, outcome: Result<Answer, ExchangeError>) -> Next {
        let done = StepEnd::Done {
            answers: &[],
            report: None,
        };
        let error = match outcome {
            Ok(Answer::Mqtt { answers, report }) => {
                return plan.next(&StepEnd::Done {
                    answers: &answers,
                    report: report.as_ref(),
                });
            }
            Ok(_) => return plan.next(&done),
            Err(error) => error,
        };
        let next = match (&error, self.if_refused) {
            (ExchangeError::Refused { result, .. }, IfRefused::Fails) => {
                plan.next(&StepEnd::Refused(result))
            }
            (ExchangeError::Refused { .. }, IfRefused::Nothing) => {
                tracing::debug!(%error, "refused, which changes nothing");
                return plan.next(&done);
            }
            (ExchangeError::Refused { .. }, IfRefused::Costs(consequence)) => {
                tracing::warn!(%error, consequence, "setting refused");
                return plan.next(&done);
            }
            (ExchangeError::NoReport { sent_again, .. }, _) => plan.next(&StepEnd::Unreported {
                sent_again: *sent_again,
            }),
            (ExchangeError::LinkLost { status, .. }, _) => plan.next(&StepEnd::LinkLost(*status)),
            _ => plan.next(&StepEnd::Broken),
        };
        self.error = Some(match (error, self.ended()) {
            // It is refused because the link has been lost since its turn came.
            (ExchangeError::Refused { .. }, Some(reason)) if !self.disconnects() => {
                Error::Disconnected(reason)
            }
            (error, _) => error.into(),
        });
        next
    }

    fn ended(&self) -> Option<Disconnected> {
        self.asked.link.as_ref()?.ended()
    }

    /// Whether the connection is to end anyway.
    fn disconnects(&self) -> bool {
        matches!(self.what, What::Disconnect | What::Undo(_))
    }

    fn is_undo(&self) -> bool {
        matches!(self.what, What::Undo(_))
    }

    /// Whether it is not to go on where it stands.
    fn is_to_stop(&self) -> bool {
        let gone = self.asked.reply.is_closed();
        match self.what {
            What::Connect(_) => gone || self.ended().is_some(),
            What::Other => gone && !self.begun || self.ended().is_some(),
            What::Disconnect | What::Undo(_) => false,
        }
    }

    /// Whether the module has forgotten what is to be undone, as far as this error and the link
    /// tell.
    fn has_nothing_to_undo(&self, error: Option<&Error>) -> bool {
        let forgotten = matches!(
            error,
            Some(Error::Exchange(
                ExchangeError::Rebooted { .. } | ExchangeError::PoweredDown { .. }
            ))
        );
        let lost = matches!(
            self.ended(),
            Some(
                Disconnected::Rebooted
                    | Disconnected::PoweredDown
                    | Disconnected::PortLost(_)
                    | Disconnected::PortClosed(_)
            )
        );
        forgotten || lost
    }

    /// Whether an undo has been overtaken by what befell the module.
    fn is_pointless(&self) -> bool {
        self.is_undo() && self.has_nothing_to_undo(self.error.as_ref())
    }

    /// It is over, and whoever waits for it is told.
    fn end(self, outcome: Result<Option<Performed>, Error>) {
        let Asked { link, reply } = self.asked;
        let connected = matches!(
            &outcome,
            Ok(Some(Performed {
                outcome: Outcome::Done,
                ..
            }))
        );
        let (outcome, reason) = match self.what {
            What::Connect(_) if connected => (outcome, None),
            What::Connect(_) => (outcome, Some(Disconnected::NotEstablished)),
            What::Undo(told) => (Ok(told), Some(Disconnected::NotEstablished)),
            What::Disconnect => (outcome, Some(Disconnected::Requested)),
            What::Other => (outcome, None),
        };
        if let (Some(link), Some(reason)) = (link, reason) {
            link.end(reason);
        }
        // A caller that is gone does not want to know.
        let _ = reply.send(outcome);
    }
}

impl Due {
    /// Whether the session takes it: the connection that it is about waits for no report.
    fn can_go(&self, session: &Session) -> bool {
        match self {
            Self::Step(_, step) => session.takes_step(step),
            Self::Plan(operation) => {
                !connection(operation).is_some_and(|connection| session.awaits_report(connection))
            }
        }
    }

    /// Whether it is an operation that is about this connection, and has no steps yet.
    fn is_about(&self, wanted: Option<ConnectionId>) -> bool {
        matches!(self, Self::Plan(operation) if connection(operation) == wanted)
    }

    /// Whether it sets up something of which the module has one.
    fn sets_up(&self) -> bool {
        match self {
            Self::Plan(operation) => matches!(
                &**operation,
                Operation::Connect(connect)
                    if connect.tls.as_ref().is_some_and(|tls| tls.set_up.is_some())
            ),
            Self::Step(_, step) => step.then == Then::NoOtherSetUp,
        }
    }
}

/// The connection that an operation is about, if it is one.
fn connection(operation: &Operation) -> Option<ConnectionId> {
    match operation {
        Operation::Connect(connect) => Some(connect.connection),
        Operation::Publish(publish) => Some(publish.connection),
        Operation::Disconnect { connection, .. }
        | Operation::Subscribe { connection, .. }
        | Operation::Unsubscribe { connection, .. }
        | Operation::Read { connection, .. }
        | Operation::State { connection } => Some(*connection),
        _ => None,
    }
}
