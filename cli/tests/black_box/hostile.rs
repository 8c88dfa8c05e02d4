//! What a module, a broker or a file says is shown by a terminal and not executed.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::thread;

use atmq_tests::raw_mqtt::{Connect, Publish, RawClient};
use tempfile::tempdir;

use crate::harness::{AtTerminal, Emulator, Finished, atmq, text};

/// Clears the screen, in C0 and in C1, sets a title, and turns text around.
const HOSTILE: &str = "a\x1b[2J\u{9b}2J\x1b]0;t\x07\x7f\u{202e}b";

/// How it is shown.
const SHOWN: &str = r"a\x1b[2J\u{9b}2J\x1b]0;t\x07\x7f\u{202e}b";

/// A module that answers every command so; its port.
fn module(answer: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
    let port = format!("tcp://{}", listener.local_addr().expect("it is bound"));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut output = stream.try_clone().expect("it can be cloned");
            for _ in BufReader::new(stream).split(b'\r').flatten() {
                // A host that has gone hears nothing.
                let _ = output.write_all(answer.as_bytes());
            }
        }
    });
    port
}

#[test]
fn a_module_cannot_control_the_terminal() {
    let home = tempdir().expect("there is a temporary directory");
    let says = module(format!("\r\n+X: {HOSTILE}\r\n\r\nOK\r\n"));
    let refuses = module(format!("\r\n+CME ERROR: {HOSTILE}\r\n"));
    for (arguments, code) in [
        (&["at", "--port", &says, "AT+X"][..], 0),
        (&["at", "--explain", "--port", &refuses, "AT+X"], 1),
        (&["at", "--port", &refuses, "AT+X"], 1),
        (&["at", "--json", "--port", &refuses, "AT+X"], 1),
    ] {
        let mut terminal = AtTerminal::start(arguments, home.path());
        terminal.shows(SHOWN);
        terminal.ends(code);
    }
    // What it is called is a detail of the doctor's.
    let named = module(format!("\r\n{HOSTILE}\r\n\r\nOK\r\n"));
    AtTerminal::start(&["doctor", "--port", &named], home.path()).shows(SHOWN);
    // A program that reads gets the bytes as they are.
    let raw = atmq(["at", "--port", &says, "AT+X"]).succeeds();
    assert_eq!(text(&raw), format!("+X: {HOSTILE}\nOK\n"));
}

#[test]
fn a_broker_cannot_control_the_terminal() {
    let home = tempdir().expect("there is a temporary directory");
    let bench = Emulator::with_broker();
    let (host, port) = (
        bench.broker().ip().to_string(),
        bench.broker().port().to_string(),
    );
    let address = [
        "-h",
        &host,
        "-p",
        &port,
        "--port",
        bench.port(),
        "-C",
        "1",
        "-t",
        "#",
    ];
    let mut other = RawClient::connect(bench.broker(), &Connect::new("other"));
    // A broker passes no control characters in a topic, but characters that turn text around.
    let topic = "t\u{202e}b";
    other.publish(&Publish {
        retain: true,
        ..Publish::new(topic, HOSTILE.as_bytes())
    });
    let arguments = [&["sub", "-v"][..], &address].concat();
    let mut terminal = AtTerminal::start(&arguments, home.path());
    terminal.shows(&format!("t\\u{{202e}}b {SHOWN}"));
    terminal.ends(0);
    let read = text(&atmq([&["sub", "-v"][..], &address].concat()).succeeds());
    assert_eq!(read, format!("{topic} {HOSTILE}\n"));
    let read = text(&atmq([&["sub", "--json"][..], &address].concat()).succeeds());
    let line = read.lines().last().expect("there is a message");
    assert!(
        !line.contains(char::is_control) && !line.contains('\u{202e}'),
        "{line}"
    );
    let message: serde_json::Value = serde_json::from_str(line).expect("it is JSON");
    assert_eq!(message["payload"], HOSTILE);
}

#[test]
fn what_is_explained_cannot_control_the_terminal() {
    let home = tempdir().expect("there is a temporary directory");
    let line = format!("+LMQTTURC: RECV,0,0,\"{HOSTILE}\",1,x");
    let mut terminal = AtTerminal::start(&["explain", &line], home.path());
    terminal.shows(SHOWN);
    terminal.ends(0);
    let mut terminal = AtTerminal::start(&["explain", HOSTILE], home.path());
    terminal.shows(SHOWN);
    terminal.ends(2);
}

#[test]
fn an_emulator_cannot_control_the_terminal_of_who_asks_it() {
    let home = tempdir().expect("there is a temporary directory");
    let path = home.path().join("control");
    let socket = std::os::unix::net::UnixListener::bind(&path).expect("it can be bound");
    thread::spawn(move || {
        for (stream, verdict) in socket.incoming().flatten().zip(["ok", "error"]) {
            let mut output = stream.try_clone().expect("it can be cloned");
            for _ in BufReader::new(stream).lines().map_while(Result::ok) {
                let _ = writeln!(output, "{verdict} {HOSTILE}");
            }
        }
    });
    let path = path.to_str().expect("it is text");
    for code in [0, 1] {
        let mut terminal = AtTerminal::start(&["control", path, "status"], home.path());
        terminal.shows(SHOWN);
        terminal.ends(code);
    }
}
