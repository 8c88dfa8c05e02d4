//! The serial line: how fast the module speaks, how slowly a host may type, and what it may type.

use std::time::{Duration, Instant};

use atmq_emulator::{Latency, Profile};
use atmq_tests::bench::Bench;
use atmq_tests::transcript::WorldStep;
use proptest::prelude::*;

/// Longer than the module is busy with anything but a payload that does not come.
const PATIENCE: Duration = Duration::from_secs(10);

/// A module that answers at once over a line that takes its time.
fn paced() -> Profile {
    Profile {
        latency: Latency {
            paced: true,
            ..Latency::INSTANT
        },
        ..Profile::nt35e()
    }
}

/// What the module says within `patience`, and when it said the last of it.
fn listen(bench: &mut Bench, patience: Duration) -> (Vec<u8>, Instant) {
    let limit = bench.now() + patience;
    let mut heard = bench.take_heard();
    let mut last = bench.now();
    while bench.pass_until(limit) {
        let more = bench.take_heard();
        if !more.is_empty() {
            last = bench.now();
        }
        heard.extend(more);
    }
    (heard, last)
}

#[track_caller]
fn answer(bench: &mut Bench, command: &str, expected: &str) -> Duration {
    let start = bench.now();
    bench.send(command.as_bytes());
    let (heard, last) = listen(bench, PATIENCE);
    assert_eq!(
        heard.escape_ascii().to_string(),
        expected.as_bytes().escape_ascii().to_string()
    );
    last - start
}

#[test]
fn the_line_carries_a_byte_in_ten_bit_times_and_ipr_changes_the_rate() {
    let mut bench = Bench::new(paced(), 0);
    let bits = |bytes: u32, rate: u64| bytes * Duration::from_nanos(10_000_000_000 / rate);
    // What the host types is carried, and so is the echo.
    let took = answer(&mut bench, "ATE0\r", "ATE0\r\nOK\r\n");
    assert_eq!(took, bits(5 + 10, 115_200));
    // The result code of the command comes at the old rate.
    let took = answer(&mut bench, "AT+IPR=9600\r", "\r\nOK\r\n");
    assert_eq!(took, bits(12 + 6, 115_200));
    let took = answer(&mut bench, "AT+CSQ\r", "\r\n+CSQ: 29,0\r\n\r\nOK\r\n");
    assert_eq!(took, bits(7 + 20, 9600));
}

#[test]
fn a_payload_written_at_once_comes_as_fast_as_the_line_carries_it() {
    let mut bench = Bench::new(paced(), 0);
    answer(&mut bench, "ATE0\r", "ATE0\r\nOK\r\n");
    let opened = "\r\nOK\r\n\r\n+LMQTTOPEN: 0,0\r\n";
    answer(&mut bench, "AT+LMQTTOPEN=0,\"h\",1883\r", opened);
    let connected = "\r\nOK\r\n\r\n+LMQTTCONN: 0,0,0\r\n";
    answer(&mut bench, "AT+LMQTTCONN=0,\"id\"\r", connected);
    answer(&mut bench, "AT+LMQTTPUB=0,1,1,0,\"t\",8000\r", "\r\n> ");
    let published = "\r\nOK\r\n\r\n+LMQTTPUB: 0,1,0\r\n";
    let took = answer(&mut bench, &"x".repeat(8000), published);
    // 80,000 bit times, and those of the answer.
    assert!(took >= Duration::from_micros(694_444), "{took:?}");
    assert!(took <= Duration::from_millis(705), "{took:?}");
}

