//! `atmq doctor` and `atmq ports`

use std::net::TcpListener;

use serde_json::Value;

use crate::harness::{Emulator, Finished, argument, atmq, text};

/// What a check said.
#[track_caller]
fn check<'l>(lines: &'l [Value], name: &str) -> &'l Value {
    let found = lines.iter().find(|line| line["check"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {lines:?}"))
}

fn lines(output: &str) -> Vec<Value> {
    let lines = output.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect()
}

/// A module whose profile differs from the NT35E in this.
fn module_with(profile: &str) -> (Emulator, tempfile::TempDir) {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let file = directory.path().join("profile.toml");
    let profile = format!("base = \"nt35e\"\n{profile}");
    std::fs::write(&file, profile).expect("a file can be written");
    let file = file.to_str().expect("a path is text");
    let module = Emulator::start(["--broker", "embedded", "--profile", file]);
    (module, directory)
}

#[test]
fn a_module_that_works_is_found_to() {
    let module = Emulator::with_broker();
    let told = text(&module.atmq("doctor", ["-h", "broker.example"]).succeeds());
    for line in [
        "ok    port          ",
        "ok    module        NT35E",
        "ok    sim           the SIM is ready\n",
        "ok    signal        signal -",
        "ok    registration  registered at home",
        "ok    attach        attached",
        "ok    address       ",
        "ok    clock         ",
        "ok    mqtt          connected to broker.example:1883 in ",
    ] {
        assert!(told.contains(line), "no `{line}` in:\n{told}");
    }
    let told = text(&module.atmq("doctor", ["--json", "--wait", "30"]).succeeds());
    let told = lines(&told);
    assert_eq!(check(&told, "wait")["verdict"], "ok");
    assert_eq!(check(&told, "mqtt")["verdict"], "skip");
    let sum = told.last().expect("there is a sum");
    assert_eq!(
        (&sum["event"], &sum["failed"]),
        (&"summary".into(), &0.into())
    );
}

#[test]
fn the_access_point_is_set_while_the_module_is_waited_for() {
    let module = Emulator::with_broker();
    let mut told = module.atmq("doctor", ["--wait", "30", "--apn", "iot.test"]);
    let told = text(&told.succeeds());
    assert!(told.contains("the access point is iot.test\n"), "{told}");
    let told = text(&module.atmq("at", ["AT+CGDCONT?"]).succeeds());
    let context = "+CGDCONT: 1,\"IP\",\"iot.test\",\"10.0.0.2\",0,0";
    assert!(told.contains(context), "{told}");
}

#[test]
fn what_is_wrong_is_told_with_what_to_do() {
    for (profile, name, verdict, detail, hint) in [
        (
            "[start]\nsim = \"absent\"\n",
            "sim",
            "fail",
            "no SIM",
            "insert one",
        ),
        ("[start]\nrssi = 3\n", "signal", "warn", "weak", "antenna"),
        (
            "[start]\nregistration = \"denied\"\n",
            "registration",
            "fail",
            "denied by the network",
            "SIM contract",
        ),
    ] {
        let (module, _directory) = module_with(profile);
        let mut doctor = module.atmq("doctor", ["--json"]);
        let told = match verdict {
            "fail" => doctor.fails(1).stdout,
            _ => text(&doctor.succeeds()),
        };
        let told = lines(&told);
        let found = check(&told, name);
        assert_eq!(found["verdict"], verdict, "{found}");
        for (key, words) in [("detail", detail), ("hint", hint)] {
            let text = found[key].as_str().unwrap_or_default();
            assert!(text.contains(words), "no `{words}` in {found}");
        }
    }
}

/// What one module says in words another says in numbers, or in another form.
#[test]
fn an_answer_in_another_form_is_understood() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let socket = argument(&directory.path().join("control"));
    let module = Emulator::start(["--control", &socket]);
    for (command, answer, name, verdict, detail, hint) in [
        (
            "AT+CPIN?",
            &["+CME ERROR: SIM not inserted"][..],
            "sim",
            "fail",
            "no SIM",
            "insert one",
        ),
        (
            "AT+CPIN?",
            &["+CME ERROR: 14"],
            "sim",
            "fail",
            "the SIM is busy",
            "--wait",
        ),
        (
            "AT+CPIN?",
            &["+CME ERROR: SIM failure"],
            "sim",
            "fail",
            "does not work",
            "contacts",
        ),
        (
            "AT+CEREG?",
            &["+CEREG: 0,8", "OK"],
            "registration",
            "fail",
            "emergency calls alone",
            "is the SIM active",
        ),
        (
            "AT+CEREG?",
            &["+CEREG: 0,6", "OK"],
            "registration",
            "fail",
            "short messages alone",
            "have data",
        ),
        (
            "AT+CEREG?",
            &["+CME ERROR: operation not supported"],
            "registration",
            "ok",
            "registered at home",
            "",
        ),
        (
            "AT+CCLK?",
            &["+CCLK: \"80/01/06,00:00:12+00\"", "OK"],
            "clock",
            "warn",
            "the clock is not set (it shows 80/01/06,00:00:12+00): the network has not sent",
            "wait for the network",
        ),
        (
            "AT+CCLK?",
            &["+CCLK: \"26/01/01,02:45:00\"", "OK"],
            "clock",
            "warn",
            "2026-01-01T02:45:00Z if that is UTC",
            "TLS",
        ),
        (
            "AT+CMEE=1",
            &["+CME ERROR: SIM busy"],
            "port",
            "ok",
            "a module answers",
            "",
        ),
    ] {
        let mut control = atmq(["control", &socket, "override", command]);
        control.args(answer).succeeds();
        let told = module.atmq("doctor", ["--json"]).assert();
        let told = lines(&text(&told.get_output().stdout));
        let found = check(&told, name);
        assert_eq!(found["verdict"], verdict, "{answer:?}: {found}");
        for (key, words) in [("detail", detail), ("hint", hint)] {
            let text = found[key].as_str().unwrap_or_default();
            assert!(text.contains(words), "no `{words}` in {found}");
        }
    }
}

