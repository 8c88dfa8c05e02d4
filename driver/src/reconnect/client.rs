use std::sync::Arc;
use std::time::Duration;

use atmq_protocol::mqtt::QoS;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use super::counters::{Counters, QueueDepth};
use super::message::{Delivered, Outgoing, Receipt, Undelivered};
use super::policy::WhenFull;
use super::shared::{Handle, Keeping, Shared, disconnected};
use super::subscriptions::Subscriptions;
use super::supervisor::{State, Stopped};
use crate::client::checked_filter;
use crate::error::{Disconnected, Error, PublishError};
use crate::modem::Modem;

/// A connection to a broker that comes back when it is lost, with its subscriptions and a queue
/// of messages. Cheap to clone; all clones are the same connection.
///
/// All methods can be cancelled: dropping a future gives up the answer. What was asked for stays
/// asked for, unless the method says otherwise.
///
/// When the last client and its [`Messages`](crate::Messages) are dropped, the module disconnects
/// at once, and what still waits is given up. To have it delivered, call
/// [`disconnect`](Self::disconnect) first.
#[derive(Debug, Clone)]
pub struct ReconnectingClient {
    handle: Arc<Handle>,
}

impl ReconnectingClient {
    pub(super) fn new(handle: Arc<Handle>) -> Self {
        Self { handle }
    }

    /// The modem behind the connection.
    pub fn modem(&self) -> &Modem {
        &self.shared().modem
    }

    /// Publishes a message: puts it into the queue and waits until it is known what came of it,
    /// over as many connections as that takes.
    ///
    /// Dropping the future before there was room gives up the message, afterwards only the
    /// knowledge.
    ///
    /// # Errors
    /// See [`Undelivered`]; [`may_have_arrived`](Undelivered::may_have_arrived) tells whether
    /// publishing again may deliver twice.
    pub async fn publish(
        &self,
        topic: impl Into<String>,
        payload: impl Into<Vec<u8>>,
        qos: QoS,
        retain: bool,
    ) -> Result<Delivered, Undelivered> {
        let message = Outgoing::new(topic, payload).qos(qos).retain(retain);
        self.enqueue(message).await?.await
    }

    /// Puts a message into the queue, and returns when it is there: with a queue on the disk, when
    /// it is on the disk. Messages are sent in the order in which they came into the queue, one
    /// after the other.
    ///
    /// What the module can never carry is refused here, as soon as it is known what module it
    /// is. It waits for room if the policy says so ([`WhenFull::Wait`]). Dropping the future
    /// before there was room gives up the message.
    ///
    /// # Errors
    /// The message cannot be carried or kept, there is no room, or the connection was stopped.
    pub async fn enqueue(&self, message: Outgoing) -> Result<Receipt, Undelivered> {
        let shared = self.shared();
        shared.core().outbox.check(&message)?;
        if let Err(error) = shared.carries(&message) {
            shared.core().outbox.counters.rejected += 1;
            return Err(Undelivered::Refused {
                attempts: 0,
                may_have_arrived: false,
                error: PublishError::NotSent(error.into()),
            });
        }
        let (receipt, keeping) = match shared.policy.when_full {
            WhenFull::Wait => self.push_when_there_is_room(message).await?,
            WhenFull::DropOldest | WhenFull::Refuse => shared.push(message)?,
        };
        shared.work.notify_one();
        if let Some(keeping) = keeping {
            // Told nothing, the message has met its fate before it was on the disk.
            keeping.await.unwrap_or(Ok(()))?;
        }
        Ok(receipt)
    }

    async fn push_when_there_is_room(
        &self,
        message: Outgoing,
    ) -> Result<(Receipt, Option<Keeping>), Undelivered> {
        let shared = self.shared();
        let _turn = shared.turn.lock().await;
        loop {
            let ready = {
                let core = shared.core();
                core.outbox.has_room(&message) || core.stopped().is_some()
            };
            if ready {
                return shared.push(message);
            }
            shared.room.notified().await;
        }
    }

    /// Subscribes to a topic filter, on this connection and all that follow, and waits until the
    /// broker has acknowledged it for the first time.
    ///
    /// Dropping the future does not take the wish back; [`unsubscribe`](Self::unsubscribe) does.
    /// With each connection the subscription is made again, and the broker sends what it retains
    /// for it again.
    ///
    /// # Errors
    /// The filter is none, or cannot be written as a command; the broker does not take it, or it
    /// failed as often as [`Reconnect::attempts`](super::Reconnect::attempts) allows: then it is forgotten.
    /// Or it was taken back meanwhile, or the connection stopped.
    pub async fn subscribe(&self, filter: impl Into<String>, qos: QoS) -> Result<(), Error> {
        let filter = checked_filter(filter)?;
        self.change(|subscriptions, told| subscriptions.subscribe(filter, qos, told))
            .await
    }

