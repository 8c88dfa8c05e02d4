//! The whole path: the driver on a real pseudo terminal, the emulated module behind it, a real
//! broker behind that. The same checks run with the embedded broker and with mosquitto.

use std::net::SocketAddr;

use atmq_driver::{ConnectOptions, DataEnd, Disconnected, Message, Messages, QoS, Settings, Will};
use atmq_emulator::Profile;
use atmq_protocol::mqtt::LinkStatus;
use atmq_tests::module::Module;
use atmq_tests::raw_mqtt::{self, RawClient};
use atmq_tests::{with_each_broker, within};

/// Every byte there is, and what would end a line, an answer or a command.
fn awkward() -> Vec<u8> {
    let mut bytes = b"\"a\",\r\nOK\r\n> +CME ERROR: 3\r\nAT+CFUN=0\r\n\x1a\x1b".to_vec();
    bytes.extend(0..=255);
    bytes
}

fn options(client_id: &str) -> ConnectOptions {
    // The name is one that only the module's map knows.
    ConnectOptions::new("broker.invalid", 1883, client_id)
}

async fn next(messages: &mut Messages) -> Message {
    let message = within(messages.recv()).await;
    message.expect("the connection stands")
}

async fn payload(messages: &mut Messages) -> Vec<u8> {
    next(messages).await.payload
}

async fn every_quality_of_service_carries_any_bytes(broker: SocketAddr) {
    let module = Module::start(Profile::nt35e().instant(), broker);
    let (client, mut messages) = module.connect(options("module")).await;
    client.subscribe("loop/#", QoS::ExactlyOnce).await.unwrap();
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
        for payload in [
            b"".to_vec(),
            b"plain".to_vec(),
            awkward(),
            vec![b'x'; 1460],
            vec![0; 8000],
        ] {
            client
                .publish("loop/t", payload.clone(), qos, false)
                .await
                .unwrap();
            let message = next(&mut messages).await;
            assert_eq!(message.topic, "loop/t");
            assert_eq!(message.payload, payload);
            assert_eq!(message.message_id == 0, qos == QoS::AtMostOnce);
        }
    }
    client.unsubscribe("loop/#").await.unwrap();
    client.disconnect().await.unwrap();
}

async fn another_client_is_at_the_other_end(broker: SocketAddr) {
    let module = Module::start(Profile::nt26().instant(), broker);
    let (client, mut messages) = module.connect(options("module")).await;
    client
        .subscribe_many([("down/+/x", QoS::ExactlyOnce), ("all/#", QoS::AtMostOnce)])
        .await
        .unwrap();
    let mut other = RawClient::connect(broker, &raw_mqtt::Connect::new("other"));
    other.send(raw_mqtt::subscribe(1, &[("up", 2)]));
    other.expect(raw_mqtt::suback(1, &[2]));
    // Towards the module.
    other.send(raw_mqtt::Publish::new("down/a/x", awkward()).bytes());
    assert_eq!(payload(&mut messages).await, awkward());
    other.send(raw_mqtt::Publish::new("down/a/y", "unheard").bytes());
    other.send(raw_mqtt::Publish::new("all", "heard").bytes());
    assert_eq!(payload(&mut messages).await, b"heard");
    // From the module.
    client
        .publish("up", awkward(), QoS::AtMostOnce, false)
        .await
        .unwrap();
    other.expect(raw_mqtt::Publish::new("up", awkward()).bytes());
    client.disconnect().await.unwrap();
}

async fn a_retained_message_greets_a_subscriber_until_it_is_cleared(broker: SocketAddr) {
    let module = Module::start(Profile::nt35e().instant(), broker);
    let (client, mut messages) = module.connect(options("module")).await;
    client
        .publish("state", "on", QoS::AtLeastOnce, true)
        .await
        .unwrap();
    client.subscribe("state", QoS::AtLeastOnce).await.unwrap();
    assert_eq!(payload(&mut messages).await, b"on");
    client.unsubscribe("state").await.unwrap();
    client
        .publish("state", "", QoS::AtLeastOnce, true)
        .await
        .unwrap();
    client.subscribe("state", QoS::AtLeastOnce).await.unwrap();
    client
        .publish("state", "fence", QoS::AtLeastOnce, false)
        .await
        .unwrap();
    assert_eq!(payload(&mut messages).await, b"fence");
}

