//! How fast messages get into the queue: in memory, on the disk, and what the disk could do at
//! most. `cargo bench -p atmq-driver --features persist`

use std::path::Path;
use std::time::{Duration, Instant};

use atmq_driver::reconnect::{Outgoing, Reconnect, Store};
use atmq_driver::{ConnectOptions, Modem, Settings};
use redb::{Database, TableDefinition};
use tokio::task::JoinSet;

const PAYLOAD: usize = 100;
const TABLE: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("messages");

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let place = tempfile::tempdir_in(".")?;
    println!("{PAYLOAD} bytes a message; messages a second\n");
    for (callers, messages) in [(1, 200_000), (256, 200_000)] {
        let rate = enqueue(Reconnect::default(), callers, messages).await?;
        println!("in memory, {callers} callers: {rate:.0}");
    }
    for (callers, messages) in [(1, 300), (16, 3000), (256, 50_000), (4096, 200_000)] {
        let file = place.path().join(format!("queue {callers}"));
        let policy = Reconnect::default().persist(Store::open(&file)?);
        let rate = enqueue(policy, callers, messages).await?;
        println!("on the disk, {callers} callers: {rate:.0}");
    }
    for (batch, commits) in [(1, 300), (16, 200), (256, 100), (4096, 25)] {
        let file = place.path().join(format!("raw {batch}"));
        let rate = commit(&file, batch, commits)?;
        println!("redb alone, {batch} in a commit: {rate:.0}");
    }
    Ok(())
}

/// Callers that each wait for their message before they come with the next one.
async fn enqueue(
    policy: Reconnect,
    callers: usize,
    messages: usize,
) -> Result<f64, Box<dyn std::error::Error>> {
    // Nobody answers, so nothing leaves the queue.
    let (host, _module) = tokio::io::duplex(4096);
    let modem = Modem::over(host, Settings::default());
    let options = ConnectOptions::new("broker.invalid", 1883, "bench");
    let policy = policy.queue(usize::MAX, usize::MAX);
    let (client, _messages) = modem.keep_connected(options, policy);
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let client = client.clone();
        tasks.spawn(async move {
            for _ in 0..messages / callers {
                let message = Outgoing::new("bench/topic", vec![b'x'; PAYLOAD]);
                drop(client.enqueue(message).await?);
            }
            Ok::<_, atmq_driver::reconnect::Undelivered>(())
        });
    }
    for outcome in tasks.join_all().await {
        outcome?;
    }
    let rate = rate(messages / callers * callers, began.elapsed());
    client.disconnect(Duration::ZERO).await?;
    Ok(rate)
}

fn commit(file: &Path, batch: u64, commits: u64) -> Result<f64, redb::Error> {
    let database = Database::create(file)?;
    let began = Instant::now();
    for commit in 0..commits {
        let writing = database.begin_write()?;
        {
            let mut table = writing.open_table(TABLE)?;
            for number in 0..batch {
                table.insert(commit * batch + number, &[b'x'; PAYLOAD][..])?;
            }
        }
        writing.commit()?;
    }
    Ok(rate((commits * batch) as usize, began.elapsed()))
}

fn rate(messages: usize, time: Duration) -> f64 {
    messages as f64 / time.as_secs_f64()
}
