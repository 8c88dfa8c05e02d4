//! `atmq emulate`

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use atmq_tests::raw_mqtt::{Connect, Publish, RawClient, puback, suback, subscribe};
use regex::Regex;
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{CLOSED_PORT, Emulator, Finished, Running, Signal, argument, atmq, text};

const DEVICE: &str = r"/dev/[a-z0-9/]+";
const LOOPBACK: &str = r"127\.0\.0\.1:[0-9]+";

/// A directory, and a name in it that is free.
fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let path = directory.path().join("module");
    (directory, path)
}

/// Starts it and returns its first line as well.
fn start(arguments: &[&str]) -> (Running, String) {
    let mut running = Running::start(["emulate", "--instant"].iter().chain(arguments));
    let ready = running.line();
    (running, ready)
}

/// What the ready line says of `key`.
fn value<'l>(ready: &'l str, key: &str) -> &'l str {
    let mut words = ready.split(' ');
    let value = words.find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
    value.expect("the ready line has this key")
}

/// Talks to the module there.
#[track_caller]
fn answers(port: &str) {
    assert_eq!(text(&atmq(["at", "--port", port, "AT"]).succeeds()), "OK\n");
}

fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink())
}

#[track_caller]
fn matches(ready: &str, form: &str) {
    let form = Regex::new(&format!("^{form}$")).expect("it is a regular expression");
    assert!(form.is_match(ready), "`{ready}` is not `{form}`");
}

#[test]
fn the_ready_line_names_what_there_is() {
    let (_directory, link) = place();
    let link = argument(&link);
    let named = regex::escape(&link);
    let tcp = "127.0.0.1:0";
    for (arguments, form) in [
        (&[][..], format!("ready pty={DEVICE}")),
        (
            &["--link", &link],
            format!("ready pty={DEVICE} link={named}"),
        ),
        (&["--listen", tcp], format!("ready tcp={LOOPBACK}")),
        (
            &["--listen", tcp, "--link", &link],
            format!("ready pty={DEVICE} link={named} tcp={LOOPBACK}"),
        ),
        (
            &["--broker", "embedded"],
            format!("ready pty={DEVICE} broker={LOOPBACK}"),
        ),
        (
            &["--broker", "embedded", "--listen", tcp],
            format!("ready tcp={LOOPBACK} broker={LOOPBACK}"),
        ),
    ] {
        let (running, ready) = start(arguments);
        matches(&ready, &form);
        running.signal(Signal::TERM);
        assert_eq!(text(&running.succeeds()), "", "one line is all");
    }
}

#[test]
fn the_ready_line_as_json_has_the_same_keys() {
    let (_directory, link) = place();
    let link = argument(&link);
    let json = |arguments: &[&str]| {
        let (_running, ready) = start(arguments);
        serde_json::from_str::<Value>(&ready).expect("the ready line is JSON")
    };
    let keys = |ready: &Value| {
        let object = ready.as_object().expect("the ready line is an object");
        object.keys().cloned().collect::<Vec<_>>()
    };
    let least = json(&["--json"]);
    assert_eq!(keys(&least), ["event", "pty"]);
    assert_eq!(least["event"], "ready");
    let all = json(&[
        "--json",
        "--link",
        &link,
        "--listen",
        "127.0.0.1:0",
        "--broker",
        "embedded",
    ]);
    assert_eq!(keys(&all), ["broker", "event", "link", "pty", "tcp"]);
    assert_eq!(all["link"], link);
    matches(all["tcp"].as_str().expect("it is a string"), LOOPBACK);
}

#[test]
fn its_link_is_removed_when_it_is_told_to_end() {
    for signal in [Signal::TERM, Signal::INT] {
        let (_directory, link) = place();
        let (running, ready) = start(&["--link", &argument(&link)]);
        let target = fs::read_link(&link).expect("there is a link");
        assert_eq!(argument(&target), value(&ready, "pty"));
        answers(&argument(&link));
        running.signal(signal);
        assert_eq!(text(&running.succeeds()), "");
        assert!(!is_link(&link), "the link is left behind by {signal:?}");
    }
}

