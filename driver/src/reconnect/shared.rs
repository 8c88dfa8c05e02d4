//! What the handles of a connection and its task share.

#[cfg(feature = "persist")]
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use atmq_protocol::mqtt::{Publish, QoS};
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::Instant;

use super::counters::QueueDepth;
use super::message::{Outgoing, Receipt, Undelivered};
use super::outbox::{Afterwards, Outbox};
use super::policy::{QueuePolicy, Reconnect};
#[cfg(feature = "persist")]
use super::store::{Done, Journal, StoreError, encode};
use super::subscriptions::Subscriptions;
use super::supervisor::{State, Stopped};
use crate::client::{Delivery, checked_topic};
use crate::connect::ConnectOptions;
use crate::error::{Disconnected, Error, PublishError, RequestError};
use crate::modem::Modem;
use crate::port_task::lock;

/// What keeps the connection alive: clients and the reader of messages hold it.
#[derive(Debug)]
pub(super) struct Handle {
    pub(super) shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.core().unused = true;
        self.shared.work.notify_one();
    }
}

pub(super) struct Shared {
    pub(super) modem: Modem,
    pub(super) options: ConnectOptions,
    pub(super) policy: QueuePolicy,
    core: Mutex<Core>,
    /// There is something to do for the task.
    pub(super) work: Notify,
    /// There is room in the queue again, or there never will be.
    pub(super) room: Notify,
    /// Callers that wait for room come in their order: one waits at a time.
    pub(super) turn: tokio::sync::Mutex<()>,
    pub(super) state: watch::Sender<State>,
    pub(super) depth: watch::Sender<QueueDepth>,
}

pub(super) struct Core {
    pub(super) outbox: Outbox,
    pub(super) subscriptions: Subscriptions,
    /// The connection is to be stopped when the queue is empty, or at this time.
    pub(super) leave_by: Option<Instant>,
    pub(super) unused: bool,
    pub(super) hurry: bool,
    /// Nothing is taken any more.
    stopped: Option<Stopped>,
    #[cfg(feature = "persist")]
    journal: Option<Journal>,
}

impl Core {
    /// Why no message and no subscription is taken any more.
    pub(super) fn stopped(&self) -> Option<Stopped> {
        let leaving = self.leave_by.map(|_| Stopped::Requested);
        self.stopped.clone().or(leaving)
    }

    /// Has the disk forget what need not be kept any more, and tells what waits.
    fn settle(&mut self) -> QueueDepth {
        #[cfg(feature = "persist")]
        self.forget_settled();
        self.outbox.depth()
    }
}

impl Shared {
    pub(super) fn new(
        modem: Modem,
        options: ConnectOptions,
        reconnect: &mut Reconnect,
    ) -> Arc<Self> {
        let policy = reconnect.queue.clone();
        #[cfg(feature = "persist")]
        let kept = reconnect.store.is_some();
        #[cfg(not(feature = "persist"))]
        let kept = false;
        let core = Core {
            outbox: Outbox::new(policy.clone(), kept),
            subscriptions: Subscriptions::default(),
            leave_by: None,
            unused: false,
            hurry: false,
            stopped: None,
            #[cfg(feature = "persist")]
            journal: None,
        };
        let shared = Arc::new(Self {
            modem,
            options,
            policy,
            core: Mutex::new(core),
            work: Notify::new(),
            room: Notify::new(),
            turn: tokio::sync::Mutex::new(()),
            state: watch::Sender::new(State::Connecting { failures: 0 }),
            depth: watch::Sender::new(QueueDepth::default()),
        });
        #[cfg(feature = "persist")]
        if let Some(store) = reconnect.store.take() {
            shared.restore(store);
        }
        shared
    }

