//! One connection: what is kept of it, when it is looked at again, how it ends.

use std::time::{Duration, Instant};

use super::{ConnectionId, Core};
use crate::broker::CloseReason;
use crate::broker::packet::Publish;
use crate::broker::session::SessionKey;
use crate::broker::splitter::Splitter;

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) splitter: Splitter,
    /// Set by CONNECT.
    pub(super) session: Option<SessionKey>,
    pub(super) will: Option<Publish>,
    /// One and a half times the keep-alive interval.
    pub(super) patience: Option<Duration>,
    pub(super) deadline: Option<Instant>,
    pub(super) timer: Option<Instant>,
    pub(super) outgoing: Vec<u8>,
    /// Bytes handed to the caller and not yet reported as transmitted.
    pub(super) in_transit: usize,
    pub(super) is_ready: bool,
    pub(super) end: Option<CloseReason>,
}

impl Connection {
    pub(super) fn new() -> Self {
        Self {
            splitter: Splitter::default(),
            session: None,
            will: None,
            patience: None,
            deadline: None,
            timer: None,
            outgoing: Vec::new(),
            in_transit: 0,
            is_ready: false,
            end: None,
        }
    }
}

impl Core {
    /// The connection, unless its end has been decided.
    pub(super) fn live(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.connections
            .get_mut(&id)
            .filter(|connection| connection.end.is_none())
    }

    pub(super) fn make_ready(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(&id)
            && !connection.is_ready
        {
            connection.is_ready = true;
            self.ready.push_back(id);
        }
    }

    pub(super) fn set_deadline(&mut self, id: ConnectionId, deadline: Option<Instant>) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        connection.deadline = deadline;
        let Some(deadline) = deadline else {
            return;
        };
        if connection.timer.is_none_or(|timer| timer > deadline) {
            if let Some(timer) = connection.timer.replace(deadline) {
                self.timers.remove(&(timer, id));
            }
            self.timers.insert((deadline, id));
        }
    }

    /// Decides the end of a connection. What follows from it is left to
    /// [`Core::act_on_ends`], because a will can end further connections.
    pub(super) fn end(&mut self, id: ConnectionId, reason: CloseReason) {
        if let Some(connection) = self.live(id) {
            connection.end = Some(reason);
            self.ending.push_back(id);
            self.make_ready(id);
        }
    }

    pub(super) fn act_on_ends(&mut self) {
        while let Some(id) = self.ending.pop_front() {
            self.leave(id);
        }
    }

    /// Parts a connection from its session, and publishes the will if it is still there.
    pub(super) fn leave(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let will = connection.will.take();
        if let Some(key) = connection.session.take() {
            self.detach(key);
        }
        if let Some(will) = will {
            self.route(will);
        }
    }

    pub(super) fn forget(&mut self, id: ConnectionId) {
        if let Some(Connection {
            timer: Some(timer), ..
        }) = self.connections.remove(&id)
        {
            self.timers.remove(&(timer, id));
        }
    }
}
