//! Retained messages (section 3.3.1.3).

use std::net::SocketAddr;

use atmq_tests::raw_mqtt::{Connect, Publish, RawClient};

checks![
    a_new_subscription_gets_what_is_retained,
    an_existing_subscription_gets_it_without_the_flag,
    the_last_message_is_retained,
    a_message_without_the_flag_changes_nothing,
    an_empty_payload_clears,
    wildcards_get_all_that_is_retained,
    retained_dollar_topics_are_hidden_from_leading_wildcards,
    the_lower_qos_counts,
    subscribing_again_gets_it_again,
];

/// A client that has published these messages and may go on.
fn publisher(broker: SocketAddr, messages: &[Publish]) -> RawClient {
    let mut client = RawClient::connect(broker, &Connect::new("publisher"));
    for message in messages {
        client.publish(message);
    }
    client
}

/// What a new subscription is sent.
#[track_caller]
fn retained_for(broker: SocketAddr, filter: &str) -> Vec<Vec<u8>> {
    let mut client = RawClient::connect(broker, &Connect::new("subscriber"));
    client.subscribe(&[(filter, 0)]);
    client.fence()
}

fn a_new_subscription_gets_what_is_retained(broker: SocketAddr) {
    drop(publisher(broker, &[Publish::new("t", "x").retain()]));
    assert_eq!(
        retained_for(broker, "t"),
        [Publish::new("t", "x").retain().bytes()]
    );
}

fn an_existing_subscription_gets_it_without_the_flag(broker: SocketAddr) {
    let mut client = RawClient::connect(broker, &Connect::new("subscriber"));
    client.subscribe(&[("t", 0)]);
    publisher(broker, &[Publish::new("t", "x").retain()]);
    assert_eq!(client.fence(), [Publish::new("t", "x").bytes()]);
}

fn the_last_message_is_retained(broker: SocketAddr) {
    let messages = ["1", "2", "3"].map(|payload| Publish::new("t", payload).retain());
    publisher(broker, &messages);
    assert_eq!(retained_for(broker, "t"), [messages[2].bytes()]);
}

fn a_message_without_the_flag_changes_nothing(broker: SocketAddr) {
    let kept = Publish::new("t", "kept").retain();
    publisher(
        broker,
        &[
            kept.clone(),
            Publish::new("t", "passing"),
            Publish::new("t", ""),
        ],
    );
    assert_eq!(retained_for(broker, "t"), [kept.bytes()]);
}

fn an_empty_payload_clears(broker: SocketAddr) {
    let mut publisher = publisher(broker, &[Publish::new("t", "x").retain()]);
    let mut client = RawClient::connect(broker, &Connect::new("c"));
    client.subscribe(&[("t", 0)]);
    client.expect(Publish::new("t", "x").retain().bytes());
    publisher.publish(&Publish::new("t", "").retain());
    // To those who are subscribed it is a message like any other.
    client.expect(Publish::new("t", "").bytes());
    assert!(retained_for(broker, "t").is_empty());
}

fn wildcards_get_all_that_is_retained(broker: SocketAddr) {
    let messages =
        ["a", "a/b", "a/b/c", "ab", "b/b"].map(|topic| Publish::new(topic, "x").retain());
    publisher(broker, &messages);
    for (filter, topics) in [
        ("#", &["a", "a/b", "a/b/c", "ab", "b/b"][..]),
        ("a/#", &["a", "a/b", "a/b/c"]),
        ("+/b", &["a/b", "b/b"]),
        ("+", &["a", "ab"]),
        ("c/#", &[]),
    ] {
        let mut received = retained_for(broker, filter);
        let mut expected: Vec<_> = topics
            .iter()
            .map(|topic| Publish::new(topic, "x").retain().bytes())
            .collect();
        received.sort();
        expected.sort();
        assert_eq!(received, expected, "{filter}");
    }
}

fn retained_dollar_topics_are_hidden_from_leading_wildcards(broker: SocketAddr) {
    publisher(broker, &[Publish::new("$x/a", "x").retain()]);
    assert!(retained_for(broker, "#").is_empty());
    assert!(retained_for(broker, "+/a").is_empty());
    assert_eq!(retained_for(broker, "$x/#").len(), 1);
}

fn the_lower_qos_counts(broker: SocketAddr) {
    for (published, granted) in [(2, 1), (1, 2), (2, 2), (1, 0)] {
        publisher(broker, &[Publish::new("t", "x").qos(published, 1).retain()]);
        let mut client = RawClient::connect(broker, &Connect::new("subscriber"));
        client.subscribe(&[("t", granted)]);
        let received = client.accept_publish();
        assert_eq!(
            (received.qos, received.retain),
            (published.min(granted), true)
        );
        client.expect_nothing();
    }
}

fn subscribing_again_gets_it_again(broker: SocketAddr) {
    publisher(broker, &[Publish::new("t", "x").retain()]);
    let mut client = RawClient::connect(broker, &Connect::new("subscriber"));
    for _ in 0..2 {
        client.subscribe(&[("t", 0)]);
        assert_eq!(client.fence(), [Publish::new("t", "x").retain().bytes()]);
    }
}
