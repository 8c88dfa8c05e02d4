//! Who wants which topic.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use super::packet::Qos;
use super::session::SessionKey;
use super::topic::{self, Filter};

/// Deepest filter that is taken. The tree below is walked and dropped by recursion, so its depth
/// has to stay small; mosquitto draws the line at 200 too.
pub(super) const MAX_LEVELS: usize = 200;

/// All subscriptions, as a tree with one node per topic level: finding the subscribers of a topic
/// takes steps in the number of its levels, not in the number of clients.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    root: Node,
}

/// Subscribers are kept in order, so that the same inputs give the same outputs in every run.
#[derive(Debug, Default)]
struct Node {
    children: HashMap<Box<str>, Node>,
    subscribers: BTreeMap<SessionKey, Qos>,
    groups: BTreeMap<String, Group>,
}

/// The members of a shared subscription take turns.
#[derive(Debug, Default)]
struct Group {
    members: BTreeMap<SessionKey, Qos>,
    last: Option<SessionKey>,
}

/// What a topic matches: who gets the message, at which granted QoS.
#[derive(Debug, Default)]
struct Matches {
    /// One entry per client even if its filters overlap, at the highest QoS granted.
    plain: BTreeMap<SessionKey, Qos>,
    /// One entry per group.
    shared: Vec<(SessionKey, Qos)>,
}

impl Subscriptions {
    /// Adds a subscription or replaces its QoS.
    pub(super) fn insert(&mut self, filter: &Filter, session: SessionKey, qos: Qos) {
        let mut node = &mut self.root;
        for level in filter.path.split('/') {
            node = node.children.entry(level.into()).or_default();
        }
        let subscribers = match &filter.group {
            None => &mut node.subscribers,
            Some(group) => &mut node.groups.entry(group.clone()).or_default().members,
        };
        subscribers.insert(session, qos);
    }

    /// Removes a subscription, if there is one.
    pub(super) fn remove(&mut self, filter: &Filter, session: SessionKey) {
        self.root
            .remove(filter.path.split('/'), filter.group.as_deref(), session);
    }

    /// Who gets a message on this topic. Of a group it is the next member in turn, a reachable
    /// one if there is any.
    pub(super) fn find(
        &mut self,
        topic: &str,
        reachable: impl Fn(SessionKey) -> bool,
    ) -> Vec<(SessionKey, Qos)> {
        let levels: Vec<&str> = topic.split('/').collect();
        let mut found = Matches::default();
        self.root
            .find(&levels, topic::is_hidden(topic), &reachable, &mut found);
        found.plain.into_iter().chain(found.shared).collect()
    }
}

impl Node {
    fn remove<'a>(
        &mut self,
        mut levels: impl Iterator<Item = &'a str>,
        group: Option<&str>,
        session: SessionKey,
    ) {
        if let Some(level) = levels.next() {
            if let Some(child) = self.children.get_mut(level) {
                child.remove(levels, group, session);
                if child.is_empty() {
                    self.children.remove(level);
                }
            }
        } else if let Some(name) = group {
            if let Some(group) = self.groups.get_mut(name) {
                group.members.remove(&session);
                if group.members.is_empty() {
                    self.groups.remove(name);
                }
            }
        } else {
            self.subscribers.remove(&session);
        }
    }

    fn is_empty(&self) -> bool {
        self.children.is_empty() && self.subscribers.is_empty() && self.groups.is_empty()
    }

    fn find(
        &mut self,
        levels: &[&str],
        hidden: bool,
        reachable: &dyn Fn(SessionKey) -> bool,
        found: &mut Matches,
    ) {
        // Matches the parent as well, so also when no level is left.
        if !hidden && let Some(child) = self.children.get_mut("#") {
            child.collect(reachable, found);
        }
        let Some((level, rest)) = levels.split_first() else {
            self.collect(reachable, found);
            return;
        };
        if let Some(child) = self.children.get_mut(*level) {
            child.find(rest, false, reachable, found);
        }
        if !hidden && let Some(child) = self.children.get_mut("+") {
            child.find(rest, false, reachable, found);
        }
    }

    fn collect(&mut self, reachable: &dyn Fn(SessionKey) -> bool, found: &mut Matches) {
        for (&session, &qos) in &self.subscribers {
            let granted = found.plain.entry(session).or_insert(qos);
            *granted = qos.max(*granted);
        }
        for group in self.groups.values_mut() {
            found.shared.extend(group.next(reachable));
        }
    }
}

