//! SUBSCRIBE, UNSUBSCRIBE, and what topic filters match.

use std::net::SocketAddr;

use atmq_tests::raw_mqtt::{
    Connect, DISCONNECT, Publish, RawClient, suback, subscribe, unsuback, unsubscribe,
};

checks![
    every_filter_of_a_subscribe_is_answered,
    a_single_level_wildcard_matches_one_level,
    a_multi_level_wildcard_matches_the_rest,
    names_match_exactly,
    dollar_topics_are_hidden_from_leading_wildcards,
    dollar_topics_can_be_named,
    overlapping_filters_deliver_at_the_highest_qos,
    subscribing_again_replaces_the_qos,
    unsubscribing_ends_the_delivery,
    unsubscribing_what_is_not_subscribed_is_acknowledged,
    subscribers_do_not_disturb_each_other,
    a_shared_message_goes_to_one_member,
    a_shared_group_survives_a_member,
    shared_groups_are_independent,
    leaving_a_shared_group_ends_the_delivery,
];

/// Subscribes to each filter and publishes to each topic that it shall match, or not match.
#[track_caller]
fn check_matches(broker: SocketAddr, list: &[(&str, &str, bool)]) {
    let mut client = RawClient::connect(broker, &Connect::new("c"));
    for &(filter, topic, expected) in list {
        client.subscribe(&[(filter, 0)]);
        client.send(Publish::new(topic, "x").bytes());
        let received = client.fence();
        let delivered = vec![Publish::new(topic, "x").bytes()];
        let expected = if expected { delivered } else { Vec::new() };
        assert_eq!(
            received, expected,
            "{topic} with a subscription to {filter}"
        );
        client.send(unsubscribe(1, &[filter]));
        client.expect(unsuback(1));
    }
}

fn member(broker: SocketAddr, client_id: &str, filter: &str) -> RawClient {
    let mut client = RawClient::connect(broker, &Connect::new(client_id));
    client.subscribe(&[(filter, 1)]);
    client
}

fn publish_ten(broker: SocketAddr, topic: &str) {
    let mut publisher = RawClient::connect(broker, &Connect::new("publisher"));
    for id in 1..=10 {
        publisher.publish(&Publish::new(topic, id.to_string()).qos(1, id));
    }
}

/// Sorted payloads of everything that has come.
fn payloads(clients: &mut [&mut RawClient]) -> Vec<u16> {
    let packets = clients.iter_mut().flat_map(|client| client.fence());
    let publishes = packets.map(|packet| Publish::read(&packet).expect("only PUBLISH comes"));
    let texts =
        publishes.map(|publish| String::from_utf8(publish.payload).expect("it is a number"));
    let mut payloads: Vec<u16> = texts
        .map(|text| text.parse().expect("it is a number"))
        .collect();
    payloads.sort_unstable();
    payloads
}

fn every_filter_of_a_subscribe_is_answered(broker: SocketAddr) {
    let mut client = RawClient::connect(broker, &Connect::new("c"));
    client.send(subscribe(
        0xFFFF,
        &[("a", 0), ("b/+", 1), ("#", 2), ("a", 1)],
    ));
    client.expect(suback(0xFFFF, &[0, 1, 2, 1]));
}

fn a_single_level_wildcard_matches_one_level(broker: SocketAddr) {
    check_matches(
        broker,
        &[
            ("+", "a", true),
            ("+", "a/b", false),
            ("+", "/a", false),
            ("a/+", "a/b", true),
            ("a/+", "a/b/c", false),
            ("a/+", "a", false),
            ("a/+", "a/", true),
            ("+/b", "a/b", true),
            ("a/+/c", "a/b/c", true),
            ("a/+/c", "a/b/d", false),
            ("+/+", "/a", true),
            ("/+", "/a", true),
        ],
    );
}

fn a_multi_level_wildcard_matches_the_rest(broker: SocketAddr) {
    check_matches(
        broker,
        &[
            ("#", "a", true),
            ("#", "a/b/c", true),
            ("#", "/a", true),
            ("a/#", "a", true),
            ("a/#", "a/b", true),
            ("a/#", "a/b/c", true),
            ("a/#", "ab", false),
            ("a/#", "b/a", false),
            ("+/b/#", "a/b", true),
            ("+/b/#", "a/b/c", true),
            ("+/b/#", "a/c", false),
            ("+/#", "a", true),
        ],
    );
}

fn names_match_exactly(broker: SocketAddr) {
    check_matches(
        broker,
        &[
            ("a/b", "a/b", true),
            ("a/b", "a/B", false),
            ("a/b", "/a/b", false),
            ("a/b", "a/b/", false),
            ("a b", "a b", true),
            ("a", "a ", false),
            ("größe/温度", "größe/温度", true),
            ("a//b", "a//b", true),
            ("a//b", "a/b", false),
        ],
    );
}

