//! What MQTT 3.1 and 3.1.1 ask of a broker, checked from outside with hand-made packets: the same
//! checks run against the embedded broker and against mosquitto. What passes on both is neither a
//! peculiarity of ours nor a misreading of the standard.
//!
//! Each check has a broker of its own. Section numbers are those of MQTT 3.1.1. Where the standard
//! leaves a choice, a check takes either.

use std::net::SocketAddr;

use atmq_emulator::broker::Broker;
use atmq_tests::mosquitto::Mosquitto;

/// Makes a test of each check for each broker.
macro_rules! checks {
    ($($check:ident),+ $(,)?) => {
        mod embedded {
            $(#[test]
            fn $check() {
                crate::on_embedded(super::$check);
            })+
        }

        mod mosquitto {
            $(#[test]
            fn $check() {
                crate::on_mosquitto(super::$check);
            })+
        }
    };
}

mod connecting;
mod malformed;
mod publishing;
mod retained;
mod sessions;
mod subscribing;
mod wills;

fn on_embedded(check: fn(SocketAddr)) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime can be made");
    let broker = runtime
        .block_on(Broker::bind("127.0.0.1:0"))
        .expect("a loopback port is free");
    check(broker.local_addr());
    runtime.block_on(broker.shutdown());
}

fn on_mosquitto(check: fn(SocketAddr)) {
    if let Some(mosquitto) = Mosquitto::start() {
        check(mosquitto.address());
    }
}
