//! `atmq pub`

use std::cell::Cell;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use atmq_tests::mosquitto::{Mosquitto, find_program, free_port};
use atmq_tests::raw_mqtt::{Connect, Publish, RawClient};

use serde_json::Value;

use crate::harness::{
    CLOSED_PORT, Emulator, Finished, Signal, argument, atmq, awkward, program, text,
};

/// What the module takes at most behind a prompt.
const LIMIT: usize = 8000;

/// A module, and a client at its broker that hears everything.
fn bench() -> (Emulator, RawClient) {
    let module = Emulator::with_broker();
    let mut other = RawClient::connect(module.broker(), &Connect::new("other"));
    other.subscribe(&[("#", 2)]);
    (module, other)
}

#[test]
fn a_payload_comes_from_where_it_is_said_to_be() {
    let (module, mut other) = bench();
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let file = directory.path().join("payload");
    fs::write(&file, awkward()).expect("a file can be written");
    module
        .atmq("pub", ["-t", "m", "-m", "grüße, \"you\""])
        .succeeds();
    assert_eq!(other.expect_publish(), Publish::new("m", "grüße, \"you\""));
    module.atmq("pub", ["-t", "f", "-f"]).arg(&file).succeeds();
    assert_eq!(other.expect_publish(), Publish::new("f", awkward()));
    let mut published = module.atmq("pub", ["-t", "s", "-s"]);
    published.write_stdin(awkward()).succeeds();
    assert_eq!(other.expect_publish(), Publish::new("s", awkward()));
    module.atmq("pub", ["-t", "n", "-n"]).succeeds();
    assert_eq!(other.expect_publish(), Publish::new("n", ""));
    let mut published = module.atmq("pub", ["-t", "l", "-l"]);
    published
        .write_stdin("one\n\n three \nno line feed")
        .succeeds();
    for line in ["one", "", " three ", "no line feed"] {
        assert_eq!(other.expect_publish(), Publish::new("l", line));
    }
    let mut published = module.atmq("pub", ["-t", "l", "-l"]);
    published.write_stdin("").succeeds();
    other.expect_nothing();
}

#[test]
fn a_payload_may_be_written_in_digits() {
    let (module, mut other) = bench();
    let publish =
        |encoding, text| module.atmq("pub", ["-t", "t", "--encoding", encoding, "-m", text]);
    publish("hex", "00 ff\t0A").succeeds();
    assert_eq!(other.expect_publish(), Publish::new("t", b"\x00\xff\n"));
    publish("base64", "AP8K").succeeds();
    assert_eq!(other.expect_publish(), Publish::new("t", b"\x00\xff\n"));
    for (encoding, text, why) in [
        ("hex", "0", "no whole number of bytes"),
        ("hex", "0g", "`g`"),
        ("base64", "A", "invalid"),
    ] {
        let failed = publish(encoding, text).fails(2).without_output();
        failed.saying(&["the payload", why, "--encoding"]);
    }
    other.expect_nothing();
}

#[test]
fn a_message_is_repeated_and_each_is_told_in_json() {
    let (module, mut other) = bench();
    let options = ["-t", "t", "-m", "m", "-q", "1", "--repeat", "3", "--json"];
    let lines = text(&module.atmq("pub", options).succeeds());
    for _ in 0..3 {
        assert_eq!(other.accept_publish().payload, b"m");
    }
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect();
    let (sum, published) = lines.split_last().expect("there is a sum");
    assert_eq!(published.len(), 3);
    for line in published {
        assert_eq!(line["outcome"], "acknowledged");
        assert!(
            line["latency_ms"]
                .as_f64()
                .is_some_and(|latency| latency > 0.0)
        );
    }
    assert_eq!((&sum["messages"], &sum["failed"]), (&3.into(), &0.into()));
    assert!(sum["ms"].is_number(), "{sum}");
    let p99 = &sum["latency_ms"]["p99"];
    assert!(p99.as_f64().is_some_and(|latency| latency > 0.0), "{p99}");
    module
        .atmq("pub", ["-t", "t", "-l", "--repeat", "2"])
        .is_misused();
    module
        .atmq("pub", ["-t", "t", "-n", "--repeat", "0"])
        .is_misused();
}

