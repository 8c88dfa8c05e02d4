//! A program against any module: what it sees of each command set is the same, whatever passes over
//! the line. The driver and the emulated module meet on a pseudo terminal, a real broker is behind
//! them, and a link that can be cut.

use std::error::Error as _;
use std::net::SocketAddr;
use std::sync::Arc;

use atmq_driver::{ConnectOptions, Disconnected, Model, QoS, Settings, Will};
use atmq_emulator::Profile;
use atmq_protocol::at::framing::DataEnd;
use atmq_protocol::dialect::Value;
use atmq_protocol::dialect::lmqtt::{NT26, NT35E};
use atmq_protocol::dialect::qmt;
use atmq_tests::module::Module;
use atmq_tests::raw_mqtt::{self, RawClient};
use atmq_tests::relay::Relay;
use atmq_tests::{proof, with_each_broker, within};

/// What would end a line, an answer, a command or the input at a prompt.
const AWKWARD: &[u8] = b"\"a\",3,\r\nOK\r\n> \r\n+CME ERROR: 3\r\nAT+CFUN=0\r\n\x00\xff";
const ENDING: &[u8] = b"a\x1ab";

/// A program that uses the driver as any would.
async fn a_program(profile: Profile, model: Model, broker: SocketAddr) {
    let takes_all = model.limits.prompt_end == DataEnd::Length;
    let relay = Relay::start(broker).await;
    let module = Module::start(profile, relay.address());
    let modem = module.modem_with(Settings::default().model(model)).await;
    let options = || ConnectOptions::new("broker.invalid", 1883, "program");

    // The broker is away, then it is there.
    relay.refuse(true);
    let refused = within(modem.connect(options())).await;
    assert!(refused.is_err(), "connected through a link that is cut");
    relay.refuse(false);
    let (client, mut messages) = within(modem.connect(options())).await.unwrap();

    // Both directions, every quality of service, any bytes.
    let filters = [("loop/#", QoS::ExactlyOnce), ("down/+", QoS::AtLeastOnce)];
    within(client.subscribe_many(filters)).await.unwrap();
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
        for payload in [b"", AWKWARD, &[b'x'; 1000]] {
            within(client.publish("loop/a", payload, qos, false))
                .await
                .unwrap();
            let message = within(messages.recv()).await.unwrap();
            assert_eq!((&*message.topic, &*message.payload), ("loop/a", payload));
        }
    }
    let mut other = RawClient::connect(broker, &raw_mqtt::Connect::new("other"));
    other.send(raw_mqtt::Publish::new("down/b", [AWKWARD, ENDING].concat()).bytes());
    let message = within(messages.recv()).await.unwrap();
    assert_eq!(message.topic, "down/b");
    assert_eq!(message.payload, [AWKWARD, ENDING].concat());
    // What cannot be sent is refused before it is begun.
    let ending = within(client.publish("loop/a", ENDING, QoS::AtLeastOnce, false)).await;
    if takes_all {
        ending.unwrap();
        assert_eq!(within(messages.recv()).await.unwrap().payload, ENDING);
    } else {
        let error = ending.unwrap_err();
        assert!(!error.may_have_arrived(), "{error}");
        let why = error.source().unwrap().to_string();
        assert!(why.contains("ends the input"), "{why}");
    }
    // What is no longer wanted does not come.
    within(client.unsubscribe("down/+")).await.unwrap();
    other.send(raw_mqtt::Publish::new("down/b", "unheard").bytes());
    other.send(raw_mqtt::Publish::new("loop/c", "heard").bytes());
    assert_eq!(within(messages.recv()).await.unwrap().payload, b"heard");

    // The link is lost, and another one made.
    relay.cut();
    assert_eq!(within(messages.recv()).await, None);
    let ended = client.ended();
    assert!(
        matches!(ended, Some(Disconnected::LinkLost { .. })),
        "{ended:?}"
    );
    let error = within(client.publish("loop/a", "x", QoS::AtLeastOnce, false))
        .await
        .unwrap_err();
    assert!(!error.may_have_arrived(), "{error}");
    let (client, mut messages) = within(modem.connect(options())).await.unwrap();
    within(client.subscribe("loop/#", QoS::AtLeastOnce))
        .await
        .unwrap();
    within(client.publish("loop/a", "back", QoS::ExactlyOnce, false))
        .await
        .unwrap();
    assert_eq!(within(messages.recv()).await.unwrap().payload, b"back");
    within(client.disconnect()).await.unwrap();
    assert_eq!(within(messages.recv()).await, None);
}

