//! The process of a real broker is killed and started again where it was, while a client that comes
//! back publishes and subscribes.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use atmq_driver::reconnect::{Outgoing, Reconnect, Undelivered};
use atmq_driver::{ConnectOptions, QoS};
use atmq_emulator::Profile;
use atmq_tests::module::Module;
use atmq_tests::mosquitto::Mosquitto;
use atmq_tests::raw_mqtt::{Connect, Publish, RawClient, Received};
use atmq_tests::relay::Relay;
use atmq_tests::{PATIENCE, within};

/// How often the broker is killed.
const ROUNDS: u32 = 3;

/// Messages published around each kill.
const MESSAGES: u32 = 60;

/// Another client, which counts how often each message has come.
struct Witness {
    client: RawClient,
    seen: HashMap<String, u32>,
}

impl Witness {
    /// Reads until the broker is gone.
    fn read_to_end(&mut self) {
        loop {
            match self.client.receive_within(PATIENCE) {
                Received::Packet(packet) => self.take(&packet),
                Received::Closed => return,
                Received::Nothing => panic!("the broker is still there"),
            }
        }
    }

    /// Reads what the broker has sent so far.
    fn catch_up(&mut self) {
        for packet in self.client.fence() {
            self.take(&packet);
        }
    }

    fn take(&mut self, packet: &[u8]) {
        if let Some(publish) = Publish::read(packet) {
            let payload = String::from_utf8(publish.payload).expect("numbers are text");
            *self.seen.entry(payload).or_default() += 1;
        }
    }

    fn subscribe(mosquitto: &Mosquitto) -> RawClient {
        let mut client = RawClient::connect(mosquitto.address(), &Connect::new("witness"));
        // With quality of service 0 the broker hands each message on once, and at once.
        client.subscribe(&[("up", 0)]);
        client
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_killed_loses_no_qos_1_and_doubles_no_qos_2() {
    let Some(mut mosquitto) = Mosquitto::start() else {
        return;
    };
    let relay = Relay::start(mosquitto.address()).await;
    let module = Module::start(Profile::nt35e().instant(), relay.address());
    let options = ConnectOptions::new("broker.invalid", 1883, "module");
    let policy = Reconnect::default()
        .backoff(Duration::from_millis(20), Duration::from_millis(200))
        .seed(7);
    let (client, mut messages) = module.modem().await.keep_connected(options, policy);
    within(client.connected()).await.expect("it connects");
    within(client.subscribe("down", QoS::AtLeastOnce))
        .await
        .expect("it subscribes");
    let mut witness = Witness {
        client: Witness::subscribe(&mosquitto),
        seen: HashMap::new(),
    };

    let mut receipts = Vec::new();
    for round in 0..ROUNDS {
        for number in 0..MESSAGES {
            let qos = match number % 3 {
                2 => QoS::ExactlyOnce,
                _ => QoS::AtLeastOnce,
            };
            let payload = format!("{round} {number}");
            let message = Outgoing::new("up", payload.clone()).qos(qos);
            let receipt = within(client.enqueue(message))
                .await
                .expect("there is room");
            receipts.push((payload, qos, receipt));
        }
        // In the middle of it.
        let mut depth = client.watch_queue();
        let half =
            |depth: &atmq_driver::reconnect::QueueDepth| depth.messages <= MESSAGES as usize / 2;
        within(depth.wait_for(half))
            .await
            .expect("the client lives");
        // What comes back must not be faster than the witness.
        relay.refuse(true);
        mosquitto.kill();
        witness.read_to_end();
        mosquitto.start_again();
        witness.client = Witness::subscribe(&mosquitto);
        relay.refuse(false);
        client.reconnect_now();
        within(depth.wait_for(|depth| depth.messages == 0))
            .await
            .expect("the client lives");
        witness.catch_up();
    }

    let mut in_doubt = 0;
    let mut repeated = HashSet::new();
    for (payload, qos, receipt) in receipts {
        let times = witness.seen.get(&payload).copied().unwrap_or(0);
        match within(receipt).await {
            Ok(delivered) => {
                assert!(times >= 1, "{payload} is lost");
                if delivered.repeated {
                    repeated.insert(payload.clone());
                }
            }
            Err(Undelivered::InDoubt(_)) if qos == QoS::ExactlyOnce => in_doubt += 1,
            Err(error) => panic!("{payload}: {error:?}"),
        }
        let most = 1 + u32::from(repeated.contains(&payload));
        assert!(times <= most, "{payload} has come {times} times");
    }
    assert!(client.counters().losses >= u64::from(ROUNDS));
    assert_eq!(
        client.counters().delivered + in_doubt,
        u64::from(ROUNDS * MESSAGES)
    );

    // The subscription has come back each time.
    let mut other = RawClient::connect(mosquitto.address(), &Connect::new("other"));
    other.publish(&Publish::new("down", "heard").qos(1, 1));
    let message = within(messages.recv()).await.expect("the stream goes on");
    assert_eq!(message.payload, b"heard");
    within(client.disconnect(PATIENCE)).await.expect("it ends");
}
