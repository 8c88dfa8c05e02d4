//! Data points for OneNET's old MQTT service, and an answer to each of its commands:
//!
//! ```sh
//! ONENET_AUTH=… cargo run --example onenet_datapoints -- \
//!     /dev/ttyUSB0 183.230.40.39:6002 PRODUCT_ID DEVICE_ID
//! ```

use std::env;
use std::error::Error;
use std::time::Duration;

use atmq_driver::cloud::onenet::{self, COMMANDS, Command, DATA_POINTS, DataPoints};
use atmq_driver::{ConnectOptions, Modem, QoS, Secret, Settings, chain};

/// How long a command is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    if let Err(error) = run().await {
        eprintln!("{}", chain(&*error));
        std::process::exit(1);
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let mut next = |what| arguments.next().ok_or(format!("{what} is missing"));
    let port = next("the port")?;
    let platform = next("the platform's host and port")?;
    let (host, tcp_port) = platform
        .rsplit_once(':')
        .ok_or("the platform is HOST:PORT")?;
    let (product, device) = (next("the product id")?, next("the device id")?);
    let secret = env::var("ONENET_AUTH")
        .map_err(|_| "set ONENET_AUTH to what the device proves itself with")?;

    let modem = Modem::open(&port, Settings::default()).await?;
    let credentials = onenet::credentials(&product, &device, &Secret::from(secret))?;
    let options = ConnectOptions::new(host, tcp_port.parse()?, "").cloud_credentials(credentials);
    let (client, mut messages) = modem.connect(options).await?;

    let points = DataPoints::simple([("temperature", 22.5), ("humidity", 40.0)]);
    client
        .publish(DATA_POINTS, points.encode()?, QoS::AtLeastOnce, false)
        .await?;
    println!("published {points:?}");

    // The platform sends commands without a subscription, a broker in its place does not.
    client.subscribe(COMMANDS, QoS::AtLeastOnce).await?;
    while let Ok(Some(message)) = tokio::time::timeout(PATIENCE, messages.recv()).await {
        let Some(command) = Command::from_topic(&message.topic) else {
            continue;
        };
        println!(
            "command {}: {}",
            command.id,
            String::from_utf8_lossy(&message.payload)
        );
        client
            .publish(command.response_topic(), "done", QoS::AtLeastOnce, false)
            .await?;
    }
    client.disconnect().await?;
    Ok(())
}
