//! Files: `CONNECT` in place of a prompt (reference `README.md`, "Decisions").

use super::*;
use atmq_protocol::dialect::{Ask, Data, Prompt, Step};

const FILE: &[u8] = b"-----BEGIN\r\nOK\r\n> \x1a\0";

fn upload() -> Command {
    let mut step = Step::new(b"AT+LFUPL=\"key.pem\",20\r".into(), Duration::from_secs(60));
    step.data = Some(Data {
        ask: Ask {
            prompt: Prompt::Line(b"CONNECT"),
            length: Some(20),
            end: DataEnd::Length,
            patience: Some(Duration::from_secs(30)),
            escapable: false,
        },
        bytes: FILE.into(),
        secret: true,
    });
    Command::Step(step.into())
}

fn stored() -> Event {
    completed(plain())
}

#[test]
fn a_file_follows_connect_whatever_it_holds() {
    let mut host = Host::new();
    assert_eq!(host.ask(upload()), r#"AT+LFUPL=\"key.pem\",20\r"#);
    assert_eq!(host.hear("\r\nCONNECT\r\n"), []);
    assert_eq!(host.written(), FILE.escape_ascii().to_string());
    assert_eq!(host.hear("\r\nOK\r\n"), [stored()]);
    assert_eq!(host.ask(attention()), r"AT\r");
}

#[test]
fn a_file_is_not_shown() {
    let mut host = Host::new();
    host.ask(upload());
    host.hear("\r\nCONNECT\r\n");
    let transmit = host.session.poll_transmit().unwrap();
    assert_eq!(transmit.bytes, FILE);
    assert_eq!(transmit.redacted(), b"***");
    let shown = format!("{:?}", upload());
    assert!(
        shown.contains("AT+LFUPL") && !shown.contains("BEGIN"),
        "{shown}"
    );
}

#[test]
fn a_file_does_not_follow_what_looks_like_a_prompt() {
    let mut host = Host::new();
    host.ask(upload());
    assert_eq!(
        host.hear("\r\n> \r\n"),
        [Event::Unrecognised(b"> ".to_vec())]
    );
    assert_eq!(host.written(), "");
    host.hear("\r\nCONNECT\r\n");
    assert_eq!(host.written(), FILE.escape_ascii().to_string());
}

#[test]
fn connect_asks_for_no_payload() {
    let mut host = Host::new();
    host.ask(Command::Raw(RawCommand {
        data: Some(b"x".into()),
        ..RawCommand::new("AT+LMQTTPUB=0,0,0,0,\"t\",1")
    }));
    let events = host.hear("\r\nCONNECT\r\n");
    assert!(
        matches!(&events[..], [Event::Completed(Ok(Answer::Raw(response)))]
            if response.result == FinalResult::Connect(None)),
        "{events:?}"
    );
    assert_eq!(host.written(), "");
}

#[test]
fn a_module_without_room_refuses_before_the_first_byte() {
    let mut host = Host::new();
    host.ask(upload());
    assert_eq!(
        host.hear("\r\n+CME ERROR: 3\r\n"),
        [failed(ExchangeError::Refused {
            command: "AT+LFUPL".into(),
            result: FinalResult::Cme(CmeError::Code(3)),
        })]
    );
    assert_eq!(host.written(), "");
}

#[test]
fn a_raw_upload_is_one_too() {
    let mut host = Host::new();
    let command = |data: Option<&[u8]>| {
        Command::Raw(RawCommand {
            data: data.map(<[u8]>::to_vec),
            ..RawCommand::new("AT+LFUPL=\"f\",3")
        })
    };
    assert_eq!(host.ask(command(Some(b"abc"))), r#"AT+LFUPL=\"f\",3\r"#);
    host.hear("\r\nCONNECT\r\n");
    assert_eq!(host.written(), "abc");
    assert!(matches!(
        &host.hear("\r\nOK\r\n")[..],
        [Event::Completed(Ok(Answer::Raw(_)))]
    ));
    assert_eq!(
        host.session.request(command(None), None, host.now),
        Err(RequestError::DataLength {
            announced: Some(3),
            given: None,
        })
    );
}

/// The module waits for the file from its late `CONNECT` on: a command would be taken for it.
#[test]
fn after_a_late_connect_no_command_is_sent_into_the_file() {
    let mut host = Host::new();
    host.ask(upload());
    let (written, events) = host.wait(10.0);
    assert_eq!(written, "");
    assert_eq!(
        events,
        [failed(ExchangeError::NoPrompt {
            command: "AT+LFUPL".into(),
            limit: Duration::from_secs(10),
        })]
    );
    assert_eq!(host.ask(raw("AT+CSQ")), "");
    assert_eq!(host.wait(20.0).0, "");
    assert_eq!(host.hear("\r\nCONNECT\r\n"), []);
    // The module gives up after 30 s.
    assert_eq!(host.wait(30.0).0, "");
    host.hear("\r\nERROR\r\n");
    assert_eq!(host.written(), r"AT+CSQ\r");
}
