//! A program against any module: what it sees of each command set is the same, whatever passes over
//! the line. The driver and the emulated module meet on a pseudo terminal, a real broker is behind
//! them, and a link that can be cut.

use std::error::Error as _;
use std::net::SocketAddr;
use std::sync::Arc;

use atmq_driver::{ConnectOptions, Disconnected, Model, QoS, Settings, Will};
use atmq_emulator::Profile;
use atmq_protocol::at::framing::DataEnd;
use atmq_protocol::dialect::lmqtt::{NT26, NT35E};
use atmq_protocol::dialect::sm::{SIM7000, SIM7080};
use atmq_tests::module::Module;
use atmq_tests::raw_mqtt::{self, RawClient};
use atmq_tests::relay::Relay;
use atmq_tests::{proof, with_each_broker, within};

/// What would end a line, an answer, a command or the input at a prompt.
const AWKWARD: &[u8] = b"\"a\",3,\r\nOK\r\n> \r\n+CME ERROR: 3\r\nAT+CFUN=0\r\n\x00\xff";
const ENDING: &[u8] = b"a\x1ab";
const LONG: [u8; 1000] = [b'x'; 1000];

/// A program that uses the driver as any would.
async fn a_program(profile: Profile, model: Model, broker: SocketAddr) {
    let longest = LONG.len().min(model.limits.prompt_payload);
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
        for payload in [b"", AWKWARD, &LONG[..longest]] {
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

/// What lasts beyond a link: a session that is kept, a will, and a message that is retained.
async fn kept_session(profile: Profile, model: Model, broker: SocketAddr) {
    let relay = Relay::start(broker).await;
    let module = Module::start(profile, relay.address());
    let modem = module.modem_with(Settings::default().model(model)).await;
    let options = || {
        ConnectOptions::new("broker.invalid", 1883, "kept")
            .clean_session(false)
            .will(Will::new("will", "gone").qos(QoS::AtLeastOnce))
    };
    let mut other = RawClient::connect(broker, &raw_mqtt::Connect::new("watcher"));
    other.subscribe(&[("will", 0)]);

    let (client, mut messages) = within(modem.connect(options())).await.unwrap();
    within(client.subscribe("down/#", QoS::AtLeastOnce))
        .await
        .unwrap();
    within(client.publish("kept", "retained", QoS::AtLeastOnce, true))
        .await
        .unwrap();
    relay.cut();
    assert_eq!(within(messages.recv()).await, None);
    assert_eq!(other.expect_publish().payload, b"gone");
    other.publish(&raw_mqtt::Publish::new("down/a", AWKWARD).qos(1, 1));

    let (client, mut messages) = within(modem.connect(options())).await.unwrap();
    assert_eq!(within(messages.recv()).await.unwrap().payload, AWKWARD);
    within(client.subscribe("kept", QoS::AtMostOnce))
        .await
        .unwrap();
    assert_eq!(within(messages.recv()).await.unwrap().payload, b"retained");
    // An empty one takes it back.
    within(client.publish("kept", "", QoS::AtLeastOnce, true))
        .await
        .unwrap();
    within(client.disconnect()).await.unwrap();
    other.expect_nothing();
}

async fn an_nt35e(broker: SocketAddr) {
    a_program(Profile::nt35e().instant(), NT35E, broker).await;
    kept_session(Profile::nt35e().instant(), NT35E, broker).await;
}

async fn an_nt26(broker: SocketAddr) {
    a_program(Profile::nt26().instant(), NT26, broker).await;
    kept_session(Profile::nt26().instant(), NT26, broker).await;
}

async fn a_sim7080(broker: SocketAddr) {
    a_program(named("sim7080"), SIM7080, broker).await;
    kept_session(named("sim7080"), SIM7080, broker).await;
}

async fn a_sim7000(broker: SocketAddr) {
    a_program(named("sim7000"), SIM7000, broker).await;
    kept_session(named("sim7000"), SIM7000, broker).await;
}

fn named(profile: &str) -> Profile {
    let profile = Profile::by_name(profile);
    profile.expect("it is in the crate").instant()
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
    a_sim7080,
    a_sim7000,
    one_that_speaks_another_language
);
