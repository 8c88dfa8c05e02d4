//! The driver as a device of Alibaba Cloud and of OneNET, against a broker that verifies as the
//! platforms do, through an emulated module.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use atmq_driver::cloud::Hash;
use atmq_driver::cloud::aliyun::{
    self, Device, RegisterError, Registered, Registration, RegistrationRequest,
};
use atmq_driver::cloud::onenet::studio::{self, AccessKey};
use atmq_driver::cloud::onenet::{
    self, COMMANDS, Command, DATA_POINTS, DataPoints, Point, Stream, TextPoint, Time,
};
use atmq_driver::reconnect::Reconnect;
use atmq_driver::{
    ConnectError, ConnectOptions, Message, Messages, Modem, QoS, Refusal, Secret, Tls,
};
use atmq_emulator::Profile;
use atmq_emulator::broker::{
    AlibabaCloud, AlibabaProduct, Authenticator, Broker, Core, Limits, OneNet,
};
use atmq_tests::authority::Authority;
use atmq_tests::module::Module;
use atmq_tests::raw_mqtt::{self, RawClient};
use atmq_tests::relay::Relay;
use atmq_tests::tls_front::TlsFront;
use atmq_tests::{PATIENCE, within};

const PRODUCT_KEY: &str = "a1B2c3D4e5F";
const SECRET: &str = "0123456789abcdef0123456789abcdef";
const PRODUCT_SECRET: &str = "abcdef0123456789";
const ACCESS_KEY: &str = "KuF3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw=";
const OTHER_KEY: &str = "AAAANT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw=";

async fn broker(authenticator: impl Authenticator + 'static) -> Broker {
    let core = Core::new(Limits::default()).authenticated_by(authenticator);
    let broker = Broker::bind_core((Ipv4Addr::LOCALHOST, 0), core).await;
    broker.expect("a free port")
}

async fn alibaba() -> Broker {
    let product = AlibabaProduct {
        secret: Some(PRODUCT_SECRET.into()),
        devices: [("dev001".into(), SECRET.into())].into(),
    };
    broker(AlibabaCloud::new().with_product(PRODUCT_KEY, product)).await
}

async fn everyone() -> Broker {
    let broker = Broker::bind((Ipv4Addr::LOCALHOST, 0)).await;
    broker.expect("a free port")
}

fn module(broker: &Broker) -> Module {
    Module::start(Profile::nt35e().instant(), broker.local_addr())
}

fn device(name: &str) -> Device {
    Device::new(PRODUCT_KEY, name)
}

/// The device signs here, or has the module sign.
fn both_ways(name: &str, secret: &'static str) -> [ConnectOptions; 2] {
    let device = device(name);
    let host = device.host("cn-shanghai");
    [
        ConnectOptions::aliyun_device(device.clone(), "cn-shanghai", Secret::from(secret)),
        ConnectOptions::new(host, aliyun::PORT, "NT35E").aliauth(device, secret),
    ]
}

async fn next(messages: &mut Messages) -> Message {
    let message = within(messages.recv()).await;
    message.expect("the connection stands")
}

