//! `atmq at`

use std::cell::Cell;
use std::net::TcpListener;

use atmq_tests::mosquitto::{Mosquitto, free_port};
use atmq_tests::raw_mqtt::{Connect, Publish, RawClient};
use atmq_tests::transcript::{Step, Transcript};

use crate::harness::{CLOSED_PORT, Emulator, Finished, atmq, text};

/// A name that the module's map leads to the broker.
const OPEN: &str = r#"AT+LMQTTOPEN=0,"broker.example",1883"#;
const CONNECT: &str = r#"AT+LMQTTCONN=0,"module""#;

/// The host and the topic of the transcript `alibaba`.
const CLOUD: &str = "a1B2c3D4e5F.iot-as-mqtt.cn-shanghai.aliyuncs.com";
const TOPIC: &str = "/a1B2c3D4e5F/dev001/user/COMMUTEST";

/// Each command of a transcript, with the lines that come back, without its echo.
fn exchanges(transcript: &Transcript) -> Vec<(String, Vec<String>)> {
    let mut exchanges: Vec<(String, Vec<String>)> = Vec::new();
    for (_, step) in &transcript.steps {
        match step {
            Step::Host(bytes) => exchanges.push((text(bytes).trim_end().to_owned(), Vec::new())),
            Step::Module(bytes) => {
                let (command, lines) = exchanges.last_mut().expect("the host begins");
                let answer = text(bytes).replace('\r', "\n");
                let said = answer.split('\n').filter(|line| !line.is_empty());
                lines.extend(said.filter(|line| line != command).map(Into::into));
            }
            Step::Broker(_) | Step::World(_) => panic!("nothing else happens here: {step:?}"),
        }
    }
    exchanges
}

#[test]
fn the_session_of_the_reference_typed_command_by_command() {
    let Some(mosquitto) = Mosquitto::start() else {
        return;
    };
    let module = Emulator::start([format!("--map={CLOUD}={}", mosquitto.address())]);
    let mut other = RawClient::connect(mosquitto.address(), &Connect::new("other"));
    other.subscribe(&[(TOPIC, 1)]);
    for (command, lines) in exchanges(&Transcript::load("lmqtt", "alibaba")) {
        // The module gets its own message back, which is no part of the command's outcome.
        let last = regex::escape(lines.last().expect("every command is answered"));
        let typed = module.atmq("at", ["--expect", &last, &command]).succeeds();
        assert_eq!(text(&typed).lines().collect::<Vec<_>>(), lines);
    }
    assert_eq!(other.expect_publish(), Publish::new(TOPIC, "1122334455"));
    // And the other way.
    let expect = ["--expect", "^\\+LMQTTURC: RECV,.*,from outside$", "AT"];
    let mut waiting = module.spawn("at", expect);
    assert_eq!(waiting.line(), "OK");
    other.send(Publish::new(TOPIC, "from outside").bytes());
    let received = format!("+LMQTTURC: RECV,0,0,\"{TOPIC}\",from outside\n");
    assert_eq!(text(&waiting.succeeds()), received);
}

#[test]
fn the_session_of_the_reference_in_one_call() {
    let Some(mosquitto) = Mosquitto::start() else {
        return;
    };
    let module = Emulator::start([format!("--map={CLOUD}={}", mosquitto.address())]);
    let session = exchanges(&Transcript::load("lmqtt", "alibaba"));
    let (commands, lines): (Vec<_>, Vec<_>) = session.into_iter().unzip();
    let mut arguments = vec!["--expect".to_owned(), "RECV,.*1122334455$".to_owned()];
    arguments.extend(commands);
    let typed = text(&module.atmq("at", arguments).succeeds());
    assert_eq!(typed.lines().collect::<Vec<_>>(), lines.concat());
}

#[test]
fn answers_are_printed_without_echo() {
    let module = Emulator::start(["--profile=nt35e"]);
    let typed = module
        .atmq("at", ["AT", "ATI", "ATE0", "AT+CMEE?"])
        .succeeds();
    assert_eq!(text(&typed), "OK\nNT35E\nOK\nOK\n+CMEE: 0\nOK\n");
}

