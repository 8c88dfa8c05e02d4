//! Brings a module into the network and tells how far it is:
//! `cargo run --example bring_up -- /dev/ttyUSB0 [PIN]`.

use atmq_driver::{BringUp, Modem, Pin, Settings, chain};

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
    let modem = Modem::open(&port, Settings::default()).await?;
    let mut bring_up = BringUp::default().on_progress(|progress| println!("{progress}"));
    if let Some(pin) = arguments.next() {
        bring_up = bring_up.pin(Pin::new(&pin)?);
    }
    let network = modem.bring_up(bring_up).await?;
    println!("up after {:.1} s", network.took.as_secs_f64());
    if let Some(operator) = network.operator {
        println!("operator: {}", operator.name);
    }
    if let Some(dbm) = network.signal.rssi_dbm {
        println!("signal: {dbm} dBm");
    }
    if let Some(time) = modem.clock().await?.since_epoch() {
        println!("network time: {} s since 1970", time.as_secs());
    }
    Ok(())
}
