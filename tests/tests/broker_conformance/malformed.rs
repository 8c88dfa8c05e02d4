//! Packets that no client may send: the broker closes the connection (section 4.8) and goes on
//! serving the others.

use std::net::SocketAddr;
use std::time::Duration;

use atmq_tests::raw_mqtt::{
    ACCEPTED, Connect, PINGREQ, PINGRESP, Publish, RawClient, Received, field, packet, suback,
    subscribe, unsuback, unsubscribe,
};

checks![
    publish_at_qos_3_closes,
    publish_to_an_empty_topic_closes,
    publish_to_a_wildcard_closes,
    publish_with_packet_id_0_closes,
    publish_to_a_topic_that_is_not_utf_8_closes,
    publish_to_a_topic_with_nul_closes,
    publish_to_a_topic_with_control_characters_closes,
    subscribe_to_a_filter_with_control_characters_closes,
    publish_cut_short_closes,
    subscribe_without_filters_closes,
    subscribe_with_packet_id_0_closes,
    subscribe_at_qos_3_closes,
    subscribe_with_reserved_qos_bits_closes,
    subscribe_with_wrong_flags_closes,
    subscribe_with_a_misplaced_wildcard_is_refused,
    subscribe_to_a_filter_that_is_not_utf_8_closes,
    subscribe_cut_short_closes,
    unsubscribe_without_filters_closes,
    unsubscribe_with_packet_id_0_closes,
    unsubscribe_with_wrong_flags_closes,
    pubrel_with_wrong_flags_closes,
    reserved_packet_types_close,
    packets_of_a_broker_are_not_obeyed,
    a_remaining_length_of_five_bytes_closes,
    the_broker_survives_a_packet_cut_off_by_the_end,
];

/// Sends packets, each on a connection of its own, and expects each to be closed.
#[track_caller]
fn check_closes(broker: SocketAddr, packets: &[Vec<u8>]) {
    let mut observer = RawClient::connect(broker, &Connect::new("observer"));
    observer.subscribe(&[("#", 0)]);
    for packet in packets {
        let mut client = RawClient::connect(broker, &Connect::new("c"));
        client.send(packet);
        client.expect_closed();
        observer.expect_nothing();
    }
}

fn publish_at_qos_3_closes(broker: SocketAddr) {
    check_closes(broker, &[Publish::new("t", "x").qos(3, 1).bytes()]);
}

fn publish_to_an_empty_topic_closes(broker: SocketAddr) {
    check_closes(broker, &[Publish::new("", "x").bytes()]);
}

fn publish_to_a_wildcard_closes(broker: SocketAddr) {
    let topics = ["#", "+", "a/+/b", "a/#", "a+"];
    check_closes(
        broker,
        &topics.map(|topic| Publish::new(topic, "x").bytes()),
    );
}

fn publish_with_packet_id_0_closes(broker: SocketAddr) {
    let publish = Publish::new("t", "x");
    check_closes(
        broker,
        &[publish.clone().qos(1, 0).bytes(), publish.qos(2, 0).bytes()],
    );
}

fn publish_to_a_topic_that_is_not_utf_8_closes(broker: SocketAddr) {
    // A stray continuation byte, an overlong form, a surrogate, a code point beyond the last.
    for topic in [
        &[0x80][..],
        &[0xC0, 0xAF],
        &[0xED, 0xA0, 0x80],
        &[0xF5, 0x80, 0x80, 0x80],
    ] {
        check_closes(broker, &[packet(0x30, &field(topic))]);
    }
}

const CONTROLS: [&str; 8] = [
    "a\nb",
    "a\r\nRDY\r\n",
    "\u{1}",
    "\u{1f}",
    "\u{7f}",
    "\u{9f}",
    "\u{fdd0}",
    "\u{1ffff}",
];

fn publish_to_a_topic_with_control_characters_closes(broker: SocketAddr) {
    let packets = CONTROLS.map(|topic| Publish::new(topic, "x").bytes());
    check_closes(broker, &packets);
}

fn subscribe_to_a_filter_with_control_characters_closes(broker: SocketAddr) {
    check_closes(broker, &CONTROLS.map(|filter| subscribe(1, &[(filter, 0)])));
}

fn publish_to_a_topic_with_nul_closes(broker: SocketAddr) {
    check_closes(broker, &[Publish::new("a\0b", "x").bytes()]);
}