async fn the_will_of_a_module_without_power_is_published(broker: SocketAddr) {
    let listener = Module::start(Profile::nt35e().instant(), broker);
    let (client, mut messages) = listener.connect(options("listener")).await;
    client.subscribe("wills/#", QoS::AtLeastOnce).await.unwrap();
    let module = Module::start(Profile::nt35e().instant(), broker);
    let will = |topic: &'static str| Will {
        topic: topic.into(),
        payload: b"gone"[..].into(),
        qos: QoS::AtLeastOnce,
        retain: false,
    };
    // A client that says goodbye leaves none.
    let (polite, _messages) = module
        .connect(options("polite").will(will("wills/polite")))
        .await;
    polite.disconnect().await.unwrap();
    drop(polite);
    let module = Module::start(Profile::nt35e().instant(), broker);
    let _connected = module
        .connect(options("module").will(will("wills/module")))
        .await;
    drop(module);
    let message = next(&mut messages).await;
    assert_eq!(message.topic, "wills/module");
    assert_eq!(message.payload, b"gone");
}

async fn a_persistent_session_keeps_what_came_meanwhile(broker: SocketAddr) {
    let module = Module::start(Profile::nt35e().instant(), broker);
    let persistent = || options("persistent").clean_session(false);
    let (client, _messages) = module.connect(persistent()).await;
    client.subscribe("kept", QoS::ExactlyOnce).await.unwrap();
    client.disconnect().await.unwrap();
    let modem = client.modem().clone();
    let mut other = RawClient::connect(broker, &raw_mqtt::Connect::new("other"));
    for number in 1..=3u16 {
        let packet = raw_mqtt::Publish::new("kept", number.to_string()).qos(1, number);
        other.send(packet.bytes());
        other.expect(raw_mqtt::puback(number));
    }
    // The messages come in the same burst as the outcome of the CONNECT.
    let (client, mut messages) = modem.connect(persistent()).await.unwrap();
    for number in 1..=3 {
        assert_eq!(payload(&mut messages).await, number.to_string().as_bytes());
    }
    client.disconnect().await.unwrap();
    // A clean session forgets the subscription.
    let (client, mut messages) = modem.connect(options("persistent")).await.unwrap();
    other.send(raw_mqtt::Publish::new("kept", "unheard").bytes());
    other.fence();
    client.subscribe("fence", QoS::AtMostOnce).await.unwrap();
    other.send(raw_mqtt::Publish::new("fence", "heard").bytes());
    assert_eq!(payload(&mut messages).await, b"heard");
}

async fn in_cached_mode_messages_wait_in_the_module(broker: SocketAddr) {
    let module = Module::start(Profile::nt35e().instant(), broker);
    let cached = || options("cached").clean_session(false).cached(true);
    let (client, _messages) = module.connect(cached()).await;
    client.subscribe("kept", QoS::ExactlyOnce).await.unwrap();
    client.disconnect().await.unwrap();
    let modem = client.modem().clone();
    let mut other = RawClient::connect(broker, &raw_mqtt::Connect::new("other"));
    let send = |other: &mut RawClient, number: u16, payload: &[u8]| {
        let packet = raw_mqtt::Publish::new("kept", payload).qos(1, number);
        other.send(packet.bytes());
        other.expect(raw_mqtt::puback(number));
    };
    for number in 1..=3 {
        send(&mut other, number, number.to_string().as_bytes());
    }
    let (client, mut messages) = modem.connect(cached()).await.unwrap();
    for number in 1..=3 {
        assert_eq!(payload(&mut messages).await, number.to_string().as_bytes());
    }
    send(&mut other, 4, &awkward());
    assert_eq!(payload(&mut messages).await, awkward());
    client
        .publish("kept", awkward(), QoS::AtMostOnce, false)
        .await
        .unwrap();
    let message = next(&mut messages).await;
    assert_eq!((message.payload, message.message_id), (awkward(), 0));
    // What is counted shows a moment later.
    modem.attention().await.unwrap();
    assert_eq!(modem.counters().reads, 5);
    client.disconnect().await.unwrap();
}

async fn hexadecimal_digits_pass_a_prompt_that_control_characters_end(broker: SocketAddr) {
    let mut profile = Profile::nt35e().instant();
    profile.limits.prompt_end = DataEnd::ControlCharacters;
    let mut model = atmq_protocol::dialect::UNKNOWN;
    model.limits = profile.limits.clone();
    let settings = Settings::default().model(model);
    let module = Module::start(profile, broker);
    let modem = module.modem_with(settings).await;
    let (client, mut messages) = modem.connect(options("digits")).await.unwrap();
    client.subscribe("t", QoS::AtMostOnce).await.unwrap();
    for sent in [awkward(), vec![0x1a; 4000]] {
        client
            .publish("t", sent.clone(), QoS::AtLeastOnce, false)
            .await
            .unwrap();
        assert_eq!(payload(&mut messages).await, sent);
    }
}