#[test]
fn the_first_refused_command_is_the_last() {
    let module = Emulator::start(["--profile=nt35e"]);
    let failed = module.atmq("at", ["AT", "AT+NOSUCH", "ATI"]).fails(1);
    let failed = failed.saying(&["AT+NOSUCH", "ERROR"]);
    assert_eq!(failed.stdout, "OK\nERROR\n");
    let failed = module.atmq("at", ["AT+CMEE=1", CONNECT, "ATI"]).fails(1);
    let failed = failed.saying(&[CONNECT, "+CME ERROR: 3"]);
    assert_eq!(failed.stdout, "OK\n+CME ERROR: 3\n");
}

#[test]
fn an_outcome_that_is_no_success_ends_with_1() {
    let module = Emulator::start([format!("--map=*={CLOSED_PORT}")]);
    let failed = module.atmq("at", [OPEN, "ATI"]).fails(1);
    let failed = failed.saying(&[OPEN, "+LMQTTOPEN: 0,-1,5"]);
    assert_eq!(failed.stdout, "OK\n+LMQTTOPEN: 0,-1,5\n");
    let module = Emulator::start(["--profile=nt35e"]);
    let unknown = OPEN.replace("broker.example", "broker.invalid");
    let failed = module.atmq("at", [unknown]).fails(1);
    assert_eq!(failed.stdout, "OK\n+LMQTTOPEN: 0,-1,4\n");
}

#[test]
fn a_broker_that_refuses_ends_with_1() {
    let port = Cell::new(0);
    let closed = |_: &_| {
        port.set(free_port());
        format!("listener {} 127.0.0.1\nallow_anonymous false", port.get())
    };
    let Some(_mosquitto) = Mosquitto::start_with(closed) else {
        return;
    };
    let module = Emulator::start([format!("--map=*=127.0.0.1:{}", port.get())]);
    let failed = module.atmq("at", [OPEN, CONNECT]).fails(1);
    let failed = failed.saying(&[CONNECT, "+LMQTTCONN: 0,0,5"]);
    let lines = "OK\n+LMQTTOPEN: 0,0\nOK\n+LMQTTCONN: 0,0,5\n";
    assert_eq!(failed.stdout, lines);
}

#[test]
fn the_argument_behind_a_command_with_a_prompt_is_its_data() {
    let module = Emulator::with_broker();
    let mut other = RawClient::connect(module.broker(), &Connect::new("other"));
    other.subscribe(&[("up", 2)]);
    let data = "\"a\",\r\nOK\r\n> ERROR\x1a\x1b";
    let publish = format!("AT+LMQTTPUB=0,1,1,0,\"up\",{}", data.len());
    let typed = module
        .atmq("at", [OPEN, CONNECT, &publish, data, "AT"])
        .succeeds();
    let outcomes = "OK\n+LMQTTOPEN: 0,0\nOK\n+LMQTTCONN: 0,0,0\nOK\n+LMQTTPUB: 0,1,0\nOK\n";
    assert_eq!(text(&typed), outcomes);
    assert_eq!(other.accept_publish().payload, data.as_bytes());
}

#[test]
fn data_of_another_length_than_announced_is_not_sent() {
    let module = Emulator::with_broker();
    let publish = "AT+LMQTTPUB=0,1,1,0,\"up\",5";
    for data in [&[][..], &["four"], &["sixsix"]] {
        let mut typed = module.atmq("at", [OPEN, CONNECT, publish]);
        let failed = typed.args(data).fails(2);
        let given = format!("{} are given", data.first().map_or(0, |data| data.len()));
        failed
            .without_output()
            .saying(&[publish, "5 bytes", &given]);
    }
}

#[test]
fn what_is_no_command_line_is_not_sent() {
    let module = Emulator::start(["--profile=nt35e"]);
    for wrong in ["", "hello", "+CSQ", "AT\rAT+CFUN=0", "AT\n", "AT+CSQ\x1b"] {
        let failed = module.atmq("at", ["ATE0", wrong]).fails(2);
        failed.without_output().saying(&["command line"]);
    }
}

