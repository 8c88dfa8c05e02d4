//! Topic names and topic filters (MQTT 3.1.1 section 4.7).

use thiserror::Error;

/// The longest topic or filter, in bytes (MQTT 3.1.1 section 4.7.3).
const MAX: usize = 65535;

/// Why a text is no topic, or no topic filter. To be read behind the name of its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TopicError {
    /// There is no character.
    #[error("is empty")]
    Empty,
    /// It is longer than MQTT can carry.
    #[error("has {length} bytes, MQTT carries at most {MAX}")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// It holds U+0000.
    #[error("holds the character U+0000 at byte {at}")]
    Null {
        /// Where it stands, in bytes.
        at: usize,
    },
    /// A message is published to a topic, not to a filter.
    #[error("holds the wildcard {wildcard} at byte {at}; a message is published to one topic")]
    Wildcard {
        /// The wildcard.
        wildcard: char,
        /// Where it stands, in bytes.
        at: usize,
    },
    /// A wildcard shares its level with other characters.
    #[error("holds {wildcard} at byte {at}, which must be alone between slashes")]
    NotAlone {
        /// The wildcard.
        wildcard: char,
        /// Where it stands, in bytes.
        at: usize,
    },
    /// Levels follow the wildcard for all that follow.
    #[error("holds # at byte {at}, which must be the last level")]
    NotLast {
        /// Where it stands, in bytes.
        at: usize,
    },
    /// A shared subscription has no group or no filter, or a wildcard in the name of its group.
    #[error("begins with $share, and is not $share/<group>/<filter> with a group without + and #")]
    Share,
}

/// Checks the topic of a message.
///
/// # Errors
/// No message can be published to it.
pub fn check_topic(topic: &str) -> Result<(), TopicError> {
    check_text(topic)?;
    match topic.char_indices().find(|(_, c)| is_wildcard(*c)) {
        Some((at, wildcard)) => Err(TopicError::Wildcard { wildcard, at }),
        None => Ok(()),
    }
}

/// Checks a topic filter, which may be that of a shared subscription.
///
/// # Errors
/// No broker takes it.
pub fn check_filter(filter: &str) -> Result<(), TopicError> {
    split_filter(filter).map(drop)
}

/// Checks a topic filter and parts it: into `$share/<group>`, if it is that of a shared
/// subscription, and what topics are matched against.
///
/// # Errors
/// No broker takes it.
pub fn split_filter(filter: &str) -> Result<(Option<&str>, &str), TopicError> {
    check_text(filter)?;
    let (group, path) = match filter.strip_prefix(SHARE) {
        Some(rest) => {
            let (name, path) = rest.split_once('/').ok_or(TopicError::Share)?;
            if name.is_empty() || path.is_empty() || name.contains(is_wildcard) {
                return Err(TopicError::Share);
            }
            (Some(&filter[..SHARE.len() + name.len()]), path)
        }
        None => (None, filter),
    };
    let mut at = filter.len() - path.len();
    let end = filter.len();
    for level in path.split('/') {
        let next = at + level.len();
        if let Some(within) = level.find(is_wildcard) {
            let wildcard = if level[within..].starts_with('#') {
                '#'
            } else {
                '+'
            };
            let at = at + within;
            if level.len() > 1 {
                return Err(TopicError::NotAlone { wildcard, at });
            }
            if wildcard == '#' && next < end {
                return Err(TopicError::NotLast { at });
            }
        }
        at = next + 1;
    }
    Ok((group, path))
}

const SHARE: &str = "$share/";

fn is_wildcard(character: char) -> bool {
    matches!(character, '+' | '#')
}

fn check_text(text: &str) -> Result<(), TopicError> {
    if text.is_empty() {
        return Err(TopicError::Empty);
    }
    if text.len() > MAX {
        let length = text.len();
        return Err(TopicError::TooLong { length });
    }
    match text.find('\0') {
        Some(at) => Err(TopicError::Null { at }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn topics_have_no_wildcards() {
        for topic in ["a/b", "/", "$SYS", " ", "a//b", "温度"] {
            assert_eq!(check_topic(topic), Ok(()), "{topic}");
        }
        let wildcard = |wildcard, at| TopicError::Wildcard { wildcard, at };
        for (topic, error) in [
            ("", TopicError::Empty),
            ("a/+", wildcard('+', 2)),
            ("#", wildcard('#', 0)),
            ("a\0b", TopicError::Null { at: 1 }),
        ] {
            assert_eq!(check_topic(topic), Err(error), "{topic}");
        }
        let length = MAX + 1;
        let long = "x".repeat(length);
        assert_eq!(check_topic(&long[1..]), Ok(()));
        assert_eq!(check_topic(&long), Err(TopicError::TooLong { length }));
    }

    #[test]
    fn wildcards_of_filters_stand_alone_and_the_last_one_last() {
        for filter in [
            "#", "+", "/", "+/+/#", "a//b", "$SYS/#", " ", "/+", "a/#", "$share",
        ] {
            assert_eq!(split_filter(filter), Ok((None, filter)), "{filter}");
        }
        let alone = |wildcard, at| TopicError::NotAlone { wildcard, at };
        for (filter, error) in [
            ("", TopicError::Empty),
            ("a/#/b", TopicError::NotLast { at: 2 }),
            ("#/", TopicError::NotLast { at: 0 }),
            ("a#", alone('#', 1)),
            ("+x", alone('+', 0)),
            ("a/b+/c", alone('+', 3)),
            ("a/##", alone('#', 2)),
            ("a/\0", TopicError::Null { at: 2 }),
        ] {
            assert_eq!(check_filter(filter), Err(error), "{filter}");
        }
        let shown = check_filter("a/#/b").unwrap_err().to_string();
        assert_eq!(shown, "holds # at byte 2, which must be the last level");
    }

    #[test]
    fn shared_subscriptions_have_a_group_and_a_filter() {
        for (filter, group, path) in [
            ("$share/g/a/+", "$share/g", "a/+"),
            ("$share/g//a", "$share/g", "/a"),
            ("$share/g/#", "$share/g", "#"),
        ] {
            assert_eq!(split_filter(filter), Ok((Some(group), path)), "{filter}");
        }
        for filter in [
            "$share/g",
            "$share/",
            "$share/g/",
            "$share//a",
            "$share/+/a",
            "$share/g#/a",
        ] {
            assert_eq!(check_filter(filter), Err(TopicError::Share), "{filter}");
        }
        let at = "$share/g/a".len();
        let error = TopicError::NotAlone { wildcard: '#', at };
        assert_eq!(check_filter("$share/g/a#"), Err(error));
    }
}