/// A will, a retained message, a session that is kept, and one that is not.
async fn what_brokers_keep(profile: Profile, model: Model, broker: SocketAddr) {
    let relay = Relay::start(broker).await;
    let module = Module::start(profile, relay.address());
    let modem = module.modem_with(Settings::default().model(model)).await;
    let options = || {
        ConnectOptions::new("broker.invalid", 1883, "keeper")
            .will(Will {
                topic: "will/keeper".into(),
                payload: b"gone"[..].into(),
                qos: QoS::AtLeastOnce,
                retain: false,
            })
            .clean_session(false)
    };
    let (client, messages) = within(modem.connect(options())).await.unwrap();
    within(client.publish("kept/a", "retained", QoS::AtLeastOnce, true))
        .await
        .unwrap();
    within(client.subscribe("kept/#", QoS::AtLeastOnce))
        .await
        .unwrap();
    let mut watcher = RawClient::connect(broker, &raw_mqtt::Connect::new("watcher"));
    watcher.subscribe(&[("will/#", 0)]);
    // The link is lost without a word: the will is published.
    relay.cut();
    assert_eq!(
        watcher.expect_publish(),
        raw_mqtt::Publish::new("will/keeper", "gone")
    );
    drop((client, messages));
    // What comes meanwhile waits in the session that is kept.
    watcher.publish(&raw_mqtt::Publish::new("kept/b", "missed").qos(1, 9));
    let (client, mut messages) = within(modem.connect(options())).await.unwrap();
    loop {
        let message = within(messages.recv()).await.unwrap();
        if message.payload == b"missed" {
            break;
        }
        // The retained one may have been lost with the link.
        assert_eq!(message.payload, b"retained");
    }
    within(client.disconnect()).await.unwrap();
    // A clean session has forgotten the subscription, and what is retained comes with a new one.
    let options = options().clean_session(true);
    let (client, mut messages) = within(modem.connect(options)).await.unwrap();
    watcher.publish(&raw_mqtt::Publish::new("kept/c", "unheard").qos(1, 10));
    within(client.subscribe("kept/#", QoS::AtLeastOnce))
        .await
        .unwrap();
    let message = within(messages.recv()).await.unwrap();
    assert_eq!(
        (&*message.topic, &*message.payload),
        ("kept/a", &b"retained"[..])
    );
    within(client.publish("kept/a", "", QoS::AtLeastOnce, true))
        .await
        .unwrap();
    within(client.disconnect()).await.unwrap();
}

/// Messages that wait in the module until the driver takes them out, more than it keeps.
async fn what_modules_keep(profile: Profile, model: Model, broker: SocketAddr) {
    let module = Module::start(profile, broker);
    let modem = module.modem_with(Settings::default().model(model)).await;
    let options = ConnectOptions::new("broker.invalid", 1883, "reader").cached(true);
    let (client, mut messages) = within(modem.connect(options)).await.unwrap();
    within(client.subscribe("t/#", QoS::AtLeastOnce))
        .await
        .unwrap();
    for round in 0..8u8 {
        let payload = [AWKWARD, &[round]].concat();
        within(client.publish("t/a", &*payload, QoS::AtLeastOnce, false))
            .await
            .unwrap();
        let message = within(messages.recv()).await.unwrap();
        assert_eq!((&*message.topic, &*message.payload), ("t/a", &payload[..]));
    }
    within(client.disconnect()).await.unwrap();
}

async fn an_nt35e(broker: SocketAddr) {
    a_program(Profile::nt35e().instant(), NT35E, broker).await;
}

async fn an_nt26(broker: SocketAddr) {
    a_program(Profile::nt26().instant(), NT26, broker).await;
}

/// The profile of this name, which is that of the model.
async fn a_quectel(name: &str, model: Model, broker: SocketAddr) {
    let profile = Profile::by_name(name).unwrap().instant();
    a_program(profile.clone(), model.clone(), broker).await;
    what_brokers_keep(profile.clone(), model.clone(), broker).await;
    // BG96 has no buffer.
    if name != "bg96" {
        what_modules_keep(profile, model, broker).await;
    }
}

async fn an_ec25(broker: SocketAddr) {
    a_quectel("ec25", qmt::EC25, broker).await;
}

async fn an_ec200(broker: SocketAddr) {
    a_quectel("ec200", qmt::EC200, broker).await;
}

async fn an_ec800m(broker: SocketAddr) {
    a_quectel("ec800m", qmt::EC800M, broker).await;
}

async fn an_eg800k(broker: SocketAddr) {
    let mut profile = Profile::by_name("eg800k").unwrap().instant();
    let here = [("reports_elsewhere", Value::Flag(false))];
    profile.dialect = profile.dialect.with(&here);
    a_program(profile, qmt::EG800K, broker).await;
}

async fn a_bg95(broker: SocketAddr) {
    a_quectel("bg95", qmt::BG95, broker).await;
}

async fn a_bg96(broker: SocketAddr) {
    a_quectel("bg96", qmt::BG96, broker).await;
}

async fn a_bg770a(broker: SocketAddr) {
    a_quectel("bg770a", qmt::BG770A, broker).await;
}

async fn one_that_speaks_another_language(broker: SocketAddr) {
    let mut profile = Profile::nt26().instant();
    profile.dialect = Arc::new(proof::Set);
    profile.limits = proof::MODEL.limits;
    a_program(profile, proof::MODEL, broker).await;
}

with_each_broker!(
    an_nt35e,
    an_nt26,
    an_ec25,
    an_ec200,
    an_ec800m,
    an_eg800k,
    a_bg95,
    a_bg96,
    a_bg770a,
    one_that_speaks_another_language
);
