use super::*;

/// Reference `lmqtt.md` 1.11.
#[test]
fn golden_session() {
    let mut host = Host::new();
    assert_eq!(
        host.ask(show_length()),
        r#"AT+LMQTTCFG=\"recv/mode\",0,0,1\r"#
    );
    assert_eq!(host.hear("\r\nOK\r\n"), [completed(plain())]);

    assert_eq!(host.ask(open()), r#"AT+LMQTTOPEN=0,\"h\",1883\r"#);
    assert_eq!(host.hear("\r\nOK\r\n"), []);
    let opened = Urc::Opened {
        connection: ID,
        result: Ok(()),
    };
    assert_eq!(
        host.hear("\r\n+LMQTTOPEN: 0,0\r\n"),
        [completed(reported(opened))]
    );

    let line = host.ask(connect());
    assert_eq!(line, r#"AT+LMQTTCONN=0,\"id\",\"u\",\"p\"\r"#);
    assert_eq!(host.hear("\r\nOK\r\n"), []);
    let connected = Urc::Connected {
        connection: ID,
        result: Connected::Accepted,
    };
    let events = host.hear("\r\n+LMQTTCONN: 0,0,0\r\n");
    assert_eq!(events, [completed(reported(connected))]);

    assert_eq!(
        host.ask(subscribe(1)),
        r#"AT+LMQTTSUBUNSUB=0,0,1,\"t\",1\r"#
    );
    assert_eq!(host.hear("\r\nOK\r\n"), []);
    let subscribed = Urc::SubscriptionChanged {
        connection: ID,
        message_id: 1,
        change: None,
        result: Ok(Some(1)),
    };
    let events = host.hear("\r\n+LMQTTSUBUNSUB: 0,1,0,1\r\n");
    assert_eq!(events, [completed(reported(subscribed))]);

    assert_eq!(
        host.ask(publish(5, b"abcd")),
        r#"AT+LMQTTPUB=0,5,1,0,\"t\",4,\"abcd\"\r"#
    );
    assert_eq!(host.hear("\r\nOK\r\n"), []);
    let events = host.hear("\r\n+LMQTTPUB: 0,5,0\r\n");
    assert_eq!(events, [completed(reported(published(5)))]);

    let line = host.ask(publish(6, b"\x00\r\n\x1a"));
    assert_eq!(line, r#"AT+LMQTTPUB=0,6,1,0,\"t\",4\r"#);
    assert_eq!(host.hear("\r\n> "), []);
    assert_eq!(host.written(), r"\x00\r\n\x1a");
    assert_eq!(host.hear("\r\nOK\r\n"), []);
    let events = host.hear("\r\n+LMQTTPUB: 0,6,0\r\n");
    assert_eq!(events, [completed(reported(published(6)))]);

    let events = host.hear("\r\n+LMQTTURC: RECV,0,1,\"t\",4,abcd\r\n");
    assert_eq!(events, [Event::Urc(received(b"abcd"))]);

    assert_eq!(host.ask(query_state()), r"AT+LMQTTCONN?\r");
    let state = dialect::Answer::State {
        connection: ID,
        state: ConnectionState::Connected,
    };
    let events = host.hear("\r\n+LMQTTCONN: 0,3\r\n\r\nOK\r\n");
    let answers = vec![state];
    let report = None;
    assert_eq!(events, [completed(Answer::Mqtt { answers, report })]);

    assert_eq!(host.ask(disconnect()), r"AT+LMQTTDISC=0\r");
    let disconnected = Urc::Disconnected {
        connection: ID,
        result: Ok(()),
    };
    let events = host.hear("\r\nOK\r\n\r\n+LMQTTDISC: 0,0\r\n");
    assert_eq!(events, [completed(reported(disconnected))]);

    assert_eq!(host.ask(close()), r"AT+LMQTTCLOSE=0\r");
    let closed = Urc::Closed {
        connection: ID,
        result: Ok(()),
    };
    let events = host.hear("\r\nOK\r\n\r\n+LMQTTCLOSE: 0,0\r\n");
    assert_eq!(events, [completed(reported(closed))]);

    let lost = Urc::Status {
        connection: ID,
        status: LinkStatus::ClosedByServer,
        code: None,
    };
    assert_eq!(
        host.hear("\r\n+LMQTTURC: STATS,0,1\r\n"),
        [Event::Urc(lost)]
    );
    // All configuration is lost, the length before the payload as well.
    let events = host.hear("\r\n+LMQTTURC: RECV,0,1,\"t\",4,abcd\r\n");
    assert_eq!(events, [Event::Urc(received(b"4,abcd"))]);
}

#[test]
fn the_result_urc_may_come_before_ok() {
    let mut host = Host::new();
    host.ask(publish(5, b"abcd"));
    assert_eq!(host.hear("\r\n+LMQTTPUB: 0,5,0\r\n"), []);
    assert_eq!(host.hear("\r\nOK\r\n"), [completed(reported(published(5)))]);
    host.ask(publish(6, b"abcd"));
    let events = host.hear("\r\n+LMQTTPUB: 0,6,0\r\n\r\nOK\r\n");
    assert_eq!(events, [completed(reported(published(6)))]);
}

#[test]
fn the_report_of_another_message_does_not_end_the_exchange() {
    let mut host = Host::new();
    host.ask(publish(6, b"abcd"));
    let events = host.hear("\r\n+LMQTTPUB: 0,5,0\r\n\r\nOK\r\n");
    assert_eq!(events, [Event::Urc(published(5))]);
    let events = host.hear("\r\n+LMQTTPUB: 0,6,0\r\n\r\n+LMQTTPUB: 0,6,0\r\n");
    let again = Event::Urc(published(6));
    assert_eq!(events, [completed(reported(published(6))), again]);
}

#[test]
fn echo_is_recognised_once_and_by_what_was_sent() {
    let mut host = Host::new();
    host.ask(signal());
    let events = host.hear("AT+CSQ\r\r\n+CSQ: 29,0\r\n\r\nOK\r\n");
    assert_eq!(events, [completed(quality(29))]);
    host.ask(signal());
    let events = host.hear("AT+CSQ\r\n\r\n+CSQ: 30,0\r\n\r\nAT+CSQ\r\n\r\nOK\r\n");
    let twice = Event::Unrecognised(b"AT+CSQ".to_vec());
    assert_eq!(events, [twice, completed(quality(30))]);
    assert_eq!(host.session.counters().echoes, 2);
    assert_eq!(host.session.counters().unrecognised_lines, 1);
}

#[test]
fn a_urc_inside_of_a_response_is_handed_on() {
    let mut host = Host::new();
    host.done(show_length(), "\r\nOK\r\n");
    host.ask(signal());
    let events = host.hear(
        "\r\n+LMQTTURC: RECV,0,1,\"t\",6,\r\nOK\r\n\r\n\r\n+CSQ: 29,0\r\n\r\n+CEREG: 1\r\n\r\nOK\r\n",
    );
    assert_eq!(
        events,
        [
            Event::Urc(received(b"\r\nOK\r\n")),
            Event::Standard(StandardUrc::Registration(RegistrationChanged {
                domain: RegistrationDomain::Eps,
                registration: Registration::Home,
                location: None,
            })),
            completed(quality(29)),
        ]
    );
}

/// What answers a query and what reports an outcome begin alike.
#[test]
fn a_state_is_no_outcome_and_an_outcome_no_state() {
    let mut host = Host::new();
    host.ask(query_state());
    let urc = Urc::Connected {
        connection: ID,
        result: Connected::Accepted,
    };
    let events = host.hear("\r\n+LMQTTCONN: 0,0,0\r\n\r\n+LMQTTCONN: 0,1\r\n\r\nOK\r\n");
    let answers = vec![dialect::Answer::State {
        connection: ID,
        state: ConnectionState::Initial,
    }];
    let report = None;
    let answer = Answer::Mqtt { answers, report };
    assert_eq!(events, [Event::Urc(urc), completed(answer)]);
}

#[test]
fn an_error_ends_the_exchange_and_a_second_one_harms_nobody() {
    let mut host = Host::new();
    host.ask(open());
    let refused = |result| {
        let command = "AT+LMQTTOPEN".to_string();
        failed(ExchangeError::Refused { command, result })
    };
    let events = host.hear("\r\n+CME ERROR: 3\r\n");
    assert_eq!(events, [refused(FinalResult::Cme(CmeError::Code(3)))]);
    // The next command waits for the pause, in which the second error comes.
    assert_eq!(host.ask(signal()), "");
    assert_eq!(
        host.hear("\r\nERROR\r\n"),
        [Event::Unrecognised(b"ERROR".to_vec())]
    );
    assert_eq!(host.wait(0.1).0, r"AT+CSQ\r");
    assert_eq!(
        host.hear("\r\n+CSQ: 29,0\r\n\r\nOK\r\n"),
        [completed(quality(29))]
    );
    assert_eq!(host.session.counters().stray_results, 1);
}

#[test]
fn without_an_exchange_no_line_is_a_result() {
    let mut host = Host::new();
    let events = host.hear(b"\r\nOK\r\n> \r\n\xff\x00noise\r\n");
    let lines = [&b"OK"[..], b"> ", b"\xff\x00noise"];
    assert_eq!(events, lines.map(|line| Event::Unrecognised(line.to_vec())));
}

#[test]
fn a_line_without_end_is_discarded_and_counted() {
    let mut host = Host::new();
    host.hear(vec![b'x'; 100_000]);
    let length = 100_001;
    assert_eq!(host.hear("\r\n"), [Event::Overlong { length }]);
    assert_eq!(host.session.counters().overlong_lines, 1);
    assert_eq!(
        host.done(signal(), "\r\n+CSQ: 1,0\r\n\r\nOK\r\n"),
        quality(1)
    );
}

#[test]
fn reports_that_are_switched_off_are_not_waited_for() {
    let mut host = Host::new();
    host.done(raw("AT+LMQTTCFG=\"urc\",0,0"), "\r\nOK\r\n");
    assert_eq!(host.done(publish(5, b"abcd"), "\r\nOK\r\n"), plain());
    host.done(close(), "\r\nOK\r\n\r\n+LMQTTCLOSE: 0,0\r\n");
    host.ask(publish(6, b"abcd"));
    assert_eq!(host.hear("\r\nOK\r\n"), []);
}

#[test]
fn a_lost_link_ends_the_wait_for_a_report() {
    let lost = Urc::Status {
        connection: ID,
        status: LinkStatus::ClosedByServer,
        code: None,
    };
    let error = ExchangeError::LinkLost {
        command: "AT+LMQTTPUB".into(),
        status: LinkStatus::ClosedByServer,
        code: None,
    };
    for answer in [
        "\r\nOK\r\n\r\n+LMQTTURC: STATS,0,1\r\n",
        "\r\n+LMQTTURC: STATS,0,1\r\n\r\nOK\r\n",
    ] {
        let mut host = Host::new();
        host.ask(publish(5, b"abcd"));
        assert_eq!(
            host.hear(answer),
            [Event::Urc(lost.clone()), failed(error.clone())]
        );
        // The channel is in order: the next command need not wait.
        assert_eq!(host.ask(attention()), r"AT\r");
    }
}

#[test]
fn a_full_cache_is_no_lost_link() {
    let mut host = Host::new();
    host.ask(publish(5, b"abcd"));
    let events = host.hear("\r\nOK\r\n\r\n+LMQTTURC: STATS,0,13\r\n\r\n+LMQTTPUB: 0,5,0\r\n");
    assert_eq!(events.last(), Some(&completed(reported(published(5)))));
}

#[test]
fn a_raw_command_has_all_lines_that_are_its_own() {
    let mut host = Host::new();
    assert_eq!(host.ask(raw("AT+CREG?;+CSQ")), r"AT+CREG?;+CSQ\r");
    let events = host.hear(
        "\r\n+CREG: 0,1\r\n\r\n+LMQTTURC: STATS,0,1\r\n\r\nanything\r\n\r\n+CSQ: 29,0\r\n\r\nERROR\r\n",
    );
    assert!(matches!(events[0], Event::Urc(Urc::Status { .. })));
    let response = Response {
        lines: vec![
            b"+CREG: 0,1".into(),
            b"anything".into(),
            b"+CSQ: 29,0".into(),
        ],
        result: FinalResult::Error,
        report: None,
    };
    assert_eq!(events[1..], [completed(Answer::Raw(response))]);
}

#[test]
fn a_raw_command_that_the_dialect_knows_is_followed() {
    let mut host = Host::new();
    host.done(raw("at+lmqttcfg=recv/mode,0,0,1"), "\r\nOK\r\n");
    let events = host.hear("\r\n+LMQTTURC: RECV,0,1,\"t\",4,\r\nOK\r\n");
    assert_eq!(events, [Event::Urc(received(b"\r\nOK"))]);

    host.ask(Command::Raw(RawCommand {
        line: b"AT+LMQTTPUB=0,6,1,0,\"t\",4".to_vec(),
        data: Some(b"\r\n>\"".to_vec()),
        reported: true,
    }));
    host.hear("\r\n> ");
    assert_eq!(host.written(), r#"\r\n>\""#);
    let events = host.hear("\r\nOK\r\n\r\n+LMQTTPUB: 0,6,0\r\n");
    let response = Response {
        lines: Vec::new(),
        result: FinalResult::Ok,
        report: Some(b"+LMQTTPUB: 0,6,0".to_vec()),
    };
    assert_eq!(events, [completed(Answer::Raw(response))]);
}

#[test]
fn what_cannot_be_written_is_refused_before_the_first_byte() {
    let mut host = Host::new();
    let mut refused = |wanted: Wanted| {
        let error = host.request(wanted).unwrap_err();
        assert_eq!(host.written(), "");
        error
    };
    let raw = |line: &str| raw(line).into();
    assert_eq!(
        refused(raw("AT\rAT+CFUN=0")),
        RequestError::ControlCharacter { byte: b'\r', at: 2 }
    );
    assert_eq!(refused(raw("+CSQ")), RequestError::NotACommand);
    assert_eq!(
        refused(raw("AT+LMQTTPUB=0,6,1,0,\"t\",4")),
        RequestError::DataLength {
            announced: Some(4),
            given: None
        }
    );
    let qos = QoS::AtLeastOnce;
    let message_id = 0;
    assert_eq!(
        refused(publish(0, b"")),
        RequestError::MessageId { qos, message_id }
    );
    assert_eq!(
        refused(publish(1, &[b'x'; 8001])).to_string(),
        "the payload has 8001 bytes, the module takes at most 8000"
    );
    assert_eq!(
        refused(raw(&format!("AT{}", "x".repeat(4097)))).to_string(),
        "the command line has 4097 bytes, the module takes at most 4096"
    );
}

#[test]
fn an_answer_without_end_is_cut_off_but_the_exchange_is_not() {
    let mut host = Host::new();
    host.ask(raw("AT+COPS=?"));
    for _ in 0..1000 {
        assert_eq!(host.hear(format!("\r\n{}\r\n", "x".repeat(100))), []);
    }
    let error = ExchangeError::TooLong {
        command: "AT+COPS".into(),
        limit: 65_536,
    };
    assert_eq!(host.hear("\r\nOK\r\n"), [failed(error)]);
    assert_eq!(host.ask(attention()), r"AT\r");
}

#[test]
fn secrets_are_not_shown() {
    let mut host = Host::new();
    let mut connect = connection();
    connect.username = Some("hunter2".into());
    connect.password = Some("hunter2".into());
    assert!(!format!("{connect:?}").contains("password: Some(Secret(\"hunter2"));
    host.request(step_of_connect(connect, b"AT+LMQTTCONN"))
        .unwrap();
    let transmit = host.session.poll_transmit().unwrap();
    let shown = r#"AT+LMQTTCONN=0,"id","hunter2","***""#;
    assert_eq!(transmit.redacted(), [shown.as_bytes(), b"\r"].concat());
    let raw = RawCommand::new(r#"AT+LMQTTCONN=0,"id","u","hunter2""#);
    for shown in [
        format!("{raw:?}"),
        format!("{:?}", host.session),
        format!("{:?}", host.wait(60.0).1),
    ] {
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn a_secret_of_a_command_that_nobody_knows_is_not_shown() {
    for (line, shown) in [
        (
            r#"AT+QMTCONN=0,"i","u","s3cret""#,
            r#"AT+QMTCONN=0,"i","u","***""#,
        ),
        (
            r#"AT+QICSGP=1,1,"apn","u","s3cret",1"#,
            r#"AT+QICSGP=1,1,"apn","u","***"#,
        ),
        (
            r#"AT+LMQTTCON=0,"i","u","s3cret""#,
            r#"AT+LMQTTCON=0,"i","***""#,
        ),
        (
            r#"AT+LMQTTCONN?0,"i","u","s3cret""#,
            r#"AT+LMQTTCONN?0,"i","u","***""#,
        ),
        (r#"AT+CPIM="1234""#, r#"AT+CPIM="***""#),
        (r#"AT+CPIN:"1234""#, r#"AT+CPIN:"***""#),
    ] {
        let mut host = Host::new();
        let raw = Command::Raw(RawCommand::new(line));
        host.session.request(raw, None, host.now).unwrap();
        let transmit = host.session.poll_transmit().unwrap();
        let expected = shown.as_bytes().escape_ascii();
        assert_eq!(format!("{transmit:?}"), format!("Transmit({expected}\\r)"));
        for told in [
            format!("{:?}", host.session),
            format!("{:?}", host.wait(60.0).1),
        ] {
            assert!(!told.contains("s3cret") && !told.contains("1234"), "{told}");
        }
    }
}