#[test]
fn a_will_is_published_when_the_module_is_gone() {
    let (broker, mut other) = bench();
    let module = Emulator::mapped_to(broker.broker());
    let will = [
        "--will-topic",
        "w",
        "--will-payload",
        "gone",
        "--will-qos",
        "1",
    ];
    let waits = [
        "-t",
        "t",
        "-m",
        "m",
        "--repeat",
        "2",
        "--repeat-delay",
        "600",
    ];
    let publisher = module.spawn("pub", waits.iter().chain(&will));
    assert_eq!(other.expect_publish(), Publish::new("t", "m"));
    drop(module);
    let published = other.accept_publish();
    assert_eq!((published.topic.as_str(), published.qos), ("w", 1));
    assert_eq!(published.payload, b"gone");
    drop(publisher);
    let orphan = ["-t", "t", "-n", "--will-payload", "gone"];
    atmq(["pub", "--port", "p"]).args(orphan).is_misused();
}

#[test]
fn a_session_is_kept_when_asked_for() {
    let module = Emulator::with_broker();
    let mut other = RawClient::connect(module.broker(), &Connect::new("other"));
    let mut subscriber = module.atmq("sub", ["-t", "kept", "-q", "1", "-c", "-i", "s", "-E"]);
    assert_eq!(subscriber.succeeds(), b"");
    other.publish(&Publish::new("kept", "meanwhile").qos(1, 1));
    let again = ["-t", "kept", "-q", "1", "-c", "-i", "s", "-C", "1"];
    assert_eq!(module.atmq("sub", again).succeeds(), b"meanwhile\n");
    let failed = module.atmq("sub", ["-t", "kept", "-c"]).fails(2);
    failed.without_output().saying(&["-c", "give -i"]);
}

#[test]
fn who_is_told_to_stop_disconnects() {
    let (module, mut other) = bench();
    let options = [
        "-t",
        "t",
        "-m",
        "m",
        "--repeat",
        "1000",
        "--repeat-delay",
        "60",
    ];
    let publisher = module.spawn("pub", options);
    assert_eq!(other.expect_publish(), Publish::new("t", "m"));
    publisher.signal(Signal::INT);
    // Whether the outcome of the first has come by then is a race.
    publisher.fails(130).saying(&["stopped after"]);
    // The module is free for the next one.
    module.atmq("pub", ["-t", "t", "-m", "next"]).succeeds();
    assert_eq!(other.expect_publish(), Publish::new("t", "next"));
}

#[test]
fn quality_of_service_and_retain_are_as_asked_for() {
    let (module, mut other) = bench();
    for qos in 0..=2 {
        let level = qos.to_string();
        let options = ["-t", "q", "-m", "m", "-q", &level, "-r"];
        module.atmq("pub", options).succeeds();
        assert_eq!(other.accept_publish().qos, qos);
    }
    let mut late = RawClient::connect(module.broker(), &Connect::new("late"));
    late.subscribe(&[("q", 0)]);
    assert_eq!(late.expect_publish(), Publish::new("q", "m").retain());
    let complaint = module
        .atmq("pub", ["-t", "q", "-n", "-q", "3"])
        .is_misused();
    assert!(complaint.contains("0, 1 or 2"), "{complaint}");
}

#[test]
fn the_longest_payload_passes_and_a_longer_one_is_refused() {
    let (module, mut other) = bench();
    let publish = |length: usize| {
        let mut published = module.atmq("pub", ["-t", "t", "-q", "1", "-s"]);
        published.write_stdin(vec![0xff; length]);
        published
    };
    publish(LIMIT).succeeds();
    assert_eq!(other.accept_publish().payload, [0xff; LIMIT]);
    let failed = publish(LIMIT + 1).fails(2).without_output();
    failed.saying(&["the payload", "8001", "8000"]);
    other.expect_nothing();
}

