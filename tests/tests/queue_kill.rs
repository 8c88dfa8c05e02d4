//! A program with a queue on the disk is killed at random moments, again and again. Every message
//! that it had put into the queue arrives, and in order.

#![cfg(unix)]

use std::collections::HashSet;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use atmq_emulator::Profile;
use atmq_emulator::broker::Broker;
use atmq_tests::module::Module;
use atmq_tests::raw_mqtt::{self, RawClient};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// How often it is killed.
const ROUNDS: u32 = 25;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(120);

struct Program {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Program {
    fn start(port: &Path, file: &Path, from: u64) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_queue_child"))
            .args([port, file])
            .arg(from.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program can be executed");
        let output = process.stdout.take().expect("its output is piped");
        let lines = BufReader::new(output).lines();
        Self { process, lines }
    }

    async fn line(&mut self) -> Option<String> {
        let line = timeout(PATIENCE, self.lines.next_line()).await;
        line.expect("it goes on").expect("its output is text")
    }
}

/// The numbers that have come since the last time.
fn heard(listener: &mut RawClient) -> impl Iterator<Item = u64> {
    let packets = listener.fence().into_iter();
    packets.filter_map(|packet| {
        let publish = raw_mqtt::Publish::read(&packet)?;
        let number = String::from_utf8(publish.payload).expect("numbers are text");
        Some(number.parse().expect("numbers are numbers"))
    })
}

/// A small generator, so that each run kills at the same counts.
fn next_random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_enqueued_survives_kill_9_and_arrives_in_order() {
    let broker = Broker::bind("127.0.0.1:0").await.expect("a port is free");
    let module = Module::start(Profile::nt35e().instant(), broker.local_addr());
    let connect = raw_mqtt::Connect::new("listener");
    let mut listener = RawClient::connect(broker.local_addr(), &connect);
    listener.subscribe(&[("numbers", 0)]);
    let directory = tempfile::tempdir().expect("there is room for a file");
    let file = directory.path().join("queue");
    let mut random = 0x9e37_79b9_7f4a_7c15;
    let mut arrived = Vec::new();
    let mut last = 0;
    for _ in 0..ROUNDS {
        let mut program = Program::start(module.path(), &file, last + 1);
        // After so many numbers, in the middle of whatever it does then.
        for _ in 0..1 + next_random(&mut random) % 12 {
            let line = program.line().await.expect("it prints numbers");
            last = line.parse().expect("it prints numbers");
        }
        tokio::time::sleep(Duration::from_millis(next_random(&mut random) % 30)).await;
        program.process.kill().await.expect("it can be killed");
        // What it had printed, but nobody had read.
        while let Some(line) = program.line().await {
            last = line.parse().unwrap_or(last);
        }
        arrived.extend(heard(&mut listener));
    }
    // One that is left in peace delivers the rest.
    let mut program = Program::start(module.path(), &file, last + 1);
    program.line().await.expect("it prints numbers");
    drop(program.process.stdin.take());
    let mut told = None;
    while let Some(line) = program.line().await {
        match line.strip_prefix("left ") {
            Some(left) => told = Some(left.to_owned()),
            None => last = line.parse().expect("it prints numbers"),
        }
    }
    assert_eq!(told.as_deref(), Some("0"));
    arrived.extend(heard(&mut listener));

    let seen: HashSet<u64> = arrived.iter().copied().collect();
    let missing: Vec<u64> = (1..=last).filter(|number| !seen.contains(number)).collect();
    assert!(missing.is_empty(), "{missing:?} of {last} have not arrived");
    // A number comes again only if its acknowledgement was lost with the program, or if the
    // program was killed between keeping and printing it; never behind one that came after it.
    let mut highest = 0;
    let mut again = 0;
    for number in arrived {
        if number > highest {
            assert_eq!(number, highest + 1, "a number has been overtaken");
            highest = number;
        } else {
            again += 1;
        }
    }
    println!("{last} numbers over {ROUNDS} kills, {again} of them came more than once");
    broker.shutdown().await;
}
