//! `atmq emulate … -- COMMAND`: a host that runs while the module does.

use assert_cmd::cargo::cargo_bin;
use tempfile::tempdir;

use crate::harness::{Finished, Running, Signal, argument, atmq, text};

/// A host of a module with a broker.
fn hosted(options: &[&str], host: &[&str]) -> Vec<String> {
    let begin = ["emulate", "--instant", "--broker", "embedded"];
    let all = begin.iter().chain(options).chain(&["--"]).chain(host);
    all.map(|word| (*word).to_owned()).collect()
}

/// A host that is a script.
fn script(options: &[&str], script: &str) -> Vec<String> {
    hosted(options, &["sh", "-c", script, "{port}", "{broker}"])
}

#[test]
fn a_host_is_told_where_the_module_and_its_broker_are() {
    let script = script(
        &[],
        r#"test -c "$0" && test "$0 $1" = "$ATMQ_PORT $ATMQ_BROKER" && echo "$1""#,
    );
    let broker = text(&atmq(script).succeeds());
    assert!(broker.starts_with("127.0.0.1:"), "{broker}");
}

#[test]
fn a_host_publishes_through_the_module_twice_in_one_directory() {
    let directory = tempdir().unwrap();
    let link = argument(&directory.path().join("module"));
    let program = argument(cargo_bin!("atmq"));
    for _ in 0..2 {
        let host = [
            &program, "pub", "--port", "{port}", "-h", "any", "-t", "t", "-m", "21.5",
        ];
        let hosted = hosted(&["--link", &link, "--lint=deny"], &host);
        atmq(hosted).assert().code(0);
        assert!(!directory.path().join("module").is_symlink());
    }
}

#[test]
fn the_hosts_exit_code_is_passed_on() {
    for (host, code, words) in [
        ("exit 7", 7, "ended with exit code 7"),
        ("kill -9 $$", 137, "was ended by signal 9"),
    ] {
        Running::start(script(&[], host))
            .fails(code)
            .saying(&["the host", words]);
    }
}

#[test]
fn what_the_linter_denies_fails_a_host_that_succeeds() {
    // No result code is awaited before the next command.
    let host = r#"exec 3<>"$0" && printf 'AT+CSQ\rAT+CSQ\r' >&3 && head -c 9 <&3 >/dev/null"#;
    let ended = atmq(script(&["--lint=deny"], host)).assert().code(1);
    let told = text(&ended.get_output().stderr);
    assert!(told.contains("the host breaks rules"), "{told}");
}

#[test]
fn a_signal_reaches_the_host_and_all_that_it_has_started() {
    let directory = tempdir().unwrap();
    let link = argument(&directory.path().join("module"));
    // The shell of the first one ends when its child has, which dies of the signal as well. Before it
    // is another program it has its parent's trap.
    for (signal, host) in [
        (
            Signal::TERM,
            "trap 'caught=9' TERM; sh -c 'echo started; exec sleep 100' & wait; wait; exit $caught",
        ),
        (
            Signal::INT,
            "trap 'exit 9' INT; echo started; while :; do sleep 0.1; done",
        ),
    ] {
        let mut module = Running::start(script(&["--link", &link], host));
        assert_eq!(module.line(), "started");
        module.signal(signal);
        module.fails(9).saying(&["the host"]);
        assert!(!directory.path().join("module").is_symlink());
    }
}

#[test]
fn what_cannot_be_run_is_refused() {
    for (arguments, code, words) in [
        (
            &["emulate", "--", "no-such-program"][..],
            3,
            &["cannot start the host no-such-program", "No such file"][..],
        ),
        (
            &["emulate", "--", "echo", "{broker}"],
            2,
            &["nothing that {broker} stands for", "--broker embedded"],
        ),
        (
            &["emulate", "--stdio", "--", "cat"],
            2,
            &["standard input and output are the host's", "--control"],
        ),
        (
            &["emulate", "--console", "--", "cat"],
            2,
            &["standard input and output are the host's"],
        ),
    ] {
        Running::start(arguments)
            .fails(code)
            .saying(words)
            .without_output();
    }
}

#[test]
fn a_host_over_tcp_may_outlive_its_connection() {
    let host = r#"test "${ATMQ_PORT#tcp://127.0.0.1:}" -gt 0 && exec "$2" at --port "$0" ATE0"#;
    let program = argument(cargo_bin!("atmq"));
    let arguments = hosted(
        &["--listen", "127.0.0.1:0", "--once"],
        &["sh", "-c", host, "{port}", "{broker}", &program],
    );
    assert_eq!(text(&atmq(arguments).succeeds()), "OK\n");
}

#[test]
fn with_json_standard_output_holds_nothing_else() {
    let output = atmq(script(&["--json", "--lint"], "echo from the host"))
        .assert()
        .code(0);
    let output = output.get_output();
    for line in text(&output.stdout).lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("a line of JSON");
    }
    let told = text(&output.stderr);
    assert!(told.contains("from the host\n"), "{told}");
}
