//! What the emulated module does beside answering: when, and with hosts that misbehave.

use std::time::Duration;

use atmq_emulator::{Latency, Profile, ResultOrder};
use atmq_tests::bench::Bench;
use atmq_tests::transcript::BrokerStep;

fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

/// Lets time pass until the module says something; what, and after how long.
fn next(bench: &mut Bench) -> (String, Duration) {
    let start = bench.now();
    loop {
        let heard = bench.take_heard();
        if !heard.is_empty() {
            return (text(&heard), bench.now() - start);
        }
        let limit = start + Duration::from_secs(60);
        assert!(bench.pass_until(limit), "the module says nothing");
    }
}

fn connected(profile: Profile) -> Bench {
    let mut bench = Bench::new(profile, 0);
    bench.send(b"ATE0\r");
    bench.send(b"AT+LMQTTOPEN=0,\"h\",1883\r");
    bench.send(b"AT+LMQTTCONN=0,\"id\"\r");
    let heard = text(&bench.take_heard());
    assert!(heard.ends_with(r"+LMQTTCONN: 0,0,0\r\n"), "{heard}");
    bench
}

fn milliseconds(range: std::ops::RangeInclusive<u64>) -> std::ops::RangeInclusive<Duration> {
    Duration::from_millis(*range.start())..=Duration::from_millis(*range.end())
}

#[test]
fn answers_take_as_long_as_the_modules() {
    for seed in 0..50 {
        // The time that the serial line takes comes on top.
        let latency = Latency {
            paced: false,
            ..Profile::nt35e().latency
        };
        let profile = Profile {
            latency,
            ..Profile::nt35e()
        };
        let mut bench = Bench::new(profile, seed);
        bench.send(b"ATE0\r");
        assert_eq!(text(&bench.take_heard()), "ATE0");
        let (heard, time) = next(&mut bench);
        assert_eq!(heard, r"\r\nOK\r\n");
        assert!(milliseconds(5..=9).contains(&time), "{time:?}");
        bench.send(b"AT+LMQTTOPEN=0,\"h\",1883\r");
        let (heard, time) = next(&mut bench);
        assert_eq!(heard, r"\r\nOK\r\n");
        assert!(milliseconds(100..=500).contains(&time), "{time:?}");
        let (heard, time) = next(&mut bench);
        assert_eq!(heard, r"\r\n+LMQTTOPEN: 0,0\r\n");
        assert!(milliseconds(300..=600).contains(&time), "{time:?}");
    }
}

#[test]
fn a_profile_may_give_a_command_a_time_of_its_own() {
    let text =
        "base = \"nt35e\"\n[latency]\npaced = false\ncommands_ms = { \"+csq\" = [2000, 2000] }\n";
    let mut bench = Bench::new(Profile::parse(text).expect("it can be read"), 0);
    for (line, times) in [("AT+CSQ\r", 2000..=2000), ("AT+CESQ\r", 5..=9)] {
        bench.send(line.as_bytes());
        bench.take_heard();
        let (_, time) = next(&mut bench);
        assert!(milliseconds(times).contains(&time), "{time:?}");
    }
}

#[test]
fn a_payload_shorter_than_announced_is_given_up() {
    let mut bench = connected(Profile::nt35e().instant());
    bench.send(b"AT+LMQTTPUB=0,1,1,0,\"t\",5\r");
    assert_eq!(text(&bench.take_heard()), r"\r\n> ");
    bench.pass_until(bench.now() + Duration::from_secs(20));
    bench.send(b"ab");
    // Each byte starts the time anew.
    let (heard, time) = next(&mut bench);
    assert_eq!(heard, r"\r\nERROR\r\n");
    assert_eq!(time, Duration::from_secs(30));
    bench.send(b"AT+CSQ\r");
    assert_eq!(text(&bench.take_heard()), r"\r\n+CSQ: 29,0\r\n\r\nOK\r\n");
}

