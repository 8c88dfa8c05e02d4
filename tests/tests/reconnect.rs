//! Connections that come back: the driver, the emulated module on a pseudo terminal, a relay
//! that disturbs the link, and a real broker. The same checks run with the embedded broker and
//! with mosquitto.

use std::net::SocketAddr;
use std::time::Duration;

use atmq_driver::reconnect::{InDoubt, Outgoing, Reconnect, ReconnectingClient, Undelivered};
use atmq_driver::{ConnectOptions, Delivery, Messages, QoS, Settings, Timeouts, Will};
use atmq_emulator::modem::Modem;
use atmq_emulator::{Link, Profile};
use atmq_protocol::standard::Registration;
use atmq_tests::module::Module;
use atmq_tests::raw_mqtt::{self, RawClient};
use atmq_tests::relay::Relay;
use atmq_tests::with_each_broker;
use atmq_tests::{PATIENCE, within};

struct Setup {
    module: Module,
    relay: Relay,
}

impl Setup {
    async fn new(broker: SocketAddr) -> Self {
        let relay = Relay::start(broker).await;
        let module = Module::start(Profile::nt35e().instant(), relay.address());
        Self { module, relay }
    }

    async fn keep(
        &self,
        options: ConnectOptions,
        policy: Reconnect,
    ) -> (ReconnectingClient, Messages) {
        let (client, messages) = self.module.modem().await.keep_connected(options, policy);
        within(client.connected()).await.expect("it connects");
        (client, messages)
    }
}

fn options(client_id: &str) -> ConnectOptions {
    ConnectOptions::new("broker.invalid", 1883, client_id)
}

/// Waits are short, so that tests are.
fn policy() -> Reconnect {
    Reconnect::default()
        .backoff(Duration::from_millis(20), Duration::from_millis(200))
        .seed(7)
}

async fn payload(messages: &mut Messages) -> Vec<u8> {
    let message = within(messages.recv()).await;
    message.expect("the stream goes on").payload
}

/// Waits until the connection has been lost so often, by what a test has done. It may be back.
async fn lost(client: &ReconnectingClient, times: u64) {
    let mut state = client.watch_state();
    while client.counters().losses < times {
        within(state.changed()).await.expect("the client lives");
    }
}

async fn a_lost_link_comes_back_with_subscriptions_and_queue(broker: SocketAddr) {
    let setup = Setup::new(broker).await;
    let (client, mut messages) = setup.keep(options("module"), policy()).await;
    client.subscribe("down/#", QoS::AtLeastOnce).await.unwrap();
    let mut other = RawClient::connect(broker, &raw_mqtt::Connect::new("other"));
    other.send(raw_mqtt::subscribe(1, &[("up/#", 0)]));
    other.expect(raw_mqtt::suback(1, &[0]));
    setup.relay.refuse(true);
    setup.relay.cut();
    lost(&client, 1).await;
    let mut receipts = Vec::new();
    for (number, qos) in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce]
        .into_iter()
        .cycle()
        .take(9)
        .enumerate()
    {
        let message = Outgoing::new("up/t", number.to_string()).qos(qos);
        receipts.push((qos, within(client.enqueue(message)).await.unwrap()));
    }
    assert_eq!(client.watch_queue().borrow().messages, 9);
    setup.relay.refuse(false);
    client.reconnect_now();
    for (qos, receipt) in receipts {
        let delivered = within(receipt).await.unwrap();
        let expected = match qos {
            QoS::AtMostOnce => Delivery::Sent,
            _ => Delivery::Acknowledged,
        };
        assert_eq!(delivered.delivery, expected);
        assert!(!delivered.repeated);
    }
    for number in 0..9 {
        other.expect(raw_mqtt::Publish::new("up/t", number.to_string()).bytes());
    }
    other.send(raw_mqtt::Publish::new("down/t", "alive").bytes());
    assert_eq!(payload(&mut messages).await, b"alive");
    let counters = client.counters();
    assert_eq!(counters.connections, 2);
    assert_eq!(counters.losses, 1);
    assert_eq!(counters.resubscriptions, 1);
    assert_eq!(counters.delivered, 9);
    assert_eq!(within(client.disconnect(PATIENCE)).await, Ok(0));
    assert_eq!(within(messages.recv()).await, None);
}

