use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// How a connection is kept, and what is done with messages while it is gone.
///
/// ```
/// use std::time::Duration;
///
/// use atmq_driver::reconnect::{InDoubt, Reconnect, WhenFull};
///
/// let reconnect = Reconnect::default()
///     .backoff(Duration::from_secs(1), Duration::from_secs(300))
///     .queue(10_000, 4 << 20)
///     .when_full(WhenFull::DropOldest)
///     .expire_after(Duration::from_secs(24 * 3600))
///     .in_doubt(InDoubt::Repeat);
/// ```
#[derive(Debug)]
pub struct Reconnect {
    pub(super) base: Duration,
    pub(super) cap: Duration,
    pub(super) lasting: Duration,
    pub(super) when_refused: WhenRefused,
    pub(super) reset_after: u32,
    pub(super) check_every: Option<Duration>,
    pub(super) seed: Option<u64>,
    pub(super) queue: QueuePolicy,
    #[cfg(feature = "persist")]
    pub(super) store: Option<super::Store>,
}

/// What holds for messages that wait.
#[derive(Debug, Clone)]
pub(crate) struct QueuePolicy {
    pub(super) messages: usize,
    pub(super) bytes: usize,
    pub(super) when_full: WhenFull,
    pub(super) expire_after: Option<Duration>,
    pub(super) attempts: u32,
    pub(super) in_doubt: InDoubt,
}

/// What becomes of a message for which the queue has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum WhenFull {
    /// The caller waits until there is room. Callers come in the order in which they asked.
    #[default]
    Wait,
    /// The oldest messages make room. One that is being sent does not.
    DropOldest,
    /// The message is refused.
    Refuse,
}

/// What becomes of a message with quality of service 2 when nobody knows whether the broker has
/// it: the link or the module was lost before the answer.
///
/// MQTT has an answer to that, but it needs a client that keeps its half of the handshake; what
/// a module keeps over a reboot is not known of any. So one has to choose. Messages with quality
/// of service 1 are always repeated, those with 0 never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum InDoubt {
    /// It is not sent again: never twice, perhaps never. Its receipt says
    /// [`Undelivered::InDoubt`](super::Undelivered::InDoubt).
    #[default]
    GiveUp,
    /// It is sent again: never lost, perhaps twice. Its receipt says
    /// [`repeated`](super::Delivered::repeated).
    Repeat,
}

/// What follows when the broker refuses the client for good: bad credentials, not authorised,
/// a client id or version that it does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum WhenRefused {
    /// No further attempt: the same words would get the same answer.
    #[default]
    Stop,
    /// As after any other failure. For brokers whose accounts come and go.
    Retry,
}

impl Reconnect {
    /// How long to wait before an attempt: evenly drawn between nothing and `base`, doubled with
    /// each further failure up to `cap`. Spread like that, a thousand devices that lost one
    /// broker do not come back in one second. Never less than a tenth of `base`.
    ///
    /// 1 s and 120 s unless set; more than a day counts as a day.
    pub fn backoff(mut self, base: Duration, cap: Duration) -> Self {
        self.base = base.min(DAY);
        self.cap = cap.min(DAY).max(self.base);
        self
    }

    /// How long a connection must have stood for the wait to begin at its base again, 60 s
    /// unless set. What is lost sooner counts as another failure.
    pub fn lasting(mut self, lasting: Duration) -> Self {
        self.lasting = lasting;
        self
    }

    /// What follows when the broker refuses the client for good.
    pub fn when_refused(mut self, when_refused: WhenRefused) -> Self {
        self.when_refused = when_refused;
        self
    }

    /// After how many failures in a row that are the module's own (it does not answer, or with
    /// errors, or reports no outcome) it is reset, 4 unless set; 0 is never.
    pub fn reset_after(mut self, failures: u32) -> Self {
        self.reset_after = failures;
        self
    }

    /// How often a module that has nothing to send is asked whether it is still connected,
    /// because the report of a loss can itself be lost; every 5 minutes unless set. `None` is
    /// never: for modules that are to sleep.
    pub fn check_every(mut self, interval: Option<Duration>) -> Self {
        self.check_every = interval;
        self
    }

    /// Decides how waits are spread. Unless set it is different with each connection.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// How many messages may wait and how many bytes they may hold, topics and payloads and 64
    /// bytes for each message; 1000 and 1 MiB unless set. The one that is being sent counts.
    pub fn queue(mut self, messages: usize, bytes: usize) -> Self {
        self.queue.messages = messages.max(1);
        self.queue.bytes = bytes;
        self
    }

    /// What becomes of a message for which the queue has no room.
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.queue.when_full = when_full;
        self
    }

    /// How long a message may wait that says nothing else; for ever unless set.
    pub fn expire_after(mut self, expire_after: Duration) -> Self {
        self.queue.expire_after = Some(expire_after);
        self
    }

    /// How often one message is tried before it is given up, so that it does not block those
    /// behind it for ever; at least 1, 8 unless set.
    ///
    /// What counts is that the module was given the message, and refused it, could not send it,
    /// or lost the link or itself on the way: some brokers close the link on a topic that they
    /// do not allow. Failures to connect do not count.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.queue.attempts = attempts.max(1);
        self
    }

    /// Keeps the queue in a file, so that it outlives the program: what
    /// [`enqueue`](super::ReconnectingClient::enqueue) has put there is sent even if the program
    /// is killed, by the next one that opens the file. What the file holds already is sent first.
    #[cfg(feature = "persist")]
    pub fn persist(mut self, store: super::Store) -> Self {
        self.store = Some(store);
        self
    }

    /// What becomes of a message with quality of service 2 when nobody knows whether the broker
    /// has it.
    pub fn in_doubt(mut self, in_doubt: InDoubt) -> Self {
        self.queue.in_doubt = in_doubt;
        self
    }
}

impl Default for Reconnect {
    fn default() -> Self {
        Self {
            base: Duration::from_secs(1),
            cap: Duration::from_secs(120),
            lasting: Duration::from_secs(60),
            when_refused: WhenRefused::default(),
            reset_after: 4,
            check_every: Some(Duration::from_secs(300)),
            seed: None,
            queue: QueuePolicy {
                messages: 1000,
                bytes: 1 << 20,
                when_full: WhenFull::default(),
                expire_after: None,
                attempts: 8,
                in_doubt: InDoubt::default(),
            },
            #[cfg(feature = "persist")]
            store: None,
        }
    }
}
