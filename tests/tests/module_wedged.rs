//! A module that answers nothing any more, behind a real pseudo terminal: the driver resets it,
//! where it may.

use std::time::Duration;

use atmq_driver::reconnect::{Outgoing, Reconnect};
use atmq_driver::{ConnectOptions, Error, ExchangeError, ModemState, QoS, Settings};
use atmq_emulator::Profile;
use atmq_emulator::broker::Broker;
use atmq_emulator::modem::{Effect, Fault};
use atmq_tests::module::Module;
use atmq_tests::within;

/// The module answers neither the next question nor the driver's four probes.
async fn wedge(module: &Module) {
    for line in ["+CSQ", "+CMEE?", "+CMEE?", "+CMEE?", "+CMEE?"] {
        let silent = Fault::new(line, Effect::Silent);
        let added = module
            .control()
            .ask(move |modem, _| modem.add_fault(silent));
        let added = added.await.expect("the module is served");
        added.expect("there is room for it");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_module_that_answers_nothing_is_reset_and_what_waits_is_delivered() {
    let broker = Broker::bind("127.0.0.1:0").await.expect("a port is free");
    let module = Module::start(Profile::nt35e().instant(), broker.local_addr());
    let settings = Settings::default().recover(true);
    let modem = module.modem_with(settings).await;
    let options = ConnectOptions::new("broker.invalid", 1883, "module");
    let policy =
        Reconnect::default().backoff(Duration::from_millis(20), Duration::from_millis(200));
    let (client, mut messages) = modem.keep_connected(options, policy);
    within(client.connected()).await.expect("it connects");
    within(client.subscribe("loop", QoS::AtLeastOnce))
        .await
        .expect("it subscribes");

    wedge(&module).await;
    let mut states = modem.state_changes();
    let first = within(modem.signal_quality()).await.unwrap_err();
    assert!(
        matches!(first, Error::Exchange(ExchangeError::Timeout { .. })),
        "{first:?}"
    );
    let second = within(modem.signal_quality()).await.unwrap_err();
    assert!(
        matches!(second, Error::Exchange(ExchangeError::Unresponsive { .. })),
        "{second:?}"
    );
    let receipt = within(client.enqueue(Outgoing::new("loop", "kept")))
        .await
        .expect("there is room");
    // A state that is over before it is looked at is not seen.
    while modem.state() != ModemState::Ready || modem.counters().resets == 0 {
        within(states.recv()).await.expect("the port is there");
    }
    assert!(within(receipt).await.is_ok());
    let message = within(messages.recv()).await.expect("the stream goes on");
    assert_eq!(message.payload, b"kept");
    let counters = modem.counters();
    assert_eq!((counters.resets, counters.reboots), (1, 1));
    // Once at the beginning, once behind the reset.
    assert_eq!(counters.initialisations, 2);
    broker.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_module_that_answers_nothing_is_left_alone_where_the_driver_may_not_reset_it() {
    let broker = Broker::bind("127.0.0.1:0").await.expect("a port is free");
    let module = Module::start(Profile::nt35e().instant(), broker.local_addr());
    let modem = module.modem().await;
    wedge(&module).await;
    within(modem.signal_quality()).await.unwrap_err();
    within(modem.signal_quality()).await.unwrap_err();
    assert!(
        matches!(modem.state(), ModemState::Unresponsive(_)),
        "{:?}",
        modem.state()
    );
    within(modem.signal_quality())
        .await
        .expect("it answers again");
    assert_eq!(modem.counters().resets, 0);
    broker.shutdown().await;
}
