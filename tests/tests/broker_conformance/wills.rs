//! Wills (section 3.1.2.5).

use std::net::SocketAddr;
use std::time::Duration;

use atmq_tests::raw_mqtt::{Connect, DISCONNECT, Publish, RawClient, Received};

checks![
    an_abrupt_close_publishes_the_will,
    disconnect_discards_the_will,
    a_violation_publishes_the_will,
    a_keep_alive_timeout_publishes_the_will,
    a_takeover_publishes_the_will,
    a_will_has_its_qos,
    a_will_can_be_retained,
    a_will_may_be_empty,
    the_next_connect_brings_its_own_will,
];

fn observer(broker: SocketAddr) -> RawClient {
    let mut client = RawClient::connect(broker, &Connect::new("observer"));
    client.subscribe(&[("will/#", 2)]);
    client
}

fn with_will(client_id: &str) -> Connect {
    Connect::new(client_id).will("will/t", b"gone", 0, false)
}

fn an_abrupt_close_publishes_the_will(broker: SocketAddr) {
    let mut observer = observer(broker);
    drop(RawClient::connect(broker, &with_will("c")));
    observer.expect(Publish::new("will/t", "gone").bytes());
}

fn disconnect_discards_the_will(broker: SocketAddr) {
    let mut observer = observer(broker);
    let mut client = RawClient::connect(broker, &with_will("c"));
    client.send(DISCONNECT);
    client.expect_closed();
    observer.expect_nothing();
}

fn a_violation_publishes_the_will(broker: SocketAddr) {
    let mut observer = observer(broker);
    let mut client = RawClient::connect(broker, &with_will("c"));
    client.send(Publish::new("t", "x").qos(3, 1).bytes());
    client.expect_closed();
    observer.expect(Publish::new("will/t", "gone").bytes());
}

fn a_keep_alive_timeout_publishes_the_will(broker: SocketAddr) {
    let mut observer = observer(broker);
    let mut client = RawClient::connect(broker, &with_will("c").keep_alive(1));
    let will = Publish::new("will/t", "gone").bytes();
    let limit = Duration::from_secs(10);
    assert_eq!(observer.receive_within(limit), Received::Packet(will));
    client.expect_closed();
}

fn a_takeover_publishes_the_will(broker: SocketAddr) {
    let mut observer = observer(broker);
    let mut old = RawClient::connect(broker, &with_will("c"));
    let mut new = RawClient::connect(broker, &Connect::new("c"));
    old.expect_closed();
    observer.expect(Publish::new("will/t", "gone").bytes());
    new.expect_nothing();
}

fn a_will_has_its_qos(broker: SocketAddr) {
    for qos in 0..=2 {
        let mut observer = observer(broker);
        let connect = Connect::new("c").will("will/t", b"gone", qos, false);
        drop(RawClient::connect(broker, &connect));
        assert_eq!(observer.accept_publish().qos, qos);
    }
}

fn a_will_can_be_retained(broker: SocketAddr) {
    let mut early = observer(broker);
    let connect = Connect::new("c").will("will/t", b"gone", 0, true);
    drop(RawClient::connect(broker, &connect));
    early.expect(Publish::new("will/t", "gone").bytes());
    let mut late = RawClient::connect(broker, &Connect::new("late"));
    late.subscribe(&[("will/t", 0)]);
    late.expect(Publish::new("will/t", "gone").retain().bytes());
}

fn a_will_may_be_empty(broker: SocketAddr) {
    let mut observer = observer(broker);
    drop(RawClient::connect(
        broker,
        &Connect::new("c").will("will/t", b"", 0, false),
    ));
    observer.expect(Publish::new("will/t", "").bytes());
}

fn the_next_connect_brings_its_own_will(broker: SocketAddr) {
    let mut observer = observer(broker);
    let mut client = RawClient::connect(broker, &with_will("c").persistent());
    client.send(DISCONNECT);
    client.expect_closed();
    let connect = Connect::new("c")
        .persistent()
        .will("will/other", b"later", 0, false);
    drop(RawClient::resume(broker, &connect));
    observer.expect(Publish::new("will/other", "later").bytes());
    observer.expect_nothing();
}
