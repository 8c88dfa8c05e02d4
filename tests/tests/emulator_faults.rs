//! What a host sees when a program has the module do wrong.

use std::time::Duration;

use atmq_emulator::modem::{Effect, Fault};
use atmq_emulator::{Emulator, Profile, StreamPort};
use atmq_protocol::mqtt::{ConnectionId, LinkStatus};
use atmq_tests::bench::Bench;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

fn heard(bench: &mut Bench) -> String {
    bench.take_heard().escape_ascii().to_string()
}

fn typed(bench: &mut Bench, line: &str) -> String {
    bench.send(format!("{line}\r").as_bytes());
    heard(bench)
}

/// A module that answers at once, connected to the broker.
fn connected() -> Bench {
    let mut bench = Bench::new(Profile::nt35e().instant(), 0);
    for line in [
        "ATE0",
        "AT+LMQTTOPEN=0,\"h\",1883",
        "AT+LMQTTCONN=0,\"id\"",
        "AT+LMQTTSUBUNSUB=0,0,1,\"t\",1",
    ] {
        bench.send(format!("{line}\r").as_bytes());
    }
    assert!(heard(&mut bench).ends_with(r"+LMQTTSUBUNSUB: 0,1,0,1\r\n"));
    bench
}

#[test]
fn a_link_is_lost_for_any_reason() {
    for (status, extend, line) in [
        (LinkStatus::Http, Some(404), "STATS,0,7,404"),
        (LinkStatus::Fatal, None, "STATS,0,10"),
    ] {
        let mut bench = connected();
        bench.change(|modem, now| {
            modem
                .lose_link(ConnectionId(0), status, extend, now)
                .expect("the connection is open");
        });
        assert_eq!(heard(&mut bench), format!(r"\r\n+LMQTTURC: {line}\r\n"));
        // It is lost indeed.
        assert_eq!(typed(&mut bench, "AT+LMQTTCONN?"), r"\r\nOK\r\n");
    }
}

#[test]
fn a_lost_result_leaves_the_message_published() {
    let mut bench = connected();
    bench.change(|modem, _| {
        for fault in [
            Fault::new("+LMQTTPUB", Effect::ResultLost),
            Fault::new("+LMQTTPUB: 0,7", Effect::UrcLost),
        ] {
            modem.add_fault(fault).expect("there is room");
        }
    });
    // Subscribed to its own topic, the host sees that the message went its way.
    let received = r#"\r\n+LMQTTURC: RECV,0,1,\"t\",hello\r\n"#;
    let answer = typed(&mut bench, "AT+LMQTTPUB=0,7,1,0,\"t\",5,\"hello\"");
    assert_eq!(answer, received);
    assert_eq!(typed(&mut bench, "AT"), r"\r\nOK\r\n");
}

#[test]
fn a_documented_number_is_reported_with_the_latency_of_the_module() {
    let mut bench = Bench::new(Profile::nt35e(), 3);
    bench.send(b"ATE0\r");
    while bench.pass_until(bench.now() + Duration::from_secs(1)) {}
    bench.take_heard();
    bench.change(|modem, _| {
        let effect = Effect::Outcome("+LMQTTOPEN: 0,-1,1".to_owned());
        let added = modem.add_fault(Fault::new("+LMQTTOPEN", effect));
        added.expect("there is room");
    });
    let start = bench.now();
    bench.send(b"AT+LMQTTOPEN=0,\"h\",1883\r");
    let mut last = start;
    let mut all = String::new();
    while bench.pass_until(start + Duration::from_secs(5)) {
        let more = heard(&mut bench);
        if !more.is_empty() {
            last = bench.now();
        }
        all += &more;
    }
    assert_eq!(all, r"\r\nOK\r\n\r\n+LMQTTOPEN: 0,-1,1\r\n");
    assert!(last - start >= Duration::from_millis(400));
}

#[tokio::test]
async fn faults_reach_a_module_that_is_being_served() {
    let (mut host, port) = duplex(1024);
    let emulator = Emulator::new(Profile::nt35e().instant());
    let control = emulator.control();
    tokio::spawn(emulator.serve(StreamPort(port)));
    control
        .change(|modem, now| {
            modem.inject(b"+CMTI: \"SM\",1", now).expect("it runs");
        })
        .await;
    let line = b"\r\n+CMTI: \"SM\",1\r\n";
    let mut heard = vec![0; line.len()];
    host.read_exact(&mut heard).await.expect("a line");
    assert_eq!(heard, line);
    control
        .change(|modem, _| {
            let fault = Fault::new("", Effect::Reboot);
            modem.add_fault(fault).expect("there is room");
        })
        .await;
    host.write_all(b"ATE0\r").await.expect("a port");
    let banner = b"ATE0^boot.rom'v'!\r\n";
    let mut heard = vec![0; banner.len()];
    host.read_exact(&mut heard).await.expect("a banner");
    assert_eq!(heard, banner);
}
