//! A gateway that stays connected: publishes each line of its input, `TOPIC PAYLOAD`, through a
//! queue, whatever happens to the link meanwhile, and prints what it receives and what became of
//! each line.
//!
//! `sensors | cargo run --example gateway -- /dev/ttyUSB0 broker.example gateway-7`
//!
//! With `--features persist` and the name of a file as fourth argument, the queue outlives the
//! program.

use std::io::BufRead as _;
use std::time::Duration;

use atmq_driver::reconnect::{Outgoing, Reconnect, State, WhenFull};
use atmq_driver::{ConnectOptions, Modem, QoS, Settings, chain};
use tokio::sync::mpsc;

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
    let id = arguments.next().ok_or("which client id?")?;

    let modem = Modem::open(&port, Settings::default()).await?;
    let reconnect = Reconnect::default()
        .queue(10_000, 4 << 20)
        .when_full(WhenFull::DropOldest)
        .expire_after(Duration::from_secs(24 * 3600));
    #[cfg(feature = "persist")]
    let reconnect = match arguments.next() {
        Some(file) => reconnect.persist(atmq_driver::reconnect::Store::open(file)?),
        None => reconnect,
    };
    let options = ConnectOptions::new(host, 1883, &id);
    let (client, mut messages) = modem.keep_connected(options, reconnect);

    let mut state = client.watch_state();
    tokio::spawn(async move {
        loop {
            match &*state.borrow_and_update() {
                State::Waiting { reason, .. } => eprintln!("not connected: {reason}"),
                State::Stopped(why) => eprintln!("stopped: {why}"),
                other => eprintln!("{other:?}"),
            }
            if state.changed().await.is_err() {
                break;
            }
        }
    });
    let commands = format!("{id}/set/#");
    let subscriber = client.clone();
    tokio::spawn(async move { subscriber.subscribe(commands, QoS::AtLeastOnce).await });

    let mut lines = input();
    loop {
        tokio::select! {
            line = lines.recv() => {
                let Some(line) = line else { break };
                let Some((topic, payload)) = line.split_once(' ') else {
                    eprintln!("not TOPIC PAYLOAD: {line}");
                    continue;
                };
                match client.enqueue(Outgoing::new(topic, payload)).await {
                    Ok(receipt) => drop(tokio::spawn(async move {
                        match receipt.await {
                            Ok(delivered) if delivered.repeated => println!("perhaps twice: {line}"),
                            Ok(_) => println!("delivered: {line}"),
                            Err(why) => println!("{}: {line}", chain(&why)),
                        }
                    })),
                    Err(why) => println!("{}: {line}", chain(&why)),
                }
            }
            message = messages.recv() => match message {
                Some(message) => println!("{} {}", message.topic, message.payload.escape_ascii()),
                None => break,
            },
        }
    }
    let left = client.disconnect(Duration::from_secs(30)).await?;
    eprintln!(
        "{left} messages were not delivered; {:?}",
        client.counters()
    );
    Ok(())
}

/// The lines of the standard input. Reading it blocks, so it has a thread of its own.
fn input() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    lines
}
