//! Words that change what surrounds the module: the control socket, `atmq control`.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::thread;

use atmq_tests::raw_mqtt::{Connect, RawClient};
use serde_json::Value;

use crate::harness::{Controlled, Finished, Running, Signal, argument, atmq, text};

#[test]
fn what_has_to_wait_for_a_sim_is_told_so() {
    let bench = Controlled::start(&[]);
    bench.says(&["sim", "out"]);
    let told = bench.says(&["registration", "roaming"]);
    assert_eq!(
        told,
        "ok registration roaming, once SIM and radio are ready"
    );
    assert_eq!(bench.answers("AT+CEREG?"), "+CEREG: 0,0\nOK\n");
    bench.says(&["sim", "in"]);
    let port = bench.module.port();
    let registered = [r"\+CEREG: (\d,)?5", "AT+CEREG=1", "AT+CEREG?"];
    atmq(["at", "--port", port, "--expect"])
        .args(registered)
        .succeeds();
}

#[test]
fn words_change_what_the_module_sees() {
    let bench = Controlled::start(&[]);
    assert_eq!(bench.answers("ATE0+CMEE=2"), "OK\n");
    for (words, answer, command, response) in [
        (
            &["sim", "out"][..],
            "ok sim out",
            "AT+CPIN?",
            "+CME ERROR: SIM not inserted\n",
        ),
        (
            &["sim", "in", "1234"],
            "ok sim in, SIM PIN",
            "AT+CPIN?",
            "+CPIN: SIM PIN\nOK\n",
        ),
        (
            &["sim in"],
            "ok sim in, READY",
            "AT+CPIN?",
            "+CPIN: READY\nOK\n",
        ),
        (
            &["signal", "12"],
            "ok signal 12,0",
            "AT+CSQ",
            "+CSQ: 12,0\nOK\n",
        ),
        (
            &["signal", "99", "99"],
            "ok signal 99,99",
            "AT+CSQ",
            "+CSQ: 99,99\nOK\n",
        ),
        (
            &["registration", "roaming"],
            "ok registration roaming",
            "AT+CEREG?",
            "+CEREG: 0,5\nOK\n",
        ),
        (
            &["registration", "denied"],
            "ok registration denied",
            "AT+CEREG?",
            "+CEREG: 0,3\nOK\n",
        ),
        (
            &["registration", "none"],
            "ok registration none",
            "AT+CEREG?",
            "+CEREG: 0,0\nOK\n",
        ),
        (
            &["registration", "home"],
            "ok registration home",
            "AT+CEREG=2;+CEREG?",
            "+CEREG: 2,1,\"0001\",\"00000001\",7\nOK\n",
        ),
        (
            &["cell", "6699", "1"],
            "ok cell 6699 1",
            "AT+CEREG?",
            "+CEREG: 2,1,\"1A2B\",\"00000001\",7\nOK\n",
        ),
        (
            &["operator", "26201", "My operator"],
            "ok operator 26201 My operator",
            "AT+COPS?",
            "+COPS: 0,0,\"My operator\",7\nOK\n",
        ),
        (
            &["time", "1795223107", "-20"],
            "ok the network tells its time, zone -20",
            "AT",
            "OK\n",
        ),
        (
            &["override", "AT+CSQ", "+CSQ: 5,0", "OK"],
            "ok the next +CSQ",
            "AT+CSQ",
            "+CSQ: 5,0\nOK\n",
        ),
        (
            &["override", "+CSQ", "+CME ERROR: 3"],
            "ok the next +CSQ",
            "AT+CSQ",
            "+CME ERROR: 3\n",
        ),
    ] {
        assert_eq!(bench.says(words), answer);
        assert_eq!(bench.answers(command), response, "{words:?}");
    }
    bench.says(&["time", "2026-11-21T09:05:07+08:00"]);
    assert!(
        bench
            .answers("AT+CCLK?")
            .starts_with("+CCLK: \"26/11/21,09:05:")
    );
}

#[test]
fn what_the_module_says_can_be_made_up_lost_or_late() {
    let bench = Controlled::start(&[]);
    assert_eq!(bench.answers("ATE0"), "OK\n");
    let mut host = bench.module.spawn("at", ["--expect", "hello", "AT"]);
    assert_eq!(host.line(), "OK");
    assert_eq!(bench.says(&["inject", "+X: \"hello\""]), "ok 11 bytes");
    assert_eq!(host.line(), "+X: \"hello\"");
    host.succeeds();
    bench.says(&["silence", "+CSQ"]);
    let mut lost = bench.module.atmq("at", ["--timeout", "1", "AT+CSQ"]);
    lost.assert().code(4);
    bench.says(&["delay", "+CSQ", "300"]);
    assert_eq!(
        bench.says(&["clear"]),
        "ok 1 forgotten, 1 of them never happened: delay +CSQ 300"
    );
    bench.says(&["power", "off"]);
    assert!(bench.says(&["status"]).starts_with("ok power=off "));
    bench.says(&["power", "on"]);
    bench.says(&["reboot"]);
    assert_eq!(
        bench.answers("AT+CSQ"),
        "AT+CSQ\n+CSQ: 29,0\nOK\n".replace("AT+CSQ\n", "")
    );
}

