//! Messages that wait in the module's cache until they are read.

use std::collections::VecDeque;

use atmq_protocol::dialect::{Answer, Caching};
use atmq_protocol::mqtt::{ConnectionId, Operation};

use crate::error::ExchangeError;

/// So many are remembered for a connection; for more the module is asked again. Ours: modules
/// keep five (reference `README.md`, "Decisions").
const MAX_KNOWN: usize = 256;

/// How often a request is made of which nothing comes. Ours.
const MAX_TRIES: u32 = 3;

/// What waits in the module for each connection in cached mode, and what of it is read next.
#[derive(Debug, Default)]
pub(super) struct Unread {
    places: Vec<Place>,
    /// What is being done about it.
    doing: Option<Doing>,
}

/// One connection.
#[derive(Debug)]
struct Place {
    connection: ConnectionId,
    /// Identifiers of messages, oldest first. All of quality of service 0 have 0.
    known: VecDeque<u16>,
    /// So many of them were known when the module was asked what waits.
    old: usize,
    /// The module is to be asked what waits.
    list: bool,
    /// It has told, and something waited: when that has been read, there may be more.
    listed: bool,
    /// A message has been read since.
    fruitful: bool,
    /// How often in a row nothing came of a request.
    failures: u32,
    /// Nothing came of the last one: nothing is asked before the module has answered something.
    paused: bool,
}

impl Place {
    fn is_due(&self) -> bool {
        !self.paused && (self.list || !self.known.is_empty())
    }

    /// Nothing has come of a request; whether it is to be tried again.
    fn fail(&mut self) -> bool {
        self.paused = true;
        self.failures += 1;
        let again = self.failures < MAX_TRIES;
        if !again {
            tracing::warn!(connection = %self.connection, "a message in the module's cache is given up");
            self.failures = 0;
        }
        again
    }
}

#[derive(Debug, Clone, Copy)]
enum Doing {
    List(ConnectionId),
    Read(ConnectionId, u16),
}

impl Unread {
    /// A connection is in cached mode from now on, or no longer.
    pub(super) fn configured(&mut self, caching: Caching) {
        if caching.on {
            self.place(caching.connection);
        } else {
            self.closed(caching.connection);
        }
    }

    /// A connection is closed: what the module keeps for it is gone.
    pub(super) fn closed(&mut self, connection: ConnectionId) {
        self.places.retain(|place| place.connection != connection);
        match self.doing {
            Some(Doing::List(of) | Doing::Read(of, _)) if of == connection => self.doing = None,
            _ => {}
        }
    }

    /// The module has forgotten everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn is_cached(&self, connection: ConnectionId) -> bool {
        self.places
            .iter()
            .any(|place| place.connection == connection)
    }

    /// A session has begun: messages of an earlier one may wait.
    pub(super) fn connected(&mut self, connection: ConnectionId) {
        if self.is_cached(connection) {
            self.place(connection).list = true;
        }
    }

    /// A message waits.
    pub(super) fn buffered(&mut self, connection: ConnectionId, message_id: u16) {
        let place = self.place(connection);
        place.paused = false;
        if place.known.len() < MAX_KNOWN {
            place.known.push_back(message_id);
        } else {
            place.list = true;
        }
    }

    /// The module has answered something, so it may be asked for messages again.
    pub(super) fn answered(&mut self) {
        for place in &mut self.places {
            place.paused = false;
        }
    }

    /// Whether something is to be asked for a connection that is `wanted`.
    pub(super) fn is_due(&self, wanted: impl Fn(ConnectionId) -> bool) -> bool {
        let mut places = self.places.iter();
        places.any(|place| place.is_due() && wanted(place.connection))
    }

    /// What to ask next, for a connection that is `wanted`.
    pub(super) fn next(&mut self, wanted: impl Fn(ConnectionId) -> bool) -> Option<Operation> {
        let due = |place: &Place| place.is_due() && wanted(place.connection);
        let at = self.places.iter().position(due)?;
        // Each connection has its turn.
        self.places[at..].rotate_left(1);
        let place = self.places.last_mut()?;
        let connection = place.connection;
        if !place.list
            && let Some(message_id) = place.known.pop_front()
        {
            self.doing = Some(Doing::Read(connection, message_id));
            return Some(Operation::Read {
                connection,
                message_id,
            });
        }
        self.doing = Some(Doing::List(connection));
        for place in &mut self.places {
            place.old = place.known.len();
        }
        Some(Operation::ListUnread)
    }

    /// What came of the last request: the message, if it is one.
    pub(super) fn done(&mut self, outcome: Result<Vec<Answer>, ExchangeError>) -> Option<Answer> {
        let doing = self.doing.take();
        match (doing, outcome) {
            (Some(Doing::List(_)), Ok(answers)) => {
                self.listed(answers);
                None
            }
            (_, Ok(answers)) => {
                let is_message = |found: &_| matches!(found, Answer::Message { .. });
                let message = answers.into_iter().find(is_message);
                if let Some(Doing::Read(connection, _)) = doing {
                    self.read(connection, message.is_some());
                }
                message
            }
            (Some(doing), Err(error)) => {
                // There is no such command, or no such message.
                let refused = matches!(error, ExchangeError::Refused { .. });
                let (Doing::List(connection) | Doing::Read(connection, _)) = doing;
                let again = !refused && self.place(connection).fail();
                match doing {
                    Doing::List(_) => self.place(connection).list = again,
                    // The module may have it still.
                    Doing::Read(_, id) if again => self.place(connection).known.push_front(id),
                    Doing::Read(..) => self.read(connection, false),
                }
                None
            }
            (None, Err(_)) => None,
        }
    }

    /// The module has told what waits, for all connections. To ask for a message twice does no
    /// harm.
    fn listed(&mut self, answers: Vec<Answer>) {
        for place in &mut self.places {
            place.known.drain(..place.old.min(place.known.len()));
            place.old = 0;
            place.list = false;
            place.listed = false;
        }
        for answer in answers {
            if let Answer::Unread {
                connection,
                message_ids,
            } = answer
                && self.is_cached(connection)
            {
                let place = self.place(connection);
                place.listed = !message_ids.is_empty();
                place.fruitful = false;
                for message_id in message_ids.into_iter().take(MAX_KNOWN).rev() {
                    place.known.push_front(message_id);
                }
            }
        }
    }

    /// A message has been read, or was not there.
    fn read(&mut self, connection: ConnectionId, found: bool) {
        let place = self.place(connection);
        place.fruitful |= found;
        place.failures = 0;
        if place.known.is_empty() && place.listed {
            // Without `fruitful` a module that lists what it does not have would be asked forever.
            place.listed = false;
            place.list = place.fruitful;
        }
    }

    fn place(&mut self, connection: ConnectionId) -> &mut Place {
        let mut places = self.places.iter();
        let at = places.position(|place| place.connection == connection);
        let at = at.unwrap_or_else(|| {
            self.places.push(Place {
                connection,
                known: VecDeque::new(),
                old: 0,
                list: false,
                listed: false,
                fruitful: false,
                failures: 0,
                paused: false,
            });
            self.places.len() - 1
        });
        &mut self.places[at]
    }
}