#[test]
fn a_byte_aborts_a_search_and_nothing_else() {
    let mut profile = Profile::nt35e();
    let scan = Duration::from_secs(30);
    profile.latency = Latency {
        scan: (scan, scan),
        command: (scan, scan),
        ..Latency::INSTANT
    };
    let mut bench = Bench::new(profile, 0);
    bench.send(b"ATE0\r");
    bench.take_heard();
    // The line feed belongs to the command; a byte within 125 ms does not abort it.
    bench.send(b"AT+COPS=?\r\n");
    let (heard, _) = listen(&mut bench, Duration::from_secs(10));
    assert_eq!(heard, b"");
    bench.send(b"A");
    assert_eq!(bench.take_heard(), b"\r\nOK\r\n");
    // The byte is not looked at.
    bench.send(b"AT\r");
    assert_eq!(bench.take_heard(), b"\r\nOK\r\n");
    let list = "\r\n+COPS: (2,\"Test\",\"Test\",\"00101\",7),,(0-4),(0-2)\r\n\r\nOK\r\n";
    bench.send(b"AT+COPS=?\r");
    let (heard, _) = listen(&mut bench, Duration::from_secs(31));
    assert_eq!(String::from_utf8_lossy(&heard), list);
    // A command that is not abortable goes on, and what was typed comes behind it.
    bench.send(b"AT+LBS=0\r");
    listen(&mut bench, Duration::from_secs(10));
    bench.send(b"AT\r");
    assert_eq!(bench.take_heard(), b"");
    let (heard, _) = listen(&mut bench, Duration::from_secs(31));
    let position = "\r\n+LBS: 0.000000,0.000000\r\n\r\nOK\r\n\r\nOK\r\n";
    assert_eq!(String::from_utf8_lossy(&heard), position);
}

#[test]
fn at_another_rate_each_side_hears_garbage() {
    let mut bench = Bench::new(Profile::nt35e().instant(), 0);
    bench.send(b"ATE0\r");
    bench.take_heard();
    bench.change(|modem, _| modem.set_host_rate(Some(9600)));
    bench.send(b"AT+CSQ\r");
    assert_eq!(bench.take_heard(), b"");
    // A URC is garbage, and the same garbage each time.
    let mut garbage = Vec::new();
    for _ in 0..2 {
        bench.change(|modem, now| modem.inject(b"+CSQ: 29,0", now).expect("it runs"));
        garbage.push(bench.take_heard());
    }
    assert_ne!(garbage[0], b"\r\n+CSQ: 29,0\r\n");
    assert!(!garbage[0].is_empty());
    assert_eq!(garbage[0], garbage[1]);
    // The host tries another rate; what is left of the garbage is no command.
    bench.change(|modem, _| modem.set_host_rate(Some(115_200)));
    bench.send(b"\r");
    bench.take_heard();
    bench.send(b"AT\r");
    assert_eq!(bench.take_heard(), b"\r\nOK\r\n");
    // The module changes its own rate behind its answer, and the host follows.
    bench.send(b"AT+IPR=9600\r");
    bench.change(|modem, _| modem.set_host_rate(Some(9600)));
    bench.take_heard();
    bench.send(b"AT\r");
    assert_eq!(bench.take_heard(), b"\r\nOK\r\n");
    // A module that detects the rate takes any.
    bench.send(b"AT+IPR=0\r");
    bench.take_heard();
    bench.change(|modem, _| modem.set_host_rate(Some(19_200)));
    bench.send(b"AT\r");
    assert_eq!(bench.take_heard(), b"\r\nOK\r\n");
}

#[test]
fn a_host_may_type_a_character_every_50_ms() {
    let mut bench = Bench::new(Profile::nt35e(), 0);
    let mut heard = Vec::new();
    for byte in b"ATE0\rAT+CSQ\r" {
        bench.send(&[*byte]);
        heard.extend(listen(&mut bench, Duration::from_millis(50)).0);
    }
    heard.extend(listen(&mut bench, PATIENCE).0);
    assert_eq!(
        heard.escape_ascii().to_string(),
        r"ATE0\r\nOK\r\n\r\n+CSQ: 29,0\r\n\r\nOK\r\n"
    );
}

