//! What a host sees when a program has the module do wrong.

use std::sync::mpsc::channel;
use std::time::{Duration, UNIX_EPOCH};

use atmq_emulator::broker::Broker;
use atmq_emulator::modem::{Effect, Fault, Sim};
use atmq_emulator::{Emulator, HostMap, Latency, NetworkOptions, Profile, StreamPort};
use atmq_protocol::commands;
use atmq_protocol::mqtt::{ConnectionId, LinkStatus};
use atmq_protocol::spec::Spec;
use atmq_protocol::standard::Registration;
use atmq_tests::bench::Bench;
use atmq_tests::within;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

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

/// Everything that a module says by itself happens to this one, while nobody asks for it. The lines.
fn all_urcs(bench: &mut Bench) -> Vec<String> {
    // Without a carriage return it is data.
    let type_all = |bench: &mut Bench, lines: &[&str]| {
        for line in lines {
            bench.send(line.as_bytes());
        }
    };
    type_all(
        bench,
        &[
            "ATE0\r",
            "AT+CREG=1;+CGREG=1;+CEREG=1;+CMER=3,0,0,1;+CTZR=1;+CGEREP=2\r",
            "AT+LHTTPURL=22\r",
            "http://http.test/hello",
            "AT+LHTTPGET\r",
            "AT+LHTTPREAD\r",
            "AT+LHTTPGETEX=10,0,5\r",
            "AT+LHTTPPOST=2\r",
            "hi",
            "AT+LMQTTOPEN=0,\"h\",1883\r",
            "AT+LMQTTCONN=0,\"id\"\r",
            "AT+LMQTTSUBUNSUB=0,0,1,\"t\",0\r",
            "AT+LMQTTPUB=0,0,0,0,\"t\",2,\"hi\"\r",
            "AT+LMQTTPUBEX=0,0,0,0,\"x\",2\r",
            "hi",
            "AT+LMQTTSUBUNSUB=0,1,2,\"t\",0\r",
            "AT+LMQTTDISC=0\r",
            "AT+LMQTTCLOSE=0\r",
            "AT+LMQTTOPEN=0,\"h\",1883\r",
        ],
    );
    bench.change(|modem, now| {
        modem
            .lose_link(ConnectionId(0), LinkStatus::ClosedByServer, None, now)
            .expect("the connection is open");
        modem.set_registration(Registration::NotRegistered, now);
        modem.set_network_time(UNIX_EPOCH, -20, now);
        modem.set_sim(None, now);
        modem.set_sim(Some(Sim::unlocked()), now);
    });
    bench.send(b"AT+CTZR=2\r");
    bench.change(|modem, now| modem.set_network_time(UNIX_EPOCH, 4, now));
    type_all(bench, &["AT+CFUN=1,1\r", "AT+MPOF=1\r"]);
    let heard = bench.take_heard();
    let heard = String::from_utf8(heard).expect("it is text");
    heard.lines().map(str::to_owned).collect()
}

#[test]
fn every_urc_of_the_tables_is_sent_and_can_be_lost() {
    let text = "base = \"nt35e\"\n[quirks]\nsim_urc = true\n";
    let profile = Profile::parse(text).expect("it is a profile").instant();
    let mut urcs = profile.dialect.urcs();
    urcs.extend(commands::all().flat_map(Spec::unsolicited));
    urcs.push(profile.dialect.farewell());
    let is = |line: &str, urc: &str| {
        let rest = line.strip_prefix(urc);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', ',']))
    };
    let kept = all_urcs(&mut Bench::new(profile.clone(), 0));
    for urc in urcs.into_iter().chain([&*profile.banner]) {
        let sent = |lines: &[String]| lines.iter().filter(|line| is(line, urc)).count();
        assert_ne!(sent(&kept), 0, "{urc} is not sent: {kept:?}");
        let mut bench = Bench::new(profile.clone(), 0);
        bench.change(|modem, _| {
            let lost = Fault::new(urc, Effect::UrcLost).times(None);
            modem.add_fault(lost).expect("the module sends it");
        });
        let lines = all_urcs(&mut bench);
        assert_eq!(sent(&lines), 0, "{urc} is sent: {lines:?}");
        // Nothing else is lost.
        assert_eq!(
            lines.iter().filter(|line| !line.is_empty()).count(),
            kept.iter()
                .filter(|line| !line.is_empty() && !is(line, urc))
                .count(),
            "{urc}"
        );
    }
}

#[test]
fn a_changed_latency_holds_from_the_next_command_on() {
    let mut bench = Bench::new(Profile::nt35e().instant(), 0);
    assert!(typed(&mut bench, "ATE0").ends_with(r"\r\nOK\r\n"));
    let slow = Duration::from_secs(3);
    bench.change(|modem, _| {
        modem.set_latency(Latency {
            query: (slow, slow),
            ..Latency::INSTANT
        });
    });
    let start = bench.now();
    assert_eq!(typed(&mut bench, "AT+CSQ"), "");
    assert!(bench.pass_until(start + slow));
    assert_eq!(bench.now(), start + slow);
    assert_eq!(heard(&mut bench), r"\r\n+CSQ: 29,0\r\n\r\nOK\r\n");
    bench.change(|modem, _| modem.set_latency(Latency::INSTANT));
    assert_eq!(typed(&mut bench, "AT+CSQ"), r"\r\n+CSQ: 29,0\r\n\r\nOK\r\n");
}

