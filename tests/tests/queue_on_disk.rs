//! A queue on the disk: what it keeps, and what it says of files that are none.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use atmq_driver::reconnect::{
    InDoubt, Outgoing, Reconnect, ReconnectingClient, Store, StoreError, Undelivered,
};
use atmq_driver::{ConnectOptions, Messages, Modem, QoS, Settings};
use atmq_emulator::Profile;
use atmq_emulator::broker::Broker;
use atmq_tests::module::Module;
use atmq_tests::raw_mqtt::{self, RawClient};
use atmq_tests::relay::Relay;
use atmq_tests::{PATIENCE, within};
use tempfile::TempDir;
use tokio::io::DuplexStream;
use tokio::runtime::Runtime;

fn place() -> TempDir {
    tempfile::tempdir().expect("there is room for a file")
}

fn policy(file: &Path) -> Reconnect {
    let store = Store::open(file).expect("the file can be opened");
    Reconnect::default()
        .backoff(Duration::from_millis(20), Duration::from_millis(200))
        .persist(store)
}

fn options() -> ConnectOptions {
    ConnectOptions::new("broker.invalid", 1883, "queue")
}

/// A client on a line where nobody answers.
fn silent(policy: Reconnect) -> (ReconnectingClient, Messages, DuplexStream) {
    let (host, module) = tokio::io::duplex(4096);
    let modem = Modem::over(host, Settings::default());
    let (client, messages) = modem.keep_connected(options(), policy);
    (client, messages, module)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_left_is_sent_by_the_next_program_in_its_order() {
    let place = place();
    let file = place.path().join("queue");
    let (client, _messages, _module) = silent(policy(&file));
    let mut receipts = Vec::new();
    for number in 0..5 {
        let qos = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce][number % 3];
        let message = Outgoing::new("t", format!("{number}\0\r\n")).qos(qos);
        receipts.push(client.enqueue(message).await.unwrap());
    }
    let brief = Outgoing::new("t", "brief").expire_after(Duration::from_millis(300));
    drop(client.enqueue(brief).await.unwrap());
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(within(client.disconnect(Duration::ZERO)).await, Ok(5));
    for receipt in receipts {
        assert!(matches!(
            within(receipt).await,
            Err(Undelivered::Stopped { .. })
        ));
    }

    let broker = Broker::bind("127.0.0.1:0").await.unwrap();
    let mut listener = RawClient::connect(broker.local_addr(), &raw_mqtt::Connect::new("listener"));
    listener.subscribe(&[("t", 0)]);
    let module = Module::start(Profile::nt35e().instant(), broker.local_addr());
    let modem = module.modem().await;
    let (client, _messages) = modem.keep_connected(options(), policy(&file));
    assert_eq!(client.counters().restored, 5);
    let behind = client.publish("t", "behind", QoS::AtLeastOnce, false);
    within(behind).await.unwrap();
    for number in 0..5 {
        let payload = format!("{number}\0\r\n");
        listener.expect(raw_mqtt::Publish::new("t", payload).bytes());
    }
    listener.expect(raw_mqtt::Publish::new("t", "behind").bytes());
    assert_eq!(within(client.disconnect(PATIENCE)).await, Ok(0));
    assert_eq!(client.counters().delivered, 6);
    assert_eq!(Store::open(&file).unwrap().messages(), 0);
    broker.shutdown().await;
}

