//! A queue on a disk that is full for a while. The limit on the size of files stands for the disk:
//! it is there for everyone, and what is written beyond it fails in the same place.

#![cfg(target_os = "linux")]

use std::env;
use std::error::Error as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use atmq_driver::reconnect::{Outgoing, Reconnect, Store, StoreError, Undelivered};
use atmq_driver::{ConnectOptions, Modem, Settings};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Set in the program that has the limit.
const LIMITED: &str = "ATMQ_TEST_LIMITED";

/// Without a limit the program would be killed by the signal that tells of it, so the test runs
/// itself again with the signal ignored.
#[test]
fn a_full_disk_is_told_loses_nothing_and_goes_on_when_there_is_room() {
    if env::var_os(LIMITED).is_some() {
        return limited();
    }
    let program = env::current_exe().expect("this program has a path");
    let again = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(program)
        .args(["--exact", "--nocapture"])
        .arg("a_full_disk_is_told_loses_nothing_and_goes_on_when_there_is_room")
        .env(LIMITED, "1")
        .output()
        .expect("there is a shell");
    let said = String::from_utf8_lossy(&again.stdout);
    let complaint = String::from_utf8_lossy(&again.stderr);
    assert!(again.status.success(), "{said}{complaint}");
    assert!(said.contains("1 passed"), "{said}");
}

#[tokio::main(flavor = "current_thread")]
async fn limited() {
    let place = tempfile::tempdir().expect("there is room for a file");
    let file = place.path().join("queue");
    let store = Store::open(&file).expect("the file can be made");
    // Nobody answers, so nothing leaves the queue.
    let (host, _module) = tokio::io::duplex(4096);
    let modem = Modem::over(host, Settings::default());
    let options = ConnectOptions::new("broker.invalid", 1883, "full");
    let policy = Reconnect::default().queue(1_000_000, 1 << 30);
    let (client, _messages) = modem.keep_connected(options, policy.persist(store));
    let message = |number: u32| {
        let payload = [number.to_string().as_bytes(), &[b'.'; 4000]].concat();
        Outgoing::new("t", payload)
    };

    let mut kept = Vec::new();
    for number in 0..10 {
        drop(
            client
                .enqueue(message(number))
                .await
                .expect("there is room"),
        );
        kept.push(number);
    }
    limit_files(Some(size(&file) + 100_000));
    let mut refused = 0;
    for number in 10..1000 {
        match client.enqueue(message(number)).await {
            Ok(_) => kept.push(number),
            Err(error) => {
                refused += 1;
                assert!(is_full(&error), "{error:?}");
            }
        }
        // It goes on being refused, and nothing is left behind of what was.
        if refused == 20 {
            break;
        }
    }
    assert_eq!(refused, 20, "the limit was never reached");
    assert_eq!(client.counters().not_kept, 20);
    assert_eq!(client.watch_queue().borrow().messages, kept.len());

    limit_files(None);
    for number in 2000..2010 {
        drop(
            client
                .enqueue(message(number))
                .await
                .expect("there is room again"),
        );
        kept.push(number);
    }
    client.disconnect(Duration::ZERO).await.expect("it ends");
    drop(client);
    let store = Store::open(&file).expect("the file is whole");
    assert_eq!(store.messages(), kept.len());
}

/// How large a file may get.
fn limit_files(bytes: Option<u64>) {
    let Rlimit { maximum, .. } = getrlimit(Resource::Fsize);
    let limit = Rlimit {
        current: bytes,
        maximum,
    };
    setrlimit(Resource::Fsize, limit).expect("the limit stays below the highest");
}

fn size(file: &Path) -> u64 {
    fs::metadata(file).expect("the file is there").len()
}

/// Whether the caller is told what the operating system says.
fn is_full(error: &Undelivered) -> bool {
    let Undelivered::NotKept(error @ StoreError::Io { path, .. }) = error else {
        return false;
    };
    let reason = error.source().map(ToString::to_string);
    path.ends_with("queue") && reason.is_some_and(|reason| reason.contains("too large"))
}