#[test]
fn a_link_that_was_left_behind_is_replaced() {
    let (_directory, link) = place();
    let (killed, _) = start(&["--link", &argument(&link)]);
    killed.signal(Signal::KILL);
    // It is killed once more, and waited for.
    drop(killed);
    assert!(is_link(&link));
    let (_running, ready) = start(&["--link", &argument(&link)]);
    let target = fs::read_link(&link).expect("there is a link");
    assert_eq!(argument(&target), value(&ready, "pty"));
    answers(&argument(&link));
}

#[test]
fn the_link_of_a_running_emulator_is_left_alone() {
    let (_directory, link) = place();
    let (_first, ready) = start(&["--link", &argument(&link)]);
    let failed = atmq(["emulate", "--link", &argument(&link)]).fails(3);
    failed
        .without_output()
        .saying(&["cannot make the link", "another program"]);
    let target = fs::read_link(&link).expect("there is a link");
    assert_eq!(argument(&target), value(&ready, "pty"));
    answers(&argument(&link));
}

#[test]
fn a_link_that_somebody_else_has_made_is_left_alone() {
    let (_directory, link) = place();
    symlink("/nonexistent/device", &link).expect("a link can be made");
    let failed = atmq(["emulate", "--link", &argument(&link)]).fails(3);
    failed
        .without_output()
        .saying(&["cannot make the link", "not made"]);
    let target = fs::read_link(&link).expect("there is a link");
    assert_eq!(argument(&target), "/nonexistent/device");
}

#[test]
fn messages_that_its_broker_drops_are_told_of() {
    let (running, ready) = start(&["--broker", "embedded"]);
    let broker = ready.rsplit('=').next().expect("it has a broker");
    let broker = broker.parse().expect("it is an address");
    let away = Connect::new("away").persistent();
    let mut subscriber = RawClient::connect(broker, &away);
    subscriber.send(subscribe(1, &[("t", 1)]));
    subscriber.expect(suback(1, &[1]));
    drop(subscriber);
    let mut publisher = RawClient::connect(broker, &Connect::new("publisher"));
    for id in 1..=1010 {
        publisher.send(Publish::new("t", "m").qos(1, id).bytes());
        publisher.expect(puback(id));
    }
    running.signal(Signal::TERM);
    let told = running.ends_telling();
    assert!(told.contains("drops messages"), "{told}");
    assert!(told.contains("messages=10"), "{told}");
    assert_eq!(told.lines().count(), 2, "{told}");
}

#[test]
fn a_listener_that_others_can_reach_is_warned_of() {
    for (address, warned) in [("0.0.0.0:0", true), ("127.0.0.1:0", false)] {
        let (running, _) = start(&["--listen", address]);
        running.signal(Signal::TERM);
        let told = running.ends_telling();
        assert_eq!(told.contains("without a password"), warned, "{told}");
    }
    let (running, _) = start(&["--quiet", "--listen", "0.0.0.0:0"]);
    running.signal(Signal::TERM);
    assert_eq!(running.ends_telling(), "");
}

#[test]
fn a_file_in_the_way_is_not_touched() {
    let (directory, file) = place();
    fs::write(&file, "precious").expect("a file can be written");
    for path in [
        &*file,
        directory.path(),
        &directory.path().join("no/module"),
    ] {
        let path = argument(path);
        let failed = atmq(["emulate", "--link", &path]).fails(3);
        failed
            .without_output()
            .saying(&["cannot make the link", &path]);
    }
    assert_eq!(fs::read(&file).expect("the file is there"), b"precious");
    assert!(!is_link(&file));
}

#[test]
fn a_name_burnt_into_firmware_is_sent_elsewhere() {
    let bench = Emulator::with_broker();
    let module = Emulator::start([
        format!("--map=burnt.in.example={}", bench.broker()),
        format!("--map=only.example:8883={}", bench.broker()),
        format!("--map=*={CLOSED_PORT}"),
    ]);
    let mut other = RawClient::connect(bench.broker(), &Connect::new("other"));
    other.subscribe(&[("t", 0)]);
    for (host, port) in [("burnt.in.example", "1883"), ("only.example", "8883")] {
        module
            .atmq("pub", ["-h", host, "-p", port, "-t", "t", "-m", host])
            .succeeds();
        assert_eq!(other.expect_publish().payload, host.as_bytes());
    }
    // Everything else goes where nobody listens.
    for (host, port) in [("elsewhere.example", "1883"), ("only.example", "1883")] {
        let mut published = module.atmq("pub", ["-h", host, "-p", port, "-t", "t", "-n"]);
        published.fails(3).saying(&[host, port]);
    }
    other.expect_nothing();
}

