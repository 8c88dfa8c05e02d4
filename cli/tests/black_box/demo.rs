//! `atmq demo`

use atmq_tests::mosquitto::Mosquitto;
use serde_json::Value;

use crate::harness::{CLOSED_PORT, Finished, atmq, text};

/// The payload that no command line carries, as the transcript shows it.
const BINARY: &str = r#""quotes", a line end\r\nOK\r\n> \x00 NUL, \x1a Ctrl-Z, \xff"#;

#[test]
fn it_shows_the_transcript_and_a_summary() {
    let shown = text(&atmq(["demo"]).succeeds());
    let said_by = |who: &str, what: &str| {
        let lines = shown.lines().filter(|line| line.contains(" ms  "));
        lines
            .filter(|line| line.contains(&format!(" {who} ")) && line.contains(what))
            .count()
    };
    assert_eq!(said_by("host", "AT+LMQTTOPEN=0,"), 1, "{shown}");
    assert_eq!(said_by("module", "+LMQTTOPEN: 0,0"), 1, "{shown}");
    assert_eq!(said_by("module", "+LMQTTCONN: 0,0,0"), 1, "{shown}");
    assert_eq!(said_by("host", "AT+LMQTTPUB=0,"), 4, "{shown}");
    // There and back.
    assert_eq!(said_by("host", BINARY), 1, "{shown}");
    assert_eq!(said_by("module", BINARY), 1, "{shown}");
    assert_eq!(said_by("host", "AT+LMQTTCLOSE=0"), 2, "{shown}");
    for number in 1..=4 {
        let line = format!("  message {number}  QoS ");
        assert!(shown.contains(&line), "{shown}");
    }
    let last = shown.lines().last();
    let last = last.expect("something is shown");
    let summary = "All 4 messages came back, byte for byte, in ";
    assert!(last.starts_with(summary), "{last}");
}

#[test]
fn every_module_can_show_it() {
    let listed = text(&atmq(["emulate", "--list-profiles"]).succeeds());
    let profiles: Vec<_> = listed.lines().map(|line| line.split_whitespace()).collect();
    assert!(
        listed.contains("nt35e     NT35E             LMQTT\n"),
        "{listed}"
    );
    for mut profile in profiles {
        let name = profile.next().expect("a line begins with a name");
        let shown = text(&atmq(["demo", "--profile", name]).succeeds());
        let model = profile.next().expect("a model follows");
        assert!(
            shown.contains(&format!("Module {model},")),
            "{name}: {shown}"
        );
        assert!(
            shown.contains("All 4 messages came back"),
            "{name}: {shown}"
        );
    }
    let complaint = atmq(["demo", "--profile", "nt99"]).is_misused();
    assert!(complaint.contains("nt35e"), "{complaint}");
}

#[test]
fn as_json_every_line_is_an_object() {
    let events = events(&atmq(["demo", "--json"]).succeeds());
    let count = |event: &str| events.iter().filter(|e| e["event"] == event).count();
    assert!(count("bytes") > 40, "{events:?}");
    assert_eq!(count("message"), 4);
    let binary = |from: &str| {
        let mut bytes = events.iter().filter(|event| event["from"] == from);
        bytes.any(|event| event["text"].as_str().is_some_and(|t| t.contains(BINARY)))
    };
    assert!(binary("host") && binary("module"), "{events:?}");
    let summary = events.last().expect("there are events");
    assert_eq!(summary["event"], "summary");
    assert_eq!(summary["ok"], true);
    assert_eq!(summary["messages"], 4);
    assert!(summary["ms"].is_number());
}

#[test]
fn it_takes_another_broker() {
    let Some(mosquitto) = Mosquitto::start() else {
        return;
    };
    let address = mosquitto.address().to_string();
    let shown = text(&atmq(["demo", "--broker", &address]).succeeds());
    let place = format!("broker {address}, module /dev/");
    assert!(shown.starts_with(&place), "{shown}");
    assert!(shown.contains("All 4 messages came back"), "{shown}");
}

#[test]
fn a_broker_that_is_not_there_is_told_in_one_line() {
    for broker in [CLOSED_PORT, "broker.invalid:1883"] {
        let failed = atmq(["demo", "--broker", broker]).fails(3);
        let failed = failed.saying(&["open the link", broker]);
        assert!(!failed.stdout.contains("came back"), "{}", failed.stdout);
        // What was printed before it failed can still be read by a program.
        let failed = atmq(["demo", "--json", "--broker", broker]).fails(3);
        let events = events(failed.stdout.as_bytes());
        assert!(events.iter().all(|event| event["event"] == "bytes"));
    }
}

#[test]
fn what_is_no_broker_is_refused() {
    for broker in [
        "broker",
        ":1883",
        "broker:",
        "broker:x",
        "broker:0",
        "broker:65536",
    ] {
        let complaint = atmq(["demo", "--broker", broker]).is_misused();
        assert!(complaint.contains("--broker <HOST:PORT>"), "{complaint}");
    }
}

fn events(lines: &[u8]) -> Vec<Value> {
    let lines = text(lines);
    let events = lines.lines().map(|line| {
        let event = serde_json::from_str(line);
        event.unwrap_or_else(|error| panic!("{error}: {line}"))
    });
    events.collect()
}
