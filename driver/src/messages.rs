use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use atmq_protocol::mqtt::ConnectionId;
use futures_core::Stream;
use tokio::sync::Notify;

use crate::error::Disconnected;
use crate::port_task::lock;

/// How many times the soft limit may wait while an exchange keeps the port reading. Ours.
const HARD_LIMIT: usize = 4;

/// So many may wait in any case. Ours: one piece read from the port holds fewer.
const LEAST_HARD_LIMIT: usize = 256;

/// A received message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The topic it was published to.
    pub topic: String,
    /// The payload, any bytes.
    pub payload: Vec<u8>,
    /// The packet identifier; 0 with quality of service 0.
    pub message_id: u16,
}

/// The messages that a connection receives, in order.
///
/// # A slow reader
/// When [`Settings::message_queue`](crate::Settings::message_queue) messages wait, the port is
/// held back: it is not read while nothing is asked of the module, so a module or a
/// peer with flow control keeps the rest. As soon as something is asked, the port is read again,
/// because the answer comes behind whatever was held back. So a program may publish and then read
/// its messages in the same task: the publish never waits for the reader. Messages that come
/// meanwhile are queued as well, up to four times the limit and at least 256. What comes then is
/// dropped, and counted in [`missed`](Self::missed) and
/// [`Counters::messages_dropped`](crate::Counters::messages_dropped).
///
/// On a connection in cached mode ([`ConnectOptions::cached`](crate::ConnectOptions::cached)) messages
/// stay in the module until there is room for them, and the port is not held back. What the
/// module has no place for it drops and reports: that is counted in [`missed`](Self::missed) and
/// [`Counters::module_overflows`](crate::Counters::module_overflows).
///
/// Dropping it does not disconnect; further messages are counted and forgotten, or stay in the
/// module's cache.
#[derive(Debug)]
pub struct Messages {
    inbox: Arc<Inbox>,
    /// What has to live as long as somebody may read.
    _kept: Option<Arc<dyn Any + Send + Sync>>,
}

impl Messages {
    pub(crate) fn new(link: &Link) -> Self {
        Self {
            inbox: link.inbox.clone(),
            _kept: None,
        }
    }

    /// Messages of one link after the other, that keep something alive.
    pub(crate) fn lasting(inbox: Arc<Inbox>, kept: Arc<dyn Any + Send + Sync>) -> Self {
        Self {
            inbox,
            _kept: Some(kept),
        }
    }

    /// The next message. `None` when the connection has ended and all its messages have been
    /// read; [`ended`](Self::ended) tells why.
    ///
    /// Dropping the future loses nothing.
    pub async fn recv(&mut self) -> Option<Message> {
        std::future::poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// As [`recv`](Self::recv), for a stream of one's own.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        self.inbox.poll_recv(cx)
    }

    /// The next message if one waits.
    pub fn try_recv(&mut self) -> Option<Message> {
        self.inbox.pop(&mut self.inbox.state())
    }

    /// Why the connection has ended; `None` while it has not.
    pub fn ended(&self) -> Option<Disconnected> {
        self.inbox.state().ended.clone()
    }

    /// Messages of this connection that were dropped: nobody read them in time, they could not be
    /// read (see [`Counters::messages_unreadable`](crate::Counters::messages_unreadable)), or the
    /// module's own cache was full. Of the latter, each report counts as one.
    pub fn missed(&self) -> u64 {
        self.inbox.state().missed
    }
}

/// As [`recv`](Messages::recv).
impl Stream for Messages {
    type Item = Message;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        self.get_mut().poll_recv(cx)
    }
}

impl Drop for Messages {
    fn drop(&mut self) {
        self.inbox.forget();
    }
}

/// The messages that wait for their reader. It belongs to one link, or to several that follow
/// each other.
pub(crate) struct Inbox {
    soft_limit: usize,
    state: Mutex<Waiting>,
    /// Tells the port's task that messages have been read.
    drained: Arc<Notify>,
}

struct Waiting {
    queue: VecDeque<Message>,
    ended: Option<Disconnected>,
    reader: Option<Waker>,
    listening: bool,
    missed: u64,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    Queued,
    Dropped,
    Unclaimed,
}

impl Inbox {
    pub(crate) fn new(soft_limit: usize, drained: Arc<Notify>) -> Self {
        Self {
            soft_limit,
            state: Mutex::new(Waiting {
                queue: VecDeque::new(),
                ended: None,
                reader: None,
                listening: true,
                missed: 0,
            }),
            drained,
        }
    }

    /// No more messages will come; the first reason stays.
    pub(crate) fn end(&self, reason: Disconnected) {
        let mut state = self.state();
        state.ended.get_or_insert(reason);
        if let Some(reader) = state.reader.take() {
            reader.wake();
        }
    }

