//! Topic filters, and what they match (MQTT 3.1.1 section 4.7).

use atmq_protocol::mqtt::split_filter;

/// A topic filter, taken apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Filter {
    /// For a shared subscription its prefix: `$share/<name>` or `$queue`.
    pub(super) group: Option<String>,
    /// What topics are matched against.
    pub(super) path: String,
}

impl Filter {
    /// Reads a filter as it stands in SUBSCRIBE; `None` if it is not one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        // As EMQX has it: of one group that has no name.
        let (group, path) = match text.strip_prefix("$queue/") {
            Some(path) => (Some("$queue"), split_filter(path).ok()?.1),
            None => split_filter(text).ok()?,
        };
        Some(Self {
            group: group.map(str::to_owned),
            path: path.to_owned(),
        })
    }

    /// Number of levels, wildcards included.
    pub(super) fn levels(&self) -> usize {
        self.path.split('/').count()
    }
}

/// Whether a leading wildcard passes this topic by (section 4.7.2).
pub(super) fn is_hidden(topic: &str) -> bool {
    topic.starts_with('$')
}

/// Whether the path of a filter matches a topic.
pub(super) fn matches(path: &str, topic: &str) -> bool {
    if is_hidden(topic) && path.starts_with(['+', '#']) {
        return false;
    }
    let mut levels = topic.split('/');
    for wanted in path.split('/') {
        match (wanted, levels.next()) {
            // Also matches the parent: there may be no level left.
            ("#", _) => return true,
            ("+", Some(_)) => {}
            (wanted, Some(level)) if wanted == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_match_as_the_standard_says() {
        for (path, topic, expected) in [
            ("a/b", "a/b", true),
            ("a/b", "a/b/c", false),
            ("a/b/c", "a/b", false),
            ("a/#", "a", true),
            ("a/#", "a/b/c", true),
            ("a/#", "ab", false),
            ("#", "a/b", true),
            ("#", "/", true),
            ("+", "a", true),
            ("+", "a/b", false),
            ("+", "/a", false),
            ("/+", "/a", true),
            ("+/+", "/a", true),
            ("a/+", "a", false),
            ("a/+", "a/", true),
            ("a/+/c", "a//c", true),
            ("a/+/#", "a/b", true),
            ("a/+/#", "a", false),
            ("A/b", "a/b", false),
            ("a/b", "/a/b", false),
            ("#", "$SYS/x", false),
            ("+/x", "$SYS/x", false),
            ("$SYS/#", "$SYS/x", true),
            ("$SYS/+", "$SYS/x", true),
        ] {
            assert_eq!(matches(path, topic), expected, "{path} on {topic}");
        }
    }

    #[test]
    fn shared_filters_are_taken_apart() {
        let shared = |group: &str, path: &str| {
            Some(Filter {
                group: Some(group.into()),
                path: path.into(),
            })
        };
        assert_eq!(Filter::parse("$share/g/a/+"), shared("$share/g", "a/+"));
        assert_eq!(Filter::parse("$share/g//a"), shared("$share/g", "/a"));
        assert_eq!(Filter::parse("$queue/a/#"), shared("$queue", "a/#"));
        for text in [
            "$share/g",
            "$share/g/",
            "$share//a",
            "$share/+/a",
            "$share/g/a#",
            "$queue/",
        ] {
            assert_eq!(Filter::parse(text), None, "{text}");
        }
    }
}
