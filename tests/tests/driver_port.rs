//! Ports that go away and come back, at whatever rate the module speaks: the driver on real
//! pseudo terminals and TCP, the emulated module behind them.

use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use atmq_driver::reconnect::{Outgoing, Reconnect, State, Stopped};
use atmq_driver::{
    ConnectOptions, Disconnected, Error, Modem, ModemState, QoS, Settings, blocking,
};
use atmq_emulator::broker::Broker;
use atmq_emulator::{Emulator, HostMap, Link, NetworkOptions, Port, Profile, Pty, TcpPort};
use atmq_tests::{PATIENCE, within};
use tokio::task::JoinHandle;

/// Runs a module on a port; its broker is this one.
fn serve(port: impl Port + Send + 'static, broker: SocketAddr) -> JoinHandle<()> {
    let network = NetworkOptions {
        hosts: HostMap::everything_to(broker.ip().to_string(), broker.port()).into(),
        ..NetworkOptions::default()
    };
    let emulator = Emulator::new(Profile::nt35e().instant()).network(network);
    tokio::spawn(async move { emulator.serve(port).await.expect("the port works") })
}

/// A serial device with a stable name.
fn plug_in(path: &Path, broker: SocketAddr) -> (Link, JoinHandle<()>) {
    let pty = Pty::open().unwrap();
    let link = Link::create(path, pty.path()).unwrap();
    (link, serve(pty, broker))
}

async fn end(task: JoinHandle<()>) {
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
}

/// Publishes to itself.
async fn there_and_back(modem: &Modem) -> (atmq_driver::Client, atmq_driver::Messages) {
    let options = ConnectOptions::new("broker.invalid", 1883, "module");
    let (client, mut messages) = within(modem.connect(options)).await.unwrap();
    client.subscribe("t", QoS::AtLeastOnce).await.unwrap();
    client
        .publish("t", "x", QoS::AtLeastOnce, false)
        .await
        .unwrap();
    assert_eq!(within(messages.recv()).await.unwrap().payload, b"x");
    (client, messages)
}