#[test]
fn a_counted_payload_is_not_taken_for_an_answer() {
    let module = Emulator::with_broker();
    let data = "a\r\nERROR\r\n+CME ERROR: 3\r\nz";
    let publish = format!("AT+LMQTTPUB=0,0,0,0,\"t\",{}", data.len());
    let received = format!("+LMQTTURC: RECV,0,0,\"t\",{},{data}\n", data.len());
    let typed = module
        .atmq(
            "at",
            [
                "--expect",
                "^\\+LMQTTURC: RECV,0,0,",
                "AT+LMQTTCFG=\"recv/mode\",0,0,1",
                OPEN,
                CONNECT,
                "AT+LMQTTSUBUNSUB=0,0,1,\"t\",0",
                &publish,
                data,
            ],
        )
        .succeeds();
    let typed = text(&typed);
    assert!(typed.ends_with(&received), "{typed}");
}

#[test]
fn a_line_that_does_not_come_ends_with_4() {
    let module = Emulator::start(["--profile=nt35e"]);
    let mut typed = module.atmq("at", ["--expect", "never", "--timeout", "0.1", "AT"]);
    let failed = typed.fails(4).saying(&["--expect", "0.1 s", "--timeout"]);
    assert_eq!(failed.stdout, "OK\n");
}

#[test]
fn a_module_that_says_nothing_ends_with_4() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
    let address = silent.local_addr().expect("it is bound");
    let port = format!("tcp://{address}");
    let failed = atmq(["at", "--port", &port, "--timeout", "0.1", "AT"]).fails(4);
    failed.without_output().saying(&["AT", "did not answer"]);
}

#[test]
fn a_port_that_cannot_be_opened_ends_with_3() {
    let closed = format!("tcp://{CLOSED_PORT}");
    for (port, hint) in [
        ("/nonexistent/module", "atmq emulate --link"),
        (&*closed, "--listen"),
        ("tcp://host.invalid:1", "--listen"),
    ] {
        let failed = atmq(["at", "--port", port, "AT"]).fails(3);
        let name = port.trim_start_matches("tcp://");
        failed.without_output().saying(&[name, hint]);
    }
    for port in [
        "tcp://",
        "tcp://host",
        "tcp://host:x",
        "tcp://:1",
        "tcp://host:65536",
        "tcp://host:0",
    ] {
        let complaint = atmq(["at", "--port", port, "AT"]).is_misused();
        assert!(complaint.contains("write HOST:PORT"), "{complaint}");
    }
}

#[test]
fn what_is_no_pattern_or_time_is_refused() {
    for option in [
        "--expect=(",
        "--timeout=-1",
        "--timeout=soon",
        "--timeout=nan",
        "--timeout=1e18",
    ] {
        atmq(["at", "--port", "p", option, "AT"]).is_misused();
    }
}

#[test]
fn a_password_is_not_repeated_in_a_complaint() {
    let module = Emulator::start(["--profile=nt35e"]);
    for (command, shown) in [
        (
            "AT+LMQTTCONN=0,\"id\",\"user\",\"s3cret\"",
            "AT+LMQTTCONN=0,\"id\",\"user\",\"***\"",
        ),
        (
            "AT+LMQTTCONN=0,\"id\",\"user\",\"s3cret",
            "AT+LMQTTCONN=0,\"id\",\"user\",\"***",
        ),
        (
            "AT+LMQTTCONN?0,\"id\",\"user\",\"s3cret\"",
            "AT+LMQTTCONN?0,\"id\",\"user\",\"***\"",
        ),
        ("AT+CPIM=\"s3cret\"", "AT+CPIM=\"***\""),
        ("AT+CPIN:\"s3cret\"", "AT+CPIN:\"***\""),
        ("AT+CPIN:\"s3cret\rs3cret\"", "`AT+CPIN:\"***`"),
        (
            "AT+LMQTTCONN=0,\"id\",\"user\",\"s3cret\r\"",
            "`AT+LMQTTCONN`",
        ),
        (
            "AT+LMQTTCFG=\"aliauth\",9,\"k\",\"d\",\"s3cret\"",
            "AT+LMQTTCFG=\"aliauth\",9,\"k\",\"d\",\"***\"",
        ),
    ] {
        let mut typed = module.atmq("at", [command]);
        let code = if command.contains('\r') { 2 } else { 1 };
        let failed = typed.fails(code).saying(&[shown]);
        assert!(!failed.line.contains("s3cret"), "{}", failed.line);
    }
}

