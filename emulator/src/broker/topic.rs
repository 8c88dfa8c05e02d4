//! Topic names and topic filters (MQTT 3.1.1 section 4.7).

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
        let (group, path) = if let Some(rest) = text.strip_prefix("$share/") {
            let (name, path) = rest.split_once('/')?;
            if name.is_empty() || name.contains(['+', '#']) {
                return None;
            }
            (Some(format!("$share/{name}")), path)
        } else if let Some(path) = text.strip_prefix("$queue/") {
            (Some("$queue".to_owned()), path)
        } else {
            (None, text)
        };
        is_path(path).then(|| Self {
            group,
            path: path.to_owned(),
        })
    }

    /// Number of levels, wildcards included.
    pub(super) fn levels(&self) -> usize {
        self.path.split('/').count()
    }
}

/// Whether a message may be published to this topic.
pub(super) fn is_name(topic: &str) -> bool {
    !topic.is_empty() && !topic.contains(['+', '#'])
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

/// Whether wildcards stand alone in their level, and `#` only in the last one.
fn is_path(path: &str) -> bool {
    let mut levels = path.split('/').rev();
    let last = levels.next().unwrap_or_default();
    let alone = |level: &str| level == "+" || !level.contains(['+', '#']);
    !path.is_empty() && (last == "#" || alone(last)) && levels.all(alone)
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
    fn wildcards_out_of_place_make_no_filter() {
        for text in ["", "a#", "a/#/b", "#/a", "a+", "+a", "a/b+/c", "##", "++"] {
            assert_eq!(Filter::parse(text), None, "{text}");
        }
        for text in ["#", "+", "/", "+/+/#", "a//b", "$SYS/#", " "] {
            assert!(Filter::parse(text).is_some(), "{text}");
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

    #[test]
    fn names_have_no_wildcards() {
        assert!(is_name("a/b") && is_name("/") && is_name("$SYS"));
        assert!(!is_name("") && !is_name("a/+") && !is_name("#"));
    }
}