async fn a_rebooted_module_is_configured_again(broker: SocketAddr) {
    let setup = Setup::new(broker).await;
    let (client, mut messages) = setup.keep(options("module"), policy()).await;
    client.subscribe("loop", QoS::AtLeastOnce).await.unwrap();
    for round in 1..=3 {
        setup.module.control().change(Modem::reset).await;
        lost(&client, round).await;
        let text = format!("round {round}\r\nOK\r\n");
        within(client.publish("loop", text.clone(), QoS::AtLeastOnce, false))
            .await
            .unwrap();
        assert_eq!(payload(&mut messages).await, text.as_bytes());
    }
}

async fn a_registration_that_comes_back_brings_the_connection(broker: SocketAddr) {
    let setup = Setup::new(broker).await;
    let (client, mut messages) = setup.keep(options("module"), policy()).await;
    client.subscribe("loop", QoS::AtLeastOnce).await.unwrap();
    let control = setup.module.control();
    control
        .change(|modem, now| modem.set_registration(Registration::Searching, now))
        .await;
    lost(&client, 1).await;
    let receipt = within(client.enqueue(Outgoing::new("loop", "kept")))
        .await
        .unwrap();
    control
        .change(|modem, now| modem.set_registration(Registration::Home, now))
        .await;
    within(receipt).await.unwrap();
    assert_eq!(payload(&mut messages).await, b"kept");
}

async fn a_port_that_is_back_brings_the_connection_at_once(broker: SocketAddr) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tty");
    let module = Module::start(Profile::nt35e().instant(), broker);
    let plug = Link::create(&path, module.path()).unwrap();
    let port = path.to_string_lossy();
    let modem = atmq_driver::Modem::open(&port, Settings::default()).await;
    // Nothing but the port ends such a wait in the time of this test.
    let slow = Duration::from_secs(3600);
    let policy = Reconnect::default().backoff(slow, slow);
    let (client, _messages) = modem.unwrap().keep_connected(options("module"), policy);
    within(client.connected()).await.unwrap();
    drop((module, plug));
    lost(&client, 1).await;
    let receipt = within(client.enqueue(Outgoing::new("t", "kept")))
        .await
        .unwrap();
    let module = Module::start(Profile::nt35e().instant(), broker);
    let _plug = Link::create(&path, module.path()).unwrap();
    assert!(!within(receipt).await.unwrap().repeated);
}

async fn the_will_is_published_at_a_loss_and_not_at_a_goodbye(broker: SocketAddr) {
    let setup = Setup::new(broker).await;
    let mut other = RawClient::connect(broker, &raw_mqtt::Connect::new("other"));
    other.send(raw_mqtt::subscribe(1, &[("will", 0), ("fence", 0)]));
    other.expect(raw_mqtt::suback(1, &[0, 0]));
    let will = Will {
        topic: "will".into(),
        payload: b"gone"[..].into(),
        qos: QoS::AtMostOnce,
        retain: false,
    };
    let (client, _messages) = setup.keep(options("module").will(will), policy()).await;
    setup.relay.cut();
    other.expect(raw_mqtt::Publish::new("will", "gone").bytes());
    // The will is configured anew with each connection.
    within(client.publish("fence", "1", QoS::AtLeastOnce, false))
        .await
        .unwrap();
    other.expect(raw_mqtt::Publish::new("fence", "1").bytes());
    setup.relay.cut();
    other.expect(raw_mqtt::Publish::new("will", "gone").bytes());
    within(client.publish("fence", "2", QoS::AtLeastOnce, false))
        .await
        .unwrap();
    other.expect(raw_mqtt::Publish::new("fence", "2").bytes());
    within(client.disconnect(Duration::ZERO)).await.unwrap();
    other.fence();
}