/// A session as a script.
const SCRIPT: &str = r#"
# A message to ourselves.
AT+LMQTTCFG="recv/mode",0,0,1
AT+LMQTTOPEN=0,"broker.example",1883
AT+LMQTTCONN=0,"module"
AT+LMQTTSUBUNSUB=0,0,1,"t",0
AT+LMQTTPUB=0,0,0,0,"t",6
>  a\x00\r\nz
@expect ^\+LMQTTURC: RECV,0,0,"t",6,
@wait 0.01
AT
"#;

#[test]
fn a_script_is_read_from_standard_input() {
    let module = Emulator::with_broker();
    for arguments in [&[][..], &["-"]] {
        let typed = module.atmq("at", arguments).write_stdin(SCRIPT).succeeds();
        let lines = "OK\nOK\n+LMQTTOPEN: 0,0\nOK\n+LMQTTCONN: 0,0,0\nOK\n+LMQTTSUBUNSUB: 0,1,0,1\n\
                     OK\n+LMQTTPUB: 0,0,0\n+LMQTTURC: RECV,0,0,\"t\",6, a\0\r\nz\nOK\n";
        assert_eq!(text(&typed), lines);
        module.atmq("at", ["AT+LMQTTCLOSE=0"]).succeeds();
    }
    let quoted = SCRIPT.replace('\n', "\r\n");
    module.atmq("at", ["-"]).write_stdin(quoted).succeeds();
}

#[test]
fn a_script_that_is_wrong_sends_nothing() {
    let module = Emulator::start(["--profile=nt35e"]);
    for (script, words) in [
        ("", &["no command"][..]),
        ("# nothing\n\n", &["no command"]),
        (
            "AT\n@nosuch 1\n",
            &["line 2", "`@nosuch`", "@expect and @wait"],
        ),
        ("AT\n@expect (\n", &["line 2"]),
        ("AT\n@wait soon\n", &["line 2", "`soon`"]),
        ("AT\n> data\n", &["line 2", "asks for data"]),
        (
            "AT+LMQTTPUB=0,0,0,0,\"t\",3\n> \\q\n",
            &["line 2", "no escape"],
        ),
        (
            "AT+LMQTTPUB=0,0,0,0,\"t\",3\n> four\n",
            &["3 bytes", "4 are given"],
        ),
        (
            "AT+LMQTTPUB=0,0,0,0,\"t\",3\nAT\n",
            &["3 bytes", "0 are given"],
        ),
        ("AT\nhello\n", &["command line"]),
    ] {
        let failed = module.atmq("at", [""; 0]).write_stdin(script).fails(2);
        failed.without_output().saying(words);
    }
    let failed = module
        .atmq("at", ["-"])
        .write_stdin(&b"AT\n\xff\n"[..])
        .fails(2);
    failed.without_output().saying(&["line 2", "no text"]);
}