#[test]
fn what_is_typed_while_a_command_runs_is_executed_behind_it() {
    let mut bench = Bench::new(Profile::nt35e(), 0);
    answer(&mut bench, "ATE0\r", "ATE0\r\nOK\r\n");
    // Detaching takes its time; the host does not wait.
    bench.send(b"AT+CGATT=0\r");
    let (heard, _) = listen(&mut bench, Duration::from_millis(50));
    assert_eq!(heard, b"");
    bench.send(b"AT+CGATT?\rAT+CSQ\r");
    let expected = "\r\nOK\r\n\r\n+CGATT: 0\r\n\r\nOK\r\n\r\n+CSQ: 29,0\r\n\r\nOK\r\n";
    answer(&mut bench, "", expected);
}

#[test]
fn a_module_without_power_hears_nothing() {
    let mut bench = Bench::new(Profile::nt35e(), 0);
    answer(
        &mut bench,
        "ATE0+MPOF=1\r",
        "ATE0+MPOF=1\r\nOK\r\n\r\nNORMAL POWER DOWN\r\n",
    );
    answer(&mut bench, "AT\r", "");
    bench.world(&WorldStep::PowerOn);
    answer(&mut bench, "", "^boot.rom'v'!\r\n");
    answer(&mut bench, "AT\r", "AT\r\nOK\r\n");
}

#[test]
fn a_host_that_asks_faster_than_the_line_carries_gets_all_answers() {
    let mut bench = Bench::new(paced(), 0);
    answer(&mut bench, "ATE0+IPR=4800\r", "ATE0+IPR=4800\r\nOK\r\n");
    // Some 170 KiB of answers: more than waits for the line.
    bench.send(&b"AT+CLAC\r".repeat(170));
    let (heard, _) = listen(&mut bench, Duration::from_secs(1000));
    let answers = heard.split(|byte| *byte == b'\n');
    assert_eq!(answers.filter(|line| *line == b"OK\r").count(), 170);
}

/// What a host might type: noise, and pieces of commands that lead further in than noise does.
fn typed() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => prop::collection::vec(any::<u8>(), 0..40),
        6 => prop::sample::select(vec![
            "AT", "\r", "\r\n", ";", "=?", "?", "=", ",", "\"", "0", "1", "65535", "-1", "A/",
            "+CREG", "+CEREG=2", "+COPS", "+CGDCONT", "+CPIN=\"1\"", "+CRSM=176,12258", "+CCLK",
            "+CFUN=1,1", "+CFUN=4", "+CGATT=0", "+CMEE=1", "+CLAC", "&V", "&W", "Z", "V0", "Q1",
            "E0", "+IPR=4800", "+LMQTTOPEN=0,\"h\",1883", "+LMQTTCONN=0,\"id\"",
            "+LMQTTPUB=0,1,1,0,\"t\",5", "+LMQTTCFG=\"keepalive\",0", "\x1b", "\x1a", "\x08",
        ]).prop_map(|text| text.as_bytes().to_vec()),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// Whatever was typed, a host that waits, resets its own line settings and types again is
    /// heard. (`S3` to `S5`, and `+MPOF`, are not among the pieces: they take that away.)
    #[test]
    fn whatever_is_typed_the_module_answers_afterwards(
        bytes in typed(),
        cuts in prop::collection::vec(1usize..50, 1..20),
        seed: u64,
        profile in prop::sample::select(vec![Profile::nt35e(), paced(), Profile::nt26().instant()]),
    ) {
        let mut bench = Bench::new(profile, seed);
        let mut rest = &bytes[..];
        for cut in cuts.iter().cycle() {
            let (piece, left) = rest.split_at((*cut).min(rest.len()));
            bench.send(piece);
            rest = left;
            if rest.is_empty() {
                break;
            }
        }
        // A payload that does not come is given up after half a minute.
        listen(&mut bench, Duration::from_secs(120));
        bench.send(b"\r");
        listen(&mut bench, Duration::from_secs(120));
        bench.send(b"AT&F\r");
        listen(&mut bench, PATIENCE);
        bench.send(b"ATE0\r");
        listen(&mut bench, PATIENCE);
        bench.send(b"AT\r");
        let (heard, _) = listen(&mut bench, PATIENCE);
        prop_assert_eq!(heard.escape_ascii().to_string(), r"\r\nOK\r\n");
    }
}
