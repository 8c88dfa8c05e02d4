//! `atmq emulate --lint=deny`: hosts that break a rule, and what is said of it.

use serde_json::Value;
use tempfile::tempdir;

use crate::harness::{Finished, argument, atmq, text};

/// A host that opens a connection and speaks MQTT on it.
const CONNECTED: &str = r#"
say 'AT+LMQTTOPEN=0,"h",1883\r'; hear OK; hear '+LMQTTOPEN: 0,0'
say 'AT+LMQTTCONN=0,"id"\r'; hear OK; hear '+LMQTTCONN: 0,0,0'
"#;

/// Runs a host, a shell script that can `say` bytes and wait until it can `hear` the beginning of
/// a line, and returns what the linter says of it.
#[track_caller]
fn judged(options: &[&str], host: &str, code: i32) -> String {
    let host = format!(
        r#"
        exec 3<>"$0"
        say() {{ printf "$1" >&3; }}
        hear() {{ while IFS= read -r line <&3; do case $line in "$1"*) return;; esac; done; exit 9; }}
        {host}
        "#
    );
    let begin = ["emulate", "--broker", "embedded", "--lint=deny"];
    let host = ["--", "sh", "-c", &host, "{port}"];
    let arguments = begin.iter().chain(options).chain(&host);
    let ended = atmq(arguments).assert().code(code);
    text(&ended.get_output().stderr)
}

#[track_caller]
fn has(told: &str, finding: &str) {
    assert!(told.contains(finding), "no `{finding}` in: {told}");
}

#[test]
fn a_wrong_length_is_refused_and_denied() {
    for (publish, what) in [
        (r#"6,"21.5""#, "the payload has 4 bytes, 6 were announced"),
        (
            r#"5,"21.5"#,
            "msg begins with a quote and does not end with one",
        ),
    ] {
        let host = format!(r#"{CONNECTED} say 'AT+LMQTTPUB=0,1,1,0,"t",{publish}\r'; hear ERROR"#);
        let told = judged(&["--instant"], &host, 1);
        has(&told, "error[payload-length-mismatch]: ");
        has(
            &told,
            &format!("{what}: AT+LMQTTPUB=0,1,1,0,\"t\",{publish} ("),
        );
    }
    let right = r#"say 'AT+LMQTTPUB=0,1,1,0,"t",15,"{"a":"b","c":1}"\r'; hear OK"#;
    let told = judged(&["--instant"], &format!("{CONNECTED} {right}"), 0);
    has(&told, "0 errors, 0 warnings");
}

#[test]
fn a_control_character_in_a_command_is_denied() {
    let host = r#"say 'AT+LMQTTPUB=0,1,1,0,"t",4,"21.55\010"\r'; hear OK"#;
    let told = judged(&["--instant"], &format!("{CONNECTED} {host}"), 1);
    has(&told, "warning[control-character-in-command]: ");
    has(
        &told,
        "1 character of a value taken back: AT+LMQTTPUB=0,1,1,0,\"t\",4,\"21.5\" (V.250",
    );
}

#[test]
fn a_message_id_that_the_broker_has_acknowledged_and_the_host_has_not_heard_of_is_denied() {
    let publish = r#"say 'AT+LMQTTPUB=0,5,1,0,"t",1,"a"\r'; hear OK"#;
    let told = judged(&[], &format!("{CONNECTED} {publish}; {publish}"), 1);
    has(&told, "error[message-id-in-flight]: ");
    let report = "hear '+LMQTTPUB: 0,5,0'";
    let awaited = format!("{CONNECTED} {publish}; {report}; {publish}; {report}");
    judged(&[], &awaited, 0);
}

#[test]
fn a_message_id_with_qos_0_is_a_note_where_the_library_of_the_module_gives_one() {
    let publish = r#"say 'AT+LMQTTPUB=0,5,0,0,"t",1,"a"\r'; hear OK"#;
    for (profile, severity, code) in [("nt26", "note", 0), ("nt35e", "warning", 1)] {
        let options = ["--instant", "--profile", profile];
        let told = judged(&options, &format!("{CONNECTED} {publish}"), code);
        has(&told, &format!("{severity}[message-id-with-qos-0]: "));
        has(
            &told,
            &format!("lint: 1 × {severity} message-id-with-qos-0"),
        );
    }
}

#[test]
fn a_finding_quotes_the_whole_command() {
    let host = "say 'AT+LMQTTCFG=?\\r'; say 'AT+'; say 'CGA'; say 'TT?\\r'; hear OK; hear +CGATT";
    let told = judged(&[], host, 1);
    has(&told, "error[command-before-final-result]: ");
    has(&told, ": AT+CGATT? (lmqtt.md 1.1)");
}

#[test]
fn a_url_for_a_host_name_is_denied_where_every_name_resolves() {
    for (host, what) in [
        ("mqtt://host", "it is a URL"),
        ("host:1883", "it holds a port"),
        ("host/x", "it holds a path"),
    ] {
        let open =
            format!("say 'AT+LMQTTOPEN=0,\"{host}\",1883\\r'; hear OK; hear '+LMQTTOPEN: 0,0'");
        let told = judged(&["--instant"], &open, 1);
        has(&told, "error[host-not-a-name]: ");
        has(&told, what);
    }
}

#[test]
fn a_command_that_was_taken_for_a_value_is_noted() {
    let host = r#"say 'AT+LMQTTPUB=0,1,1,0,"t",11,"21.5 AT+CSQ"\r'; hear OK"#;
    let told = judged(&["--instant"], &format!("{CONNECTED} {host}"), 0);
    has(&told, "note[command-in-data]: ");
}

#[test]
fn a_finding_stands_in_the_capture_where_it_was_found() {
    let directory = tempdir().unwrap();
    let capture = argument(&directory.path().join("session.pcapng"));
    // No result code is awaited before the next command.
    let host =
        r"say 'ATE0\r'; hear OK; say 'AT+CSQ\rAT+CGMM\r'; hear OK; hear OK; say 'AT\r'; hear OK";
    judged(&["--record", &capture], host, 1);
    let told = text(&atmq(["replay", "--json", &capture]).succeeds());
    let said = |line: &str| {
        let line: Value = serde_json::from_str(line).expect("a line of JSON");
        let text = line["text"].as_str().unwrap_or_default().to_owned();
        (line["kind"].as_str().unwrap_or_default().to_owned(), text)
    };
    let lines: Vec<_> = told.lines().map(said).collect();
    let place = |text: &str| lines.iter().position(|(_, said)| said == text);
    let finding = lines.iter().position(|(kind, _)| kind == "finding");
    let finding = finding.expect("the capture has the finding");
    assert!(
        place("AT+CSQ") < Some(finding) && Some(finding) < place("AT"),
        "{told}"
    );
    let (_, words) = &lines[finding];
    let begin = "error[command-before-final-result]: ";
    assert!(
        words.starts_with(begin) && words.contains(": AT+CGMM ("),
        "{words}"
    );
}

#[test]
fn a_mode_that_stands_apart_is_answered_by_how_to_write_it() {
    atmq(["emulate", "--lint", "deny", "--", "true"])
        .fails(2)
        .saying(&["'deny'", "write --lint=deny"]);
}
