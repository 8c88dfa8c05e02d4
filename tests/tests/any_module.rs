//! A program against any module: what it sees of each command set is the same, whatever passes over
//! the line. The driver and the emulated module meet on a pseudo terminal, a real broker is behind
//! them, and a link that can be cut.

use std::error::Error as _;
use std::net::SocketAddr;
use std::sync::Arc;

use atmq_driver::{ConnectOptions, Disconnected, Model, QoS, Settings, Will};
use atmq_emulator::Profile;
use atmq_protocol::at::framing::DataEnd;
use atmq_protocol::dialect::{Value, of_model};
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

/// What the broker keeps: a will, a retained message, a session with its subscriptions.
async fn what_outlives_a_link(profile: Profile, model: Model, broker: SocketAddr) {
    let relay = Relay::start(broker).await;
    let module = Module::start(profile, relay.address());
    let modem = module.modem_with(Settings::default().model(model)).await;
    let options = || ConnectOptions::new("broker.invalid", 1883, "keeper");
    let mut other = RawClient::connect(broker, &raw_mqtt::Connect::new("watcher"));
    other.subscribe(&[("wills/#", 1)]);

    let lasting = || options().clean_session(false);
    let will = Will::new("wills/keeper", "gone").qos(QoS::AtLeastOnce);
    let (client, mut messages) = within(modem.connect(lasting().will(will))).await.unwrap();
    within(client.publish("kept/a", "old", QoS::AtLeastOnce, true))
        .await
        .unwrap();
    within(client.subscribe("kept/+", QoS::AtLeastOnce))
        .await
        .unwrap();
    assert_eq!(within(messages.recv()).await.unwrap().payload, b"old");
    // Behind this, the broker has the acknowledgement of the message.
    within(client.publish("last", "", QoS::AtLeastOnce, false))
        .await
        .unwrap();
    relay.cut();
    assert_eq!(within(messages.recv()).await, None);
    let will = tokio::task::block_in_place(|| other.accept_publish());
    assert_eq!(&*will.topic, "wills/keeper");
    assert_eq!(&*will.payload, b"gone");

    // What came meanwhile is there as soon as the session goes on.
    other.publish(&raw_mqtt::Publish::new("kept/b", "meanwhile").qos(1, 7));
    let (client, mut messages) = within(modem.connect(lasting())).await.unwrap();
    assert_eq!(within(messages.recv()).await.unwrap().payload, b"meanwhile");
    within(client.disconnect()).await.unwrap();
    // A clean session begins with nothing.
    let (client, mut messages) = within(modem.connect(options())).await.unwrap();
    other.publish(&raw_mqtt::Publish::new("kept/b", "unheard").qos(1, 8));
    within(client.subscribe("new", QoS::AtMostOnce))
        .await
        .unwrap();
    within(client.publish("new", "heard", QoS::AtLeastOnce, false))
        .await
        .unwrap();
    assert_eq!(within(messages.recv()).await.unwrap().payload, b"heard");
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

/// The profiles whose modules keep messages until they are read.
const BUFFERED: [&str; 8] = [
    "nt35e", "nt26", "ec25", "ec200", "ec800m", "eg800k", "bg95", "bg770a",
];

/// The module of a built-in profile, for all that it can.
async fn built_in(name: &str, broker: SocketAddr) {
    let mut profile = Profile::by_name(name).unwrap().instant();
    // Whoever attaches such a module has told it to report on this port.
    let here = [("reports_elsewhere", Value::Flag(false))];
    profile.dialect = profile.dialect.with(&here);
    let model = of_model(&profile.identity.model).expect("its name is known");
    a_program(profile.clone(), model.clone(), broker).await;
    what_outlives_a_link(profile.clone(), model.clone(), broker).await;
    if BUFFERED.contains(&name) {
        what_modules_keep(profile, model, broker).await;
    }
}

async fn one_that_speaks_another_language(broker: SocketAddr) {
    let mut profile = Profile::nt26().instant();
    profile.dialect = Arc::new(proof::Set);
    profile.limits = proof::MODEL.limits;
    a_program(profile, proof::MODEL, broker).await;
}

macro_rules! built_in {
    ($($name:ident)*) => {
        $(
            async fn $name(broker: SocketAddr) {
                built_in(stringify!($name), broker).await;
            }
        )*
        with_each_broker!($($name,)* one_that_speaks_another_language);

        #[test]
        fn every_built_in_profile_is_there() {
            assert!(Profile::names().eq([$(stringify!($name)),*]));
        }
    };
}

built_in!(
    nt35e nt26 a7670 sim7600 sim7672 sim7080 sim7000 ec25 ec200 ec800m eg800k bg95 bg96 bg770a
);
