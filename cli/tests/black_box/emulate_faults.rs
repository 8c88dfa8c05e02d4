//! Faults, latencies and waits by words: what is refused, when it happens, what is told at the end.

use std::time::{Duration, Instant};

use assert_cmd::cargo::cargo_bin;
use serde_json::Value;
use tempfile::tempdir;

use crate::harness::{
    Client, Controlled, Finished, PATIENCE, Running, Signal, argument, atmq, text,
};

#[test]
fn a_fault_that_cannot_happen_is_refused_and_every_spelling_of_others_is_taken() {
    let bench = Controlled::start(&[]);
    for (words, answer) in [
        (&["silence", "CSQ"][..], "ok the next +CSQ"),
        (&["silence", "at+csq"], "ok the next +CSQ"),
        (&["delay", "AT&F", "20"], "ok the next &F"),
        (&["lose-result", "ATE0"], "ok the next E0"),
        (&["silence", "AT"], "ok the next AT"),
        (&["silence", ""], "ok the next line"),
        (&["lose-urc", "LMQTTOPEN"], "ok the next +LMQTTOPEN"),
        (&["lose-urc", "creg: 1"], "ok the next +CREG: 1"),
        (&["override", "cops=0", "OK"], "ok the next +COPS=0"),
    ] {
        assert_eq!(bench.says(words), answer);
        let cleared = bench.says(&["clear"]);
        let never = "ok 1 forgotten, 1 of them never happened: ";
        assert!(cleared.starts_with(never), "{cleared}");
    }
    for (words, why) in [
        (&["delay", "CSQ", "0"][..], "this fault changes nothing"),
        (
            &["silence", "+CSK"],
            "this module has no command +CSK, but +CSQ",
        ),
        (
            &["override", "NOSUCH", "OK"],
            "this module has no command NOSUCH; AT+CLAC lists what it has",
        ),
        (
            &["delay", "LMQTTOPN", "20"],
            "this module has no command LMQTTOPN, but +LMQTTOPEN",
        ),
        (
            &["lose-urc", "LMQTTOPN"],
            "this module sends no URC LMQTTOPN, but +LMQTTOPEN",
        ),
        (&["lose-urc", "RING"], "this module sends no URC RING; it"),
        (&["lose-urc", "+CSQ"], "what it prints when it starts"),
    ] {
        let refused = bench.control(words).fails(1);
        refused.without_output().saying(&[why]);
    }
    assert_eq!(bench.says(&["faults"]), "ok no fault waits");
}

#[test]
fn a_fault_happens_at_every_nth_line_and_is_listed_with_what_is_left() {
    let bench = Controlled::start(&[]);
    assert_eq!(bench.answers("ATE0"), "OK\n");
    // What ends the answer ends with the last final result code.
    let words = [
        "override",
        "CSQ",
        "+CSQ: 5,0",
        "OK",
        "every",
        "2nd",
        "2",
        "times",
    ];
    assert_eq!(bench.says(&words), "ok +CSQ every 2nd 2 times");
    for (answer, left) in [
        ("+CSQ: 29,0\nOK\n", "every 2nd 2 times"),
        ("+CSQ: 5,0\nOK\n", "every 2nd once, happened 1 time"),
        ("+CSQ: 29,0\nOK\n", "every 2nd once, happened 1 time"),
    ] {
        assert_eq!(bench.answers("AT+CSQ"), answer);
        let list = bench.says(&["faults"]);
        assert_eq!(list, format!("ok override +CSQ … OK {left}"));
    }
    bench.says(&["lose-urc", "+CREG: 1", "always"]);
    bench.says(&["delay", "csq", "20ms", "after", "1h"]);
    let list: Value = serde_json::from_str(&bench.says(&["faults", "--json"])).expect("JSON");
    let faults = list["faults"].as_array().expect("it is a list");
    assert_eq!(faults.len(), 3);
    assert_eq!(faults[0]["happened"], 1);
    assert_eq!(faults[0]["left"], 1);
    assert_eq!(faults[0]["every"], 2);
    assert_eq!(faults[1]["effect"], "lose-urc");
    assert_eq!(faults[1]["on"], "+CREG: 1");
    assert_eq!(faults[1]["left"], Value::Null);
    assert!(faults[2]["after_ms"].as_f64() > Some(3_000_000.0));
    assert_eq!(bench.answers("AT+CSQ"), "+CSQ: 5,0\nOK\n");
    let cleared = bench.says(&["clear"]);
    let never =
        "ok 2 forgotten, 2 of them never happened: lose-urc '+CREG: 1' always; delay +CSQ 20";
    assert!(cleared.starts_with(never), "{cleared}");
}