#[test]
fn a_map_of_ones_own_comes_before_the_embedded_broker() {
    let closed = format!("--map=closed.example={CLOSED_PORT}");
    let module = Emulator::start(["--broker", "embedded", &closed]);
    let publish = |host| module.atmq("pub", ["-h", host, "-t", "t", "-m", "m"]);
    publish("any.example").succeeds();
    publish("closed.example").fails(3).without_output();
}

#[test]
fn what_is_no_map_is_refused() {
    for map in [
        "host",
        "host=",
        "host=other",
        "=other:1883",
        "host:x=other:1",
        "host=*:1",
    ] {
        let complaint = atmq(["emulate", "--map", map]).is_misused();
        assert!(
            complaint.contains("--map <HOST[:PORT]=HOST:PORT>"),
            "{complaint}"
        );
    }
}

#[test]
fn an_unknown_profile_or_broker_is_refused() {
    for (option, known) in [("--profile", "nt35e"), ("--broker", "embedded")] {
        let complaint = atmq(["emulate", option, "nosuch"]).is_misused();
        assert!(complaint.contains("'nosuch'"), "{complaint}");
        assert!(complaint.contains(known), "{complaint}");
    }
}

#[test]
fn the_profile_is_the_module_that_answers() {
    for (profile, model) in [("nt35e", "NT35E"), ("nt26", "NT26KCN")] {
        let module = Emulator::start(["--profile", profile]);
        let answer = text(&module.atmq("at", ["AT+CGMM"]).succeeds());
        assert_eq!(answer, format!("{model}\nOK\n"));
    }
}

#[test]
fn an_address_that_is_not_to_be_had_is_told_in_one_line() {
    let (_running, ready) = start(&["--listen", "127.0.0.1:0"]);
    // Taken; no address; no port; not resolvable; not of this machine.
    for address in [
        value(&ready, "tcp"),
        "nonsense",
        "127.0.0.1:65536",
        "host.invalid:0",
        "192.0.2.1:0",
    ] {
        let failed = atmq(["emulate", "--listen", address]).fails(3);
        failed
            .without_output()
            .saying(&["cannot listen on", address]);
    }
}

#[test]
fn hosts_come_and_go_and_the_module_stays_as_it_is() {
    let (_directory, link) = place();
    let link = argument(&link);
    let (_running, ready) = start(&["--link", &link, "--listen", "127.0.0.1:0"]);
    let tcp = format!("tcp://{}", value(&ready, "tcp"));
    let device = value(&ready, "pty");
    let at = |port: &str, command: &str| text(&atmq(["at", "--port", port, command]).succeeds());
    for (number, port) in [&link, &tcp, device, &tcp, &link].into_iter().enumerate() {
        let before = number % 2;
        assert_eq!(at(port, "AT+CMEE?"), format!("+CMEE: {before}\nOK\n"));
        let after = 1 - before;
        assert_eq!(at(port, &format!("AT+CMEE={after}")), "OK\n");
    }
}

#[test]
fn a_second_host_over_tcp_is_served_when_the_first_is_gone() {
    let (_running, ready) = start(&["--listen", "127.0.0.1:0"]);
    let port = format!("tcp://{}", value(&ready, "tcp"));
    let mut first = Running::start(["at", "--port", &port, "--expect", "never", "ATE0"]);
    assert_eq!(first.line(), "OK");
    let mut second = Running::start(["at", "--port", &port, "AT"]);
    drop(first);
    assert_eq!(second.line(), "OK");
    second.succeeds();
}

#[test]
fn a_host_is_told_when_the_module_goes() {
    for listen in [false, true] {
        let (_directory, link) = place();
        let (running, ready) = match listen {
            true => start(&["--listen", "127.0.0.1:0"]),
            false => start(&["--link", &argument(&link)]),
        };
        let port = match listen {
            true => format!("tcp://{}", value(&ready, "tcp")),
            false => argument(&link),
        };
        let arguments = [
            "at",
            "--port",
            &port,
            "--expect",
            "never",
            "--timeout",
            "50",
            "AT",
        ];
        let mut host = Running::start(arguments);
        assert_eq!(host.line(), "OK");
        running.signal(Signal::TERM);
        running.succeeds();
        host.fails(3).without_output().saying(&["the port is lost"]);
    }
}