    fn deliver(&self, message: Message) -> Delivery {
        let mut state = self.state();
        if !state.listening {
            return Delivery::Unclaimed;
        }
        let hard_limit = self.soft_limit.saturating_mul(HARD_LIMIT);
        if state.queue.len() >= hard_limit.max(LEAST_HARD_LIMIT) {
            state.missed += 1;
            return Delivery::Dropped;
        }
        state.queue.push_back(message);
        if let Some(reader) = state.reader.take() {
            reader.wake();
        }
        Delivery::Queued
    }

    fn poll_recv(&self, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        let mut state = self.state();
        if let Some(message) = self.pop(&mut state) {
            return Poll::Ready(Some(message));
        }
        if state.ended.is_some() {
            return Poll::Ready(None);
        }
        state.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    fn pop(&self, state: &mut Waiting) -> Option<Message> {
        let message = state.queue.pop_front()?;
        if state.queue.len() + 1 == self.soft_limit {
            self.drained.notify_one();
        }
        Some(message)
    }

    fn forget(&self) {
        let mut state = self.state();
        state.listening = false;
        state.queue.clear();
        drop(state);
        self.drained.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, Waiting> {
        lock(&self.state)
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox")
            .field("waiting", &self.state().queue.len())
            .finish_non_exhaustive()
    }
}

/// What client, messages and the port's task share of a connection.
pub(crate) struct Link {
    pub(crate) connection: ConnectionId,
    inbox: Arc<Inbox>,
    /// Whether the inbox goes on when the link ends.
    outlived: bool,
    state: Mutex<State>,
    over: Notify,
}

struct State {
    ended: Option<Disconnected>,
    /// Whether what the module reports of the connection is about this link, not about one that
    /// was left open before.
    armed: bool,
    last_message_id: u16,
}

impl Link {
    pub(crate) fn new(connection: ConnectionId, inbox: Inbox) -> Self {
        Self::build(connection, Arc::new(inbox), false, 0)
    }

    /// A link whose messages follow those of others, and whose packet identifiers follow
    /// `last_message_id`.
    pub(crate) fn following(
        connection: ConnectionId,
        inbox: Arc<Inbox>,
        last_message_id: u16,
    ) -> Self {
        Self::build(connection, inbox, true, last_message_id)
    }

    fn build(
        connection: ConnectionId,
        inbox: Arc<Inbox>,
        outlived: bool,
        last_message_id: u16,
    ) -> Self {
        Self {
            connection,
            inbox,
            outlived,
            state: Mutex::new(State {
                ended: None,
                armed: false,
                last_message_id,
            }),
            over: Notify::new(),
        }
    }

    /// Why the connection has ended.
    pub(crate) fn ended(&self) -> Option<Disconnected> {
        self.state().ended.clone()
    }

    /// Waits until the connection has ended. Can be dropped at any time.
    pub(crate) async fn over(&self) -> Disconnected {
        loop {
            let mut over = pin!(self.over.notified());
            // From here on no end is missed.
            over.as_mut().enable();
            if let Some(reason) = self.ended() {
                return reason;
            }
            over.await;
        }
    }

    /// Ends the connection for everyone; the first reason stays.
    pub(crate) fn end(&self, reason: Disconnected) {
        self.state().ended.get_or_insert_with(|| reason.clone());
        self.over.notify_waiters();
        if !self.outlived {
            self.inbox.end(reason);
        }
    }

    /// From now on what the module reports is about this link.
    pub(crate) fn arm(&self) {
        self.state().armed = true;
    }

    pub(crate) fn is_armed(&self) -> bool {
        self.state().armed
    }

    pub(crate) fn deliver(&self, message: Message) -> Delivery {
        if !self.is_armed() {
            return Delivery::Unclaimed;
        }
        self.inbox.deliver(message)
    }

    /// A message was lost before it got here.
    pub(crate) fn miss(&self) {
        self.inbox.state().missed += 1;
    }

    /// Whether a message would be queued, and neither dropped nor more than are held.
    pub(crate) fn takes_messages(&self) -> bool {
        let state = self.inbox.state();
        self.is_armed() && state.listening && state.queue.len() < self.inbox.soft_limit
    }

    /// Whether so many messages wait that no more are fetched.
    pub(crate) fn is_full(&self) -> bool {
        self.inbox.state().queue.len() >= self.inbox.soft_limit
    }

    /// The next packet identifier, 1 to 65535.
    pub(crate) fn next_message_id(&self) -> u16 {
        let mut state = self.state();
        state.last_message_id = state.last_message_id.checked_add(1).unwrap_or(1);
        state.last_message_id
    }

    /// The packet identifier that was used last; 0 if none was.
    pub(crate) fn last_message_id(&self) -> u16 {
        self.state().last_message_id
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("connection", &self.connection)
            .field("ended", &self.ended())
            .finish_non_exhaustive()
    }
}
