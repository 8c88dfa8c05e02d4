/// What has been counted since [`Modem::keep_connected`](crate::Modem::keep_connected).
///
/// Each message that was enqueued is in the queue or in exactly one of `delivered`, `expired`,
/// `displaced`, `refused`, `in_doubt`, `not_kept` and `abandoned`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Counters {
    /// Attempts to connect.
    pub attempts: u64,
    /// Attempts that succeeded.
    pub connections: u64,
    /// Connections that were lost.
    pub losses: u64,
    /// Resets of the module.
    pub resets: u64,
    /// Messages that the queue took.
    pub enqueued: u64,
    /// Messages that it did not take, because they could never be carried or had no room.
    pub rejected: u64,
    /// Messages that were delivered, as far as their quality of service tells.
    pub delivered: u64,
    /// How often a message was sent once more because nobody knew what had come of it.
    pub repeated: u64,
    /// Messages that waited longer than they may.
    pub expired: u64,
    /// Messages that made room for newer ones.
    pub displaced: u64,
    /// Messages that the module cannot carry, or that were refused again and again.
    pub refused: u64,
    /// Messages of which nobody knows what came of them, and that are not sent twice.
    pub in_doubt: u64,
    /// Messages that an earlier program had left in the queue on the disk. They count as enqueued,
    /// too.
    pub restored: u64,
    /// Messages that could not be written to the disk.
    pub not_kept: u64,
    /// Messages that waited when the connection was stopped.
    pub abandoned: u64,
    /// Subscriptions that were made again.
    pub resubscriptions: u64,
    /// Subscriptions that were given up, because they were refused or failed again and again.
    pub subscriptions_given_up: u64,
}

/// How much waits to be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub struct QueueDepth {
    /// Messages, the one that is being sent included.
    pub messages: usize,
    /// What they count for, see [`Reconnect::queue`](super::Reconnect::queue).
    pub bytes: usize,
}
