use std::sync::Arc;
use std::time::Duration;

use atmq_protocol::limits::Limits;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{PortTask, Waiter, is_over};
use crate::error::{Disconnected, Error, RequestError};
use crate::messages::Link;
use crate::session::{Answer, Command};

/// What a handle asks of the task.
pub(crate) enum Call {
    /// An exchange, on behalf of `link` if it is given: it fails if that has ended meanwhile.
    Exchange {
        command: Command,
        limit: Option<Duration>,
        link: Option<Arc<Link>>,
        reply: Reply<Answer>,
    },
    /// Deliver what comes for the link's connection to it, if all commands can be written. The
    /// answer is what the module accepts, or nothing while another link uses the connection.
    Attach {
        link: Arc<Link>,
        commands: Vec<Command>,
        reply: Reply<Option<Limits>>,
    },
    /// The link has been closed.
    Detach {
        link: Arc<Link>,
        reason: Disconnected,
    },
    /// Bring the module in order.
    Initialise(Reply<()>),
}

/// To whom an outcome is told.
pub(super) type Reply<T> = oneshot::Sender<Result<T, Error>>;

/// What the task does for its handles.
impl PortTask {
    pub(super) fn call(&mut self, call: Call) {
        self.cache_turn = true;
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
                link,
                reply,
            } => {
                if let Some(reason) = link.and_then(|link| link.ended()) {
                    let _ = reply.send(Err(Error::Disconnected(reason)));
                    return;
                }
                // A caller that is gone before its turn asks for nothing any more.
                if reply.is_closed() {
                    return;
                }
                self.condition.note(&command);
                let now = Instant::now().into_std();
                match self.session.request(command, limit, now) {
                    Ok(()) => self.waiter = Waiter::Caller(reply),
                    Err(error) => {
                        let _ = reply.send(Err(error.into()));
                    }
                }
            }
            Call::Attach {
                link,
                commands,
                reply,
            } => {
                let _ = reply.send(self.attach(link, commands).map_err(Error::from));
            }
            Call::Detach { link, reason } => {
                link.end(reason);
                self.links.retain(|other| !Arc::ptr_eq(other, &link));
            }
            Call::Initialise(reply) => {
                self.meet();
                self.initialise(Some(reply));
            }
        }
    }

    /// Answers a call that cannot be served.
    pub(super) fn refuse(&mut self, call: Call, error: &Error) {
        let sent = match call {
            Call::Exchange { reply, .. } => reply.send(Err(error.clone())).is_ok(),
            Call::Attach { reply, .. } => reply.send(Err(error.clone())).is_ok(),
            Call::Initialise(reply) => reply.send(Err(error.clone())).is_ok(),
            harmless @ Call::Detach { .. } => {
                self.call(harmless);
                true
            }
        };
        if sent {
            tracing::debug!(%error, "a command was not sent");
        }
    }

    fn attach(
        &mut self,
        link: Arc<Link>,
        commands: Vec<Command>,
    ) -> Result<Option<Limits>, RequestError> {
        for command in commands {
            self.session.check(command)?;
        }
        // A link that only this task knows has been dropped by everyone else.
        self.links.retain(|other| !is_over(other));
        if self.link(link.connection).is_some() {
            return Ok(None);
        }
        self.links.push(link);
        Ok(Some(self.session.limits().clone()))
    }
}