#[test]
fn a_topic_that_no_command_carries_is_refused() {
    let (module, mut other) = bench();
    for topic in ["a\"b", "a\nb", "a\rb", "\x1a"] {
        let failed = module.atmq("pub", ["-t", topic, "-m", "m"]).fails(2);
        failed.without_output().saying(&["the topic"]);
    }
    for topic in ["", "a/+", "#"] {
        let complaint = module.atmq("pub", ["-t", topic, "-m", "m"]).is_misused();
        assert!(complaint.contains("--topic <TOPIC>"), "{complaint}");
    }
    other.expect_nothing();
}

#[test]
fn a_client_id_throws_out_its_namesake() {
    let module = Emulator::with_broker();
    let mut namesake = RawClient::connect(module.broker(), &Connect::new("device-7"));
    let publish = ["-t", "t", "-m", "m", "-i"];
    module.atmq("pub", publish).arg("device-8").succeeds();
    namesake.expect_nothing();
    module.atmq("pub", publish).arg("device-7").succeeds();
    namesake.expect_closed();
}

#[test]
fn the_embedded_broker_lets_everyone_in() {
    let (module, mut other) = bench();
    let credentials = ["-u", "anyone", "-P", "anything"];
    let mut published = module.atmq("pub", ["-t", "t", "-m", "m"]);
    published.args(credentials).succeeds();
    assert_eq!(other.expect_publish().payload, b"m");
}

#[test]
fn credentials_are_checked_by_the_broker() {
    let port = Cell::new(0);
    let guarded = |directory: &Path| {
        let file = directory.join("passwords");
        let program = find_program("mosquitto_passwd");
        let mut command = Command::new(program.expect("it comes with mosquitto"));
        command
            .args(["-b", "-c"])
            .arg(&file)
            .args(["meter", "right, \\ too"]);
        let made = command.output().expect("mosquitto_passwd can be executed");
        assert!(made.status.success(), "{made:?}");
        port.set(free_port());
        let (port, file) = (port.get(), file.display());
        format!("listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {file}")
    };
    let Some(_mosquitto) = Mosquitto::start_with(guarded) else {
        return;
    };
    let module = Emulator::mapped_to(SocketAddr::from(([127, 0, 0, 1], port.get())));
    let publish = |credentials: &[&str]| {
        let mut published = module.atmq("pub", ["-t", "t", "-q", "1", "-m", "m"]);
        published.args(credentials);
        published
    };
    publish(&["-u", "meter", "-P", "right, \\ too"]).succeeds();
    let mut quiet = publish(&["-u", "meter"]);
    quiet.env("ATMQ_PASSWORD", "right, \\ too").succeeds();
    // What is typed counts for more.
    let mut wrong = publish(&["-u", "meter", "-P", "wr0ng"]);
    wrong.env("ATMQ_PASSWORD", "right, \\ too");
    for mut refused in [wrong, publish(&["-u", "meter"]), publish(&[])] {
        let failed = refused.fails(1).without_output();
        let failed = failed.saying(&["-u, -P and -i"]);
        assert!(!failed.line.contains("wr0ng"), "{}", failed.line);
    }
    let help = atmq(["pub", "--help"])
        .env("ATMQ_PASSWORD", "s3cret")
        .succeeds();
    assert!(!String::from_utf8_lossy(&help).contains("s3cret"));
}

#[test]
fn the_port_may_be_in_the_environment() {
    let (module, mut other) = bench();
    let mut published = atmq(["pub", "-t", "t", "-m", "m"]);
    published.env("ATMQ_PORT", module.port()).succeeds();
    assert_eq!(other.expect_publish().payload, b"m");
}