/// A file of the first form, `atmq queue 1`, as the program wrote it before it had dialects: three
/// messages, one of each quality of service, the last of which expires in some thousand years.
const FIRST_FORM: &[u8] = include_bytes!("../data/queue-1.redb");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_an_earlier_program_is_read() {
    let place = place();
    let file = place.path().join("queue");
    fs::write(&file, FIRST_FORM).unwrap();
    let broker = Broker::bind("127.0.0.1:0").await.unwrap();
    let mut listener = RawClient::connect(broker.local_addr(), &raw_mqtt::Connect::new("listener"));
    listener.subscribe(&[("meter/+", 0)]);
    let module = Module::start(Profile::nt35e().instant(), broker.local_addr());
    let modem = module.modem().await;
    let (client, _messages) = modem.keep_connected(options(), policy(&file));
    assert_eq!(client.counters().restored, 3);
    for number in 0..3 {
        let payload = format!("\0\r\n\"\x1a{number}");
        let topic = format!("meter/{number}");
        listener.expect(raw_mqtt::Publish::new(&topic, payload).bytes());
    }
    assert_eq!(within(client.disconnect(PATIENCE)).await, Ok(0));
    assert_eq!(Store::open(&file).unwrap().messages(), 0);
    broker.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_not_come_twice_is_not_sent_by_the_next_program() {
    let broker = Broker::bind("127.0.0.1:0").await.unwrap();
    let place = place();
    for (number, (qos, in_doubt, again)) in [
        (QoS::AtLeastOnce, InDoubt::GiveUp, true),
        (QoS::ExactlyOnce, InDoubt::GiveUp, false),
        (QoS::ExactlyOnce, InDoubt::Repeat, true),
    ]
    .into_iter()
    .enumerate()
    {
        let file = place.path().join(number.to_string());
        let relay = Relay::start(broker.local_addr()).await;
        let module = Module::start(Profile::nt35e().instant(), relay.address());
        // A program of its own, so that it can end from one moment to the next.
        let program = Runtime::new().unwrap();
        let port = module.path().to_string_lossy().into_owned();
        let policy = policy(&file).in_doubt(in_doubt);
        let began = program.spawn(async move {
            let modem = Modem::open(&port, Settings::default()).await.unwrap();
            let (client, messages) = modem.keep_connected(options(), policy);
            within(client.connected()).await.unwrap();
            (client, messages)
        });
        let (client, messages) = began.await.unwrap();
        relay.mute(true);
        let mut sent = relay.sent();
        sent.mark_unchanged();
        let receipt = client
            .enqueue(Outgoing::new("t", "?").qos(qos))
            .await
            .unwrap();
        within(sent.changed()).await.unwrap();
        // The module has it, and the program ends before the answer.
        program.shutdown_background();
        drop((client, messages, receipt));

        let store = within(async {
            loop {
                match Store::open(&file) {
                    Err(StoreError::InUse { .. }) => tokio::task::yield_now().await,
                    other => break other.unwrap(),
                }
            }
        })
        .await;
        let (client, _messages, _module) =
            silent(Reconnect::default().in_doubt(in_doubt).persist(store));
        let counters = client.counters();
        assert_eq!(counters.in_doubt, u64::from(!again), "{qos:?} {in_doubt:?}");
        assert_eq!(client.watch_queue().borrow().messages, usize::from(again));
    }
    broker.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_file_has_the_bounds_of_the_queue() {
    let place = place();
    let file = place.path().join("queue");
    let policy = policy(&file).queue(50, 1 << 20);
    let policy = policy.when_full(atmq_driver::reconnect::WhenFull::DropOldest);
    let (client, _messages, _module) = silent(policy);
    let mut filling = tokio::task::JoinSet::new();
    for number in 0..2000 {
        let client = client.clone();
        filling.spawn(async move {
            let payload = format!("{number} {}", "x".repeat(1000));
            client.enqueue(Outgoing::new("t", payload)).await.map(drop)
        });
    }
    for outcome in within(filling.join_all()).await {
        outcome.unwrap();
    }
    assert_eq!(client.counters().displaced, 1950);
    within(client.disconnect(Duration::ZERO)).await.unwrap();
    assert_eq!(Store::open(&file).unwrap().messages(), 50);
    let size = fs::metadata(&file).unwrap().len();
    assert!(size < 1 << 20, "{size} bytes");
}

#[test]
fn others_cannot_read_the_messages_that_wait() {
    let place = place();
    let file = place.path().join("queue");
    drop(Store::open(&file).unwrap());
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn files_that_are_no_queue_are_told_as_such() {
    let place = place();
    let path = |name: &str| place.path().join(name);
    let said = |file: &Path| Store::open(file).unwrap_err().to_string();

    fs::write(
        path("text"),
        "not a queue, and longer than nothing".repeat(200),
    )
    .unwrap();
    assert!(said(&path("text")).ends_with("text is not a queue of atmq"));
    assert_eq!(fs::read(path("text")).unwrap().len(), 36 * 200);

    let open = Store::open(path("open")).unwrap();
    assert!(said(&path("open")).ends_with("open is in use by another program"));
    drop(open);

    let missing = Store::open(place.path().join("no/such/place")).unwrap_err();
    assert!(matches!(missing, StoreError::Io { .. }), "{missing:?}");

    // Cut off, or with other bytes in its middle.
    let whole = within_a_moment(&path("open"));
    fs::write(path("short"), &whole[..whole.len() / 2]).unwrap();
    let short = said(&path("short"));
    assert!(short.contains("short is damaged: "), "{short}");
    let mut scrambled = whole.clone();
    for byte in &mut scrambled[64..] {
        *byte ^= 0x55;
    }
    fs::write(path("scrambled"), &scrambled).unwrap();
    let scrambled = said(&path("scrambled"));
    assert!(scrambled.contains("scrambled is damaged: "), "{scrambled}");
}

/// The bytes of a file that a thread is about to close.
fn within_a_moment(file: &Path) -> Vec<u8> {
    for _ in 0..6000 {
        match Store::open(file) {
            Err(StoreError::InUse { .. }) => std::thread::sleep(Duration::from_millis(10)),
            other => {
                drop(other.unwrap());
                break;
            }
        }
    }
    fs::read(file).unwrap()
}
