//! Reacts to messages: `cargo run --example subscribe -- /dev/ttyUSB0 broker.example`.
//!
//! Whatever is published to `atmq/ping/NAME` is sent back to `atmq/pong/NAME`.

use atmq_driver::{ConnectOptions, Modem, QoS, Settings, chain};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    if let Err(error) = run().await {
        eprintln!("{}", chain(&*error));
        std::process::exit(1);
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().ok_or("which port?")?;
    let host = arguments.next().ok_or("which broker?")?;
    let modem = Modem::open(&port, Settings::default()).await?;
    let options = ConnectOptions::new(host, 1883, "atmq-subscribe");
    let (client, mut messages) = modem.connect(options).await?;
    client.subscribe("atmq/ping/+", QoS::AtLeastOnce).await?;
    while let Some(message) = messages.recv().await {
        let Some(name) = message.topic.strip_prefix("atmq/ping/") else {
            continue;
        };
        let answer = format!("atmq/pong/{name}");
        let sent = client.publish(answer, message.payload, QoS::AtLeastOnce, false);
        match sent.await {
            Ok(_) => println!("answered {name}"),
            // It may have arrived all the same: sending it again is up to the program.
            Err(error) if error.may_have_arrived() => {
                println!("perhaps answered {name}: {}", chain(&error));
            }
            Err(error) => println!("not answered {name}: {}", chain(&error)),
        }
    }
    match messages.ended() {
        Some(reason) => Err(reason.into()),
        None => Ok(()),
    }
}
