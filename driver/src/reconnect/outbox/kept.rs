//! What concerns the copies on the disk.

use std::collections::BTreeSet;
use std::time::Instant;

use tokio::sync::oneshot;

use super::super::message::Undelivered;
use super::super::store::{Kept, StoreError};
use super::{Entry, Outbox};

impl Outbox {
    /// Takes in a message that an earlier program has left.
    pub(in super::super) fn restore(&mut self, kept: Kept, now: Instant) {
        let Kept {
            id,
            message,
            left,
            taken,
        } = kept;
        self.next_id = self.next_id.max(id + 1);
        self.counters.restored += 1;
        self.counters.enqueued += 1;
        if taken && self.policy.sends_once(message.qos) {
            tracing::warn!(
                id,
                "nobody knows what came of a message of an earlier program"
            );
            self.counters.in_doubt += 1;
            self.settled.push(id);
            return;
        }
        let entry = Entry {
            expires: left.and_then(|left| now.checked_add(left)),
            message,
            receipt: None,
            held: false,
            taken,
            keeping: None,
            attempts: 0,
            doubtful: taken,
        };
        self.insert(id, entry);
    }

    /// From now on this is told when the message is on the disk, or why it cannot be kept.
    pub(in super::super) fn keep(
        &mut self,
        id: u64,
        keeping: oneshot::Sender<Result<(), Undelivered>>,
    ) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.keeping = Some(keeping);
        }
    }

    /// The message is on the disk, or cannot be kept.
    pub(in super::super) fn added(&mut self, id: u64, outcome: &Result<(), StoreError>) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        let told = outcome.clone().map_err(Undelivered::NotKept);
        if let Some(keeping) = entry.keeping.take() {
            // A caller that is gone has its message in the queue all the same.
            let _ = keeping.send(told.clone());
        }
        match told {
            Ok(()) => entry.held = false,
            Err(error) => self.unkept(id, error),
        }
    }

    /// The disk knows that the message is given to the module, or does not take it in.
    pub(in super::super) fn taken(&mut self, id: u64, outcome: &Result<(), StoreError>) {
        match outcome {
            Ok(()) => {
                if let Some(entry) = self.entries.get_mut(&id) {
                    entry.held = false;
                    entry.taken = true;
                }
            }
            // Sent now it would be sent again by the next program.
            Err(error) => self.unkept(id, Undelivered::NotKept(error.clone())),
        }
    }

    fn unkept(&mut self, id: u64, error: Undelivered) {
        self.counters.not_kept += u64::from(self.entries.contains_key(&id));
        self.fail(id, |_| error);
    }

    /// Messages that are not settled.
    pub(in super::super) fn waiting(&self) -> BTreeSet<u64> {
        self.entries.keys().copied().collect()
    }

    /// Messages whose copy is not needed any more.
    pub(in super::super) fn take_settled(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.settled)
    }
}
