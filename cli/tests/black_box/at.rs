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
            Step::Broker(step) => panic!("the broker does nothing here: {step:?}"),
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
            "AT+LMQTTCONN=…",
        ),
        ("AT+LMQTTCONN=0,\"id\",\"user\",\"s3cret", "AT+LMQTTCONN=…"),
        (
            "AT+LMQTTCONN=0,\"id\",\"user\",\"s3cret\r\"",
            "\"AT+LMQTTCONN\"",
        ),
        (
            "AT+LMQTTCFG=\"aliauth\",9,\"k\",\"d\",\"s3cret\"",
            "AT+LMQTTCFG=…",
        ),
    ] {
        let mut typed = module.atmq("at", [command]);
        let code = if command.contains('\r') { 2 } else { 1 };
        let failed = typed.fails(code).saying(&[shown]);
        assert!(!failed.line.contains("s3cret"), "{}", failed.line);
    }
}
