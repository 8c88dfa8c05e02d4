//! A program with a queue on the disk, to be killed by a test: `queue_child PORT FILE FROM`.
//!
//! Puts numbers into the queue, beginning with FROM, and prints each when it is there. At the end
//! of its input it delivers everything and leaves.

use std::io::Write as _;
use std::time::Duration;

use atmq_driver::reconnect::{Outgoing, Reconnect, Store};
use atmq_driver::{ConnectOptions, Modem, Settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().ok_or("which port?")?;
    let file = arguments.next().ok_or("which file?")?;
    let from: u64 = arguments.next().ok_or("from where?")?.parse()?;
    let store = Store::open(&file)?;
    let modem = Modem::open(&port, Settings::default()).await?;
    let reconnect = Reconnect::default()
        .backoff(Duration::from_millis(20), Duration::from_millis(200))
        .persist(store);
    let options = ConnectOptions::new("broker.invalid", 1883, "child");
    let (client, _messages) = modem.keep_connected(options, reconnect);
    let enqueue = async {
        for number in from.. {
            let message = Outgoing::new("numbers", number.to_string());
            if client.enqueue(message).await.is_err() {
                break;
            }
            println!("{number}");
            // Each number counts once it is printed, so it must not wait in a buffer.
            let _ = std::io::stdout().flush();
        }
    };
    // Reading blocks, so it has a thread of its own.
    let (ended, end) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = ended.send(());
    });
    tokio::select! {
        () = enqueue => {}
        _ = end => {}
    }
    let left = client.disconnect(Duration::from_secs(60)).await?;
    println!("left {left}");
    Ok(())
}