#[test]
fn words_that_do_not_say_when_are_told_so_on_one_line() {
    let bench = Controlled::start(&[]);
    let mut client = bench.client();
    for (line, words) in [
        (
            "silence +CSQ sometimes",
            &["unexpected sometimes", "every NTH"][..],
        ),
        ("silence +CSQ every", &["every what?", "3rd"]),
        ("silence +CSQ after soon", &["after: soon is no time"]),
        ("silence +CSQ 5 days", &["5 what? write 5 times"]),
        ("lose-urc +CREG: 1", &["1 what?"]),
        ("delay +CSQ 20 always always", &["always says again"]),
        ("override +CSQ OK and again", &["unexpected and"]),
        ("override +CSQ every 3rd", &["final result code", "3rd"]),
        ("loss 101", &["101", "a whole number from 0 to 100"]),
        ("loss 5%", &["a whole number from 0 to 100"]),
        ("cell 1 0x10", &["a whole number from 0 to 268435455"]),
        ("time now 99", &["a whole number from -48 to 56"]),
        ("drop x", &["a whole number from 0 to 255"]),
        ("wait published x", &["a whole number of messages"]),
        ("inject ''", &["nothing to say"]),
        ("inject --raw ''", &["nothing to say"]),
        ("help nonsense", &["no word 'nonsense'"]),
        ("set latency.query_ms", &["KEY=VALUE"]),
        (
            "set start.sim=absent",
            &["start.sim cannot be changed", "latency.query_ms"],
        ),
        ("set latency.query_ms=[2,1]", &["ends before it begins"]),
        ("wait", &["a word is missing: registered, connected, "]),
        ("delay CSQ -1", &["unexpected argument '-1' found"]),
        ("wait conected", &["'conected'", "'connected'"]),
        ("wait connected 9", &["connection 9 is not there"]),
        ("wait registered --timeout soon", &["soon is no time"]),
    ] {
        let answer = client.says(line);
        assert!(answer.starts_with("error "), "{line}: {answer}");
        for word in words {
            assert!(answer.contains(word), "{line}: no `{word}` in {answer}");
        }
    }
    assert_eq!(client.says("faults"), "ok no fault waits");
    let help = client.says("help");
    for words in [
        "silence COMMAND [WHEN]",
        "delay COMMAND MILLISECONDS [WHEN]",
        "set KEY=VALUE",
        "wait connected [CONNECTION] [--timeout TIME]",
        "inject LINE [--raw]",
    ] {
        assert!(help.contains(words), "{words}: {help}");
    }
}

#[test]
fn faults_that_never_happened_are_told_at_the_end_and_denied() {
    let directory = tempdir().expect("a temporary directory can be made");
    let socket = argument(&directory.path().join("control"));
    let program = argument(cargo_bin!("atmq"));
    // The first happens, the second is forgotten, the others never happen.
    let host = r#"
        control() { "$program" control "$socket" "$@" >/dev/null || exit 9; }
        program=$0 socket=$1 port=$2
        control lose-result CSQ 2 times && control silence CGMI && control clear &&
        control lose-result CSQ 2 times && control silence CGMM every 3rd &&
        control lose-urc CREG after 1h || exit 9
        "$program" at --port "$port" --timeout 1 AT+CSQ 2>/dev/null; "$program" at --port "$port" AT
    "#;
    for (lint, code) in [("--lint", 0), ("--lint=deny", 1)] {
        for json in [false, true] {
            let mut arguments = vec!["emulate", "--instant", "--control", &socket, lint];
            arguments.extend(json.then_some("--json"));
            arguments.extend(["--", "sh", "-c", host, &program, &socket, "{port}"]);
            let ended = atmq(arguments).assert().code(code);
            let told = text(&ended.get_output().stderr);
            let printed = text(&ended.get_output().stdout);
            if json {
                let events = printed.lines().filter(|line| line.starts_with('{'));
                let events = events.map(|line| serde_json::from_str(line).expect("JSON"));
                let faults: Vec<Value> = events
                    .filter(|event: &Value| event["event"] == "fault")
                    .collect();
                assert_eq!(faults.len(), 3, "{printed}");
                assert_eq!(faults[0]["effect"], "lose-result");
                assert_eq!(faults[0]["happened"], 1);
                assert_eq!(faults[1]["effect"], "silence");
                assert_eq!(faults[1]["on"], "+CGMM");
                assert_eq!(faults[1]["happened"], 0);
            } else {
                let lines: Vec<_> = told.lines().filter(|line| line.contains("never")).collect();
                assert_eq!(
                    lines[0],
                    "atmq: this fault never happened: silence +CGMM every 3rd"
                );
                let second = "atmq: this fault never happened: lose-urc +CREG after 3";
                assert!(lines[1].starts_with(second), "{told}");
            }
            let denied = told.contains("atmq: 2 faults never happened; ");
            assert_eq!(denied, code == 1, "{told}");
        }
    }
}