#[test]
fn a_line_longer_than_the_buffer_is_refused_and_forgotten() {
    let mut bench = connected(Profile::nt35e().instant());
    let mut line = b"AT+LMQTTPUB=0,1,1,0,\"t\",9,\"".to_vec();
    line.resize(100_000, b'x');
    for piece in line.chunks(1000) {
        bench.send(piece);
        assert_eq!(text(&bench.take_heard()), "");
    }
    bench.send(b"\rAT\r");
    assert_eq!(text(&bench.take_heard()), r"\r\nERROR\r\n\r\nOK\r\n");
}

#[test]
fn urcs_wait_while_a_payload_is_awaited() {
    let mut bench = connected(Profile::nt35e().instant());
    bench.send(b"AT+LMQTTSUBUNSUB=0,0,1,\"t\",0\r");
    bench.take_heard();
    bench.send(b"AT+LMQTTPUB=0,0,0,0,\"u\",2\r");
    assert_eq!(text(&bench.take_heard()), r"\r\n> ");
    bench.broker(&BrokerStep::Publish {
        qos: 0,
        topic: "t".into(),
        payload: b"x".to_vec(),
    });
    assert_eq!(text(&bench.take_heard()), "");
    bench.send(b"ab");
    assert_eq!(
        text(&bench.take_heard()),
        r#"\r\nOK\r\n\r\n+LMQTTURC: RECV,0,0,\"t\",x\r\n\r\n+LMQTTPUB: 0,0,0\r\n"#
    );
}

#[test]
fn a_registration_that_nobody_answers_is_given_up() {
    let mut bench = Bench::new(Profile::nt35e().instant(), 0);
    for line in [
        "ATE0",
        "AT+LMQTTCFG=\"cloud\",0,2,1",
        "AT+LMQTTCFG=\"aliauth\",0,\"a1B2c3D4e5F\",\"dev001\",\"\",\"pn\",\"secret\",\"register\"",
        "AT+LMQTTCFG=\"sslenable\",0,1,0",
        "AT+LMQTTCFG=\"timeout\",0,60,3,0",
        "AT+LMQTTOPEN=0,\"h\",1883",
    ] {
        bench.send(format!("{line}\r").as_bytes());
    }
    bench.broker(&BrokerStep::Mute);
    bench.take_heard();
    bench.send(b"AT+LMQTTCONN=0,\"id\"\r");
    assert_eq!(text(&bench.take_heard()), r"\r\nOK\r\n");
    // Meanwhile the host can do nothing on this link.
    bench.send(b"AT+LMQTTPUB=0,1,1,0,\"t\",1,\"x\"\r");
    assert_eq!(text(&bench.take_heard()), r"\r\nERROR\r\n");
    let (heard, time) = next(&mut bench);
    let given_up = r"\r\n+LMQTTCONN: 0,2\r\n\r\n+LMQTTURC: STATS,0,11\r\n";
    assert_eq!(heard, given_up);
    assert_eq!(time, Duration::from_secs(10));
}

#[test]
fn ok_does_not_wait_for_ever_for_an_outcome() {
    for order in [ResultOrder::OneBurst, ResultOrder::UrcFirst] {
        let mut profile = Profile::nt35e().instant();
        profile.quirks.result_order = order;
        let mut bench = Bench::new(profile, 0);
        bench.send(b"ATE0\rAT+LMQTTOPEN=0,\"h\",1883\rAT+LMQTTCONN=0,\"id\"\r");
        bench.take_heard();
        bench.broker(&BrokerStep::Mute);
        bench.send(b"AT+LMQTTPUB=0,1,1,0,\"t\",1,\"x\"\rAT+CSQ\r");
        // What is typed meanwhile waits.
        let (heard, time) = next(&mut bench);
        assert_eq!(heard, r"\r\nOK\r\n\r\n+CSQ: 29,0\r\n\r\nOK\r\n");
        assert_eq!(time, Duration::from_secs(30));
        let (heard, time) = next(&mut bench);
        assert_eq!(heard, r"\r\n+LMQTTPUB: 0,1,1\r\n");
        assert_eq!(time, Duration::from_secs(10));
    }
}