#[test]
fn the_rate_of_the_module_is_found() {
    let module = Emulator::start(["--set", "quirks.autobaud=false"]);
    let told = text(
        &module
            .atmq("doctor", ["--fresh", "--baud", "9600"])
            .succeeds(),
    );
    assert!(told.contains("a module answers at 115200 baud\n"), "{told}");
    let failed = module
        .atmq("sub", ["-t", "t", "--fresh", "--baud", "9600"])
        .fails(4);
    failed
        .without_output()
        .saying(&["does not answer", "--auto-baud"]);
}

#[test]
fn a_broker_that_cannot_be_reached_fails_the_last_check() {
    let module = Emulator::start(["--profile=nt35e"]);
    let failed = module.atmq("doctor", ["-h", "broker.invalid"]).fails(1);
    let told = "fail  mqtt          the module could not open the link to broker.invalid:1883";
    assert!(failed.stdout.contains(told), "{}", failed.stdout);
    failed.saying(&["1 check failed"]);
}

#[test]
fn a_port_without_a_module_ends_the_examination() {
    let failed = atmq(["doctor", "--port", "/nonexistent/module"]).fails(3);
    assert!(
        failed
            .stdout
            .starts_with("fail  port          cannot open /nonexistent/module")
    );
    failed.saying(&["no module to look at"]);
    let silent = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
    let address = silent.local_addr().expect("it is bound");
    let failed = atmq(["doctor", "--fresh", "--port", &format!("tcp://{address}")]).fails(4);
    assert!(
        failed.stdout.contains("does not answer"),
        "{}",
        failed.stdout
    );
}

#[test]
fn ports_are_listed_one_a_line() {
    let listed = atmq(["ports", "--json", "--quiet"]).succeeds();
    for line in lines(&text(&listed)) {
        let port = line["port"].as_str().expect("a port has a name");
        assert!(port.starts_with("/dev/"), "{line}");
    }
}
