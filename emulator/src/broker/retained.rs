//! The last message of each topic that was published with the retain flag.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Limits;
use super::packet::{Message, Qos};
use super::topic;

/// Retained messages by topic, in the order of the topics.
#[derive(Debug, Default)]
pub(super) struct Retained {
    messages: BTreeMap<String, (Arc<Message>, Qos)>,
    bytes: usize,
}

impl Retained {
    /// Keeps a message in place of the one before it; an empty payload only removes that one.
    /// False if the limits leave no room, and then the topic retains nothing.
    pub(super) fn store(&mut self, message: &Arc<Message>, qos: Qos, limits: &Limits) -> bool {
        if let Some((old, _)) = self.messages.remove(&message.topic) {
            self.bytes -= old.size();
        }
        if message.payload.is_empty() {
            return true;
        }
        let bytes = self.bytes + message.size();
        if self.messages.len() >= limits.retained_messages || bytes > limits.retained_bytes {
            return false;
        }
        self.bytes = bytes;
        self.messages
            .insert(message.topic.clone(), (Arc::clone(message), qos));
        true
    }

    /// Everything that the path of a filter matches.
    pub(super) fn find(&self, path: &str) -> Vec<(Arc<Message>, Qos)> {
        let Some(wildcard) = path.find(['+', '#']) else {
            return self.messages.get(path).cloned().into_iter().collect();
        };
        // `a/#` matches `a` too, which comes before everything that begins with `a/`.
        let prefix = path[..wildcard].trim_end_matches('/');
        let range = self.messages.range(prefix.to_owned()..);
        range
            .take_while(|(topic, _)| topic.starts_with(prefix))
            .filter(|(topic, _)| topic::matches(path, topic))
            .map(|(_, kept)| kept.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(topic: &str, payload: &[u8]) -> Arc<Message> {
        Arc::new(Message {
            topic: topic.into(),
            payload: payload.into(),
        })
    }

    fn found(retained: &Retained, path: &str) -> Vec<String> {
        retained
            .find(path)
            .iter()
            .map(|(message, _)| message.topic.clone())
            .collect()
    }

    #[test]
    fn filters_find_what_they_match() {
        let topics = ["a", "a/b", "a/b/c", "a-", "ab/c", "b", "$SYS/x", "/", "//x"];
        let mut retained = Retained::default();
        for topic in topics {
            assert!(retained.store(&message(topic, b"x"), Qos::AtMostOnce, &Limits::default()));
        }
        for path in [
            "a", "a/#", "a/+", "#", "+", "+/#", "$SYS/#", "/+", "//+", "//#", "a/b/#",
        ] {
            let mut expected: Vec<_> = topics
                .iter()
                .filter(|topic| topic::matches(path, topic))
                .collect();
            expected.sort();
            assert_eq!(
                found(&retained, path).iter().collect::<Vec<_>>(),
                expected,
                "{path}"
            );
        }
    }

    #[test]
    fn an_empty_payload_clears() {
        let limits = Limits::default();
        let mut retained = Retained::default();
        retained.store(&message("a", b"x"), Qos::AtMostOnce, &limits);
        retained.store(&message("a", b""), Qos::AtMostOnce, &limits);
        assert!(found(&retained, "#").is_empty());
        assert_eq!(retained.bytes, 0);
    }

    #[test]
    fn what_exceeds_the_limits_is_not_kept() {
        let limits = Limits {
            retained_messages: 2,
            retained_bytes: 10,
            ..Limits::default()
        };
        let mut retained = Retained::default();
        assert!(retained.store(&message("a", b"1234"), Qos::AtMostOnce, &limits));
        assert!(!retained.store(&message("b", b"12345"), Qos::AtMostOnce, &limits));
        assert!(retained.store(&message("b", b"1"), Qos::AtMostOnce, &limits));
        assert!(!retained.store(&message("c", b"1"), Qos::AtMostOnce, &limits));
        assert_eq!(found(&retained, "#"), ["a", "b"]);
    }
}