#[test]
fn a_fault_that_happens_less_often_than_asked_is_told_and_denies_nothing() {
    let directory = tempdir().expect("there is room");
    let socket = argument(&directory.path().join("control"));
    let program = argument(&cargo_bin("atmq"));
    let host = r#"
        "$0" control "$1" override CSQ OK 3 times >/dev/null && "$0" at --port "$2" AT+CSQ
    "#;
    let mut arguments = vec!["emulate", "--instant", "--control", &socket, "--lint=deny"];
    arguments.extend(["--", "sh", "-c", host, &program, &socket, "{port}"]);
    let ended = atmq(arguments).assert().code(0);
    let told = text(&ended.get_output().stderr);
    let less = "atmq: this fault happened less often than asked: override +CSQ OK 2 times, happened 1 time";
    assert!(told.lines().any(|line| line == less), "{told}");
}

#[test]
fn a_wait_for_faults_returns_when_none_has_still_to_happen() {
    let bench = Controlled::start(&[]);
    assert_eq!(bench.says(&["wait", "faults"]), "ok faults");
    bench.says(&["override", "CSQ", "OK", "always"]);
    bench.says(&["override", "CGMM", "OK", "2", "times"]);
    let socket = argument(bench.socket());
    let waiting = Running::start(["control", &socket, "wait", "faults", "--timeout", "60"]);
    bench.answers("AT+CSQ");
    bench.answers("AT+CGMM");
    bench
        .control(&["wait", "faults", "--timeout", "0"])
        .fails(4)
        .without_output()
        .saying(&["not faults, still to happen: override +CGMM OK, happened 1 time"]);
    bench.answers("AT+CGMM");
    assert_eq!(text(&waiting.succeeds()), "ok faults\n");
}

#[test]
fn loss_and_latencies_that_are_changed_stand_in_the_capture() {
    let directory = tempdir().expect("there is room");
    let path = |name| argument(&directory.path().join(name));
    let [file, socket] = ["session.pcapng", "control"].map(path);
    let program = argument(&cargo_bin("atmq"));
    // The same again is no change. What is answered behind a change comes after it was recorded.
    let host = r#"
        control() { "$program" control "$socket" "$@" >/dev/null || exit 9; }
        program=$0 socket=$1
        control loss 30 && control set latency.query_ms=[7,9] &&
        control set 'latency.query_ms=[7, 9]' && control loss 0 && control status
    "#;
    let arguments = ["emulate", "--control", &socket, "--record", &file, "--"];
    let host = ["sh", "-c", host, &program, &socket];
    atmq(arguments.iter().chain(&host)).assert().code(0);
    let shown = text(&atmq(["replay", &file]).succeeds());
    let world: Vec<_> = shown
        .lines()
        .filter_map(|line| Some(line.split_once(" -- ")?.1))
        .collect();
    assert_eq!(
        world,
        [
            "loss: 30 %",
            "latency: latency.query_ms=[7, 9]",
            "loss: 0 %"
        ]
    );
}

#[test]
fn help_says_what_one_word_does() {
    let bench = Controlled::start(&[]);
    let help = bench.says(&["help", "override"]);
    assert!(
        help.starts_with("ok override COMMAND ANSWER [WHEN]: answer the next"),
        "{help}"
    );
    let help = bench.says(&["help", "sim"]);
    assert!(
        help.contains("sim out: ") && help.contains("sim in [PIN]"),
        "{help}"
    );
}

