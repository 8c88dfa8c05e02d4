//! `atmq sub`

use std::time::{Duration, Instant};

use atmq_tests::raw_mqtt::{Connect, Publish, RawClient};

use data_encoding::BASE64;
use serde_json::Value;
use tempfile::tempdir;

use crate::harness::{
    CLOSED_PORT, Emulator, Finished, Running, Signal, argument, atmq, awkward, broker, module_at,
    text,
};

/// A module, and a client at its broker. A retained message waits on each of `a` and `b`: a
/// subscriber who has printed it is known to be there.
fn bench() -> (Emulator, RawClient) {
    let module = Emulator::with_broker();
    let mut other = RawClient::connect(module.broker(), &Connect::new("other"));
    for topic in ["a", "b"] {
        other.publish(&Publish::new(topic, format!("hello {topic}")).retain());
    }
    (module, other)
}

/// Starts it with more options, subscribed to `a`.
fn subscribed(module: &Emulator, options: &[&str]) -> Running {
    let mut subscriber = module.spawn("sub", ["-t", "a"].iter().chain(options));
    subscriber.prints("hello a\n");
    subscriber
}

#[test]
fn it_ends_after_so_many_messages() {
    let (module, mut other) = bench();
    let subscriber = subscribed(&module, &["-C", "3"]);
    for payload in ["two", "three", "four"] {
        other.publish(&Publish::new("a", payload));
    }
    assert_eq!(subscriber.succeeds(), b"two\nthree\n");
}

#[test]
fn it_ends_after_some_time() {
    let (module, _other) = bench();
    // It counts from the connection: mosquitto_sub has it so, and a module may take long for that.
    let subscriber = subscribed(&module, &["-W", "2"]);
    subscriber
        .fails(4)
        .without_output()
        .saying(&["1 message", "2 s"]);
}

#[test]
fn it_ends_well_when_told_to() {
    let (module, mut other) = bench();
    for signal in [Signal::INT, Signal::TERM] {
        let subscriber = subscribed(&module, &["-i", "subscriber"]);
        subscriber.signal(signal);
        assert_eq!(subscriber.succeeds(), b"");
    }
    other.expect_nothing();
}

#[test]
fn a_count_that_a_signal_cuts_short_is_no_success() {
    let (module, mut other) = bench();
    for way in [&["-C", "3"][..], &["-C", "3", "--reconnect"]] {
        for signal in [Signal::INT, Signal::TERM] {
            let subscriber = subscribed(&module, way);
            subscriber.signal(signal);
            let failed = subscriber.fails(130).without_output();
            // Whether what it has just printed is counted by then is a race.
            failed.saying(&["stopped after ", " message"]);
        }
    }
    other.expect_nothing();
}

#[test]
fn payloads_are_printed_byte_for_byte() {
    let (module, mut other) = bench();
    for qos in 0..=2 {
        let level = qos.to_string();
        let mut subscriber = subscribed(&module, &["-q", &level]);
        let mut message = Publish::new("a", awkward());
        if qos > 0 {
            message = message.qos(qos, 1);
        }
        other.publish(&message);
        subscriber.prints(awkward());
        subscriber.prints("\n");
        other.publish(&Publish::new("a", ""));
        subscriber.prints("\n");
    }
}

#[test]
fn several_topics_and_their_names() {
    let (module, mut other) = bench();
    let mut subscriber = subscribed(&module, &["-t", "b"]);
    subscriber.prints("hello b\n");
    drop(subscriber);
    let mut subscriber = module.spawn("sub", ["-v", "-t", "b", "-t", "c/+", "-C", "2"]);
    subscriber.prints("b hello b\n");
    // The subscription that follows has been granted when the first of its messages comes.
    other.publish(&Publish::new("c/d", "from d").retain());
    assert_eq!(subscriber.succeeds(), b"c/d from d\n");
}

#[test]
fn messages_are_printed_as_the_format_says() {
    let (module, _other) = bench();
    let formatted = |options: &[&str]| {
        let all = ["-t", "a", "-t", "b", "-C", "2"];
        module.atmq("sub", all.iter().chain(options)).succeeds()
    };
    assert_eq!(
        formatted(&["-F", r"%t\t%p|%x|%l"]),
        b"a\thello a|68656c6c6f2061|7\nb\thello b|68656c6c6f2062|7\n"
    );
    assert_eq!(formatted(&["-N"]), b"hello ahello b");
    let complaint = module.atmq("sub", ["-t", "a", "-F", "%q"]).is_misused();
    assert!(complaint.contains("neither QoS nor retain"), "{complaint}");
}

#[test]
fn json_is_valid_for_any_bytes() {
    let (module, mut other) = bench();
    let mut subscriber = module.spawn("sub", ["-t", "a", "-C", "3", "--json"]);
    subscriber.line();
    subscriber.line();
    other.publish(&Publish::new("a", awkward()));
    other.publish(&Publish::new("a", "\"quoted\"\r\n"));
    let lines = text(&subscriber.succeeds());
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect();
    let binary = lines[0]["payload_base64"].as_str().expect("it is no text");
    assert_eq!(BASE64.decode(binary.as_bytes()), Ok(awkward()));
    assert_eq!(lines[1]["payload"], "\"quoted\"\r\n");
    assert_eq!(lines[1]["topic"], "a");
}