fn publish_cut_short_closes(broker: SocketAddr) {
    let without_id = packet(0x32, &field("t"));
    check_closes(
        broker,
        &[packet(0x30, b"\0\x05t"), packet(0x30, b"\0"), without_id],
    );
}

fn subscribe_without_filters_closes(broker: SocketAddr) {
    check_closes(broker, &[subscribe(1, &[])]);
}

fn subscribe_with_packet_id_0_closes(broker: SocketAddr) {
    check_closes(broker, &[subscribe(0, &[("t", 0)])]);
}

fn subscribe_at_qos_3_closes(broker: SocketAddr) {
    check_closes(broker, &[subscribe(1, &[("t", 3)])]);
}

fn subscribe_with_reserved_qos_bits_closes(broker: SocketAddr) {
    check_closes(
        broker,
        &[subscribe(1, &[("t", 0x04)]), subscribe(1, &[("t", 0x81)])],
    );
}

fn subscribe_with_wrong_flags_closes(broker: SocketAddr) {
    let body = [&[0, 1][..], &field("t"), &[0]].concat();
    check_closes(broker, &[packet(0x80, &body), packet(0x83, &body)]);
}

/// With the end, or with return code 0x80: the standard names neither.
fn subscribe_with_a_misplaced_wildcard_is_refused(broker: SocketAddr) {
    for filter in ["a/#/b", "a#", "#a", "a+", "+a/b", ""] {
        let mut client = RawClient::connect(broker, &Connect::new("c"));
        client.send(subscribe(1, &[(filter, 0)]));
        match client.receive_within(Duration::from_secs(5)) {
            Received::Closed => {}
            Received::Packet(answer) => {
                assert_eq!(answer, packet(0x90, &[0, 1, 0x80]), "{filter}");
            }
            Received::Nothing => panic!("no answer to {filter}"),
        }
    }
}

fn subscribe_to_a_filter_that_is_not_utf_8_closes(broker: SocketAddr) {
    let body = [&[0, 1][..], &field([0xC3, 0x28]), &[0]].concat();
    check_closes(broker, &[packet(0x82, &body)]);
}

fn subscribe_cut_short_closes(broker: SocketAddr) {
    check_closes(
        broker,
        &[
            packet(0x82, b"\0\x01\0\x01t"),
            packet(0x82, b"\0\x01\0\x09t\0"),
            packet(0x82, b"\0"),
        ],
    );
}

fn unsubscribe_without_filters_closes(broker: SocketAddr) {
    check_closes(broker, &[unsubscribe(1, &[])]);
}

fn unsubscribe_with_packet_id_0_closes(broker: SocketAddr) {
    check_closes(broker, &[unsubscribe(0, &["t"])]);
}

fn unsubscribe_with_wrong_flags_closes(broker: SocketAddr) {
    check_closes(
        broker,
        &[packet(0xA0, &[&[0, 1][..], &field("t")].concat())],
    );
}

fn pubrel_with_wrong_flags_closes(broker: SocketAddr) {
    check_closes(broker, &[packet(0x60, &[0, 1])]);
}

fn reserved_packet_types_close(broker: SocketAddr) {
    check_closes(broker, &[packet(0x00, &[]), packet(0xF0, &[])]);
}

/// With the end, or by ignoring them: the standard forbids them without saying what follows.
fn packets_of_a_broker_are_not_obeyed(broker: SocketAddr) {
    for packet in [
        ACCEPTED.to_vec(),
        suback(1, &[0]),
        unsuback(1),
        PINGRESP.to_vec(),
    ] {
        let mut client = RawClient::connect(broker, &Connect::new("c"));
        client.try_send(packet);
        client.try_send(PINGREQ);
        match client.receive_within(Duration::from_secs(5)) {
            Received::Closed => {}
            received => assert_eq!(received, Received::Packet(PINGRESP.to_vec())),
        }
    }
}

fn a_remaining_length_of_five_bytes_closes(broker: SocketAddr) {
    check_closes(broker, &[vec![0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]]);
}

fn the_broker_survives_a_packet_cut_off_by_the_end(broker: SocketAddr) {
    let mut client = RawClient::connect(broker, &Connect::new("c"));
    client.send(&Publish::new("t", "x").bytes()[..4]);
    drop(client);
    let mut client = RawClient::connect(broker, &Connect::new("c"));
    client.send(PINGREQ);
    client.expect(PINGRESP);
}
