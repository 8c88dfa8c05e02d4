//! Without an async runtime: `cargo run --example blocking -- /dev/ttyUSB0 broker.example`.

use std::thread;
use std::time::Duration;

use atmq_driver::{ConnectOptions, QoS, Settings, blocking, chain};

fn main() {
    if let Err(error) = run() {
        eprintln!("{}", chain(&*error));
        std::process::exit(1);
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().ok_or("which port?")?;
    let host = arguments.next().ok_or("which broker?")?;
    let modem = blocking::Modem::open(&port, Settings::default())?;
    let options = ConnectOptions::new(host, 1883, "atmq-blocking");
    let (client, mut messages) = modem.connect(options)?;
    client.subscribe("atmq/loop", QoS::AtLeastOnce)?;
    let publisher = client.clone();
    let publishing = thread::spawn(move || {
        (0..3).try_for_each(|number: u32| {
            let payload = number.to_string();
            let sent = publisher.publish("atmq/loop", payload, QoS::AtLeastOnce, false);
            sent.map(drop)
        })
    });
    for _ in 0..3 {
        match messages.next_within(Duration::from_secs(30))? {
            Some(message) => println!("{}: {}", message.topic, message.payload.escape_ascii()),
            None => break,
        }
    }
    publishing.join().expect("it does not panic")?;
    client.disconnect()?;
    Ok(())
}