async fn what_is_retained_is_sent_again_with_each_connection(broker: SocketAddr) {
    let setup = Setup::new(broker).await;
    let (client, mut messages) = setup.keep(options("module"), policy()).await;
    within(client.publish("state", "on", QoS::AtLeastOnce, true))
        .await
        .unwrap();
    client.subscribe("state", QoS::AtLeastOnce).await.unwrap();
    assert_eq!(payload(&mut messages).await, b"on");
    setup.relay.cut();
    assert_eq!(payload(&mut messages).await, b"on");
    within(client.unsubscribe("state")).await.unwrap();
    setup.relay.cut();
    lost(&client, 2).await;
    client.subscribe("fence", QoS::AtLeastOnce).await.unwrap();
    within(client.publish("fence", "end", QoS::AtLeastOnce, false))
        .await
        .unwrap();
    assert_eq!(payload(&mut messages).await, b"end");
    within(client.publish("state", "", QoS::AtLeastOnce, true))
        .await
        .unwrap();
}

async fn a_kept_session_has_what_came_during_the_outage(broker: SocketAddr) {
    let setup = Setup::new(broker).await;
    let persistent = options("persistent").clean_session(false);
    let (client, mut messages) = setup.keep(persistent, policy()).await;
    client.subscribe("kept", QoS::AtLeastOnce).await.unwrap();
    setup.relay.refuse(true);
    setup.relay.cut();
    lost(&client, 1).await;
    let mut other = RawClient::connect(broker, &raw_mqtt::Connect::new("other"));
    for number in 1..=3u16 {
        let packet = raw_mqtt::Publish::new("kept", number.to_string()).qos(1, number);
        other.send(packet.bytes());
        other.expect(raw_mqtt::puback(number));
    }
    setup.relay.refuse(false);
    for number in 1..=3 {
        assert_eq!(payload(&mut messages).await, number.to_string().as_bytes());
    }
    // Behind this one the broker has the module's acknowledgements, and sends nothing again.
    within(client.publish("fence", "", QoS::AtLeastOnce, false))
        .await
        .unwrap();
    setup.relay.refuse(true);
    setup.relay.cut();
    lost(&client, 2).await;
    // What is taken back during the outage is taken back from the session that is kept.
    let (left, ()) = tokio::join!(within(client.unsubscribe("kept")), async {
        setup.relay.refuse(false);
    });
    left.unwrap();
    other.send(raw_mqtt::Publish::new("kept", "unheard").bytes());
    other.fence();
    client.subscribe("fence", QoS::AtMostOnce).await.unwrap();
    other.send(raw_mqtt::Publish::new("fence", "heard").bytes());
    assert_eq!(payload(&mut messages).await, b"heard");
}

async fn a_lost_acknowledgement_repeats_qos_1_and_leaves_qos_2_in_doubt(broker: SocketAddr) {
    for (in_doubt, repeats) in [(InDoubt::GiveUp, false), (InDoubt::Repeat, true)] {
        let setup = Setup::new(broker).await;
        let patient = options("module").timeouts(Timeouts {
            packet_seconds: 60,
            retries: 1,
            notice: false,
        });
        let (client, _messages) = setup.keep(patient, policy().in_doubt(in_doubt)).await;
        for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
            within(client.connected()).await.unwrap();
            setup.relay.mute(true);
            let mut sent = setup.relay.sent();
            sent.mark_unchanged();
            let message = Outgoing::new("doubt", "?").qos(qos);
            let receipt = within(client.enqueue(message)).await.unwrap();
            // Once it is on its way the link goes, and with it the answer.
            within(sent.changed()).await.unwrap();
            setup.relay.cut();
            setup.relay.mute(false);
            let outcome = within(receipt).await;
            match (qos, repeats) {
                (QoS::ExactlyOnce, false) => {
                    let error = outcome.unwrap_err();
                    assert!(matches!(error, Undelivered::InDoubt(_)), "{error:?}");
                    assert!(error.may_have_arrived());
                }
                _ => assert!(outcome.unwrap().repeated),
            }
        }
    }
}

with_each_broker!(
    a_lost_link_comes_back_with_subscriptions_and_queue,
    a_rebooted_module_is_configured_again,
    a_registration_that_comes_back_brings_the_connection,
    a_port_that_is_back_brings_the_connection_at_once,
    the_will_is_published_at_a_loss_and_not_at_a_goodbye,
    what_is_retained_is_sent_again_with_each_connection,
    a_kept_session_has_what_came_during_the_outage,
    a_lost_acknowledgement_repeats_qos_1_and_leaves_qos_2_in_doubt,
);
