//! A device of Alibaba Cloud IoT. It registers if it has no secret yet, connects, publishes a
//! value, and shows what it is sent:
//!
//! ```sh
//! ALIYUN_DEVICE_SECRET=… cargo run --example aliyun_device -- \
//!     /dev/ttyUSB0 PRODUCT_KEY DEVICE_NAME cn-shanghai
//! ```
//!
//! To register, give the product's secret instead, and the platform's CA certificate, because
//! that goes over TLS only:
//!
//! ```sh
//! ALIYUN_PRODUCT_SECRET=… cargo run --example aliyun_device -- \
//!     /dev/ttyUSB0 PRODUCT_KEY DEVICE_NAME cn-shanghai ca.pem
//! ```

use std::env;
use std::error::Error;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use atmq_driver::cloud::aliyun::{self, Device, Registered, Registration, RegistrationRequest};
use atmq_driver::{ConnectOptions, Modem, QoS, Secret, Settings, Tls, chain};

/// How long the platform may take to register the device, and how long messages are shown.
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
    let device = Device::new(next("the product key")?, next("the device name")?);
    let region = next("the region")?;
    let tls = match next("the CA certificate") {
        Ok(path) => Some(Tls::verified(0, std::fs::read(path)?)),
        Err(_) => None,
    };

    let modem = Modem::open(&port, Settings::default()).await?;
    let credential = match env::var("ALIYUN_DEVICE_SECRET") {
        Ok(secret) => Registered::Secret(Secret::from(secret)),
        Err(_) => register(&modem, &device, &region, tls.clone()).await?,
    };

    let mut options = ConnectOptions::aliyun_device(device.clone(), &region, credential);
    if let Some(tls) = tls {
        options = options.tls(tls);
    }
    let (client, mut messages) = modem.connect(options).await?;
    let topic = |name| format!("/{}/{}/user/{name}", device.product_key, device.device_name);
    client.subscribe(topic("get"), QoS::AtLeastOnce).await?;
    let value = r#"{"temperature":22.5}"#;
    client
        .publish(topic("update"), value, QoS::AtLeastOnce, false)
        .await?;
    println!("published to {}", topic("update"));
    while let Ok(Some(message)) = tokio::time::timeout(PATIENCE, messages.recv()).await {
        let payload = String::from_utf8_lossy(&message.payload);
        println!("{}: {payload}", message.topic);
    }
    client.disconnect().await?;
    Ok(())
}

/// Asks the platform for a secret. A real program keeps it: it is given once.
async fn register(
    modem: &Modem,
    device: &Device,
    region: &str,
    tls: Option<Tls>,
) -> Result<Registered, Box<dyn Error>> {
    let secret = env::var("ALIYUN_PRODUCT_SECRET")
        .map_err(|_| "set ALIYUN_DEVICE_SECRET, or ALIYUN_PRODUCT_SECRET to register")?;
    let tls = tls.ok_or("a device registers over TLS only: name a CA certificate")?;
    let options = ConnectOptions::new(device.host(region), aliyun::PORT, "").tls(tls);
    let random = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros() as u64;
    let request = RegistrationRequest::new(&device.device_name, Registration::Listed, random);
    let secret = Secret::from(secret);
    let registered = aliyun::register(modem, options, device, &secret, &request, PATIENCE).await?;
    println!("registered {}", device.device_name);
    Ok(registered)
}