#[test]
fn what_one_module_publishes_another_receives() {
    let (module, _other) = bench();
    let second = Emulator::mapped_to(module.broker());
    let subscriber = subscribed(&module, &["-q", "2", "-C", "2"]);
    let mut published = second.atmq("pub", ["-t", "a", "-q", "2", "-s"]);
    published.write_stdin(awkward()).succeeds();
    assert_eq!(subscriber.succeeds(), [&awkward()[..], b"\n"].concat());
}

#[test]
fn a_connection_left_behind_is_cleared_away() {
    let (module, mut other) = bench();
    // Killed: the module is still connected and keeps talking.
    drop(subscribed(&module, &[]));
    for number in 0..20 {
        other.publish(&Publish::new("a", format!("{number}\r\nOK")));
    }
    module.atmq("pub", ["-t", "a", "-m", "m"]).succeeds();
    let subscriber = subscribed(&module, &["-C", "2"]);
    other.publish(&Publish::new("a", "next"));
    assert_eq!(subscriber.succeeds(), b"next\n");
}

#[test]
fn a_broker_that_dies_is_told_in_one_line() {
    let (broker, _other) = bench();
    let module = Emulator::mapped_to(broker.broker());
    let subscriber = subscribed(&module, &[]);
    drop(broker);
    subscriber
        .fails(3)
        .without_output()
        .saying(&["the connection ended", "broker"]);
}

#[test]
fn a_module_that_dies_is_told_in_one_line() {
    let (broker, _other) = bench();
    let module = Emulator::mapped_to(broker.broker());
    let subscriber = subscribed(&module, &[]);
    drop(module);
    subscriber
        .fails(3)
        .without_output()
        .saying(&["the connection ended", "port"]);
}

#[test]
fn a_namesake_at_the_broker_is_told_in_one_line() {
    let (module, _other) = bench();
    let subscriber = subscribed(&module, &["-i", "twin"]);
    let _twin = RawClient::connect(module.broker(), &Connect::new("twin"));
    subscriber
        .fails(3)
        .without_output()
        .saying(&["the connection ended"]);
}

#[test]
fn a_connection_comes_back_with_its_subscriptions_when_asked_for() {
    let (module, mut other) = bench();
    let options = ["-i", "twin", "--reconnect", "--quiet"];
    let mut subscriber = subscribed(&module, &options);
    let mut twin = RawClient::connect(module.broker(), &Connect::new("twin"));
    twin.expect_closed();
    // The broker sends again what it retains: the subscription is there.
    subscriber.prints("hello a\n");
    other.publish(&Publish::new("a", "next"));
    subscriber.prints("next\n");
    subscriber.signal(Signal::INT);
    assert_eq!(subscriber.succeeds(), b"");
}

#[test]
fn filters_that_cannot_be_are_refused() {
    let (module, _other) = bench();
    for filter in ["a\"b", "a\nb"] {
        let failed = module.atmq("sub", ["-t", filter]).fails(2);
        failed
            .without_output()
            .saying(&["the topic filter", "check -t"]);
    }
    // Before anything is opened.
    for filter in ["", "a/#/b", "a#", "+x", "$share/g", "$share/+/a"] {
        let complaint = atmq(["sub", "--port", "/nonexistent", "-t", filter]).is_misused();
        assert!(complaint.contains("--topic <FILTER>"), "{complaint}");
        assert!(
            filter.is_empty() || complaint.contains("the topic filter "),
            "{complaint}"
        );
    }
    for topic in [
        ["-t", "a/+", "--will-topic", "w"],
        ["-t", "a", "--will-topic", "w/#"],
    ] {
        let publish = ["pub", "--port", "/nonexistent", "-m", "m"]
            .iter()
            .chain(&topic);
        let complaint = atmq(publish).is_misused();
        assert!(complaint.contains("topic <TOPIC>"), "{complaint}");
        assert!(
            complaint.contains("a message is published to one topic"),
            "{complaint}"
        );
    }
    module.atmq("sub", ["-t", "$share/g/a/#", "-E"]).succeeds();
}

#[test]
fn a_broker_that_cannot_be_reached_ends_with_3() {
    let module = Emulator::start([format!("--map=*={CLOSED_PORT}")]);
    let failed = module
        .atmq("sub", ["-h", "broker.example", "-t", "a"])
        .fails(3);
    failed
        .without_output()
        .saying(&["broker.example:1883", "check -h and -p"]);
}

#[test]
fn a_count_of_nothing_is_refused() {
    let module = Emulator::with_broker();
    for option in ["-C0", "-C-1", "-Cx", "-W-1", "-Wx", "-q3"] {
        module.atmq("sub", ["-t", "a", option]).is_misused();
    }
}