    /// Takes a subscription back, for all connections that follow, and waits until the broker
    /// has acknowledged it. Without a connection that is at the next one; with a clean session
    /// there is nothing to acknowledge then.
    ///
    /// Dropping the future changes nothing.
    ///
    /// # Errors
    /// As for [`subscribe`](Self::subscribe).
    pub async fn unsubscribe(&self, filter: impl Into<String>) -> Result<(), Error> {
        let filter = checked_filter(filter)?;
        self.change(|subscriptions, told| subscriptions.unsubscribe(filter, told))
            .await
    }

    async fn change(
        &self,
        change: impl FnOnce(&mut Subscriptions, oneshot::Sender<Result<(), Error>>),
    ) -> Result<(), Error> {
        let shared = self.shared();
        let (told, changed) = oneshot::channel();
        {
            let mut core = shared.core();
            if let Some(why) = core.stopped() {
                return Err(Error::Disconnected(disconnected(&why)));
            }
            change(&mut core.subscriptions, told);
        }
        shared.work.notify_one();
        // It is dropped untold if the runtime ends with the task.
        let untold = Err(Error::Disconnected(Disconnected::Requested));
        changed.await.unwrap_or(untold)
    }

    /// How far the connection is.
    pub fn state(&self) -> State {
        self.shared().state.borrow().clone()
    }

    /// The state as a value to watch.
    pub fn watch_state(&self) -> watch::Receiver<State> {
        self.shared().state.subscribe()
    }

    /// Waits until the broker has accepted the client. Can be dropped at any time.
    ///
    /// # Errors
    /// The connection was stopped.
    pub async fn connected(&self) -> Result<(), Stopped> {
        let over = |state: &State| matches!(state, State::Connected | State::Stopped(_));
        match self.wait(over).await {
            State::Stopped(why) => Err(why),
            _ => Ok(()),
        }
    }

    /// How much waits to be published, as a value to watch.
    pub fn watch_queue(&self) -> watch::Receiver<QueueDepth> {
        self.shared().depth.subscribe()
    }

    /// What has been counted since the connection was first asked for.
    pub fn counters(&self) -> Counters {
        self.shared().core().outbox.counters
    }

    /// Ends a wait between two attempts, because there is reason to believe that the next one
    /// succeeds: the network is back, a cable was plugged in. Else it does nothing.
    pub fn reconnect_now(&self) {
        self.shared().core().hurry = true;
        self.shared().work.notify_one();
    }

    /// Delivers what waits, but for no longer than `limit`, and disconnects for good. Zero
    /// disconnects without delivering. New messages are refused from now on. Returns how many
    /// messages were not delivered; their receipts say so as well.
    ///
    /// Meanwhile the connection comes back if it has to. An exchange in progress is exchanged to
    /// its end, even beyond the limit. Once begun it goes on, even if the future is dropped.
    ///
    /// # Errors
    /// The connection had been stopped before, for another reason.
    pub async fn disconnect(&self, limit: Duration) -> Result<usize, Stopped> {
        let shared = self.shared();
        let by = Instant::now().checked_add(limit);
        {
            let mut core = shared.core();
            // A second call may shorten the limit. Far away is as good as never.
            let by = by.unwrap_or_else(|| Instant::now() + Duration::from_secs(1 << 30));
            core.leave_by = Some(core.leave_by.map_or(by, |before| before.min(by)));
        }
        shared.work.notify_one();
        shared.room.notify_one();
        match self.wait(|state| matches!(state, State::Stopped(_))).await {
            State::Stopped(Stopped::Requested) => {
                let left = shared.core().outbox.counters.abandoned;
                Ok(usize::try_from(left).unwrap_or(usize::MAX))
            }
            State::Stopped(why) => Err(why),
            _ => Err(Stopped::Unused),
        }
    }

    async fn wait(&self, until: impl FnMut(&State) -> bool) -> State {
        let mut state = self.watch_state();
        match state.wait_for(until).await {
            Ok(state) => state.clone(),
            // The sender lives in what this handle shares.
            Err(_) => State::Stopped(Stopped::Unused),
        }
    }

    fn shared(&self) -> &Shared {
        &self.handle.shared
    }
}
