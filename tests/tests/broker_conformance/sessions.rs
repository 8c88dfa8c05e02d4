//! Sessions that outlive their connections (sections 3.1.2.4 and 4.4).

use std::net::SocketAddr;

use atmq_tests::raw_mqtt::{
    Connect, DISCONNECT, Publish, RawClient, packet, puback, pubcomp, pubrec, pubrel,
};

checks![
    a_new_session_is_not_present,
    a_kept_session_is_present,
    a_clean_session_forgets_the_one_before,
    a_clean_session_is_not_kept,
    subscriptions_are_kept,
    messages_queue_while_the_client_is_away,
    messages_queue_for_mqtt_3_1_too,
    an_abruptly_closed_session_is_kept,
    an_unacknowledged_qos_1_message_is_sent_again,
    an_unacknowledged_qos_2_message_is_sent_again,
    a_pubrel_is_sent_again,
    what_is_acknowledged_is_not_sent_again,
    unfinished_messages_come_again_in_order,
    a_received_qos_2_packet_id_is_remembered,
    a_takeover_continues_the_session,
    a_clean_connect_drops_what_is_queued,
];

fn persistent(client_id: &str) -> Connect {
    Connect::new(client_id).persistent()
}

/// A persistent session that is subscribed to `t` at QoS 2.
#[track_caller]
fn subscribed(broker: SocketAddr) -> RawClient {
    let mut client = RawClient::connect(broker, &persistent("c"));
    client.subscribe(&[("t", 2)]);
    client
}

#[track_caller]
fn leave(mut client: RawClient) {
    client.send(DISCONNECT);
    client.expect_closed();
}

/// Publishes to `t`, each payload at its QoS.
#[track_caller]
fn publish(broker: SocketAddr, messages: &[(&str, u8)]) {
    let mut publisher = RawClient::connect(broker, &Connect::new("publisher"));
    for (index, (payload, qos)) in (1..).zip(messages) {
        publisher.publish(&Publish::new("t", payload).qos(*qos, if *qos == 0 { 0 } else { index }));
    }
}

fn a_new_session_is_not_present(broker: SocketAddr) {
    RawClient::connect(broker, &persistent("c")).expect_nothing();
}

fn a_kept_session_is_present(broker: SocketAddr) {
    leave(RawClient::connect(broker, &persistent("c")));
    RawClient::resume(broker, &persistent("c")).expect_nothing();
    RawClient::connect(broker, &persistent("d")).expect_nothing();
}

fn a_clean_session_forgets_the_one_before(broker: SocketAddr) {
    leave(subscribed(broker));
    leave(RawClient::connect(broker, &Connect::new("c")));
    let mut client = RawClient::connect(broker, &persistent("c"));
    publish(broker, &[("x", 1)]);
    client.expect_nothing();
}

fn a_clean_session_is_not_kept(broker: SocketAddr) {
    let mut client = RawClient::connect(broker, &Connect::new("c"));
    client.subscribe(&[("t", 1)]);
    leave(client);
    let mut client = RawClient::connect(broker, &persistent("c"));
    publish(broker, &[("x", 1)]);
    client.expect_nothing();
}

fn subscriptions_are_kept(broker: SocketAddr) {
    leave(subscribed(broker));
    let mut client = RawClient::resume(broker, &persistent("c"));
    publish(broker, &[("x", 2)]);
    assert_eq!(client.accept_publish().qos, 2);
}

/// Whether QoS 0 messages are kept is the broker's choice.
fn messages_queue_while_the_client_is_away(broker: SocketAddr) {
    leave(subscribed(broker));
    publish(broker, &[("1", 1), ("2", 2), ("0", 0), ("3", 1), ("4", 2)]);
    let mut client = RawClient::resume(broker, &persistent("c"));
    let mut received = Vec::new();
    while received.len() < 4 {
        let publish = client.expect_publish();
        assert!(!publish.dup && !publish.retain, "{publish:?}");
        if publish.qos > 0 {
            received.push((
                String::from_utf8(publish.payload).expect("it is text"),
                publish.qos,
            ));
        }
    }
    let expected = [("1", 1), ("2", 2), ("3", 1), ("4", 2)];
    assert_eq!(
        received,
        expected.map(|(payload, qos)| (payload.to_owned(), qos))
    );
}

