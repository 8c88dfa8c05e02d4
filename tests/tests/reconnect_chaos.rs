//! Faults at random, by a seed: cut links, refused links, swallowed acknowledgements, reboots and
//! lost registrations, while messages go both into the queue and out of it.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use atmq_driver::ConnectOptions;
use atmq_driver::QoS;
use atmq_driver::reconnect::{InDoubt, Outgoing, Reconnect, Undelivered};
use atmq_emulator::Profile;
use atmq_emulator::broker::Broker;
use atmq_emulator::modem::Modem;
use atmq_protocol::standard::Registration;
use atmq_tests::module::Module;
use atmq_tests::raw_mqtt::{self, RawClient};
use atmq_tests::relay::Relay;
use tokio::time::{sleep, timeout};

/// Faults in each run.
const ROUNDS: u32 = 30;

/// Messages between one fault and the next.
const BURST: u32 = 5;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(120);

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    async fn pause(&mut self, milliseconds: u64) {
        sleep(Duration::from_millis(self.below(milliseconds))).await;
    }
}

/// Does something bad, and takes it back.
async fn fault(random: &mut Random, relay: &Relay, module: &Module) {
    match random.below(5) {
        0 => relay.cut(),
        1 => {
            relay.refuse(true);
            relay.cut();
            random.pause(150).await;
            relay.refuse(false);
        }
        2 => {
            relay.mute(true);
            random.pause(50).await;
            relay.cut();
            relay.mute(false);
        }
        3 => module.control().change(Modem::reset).await,
        _ => {
            let lose = |modem: &mut Modem, now| {
                modem.set_registration(Registration::Searching, now);
            };
            module.control().change(lose).await;
            random.pause(150).await;
            let find = |modem: &mut Modem, now| {
                modem.set_registration(Registration::Home, now);
            };
            module.control().change(find).await;
        }
    }
}

/// Each message's fate is told, and what is told is true: what was acknowledged has arrived, what
/// must not come twice has not, and the order is the queue's.
async fn run(seed: u64) {
    let broker = Broker::bind("127.0.0.1:0").await.expect("a port is free");
    let address = broker.local_addr();
    let relay = Relay::start(address).await;
    let module = Module::start(Profile::nt35e().instant(), relay.address());
    let mut listener = RawClient::connect(address, &raw_mqtt::Connect::new("listener"));
    listener.subscribe(&[("chaos", 0)]);
    let reconnect = Reconnect::default()
        .backoff(Duration::from_millis(5), Duration::from_millis(50))
        .in_doubt(InDoubt::GiveUp)
        .attempts(u32::MAX)
        .seed(seed);
    let options = ConnectOptions::new("broker.invalid", 1883, "chaos");
    let modem = module.modem().await;
    let (client, mut messages) = modem.keep_connected(options, reconnect);
    let reader = tokio::spawn(async move { while messages.recv().await.is_some() {} });
    let subscribed = client.subscribe("down", QoS::AtLeastOnce);
    timeout(PATIENCE, subscribed).await.unwrap().unwrap();

    let mut random = Random(seed);
    let mut receipts = Vec::new();
    for round in 0..ROUNDS {
        // Or most faults would meet nothing that they could disturb.
        timeout(PATIENCE, client.connected())
            .await
            .unwrap()
            .unwrap();
        for number in round * BURST..(round + 1) * BURST {
            let qos = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];
            let qos = qos[random.below(3) as usize];
            let message = Outgoing::new("chaos", number.to_string()).qos(qos);
            let receipt = timeout(PATIENCE, client.enqueue(message)).await;
            receipts.push((number, qos, receipt.unwrap().unwrap()));
        }
        random.pause(30).await;
        fault(&mut random, &relay, &module).await;
    }
    let mut outcomes = HashMap::new();
    for (number, qos, receipt) in receipts {
        let outcome = timeout(PATIENCE, receipt).await.expect("a fate is told");
        outcomes.insert(number, (qos, outcome));
    }
    let counters = client.counters();
    assert_eq!(
        timeout(PATIENCE, client.disconnect(PATIENCE)).await,
        Ok(Ok(0))
    );
    reader.await.unwrap();

    let mut arrived: HashMap<u32, usize> = HashMap::new();
    let mut order = Vec::new();
    for packet in listener.fence() {
        let publish = raw_mqtt::Publish::read(&packet).expect("only messages are sent");
        let number = String::from_utf8(publish.payload).unwrap().parse().unwrap();
        *arrived.entry(number).or_default() += 1;
        order.push(number);
    }
    // Each comes for the first time before any that was put into the queue behind it.
    let mut firsts = HashSet::new();
    order.retain(|number| firsts.insert(*number));
    assert!(order.is_sorted(), "seed {seed}: {order:?}");
    for (number, (qos, outcome)) in &outcomes {
        let times = arrived.get(number).copied().unwrap_or_default();
        let context =
            format!("seed {seed}, {number} with {qos:?}: {outcome:?}, came {times} times");
        match (qos, outcome) {
            (QoS::AtMostOnce, Ok(_)) => assert!(times <= 1, "{context}"),
            (QoS::AtLeastOnce, Ok(told)) => {
                assert!(times >= 1, "{context}");
                assert!(times == 1 || told.repeated, "{context}");
            }
            (QoS::ExactlyOnce, Ok(told)) => {
                assert!(times == 1 && !told.repeated, "{context}");
            }
            (QoS::AtMostOnce | QoS::ExactlyOnce, Err(Undelivered::InDoubt(_))) => {
                assert!(times <= 1, "{context}");
            }
            _ => panic!("{context}"),
        }
    }
    println!("seed {seed}: {counters:?}");
    let total = u64::from(ROUNDS * BURST);
    assert_eq!(counters.enqueued, total);
    assert_eq!(counters.delivered + counters.in_doubt, total);
    assert!(counters.losses > 0);
    broker.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_of_each_message_is_true_whatever_happens() {
    for seed in 1..=3 {
        run(seed).await;
    }
}
