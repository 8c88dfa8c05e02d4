use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use crate::dialect::CacheOverflow;

/// A message that waits.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) message_id: u16,
    pub(super) topic: String,
    pub(super) payload: Vec<u8>,
}

/// Messages that wait to be read, oldest first (`cache` 1).
#[derive(Debug, Default)]
pub(super) struct Cache {
    messages: VecDeque<Message>,
    /// The overflow has been reported.
    overflowing: bool,
}

/// What has come of a message for the cache.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stored {
    /// It waits.
    Kept,
    /// It waits, and the oldest is lost; `report` is whether the host has to be told.
    Replaced { report: bool },
    /// It is lost; `report` is whether the host has to be told.
    Dropped { report: bool },
}

impl Cache {
    pub(super) fn store(
        &mut self,
        message: Message,
        slots: usize,
        overflow: CacheOverflow,
    ) -> Stored {
        if self.messages.len() < slots {
            self.messages.push_back(message);
            return Stored::Kept;
        }
        let report = !core::mem::replace(&mut self.overflowing, true);
        if overflow == CacheOverflow::DropOldest && self.messages.pop_front().is_some() {
            self.messages.push_back(message);
            return Stored::Replaced { report };
        }
        Stored::Dropped { report }
    }

    /// Takes the oldest message of this identifier out. Messages with QoS 0 all have 0, and
    /// nothing keeps a broker from using another identifier again.
    pub(super) fn take(&mut self, message_id: u16) -> Option<Message> {
        let at = self
            .messages
            .iter()
            .position(|message| message.message_id == message_id)?;
        self.overflowing = false;
        self.messages.remove(at)
    }

    /// The identifiers of the messages, oldest first.
    pub(super) fn message_ids(&self) -> Vec<u16> {
        self.messages
            .iter()
            .map(|message| message.message_id)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(message_id: u16, payload: &str) -> Message {
        Message {
            message_id,
            topic: "t".into(),
            payload: payload.into(),
        }
    }

    #[test]
    fn the_oldest_of_an_identifier_is_taken_first() {
        let mut cache = Cache::default();
        for (id, payload) in [(0, "a"), (7, "b"), (0, "c")] {
            let stored = cache.store(message(id, payload), 5, CacheOverflow::DropNewest);
            assert_eq!(stored, Stored::Kept);
        }
        assert_eq!(cache.message_ids(), [0, 7, 0]);
        assert_eq!(cache.take(0), Some(message(0, "a")));
        assert_eq!(cache.take(0), Some(message(0, "c")));
        assert_eq!(cache.take(0), None);
    }

    #[test]
    fn an_overflow_is_reported_once_until_something_is_read() {
        for (overflow, left) in [
            (CacheOverflow::DropNewest, [1, 2]),
            (CacheOverflow::DropOldest, [3, 4]),
        ] {
            let mut cache = Cache::default();
            let mut reports = Vec::new();
            for id in 1..=4 {
                reports.push(match cache.store(message(id, ""), 2, overflow) {
                    Stored::Kept => None,
                    Stored::Replaced { report } | Stored::Dropped { report } => Some(report),
                });
            }
            assert_eq!(reports, [None, None, Some(true), Some(false)]);
            assert_eq!(cache.message_ids(), left);
            cache.take(left[0]);
            cache.store(message(5, ""), 2, overflow);
            let stored = cache.store(message(6, ""), 2, overflow);
            assert!(matches!(
                stored,
                Stored::Replaced { report: true } | Stored::Dropped { report: true }
            ));
        }
    }
}
