use std::sync::Arc;

use atmq_protocol::at::result_code::FinalResult;
use atmq_protocol::mqtt::{Connected, ConnectionId, LinkStatus, Urc};
use tokio::time::Instant;

use super::{PortTask, Waiter, lock};
use crate::counters::Counters;
use crate::error::{Disconnected, Error, ExchangeError};
use crate::messages::{Delivery, Link, Message};
use crate::session::{Event, is_loss};
use crate::unsolicited::{ModuleUrc, give};

/// What the task hands out of what the session reports.
impl PortTask {
    /// Hands out what has happened, and goes on with what the task itself has to do.
    pub(super) fn settle(&mut self) {
        loop {
            while let Some(event) = self.session.poll_event() {
                self.event(event);
            }
            if !self.advance() {
                break;
            }
        }
        *lock(&self.shared.counters) = Counters {
            messages: self.own.messages,
            messages_dropped: self.own.messages_dropped,
            messages_unclaimed: self.own.messages_unclaimed,
            module_overflows: self.own.module_overflows,
            lines_dropped: self.own.lines_dropped,
            initialisations: self.own.initialisations,
            port_losses: self.own.port_losses,
            resets: self.own.resets,
            ..*self.session.counters()
        };
    }

    /// Has the session report what somebody reads, and nothing else.
    pub(super) fn report_what_is_read(&mut self) {
        let feeds = lock(&self.shared.feeds);
        self.session.report_lines(!feeds.lines.is_empty());
        self.session.report_unrecognised(!feeds.urcs.is_empty());
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Completed(outcome) => {
                let mut waiters = self.waiters.iter();
                let ended = waiters.position(|(of, _)| Some(*of) == self.session.ended());
                let Some((exchange, waiter)) = ended.map(|at| self.waiters.remove(at)) else {
                    return;
                };
                match waiter {
                    Waiter::Caller(reply) => {
                        let outcome = outcome.map_err(Error::from);
                        if let Err(error @ Error::Exchange(ExchangeError::Unresponsive { .. })) =
                            &outcome
                        {
                            self.unresponsive(error.clone());
                        }
                        // A caller that is gone does not want to know.
                        let _ = reply.send(outcome);
                    }
                    Waiter::Performer => {
                        let silent = match &outcome {
                            Err(error @ ExchangeError::Unresponsive { .. }) => {
                                Some(Error::from(error.clone()))
                            }
                            _ => None,
                        };
                        self.performer
                            .step_ended(exchange, outcome, &mut self.session);
                        if let Some(error) = silent {
                            self.unresponsive(error);
                        }
                    }
                    Waiter::Condition => self.step_answered(outcome),
                }
            }
            Event::Urc(urc) => {
                let wanted = !lock(&self.shared.feeds).urcs.is_empty();
                if wanted {
                    self.unsolicited(&ModuleUrc::Mqtt(urc.clone()));
                }
                self.urc(urc);
            }
            Event::Standard(urc) => self.unsolicited(&urc.into()),
            Event::Rebooted => {
                self.unsolicited(&ModuleUrc::Booted);
                self.performer.forgotten();
                self.end_links(|_| true, &Disconnected::Rebooted);
                self.rebooted();
            }
            Event::PoweredDown => {
                self.unsolicited(&ModuleUrc::PoweredDown);
                self.performer.forgotten();
                self.end_links(|_| true, &Disconnected::PoweredDown);
                self.powered_down();
            }
            Event::Line(line) => {
                self.own.lines_dropped += give(&mut lock(&self.shared.feeds).lines, &line);
            }
            // A late answer is nothing that the module says by itself.
            Event::Unrecognised(line) if FinalResult::decode(&line).is_some() => {}
            Event::Unrecognised(line) => self.unsolicited(&ModuleUrc::Unknown(line)),
            Event::Unreadable { connection } => {
                if let Some(link) = connection.and_then(|connection| self.link(connection)) {
                    link.miss();
                }
            }
            Event::Overlong { .. } => {}
        }
    }

    fn unsolicited(&mut self, urc: &ModuleUrc) {
        self.own.lines_dropped += give(&mut lock(&self.shared.feeds).urcs, urc);
    }

    fn urc(&mut self, urc: Urc) {
        match urc {
            Urc::Received {
                connection,
                message_id,
                topic,
                payload,
            } => {
                let message = Message {
                    topic,
                    payload,
                    message_id,
                };
                self.deliver(connection, message);
            }
            Urc::Status {
                connection,
                status: LinkStatus::CacheOverflow,
                ..
            } => {
                self.own.module_overflows += 1;
                if let Some(link) = self.link(connection) {
                    link.miss();
                }
            }
            Urc::Status {
                connection,
                status,
                code,
            } if is_loss(status) => {
                let reason = Disconnected::LinkLost { status, code };
                let ends = |link: &Link| link.connection == connection && link.is_armed();
                self.end_links(ends, &reason);
            }
            // The session knows that it is to be read.
            Urc::Buffered { .. } => {}
            // Its outcome is still to come.
            Urc::Connected {
                connection,
                result: Connected::Retransmitted(code),
            } => tracing::info!(%connection, code, "the module sent CONNECT again"),
            late => tracing::debug!(?late, "URC that nobody waits for"),
        }
    }

    fn deliver(&mut self, connection: ConnectionId, message: Message) {
        tracing::trace!(
            %connection,
            topic = message.topic,
            length = message.payload.len(),
            "message received"
        );
        self.own.messages += 1;
        let delivery = self.link(connection).map(|link| link.deliver(message));
        match delivery {
            Some(Delivery::Queued) => {}
            Some(Delivery::Dropped) => {
                if let Some(held_back) = self.drops.pass(Instant::now()) {
                    tracing::warn!(%connection, held_back, "message dropped, its reader is too slow");
                }
                self.own.messages_dropped += 1;
            }
            None | Some(Delivery::Unclaimed) => self.own.messages_unclaimed += 1,
        }
    }

    pub(super) fn end_links(&mut self, which: impl Fn(&Link) -> bool, reason: &Disconnected) {
        self.links.retain(|link| {
            let ends = which(link);
            if ends {
                link.end(reason.clone());
            }
            !ends
        });
    }

    pub(super) fn link(&self, connection: ConnectionId) -> Option<&Arc<Link>> {
        let mut links = self.links.iter();
        links.find(|link| link.connection == connection && link.ended().is_none())
    }

    /// Whether the port is to be held back. What the module keeps anyway is not read instead.
    pub(super) fn is_full(&self) -> bool {
        let mut links = self.links.iter();
        links.any(|link| link.is_full() && !self.session.is_cached(link.connection))
    }
}
