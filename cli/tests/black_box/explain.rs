//! `atmq explain`

use crate::harness::{Finished, atmq, text};

fn explain(arguments: &[&str]) -> String {
    let mut command = vec!["explain"];
    command.extend(arguments);
    text(&atmq(command).succeeds())
}

#[test]
fn a_line_is_explained_with_its_source() {
    let told = explain(&["+LMQTTOPEN: 0,-1,4"]);
    let first = "Connection 0 could not be opened: the host name could not be resolved. ";
    assert!(told.starts_with(first), "{told}");
    assert!(told.ends_with("\n  source: reference lmqtt.md 1.4, documented\n"));
    // What stands at the end of a command's answer depends on the command.
    let told = explain(&["--to", "AT+LMQTTCONN?", "+LMQTTCONN: 0,2"]);
    assert!(told.contains("state 2: connecting"), "{told}");
}

#[test]
fn a_command_is_explained_parameter_by_parameter() {
    let told = explain(&["AT+LMQTTCFG=\"will\",0,1,1,0,\"t\",\"bye\""]);
    for line in [
        "  will_qos      1     its quality of service",
        "  will_msg      bye   its payload",
    ] {
        assert!(told.contains(line), "no `{line}` in: {told}");
    }
    let told = explain(&["AT+LMQTTCONN=0,\"id\",\"user\",\"s3cret\""]);
    assert!(told.contains("***") && !told.contains("s3cret"), "{told}");
}

#[test]
fn explanations_are_json_when_asked_for() {
    let told = explain(&["--json", "AT+LMQTTCONN=0,\"id\",\"user\",\"s3cret\""]);
    assert!(!told.contains("s3cret"), "{told}");
    let told: serde_json::Value = serde_json::from_str(&told).expect("it is JSON");
    assert_eq!(told["text"], "AT+LMQTTCONN=0,\"id\",\"user\",\"***\"");
    assert_eq!(told["source"], "reference lmqtt.md 1.5");
    assert_eq!(told["sure"], "documented");
    assert_eq!(told["values"][1]["name"], "clientID");
}

#[test]
fn a_log_is_explained_line_by_line() {
    let log = "AT+CGMM\nNT35E\nOK\nsomething else\n+CSQ: 99,99\n";
    let told = text(&atmq(["explain"]).write_stdin(log).succeeds());
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(lines[0], "AT+CGMM");
    assert_eq!(lines[1], "    AT+CGMM shows the model.");
    assert_eq!(lines[3], "    Answer of AT+CGMM, which shows the model.");
    assert_eq!(lines[6], "something else");
    assert_eq!(lines[7], "+CSQ: 99,99");
}

#[test]
fn what_is_unknown_is_said_to_be() {
    atmq(["explain", "hello"])
        .fails(2)
        .without_output()
        .saying(&["nothing is known of `hello`", "CME 30"]);
}

#[test]
fn an_unknown_number_is_an_error_wherever_it_stands() {
    for text in [
        "CME 9999",
        "STATS 77",
        "+CME ERROR: 9999",
        "+LMQTTOPEN: 0,-1,99",
    ] {
        for arguments in [&["explain", text][..], &["explain", "--json", text]] {
            let failed = atmq(arguments).fails(2).without_output();
            failed.saying(&["of which nothing is known", "It is "]);
        }
    }
    // In a log it is a line like others.
    let told = text(
        &atmq(["explain"])
            .write_stdin("+CME ERROR: 9999\n")
            .succeeds(),
    );
    assert!(told.contains("of which nothing is known"), "{told}");
}

#[test]
fn a_log_is_explained_whatever_stands_before_its_lines_and_whatever_its_bytes() {
    let log = b"[12:00:01.234] -> AT+CGMM\r\n[12:00:01.240] <- NT35E\n[12:00:01.241] <- OK\n\
        [12:00:02.000] -> AT+CMGS=\"1\"\n[12:00:02.010] <- > \n> AT+CSQ\n[12:00:03.000] <- OK\n\
        \xff\xfe\0+CSQ: 29,0\n12:00:01.5 TX: AT+CPIN=1234\n\xff\xfe\n";
    let told = atmq(["explain"]).write_stdin(&log[..]).succeeds();
    let told = String::from_utf8_lossy(&told).into_owned();
    let lines: Vec<_> = told.lines().collect();
    let prompt = "    The prompt: the module waits for data, exactly as many bytes as the command has announced.";
    for (line, meaning) in [
        ("[12:00:01.234] -> AT+CGMM", "    AT+CGMM shows the model."),
        (
            "[12:00:01.240] <- NT35E",
            "    Answer of AT+CGMM, which shows the model.",
        ),
        ("[12:00:01.241] <- OK", "    The module has taken AT+CGMM."),
        ("[12:00:02.010] <- > ", prompt),
        ("> AT+CSQ", prompt),
        ("[12:00:03.000] <- OK", "    The module has taken AT+CMGS."),
        (
            "12:00:01.5 TX: AT+CPIN=***",
            "    AT+CPIN shows whether the SIM can be used, or enters its PIN.",
        ),
    ] {
        let at = lines.iter().position(|shown| *shown == line);
        let at = at.unwrap_or_else(|| panic!("no `{line}` in {told}"));
        assert_eq!(lines[at + 1], meaning, "{line}");
    }
    assert!(told.contains("-55 dBm"), "{told}");
    let told = text(&atmq(["explain", "--json"]).write_stdin(&log[..]).succeeds());
    let noise = told.lines().last().expect("it has lines");
    assert_eq!(noise, r#"{"hex":"fffe"}"#);
    assert!(
        told.contains(r#""hex":"fffe002b4353513a2032392c30","meaning""#),
        "{told}"
    );
}

#[test]
fn what_the_demo_prints_is_explained() {
    let shown = atmq(["demo"]).succeeds();
    let told = text(&atmq(["explain"]).write_stdin(shown).succeeds());
    assert!(told.contains("\n    AT+CGMM shows the model.\n"), "{told}");
    assert!(told.contains("\n    The prompt: "), "{told}");
}

#[test]
fn what_is_mistyped_is_answered_by_what_may_be_meant() {
    for (text, meant) in [
        ("AT+LMQTOPEN=0,\"h\",1883", "did you mean AT+LMQTTOPEN?"),
        ("at+csq;+cregg?", "did you mean AT+CREG?"),
        ("linefeed-only", "did you mean line-feed-only?"),
        ("keep-alive", "did you mean keepalive?"),
        ("AT+XYZZY", "give a line as it stands on the wire"),
    ] {
        atmq(["explain", text]).fails(2).saying(&[meant]);
    }
}

#[test]
fn a_log_tells_what_is_wrong_with_a_command() {
    for (line, why) in [
        ("AT+LMQTTOPEN=0,\"h\"", "port is missing."),
        ("AT+LMQTTOPEN=9,\"h\",1883", "tcpconnectID: not within 0-4."),
        (
            "AT+LMQTTPUB=0,1,1,0,\"t\",6,\"21.5\"",
            "msg: the payload has 4 bytes, 6 were announced.",
        ),
    ] {
        let told = text(&atmq(["explain"]).write_stdin(line).succeeds());
        assert_eq!(told, format!("{line}\n    Not as it must be: {why}\n"));
    }
}
