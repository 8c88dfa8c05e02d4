//! `atmq at`: data that says nothing of its length.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread::{JoinHandle, spawn};

use crate::harness::{CLOSED_PORT, Finished, PATIENCE, atmq, text};

/// A module that asks for the text of a short message, and what it was sent.
fn module_for_messages() -> (String, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = format!(
        "tcp://{}",
        listener.local_addr().expect("it has an address")
    );
    let module = spawn(move || {
        let (mut host, _) = listener.accept().expect("the program connects");
        host.set_read_timeout(Some(PATIENCE))
            .expect("it can be set");
        let mut heard = Vec::new();
        for (end, answer) in [(b'\r', "\r\n> "), (0x1a, "\r\n+CMGS: 7\r\n\r\nOK\r\n")] {
            while heard.last() != Some(&end) {
                let mut byte = [0];
                host.read_exact(&mut byte)
                    .expect("the program goes on sending");
                heard.push(byte[0]);
            }
            host.write_all(answer.as_bytes())
                .expect("the program listens");
        }
        heard
    });
    (port, module)
}

#[test]
fn data_that_has_no_length_is_ended_as_its_command_wants_it() {
    for data in ["two words", "two words\u{1a}"] {
        let (port, module) = module_for_messages();
        let shown = text(&atmq(["at", "--port", &port, "AT+CMGS=\"+491\"", data]).succeeds());
        assert!(shown.contains("+CMGS: 7\nOK\n"), "{shown}");
        let heard = module.join().expect("it has heard all");
        assert_eq!(heard, b"AT+CMGS=\"+491\"\rtwo words\x1a");
    }
    for (arguments, words) in [
        (
            &["AT+CMGS=\"+491\""][..],
            &["asks for data, and none is given"][..],
        ),
        (
            &["AT+CMGS=\"+491\"", "a\u{1b}b"],
            &["would end at its byte 1", "hexadecimal"],
        ),
        (
            &["AT+CMGS=\"+491\"", "a\u{1a}b"],
            &["would end at its byte 1"],
        ),
    ] {
        let failed = atmq(["at", "--port", CLOSED_PORT].iter().chain(arguments)).fails(2);
        failed.without_output().saying(words);
    }
}
