//! The queue of messages to publish. No I/O, no clock.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use atmq_protocol::mqtt::QoS;
use tokio::sync::oneshot;

use super::counters::{Counters, QueueDepth};
use super::message::{Delivered, Outcome, Outgoing, Undelivered};
use super::policy::{InDoubt, QueuePolicy, WhenFull};
use super::supervisor::Stopped;
use crate::client::Delivery;
use crate::error::{Error, ExchangeError, PublishError};

/// What a message costs beside its bytes, so that empty ones have a limit as well. Ours.
const MESSAGE_COST: usize = 64;

/// Pause before a message that the module refused is tried again, times the attempts so far.
/// Ours: long enough for a module that is busy, short enough for those that wait behind.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Messages in the order in which they came. One at a time is being sent, the oldest.
#[derive(Debug)]
pub(super) struct Outbox {
    policy: QueuePolicy,
    entries: BTreeMap<u64, Entry>,
    /// When which message expires.
    expiries: BTreeSet<(Instant, u64)>,
    bytes: usize,
    next_id: u64,
    /// The message that is being sent.
    sending: Option<u64>,
    /// The oldest message is not tried before.
    paused: Option<Instant>,
    /// Whether there is a copy of each message on the disk.
    kept: bool,
    /// Messages whose copy is not needed any more.
    settled: Vec<u64>,
    pub(super) counters: Counters,
}

#[derive(Debug)]
struct Entry {
    message: Outgoing,
    expires: Option<Instant>,
    receipt: Option<oneshot::Sender<Outcome>>,
    /// It waits for the disk.
    held: bool,
    /// The disk knows that it is given to the module, and not to be given again.
    taken: bool,
    /// Who waits until it is on the disk.
    #[cfg(feature = "persist")]
    keeping: Option<oneshot::Sender<Result<(), Undelivered>>>,
    attempts: u32,
    /// It was sent, and nobody knows what came of it.
    doubtful: bool,
}

/// What is to be done for the queue.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Publish this, then tell what came of it.
    Send { id: u64, message: Outgoing },
    /// Have the disk know that this is given to the module, then ask again.
    Take(u64),
    /// Nothing until then.
    Wait(Instant),
    /// Nothing until a message comes.
    Idle,
}

/// What the outcome of a publish says of the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Afterwards {
    /// All is well.
    Sound,
    /// The message was refused: perhaps because the module is not connected any more.
    AskState,
    /// The connection is gone, or as good as gone.
    Reconnect(Error),
}

impl Outbox {
    /// `kept`: whether the disk has a copy of each message.
    pub(super) fn new(policy: QueuePolicy, kept: bool) -> Self {
        Self {
            policy,
            entries: BTreeMap::new(),
            expiries: BTreeSet::new(),
            bytes: 0,
            next_id: 0,
            sending: None,
            paused: None,
            kept,
            settled: Vec::new(),
            counters: Counters::default(),
        }
    }