/// What a loss looks like from the handles, and that they are good afterwards.
async fn lost_and_back<F: Future<Output = ()>>(
    name: &str,
    unplug: impl Future<Output = ()>,
    plug_in: impl FnOnce() -> F,
) {
    let modem = Modem::open(name, Settings::default()).await.unwrap();
    let mut states = modem.state_changes();
    let (client, mut messages) = there_and_back(&modem).await;
    unplug.await;
    assert_eq!(within(messages.recv()).await, None);
    assert!(matches!(client.ended(), Some(Disconnected::PortLost(_))));
    while !matches!(within(states.recv()).await, Some(ModemState::PortLost(_))) {}
    let error = modem.attention().await.unwrap_err();
    assert!(matches!(error, Error::PortAway(_)), "{error}");
    plug_in().await;
    within(modem.ready()).await.unwrap();
    there_and_back(&modem).await;
    let counters = modem.counters();
    assert_eq!((counters.port_losses, counters.initialisations), (1, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_serial_device_is_unplugged_and_back() {
    let broker = Broker::bind("127.0.0.1:0").await.unwrap();
    let address = broker.local_addr();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ttyUSB0");
    let (link, task) = plug_in(&path, address);
    let unplug = async {
        end(task).await;
        drop(link);
    };
    let back = std::cell::RefCell::new(None);
    let plug = || async { *back.borrow_mut() = Some(plug_in(&path, address)) };
    lost_and_back(path.to_str().unwrap(), unplug, plug).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tcp_peer_goes_away_and_comes_back() {
    let broker = Broker::bind("127.0.0.1:0").await.unwrap();
    let address = broker.local_addr();
    let port = TcpPort::bind("127.0.0.1:0").await.unwrap();
    let peer = port.local_addr();
    let task = serve(port, address);
    let plug = || async {
        let port = TcpPort::bind(&peer.to_string()).await.unwrap();
        serve(port, address);
    };
    lost_and_back(&format!("tcp://{peer}"), end(task), plug).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_is_not_to_be_opened_again_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ttyUSB0");
    let (_link, task) = plug_in(&path, ([127, 0, 0, 1], 1).into());
    let settings = Settings::default().reopen(false);
    let modem = Modem::open(path.to_str().unwrap(), settings).await.unwrap();
    end(task).await;
    let error = within(modem.attention()).await.unwrap_err();
    assert!(matches!(error, Error::PortClosed(_)), "{error}");
    assert!(matches!(modem.state(), ModemState::Closed(_)));
}

/// At a wrong rate both sides hear garbage.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rate_of_the_module_is_found() {
    let pty = Pty::open().unwrap();
    let path = pty.path().to_str().unwrap().to_owned();
    let mut profile = Profile::nt35e().instant();
    profile.quirks.autobaud = false;
    tokio::spawn(Emulator::new(profile).serve(pty));
    let modem = Modem::open(&path, Settings::default()).await.unwrap();
    let response = modem.command("AT+IPR=9600").await.unwrap();
    assert_eq!(response.result, atmq_driver::FinalResult::Ok);
    drop(modem);
    let settings = Settings::default().baud_rate(57_600).auto_baud(true);
    // The device is busy until the first modem has closed it.
    let opened = within(async {
        loop {
            match Modem::open(&path, settings.clone()).await {
                Err(atmq_driver::OpenError::Device { .. }) => tokio::task::yield_now().await,
                other => break other,
            }
        }
    });
    let modem = opened.await.unwrap();
    assert!(modem.signal_quality().await.unwrap().rssi_dbm().is_some());
    drop(modem);
}

/// From threads that know nothing of tokio.
#[test]
fn a_program_without_a_runtime_publishes_from_several_threads() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ttyUSB0");
    let (broker, _module) = runtime.block_on(async {
        let broker = Broker::bind("127.0.0.1:0").await.unwrap();
        let module = plug_in(&path, broker.local_addr());
        (broker, module)
    });
    let modem = blocking::Modem::open(path.to_str().unwrap(), Settings::default()).unwrap();
    let identity = modem.wait_for(modem.inner().identify()).unwrap();
    assert!(identity.imei.is_some());
    assert_eq!(modem.identify().unwrap(), identity);
    assert!(modem.signal().unwrap().rssi_dbm.is_some());
    let options = ConnectOptions::new("broker.invalid", 1883, "module");
    let (client, mut messages) = modem.connect(options).unwrap();
    client.subscribe("t/+", QoS::AtLeastOnce).unwrap();
    let threads = (0..4).map(|number: u8| {
        let client = client.clone();
        std::thread::spawn(move || {
            let topic = format!("t/{number}");
            client.publish(topic, [number], QoS::AtLeastOnce, false)
        })
    });
    for thread in threads.collect::<Vec<_>>() {
        thread.join().unwrap().unwrap();
    }
    let mut heard: Vec<_> = (0..4)
        .map(|_| messages.next_within(PATIENCE).unwrap().unwrap().payload[0])
        .collect();
    heard.sort_unstable();
    assert_eq!(heard, [0, 1, 2, 3]);
    let nothing = messages.next_within(Duration::from_millis(10));
    assert_eq!(nothing, Err(blocking::TimedOut));
    client.disconnect().unwrap();
    assert_eq!(messages.next(), None);
    assert_eq!(messages.ended(), Some(Disconnected::Requested));
    drop((modem, client, messages));
    // The port is free again at once.
    let again = blocking::Modem::open(path.to_str().unwrap(), Settings::default());
    again.unwrap();
    runtime.block_on(broker.shutdown());
}

/// Over two connections, of which a module that starts anew ends the first.
#[test]
fn a_program_without_a_runtime_stays_connected() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ttyUSB0");
    let (broker, _module) = runtime.block_on(async {
        let broker = Broker::bind("127.0.0.1:0").await.unwrap();
        let module = plug_in(&path, broker.local_addr());
        (broker, module)
    });
    let modem = blocking::Modem::open(path.to_str().unwrap(), Settings::default()).unwrap();
    let options = ConnectOptions::new("broker.invalid", 1883, "module");
    let reconnect = Reconnect::default();
    let (client, mut messages) = modem.keep_connected(options, reconnect);
    client.connected().unwrap();
    client.subscribe("t", QoS::AtLeastOnce).unwrap();
    for payload in ["first", "second"] {
        client
            .publish("t", payload, QoS::AtLeastOnce, false)
            .unwrap();
        let message = messages.next_within(PATIENCE).unwrap().unwrap();
        assert_eq!(message.payload, payload.as_bytes());
        modem.reset().unwrap();
    }
    let receipt = client.enqueue(Outgoing::new("t", "third")).unwrap();
    assert!(modem.wait_for(receipt).is_ok());
    client.unsubscribe("t").unwrap();
    assert_eq!(client.disconnect(Duration::ZERO), Ok(0));
    assert_eq!(client.state(), State::Stopped(Stopped::Requested));
    runtime.block_on(broker.shutdown());
}

#[tokio::test]
async fn a_port_that_is_not_there_yet_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ttyUSB0");
    let name = path.to_str().unwrap();
    let broker = Broker::bind("127.0.0.1:0").await.unwrap();
    let opening = async {
        let short = Settings::default().wait_for_port(Duration::from_millis(300));
        let error = Modem::open(name, short).await.unwrap_err();
        assert!(error.is_away(), "{error}");
        Modem::open(name, Settings::default().wait_for_port(PATIENCE)).await
    };
    let plugging = async {
        tokio::time::sleep(Duration::from_millis(800)).await;
        plug_in(&path, broker.local_addr())
    };
    let (opened, _module) = tokio::join!(opening, plugging);
    within(opened.unwrap().signal()).await.unwrap();
    broker.shutdown().await;
}
