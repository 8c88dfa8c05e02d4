//! `atmq monitor`

use std::fs;

use atmq_tests::raw_mqtt::{Connect, Publish, RawClient};
use serde_json::Value;
use tempfile::tempdir;

use crate::harness::{Emulator, Finished, Running, Signal, argument, atmq, awkward, text};

/// A monitor in front of the module, and where hosts find it.
fn watched(module: &Emulator, link: &str, more: &[&str]) -> Running {
    let mut arguments = vec!["--link", link];
    arguments.extend(more);
    let mut monitor = module.spawn("monitor", arguments);
    let ready = monitor.line();
    assert!(ready.starts_with("ready pty=/dev/"), "{ready}");
    assert!(ready.ends_with(&format!(" link={link}")), "{ready}");
    monitor
}

#[test]
fn the_dialogue_is_shown_and_recorded_while_every_byte_passes() {
    let directory = tempdir().unwrap();
    let [link, file] = ["host", "a.pcapng"].map(|name| argument(&directory.path().join(name)));
    let module = Emulator::with_broker();
    let mut other = RawClient::connect(module.broker(), &Connect::new("other"));
    other.subscribe(&[("up", 1)]);
    let mut monitor = watched(&module, &link, &["--record", &file]);
    let payload = directory.path().join("payload");
    fs::write(&payload, awkward()).unwrap();
    let publish = [
        "pub", "--port", &link, "-h", "x", "-t", "up", "-q", "1", "-u", "me",
    ];
    let mut publish = atmq(publish);
    publish.args(["-P", "s3cr3t-w0rd", "-f", &argument(&payload)]);
    publish.succeeds();
    assert_eq!(
        other.accept_publish(),
        Publish::new("up", awkward()).qos(1, 1)
    );
    // The last thing said is shown before the monitor is ended.
    let mut shown = Vec::new();
    loop {
        let line = monitor.line();
        let last = line.contains("+LMQTTCLOSE: 0,0");
        shown.push(line);
        if last {
            break;
        }
    }
    monitor.signal(Signal::INT);
    monitor.succeeds();
    assert!(!fs::exists(&link).unwrap(), "the link is removed");
    let said = |words: &str| shown.iter().any(|line| line.contains(words));
    assert!(said("host   > AT+LMQTTOPEN=0,\"x\",1883"), "{shown:?}");
    assert!(said("# the broker has accepted"), "{shown:?}");
    assert!(said("\"me\",\"***\"") && !said("s3cr3t-w0rd"), "{shown:?}");
    let replayed = text(&atmq(["replay", &file]).succeeds());
    let recorded: Vec<_> = replayed.lines().skip(2).map(said_in).collect();
    assert_eq!(
        recorded,
        shown.iter().map(|line| said_in(line)).collect::<Vec<_>>()
    );
}

/// A line without its time.
fn said_in(line: &str) -> &str {
    line.trim_start()
        .split_once(' ')
        .map_or(line, |(_, said)| said)
}

#[test]
fn with_json_the_ready_line_is_json_too() {
    let directory = tempdir().unwrap();
    let link = argument(&directory.path().join("host"));
    let module = Emulator::start(["--profile=nt35e"]);
    let mut monitor = module.spawn("monitor", ["--json", "--link", &link]);
    let ready: Value = serde_json::from_str(&monitor.line()).unwrap();
    assert_eq!(
        (&ready["event"], &ready["link"]),
        (&"ready".into(), &link.as_str().into())
    );
    assert!(
        ready["pty"]
            .as_str()
            .is_some_and(|pty| pty.starts_with("/dev/"))
    );
    atmq(["at", "--port", &link, "AT"]).succeeds();
    let said: Value = serde_json::from_str(&monitor.line()).unwrap();
    assert_eq!(
        (&said["event"], &said["from"]),
        (&"command".into(), &"host".into())
    );
    assert!(said["ms"].is_number(), "{said}");
    monitor.signal(Signal::INT);
    monitor.succeeds();
}

#[test]
fn a_module_that_goes_away_may_come_back_and_the_link_stays() {
    let directory = tempdir().unwrap();
    let [link, host] = ["module", "host"].map(|name| argument(&directory.path().join(name)));
    let start = || {
        let mut module = Running::start(["emulate", "--instant", "--link", &link]);
        module.line();
        module
    };
    let module = start();
    let mut monitor = Running::start(["monitor", "--port", &link, "--link", &host]);
    monitor.line();
    let target = fs::read_link(&host).unwrap();
    atmq(["at", "--port", &host, "AT"]).succeeds();
    module.signal(Signal::TERM);
    module.succeeds();
    let _module = start();
    // Whether the port is open again by then is a race that the host must win in the end.
    let mut again = atmq(["at", "--port", &host, "AT+CGMM", "--timeout", "1"]);
    while again.assert().try_success().is_err() {}
    assert_eq!(fs::read_link(&host).unwrap(), target);
    monitor.signal(Signal::INT);
    let told = monitor.ends_telling();
    for words in ["the module's port is lost", "waiting for", "is open again"] {
        assert!(told.contains(words), "no {words} in {told}");
    }
    assert!(!fs::exists(&host).unwrap(), "the link is removed");
}

#[test]
fn the_rate_that_the_host_sets_is_followed() {
    let directory = tempdir().unwrap();
    let link = argument(&directory.path().join("host"));
    let module = Emulator::start(["--profile=nt35e"]);
    let monitor = watched(&module, &link, &[]);
    for rate in ["9600", "115200"] {
        atmq(["at", "--port", &link, "--baud", rate, "AT"]).succeeds();
    }
    monitor.signal(Signal::INT);
    let told = monitor.ends_telling();
    let rates: Vec<_> = told.lines().collect();
    assert_eq!(
        rates,
        [
            "atmq: the host has set 9600 bits per second",
            "atmq: the host has set 115200 bits per second",
        ]
    );
}

#[test]
fn what_is_no_port_is_told_before_anything_is_made() {
    let directory = tempdir().unwrap();
    let link = argument(&directory.path().join("host"));
    let failed = atmq(["monitor", "--port", "/nonexistent/module", "--link", &link]).fails(3);
    failed.without_output().saying(&["/nonexistent/module"]);
    let module = Emulator::start(["--profile=nt35e"]);
    let taken = directory.path().join("taken");
    fs::write(&taken, "precious").unwrap();
    let failed = module
        .atmq("monitor", ["--link", &argument(&taken)])
        .fails(3);
    failed.without_output().saying(&["cannot make the link"]);
    assert_eq!(fs::read(&taken).unwrap(), b"precious");
}