#[test]
fn links_are_cut_as_by_the_broker_and_what_is_sent_is_lost() {
    let bench = Controlled::start(&["--broker", "embedded"]);
    let mut other = RawClient::connect(bench.module.broker(), &Connect::new("other"));
    other.subscribe(&[("t", 0)]);
    let sub = bench.module.spawn("sub", ["-h", "b", "-t", "x"]);
    let mut client = bench.client();
    while !client.says("status").contains("connections=0:connected") {
        thread::yield_now();
    }
    let status: Value = serde_json::from_str(&client.says("status --json")).expect("it is JSON");
    assert_eq!(status["ok"], true);
    assert_eq!(status["connections"][0]["host"], "b");
    assert_eq!(status["connections"][0]["state"], "connected");
    assert_eq!(client.says("drop"), "ok dropped 0");
    sub.fails(3);
    assert!(client.says("status").contains("connections=none"));
    assert_eq!(client.says("drop"), "ok no connection is open");
    assert_eq!(client.says("drop 0"), "error connection 0 is not open");
    assert_eq!(
        client.says("drop 9"),
        "error connection 9 is not there: the module has 0 to 4"
    );
    assert_eq!(client.says("mute"), "ok what the module sends is lost");
    assert!(client.says("status").contains("muted=yes"));
    assert_eq!(client.says("unmute"), "ok what the module sends arrives");
    let publish = ["-h", "b", "-t", "t", "-m", "heard"];
    bench.module.atmq("pub", publish).succeeds();
    assert_eq!(other.expect_publish().payload, b"heard");
    assert!(client.says("status").contains("published=1"));
}

#[test]
fn wrong_words_are_answered_in_one_line() {
    let bench = Controlled::start(&[]);
    let mut client = bench.client();
    for (line, words) in [
        ("nonsense", &["unrecognized word 'nonsense'"][..]),
        ("singal 12", &["'singal'", "'signal'"]),
        ("signal", &["RSSI"]),
        ("signal 32", &["'32'", "0 to 31"]),
        ("signal 1 2 3", &["'3'"]),
        ("registration hom", &["'hom'", "home", "roaming"]),
        ("operator 1 X", &["5 to 6 digits"]),
        ("sim in 12ab", &["4 to 8 digits"]),
        ("sim", &["a word is missing: out, in"]),
        ("position 200 0", &["longitude"]),
        ("time yesterday", &["now", "seconds since 1970"]),
        ("inject a\\\\q", &["after \\ comes"]),
        ("inject \"x", &["not ended"]),
        ("override +CSQ maybe", &["final result code", "maybe"]),
        ("delay +CSQ long", &["milliseconds"]),
        ("status --yaml", &["--yaml"]),
    ] {
        let answer = client.says(line);
        assert!(answer.starts_with("error "), "{line}: {answer}");
        for word in words {
            assert!(answer.contains(word), "{line}: no `{word}` in {answer}");
        }
    }
    let json: Value = serde_json::from_str(&client.says("nonsense --json")).expect("it is JSON");
    assert_eq!(json["ok"], false);
    // Lines with nothing on them are not answered.
    assert_eq!(client.says("\n \n# a comment\nsignal 3"), "ok signal 3,0");
    let help = client.says("help");
    for word in [
        "sim out",
        "signal RSSI [BER]",
        "registration home|roaming|searching|denied|none",
    ] {
        assert!(help.contains(word), "{help}");
    }
}

#[test]
fn hostile_input_is_bounded_and_harms_nobody_else() {
    let bench = Controlled::start(&[]);
    let mut well_behaved = bench.client();
    let mut hostile = bench.client();
    let flood = vec![b'x'; 1024 * 1024];
    hostile.0.get_mut().write_all(&flood).expect("it is read");
    assert!(
        hostile
            .says("")
            .starts_with("error a line is UTF-8, and at most")
    );
    hostile
        .0
        .get_mut()
        .write_all(b"signal \xff\n")
        .expect("it is read");
    assert!(hostile.hears().starts_with("error a line is UTF-8"));
    assert_eq!(hostile.says("signal 4"), "ok signal 4,0");
    // Half a line is no line until its end.
    hostile
        .0
        .get_mut()
        .write_all(b"signal 31")
        .expect("it is read");
    assert_eq!(well_behaved.says("signal 5"), "ok signal 5,0");
    assert_eq!(bench.answers("ATE0+CSQ"), "+CSQ: 5,0\nOK\n");
    let mut crowd: Vec<_> = (0..14).map(|_| bench.client()).collect();
    for client in &mut crowd {
        assert!(client.says("status").starts_with("ok "));
    }
    let mut too_many = bench.client();
    assert_eq!(too_many.hears(), "error 16 programs are connected");
    drop(crowd);
    assert_eq!(well_behaved.says("signal 6"), "ok signal 6,0");
}

