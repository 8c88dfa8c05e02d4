//! PUBLISH and its acknowledgements, both ways.

use std::net::SocketAddr;

use atmq_tests::raw_mqtt::{Connect, Publish, RawClient, puback, pubcomp, pubrec, pubrel};

checks![
    qos_0_is_delivered_at_every_subscription,
    qos_1_is_delivered_at_the_lower_qos,
    qos_2_is_delivered_at_the_lower_qos,
    any_bytes_are_delivered,
    an_empty_payload_is_delivered,
    long_payloads_are_delivered,
    a_publisher_may_subscribe_to_itself,
    a_repeated_qos_1_publish_is_acknowledged_again,
    a_repeated_qos_2_publish_is_delivered_once,
    a_qos_2_packet_id_can_be_used_again,
    pubrel_of_nothing_gets_pubcomp,
    pubrel_may_be_repeated,
    a_repeated_pubrec_gets_pubrel_again,
    acknowledgements_of_nothing_are_ignored,
    qos_0_keeps_its_order,
    qos_1_keeps_its_order,
    qos_2_keeps_its_order,
    unacknowledged_messages_do_not_block_qos_0,
];

fn pair(broker: SocketAddr, filter: &str, qos: u8) -> (RawClient, RawClient) {
    let publisher = RawClient::connect(broker, &Connect::new("publisher"));
    let mut subscriber = RawClient::connect(broker, &Connect::new("subscriber"));
    subscriber.subscribe(&[(filter, qos)]);
    (publisher, subscriber)
}

#[track_caller]
fn check_delivery(broker: SocketAddr, qos: u8) {
    for granted in 0..=2 {
        let (mut publisher, mut subscriber) = pair(broker, "t", granted);
        publisher.publish(&Publish::new("t", "x").qos(qos, 10));
        let received = subscriber.accept_publish();
        let expected = Publish::new("t", "x").qos(qos.min(granted), received.id);
        assert_eq!(
            received, expected,
            "published at QoS {qos}, granted {granted}"
        );
        assert_eq!(received.id == 0, received.qos == 0);
        subscriber.expect_nothing();
    }
}

#[track_caller]
fn check_payload(broker: SocketAddr, payload: &[u8]) {
    for qos in 0..=2 {
        let (mut publisher, mut subscriber) = pair(broker, "t", 2);
        publisher.publish(&Publish::new("t", payload).qos(qos, 1));
        assert!(subscriber.accept_publish().payload == payload, "QoS {qos}");
    }
}

#[track_caller]
fn check_order(broker: SocketAddr, qos: u8) {
    let (mut publisher, mut subscriber) = pair(broker, "t", qos);
    let messages: Vec<_> = (1..=50)
        .map(|id| Publish::new("t", id.to_string()).qos(qos, id))
        .collect();
    // In batches, because a broker may limit how many exchanges are open at once.
    for batch in messages.chunks(10) {
        publisher.send(batch.iter().flat_map(Publish::bytes).collect::<Vec<_>>());
        let ids: Vec<u16> = batch.iter().map(|publish| publish.id).collect();
        match qos {
            0 => publisher.expect_nothing(),
            1 => ids.iter().for_each(|id| publisher.expect(puback(*id))),
            _ => {
                ids.iter().for_each(|id| publisher.expect(pubrec(*id)));
                publisher.send(ids.iter().flat_map(|id| pubrel(*id)).collect::<Vec<_>>());
                ids.iter().for_each(|id| publisher.expect(pubcomp(*id)));
            }
        }
        // The subscriber leaves its exchanges open until the batch is complete.
        let received: Vec<_> = batch.iter().map(|_| subscriber.expect_publish()).collect();
        let payloads =
            |list: &[Publish]| list.iter().map(|p| p.payload.clone()).collect::<Vec<_>>();
        assert_eq!(payloads(&received), payloads(batch));
        let ids: Vec<u16> = received.iter().map(|publish| publish.id).collect();
        match qos {
            0 => {}
            1 => subscriber.send(ids.iter().flat_map(|id| puback(*id)).collect::<Vec<_>>()),
            _ => {
                subscriber.send(ids.iter().flat_map(|id| pubrec(*id)).collect::<Vec<_>>());
                ids.iter().for_each(|id| subscriber.expect(pubrel(*id)));
                subscriber.send(ids.iter().flat_map(|id| pubcomp(*id)).collect::<Vec<_>>());
            }
        }
    }
}

fn qos_0_is_delivered_at_every_subscription(broker: SocketAddr) {
    check_delivery(broker, 0);
}

fn qos_1_is_delivered_at_the_lower_qos(broker: SocketAddr) {
    check_delivery(broker, 1);
}

fn qos_2_is_delivered_at_the_lower_qos(broker: SocketAddr) {
    check_delivery(broker, 2);
}