    pub(super) fn core(&self) -> MutexGuard<'_, Core> {
        lock(&self.core)
    }

    /// Whether the message has a topic and the module can carry it; the latter is known once it is
    /// known what module it is.
    pub(super) fn carries(&self, message: &Outgoing) -> Result<(), RequestError> {
        checked_topic("the topic", &message.topic)?;
        let publish = Publish {
            connection: self.options.given().connection,
            // The longest there is.
            message_id: match message.qos {
                QoS::AtMostOnce => 0,
                _ => u16::MAX,
            },
            qos: message.qos,
            retain: message.retain,
            topic: message.topic.clone(),
            payload: message.payload.clone(),
        };
        self.modem.check_publish(self.options.given(), publish)
    }

    /// Puts the message into the queue. With a copy on the disk it is there when the second part
    /// says so.
    pub(super) fn push(
        &self,
        message: Outgoing,
    ) -> Result<(Receipt, Option<Keeping>), Undelivered> {
        let (sender, receipt) = Receipt::new();
        let mut core = self.core();
        // Asked with the lock held: what gets in before the stop is told of it.
        if let Some(why) = core.stopped() {
            core.outbox.counters.rejected += 1;
            return Err(Undelivered::Stopped {
                why,
                may_have_arrived: false,
            });
        }
        let now = Instant::now().into_std();
        #[cfg(feature = "persist")]
        if core.journal.is_some() {
            let lifetime = message.expire_after.or(self.policy.expire_after);
            let record = encode(&message, lifetime);
            let (keeping, kept) = oneshot::channel();
            let pushed = core.outbox.push(message, sender, now);
            if let Ok(id) = pushed {
                core.keep(id, record, keeping);
            }
            self.settle(core);
            return pushed.map(|_| (receipt, Some(kept)));
        }
        let pushed = core.outbox.push(message, sender, now);
        self.settle(core);
        pushed.map(|_| (receipt, None))
    }

    /// What came of publishing a message.
    pub(super) fn sent(
        &self,
        id: u64,
        outcome: Result<Delivery, PublishError>,
        now: std::time::Instant,
    ) -> Afterwards {
        let mut core = self.core();
        let afterwards = core.outbox.sent(id, outcome, now);
        self.settle(core);
        afterwards
    }

    /// To be called when the queue may have changed: has the disk know, and those who watch it.
    pub(super) fn settle(&self, mut core: MutexGuard<'_, Core>) {
        let depth = core.settle();
        // With the lock held, so that the last one to change it is the last one to show it.
        let before = self.depth.send_replace(depth);
        drop(core);
        if depth.messages < before.messages || depth.bytes < before.bytes {
            self.room.notify_one();
        }
    }

    /// Tells everyone that it is over, closes the file, and shows that last.
    pub(super) async fn stop(&self, why: &Stopped) {
        self.wind_up(why).await;
        self.state.send_replace(State::Stopped(why.clone()));
    }

    /// What is left to be done is to wait until the file is closed.
    fn wind_up(&self, why: &Stopped) -> impl Future<Output = ()> + use<> {
        let mut core = self.core();
        core.stopped = Some(why.clone());
        core.outbox.stop(why);
        core.subscriptions
            .stop(&Error::Disconnected(disconnected(why)));
        #[cfg(feature = "persist")]
        let journal = {
            core.forget_settled();
            core.journal.take()
        };
        self.settle(core);
        self.room.notify_one();
        async move {
            #[cfg(feature = "persist")]
            if let Some(journal) = journal {
                journal.close().await;
            }
        }
    }
}

#[cfg(feature = "persist")]
impl Core {
    /// Has the disk keep a message, and tell this when it does.
    fn keep(
        &mut self,
        id: u64,
        record: Vec<u8>,
        keeping: oneshot::Sender<Result<(), Undelivered>>,
    ) {
        self.outbox.keep(id, keeping);
        if let Some(journal) = &self.journal {
            journal.add(id, record);
        }
    }

    fn forget_settled(&mut self) {
        let settled = self.outbox.take_settled();
        if let Some(journal) = &self.journal {
            for id in settled {
                journal.remove(id);
            }
        }
    }
}

#[cfg(feature = "persist")]
impl Shared {
    fn restore(self: &Arc<Self>, store: super::Store) {
        let (kept, journal) = store.into_parts();
        journal.tell(self);
        let mut core = self.core();
        core.journal = Some(journal);
        let now = Instant::now().into_std();
        for message in kept {
            core.outbox.restore(message, now);
        }
        self.settle(core);
    }

    /// The messages that are not settled; `None` once the connection is stopped, because what is
    /// left then is for the next one.
    pub(super) fn waiting(&self) -> Option<BTreeSet<u64>> {
        let core = self.core();
        core.stopped.is_none().then(|| core.outbox.waiting())
    }

    /// What is on the disk now, or why it is not.
    pub(super) fn written(&self, done: &[Done], outcome: &Result<(), StoreError>) {
        let mut core = self.core();
        for done in done {
            match done {
                Done::Added(id) => core.outbox.added(*id, outcome),
                Done::Taken(id) => core.outbox.taken(*id, outcome),
            }
        }
        self.settle(core);
        self.work.notify_one();
    }
}

impl Shared {
    /// Has the disk know that a message is given to the module. Then there is work again.
    pub(super) fn take(&self, id: u64) {
        #[cfg(feature = "persist")]
        if let Some(journal) = &self.core().journal {
            journal.take(id);
        }
        #[cfg(not(feature = "persist"))]
        let _ = id;
    }
}

/// Whether a message has got to the disk.
pub(super) type Keeping = oneshot::Receiver<Result<(), Undelivered>>;

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("state", &*self.state.borrow())
            .field("depth", &*self.depth.borrow())
            .finish_non_exhaustive()
    }
}

/// What those are told who deal with connections.
pub(super) fn disconnected(why: &Stopped) -> Disconnected {
    match why {
        Stopped::Requested | Stopped::Unused => Disconnected::Requested,
        Stopped::Refused(_) => Disconnected::NotEstablished,
        Stopped::PortClosed(reason) => Disconnected::PortClosed(reason.clone()),
    }
}
