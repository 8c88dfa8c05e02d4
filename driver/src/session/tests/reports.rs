//! The final result code frees the line, and the report gives the outcome later.

use atmq_protocol::dialect::{Expected, Reported, Step};

use super::*;

const OTHER: ConnectionId = ConnectionId(1);
const OK: &str = "\r\nOK\r\n";
const CSQ: &str = "\r\n+CSQ: 29,0\r\n\r\nOK\r\n";

fn opened(connection: ConnectionId) -> Urc {
    Urc::Opened {
        connection,
        result: Ok(()),
    }
}

fn publish_on(connection: ConnectionId, message_id: u16, payload: &[u8]) -> Wanted {
    let publish = Publish {
        connection,
        message_id,
        qos: QoS::AtLeastOnce,
        retain: false,
        topic: "t".into(),
        payload: payload.into(),
    };
    Wanted::StepOf(Operation::Publish(publish), b"AT+LMQTTPUB")
}

fn published_on(connection: ConnectionId, message_id: u16) -> Urc {
    Urc::Published {
        connection,
        message_id,
        result: PublishResult::Done,
        reason: Reason::NONE,
    }
}

/// A host whose OPEN has been taken, and not reported.
fn opening() -> (Host, ExchangeId) {
    let mut host = Host::new();
    let open = host.request(open()).unwrap();
    assert_eq!(host.written(), r#"AT+LMQTTOPEN=0,\"h\",1883\r"#);
    assert_eq!(host.hear(OK), []);
    (host, open)
}

#[test]
fn another_command_is_answered_while_a_link_is_opened() {
    let (mut host, open) = opening();
    assert!(host.session.is_ready());
    assert!(host.session.is_listening());
    let signal = host.request(signal()).unwrap();
    assert_ne!(signal, open);
    assert_eq!(host.written(), r"AT+CSQ\r");
    assert_eq!(host.hear(CSQ), [completed(quality(29))]);
    assert_eq!(host.session.ended(), Some(signal));
    let events = host.hear("\r\n+LMQTTOPEN: 0,0\r\n");
    assert_eq!(events, [completed(reported(opened(ID)))]);
    assert_eq!(host.session.ended(), Some(open));
    assert!(!host.session.is_listening());
}

/// It comes between the command and its answer, its prompt and its data, or in the answer.
#[test]
fn a_report_in_the_middle_of_another_exchange_ends_its_own() {
    let (mut host, open) = opening();
    let publish = host.request(publish_on(OTHER, 7, b"\r\nOK")).unwrap();
    assert_eq!(host.written(), r#"AT+LMQTTPUB=1,7,1,0,\"t\",4\r"#);
    let events = host.hear("\r\n+LMQTTOPEN: 0,0\r\n");
    assert_eq!(events, [completed(reported(opened(ID)))]);
    assert_eq!(host.session.ended(), Some(open));
    assert!(!host.session.is_ready());
    assert_eq!(host.hear("\r\n> "), []);
    assert_eq!(host.written(), r"\r\nOK");
    assert_eq!(host.hear(OK), []);
    let events = host.hear("\r\n+LMQTTPUB: 1,7,0\r\n");
    assert_eq!(events, [completed(reported(published_on(OTHER, 7)))]);
    assert_eq!(host.session.ended(), Some(publish));
}

#[test]
fn another_connection_publishes_while_a_link_is_opened() {
    let (mut host, open) = opening();
    for message_id in [7, 8] {
        let publish = host
            .request(publish_on(OTHER, message_id, b"abcd"))
            .unwrap();
        let line = format!(r#"AT+LMQTTPUB=1,{message_id},1,0,\"t\",4,\"abcd\"\r"#);
        assert_eq!(host.written(), line);
        let events = host.hear(format!("{OK}\r\n+LMQTTPUB: 1,{message_id},0\r\n"));
        let ended = reported(published_on(OTHER, message_id));
        assert_eq!(events, [completed(ended)]);
        assert_eq!(host.session.ended(), Some(publish));
    }
    host.hear("\r\n+LMQTTOPEN: 0,0\r\n");
    assert_eq!(host.session.ended(), Some(open));
}

#[test]
fn reports_in_any_order_find_their_exchanges() {
    let connections = [0, 1, 2].map(ConnectionId);
    let mut host = Host::new();
    let asked = connections.map(|connection| {
        // The same identifier: only the connection tells.
        let asked = host.request(publish_on(connection, 5, b"abcd")).unwrap();
        assert_eq!(host.hear(OK), []);
        asked
    });
    for at in [2, 0, 1] {
        let events = host.hear(format!("\r\n+LMQTTPUB: {at},5,0\r\n"));
        let report = published_on(connections[at], 5);
        assert_eq!(events, [completed(reported(report))]);
        assert_eq!(host.session.ended(), Some(asked[at]));
    }
    assert!(!host.session.is_listening());
}

/// So its messages keep their order.
#[test]
fn a_connection_has_one_exchange_at_a_time() {
    let mut host = Host::new();
    host.ask(publish(5, b"abcd"));
    assert_eq!(host.hear(OK), []);
    let setting = Command::Raw(RawCommand::new("AT+LMQTTCFG=\"keepalive\",0,60"));
    let elsewhere = Command::Raw(RawCommand::new("AT+LMQTTCFG=\"keepalive\",1,60"));
    assert!(!host.session.takes(&setting));
    assert!(host.session.takes(&elsewhere));
    assert!(host.session.takes(&signal()));
    // Who asks all the same is kept waiting.
    assert_eq!(host.ask(publish(6, b"abcd")), "");
    assert!(!host.session.is_ready());
    let events = host.hear("\r\n+LMQTTPUB: 0,5,0\r\n");
    assert_eq!(events, [completed(reported(published(5)))]);
    let line = r#"AT+LMQTTPUB=0,6,1,0,\"t\",4,\"abcd\"\r"#;
    assert_eq!(host.written(), line);
    let events = host.hear("\r\nOK\r\n\r\n+LMQTTPUB: 0,6,0\r\n");
    assert_eq!(events, [completed(reported(published(6)))]);
    // Its time counts from when it is sent.
    host.ask(publish(7, b"abcd"));
    host.hear(OK);
    host.request_within(publish(8, b"abcd"), Some(Duration::from_secs(1)))
        .unwrap();
    assert_eq!(host.wait(20.0), (String::new(), vec![]));
    host.hear("\r\n+LMQTTPUB: 0,7,0\r\n");
    assert_ne!(host.written(), "");
    assert_eq!(host.wait(0.9).1, []);
    assert!(matches!(
        host.wait(0.2).1[..],
        [Event::Completed(Err(ExchangeError::Timeout { .. }))]
    ));
}

/// `+LMQTTCONN: 0,2` answers it, and may report a CONNECT that has failed.
#[test]
fn the_state_is_not_asked_for_while_a_connect_is_not_reported() {
    let mut host = Host::new();
    host.ask(connect());
    assert_eq!(host.hear(OK), []);
    assert!(!host.session.takes(&raw("AT+LMQTTCONN?")));
    assert!(host.session.takes(&raw("AT+LMQTTOPEN?")));
    assert_eq!(host.ask(query_state()), "");
    let failed = Urc::Connected {
        connection: ID,
        result: Connected::Failed(Reason::new(ReasonKind::Unknown, None)),
    };
    let events = host.hear("\r\n+LMQTTCONN: 0,2\r\n");
    assert_eq!(events, [completed(reported(failed))]);
    assert_eq!(host.written(), r"AT+LMQTTCONN?\r");
}

#[test]
fn a_lost_link_ends_only_what_needs_it() {
    let (mut host, open) = opening();
    let publish = host.request(publish_on(OTHER, 7, b"abcd")).unwrap();
    assert_eq!(host.hear(OK), []);
    let signal = host.request(signal()).unwrap();
    let events = host.hear("\r\n+LMQTTURC: STATS,0,1\r\n");
    let lost = ExchangeError::LinkLost {
        command: "AT+LMQTTOPEN".into(),
        status: LinkStatus::ClosedByServer,
        code: None,
    };
    assert_eq!(events[1..], [failed(lost)]);
    assert_eq!(host.session.ended(), Some(open));
    assert_eq!(host.hear(CSQ), [completed(quality(29))]);
    assert_eq!(host.session.ended(), Some(signal));
    let events = host.hear("\r\n+LMQTTPUB: 1,7,0\r\n");
    assert_eq!(events, [completed(reported(published_on(OTHER, 7)))]);
    assert_eq!(host.session.ended(), Some(publish));
}

#[test]
fn the_time_of_a_report_runs_while_others_have_the_line() {
    let mut host = Host::new();
    let open = host
        .request_within(open(), Some(Duration::from_secs(8)))
        .unwrap();
    host.wait(1.0);
    assert_eq!(host.hear(OK), []);
    host.wait(4.0);
    let signal = host.request(signal()).unwrap();
    assert_eq!(host.wait(2.9).1, []);
    let missing = ExchangeError::NoReport {
        command: "AT+LMQTTOPEN".into(),
        limit: Duration::from_secs(8),
        sent_again: false,
    };
    assert_eq!(host.wait(0.2).1, [failed(missing)]);
    assert_eq!(host.session.ended(), Some(open));
    // Its report comes too late, in the middle of the other exchange.
    let late = Event::Urc(opened(ID));
    let events = host.hear(format!("\r\n+LMQTTOPEN: 0,0\r\n{CSQ}"));
    assert_eq!(events, [late, completed(quality(29))]);
    assert_eq!(host.session.ended(), Some(signal));
    assert_eq!(host.session.counters().fences, 0);
}

/// What one command owes is no reason to give up the reports of others.
#[test]
fn a_fence_keeps_nobody_from_being_reported() {
    let (mut host, open) = opening();
    host.ask(signal());
    let (_, events) = host.wait(5.0);
    assert!(matches!(
        events[..],
        [Event::Completed(Err(ExchangeError::Timeout { .. }))]
    ));
    let attention = host.request(attention()).unwrap();
    let (probe, _) = host.wait(0.3);
    assert_eq!(probe, r"AT+CMEE?\r");
    let events = host.hear("\r\n+LMQTTOPEN: 0,0\r\n");
    assert_eq!(events, [completed(reported(opened(ID)))]);
    assert_eq!(host.session.ended(), Some(open));
    assert_eq!(host.hear("\r\n+CMEE: 1\r\n\r\nOK\r\n"), []);
    assert_eq!(host.written(), r"AT\r");
    assert_eq!(
        host.hear(OK),
        [completed(Answer::Standard(Default::default()))]
    );
    assert_eq!(host.session.ended(), Some(attention));
}

#[test]
fn a_reboot_ends_all_of_them_and_tells_how_far_they_came() {
    let rebooted = |command: &str, reached| {
        let command = command.into();
        failed(ExchangeError::Rebooted { command, reached })
    };
    let (mut host, _) = opening();
    host.ask(publish_on(OTHER, 7, b"abcd"));
    assert_eq!(host.hear(OK), []);
    host.ask(signal());
    let events = host.hear("^boot.rom'v'!\r\n");
    assert_eq!(
        events,
        [
            Event::Rebooted,
            rebooted("AT+LMQTTOPEN", Reached::Accepted),
            rebooted("AT+LMQTTPUB", Reached::Accepted),
            rebooted("AT+CSQ", Reached::Written),
        ]
    );
    // Nothing is left of them.
    assert_eq!(
        host.hear("\r\n+LMQTTPUB: 1,7,0\r\n"),
        [Event::Urc(published_on(OTHER, 7))]
    );
}

#[test]
fn a_lost_port_ends_them_without_a_word() {
    let (mut host, _) = opening();
    host.session.interrupt(host.now);
    assert_eq!(host.events(), []);
    assert_eq!(host.wait(400.0).1, []);
    assert_eq!(
        host.hear("\r\n+LMQTTOPEN: 0,0\r\n"),
        [Event::Urc(opened(ID))]
    );
}

/// An error frees the line as well, behind the pause for a second one.
#[test]
fn others_are_answered_while_a_report_may_follow_an_error() {
    let mut step = Step::new(b"AT+PUB=1\r".into(), Duration::from_secs(20));
    step.report = Some(Expected {
        what: Reported::Published,
        connection: ID,
        message_id: None,
    });
    step.report_after_error = Duration::from_secs(2);
    let mut host = Host::new();
    let asked = host.request(Command::Step(step.into())).unwrap();
    host.written();
    assert_eq!(host.hear("\r\nERROR\r\n"), []);
    assert_eq!(host.ask(signal()), "");
    host.hear("\r\n+CME ERROR: 3\r\n");
    assert_eq!(host.wait(0.1).0, r"AT+CSQ\r");
    assert_eq!(host.hear(CSQ), [completed(quality(29))]);
    let events = host.hear("\r\n+LMQTTPUB: 0,0,0\r\n");
    assert_eq!(events, [completed(reported(published(0)))]);
    assert_eq!(host.session.ended(), Some(asked));
}

/// What a raw command waits for is its report, not its line.
#[test]
fn a_raw_command_that_waits_for_its_report_frees_the_line() {
    let mut host = Host::new();
    let open = host
        .request(Command::Raw(RawCommand {
            reported: true,
            ..RawCommand::new("AT+LMQTTOPEN=0,\"h\",1883")
        }))
        .unwrap();
    host.written();
    assert_eq!(host.hear(OK), []);
    assert_eq!(host.done(signal(), CSQ), quality(29));
    let events = host.hear("\r\n+LMQTTOPEN: 0,0\r\n");
    let response = Response {
        lines: vec![],
        result: FinalResult::Ok,
        report: Some(b"+LMQTTOPEN: 0,0".to_vec()),
    };
    assert_eq!(events, [completed(Answer::Raw(response))]);
    assert_eq!(host.session.ended(), Some(open));
}

/// `+CMQTTDISC: 1,0` reports that client 1 has left, and answers that it is connected.
#[test]
fn a_question_waits_for_the_reports_that_its_answer_looks_like() {
    let mut session = Session::new(&dialect::cmqtt::SIM7672);
    let now = Instant::now();
    let leave = Operation::Disconnect {
        connection: OTHER,
        connected: true,
    };
    let step = session.plan(leave).unwrap().begin().unwrap();
    session.request(Command::Step(step), None, now).unwrap();
    session.receive(OK.as_bytes(), now);
    let question = |line: &str| Command::Raw(RawCommand::new(line));
    assert!(!session.takes(&question("AT+CMQTTDISC?")));
    assert!(session.takes(&question("AT+CMQTTACCQ?")));
    session.receive(b"\r\n+CMQTTDISC: 1,0\r\n", now);
    assert!(session.takes(&question("AT+CMQTTDISC?")));
}
