//! CONNECT, keep-alive, DISCONNECT.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use atmq_tests::raw_mqtt::{
    ACCEPTED, Connect, DISCONNECT, PINGREQ, PINGRESP, Publish, RawClient, Received, packet, suback,
    subscribe,
};

checks![
    connect_is_accepted,
    connect_of_mqtt_3_1_is_accepted,
    a_login_is_accepted,
    a_long_client_id_is_accepted,
    an_unknown_protocol_level_gets_return_code_1,
    the_level_of_the_other_protocol_name_gets_return_code_1,
    another_protocol_is_refused,
    a_packet_before_connect_closes,
    a_second_connect_closes,
    the_reserved_connect_flag_closes,
    a_will_of_qos_3_closes,
    will_flags_without_a_will_close,
    a_password_without_a_user_name_closes,
    connect_cut_short_closes,
    a_client_id_that_is_not_utf_8_is_refused,
    an_empty_client_id_is_replaced,
    an_empty_client_id_without_clean_session_gets_return_code_2,
    an_empty_client_id_in_mqtt_3_1_gets_return_code_2,
    the_same_client_id_takes_over,
    a_ping_is_answered,
    packets_may_follow_connect_at_once,
    packets_may_come_byte_by_byte,
    silence_beyond_the_keep_alive_closes,
    disconnect_closes,
];

/// CONNACK that refuses.
fn refusal(code: u8) -> Vec<u8> {
    packet(0x20, &[0, code])
}

/// Expects CONNACK with this code and then the end (section 3.2.2.3).
#[track_caller]
fn expect_refusal(broker: SocketAddr, connect: &Connect, code: u8) {
    let mut client = RawClient::open(broker);
    client.send(connect.bytes());
    client.expect(refusal(code));
    client.expect_closed();
}

/// Expects the end, and at most a CONNACK that refuses before it.
#[track_caller]
fn expect_end(broker: SocketAddr, packet: impl AsRef<[u8]>) {
    let mut client = RawClient::open(broker);
    client.send(packet);
    match client.receive_within(Duration::from_secs(5)) {
        Received::Closed => {}
        Received::Packet(answer) if answer.len() == 4 && answer[0] == 0x20 && answer[3] != 0 => {
            client.expect_closed();
        }
        other => panic!("expected the connection to be refused: {other:02x?}"),
    }
}

fn connect_is_accepted(broker: SocketAddr) {
    RawClient::connect(broker, &Connect::new("c")).expect_nothing();
}

fn connect_of_mqtt_3_1_is_accepted(broker: SocketAddr) {
    let mut client = RawClient::connect(broker, &Connect::new("c").level_3());
    client.subscribe(&[("t", 1)]);
    client.publish(&Publish::new("other", "x").qos(1, 1));
}

fn a_login_is_accepted(broker: SocketAddr) {
    RawClient::connect(broker, &Connect::new("c").login("user", "password")).expect_nothing();
}

fn a_long_client_id_is_accepted(broker: SocketAddr) {
    RawClient::connect(broker, &Connect::new("x".repeat(200))).expect_nothing();
}

fn an_unknown_protocol_level_gets_return_code_1(broker: SocketAddr) {
    expect_refusal(broker, &Connect::new("c").protocol("MQTT", 6), 1);
}

fn the_level_of_the_other_protocol_name_gets_return_code_1(broker: SocketAddr) {
    expect_refusal(broker, &Connect::new("c").protocol("MQTT", 3), 1);
    expect_refusal(broker, &Connect::new("c").protocol("MQIsdp", 4), 1);
}

fn another_protocol_is_refused(broker: SocketAddr) {
    expect_end(broker, Connect::new("c").protocol("MQTX", 4).bytes());
}

fn a_packet_before_connect_closes(broker: SocketAddr) {
    for packet in [
        PINGREQ.to_vec(),
        Publish::new("t", "x").bytes(),
        subscribe(1, &[("t", 0)]),
    ] {
        let mut client = RawClient::open(broker);
        client.send(packet);
        client.expect_closed();
    }
}

fn a_second_connect_closes(broker: SocketAddr) {
    let mut client = RawClient::connect(broker, &Connect::new("c"));
    client.send(Connect::new("c").bytes());
    client.expect_closed();
}