fn messages_queue_for_mqtt_3_1_too(broker: SocketAddr) {
    let connect = persistent("c").level_3();
    let mut client = RawClient::connect(broker, &connect);
    client.subscribe(&[("t", 1)]);
    leave(client);
    publish(broker, &[("x", 1)]);
    let mut client = RawClient::open(broker);
    client.send(connect.bytes());
    // MQTT 3.1 reserves the byte that later came to hold the flag.
    let answer = client.receive();
    assert!(
        answer == packet(0x20, &[0, 0]) || answer == packet(0x20, &[1, 0]),
        "{answer:?}"
    );
    assert_eq!(client.accept_publish().payload, b"x");
}

fn an_abruptly_closed_session_is_kept(broker: SocketAddr) {
    drop(subscribed(broker));
    publish(broker, &[("x", 1)]);
    let mut client = RawClient::resume(broker, &persistent("c"));
    assert_eq!(client.accept_publish().payload, b"x");
}

fn an_unacknowledged_qos_1_message_is_sent_again(broker: SocketAddr) {
    let mut client = subscribed(broker);
    publish(broker, &[("x", 1)]);
    let first = client.expect_publish();
    assert!(!first.dup);
    leave(client);
    let mut client = RawClient::resume(broker, &persistent("c"));
    assert_eq!(client.accept_publish(), first.dup());
}

fn an_unacknowledged_qos_2_message_is_sent_again(broker: SocketAddr) {
    let mut client = subscribed(broker);
    publish(broker, &[("x", 2)]);
    let first = client.expect_publish();
    assert!(!first.dup);
    leave(client);
    let mut client = RawClient::resume(broker, &persistent("c"));
    assert_eq!(client.accept_publish(), first.dup());
}

fn a_pubrel_is_sent_again(broker: SocketAddr) {
    let mut client = subscribed(broker);
    publish(broker, &[("x", 2)]);
    let id = client.expect_publish().id;
    client.send(pubrec(id));
    client.expect(pubrel(id));
    leave(client);
    let mut client = RawClient::resume(broker, &persistent("c"));
    client.expect(pubrel(id));
    client.send(pubcomp(id));
    client.expect_nothing();
}

fn what_is_acknowledged_is_not_sent_again(broker: SocketAddr) {
    let mut client = subscribed(broker);
    publish(broker, &[("x", 1), ("y", 2)]);
    client.accept_publish();
    client.accept_publish();
    client.expect_nothing();
    leave(client);
    RawClient::resume(broker, &persistent("c")).expect_nothing();
}

fn unfinished_messages_come_again_in_order(broker: SocketAddr) {
    let mut client = subscribed(broker);
    publish(broker, &[("1", 1), ("2", 1), ("3", 1), ("4", 1)]);
    let sent: Vec<_> = (0..4).map(|_| client.expect_publish()).collect();
    client.send(puback(sent[1].id));
    client.expect_nothing();
    leave(client);
    publish(broker, &[("5", 1)]);
    let mut client = RawClient::resume(broker, &persistent("c"));
    for index in [0, 2, 3] {
        assert_eq!(client.accept_publish(), sent[index].clone().dup());
    }
    let last = client.accept_publish();
    assert_eq!((last.payload.as_slice(), last.dup), (&b"5"[..], false));
}

fn a_received_qos_2_packet_id_is_remembered(broker: SocketAddr) {
    let mut subscriber = RawClient::connect(broker, &Connect::new("subscriber"));
    subscriber.subscribe(&[("t", 0)]);
    let mut client = RawClient::connect(broker, &persistent("c"));
    client.send(Publish::new("t", "x").qos(2, 9).bytes());
    client.expect(pubrec(9));
    leave(client);
    let mut client = RawClient::resume(broker, &persistent("c"));
    client.publish(&Publish::new("t", "x").qos(2, 9).dup());
    assert_eq!(subscriber.fence(), [Publish::new("t", "x").bytes()]);
}

fn a_takeover_continues_the_session(broker: SocketAddr) {
    let mut old = subscribed(broker);
    publish(broker, &[("x", 1)]);
    let first = old.expect_publish();
    let mut new = RawClient::resume(broker, &persistent("c"));
    assert_eq!(new.accept_publish(), first.dup());
    old.expect_closed();
    publish(broker, &[("y", 1)]);
    assert_eq!(new.accept_publish().payload, b"y");
}

fn a_clean_connect_drops_what_is_queued(broker: SocketAddr) {
    leave(subscribed(broker));
    publish(broker, &[("x", 1)]);
    RawClient::connect(broker, &Connect::new("c")).expect_nothing();
}