    pub(super) fn depth(&self) -> QueueDepth {
        QueueDepth {
            messages: self.entries.len(),
            bytes: self.bytes,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Refuses what would never fit.
    pub(super) fn check(&mut self, message: &Outgoing) -> Result<(), Undelivered> {
        let (bytes, limit) = (cost(message), self.policy.bytes);
        if bytes > limit {
            self.counters.rejected += 1;
            return Err(Undelivered::TooLarge { bytes, limit });
        }
        Ok(())
    }

    /// Whether a message has room as things are.
    pub(super) fn has_room(&self, message: &Outgoing) -> bool {
        self.entries.len() < self.policy.messages && self.bytes + cost(message) <= self.policy.bytes
    }

    /// Takes a message, makes room for it if the policy is to do so. With a copy on the disk it is
    /// held until that is there.
    ///
    /// # Errors
    /// There is no room.
    pub(super) fn push(
        &mut self,
        message: Outgoing,
        receipt: oneshot::Sender<Outcome>,
        now: Instant,
    ) -> Result<u64, Undelivered> {
        while !self.has_room(&message) {
            let oldest = match self.policy.when_full {
                WhenFull::DropOldest => self.oldest_waiting(),
                WhenFull::Wait | WhenFull::Refuse => None,
            };
            let Some(oldest) = oldest else {
                self.counters.rejected += 1;
                let QueueDepth { messages, bytes } = self.depth();
                return Err(Undelivered::Full { messages, bytes });
            };
            self.counters.displaced += 1;
            self.fail(oldest, |may_have_arrived| Undelivered::Displaced {
                may_have_arrived,
            });
        }
        let id = self.next_id;
        self.next_id += 1;
        let lifetime = message.expire_after.or(self.policy.expire_after);
        let entry = Entry {
            message,
            expires: lifetime.and_then(|lifetime| now.checked_add(lifetime)),
            receipt: Some(receipt),
            held: self.kept,
            taken: false,
            #[cfg(feature = "persist")]
            keeping: None,
            attempts: 0,
            doubtful: false,
        };
        self.insert(id, entry);
        self.counters.enqueued += 1;
        Ok(id)
    }

    fn insert(&mut self, id: u64, entry: Entry) {
        self.bytes += cost(&entry.message);
        self.expiries
            .extend(entry.expires.map(|expires| (expires, id)));
        self.entries.insert(id, entry);
    }

    fn oldest_waiting(&self) -> Option<u64> {
        let mut ids = self.entries.keys().copied();
        ids.find(|id| Some(*id) != self.sending)
    }

    /// Lets go of messages whose time is over. One that is being sent is not.
    pub(super) fn expire(&mut self, now: Instant) {
        while let Some((expires, id)) = self.next_expiring() {
            if expires > now {
                return;
            }
            self.counters.expired += 1;
            self.fail(id, |may_have_arrived| Undelivered::Expired {
                may_have_arrived,
            });
        }
    }

    fn next_expiring(&self) -> Option<(Instant, u64)> {
        let mut expiries = self.expiries.iter().copied();
        expiries.find(|(_, id)| Some(*id) != self.sending)
    }

    /// When [`expire`](Self::expire) is due.
    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.next_expiring().map(|(expires, _)| expires)
    }

    /// What is to be sent now that there is a connection.
    pub(super) fn next(&mut self, now: Instant) -> Next {
        self.expire(now);
        let Some(mut oldest) = self.entries.first_entry() else {
            return Next::Idle;
        };
        let (id, entry) = (*oldest.key(), oldest.get_mut());
        if entry.held {
            return Next::Idle;
        }
        match self.paused {
            Some(until) if until > now => return Next::Wait(until),
            _ => self.paused = None,
        }
        if self.kept && !entry.taken && self.policy.sends_once(entry.message.qos) {
            entry.held = true;
            return Next::Take(id);
        }
        self.sending = Some(id);
        Next::Send {
            id,
            message: entry.message.clone(),
        }
    }

    /// What came of sending the message.
    pub(super) fn sent(
        &mut self,
        id: u64,
        outcome: Result<Delivery, PublishError>,
        now: Instant,
    ) -> Afterwards {
        self.sending = None;
        let Some(entry) = self.entries.get_mut(&id) else {
            return Afterwards::Sound;
        };
        let repeated = entry.doubtful;
        if outcome.as_ref().err().is_none_or(was_given) {
            entry.attempts += 1;
            self.counters.repeated += u64::from(repeated);
        }
        let error = match outcome {
            Ok(delivery) => {
                self.counters.delivered += 1;
                self.settle(id, Ok(Delivered { delivery, repeated }));
                return Afterwards::Sound;
            }
            Err(error) => error,
        };
        let afterwards = afterwards(&error);
        if !was_given(&error) {
            if let PublishError::NotSent(Error::Request(_)) = error {
                self.refuse(id, error);
            }
            return afterwards;
        }
        if error.may_have_arrived() {
            entry.doubtful = true;
            if self.policy.sends_once(entry.message.qos) {
                self.counters.in_doubt += 1;
                self.settle(id, Err(Undelivered::InDoubt(error)));
                return afterwards;
            }
        }
        if entry.attempts >= self.policy.attempts {
            self.refuse(id, error);
        } else if !matches!(afterwards, Afterwards::Reconnect(_)) {
            self.paused = Some(now + RETRY_PAUSE * entry.attempts);
        }
        afterwards
    }

    /// Nothing will be sent any more.
    pub(super) fn stop(&mut self, why: &Stopped) {
        self.sending = None;
        while let Some(id) = self.oldest_waiting() {
            self.counters.abandoned += 1;
            self.fail(id, |may_have_arrived| Undelivered::Stopped {
                why: why.clone(),
                may_have_arrived,
            });
        }
    }

    fn refuse(&mut self, id: u64, error: PublishError) {
        self.counters.refused += 1;
        let attempts = self.entries.get(&id).map_or(0, |entry| entry.attempts);
        self.fail(id, |may_have_arrived| Undelivered::Refused {
            attempts,
            may_have_arrived,
            error,
        });
    }

    fn fail(&mut self, id: u64, why: impl FnOnce(bool) -> Undelivered) {
        let doubtful = self.entries.get(&id).is_some_and(|entry| entry.doubtful);
        let why = why(doubtful);
        tracing::debug!(id, %why, "message not delivered");
        self.settle(id, Err(why));
    }

    fn settle(&mut self, id: u64, outcome: Outcome) {
        let Some(entry) = self.entries.remove(&id) else {
            return;
        };
        self.paused = None;
        // What is left of a connection that was stopped is for the next one.
        if self.kept && !matches!(outcome, Err(Undelivered::Stopped { .. })) {
            self.settled.push(id);
        }
        self.bytes -= cost(&entry.message);
        if let Some(expires) = entry.expires {
            self.expiries.remove(&(expires, id));
        }
        if let Some(receipt) = entry.receipt {
            // A caller that dropped it does not want to know.
            let _ = receipt.send(outcome);
        }
    }
}

impl QueuePolicy {
    /// Whether a message is not sent again when nobody knows what came of it.
    fn sends_once(&self, qos: QoS) -> bool {
        match qos {
            QoS::AtMostOnce => true,
            QoS::AtLeastOnce => false,
            QoS::ExactlyOnce => self.in_doubt == InDoubt::GiveUp,
        }
    }
}

fn cost(message: &Outgoing) -> usize {
    MESSAGE_COST + message.topic.len() + message.payload.len()
}

/// Whether the module was given the message in a publish that failed.
fn was_given(error: &PublishError) -> bool {
    !matches!(
        error,
        PublishError::NotSent(
            Error::Request(_)
                | Error::Disconnected(_)
                | Error::PortClosed(_)
                | Error::PortAway(_)
                | Error::Exchange(
                    ExchangeError::Unresponsive { .. }
                        | ExchangeError::Rebooted { .. }
                        | ExchangeError::PoweredDown { .. }
                )
        )
    )
}

/// What a failed publish says of the connection, whatever becomes of the message.
fn afterwards(error: &PublishError) -> Afterwards {
    match error {
        PublishError::NotSent(Error::Request(_)) | PublishError::WrongAcknowledgement { .. } => {
            Afterwards::Sound
        }
        PublishError::NotSent(Error::Exchange(ExchangeError::Refused { .. }))
        | PublishError::Failed { .. } => Afterwards::AskState,
        PublishError::NotSent(error) | PublishError::Unknown(error) => {
            Afterwards::Reconnect(error.clone())
        }
    }
}

#[cfg(feature = "persist")]
mod kept;
#[cfg(test)]
mod tests;