#[test]
fn a_wait_returns_when_the_module_is_so() {
    let bench = Controlled::start(&["--broker", "embedded"]);
    let socket = argument(bench.socket());
    let wait = |words: &[&str]| {
        let begin = ["control", &socket, "wait"];
        Running::start(begin.iter().chain(words))
    };
    assert_eq!(bench.says(&["wait", "registered"]), "ok registered");
    assert_eq!(bench.says(&["wait", "closed"]), "ok closed");
    let published = wait(&["published", "3", "--timeout", "60s"]);
    let received = wait(&["received", "--timeout", "60"]);
    let connected = wait(&["connected", "0", "--timeout", "1m"]);
    let sub = bench.module.spawn("sub", ["-h", "b", "-t", "t"]);
    assert_eq!(text(&connected.succeeds()), "ok connected 0\n");
    sub.signal(Signal::INT);
    bench.says(&["wait", "closed", "0", "--timeout", "60s"]);
    // It holds the port until it has ended.
    drop(sub);
    for _ in 0..3 {
        let publish = ["-h", "b", "-t", "t", "-m", "x"];
        bench.module.atmq("pub", publish).succeeds();
    }
    assert_eq!(text(&published.succeeds()), "ok published 3\n");
    let client = "AT+LMQTTOPEN=0,\"b\",1883\nAT+LMQTTCONN=0,\"id\"\nAT+LMQTTSUBUNSUB=0,0,1,\"t\",0\nAT+LMQTTPUB=0,0,0,0,\"t\",1,\"x\"\n";
    let mut host = bench.module.atmq("at", [""; 0]);
    host.write_stdin(client).assert().code(0);
    assert_eq!(text(&received.succeeds()), "ok received 1\n");
}

#[test]
fn a_wait_in_vain_ends_with_no_answer_in_time() {
    let bench = Controlled::start(&[]);
    let start = Instant::now();
    bench
        .control(&["wait", "connected", "--timeout", "200ms"])
        .fails(4)
        .without_output()
        .saying(&["timed out after 200ms: not connected, no connection is open"]);
    assert!(start.elapsed() >= Duration::from_millis(200));
    let failed = bench
        .control(&["wait published 2 --timeout 0 --json"])
        .fails(4)
        .saying(&["waited in vain"]);
    let answer: Value = serde_json::from_str(&failed.stdout).expect("it is JSON");
    assert_eq!(answer["ok"], false);
    assert_eq!(answer["timed_out"], true);
    bench
        .control(&[])
        .write_stdin("wait closed\nwait received --timeout 1ms\n")
        .fails(4)
        .saying(&["1 of 2 lines waited in vain"]);
    bench
        .control(&[])
        .write_stdin("nonsense\nwait received --timeout 1ms\n")
        .fails(1)
        .saying(&["refuses 2 of 2 lines"]);
}

#[test]
fn a_wait_ends_with_the_emulator() {
    let bench = Controlled::start(&[]);
    let socket = argument(bench.socket());
    let waiting = Running::start(["control", &socket, "wait", "connected", "--timeout", "1h"]);
    let mut client = bench.client();
    // With the first answer it goes on to the wait.
    client.sends("status\nwait connected --timeout 1h");
    assert!(client.hears().starts_with("ok "));
    // Others are answered meanwhile.
    let mut other = bench.client();
    assert!(other.says("status").starts_with("ok "));
    assert_eq!(other.says("quit"), "ok ends");
    assert_eq!(client.hears(), "");
    waiting.fails(3);
}

#[test]
fn who_waits_and_hangs_up_gives_up_the_place() {
    let bench = Controlled::start(&[]);
    for _ in 0..40 {
        // A place is free as soon as it is noticed.
        let deadline = Instant::now() + PATIENCE;
        let mut client = loop {
            let mut client = bench.client();
            if client.asks("status").starts_with("ok ") {
                break client;
            }
            assert!(Instant::now() < deadline, "no place is given up");
        };
        client.sends("wait connected --timeout 1h");
    }
    // Who only has no more to say is answered.
    let mut client: Client = bench.client();
    client.sends("wait connected --timeout 100ms");
    client.says_no_more();
    assert!(client.hears().starts_with("error timed out after 100ms"));
}

#[test]
fn latencies_and_loss_are_changed_while_the_module_runs() {
    let bench = Controlled::start(&[]);
    assert_eq!(bench.answers("ATE0"), "OK\n");
    let change = "latency.query_ms=[1500, 1500]";
    assert_eq!(bench.says(&["set", change]), format!("ok {change}"));
    let mut slow = bench.module.atmq("at", ["--timeout", "1", "AT+CSQ"]);
    slow.assert().code(4);
    bench.says(&["set", "latency.query_ms=[0,0]"]);
    bench.says(&["wait", "registered"]);
    assert!(bench.answers("AT+CSQ").ends_with("OK\n"));
    assert_eq!(
        bench.says(&["loss", "25"]),
        "ok 25 % of what the module sends is lost"
    );
    assert!(bench.says(&["status"]).contains(" loss=25 "));
    bench.says(&["loss", "0"]);
    assert!(bench.says(&["status"]).contains(" loss=0 "));
}
