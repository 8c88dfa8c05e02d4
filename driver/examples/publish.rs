//! The smallest publish: `cargo run --example publish -- /dev/ttyUSB0 broker.example`.

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
    let options = ConnectOptions::new(host, 1883, "atmq-publish");
    let (client, _messages) = modem.connect(options).await?;
    client
        .publish("atmq/hello", "hello", QoS::AtLeastOnce, false)
        .await?;
    client.disconnect().await?;
    Ok(())
}
