use super::*;

const LINE: &str = r#"AT+LMQTTPUB=0,6,1,0,\"t\",4\r"#;
const DATA: &[u8] = b"\x00\r\n\x1a";
const DONE: &str = "\r\nOK\r\n\r\n+LMQTTPUB: 0,6,0\r\n";

#[test]
fn a_prompt_may_come_in_any_form_and_as_late_as_it_likes() {
    for prompt in ["\r\n> ", "\r\n>", ">", "\n> ", "\r\n\r\n> "] {
        let mut host = Host::new();
        assert_eq!(host.ask(publish(6, DATA)), LINE);
        assert_eq!(host.wait(9.9), (String::new(), Vec::new()));
        assert_eq!(host.hear(prompt), []);
        assert_eq!(host.written(), DATA.escape_ascii().to_string());
        assert_eq!(host.hear(DONE), [completed(reported(published(6)))]);
    }
}

#[test]
fn data_is_sent_once_however_often_it_is_asked_for() {
    let mut host = Host::new();
    host.ask(publish(6, DATA));
    host.hear("\r\n> \r\n> ");
    host.hear("\r\n> ");
    assert_eq!(host.written(), DATA.escape_ascii().to_string());
    host.hear(DONE);
    assert_eq!(host.written(), "");
    let sent = LINE.len() - 3 + DATA.len();
    assert_eq!(host.session.counters().bytes_sent, sent as u64);
}

#[test]
fn a_late_prompt_is_recognised_in_one_read_and_in_many() {
    let mut whole = Host::new();
    whole.ask(publish(6, DATA));
    whole.wait(10.0);
    let late = "\r\n> \r\nnoise\r\n> \r\n";
    let events = whole.hear(late);
    assert_eq!(events, [Event::Unrecognised(b"noise".to_vec())]);
    let mut split = Host::new();
    split.ask(publish(6, DATA));
    split.wait(10.0);
    let bytes = late.as_bytes().chunks(1);
    assert_eq!(
        bytes.flat_map(|byte| split.hear(byte)).collect::<Vec<_>>(),
        events
    );
}

#[test]
fn a_prompt_is_awaited_behind_ok_as_well() {
    // Some say `OK` once more behind the data, some do not.
    for more in ["", "\r\nOK\r\n"] {
        let mut host = Host::new();
        host.ask(publish(6, DATA));
        assert_eq!(host.hear("\r\nOK\r\n"), []);
        assert_eq!(host.wait(9.0), (String::new(), Vec::new()));
        host.hear("\r\n> ");
        assert_eq!(host.written(), DATA.escape_ascii().to_string());
        let done = format!("{more}\r\n+LMQTTPUB: 0,6,0\r\n");
        assert_eq!(host.hear(done), [completed(reported(published(6)))]);
        // One that comes late is not the next command's.
        let written = host.ask(attention());
        assert_eq!(written, if more.is_empty() { "" } else { r"AT\r" });
        if more.is_empty() {
            host.hear("\r\nOK\r\n");
            assert_eq!(host.written(), r"AT\r");
        }
        assert_eq!(host.hear("\r\nOK\r\n").len(), 1);
    }
}

#[test]
fn ok_without_a_prompt_is_no_outcome_and_sends_nothing_into_one() {
    let mut host = Host::new();
    host.ask(publish(6, DATA));
    host.hear("\r\nOK\r\n");
    let (written, events) = host.wait(10.0);
    assert_eq!(written, "");
    let error = ExchangeError::NoPrompt {
        command: "AT+LMQTTPUB".into(),
        limit: Duration::from_secs(10),
    };
    assert_eq!(events, [failed(error)]);
    host.ask(attention());
    assert_eq!(host.wait(34.9).0, "");
}

/// `OK` has accepted it: no other result code says what became of it.
#[test]
fn an_error_behind_ok_is_not_the_outcome() {
    for error in ["ERROR", "+CME ERROR: 3", "NO CARRIER", "OK"] {
        for (command, id) in [(publish(6, b"abcd"), 6), (publish(6, DATA), 6)] {
            let mut host = Host::new();
            host.ask(command);
            host.hear("\r\n> ");
            host.written();
            host.hear("\r\nOK\r\n");
            let stray = host.hear(format!("\r\n{error}\r\n"));
            assert_eq!(stray, [Event::Unrecognised(error.into())]);
            assert_eq!(host.session.counters().stray_results, 1);
            let report = format!("\r\n+LMQTTPUB: 0,{id},0\r\n");
            assert_eq!(host.hear(report), [completed(reported(published(id)))]);
        }
    }
    let mut host = Host::new();
    host.ask(publish(6, b"abcd"));
    host.hear("\r\nOK\r\n\r\nERROR\r\n");
    assert!(matches!(
        &host.wait(30.0).1[..],
        [Event::Completed(Err(ExchangeError::NoReport { .. }))]
    ));
}