async fn refusal(modem: &Modem, options: ConnectOptions) -> Refusal {
    match modem.connect(options).await {
        Err(ConnectError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alibaba_device_connects_whoever_signs() {
    let broker = alibaba().await;
    let module = module(&broker);
    let modem = module.modem().await;
    for options in both_ways("dev001", SECRET) {
        let (client, mut messages) = modem.connect(options).await.unwrap();
        let topic = "/a1B2c3D4e5F/dev001/user/t";
        client.subscribe(topic, QoS::AtLeastOnce).await.unwrap();
        client
            .publish(topic, "22.5", QoS::AtLeastOnce, false)
            .await
            .unwrap();
        assert_eq!(next(&mut messages).await.payload, b"22.5");
        client.disconnect().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_refused_as_such_whoever_signs() {
    let broker = alibaba().await;
    let module = module(&broker);
    let modem = module.modem().await;
    for options in both_ways("dev001", "fedcba9876543210fedcba9876543210") {
        assert_eq!(refusal(&modem, options).await, Refusal::BadCredentials);
    }
    for options in both_ways("dev002", SECRET) {
        assert_eq!(refusal(&modem, options).await, Refusal::NotAuthorized);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_registers_over_tls_and_connects_with_what_came_of_it() {
    let broker = alibaba().await;
    let authority = Authority::new("platform");
    let host = device("dev001").host("cn-shanghai");
    let front = TlsFront::start(broker.local_addr(), &authority.identity(&host, 2999)).await;
    let module = Module::start(Profile::nt35e().instant(), front.address());
    let modem = module.modem().await;
    let tls = || Tls::verified(0, authority.pem());
    let options = || ConnectOptions::new(&host, aliyun::PORT, "").tls(tls());
    for (name, registration) in [
        ("dev001", Registration::Listed),
        ("new001", Registration::Unlisted),
    ] {
        let device = device(name);
        let request = RegistrationRequest::new(name, registration, 567_345);
        let register = |secret: &'static str| {
            let secret = Secret::from(secret);
            let (modem, device, request, options) = (&modem, &device, &request, options());
            async move { aliyun::register(modem, options, device, &secret, request, PATIENCE).await }
        };
        let registered = register(PRODUCT_SECRET).await.unwrap();
        match (registration, &registered) {
            (Registration::Listed, Registered::Secret(secret)) => {
                assert_eq!(secret.expose(), SECRET);
            }
            (Registration::Unlisted, Registered::Token { .. }) => {}
            other => panic!("{other:?}"),
        }
        let options =
            ConnectOptions::aliyun_device(device.clone(), "cn-shanghai", registered).tls(tls());
        let (client, mut messages) = modem.connect(options).await.unwrap();
        client.subscribe("t", QoS::AtLeastOnce).await.unwrap();
        client
            .publish("t", name, QoS::AtLeastOnce, false)
            .await
            .unwrap();
        assert_eq!(next(&mut messages).await.payload, name.as_bytes());
        client.disconnect().await.unwrap();
        assert_eq!(
            register("ffffffffffffffff").await,
            Err(RegisterError::Connect(ConnectError::Refused(
                Refusal::BadCredentials
            )))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_that_nobody_answers_ends_and_leaves_the_module_usable() {
    let broker = everyone().await;
    let authority = Authority::new("silent");
    let identity = authority.identity("silent.example", 2999);
    let front = TlsFront::start(broker.local_addr(), &identity).await;
    let module = Module::start(Profile::nt35e().instant(), front.address());
    let modem = module.modem().await;
    let options = ConnectOptions::new("silent.example", 1883, "");
    let request = RegistrationRequest::new("dev001", Registration::Listed, 1);
    let (device, secret) = (device("dev001"), Secret::from(PRODUCT_SECRET));
    let limit = Duration::from_secs(2);
    let register = |options| aliyun::register(&modem, options, &device, &secret, &request, limit);
    assert_eq!(register(options.clone()).await, Err(RegisterError::NoTls));
    let options = options.tls(Tls::verified(0, authority.pem()));
    assert_eq!(
        register(options.clone().keep_alive(Duration::ZERO))
            .await
            .map_err(|error| error.to_string()),
        Err("the keepalive is 0 s, the platform takes 30 to 1200 s".into())
    );
    assert_eq!(
        register(options.clone()).await,
        Err(RegisterError::NoAnswer { limit })
    );
    let connected = within(modem.connect(options.credentials("u", "p"))).await;
    connected.expect("the module is usable");
}

fn noon() -> Time {
    Time::parse("2015-03-22 22:31:12").expect("a time")
}

/// One of each type, 1 to 7.
fn data_points() -> Vec<DataPoints> {
    let text = || {
        [
            TextPoint::at("temperature", noon(), "22.5"),
            TextPoint::value("102"),
            TextPoint::new("pm2.5", "89"),
        ]
    };
    vec![
        DataPoints::Json(vec![Stream {
            id: "t".into(),
            points: vec![Point {
                at: Some(noon()),
                value: 36.5.into(),
            }],
        }]),
        DataPoints::Binary {
            stream: "image".into(),
            at: None,
            description: None,
            // What would end a line, a prompt or a command.
            data: b"\r\nOK\r\n> \x1a\0\xff\"".to_vec(),
        },
        DataPoints::simple([("temperature", 22.5)]),
        DataPoints::timed("temperature", noon(), 22.5),
        DataPoints::Text(text().into_iter().collect()),
        DataPoints::TextWithTime {
            at: Some(noon()),
            points: text().into_iter().collect(),
        },
        DataPoints::Floats {
            at: Some(noon()),
            stream: 13,
            values: vec![34.0, -20.3],
        },
    ]
}

/// A device of the old service, and its platform at the other end.
async fn old_service(
    broker: &Broker,
    module: &Module,
) -> (atmq_driver::Client, Messages, RawClient) {
    let credentials = onenet::credentials("100200", "5550001", &Secret::from("auth"));
    let options = ConnectOptions::new("183.230.40.39", 6002, "")
        .cloud_credentials(credentials.expect("the platform takes them"));
    let (client, messages) = module.connect(options).await;
    let platform = RawClient::connect(broker.local_addr(), &raw_mqtt::Connect::new("platform"));
    (client, messages, platform)
}

#[tokio::test(flavor = "multi_thread")]
async fn data_points_of_every_type_arrive_as_they_were_sent() {
    let broker = everyone().await;
    let module = module(&broker);
    let (client, _messages, mut platform) = old_service(&broker, &module).await;
    platform.subscribe(&[(DATA_POINTS, 0)]);
    for points in data_points() {
        client
            .publish(
                DATA_POINTS,
                points.encode().unwrap(),
                QoS::AtLeastOnce,
                false,
            )
            .await
            .unwrap();
        let publish = platform.expect_publish();
        assert_eq!(DataPoints::decode(&publish.payload), Ok(points));
    }
    client.disconnect().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_of_the_platform_is_answered_under_its_id() {
    let broker = everyone().await;
    let module = module(&broker);
    let (client, mut messages, mut platform) = old_service(&broker, &module).await;
    client.subscribe(COMMANDS, QoS::AtLeastOnce).await.unwrap();
    platform.subscribe(&[("$crsp/#", 0)]);
    for topic in ["$creq/2c1f-77", "$creq/5550001/2c1f-77"] {
        platform.send(raw_mqtt::Publish::new(topic, "on").bytes());
        let message = next(&mut messages).await;
        let command = Command::from_topic(&message.topic).expect("a command");
        let answer = [&message.payload[..], b" done"].concat();
        client
            .publish(command.response_topic(), answer, QoS::AtLeastOnce, false)
            .await
            .unwrap();
        let publish = platform.expect_publish();
        assert_eq!(publish.topic, "$crsp/2c1f-77");
        assert_eq!(publish.payload, b"on done");
    }
    client.disconnect().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_right_wrong_or_expired() {
    let platform = OneNet::default()
        .with_key("products/123123", ACCESS_KEY)
        .with_key("products/123123/devices/mydev", OTHER_KEY);
    let broker = broker(platform).await;
    let module = module(&broker);
    let modem = module.modem().await;
    let options = |key: Result<AccessKey, _>, lifetime| {
        let device = studio::Device::new("123123", "mydev");
        let key = key.expect("an access key");
        ConnectOptions::onenet_studio("studio.example", 1883, device, key, lifetime)
    };
    let hour = Duration::from_secs(3600);
    for key in [AccessKey::product(ACCESS_KEY), AccessKey::device(OTHER_KEY)] {
        let (client, _messages) = modem.connect(options(key, hour)).await.unwrap();
        client.disconnect().await.unwrap();
    }
    let wrong = options(AccessKey::product(OTHER_KEY), hour);
    assert_eq!(refusal(&modem, wrong).await, Refusal::BadCredentials);
    let expired = options(AccessKey::product(ACCESS_KEY), Duration::ZERO);
    assert_eq!(refusal(&modem, expired).await, Refusal::BadCredentials);
    let key = AccessKey::product(ACCESS_KEY).unwrap();
    let other = studio::Device::new("999", "mydev");
    let unknown = ConnectOptions::onenet_studio("studio.example", 1883, other, key, hour);
    assert_eq!(refusal(&modem, unknown).await, Refusal::NotAuthorized);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_asked_for_once_at_each_connect() {
    let broker = everyone().await;
    let module = module(&broker);
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let options = ConnectOptions::new("platform.example", 1883, "").cloud_credentials_by(
        move || match counter.fetch_add(1, Ordering::Relaxed) {
            0 | 1 => onenet::credentials("100200", "5550001", &Secret::from("auth"))
                .map_err(|error| error.to_string()),
            _ => Err("the vault is locked".to_owned()),
        },
    );
    let modem = module.modem().await;
    for times in [1, 2] {
        let (client, _messages) = modem.connect(options.clone()).await.unwrap();
        assert_eq!(asked.load(Ordering::Relaxed), times);
        client.disconnect().await.unwrap();
    }
    assert_eq!(
        modem.connect(options).await.unwrap_err().to_string(),
        "there are no credentials to connect with: the vault is locked"
    );
}

/// A token may have expired by the time the link is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_comes_back_comes_with_new_credentials() {
    let platform = OneNet::default().with_key("products/123123", ACCESS_KEY);
    let broker = broker(platform).await;
    let relay = Relay::start(broker.local_addr()).await;
    let module = Module::start(Profile::nt35e().instant(), relay.address());
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let options = ConnectOptions::new("studio.example", 1883, "").cloud_credentials_by(move || {
        // Far in the future, and another one each time.
        let expires = 32_503_680_000 + counter.fetch_add(1, Ordering::Relaxed) as u64;
        let key = AccessKey::product(ACCESS_KEY)?;
        studio::Device::new("123123", "mydev").credentials(&key, Hash::Sha256, expires)
    });
    let policy =
        Reconnect::default().backoff(Duration::from_millis(20), Duration::from_millis(200));
    let (client, _messages) = module.modem().await.keep_connected(options, policy);
    within(client.connected()).await.unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    relay.cut();
    let mut state = client.watch_state();
    while client.counters().losses < 1 {
        within(state.changed()).await.unwrap();
    }
    within(client.connected()).await.unwrap();
    assert!(asked.load(Ordering::Relaxed) >= 2);
}
