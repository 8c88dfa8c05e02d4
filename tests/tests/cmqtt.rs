//! What is particular to modules with a service that clients share: it survives the host, and so do
//! the clients. The driver and the emulated module meet on a pseudo terminal.

use std::net::SocketAddr;
use std::time::Duration;

use atmq_driver::{ConnectError, ConnectOptions, ConnectionId, Disconnected, Modem, QoS, Settings};
use atmq_emulator::Profile;
use atmq_emulator::broker::Broker;
use atmq_protocol::at::result_code::FinalResult;
use atmq_protocol::dialect::Model;
use atmq_protocol::dialect::cmqtt::{A7670, SIM7600, SIM7672};
use atmq_protocol::standard::Registration;
use atmq_tests::module::Module;
use atmq_tests::within;

const MODELS: [(&str, Model); 3] = [("a7670", A7670), ("sim7600", SIM7600), ("sim7672", SIM7672)];

fn module(name: &str, broker: SocketAddr) -> Module {
    let profile = Profile::by_name(name).expect("it is in the crate");
    Module::start(profile.instant(), broker)
}

async fn modem(module: &Module, model: Model) -> Modem {
    module.modem_with(Settings::default().model(model)).await
}

fn options(id: u8) -> ConnectOptions {
    ConnectOptions::new("broker.invalid", 1883, format!("client-{id}")).connection(ConnectionId(id))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_clients_share_the_service() {
    for (name, model) in MODELS {
        let broker = Broker::bind("127.0.0.1:0").await.unwrap();
        let module = module(name, broker.local_addr());
        let modem = modem(&module, model).await;
        // Both at once: one of them starts the service.
        let connect = |id| within(modem.connect(options(id)));
        let (first, second) = tokio::join!(connect(0), connect(1));
        let ((first, mut heard), (second, mut other)) = (first.unwrap(), second.unwrap());
        within(first.subscribe("a", QoS::AtLeastOnce))
            .await
            .unwrap();
        within(second.subscribe("b", QoS::AtLeastOnce))
            .await
            .unwrap();
        let long = vec![b'x'; 4000];
        let (one, two) = tokio::join!(
            within(first.publish("b", long.clone(), QoS::ExactlyOnce, false)),
            within(second.publish("a", "to the first", QoS::ExactlyOnce, false)),
        );
        one.unwrap();
        two.unwrap();
        assert_eq!(within(heard.recv()).await.unwrap().payload, b"to the first");
        assert_eq!(within(other.recv()).await.unwrap().payload, long);
        // One leaves, and the other one stays.
        within(first.disconnect()).await.unwrap();
        within(second.publish("b", "still here", QoS::AtLeastOnce, false))
            .await
            .unwrap();
        assert_eq!(within(other.recv()).await.unwrap().payload, b"still here");
        broker.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_starts_anew_finds_service_and_client_in_use() {
    for (name, model) in MODELS {
        let broker = Broker::bind("127.0.0.1:0").await.unwrap();
        let module = module(name, broker.local_addr());
        let modem = modem(&module, model).await;
        // What an earlier program has left.
        let says = async |line: &str, wanted: &[u8]| {
            let until = async || loop {
                let response = modem.command(line).await.unwrap();
                if response.lines.iter().any(|line| line == wanted) {
                    break;
                }
            };
            within(until()).await;
        };
        modem.command("AT+CMQTTSTART").await.unwrap();
        within(async {
            while modem.command("AT+CMQTTREL?").await.unwrap().result != FinalResult::Ok {}
        })
        .await;
        modem.command("AT+CMQTTACCQ=0,\"left\"").await.unwrap();
        let connect = "AT+CMQTTCONNECT=0,\"tcp://broker.invalid:1883\",60,1";
        modem.command(connect).await.unwrap();
        says("AT+CMQTTDISC?", b"+CMQTTDISC: 0,0").await;
        let (client, mut messages) = within(modem.connect(options(0))).await.unwrap();
        within(client.subscribe("t", QoS::AtLeastOnce))
            .await
            .unwrap();
        within(client.publish("t", "x", QoS::AtLeastOnce, false))
            .await
            .unwrap();
        assert_eq!(within(messages.recv()).await.unwrap().payload, b"x");
        broker.shutdown().await;
    }
}

/// Drops a future after so long.
async fn begin_and_drop<T>(future: impl Future<Output = T>, after: Duration) {
    let _ = tokio::time::timeout(after, future).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connect_that_is_dropped_is_undone() {
    let broker = Broker::bind("127.0.0.1:0").await.unwrap();
    // With its own timing, so that it is dropped in the middle.
    let profile = Profile::by_name("a7670").unwrap();
    let module = Module::start(profile, broker.local_addr());
    let modem = modem(&module, A7670).await;
    for milliseconds in [0, 150, 300, 600, 900] {
        begin_and_drop(
            modem.connect(options(0)),
            Duration::from_millis(milliseconds),
        )
        .await;
        // The connection is taken until that is done.
        let (client, _messages) = within(async {
            loop {
                match modem.connect(options(0)).await {
                    Err(ConnectError::Occupied(_)) => tokio::task::yield_now().await,
                    connected => break connected.unwrap(),
                }
            }
        })
        .await;
        within(client.publish("t", "x", QoS::AtLeastOnce, false))
            .await
            .unwrap();
        within(client.disconnect()).await.unwrap();
    }
    let states = modem.command("AT+CMQTTACCQ?").await.unwrap();
    let released = [
        b"+CMQTTACCQ: 0,\"\",0".to_vec(),
        b"+CMQTTACCQ: 1,\"\",0".to_vec(),
    ];
    assert_eq!(states.lines, released);
    broker.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_is_started_again_when_the_network_is_back() {
    for (name, model) in MODELS {
        let broker = Broker::bind("127.0.0.1:0").await.unwrap();
        let module = module(name, broker.local_addr());
        let modem = modem(&module, model).await;
        let (client, mut messages) = within(modem.connect(options(1))).await.unwrap();
        let control = module.control().clone();
        control
            .change(|modem, now| modem.set_registration(Registration::NotRegistered, now))
            .await;
        assert_eq!(within(messages.recv()).await, None);
        let ended = client.ended();
        assert!(
            matches!(ended, Some(Disconnected::LinkLost { .. })),
            "{ended:?}"
        );
        let without = within(modem.connect(options(1))).await;
        assert!(without.is_err(), "connected without a network");
        control
            .change(|modem, now| modem.set_registration(Registration::Home, now))
            .await;
        let connected = within(async {
            loop {
                match modem.connect(options(1)).await {
                    Ok(connected) => break connected,
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        });
        let (client, _messages) = connected.await;
        within(client.publish("t", "x", QoS::AtLeastOnce, false))
            .await
            .unwrap();
        broker.shutdown().await;
    }
}