async fn a_shared_subscription_is_divided(broker: SocketAddr) {
    let mut members = Vec::new();
    for name in ["one", "two"] {
        let module = Module::start(Profile::nt35e().instant(), broker);
        let (client, messages) = module.connect(options(name)).await;
        client
            .subscribe("$share/group/work", QoS::AtLeastOnce)
            .await
            .unwrap();
        members.push((module, client, messages));
    }
    let mut other = RawClient::connect(broker, &raw_mqtt::Connect::new("other"));
    for number in 0..10 {
        other.send(raw_mqtt::Publish::new("work", number.to_string()).bytes());
    }
    other.fence();
    let (first, second) = members.split_at_mut(1);
    let mut seen = Vec::new();
    while seen.len() < 10 {
        let message = tokio::select! {
            message = next(&mut first[0].2) => message,
            message = next(&mut second[0].2) => message,
        };
        seen.push(message.payload);
    }
    seen.sort();
    let expected: Vec<_> = (0..10)
        .map(|number| number.to_string().into_bytes())
        .collect();
    assert_eq!(seen, expected);
}

async fn a_module_takes_its_own_time(broker: SocketAddr) {
    let module = Module::start(Profile::nt35e(), broker);
    let (client, mut messages) = module.connect(options("slow")).await;
    client.subscribe("slow", QoS::AtLeastOnce).await.unwrap();
    client
        .publish("slow", awkward(), QoS::ExactlyOnce, false)
        .await
        .unwrap();
    assert_eq!(payload(&mut messages).await, awkward());
    client.disconnect().await.unwrap();
}

async fn takeover_by_another_client_is_told(broker: SocketAddr) {
    let module = Module::start(Profile::nt35e().instant(), broker);
    let (_client, mut messages) = module.connect(options("twin")).await;
    let _twin = RawClient::connect(broker, &raw_mqtt::Connect::new("twin"));
    assert_eq!(within(messages.recv()).await, None);
    assert!(matches!(
        messages.ended(),
        Some(Disconnected::LinkLost {
            status: LinkStatus::ClosedByServer,
            ..
        })
    ));
}

/// Quotes, commas and numbers in a topic, as anybody in the network may choose them.
async fn topics_of_strangers_pass_for_nothing_else(broker: SocketAddr) {
    let module = Module::start(Profile::nt35e().instant(), broker);
    let (client, mut messages) = module.connect(options("text")).await;
    client.subscribe("#", QoS::AtMostOnce).await.unwrap();
    let mut other = RawClient::connect(broker, &raw_mqtt::Connect::new("other"));
    for (topic, payload) in [
        ("a\",3,xyz", b"p2".to_vec()),
        ("\"", awkward()),
        ("t\",", b"\",2,".to_vec()),
        ("meter", b"[\"temp\",21,3]".to_vec()),
        (
            "t\",9999,",
            b"\r\nNORMAL POWER DOWN\r\n+LMQTTURC: STATS,0,1\r\n".to_vec(),
        ),
    ] {
        other.send(raw_mqtt::Publish::new(topic, payload.clone()).bytes());
        let message = next(&mut messages).await;
        assert_eq!((message.topic.as_str(), message.payload), (topic, payload));
    }
    // This one can be read in two ways.
    let double = || raw_mqtt::Publish::new("a\",7,b", "hi").bytes();
    other.send(double());
    other.send(raw_mqtt::Publish::new("t", "behind").bytes());
    assert_eq!(payload(&mut messages).await, b"behind");
    assert_eq!(messages.missed(), 1);
    client.disconnect().await.unwrap();
    let hex = options("hex").receive_hex(true);
    let (client, mut messages) = client.modem().connect(hex).await.unwrap();
    client.subscribe("#", QoS::AtMostOnce).await.unwrap();
    other.send(double());
    let message = next(&mut messages).await;
    assert_eq!(
        (message.topic.as_str(), message.payload),
        ("a\",7,b", b"hi".to_vec())
    );
    assert_eq!(client.ended(), None);
}

with_each_broker!(
    topics_of_strangers_pass_for_nothing_else,
    every_quality_of_service_carries_any_bytes,
    another_client_is_at_the_other_end,
    a_retained_message_greets_a_subscriber_until_it_is_cleared,
    the_will_of_a_module_without_power_is_published,
    a_persistent_session_keeps_what_came_meanwhile,
    in_cached_mode_messages_wait_in_the_module,
    hexadecimal_digits_pass_a_prompt_that_control_characters_end,
    a_shared_subscription_is_divided,
    a_module_takes_its_own_time,
    takeover_by_another_client_is_told,
);