fn the_reserved_connect_flag_closes(broker: SocketAddr) {
    expect_end(broker, Connect::new("c").flags(0x01).bytes());
}

fn a_will_of_qos_3_closes(broker: SocketAddr) {
    expect_end(broker, Connect::new("c").will("w", b"x", 3, false).bytes());
}

fn will_flags_without_a_will_close(broker: SocketAddr) {
    expect_end(broker, Connect::new("c").flags(0x08).bytes());
    expect_end(broker, Connect::new("c").flags(0x20).bytes());
}

fn a_password_without_a_user_name_closes(broker: SocketAddr) {
    let mut connect = Connect::new("c").flags(0x40);
    connect.payload.extend([0, 1, b'p']);
    expect_end(broker, connect.bytes());
}

fn connect_cut_short_closes(broker: SocketAddr) {
    expect_end(broker, Connect::new("c").flags(0x04).bytes());
    expect_end(broker, packet(0x10, b"\0\x04MQTT"));
}

fn a_client_id_that_is_not_utf_8_is_refused(broker: SocketAddr) {
    expect_end(broker, Connect::new([0xC3, 0x28]).bytes());
    expect_end(broker, Connect::new([b'a', 0]).bytes());
}

fn an_empty_client_id_is_replaced(broker: SocketAddr) {
    let mut one = RawClient::connect(broker, &Connect::new(""));
    let mut two = RawClient::connect(broker, &Connect::new(""));
    one.expect_nothing();
    two.expect_nothing();
}

fn an_empty_client_id_without_clean_session_gets_return_code_2(broker: SocketAddr) {
    expect_refusal(broker, &Connect::new("").persistent(), 2);
}

fn an_empty_client_id_in_mqtt_3_1_gets_return_code_2(broker: SocketAddr) {
    expect_refusal(broker, &Connect::new("").level_3(), 2);
}

fn the_same_client_id_takes_over(broker: SocketAddr) {
    let mut old = RawClient::connect(broker, &Connect::new("c"));
    let mut new = RawClient::connect(broker, &Connect::new("c"));
    old.expect_closed();
    new.expect_nothing();
}

fn a_ping_is_answered(broker: SocketAddr) {
    let mut client = RawClient::connect(broker, &Connect::new("c"));
    client.send([PINGREQ, PINGREQ].concat());
    client.expect(PINGRESP);
    client.expect(PINGRESP);
}

fn packets_may_follow_connect_at_once(broker: SocketAddr) {
    let mut client = RawClient::open(broker);
    let packets = [
        Connect::new("c").bytes(),
        subscribe(7, &[("t", 1)]),
        PINGREQ.to_vec(),
    ];
    client.send(packets.concat());
    client.expect(ACCEPTED);
    client.expect(suback(7, &[1]));
    client.expect(PINGRESP);
}

fn packets_may_come_byte_by_byte(broker: SocketAddr) {
    let mut client = RawClient::open(broker);
    let packets = [
        Connect::new("c").bytes(),
        subscribe(7, &[("t", 1)]),
        PINGREQ.to_vec(),
    ];
    for byte in packets.concat() {
        client.send([byte]);
    }
    client.expect(ACCEPTED);
    client.expect(suback(7, &[1]));
    client.expect(PINGRESP);
}

fn silence_beyond_the_keep_alive_closes(broker: SocketAddr) {
    let begin = Instant::now();
    let mut silent = RawClient::connect(broker, &Connect::new("silent").keep_alive(1));
    let mut pinging = RawClient::connect(broker, &Connect::new("pinging").keep_alive(1));
    loop {
        match silent.receive_within(Duration::from_millis(300)) {
            Received::Closed => break,
            Received::Nothing => pinging.expect_nothing(),
            Received::Packet(packet) => panic!("received {packet:02x?}"),
        }
        assert!(
            begin.elapsed() < Duration::from_secs(10),
            "the silent client is still connected"
        );
    }
    assert!(
        begin.elapsed() >= Duration::from_secs(1),
        "closed before the keep-alive interval"
    );
    pinging.expect_nothing();
}

fn disconnect_closes(broker: SocketAddr) {
    let mut client = RawClient::connect(broker, &Connect::new("c"));
    client.send(DISCONNECT);
    client.expect_closed();
}