#[test]
fn a_broker_that_cannot_be_reached_ends_with_3() {
    let module = Emulator::start(["--profile=nt35e"]);
    let (host, port) = CLOSED_PORT.split_once(':').expect("it has a port");
    for (host, port, why) in [
        (host, port, "takes no connection"),
        ("broker.invalid", "1883", "cannot be resolved"),
    ] {
        let mut published = module.atmq("pub", ["-h", host, "-p", port, "-t", "t", "-m", "m"]);
        let failed = published.fails(3).without_output();
        failed.saying(&[host, port, why, "check -h and -p"]);
    }
}

#[test]
fn what_cannot_be_read_costs_no_connection() {
    // The port would fail, too, but is not come to.
    let mut published = atmq(["pub", "--port", "/nonexistent/module", "-t", "t"]);
    let failed = published.args(["-f", "/nonexistent/payload"]).fails(3);
    failed.without_output().saying(&["/nonexistent/payload"]);
}

#[test]
fn a_port_that_does_not_answer_ends_with_4() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
    let address = silent.local_addr().expect("it is bound");
    let port = format!("tcp://{address}");
    let publish = ["pub", "--port", &port, "-t", "t", "-m", "m"];
    let failed = atmq(publish).arg("--fresh").fails(4);
    failed
        .without_output()
        .saying(&["does not answer", "--auto-baud"]);
    // Without --fresh it is spoken to once, and the program says why it waits.
    let mut waiting = program()
        .args(publish)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program can be started");
    let mut told = String::new();
    let stderr = waiting.stderr.take().expect("it is a pipe");
    BufReader::new(stderr)
        .read_line(&mut told)
        .expect("it says why it waits, or ends");
    waiting.kill().expect("it has not been waited for");
    waiting.wait().expect("it was killed");
    let why = "waiting for data that an earlier program";
    assert!(told.contains(why), "{told}");
    let mut heard = Vec::new();
    let (_, mut module) = (
        silent.accept(),
        silent.accept().expect("it has connected").0,
    );
    module
        .read_to_end(&mut heard)
        .expect("what was sent can be read");
    assert_eq!(heard, b"AT\r");
}

#[test]
fn a_port_that_is_closed_at_once_ends_with_3() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
    let address = listener.local_addr().expect("it is bound");
    let closer = thread::spawn(move || listener.accept().map(drop));
    let port = format!("tcp://{address}");
    let failed = atmq(["pub", "--port", &port, "-t", "t", "-m", "m"]).fails(3);
    failed.without_output().saying(&["the port is closed"]);
    let closed = closer.join().expect("it does not panic");
    closed.expect("the host has connected");
}

#[test]
fn values_may_begin_with_a_hyphen() {
    let (module, mut other) = bench();
    let mut published = module.atmq("pub", ["-t", "-t", "-m", "-5", "-i", "-i", "-u", "-u"]);
    published.args(["-P", "-x", "--will-topic", "-w", "--will-payload", "-p"]);
    published.succeeds();
    assert_eq!(other.expect_publish(), Publish::new("-t", "-5"));
}

#[test]
fn of_several_topics_the_last_counts() {
    let (module, mut other) = bench();
    let twice = ["-t", "a", "-t", "b", "-m", "m"];
    module.atmq("pub", twice).succeeds();
    assert_eq!(other.expect_publish(), Publish::new("b", "m"));
    other.expect_nothing();
}