impl Group {
    fn next(&mut self, reachable: &dyn Fn(SessionKey) -> bool) -> Option<(SessionKey, Qos)> {
        let after = |last| {
            self.members
                .range((Bound::Excluded(last), Bound::Unbounded))
        };
        let turn = self
            .last
            .map(after)
            .into_iter()
            .flatten()
            .chain(&self.members);
        let mut candidates = turn.map(|(&session, &qos)| (session, qos));
        let fallback = candidates.clone().next();
        let chosen = candidates
            .find(|&(session, _)| reachable(session))
            .or(fallback)?;
        self.last = Some(chosen.0);
        Some(chosen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: SessionKey = SessionKey(1);
    const B: SessionKey = SessionKey(2);
    const C: SessionKey = SessionKey(3);

    fn subscriptions(list: &[(&str, SessionKey, Qos)]) -> Subscriptions {
        let mut subscriptions = Subscriptions::default();
        for &(text, session, qos) in list {
            subscriptions.insert(&Filter::parse(text).unwrap(), session, qos);
        }
        subscriptions
    }

    #[test]
    fn the_tree_agrees_with_plain_matching() {
        let paths = [
            "a", "a/b", "a/+", "a/#", "+/b", "+/+", "#", "+", "/", "/+", "+/#", "a//b", "a/+/b",
            "$s/#", "$s/+", "$s/b", "+/b/#",
        ];
        let topics = [
            "a", "a/b", "a/b/c", "/", "/b", "a//b", "$s/b", "$s", "b", "a/",
        ];
        for path in paths {
            for topic in topics {
                let mut tree = subscriptions(&[(path, A, Qos::AtMostOnce)]);
                let found = !tree.find(topic, |_| true).is_empty();
                assert_eq!(found, topic::matches(path, topic), "{path} on {topic}");
            }
        }
    }

    #[test]
    fn overlapping_filters_give_one_match_at_the_highest_qos() {
        let mut tree = subscriptions(&[
            ("a/+", A, Qos::AtMostOnce),
            ("a/#", A, Qos::ExactlyOnce),
            ("a/b", A, Qos::AtLeastOnce),
            ("a/b", B, Qos::AtMostOnce),
        ]);
        let expected = vec![(A, Qos::ExactlyOnce), (B, Qos::AtMostOnce)];
        assert_eq!(tree.find("a/b", |_| true), expected);
    }

    #[test]
    fn a_group_takes_turns_and_prefers_who_is_reachable() {
        let qos = Qos::AtLeastOnce;
        let list = [
            ("$share/g/t", A, qos),
            ("$share/g/t", B, qos),
            ("$share/g/t", C, qos),
        ];
        let mut tree = subscriptions(&list);
        let mut turn = |reachable: &[SessionKey]| {
            let found = tree.find("t", |session| reachable.contains(&session));
            assert_eq!(found.len(), 1);
            found[0].0
        };
        let all = [A, B, C];
        assert_eq!(
            [turn(&all), turn(&all), turn(&all), turn(&all)],
            [A, B, C, A]
        );
        assert_eq!([turn(&[A, C]), turn(&[A, C])], [C, A]);
        assert_eq!([turn(&[]), turn(&[])], [B, C]);
    }

    #[test]
    fn groups_and_plain_subscribers_do_not_disturb_each_other() {
        let qos = Qos::AtLeastOnce;
        let mut tree = subscriptions(&[
            ("t", A, qos),
            ("$share/g/t", A, qos),
            ("$share/h/t", B, qos),
            ("$queue/t", C, qos),
        ]);
        let mut found = tree.find("t", |_| true);
        found.sort();
        assert_eq!(found, vec![(A, qos), (A, qos), (B, qos), (C, qos)]);
    }

    #[test]
    fn removing_everything_leaves_an_empty_tree() {
        let texts = ["a/b/c", "a/#", "$share/g/a/b", "$queue/x", "+"];
        let list: Vec<_> = texts
            .iter()
            .map(|text| (*text, A, Qos::AtMostOnce))
            .collect();
        let mut tree = subscriptions(&list);
        tree.remove(&Filter::parse("not/there").unwrap(), A);
        tree.remove(&Filter::parse("a/b/c").unwrap(), B);
        for text in texts {
            assert!(!tree.root.is_empty());
            tree.remove(&Filter::parse(text).unwrap(), A);
        }
        assert!(tree.root.is_empty());
    }
}
