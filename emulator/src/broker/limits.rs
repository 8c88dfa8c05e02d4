//! How much of the host's memory and patience the clients may take.

use std::time::Duration;

/// Bounds on everything that a slow, silent or hostile client could make grow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest Remaining Length accepted, in bytes; a longer packet closes the connection.
    /// At most 268,435,455, the longest that MQTT can express.
    pub packet_bytes: usize,
    /// Bytes that may wait to be written to one connection; beyond it the connection is closed.
    pub outgoing_bytes: usize,
    /// QoS 1 and 2 messages sent to one client and not yet acknowledged, at most
    /// 65,534. Further ones queue.
    pub inflight_messages: usize,
    /// QoS 1 and 2 messages waiting for one session; beyond it new ones are dropped and counted.
    pub queued_messages: usize,
    /// Bytes of topic and payload waiting for one session; beyond it new messages are dropped
    /// and counted.
    pub queued_bytes: usize,
    /// Subscriptions of one session; further ones are refused in SUBACK.
    pub subscriptions: usize,
    /// Sessions, connected or not; further new ones are refused with CONNACK code 3.
    pub sessions: usize,
    /// Retained messages; further ones pass through but are not kept, and are counted.
    pub retained_messages: usize,
    /// Bytes of topic and payload retained; further messages are not kept, and are counted.
    pub retained_bytes: usize,
    /// How long a connection may stay open without CONNECT. Generous, because a module opens
    /// the link and connects with separate commands, which somebody may be typing.
    pub connect_timeout: Duration,
}

impl Default for Limits {
    /// Enough for a bench. The window is mosquitto's default (`max_inflight_messages`), as is
    /// the queue (`max_queued_messages`).
    fn default() -> Self {
        Self {
            packet_bytes: 1 << 20,
            outgoing_bytes: 8 << 20,
            inflight_messages: 20,
            queued_messages: 1_000,
            queued_bytes: 8 << 20,
            subscriptions: 1_000,
            sessions: 100_000,
            retained_messages: 100_000,
            retained_bytes: 64 << 20,
            connect_timeout: Duration::from_secs(90),
        }
    }
}

impl Limits {
    /// Bytes of unacknowledged messages for one client. Half the outgoing limit, so that
    /// resending all of them after a reconnect cannot by itself overflow the connection.
    pub(super) fn inflight_bytes(&self) -> usize {
        self.outgoing_bytes / 2
    }
}