#[test]
fn broker_user_and_topic_may_be_a_url() {
    let (module, mut other) = bench();
    let capture = tempfile::tempdir().expect("a temporary directory can be made");
    let capture = argument(&capture.path().join("a.pcapng"));
    let url = "mqtt://me:s3cret@broker.example:1884/a/b";
    let mut published = module.atmq("pub", ["-L", url, "-m", "m", "--record", &capture]);
    published.succeeds();
    assert_eq!(other.expect_publish(), Publish::new("a/b", "m"));
    let said = text(&atmq(["replay", &capture]).succeeds());
    for words in ["=0,\"broker.example\",1884", "\"me\",\"***\"", "a/b"] {
        assert!(said.contains(words), "no {words} in {said}");
    }
    for (arguments, why) in [
        (&["-L", "mqtt://h/t", "-t", "u"][..], "-t gives another"),
        (&["-L", "mqtt://h"], "there is no topic"),
        (&["-L", "mqtt://h/+"], "topic"),
        (
            &["-L", "http://u:s3cret@h/t"],
            "neither mqtt:// nor mqtts://",
        ),
        (&["-L", "mqtts://h/t"], "--cafile"),
        (
            &["-L", "mqtt://u:s3cret@h/t", "-P", "p"],
            "another is given",
        ),
    ] {
        let mut refused = module.atmq("pub", ["-m", "m"]);
        let failed = refused.args(arguments).fails(2).without_output();
        let failed = failed.saying(&[why]);
        assert!(!failed.line.contains("s3cret"), "{}", failed.line);
    }
    let twice = ["-m", "m", "-L", "mqtt://h/t", "-h", "h"];
    module.atmq("pub", twice).is_misused();
    other.expect_nothing();
}

#[test]
fn a_line_that_is_too_long_is_reported_and_the_rest_is_sent() {
    let (module, mut other) = bench();
    for (length, why) in [(LIMIT + 1, "8000"), (70_000, "more than 65536 bytes")] {
        let lines = format!("one\n{}\nthree\n", "x".repeat(length));
        let mut published = module.atmq("pub", ["-t", "l", "-l", "-q", "1", "--json"]);
        let assert = published.write_stdin(lines).assert().code(1);
        for line in ["one", "three"] {
            assert_eq!(other.accept_publish().payload, line.as_bytes());
        }
        let output = assert.get_output();
        let told = text(&output.stderr);
        assert_eq!(told.lines().count(), 2, "{told}");
        assert!(told.starts_with("atmq: line 2: "), "{told}");
        assert!(told.contains(why), "{told}");
        assert!(told.contains("1 line could not be published"), "{told}");
        let outcomes: Vec<Value> = text(&output.stdout)
            .lines()
            .map(|line| serde_json::from_str(line).expect("each line is JSON"))
            .collect();
        let outcomes: Vec<_> = outcomes.iter().map(|line| &line["outcome"]).collect();
        let sent = "acknowledged";
        assert_eq!(outcomes[..3], [sent, "not sent", sent]);
    }
    let mut published = module.atmq("pub", ["-t", "l", "-l", "--encoding", "hex"]);
    published.write_stdin("30\nx\n31\n").assert().code(1);
    for payload in ["0", "1"] {
        assert_eq!(other.expect_publish(), Publish::new("l", payload));
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_password() {
    let broker = listening_broker();
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let file = directory.path().join("password");
    fs::write(&file, "\u{feff}s3cret\r\n").expect("a file can be written");
    let module = Emulator::mapped_to(broker.0);
    let mut published = module.atmq("pub", ["-t", "t", "-m", "m", "-u", "me"]);
    published.arg("--password-file").arg(&file);
    drop(published.assert().failure());
    let connect = broker.1.join().expect("the broker has seen a CONNECT");
    assert!(connect.ends_with(b"\0\x02me\0\x06s3cret"), "{connect:?}");
}

/// Whatever connects first is heard, and sent away. Returns its first packet.
fn listening_broker() -> (SocketAddr, thread::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port can be had");
    let address = listener.local_addr().expect("it listens");
    let heard = thread::spawn(move || {
        let (mut client, _) = listener.accept().expect("a client connects");
        let mut packet = vec![0; 512];
        let length = client.read(&mut packet).expect("it sends a packet");
        packet.truncate(length);
        packet
    });
    (address, heard)
}
