use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The way of bytes from a module to a link's task.
///
/// It does what an unbounded channel would, and besides counts what is not written yet. A channel
/// also makes room for 32 messages at once, which was more than a quarter of an idle link's memory.
#[derive(Default)]
pub(super) struct Outgoing {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    queue: Vec<Vec<u8>>,
    /// Bytes in the queue, and those taken from it and not written yet.
    backlog: usize,
    closed: bool,
}

impl Outgoing {
    /// Above this backlog a link is congested: its module should take no more from the host.
    const HIGH: usize = 64 * 1024;

    /// Queues bytes; gives the backlog with them.
    pub(super) fn push(&self, bytes: Vec<u8>) -> usize {
        let mut state = self.state();
        state.backlog += bytes.len();
        state.queue.push(bytes);
        self.changed.notify_one();
        state.backlog
    }

    /// Nothing more will be queued.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_one();
    }

    pub(super) fn is_congested(&self) -> bool {
        self.state().backlog > Self::HIGH
    }

    /// Waits until there is something; gives all of it, or `None` once closed and empty. Dropping
    /// the future loses nothing.
    pub(super) async fn take(&self) -> Option<Vec<Vec<u8>>> {
        loop {
            {
                let mut state = self.state();
                if !state.queue.is_empty() {
                    return Some(mem::take(&mut state.queue));
                }
                if state.closed {
                    return None;
                }
            }
            self.changed.notified().await;
        }
    }

    /// Bytes taken are written, or will never be. Whether this ended a congestion.
    pub(super) fn settle(&self, bytes: usize) -> bool {
        let mut state = self.state();
        let was_congested = state.backlog > Self::HIGH;
        state.backlog -= bytes;
        was_congested && state.backlog <= Self::HIGH
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that holds it can leave it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
