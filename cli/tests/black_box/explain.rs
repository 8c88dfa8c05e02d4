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