#[test]
fn a_subscription_that_is_not_acknowledged_ends_in_time() {
    for suback in [|_: &str| None, |_: &str| Some(&b""[..])] {
        let module = module_at(&broker(suback));
        for way in [&[][..], &["--reconnect", "--quiet"]] {
            let begun = Instant::now();
            let arguments = ["-t", "a", "-W", "2"];
            let mut subscriber = module.atmq("sub", arguments.iter().chain(way));
            let output = subscriber.output().unwrap();
            let told = text(&output.stderr);
            // A SUBACK without codes makes the module close the link.
            let codes: &[i32] = if way.is_empty() { &[3, 4] } else { &[4] };
            let code = output.status.code().unwrap_or(-1);
            assert!(codes.contains(&code), "{way:?}: {code}, {told}");
            // The manual allows the module 30 s.
            assert!(begun.elapsed() < Duration::from_secs(25), "{way:?}: {told}");
        }
    }
}

#[test]
fn a_filter_that_the_broker_refuses_is_named_and_the_others_stay() {
    fn refuses(filter: &str) -> Option<&'static [u8]> {
        Some(if filter.contains("secret") {
            &[0x80]
        } else {
            &[0]
        })
    }
    let module = module_at(&broker(refuses));
    for way in [&[][..], &["--reconnect"]] {
        let all = ["-t", "secret/a"].iter().chain(way);
        let failed = module.atmq("sub", all).fails(1).without_output();
        failed.saying(&["the broker refused the subscription", "secret/a"]);
        let some = ["-t", "a", "-t", "secret/b", "-t", "c", "--json"];
        let mut subscriber = module.spawn("sub", some.iter().chain(way));
        let subscribed = subscriber.line();
        assert!(subscribed.contains("[\"a\",\"c\"]"), "{subscribed}");
        subscriber.signal(Signal::TERM);
        let told = subscriber.ends_telling();
        let expected = "atmq: the broker refused the subscription (`secret/b`)";
        assert!(told.starts_with(expected), "{way:?}: {told}");
        assert_eq!(told.lines().count(), 1, "{told}");
        let failed = module.atmq("sub", ["-t", "a", "-t", "secret/b", "-E"]);
        { failed }.fails(1).saying(&["secret/b"]);
    }
}

#[test]
fn a_filter_that_the_module_refuses_is_named_and_the_others_stay() {
    let directory = tempdir().unwrap();
    let control = argument(&directory.path().join("control"));
    let module = Emulator::start(["--broker", "embedded", "--control", &control]);
    let refusal = ["override", "+LMQTTSUBUNSUB", "+CME ERROR: 3"];
    let refuse = || atmq(["control", &control].iter().chain(&refusal)).succeeds();
    refuse();
    let failed = module.atmq("sub", ["-t", "a"]).fails(1).without_output();
    failed.saying(&[
        "cannot subscribe to a:",
        "the module answered",
        "CME ERROR: 3",
    ]);
    refuse();
    let mut subscriber = module.spawn("sub", ["-t", "a", "-t", "b", "--json"]);
    let subscribed = subscriber.line();
    assert!(subscribed.contains("[\"b\"]"), "{subscribed}");
    subscriber.signal(Signal::TERM);
    let told = subscriber.ends_telling();
    assert!(told.starts_with("atmq: cannot subscribe to a: "), "{told}");
}

#[test]
fn a_format_may_begin_with_a_hyphen_and_a_url_names_the_filter() {
    let (module, _other) = bench();
    let options = ["-L", "mqtt://broker.example/a", "-F", "-%t", "-C", "1"];
    assert_eq!(module.atmq("sub", options).succeeds(), b"-a\n");
    let options = ["-L", "mqtt://h/a", "-t", "b", "-v", "-C", "2"];
    let lines = text(&module.atmq("sub", options).succeeds());
    let mut lines: Vec<_> = lines.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["a hello a", "b hello b"]);
    let failed = module.atmq("sub", ["-L", "mqtt://h"]).fails(2);
    failed.without_output().saying(&["no topic", "-t"]);
    let failed = module.atmq("sub", ["-L", "mqtt://h/a#"]).fails(2);
    failed.without_output().saying(&["filter", "-L"]);
}

#[test]
fn what_is_filtered_out_is_neither_printed_nor_counted() {
    let (module, mut other) = bench();
    for topic in ["x/in", "x/out", "x/y/out"] {
        other.publish(&Publish::new(topic, "m").retain());
    }
    let out = ["-T", "x/out", "-T", "x/+/out", "-T", "a"];
    let mut subscriber = module.atmq("sub", ["-t", "a", "-t", "x/#", "-C", "1", "-F", "%t"]);
    assert_eq!(subscriber.args(out).succeeds(), b"x/in\n");
    module.atmq("sub", ["-t", "a", "-T", "a#"]).is_misused();
}

#[test]
fn what_no_module_tells_is_refused() {
    for option in ["-R", "--retained-only", "--remove-retained"] {
        let failed = atmq(["sub", "--port", "p", "-t", "t", option]).fails(2);
        failed
            .without_output()
            .saying(&["does not tell whether a message was retained", option]);
    }
}
