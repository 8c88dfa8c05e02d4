use std::time::Duration;

use atmq_protocol::mqtt::Operation;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{HELD, PortTask, Turn, Waiter, is_over};
use crate::error::Error;
use crate::operations::Asked;
use crate::session::{Answer, Command};

/// What a handle asks of the task.
pub(crate) enum Call {
    /// An exchange.
    Exchange {
        command: Command,
        limit: Option<Duration>,
        reply: Reply<Answer>,
    },
    /// An operation. One on behalf of a link that has ended meanwhile fails; a connect makes its
    /// link the one that gets what comes for the connection, unless another has it.
    Perform { operation: Operation, asked: Asked },
    /// Bring the module in order.
    Initialise(Reply<()>),
}

/// To whom an outcome is told.
pub(super) type Reply<T> = oneshot::Sender<Result<T, Error>>;

/// What the task does for its handles.
impl PortTask {
    pub(super) fn call(&mut self, call: Call) {
        self.turn = Turn::Calls;
        let Some(call) = self.condition.postponed(call) else {
            // The module is brought in order first.
            self.session.synchronise(false, Instant::now().into_std());
            self.initialise(None);
            return;
        };
        match call {
            Call::Exchange {
                command,
                limit,
                reply,
            } => {
                // A caller that is gone before its turn asks for nothing any more.
                if reply.is_closed() {
                    return;
                }
                if !self.session.takes(&command) {
                    self.held.push_back(Call::Exchange {
                        command,
                        limit,
                        reply,
                    });
                    return;
                }
                self.condition.note(&command);
                let now = Instant::now().into_std();
                match self.session.request(command, limit, now) {
                    Ok(exchange) => self.waiters.push((exchange, Waiter::Caller(reply))),
                    Err(error) => {
                        let _ = reply.send(Err(error.into()));
                    }
                }
            }
            Call::Perform { operation, asked } => {
                if let (Operation::Connect(_), Some(link)) = (&operation, &asked.link) {
                    // A link that only this task knows has been dropped by everyone else.
                    self.links.retain(|other| !is_over(other));
                    if self.link(link.connection).is_some() {
                        let _ = asked.reply.send(Ok(None));
                        return;
                    }
                    self.links.push(link.clone());
                }
                self.performer.start(operation, asked);
                self.perform();
            }
            Call::Initialise(reply) => {
                self.meet();
                self.initialise(Some(reply));
            }
        }
    }

    /// The next call whose turn it can be.
    pub(super) fn next_call(&mut self) -> Option<Call> {
        let held = |call: &Call| matches!(call, Call::Exchange { reply, .. } if !reply.is_closed());
        self.held.retain(held);
        let takes = |call: &Call| matches!(call, Call::Exchange { command, .. } if self.session.takes(command));
        match self.held.iter().position(takes) {
            Some(at) => self.held.remove(at),
            None if self.held.len() < HELD => self.calls.try_recv().ok(),
            None => None,
        }
    }

    /// Answers all calls that wait for their turn, and cannot be served.
    pub(super) fn refuse_waiting(&mut self, error: &Error) {
        while let Some(call) = self.held.pop_front() {
            self.refuse(call, error);
        }
        while let Ok(call) = self.calls.try_recv() {
            self.refuse(call, error);
        }
    }

    /// Answers a call that cannot be served.
    pub(super) fn refuse(&mut self, call: Call, error: &Error) {
        let sent = match call {
            Call::Exchange { reply, .. } => reply.send(Err(error.clone())).is_ok(),
            Call::Perform { operation, asked } => asked.refuse(&operation, error),
            Call::Initialise(reply) => reply.send(Err(error.clone())).is_ok(),
        };
        if sent {
            tracing::debug!(%error, "a command was not sent");
        }
    }
}
