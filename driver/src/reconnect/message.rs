use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use atmq_protocol::mqtt::QoS;
use thiserror::Error;
use tokio::sync::oneshot;

use super::supervisor::Stopped;
use crate::client::Delivery;
use crate::error::PublishError;

/// A message for the queue.
///
/// ```
/// use std::time::Duration;
///
/// use atmq_driver::QoS;
/// use atmq_driver::reconnect::Outgoing;
///
/// let message = Outgoing::new("meter/7", "21.5")
///     .qos(QoS::AtLeastOnce)
///     .expire_after(Duration::from_secs(600));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    pub(super) topic: String,
    pub(super) payload: Vec<u8>,
    pub(super) qos: QoS,
    pub(super) retain: bool,
    pub(super) expire_after: Option<Duration>,
}

impl Outgoing {
    /// Any bytes, with quality of service 1, not retained.
    pub fn new(topic: impl Into<String>, payload: impl Into<Vec<u8>>) -> Self {
        Self {
            topic: topic.into(),
            payload: payload.into(),
            qos: QoS::AtLeastOnce,
            retain: false,
            expire_after: None,
        }
    }

    /// The quality of service.
    pub fn qos(mut self, qos: QoS) -> Self {
        self.qos = qos;
        self
    }

    /// Whether the broker retains the message.
    pub fn retain(mut self, retain: bool) -> Self {
        self.retain = retain;
        self
    }

    /// How long it may wait in the queue. Unless set, as
    /// [`Reconnect::expire_after`](super::Reconnect::expire_after) says.
    pub fn expire_after(mut self, expire_after: Duration) -> Self {
        self.expire_after = Some(expire_after);
        self
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("topic", &self.topic)
            .field("payload_length", &self.payload.len())
            .field("qos", &self.qos)
            .field("retain", &self.retain)
            .field("expire_after", &self.expire_after)
            .finish()
    }
}

/// What is known of a message that left the queue as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Delivered {
    /// How sure it is, by its quality of service.
    pub delivery: Delivery,
    /// Whether it was sent more than once, because nobody knew what had come of it: subscribers
    /// may have it twice.
    pub repeated: bool,
}

/// Why a message was not delivered, or is not known to be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Undelivered {
    /// There was no room, and the policy is to refuse.
    #[error("the queue is full: {messages} messages, {bytes} bytes")]
    Full {
        /// Messages that wait.
        messages: usize,
        /// What they count for.
        bytes: usize,
    },
    /// It alone is larger than all that may wait.
    #[error("the message counts for {bytes} bytes, and the queue holds {limit}")]
    TooLarge {
        /// What it counts for.
        bytes: usize,
        /// What the queue holds.
        limit: usize,
    },
    /// It waited longer than it may.
    #[error("the message expired in the queue")]
    Expired {
        /// It had been sent without a known outcome.
        may_have_arrived: bool,
    },
    /// It made room for newer ones.
    #[error("the message made room for a newer one")]
    Displaced {
        /// It had been sent without a known outcome.
        may_have_arrived: bool,
    },
    /// The module cannot carry it, or it was refused again and again.
    #[error("the message was given up after {attempts} attempts")]
    Refused {
        /// How often the module was given the message.
        attempts: u32,
        /// One of the attempts had no known outcome.
        may_have_arrived: bool,
        /// What came of the last attempt.
        #[source]
        error: PublishError,
    },
    /// It was sent, nobody knows what came of it, and it is not to be sent twice.
    #[error("what came of the message is not known, and it is not sent twice")]
    InDoubt(#[source] PublishError),
    /// There is no copy of it on the disk, so it is not sent either.
    #[cfg(feature = "persist")]
    #[error("the message cannot be kept")]
    NotKept(#[source] super::StoreError),
    /// The connection was stopped while the message waited. In a queue on the disk it is
    /// still there, for the next connection.
    #[error("the message was still in the queue when the connection was stopped: {why}")]
    Stopped {
        /// Why.
        why: Stopped,
        /// It had been sent without a known outcome.
        may_have_arrived: bool,
    },
}

impl Undelivered {
    /// Whether the message may have reached the broker all the same: publishing it again may
    /// deliver it twice.
    pub fn may_have_arrived(&self) -> bool {
        match self {
            Self::Full { .. } | Self::TooLarge { .. } => false,
            #[cfg(feature = "persist")]
            Self::NotKept(_) => false,
            Self::InDoubt(_) => true,
            Self::Expired { may_have_arrived }
            | Self::Displaced { may_have_arrived }
            | Self::Refused {
                may_have_arrived, ..
            }
            | Self::Stopped {
                may_have_arrived, ..
            } => *may_have_arrived,
        }
    }
}

pub(super) type Outcome = Result<Delivered, Undelivered>;

/// What will become of a message in the queue. Await it to know; dropping it changes nothing.
#[derive(Debug)]
#[must_use = "dropping a receipt is fine, but then nobody learns what became of the message"]
pub struct Receipt(oneshot::Receiver<Outcome>);

impl Receipt {
    pub(super) fn new() -> (oneshot::Sender<Outcome>, Self) {
        let (sender, receiver) = oneshot::channel();
        (sender, Self(receiver))
    }

    /// What became of the message, if that is known by now. It is told once.
    pub fn try_outcome(&mut self) -> Option<Result<Delivered, Undelivered>> {
        self.0.try_recv().ok()
    }
}

impl Future for Receipt {
    type Output = Result<Delivered, Undelivered>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|told| {
            // The runtime was shut down with the task that would have told.
            told.unwrap_or(Err(Undelivered::Stopped {
                why: Stopped::Unused,
                may_have_arrived: true,
            }))
        })
    }
}