#[test]
fn lines_are_json_whatever_they_hold() {
    let module = Emulator::with_broker();
    let data = "a\"\\\u{1}";
    let publish = format!("AT+LMQTTPUB=0,0,0,0,\"t\",{}", data.len());
    let subscribe = "AT+LMQTTSUBUNSUB=0,0,1,\"t\",0";
    let expect = [
        "--json",
        "--explain",
        "--expect",
        "RECV,.*",
        OPEN,
        CONNECT,
        subscribe,
    ];
    let mut typed = module.atmq("at", expect);
    let typed = text(&typed.args([&*publish, data]).succeeds());
    let lines: Vec<serde_json::Value> = typed
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"))
        .collect();
    let of = |kind: &str| {
        let lines = lines.iter().filter(|line| line["kind"] == kind);
        lines.map(|line| line["text"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(of("command"), [OPEN, CONNECT, subscribe, &publish]);
    assert_eq!(of("data"), [data]);
    assert_eq!(of("prompt"), [">"]);
    let received = format!("+LMQTTURC: RECV,0,0,\"t\",{data}");
    assert!(of("line").iter().any(|line| *line == *received), "{typed}");
    let times: Vec<_> = lines.iter().map(|line| line["ms"].as_f64()).collect();
    assert!(times.is_sorted() && times[0] >= Some(0.0), "{times:?}");
    let opened = lines.iter().find(|line| line["text"] == "+LMQTTOPEN: 0,0");
    let meaning = opened.map(|line| line["meaning"].to_string());
    assert!(
        meaning.is_some_and(|meaning| meaning.contains("is open")),
        "{typed}"
    );
    // What is no text is given in hexadecimal digits.
    let mut other = RawClient::connect(module.broker(), &Connect::new("other"));
    let mut waiting = module.spawn("at", ["--json", "--expect", "RECV", "AT"]);
    assert!(waiting.line().contains("\"text\":\"AT\""));
    assert!(waiting.line().contains("\"text\":\"OK\""));
    other.send(Publish::new("t", &b"\xff\x00"[..]).bytes());
    let line: serde_json::Value = serde_json::from_str(&waiting.line()).expect("it is JSON");
    assert_eq!(
        line["hex"],
        "2B4C4D5154545552433A20524543562C302C302C2274222CFF00"
    );
    waiting.succeeds();
}

#[test]
fn secrets_are_neither_in_json_nor_in_complaints() {
    let module = Emulator::start(["--profile=nt35e"]);
    for command in [
        "AT+LMQTTCONN=0,\"id\",\"user\",\"s3cret\"",
        "AT+LMQTTCON=0,\"id\",\"user\",\"s3cret\"",
        "AT+CPIN=\"s3cret\"",
    ] {
        let failed = module.atmq("at", ["--json", command]).fails(1);
        assert!(!failed.line.contains("s3cret"), "{}", failed.line);
        assert!(failed.stdout.contains("***") && !failed.stdout.contains("s3cret"));
    }
    let device = "AT+LMQTTCFG=\"aliauth\",0,\"k\",\"d\",\"s3cret\"";
    let typed = module.atmq("at", ["--json", device, "AT+LMQTTCFG=\"aliauth\",0"]);
    let typed = text(&{ typed }.succeeds());
    assert!(!typed.contains("s3cret"), "{typed}");
}

#[test]
fn a_refused_command_need_not_be_the_last() {
    let module = Emulator::start(["--profile=nt35e"]);
    let commands = ["--keep-going", "AT+NOSUCH", "AT", "AT+LMQTTCLOSE=0", "ATI"];
    let failed = module.atmq("at", commands).fails(1);
    let failed = failed.saying(&["2 of 4 commands failed", "AT+NOSUCH", "AT+LMQTTCLOSE=0"]);
    assert_eq!(failed.stdout, "ERROR\nOK\nERROR\nNT35E\nOK\n");
    module.atmq("at", ["--keep-going", "AT", "ATI"]).succeeds();
}

#[test]
fn a_file_is_the_data_of_its_command() {
    let module = Emulator::start(["--profile=nt35e"]);
    let typed = module.atmq(
        "at",
        [
            "AT+LFUPL=\"ca\",3",
            "abc",
            "AT+LHTTPURL=13",
            "http://x.test",
        ],
    );
    assert_eq!(text(&{ typed }.succeeds()), "CONNECT\nOK\nCONNECT\nOK\n");
}

#[test]
fn a_private_key_is_not_printed_as_json() {
    let module = Emulator::start(["--profile=nt35e"]);
    let directory = tempfile::tempdir().expect("there is a temporary directory");
    let key = "-----BEGIN PRIVATE KEY-----\nMHcCAQEE\n-----END PRIVATE KEY-----\n";
    std::fs::write(directory.path().join("key.pem"), key).expect("it can be written");
    let script = format!("AT+LFUPL=\"key\",{}\n> @key.pem\nAT\n", key.len());
    let mut typed = module.atmq("at", ["--json", "-"]);
    let told = typed.current_dir(directory.path()).write_stdin(script);
    let told = text(&told.succeeds());
    assert!(!told.contains("MHcCAQEE"), "{told}");
    assert!(told.contains("***-----END PRIVATE KEY-----"), "{told}");
}

#[test]
fn each_line_can_be_explained() {
    let module = Emulator::start(["--profile=nt35e"]);
    let typed = module.atmq("at", ["--explain", "AT+CMEE?"]).succeeds();
    let lines = text(&typed);
    let lines: Vec<_> = lines.lines().collect();
    assert_eq!((lines[0], lines[2]), ("+CMEE: 0", "OK"));
    assert!(lines[1].starts_with("    Answer of AT+CMEE, which chooses how errors are reported"));
    assert!(lines[3].starts_with("    The module has taken AT+CMEE?"));
}