fn dollar_topics_are_hidden_from_leading_wildcards(broker: SocketAddr) {
    check_matches(
        broker,
        &[
            ("#", "$x/a", false),
            ("+/a", "$x/a", false),
            ("+/#", "$x/a", false),
        ],
    );
}

fn dollar_topics_can_be_named(broker: SocketAddr) {
    check_matches(
        broker,
        &[
            ("$x/a", "$x/a", true),
            ("$x/#", "$x/a", true),
            ("$x/+", "$x/a", true),
        ],
    );
}

/// One copy, or one for each subscription (section 3.3.5).
fn overlapping_filters_deliver_at_the_highest_qos(broker: SocketAddr) {
    let mut subscriber = RawClient::connect(broker, &Connect::new("subscriber"));
    subscriber.subscribe(&[("a/#", 0), ("a/b", 2), ("+/b", 1)]);
    let mut publisher = RawClient::connect(broker, &Connect::new("publisher"));
    publisher.publish(&Publish::new("a/b", "x").qos(2, 1));
    let packets = subscriber.fence();
    let mut qos: Vec<u8> = packets
        .iter()
        .map(|packet| Publish::read(packet).expect("only PUBLISH comes").qos)
        .collect();
    qos.sort_unstable();
    assert!(qos == [2] || qos == [0, 1, 2], "received at QoS {qos:?}");
}

fn subscribing_again_replaces_the_qos(broker: SocketAddr) {
    let mut client = RawClient::connect(broker, &Connect::new("c"));
    client.subscribe(&[("t", 2)]);
    client.subscribe(&[("t", 0)]);
    let mut publisher = RawClient::connect(broker, &Connect::new("publisher"));
    publisher.publish(&Publish::new("t", "x").qos(1, 1));
    assert_eq!(client.fence(), [Publish::new("t", "x").bytes()]);
}

fn unsubscribing_ends_the_delivery(broker: SocketAddr) {
    let mut client = RawClient::connect(broker, &Connect::new("c"));
    client.subscribe(&[("a", 1), ("b/#", 1), ("c", 0)]);
    client.send(unsubscribe(3, &["a", "b/#"]));
    client.expect(unsuback(3));
    for topic in ["a", "b/x", "c"] {
        client.send(Publish::new(topic, "x").bytes());
    }
    assert_eq!(client.fence(), [Publish::new("c", "x").bytes()]);
}

fn unsubscribing_what_is_not_subscribed_is_acknowledged(broker: SocketAddr) {
    let mut client = RawClient::connect(broker, &Connect::new("c"));
    client.send(unsubscribe(3, &["never", "seen/#"]));
    client.expect(unsuback(3));
}

fn subscribers_do_not_disturb_each_other(broker: SocketAddr) {
    let mut one = member(broker, "one", "t");
    let mut two = member(broker, "two", "+");
    let mut gone = member(broker, "gone", "t");
    gone.send(unsubscribe(1, &["t"]));
    gone.expect(unsuback(1));
    publish_ten(broker, "t");
    let all: Vec<u16> = (1..=10).collect();
    assert_eq!(payloads(&mut [&mut one]), all);
    assert_eq!(payloads(&mut [&mut two]), all);
    gone.expect_nothing();
}

fn a_shared_message_goes_to_one_member(broker: SocketAddr) {
    let mut one = member(broker, "one", "$share/group/t/+");
    let mut two = member(broker, "two", "$share/group/t/+");
    let mut all = member(broker, "all", "t/+");
    publish_ten(broker, "t/x");
    let expected: Vec<u16> = (1..=10).collect();
    assert_eq!(payloads(&mut [&mut one, &mut two]), expected);
    assert_eq!(payloads(&mut [&mut all]), expected);
}

fn a_shared_group_survives_a_member(broker: SocketAddr) {
    let mut one = member(broker, "one", "$share/group/t");
    let mut two = member(broker, "two", "$share/group/t");
    two.send(DISCONNECT);
    two.expect_closed();
    publish_ten(broker, "t");
    assert_eq!(payloads(&mut [&mut one]), (1..=10).collect::<Vec<u16>>());
}

fn shared_groups_are_independent(broker: SocketAddr) {
    let mut one = member(broker, "one", "$share/group/t");
    let mut two = member(broker, "two", "$share/other/t");
    publish_ten(broker, "t");
    let expected: Vec<u16> = (1..=10).collect();
    assert_eq!(payloads(&mut [&mut one]), expected);
    assert_eq!(payloads(&mut [&mut two]), expected);
}

fn leaving_a_shared_group_ends_the_delivery(broker: SocketAddr) {
    let mut one = member(broker, "one", "$share/group/t");
    one.send(unsubscribe(1, &["$share/group/t"]));
    one.expect(unsuback(1));
    publish_ten(broker, "t");
    one.expect_nothing();
}