/// The same where `OK` came before the prompt.
#[test]
fn an_error_behind_the_data_of_an_accepted_publish_is_not_the_outcome() {
    let mut host = Host::new();
    host.ask(publish(6, DATA));
    host.hear("\r\nOK\r\n\r\n> ");
    host.written();
    let stray = host.hear("\r\nERROR\r\n");
    assert_eq!(stray, [Event::Unrecognised(b"ERROR".to_vec())]);
    let report = host.hear("\r\n+LMQTTPUB: 0,6,0\r\n");
    assert_eq!(report, [completed(reported(published(6)))]);
}

/// Identifiers begin at 1 again, and messages without have none.
#[test]
fn a_report_before_the_prompt_is_that_of_another_message() {
    let mut host = Host::new();
    host.ask(publish(6, DATA));
    let late = host.hear("\r\n+LMQTTPUB: 0,6,0\r\n");
    assert_eq!(late, [Event::Urc(published(6))]);
    assert!(matches!(
        &host.wait(10.0).1[..],
        [Event::Completed(Err(ExchangeError::NoPrompt { .. }))]
    ));
}

#[test]
fn a_report_says_more_than_the_error_behind_it() {
    let mut host = Host::new();
    host.ask(publish(6, b"abcd"));
    host.hear("\r\n+LMQTTPUB: 0,6,0\r\n");
    assert_eq!(
        host.hear("\r\nERROR\r\n"),
        [completed(reported(published(6)))]
    );
}

/// Each line of it looks like an answer, and is none.
#[test]
fn a_module_that_echoes_the_data_answers_behind_it() {
    let data = b"+CME ERROR: 3\r\nOK\r\nERROR\r\n\"";
    for end in ["", "\r\n"] {
        let mut host = Host::new();
        host.ask(publish(6, &[data, end.as_bytes()].concat()));
        let length = data.len() + end.len();
        host.hear(format!("AT+LMQTTPUB=0,6,1,0,\"t\",{length}\r\r\n> "));
        let echo = [data, end.as_bytes()].concat();
        assert_eq!(host.hear(echo), []);
        assert_eq!(host.hear(DONE), [completed(reported(published(6)))]);
        assert_eq!(host.session.counters().echoes, 5);
        assert_eq!(host.session.counters().stray_results, 0);
    }
}

#[test]
fn without_echo_of_the_command_no_line_is_an_echo_of_the_data() {
    let mut host = Host::new();
    host.ask(publish(6, b"OK\r\n"));
    host.hear("\r\n> ");
    assert_eq!(host.hear(DONE), [completed(reported(published(6)))]);
}

/// Reference `ecmt.md` 2.2.
#[test]
fn what_would_end_the_input_early_is_not_sent_to_a_prompt() {
    let mut host = Host::new();
    host.session.set_limits(Limits {
        prompt_end: DataEnd::ControlCharacters,
        ..atmq_protocol::dialect::lmqtt::NT35E.limits
    });
    let message = "the payload holds '\\u{1a}' at byte 3, which ends the input at the prompt of this \
                   module; hexadecimal digits would carry it";
    let raw = RawCommand {
        data: Some(DATA.to_vec()),
        ..RawCommand::new("AT+LMQTTPUB=0,6,1,0,\"t\",4")
    };
    for command in [publish(6, DATA), Command::Raw(raw)] {
        let error = host.session.request(command, None, host.now).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert_eq!(host.written(), "");
    }
    host.done(
        configure(Setting::SendMode(DataFormat::HexString)),
        "\r\nOK\r\n",
    );
    let line = host.ask(publish(6, DATA));
    assert_eq!(line, r#"AT+LMQTTPUB=0,6,1,0,\"t\",8,\"000D0A1A\"\r"#);
}

fn unidentified() -> Command {
    Command::Publish(Publish {
        connection: ID,
        message_id: 0,
        qos: QoS::AtMostOnce,
        retain: false,
        topic: "t".into(),
        payload: b"abcd".into(),
    })
}

/// With quality of service 0 there is no identifier to tell reports apart.
#[test]
fn the_report_of_another_message_is_not_claimed_for_one_without_identifier() {
    let mut host = Host::new();
    host.ask(unidentified());
    host.hear("\r\nOK\r\n");
    assert!(matches!(host.wait(30.0).1[..], [Event::Completed(Err(_))]));
    let answer = "\r\nOK\r\n\r\n+LMQTTPUB: 0,0,2,6\r\n";
    // It may be the first one's. That the module took the second is known.
    assert_eq!(host.done(unidentified(), answer), plain());
    host.wait(30.0);
    let done = "\r\nOK\r\n\r\n+LMQTTPUB: 0,0,0\r\n";
    assert_eq!(host.done(unidentified(), done), reported(published(0)));
}