fn any_bytes_are_delivered(broker: SocketAddr) {
    let payload: Vec<u8> = (0..=255).chain(*b"\r\nOK\r\n\x1A\"\"").collect();
    check_payload(broker, &payload);
}

fn an_empty_payload_is_delivered(broker: SocketAddr) {
    check_payload(broker, b"");
}

/// The lengths at which the remaining length takes one byte more.
fn long_payloads_are_delivered(broker: SocketAddr) {
    for length in [120, 128, 16_380, 16_384, 100_000] {
        check_payload(broker, &vec![0xA5; length]);
    }
}

fn a_publisher_may_subscribe_to_itself(broker: SocketAddr) {
    let mut client = RawClient::connect(broker, &Connect::new("c"));
    client.subscribe(&[("t", 0)]);
    client.send(Publish::new("t", "x").bytes());
    assert_eq!(client.fence(), [Publish::new("t", "x").bytes()]);
}

/// Delivering it again as well is allowed (section 4.3.2).
fn a_repeated_qos_1_publish_is_acknowledged_again(broker: SocketAddr) {
    let (mut publisher, mut subscriber) = pair(broker, "t", 0);
    let publish = Publish::new("t", "x").qos(1, 5);
    publisher.publish(&publish);
    publisher.publish(&publish.dup());
    let packets = subscriber.fence();
    assert!(matches!(packets.len(), 1 | 2), "{packets:?}");
    assert!(
        packets
            .iter()
            .all(|packet| *packet == Publish::new("t", "x").bytes())
    );
}

fn a_repeated_qos_2_publish_is_delivered_once(broker: SocketAddr) {
    let (mut publisher, mut subscriber) = pair(broker, "t", 2);
    let publish = Publish::new("t", "x").qos(2, 5);
    publisher.send(publish.bytes());
    publisher.expect(pubrec(5));
    publisher.publish(&publish.dup());
    assert!(
        !subscriber.accept_publish().dup,
        "the publisher's DUP was passed on"
    );
    subscriber.expect_nothing();
}

fn a_qos_2_packet_id_can_be_used_again(broker: SocketAddr) {
    let (mut publisher, mut subscriber) = pair(broker, "t", 2);
    for payload in ["one", "two"] {
        publisher.publish(&Publish::new("t", payload).qos(2, 5));
        assert_eq!(subscriber.accept_publish().payload, payload.as_bytes());
    }
}

fn pubrel_of_nothing_gets_pubcomp(broker: SocketAddr) {
    let mut client = RawClient::connect(broker, &Connect::new("c"));
    client.send(pubrel(77));
    client.expect(pubcomp(77));
}

fn pubrel_may_be_repeated(broker: SocketAddr) {
    let (mut publisher, mut subscriber) = pair(broker, "t", 2);
    publisher.publish(&Publish::new("t", "x").qos(2, 5));
    publisher.send(pubrel(5));
    publisher.expect(pubcomp(5));
    subscriber.accept_publish();
    subscriber.expect_nothing();
}

fn a_repeated_pubrec_gets_pubrel_again(broker: SocketAddr) {
    let (mut publisher, mut subscriber) = pair(broker, "t", 2);
    publisher.publish(&Publish::new("t", "x").qos(2, 5));
    let id = subscriber.expect_publish().id;
    for _ in 0..2 {
        subscriber.send(pubrec(id));
        subscriber.expect(pubrel(id));
    }
    subscriber.send(pubcomp(id));
    subscriber.expect_nothing();
}

fn acknowledgements_of_nothing_are_ignored(broker: SocketAddr) {
    let (mut publisher, mut subscriber) = pair(broker, "t", 1);
    subscriber.send([puback(99), pubcomp(99)].concat());
    subscriber.expect_nothing();
    publisher.publish(&Publish::new("t", "x").qos(1, 5));
    let id = subscriber.accept_publish().id;
    subscriber.send(puback(id));
    subscriber.expect_nothing();
}

fn qos_0_keeps_its_order(broker: SocketAddr) {
    check_order(broker, 0);
}

fn qos_1_keeps_its_order(broker: SocketAddr) {
    check_order(broker, 1);
}

fn qos_2_keeps_its_order(broker: SocketAddr) {
    check_order(broker, 2);
}

fn unacknowledged_messages_do_not_block_qos_0(broker: SocketAddr) {
    let (mut publisher, mut subscriber) = pair(broker, "t", 1);
    for id in 1..=60 {
        publisher.publish(&Publish::new("t", "kept waiting").qos(1, id));
    }
    publisher.publish(&Publish::new("t", "not"));
    let packets = subscriber.fence();
    assert!(packets.contains(&Publish::new("t", "not").bytes()));
}