/// Types a command, and reads until it is answered.
async fn asks(host: &mut DuplexStream, line: &str, until: &str) -> String {
    let typed = host.write_all(format!("{line}\r").as_bytes()).await;
    typed.expect("it is read");
    let mut heard = Vec::new();
    while !String::from_utf8_lossy(&heard).contains(until) {
        let mut chunk = [0; 1024];
        let length = within(host.read(&mut chunk)).await.expect("it is a pipe");
        assert_ne!(length, 0, "the module is gone");
        heard.extend_from_slice(&chunk[..length]);
    }
    String::from_utf8(heard).expect("it is text")
}

#[tokio::test]
async fn a_wait_ends_when_the_module_is_so_or_has_gone() {
    let (mut host, port) = duplex(1024);
    let emulator = Emulator::new(Profile::nt35e().instant());
    let control = emulator.control();
    let serving = tokio::spawn(emulator.serve(StreamPort(port)));
    // What is so already is not waited for.
    assert!(within(control.wait_until(|_| true)).await);
    let off = control.wait_until(|modem| !modem.is_on());
    let never = control.wait_until(|_| false);
    let given_up = tokio::time::timeout(Duration::from_millis(1), control.wait_until(|_| false));
    assert!(given_up.await.is_err());
    let (off, never, ()) = tokio::join!(within(off), within(never), async {
        asks(&mut host, "AT+MPOF=1", "NORMAL POWER DOWN").await;
        drop(host);
    });
    assert!(off);
    assert!(!never);
    within(serving)
        .await
        .expect("it ends")
        .expect("its port is fine");
    assert!(!within(control.wait_until(|_| true)).await);
}

#[tokio::test]
async fn the_module_is_shown_when_it_no_longer_runs() {
    for is_dropped in [false, true] {
        let (host, port) = duplex(1024);
        let (sender, shown) = channel();
        let emulator = Emulator::new(Profile::nt35e().instant());
        let emulator = emulator.on_end(move |modem| {
            let faults: Vec<_> = modem.faults().map(|armed| armed.fault.on.clone()).collect();
            sender.send(faults).expect("it is waited for");
        });
        let control = emulator.control();
        let serving = tokio::spawn(emulator.serve(StreamPort(port)));
        let added = control.ask(|modem, _| modem.add_fault(Fault::new("CSQ", Effect::Silent)));
        let added = within(added).await.expect("it runs");
        added.expect("it can happen");
        assert!(shown.try_recv().is_err(), "it runs");
        if is_dropped {
            serving.abort();
        } else {
            drop(host);
        }
        assert_eq!(within(serving).await.is_err(), is_dropped);
        assert_eq!(shown.try_recv(), Ok(vec!["+CSQ".to_owned()]));
    }
}

#[tokio::test]
async fn so_many_of_a_hundred_packets_are_lost_as_the_seed_decides() {
    let broker = Broker::bind("127.0.0.1:0").await.expect("a port is free");
    let address = broker.local_addr();
    let mut received = Vec::new();
    for (percent, expected) in [(0, 100..=100), (50, 30..=70), (50, 30..=70), (100, 0..=0)] {
        let (mut host, port) = duplex(64 * 1024);
        let network = NetworkOptions {
            hosts: HostMap::everything_to(address.ip().to_string(), address.port()).into(),
            ..NetworkOptions::default()
        };
        let emulator = Emulator::new(Profile::nt35e().instant());
        let emulator = emulator.seed(7).network(network);
        let control = emulator.control();
        let serving = tokio::spawn(emulator.serve(StreamPort(port)));
        let open = "ATE0+LMQTTOPEN=0,\"h\",1883";
        asks(&mut host, open, "+LMQTTOPEN: 0,0").await;
        asks(&mut host, "AT+LMQTTCONN=0,\"id\"", "+LMQTTCONN: 0,0").await;
        let subscribe = "AT+LMQTTSUBUNSUB=0,0,1,\"t\",0";
        asks(&mut host, subscribe, "+LMQTTSUBUNSUB: 0,1,0").await;
        control.set_loss(percent);
        for _ in 0..100 {
            let publish = "AT+LMQTTPUB=0,0,0,0,\"t\",1,\"x\"";
            asks(&mut host, publish, "OK").await;
        }
        control.set_loss(0);
        // Behind what was published before.
        let last = "AT+LMQTTPUB=0,0,0,0,\"t\",4,\"last\"";
        asks(&mut host, last, "last").await;
        let messages = control.ask(|modem, _| modem.messages());
        let messages = within(messages).await.expect("it runs");
        assert_eq!(messages.published, 101);
        let count = messages.received - 1;
        assert!(expected.contains(&count), "{percent} %: {count}");
        received.push(count);
        serving.abort();
    }
    assert_eq!(received[1], received[2]);
}