#[test]
fn three_programs_talk_at_once() {
    let bench = Controlled::start(&[]);
    let talk = |number: usize| {
        let mut client = bench.client();
        move || {
            for rssi in (0..31).cycle().take(200) {
                let answer = client.says(&format!("signal {rssi} {number}"));
                assert_eq!(answer, format!("ok signal {rssi},{number}"));
            }
        }
    };
    let talkers: Vec<_> = (1..=3).map(talk).map(thread::spawn).collect();
    for talker in talkers {
        talker.join().expect("every answer was its own");
    }
}

#[test]
fn a_script_is_answered_line_by_line_and_fails_in_the_end() {
    let bench = Controlled::start(&[]);
    let mut script = bench.control(&[]);
    let output = script
        .write_stdin("signal 7\n\n# nothing\nnonsense\nsim out")
        .fails(1);
    let lines: Vec<_> = output.stdout.lines().collect();
    assert_eq!(lines[0], "ok signal 7,0");
    assert!(lines[1].starts_with("error "), "{lines:?}");
    assert_eq!(lines[2], "ok sim out");
    output.saying(&["refuses 1 of 3 lines"]);
    let mut script = bench.control(&["--json"]);
    let told = text(
        &script
            .write_stdin("# nothing\nsignal 8 --json\n")
            .succeeds(),
    );
    let told: Value = serde_json::from_str(&told).expect("a line of JSON");
    assert_eq!(told["ok"], true);
    bench
        .control(&["signal", "77"])
        .fails(1)
        .without_output()
        .saying(&["'77'"]);
    bench
        .control(&["inject", "a\nb"])
        .fails(2)
        .without_output()
        .saying(&["line end"]);
}

#[test]
fn quit_ends_the_program_and_leaves_nothing_behind() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let socket = directory.path().join("control");
    let link = directory.path().join("module");
    let start = || {
        let arguments = [
            "emulate",
            "--control",
            &argument(&socket),
            "--link",
            &argument(&link),
        ];
        let mut running = Running::start(arguments);
        let ready = running.line();
        assert!(
            ready.ends_with(&format!(" control={}", argument(&socket))),
            "{ready}"
        );
        running
    };
    let running = start();
    let metadata = fs::symlink_metadata(&socket).expect("it is there");
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.mode() & 0o777, 0o600);
    let output = atmq(["control", &argument(&socket), "quit"]).succeeds();
    assert_eq!(text(&output), "ok ends\n");
    running.succeeds();
    assert_eq!(
        fs::read_dir(directory.path()).expect("it is there").count(),
        0
    );
    let running = start();
    running.signal(Signal::TERM);
    running.succeeds();
    assert_eq!(
        fs::read_dir(directory.path()).expect("it is there").count(),
        0
    );
    atmq(["control", &argument(&socket), "status"])
        .fails(3)
        .without_output()
        .saying(&["cannot connect to", "atmq emulate --control"]);
}

#[test]
fn a_socket_left_behind_is_replaced_and_nothing_else_is() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let socket = directory.path().join("control");
    drop(UnixListener::bind(&socket).expect("it can be made"));
    let path = argument(&socket);
    let mut first = Running::start(["emulate", "--control", &path]);
    first.line();
    let link = argument(&directory.path().join("module"));
    let mut second = atmq(["emulate", "--link", &link, "--control", &path]);
    second
        .fails(3)
        .without_output()
        .saying(&["cannot make the control socket", "listens there"]);
    let file = directory.path().join("file");
    fs::write(&file, "precious").expect("a file can be written");
    let long = argument(&directory.path().join("x".repeat(120)));
    let missing = argument(&directory.path().join("no/control"));
    for (path, hint) in [
        (&argument(&file), "choose another path"),
        (&long, "choose a shorter path"),
        (&missing, "does its directory exist"),
    ] {
        atmq(["emulate", "--link", &link, "--control", path])
            .fails(3)
            .without_output()
            .saying(&["cannot make the control socket", path, hint]);
    }
    assert_eq!(fs::read(&file).expect("it is there"), b"precious");
    assert!(!Path::new(&link).exists(), "the link is left behind");
    assert_eq!(
        text(&atmq(["control", &path, "signal 1"]).succeeds()),
        "ok signal 1,0\n"
    );
}

#[test]
fn the_end_of_a_client_in_the_middle_of_a_line_is_the_end_of_it() {
    let bench = Controlled::start(&[]);
    let mut client = bench.client();
    client
        .0
        .get_mut()
        .write_all(b"signal 11")
        .expect("it is read");
    client.says_no_more();
    let mut rest = String::new();
    client.0.read_to_string(&mut rest).expect("it is text");
    assert_eq!(rest, "ok signal 11,0\n");
}
