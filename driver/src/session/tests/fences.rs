use super::*;

const PROBE: &str = r"AT+CMEE?\r";

fn timeout(command: &str, seconds: u64) -> Event {
    failed(ExchangeError::Timeout {
        command: command.into(),
        limit: Duration::from_secs(seconds),
    })
}

#[test]
fn time_limits_are_the_manuals() {
    for (command, name, seconds) in [
        (attention(), "AT", 5),
        (show_length(), "AT+LMQTTCFG=\"recv/mode\"", 5),
        (open(), "AT+LMQTTOPEN", 160),
        (subscribe(1), "AT+LMQTTSUBUNSUB", 30),
        (close(), "AT+LMQTTCLOSE", 5),
        (raw("AT+LMQTTOPEN=0,\"h\",1"), "AT+LMQTTOPEN", 160),
        (raw("AT+CGATT?"), "AT+CGATT?", 75),
        (raw("AT+NOSUCH"), "AT+NOSUCH", 60),
    ] {
        let mut host = Host::new();
        host.ask(command);
        let (written, events) = host.wait(seconds as f64 - 0.001);
        assert_eq!((written.as_str(), &events[..]), ("", &[][..]), "{name}");
        assert_eq!(host.wait(0.002).1, [timeout(name, seconds)]);
    }
}

#[test]
fn a_late_ok_is_not_taken_for_the_next_commands() {
    let mut host = Host::new();
    host.ask(attention());
    assert_eq!(host.wait(5.0).1, [timeout("AT", 5)]);
    // The next command is not sent before the late answer has come, and not answered by it.
    assert_eq!(host.ask(signal()), "");
    assert_eq!(host.hear("\r\nOK\r\n"), []);
    assert_eq!(host.written(), r"AT+CSQ\r");
    assert_eq!(
        host.hear("\r\n+CSQ: 29,0\r\n\r\nOK\r\n"),
        [completed(quality(29))]
    );
    assert_eq!(host.session.counters().fences, 1);
    assert_eq!(host.session.counters().probes, 0);
}

#[test]
fn an_ok_that_was_lost_is_not_waited_for() {
    let mut host = Host::new();
    host.ask(signal());
    host.wait(5.0);
    assert_eq!(host.ask(attention()), "");
    assert_eq!(host.wait(0.5).0, PROBE);
    assert_eq!(host.hear("\r\n+CMEE: 1\r\n"), []);
    assert_eq!(host.written(), "");
    host.hear("\r\nOK\r\n");
    assert_eq!(host.written(), r"AT\r");
}

#[test]
fn the_late_answer_and_the_probes_come_together() {
    let mut host = Host::new();
    host.ask(signal());
    host.wait(5.0);
    host.ask(attention());
    assert_eq!(host.wait(0.5).0, PROBE);
    let events = host.hear("\r\n+CSQ: 7,0\r\n\r\nOK\r\n");
    assert_eq!(events, [Event::Unrecognised(b"+CSQ: 7,0".to_vec())]);
    assert_eq!(host.written(), "");
    assert_eq!(host.hear("\r\n+CMEE: 1\r\n\r\nOK\r\n"), []);
    assert_eq!(host.written(), r"AT\r");
}

#[test]
fn a_module_without_the_probe_is_counted_out() {
    let mut host = Host::new();
    host.ask(signal());
    host.wait(5.0);
    host.ask(attention());
    assert_eq!(host.wait(0.5).0, PROBE);
    host.hear("\r\nOK\r\n");
    assert_eq!(host.written(), "");
    host.hear("\r\nERROR\r\n");
    assert_eq!(host.written(), r"AT\r");
}

/// Two probes were sent, the first answer lets the next command go, then the second comes.
#[test]
fn a_probe_that_is_answered_late_is_dropped_with_its_ok() {
    let mut host = Host::new();
    host.ask(signal());
    host.wait(5.0);
    host.ask(signal());
    assert_eq!(host.wait(2.0).0, [PROBE, PROBE].concat());
    host.hear("\r\n+CMEE: 1\r\n\r\nOK\r\n");
    assert_eq!(host.written(), r"AT+CSQ\r");
    assert_eq!(host.hear("\r\n+CMEE: 1\r\n\r\nOK\r\n"), []);
    assert_eq!(
        host.hear("\r\n+CSQ: 29,0\r\n\r\nOK\r\n"),
        [completed(quality(29))]
    );
}

#[test]
fn a_module_that_answers_nothing_is_given_up_in_time_and_tried_again() {
    let mut host = Host::new();
    host.ask(signal());
    host.wait(5.0);
    host.ask(attention());
    let (written, events) = host.wait(15.5);
    assert_eq!(written, PROBE.repeat(4));
    let unresponsive = |probes| {
        let command = "AT".to_string();
        failed(ExchangeError::Unresponsive {
            command,
            probes,
            awaits: None,
        })
    };
    assert_eq!(events, [unresponsive(4)]);
    assert_eq!(host.session.poll_timeout(), None);
    assert_eq!(host.ask(attention()), PROBE);
    host.hear("\r\n+CMEE: 0\r\n\r\nOK\r\n");
    assert_eq!(host.written(), r"AT\r");
    assert_eq!(host.hear("\r\nOK\r\n").len(), 1);
}

#[test]
fn what_an_earlier_program_left_is_not_taken_for_an_answer() {
    let mut host = Host::new();
    host.session.synchronise(false, host.now);
    assert_eq!(host.ask(signal()), "");
    host.hear("abc\r\nOK\r\n\r\nOK\r\n");
    assert_eq!(host.wait(0.5).0, PROBE);
    host.hear("\r\nERROR\r\n");
    assert_eq!(host.written(), "");
    host.hear("\r\n+CMEE: 0\r\n\r\nOK\r\n");
    assert_eq!(host.written(), r"AT+CSQ\r");
}

#[test]
fn a_payload_that_was_cut_short_does_not_swallow_all_that_follows() {
    let mut host = Host::new();
    host.done(show_length(), "\r\nOK\r\n");
    host.hear("\r\n+LMQTTURC: RECV,0,1,\"t\",8000,abcd");
    host.ask(signal());
    host.hear("\r\n+CSQ: 29,0\r\n\r\nOK\r\n");
    assert_eq!(host.wait(5.0).1, [timeout("AT+CSQ", 5)]);
    host.ask(attention());
    assert_eq!(host.wait(0.5).0, PROBE);
    host.hear("\r\n+CMEE: 1\r\n\r\nOK\r\n");
    assert_eq!(host.wait(1.0).0, PROBE);
    host.hear("\r\n+CMEE: 1\r\n\r\nOK\r\n");
    assert_eq!(host.written(), r"AT\r");
    assert_eq!(host.session.counters().abandoned_lines, 1);
}

#[test]
fn a_flood_of_urcs_does_not_keep_the_fence_up() {
    let mut host = Host::new();
    host.ask(signal());
    host.wait(5.0);
    let mut written = String::new();
    for _ in 0..20 {
        host.hear("\r\n+LMQTTURC: RECV,0,1,\"t\",x\r\n");
        written += &host.wait(0.1).0;
    }
    assert!(written.starts_with(PROBE), "{written}");
}

#[test]
fn a_prompt_that_never_comes_leaves_no_byte_to_be_published() {
    let mut host = Host::new();
    host.ask(publish(6, b"\x00\r\n\x1a"));
    let error = ExchangeError::NoPrompt {
        command: "AT+LMQTTPUB".into(),
        limit: Duration::from_secs(10),
    };
    assert_eq!(host.wait(10.0).1, [failed(error)]);
    host.ask(attention());
    // It may wait for data: nothing is sent until it has given up.
    assert_eq!(host.wait(34.9).0, "");
    // Three bytes of four complete nothing.
    assert_eq!(host.wait(0.2).0, r"AT\r");
    host.hear("\r\nOK\r\n");
    assert_eq!(host.written(), PROBE);
    host.hear("\r\n+CMEE: 1\r\n\r\nOK\r\n");
    assert_eq!(host.written(), r"AT\r");
}

/// What is sent to a module that may wait for data stays shorter than the data, however often
/// somebody asks.
#[test]
fn no_message_is_completed_by_what_the_session_sends() {
    for (length, calls) in [(1, 0), (3, 0), (4, 1), (6, 1), (7, 2), (13, 4)] {
        let mut host = Host::new();
        host.ask(publish(6, &vec![0; length]));
        host.wait(10.0);
        let mut written = String::new();
        for probes in 1..8 {
            written += &host.ask(attention());
            let (sent, mut events) = host.wait(50.0);
            written += &sent;
            events.extend(host.events());
            let unsent = ExchangeError::Unresponsive {
                command: "AT".into(),
                probes: probes.min(calls as u32),
                awaits: Some(length),
            };
            assert_eq!(events, [failed(unsent)], "{length}");
        }
        assert_eq!(written, r"AT\r".repeat(calls), "{length}");
        // The module gives up after all.
        host.hear("\r\nERROR\r\n");
        host.hear("\r\nOK\r\n".repeat(calls));
        assert_eq!(host.done(attention(), "\r\nOK\r\n"), plain_attention());
    }
    let waits = ExchangeError::Unresponsive {
        command: "AT+CSQ".into(),
        probes: 0,
        awaits: Some(2),
    };
    assert_eq!(
        waits.to_string(),
        "the module may be waiting for 2 bytes of data, so AT+CSQ was not sent; reset the module"
    );
}

#[test]
fn a_module_that_has_answered_late_is_spoken_to_again() {
    let mut host = Host::new();
    host.ask(publish(6, &[0; 4]));
    host.wait(10.0);
    host.ask(attention());
    assert_eq!(host.wait(50.0).0, r"AT\r");
    // No more may be sent, until this shows that it takes commands.
    host.hear("\r\nERROR\r\n");
    assert_eq!(host.ask(signal()), PROBE);
}

#[test]
fn prompt_after_prompt_keeps_nobody_waiting_for_ever() {
    for prompt_end in [DataEnd::Length, DataEnd::ControlCharacters] {
        let mut host = Host::new();
        host.session.set_limits(Limits {
            prompt_end,
            ..atmq_protocol::dialect::lmqtt::NT35E.limits
        });
        host.ask(publish(6, b"\r\n\r\n"));
        host.wait(10.0);
        host.ask(signal());
        let mut events = Vec::new();
        for _ in 0..10 {
            events.append(&mut host.hear("\r\n> \r\n"));
            events.append(&mut host.wait(30.0).1);
        }
        let gave_up = |event: &Event| {
            matches!(
                event,
                Event::Completed(Err(ExchangeError::Unresponsive { .. }))
            )
        };
        assert!(events.iter().any(gave_up), "{events:?}");
    }
}

/// A reset that is sent blindly is data as well, and the probes behind it would be.
#[test]
fn what_is_missing_is_not_forgotten_behind_a_forced_command() {
    let mut host = Host::new();
    host.ask(publish(6, &[0; 20]));
    host.wait(10.0);
    let reset = raw("AT+CFUN=0,1");
    assert_eq!(host.session.awaits_data(12), None);
    assert_eq!(host.session.awaits_data(20), Some(20));
    host.session.force(12, host.now);
    assert_eq!(host.ask(reset), r"AT+CFUN=0,1\r");
    let mut written = host.wait(100.0).0;
    for _ in 0..5 {
        written += &host.ask(attention());
        written += &host.wait(100.0).0;
    }
    // Eight bytes were left, of which the last must not be sent.
    assert_eq!(written, r"AT\r".repeat(2));
}

fn plain_attention() -> Answer {
    Answer::Standard(Vec::new())
}

#[test]
fn a_module_left_at_a_prompt_by_another_program_is_sent_three_bytes() {
    let mut host = Host::new();
    host.session.synchronise(true, host.now);
    assert_eq!(host.ask(signal()), "");
    assert_eq!(host.wait(0.3).0, r"AT\r");
    assert_eq!(host.wait(34.8).0, "");
    // By now it has given up.
    assert_eq!(host.wait(0.3).0, PROBE);
    host.hear("\r\n+CMEE: 0\r\n\r\nOK\r\n");
    assert_eq!(host.written(), r"AT+CSQ\r");
}

/// Such as the one of a text message, which no dialect knows.
#[test]
fn no_probe_is_sent_to_a_prompt_that_nobody_expected() {
    let mut host = Host::new();
    host.ask(raw("AT+CMGS=\"123\""));
    host.hear("\r\n> ");
    assert_eq!(host.wait(60.0).1, [timeout("AT+CMGS", 60)]);
    host.ask(signal());
    assert_eq!(host.wait(35.0).0, r"AT\r");
    assert_eq!(host.wait(0.3).0, PROBE);
}

#[test]
fn a_module_that_answers_is_spoken_to_at_once() {
    let mut host = Host::new();
    host.session.synchronise(true, host.now);
    host.ask(signal());
    assert_eq!(host.wait(0.3).0, r"AT\r");
    host.hear("AT\r\r\nOK\r\n");
    assert_eq!(host.written(), PROBE);
    host.hear("AT+CMEE?\r\r\n+CMEE: 0\r\n\r\nOK\r\n");
    assert_eq!(host.written(), r"AT+CSQ\r");
}

/// `OK` alone, or `ERROR`, twice in a row: nothing better will come.
#[test]
fn a_module_that_does_not_know_the_probe_costs_no_fifteen_seconds() {
    for answer in ["\r\nOK\r\n", "\r\nERROR\r\n"] {
        let mut host = Host::new();
        host.session.synchronise(false, host.now);
        host.ask(signal());
        assert_eq!(host.wait(0.3).0, PROBE);
        host.hear(answer);
        assert_eq!(host.wait(0.3).0, PROBE);
        host.hear(answer);
        assert_eq!(host.wait(0.3).0, r"AT+CSQ\r");
    }
    // What an earlier program is still owed counts for neither.
    let mut host = Host::new();
    host.session.synchronise(false, host.now);
    host.ask(signal());
    host.wait(0.3);
    host.hear("\r\nOK\r\n\r\nERROR\r\n");
    assert_eq!(host.wait(0.3).0, PROBE);
    host.hear("\r\nERROR\r\n");
    assert_eq!(host.wait(0.3).0, PROBE);
}

#[test]
fn a_prompt_that_escape_leaves_is_left_by_it() {
    let mut host = Host::new();
    host.session.set_limits(Limits {
        prompt_end: DataEnd::ControlCharacters,
        ..atmq_protocol::dialect::lmqtt::NT35E.limits
    });
    host.ask(publish(6, b"\r\n\r\n"));
    assert_eq!(host.wait(10.0).0, r"\x1b");
    host.ask(attention());
    host.hear("\r\n> ");
    assert_eq!(host.written(), r"\x1b");
    host.hear("\r\nOK\r\n");
    assert_eq!(host.written(), r"AT\r");
}

#[test]
fn to_synchronise_while_a_prompt_is_awaited_publishes_nothing() {
    let mut host = Host::new();
    host.ask(publish(6, b"\x00\r\n\x1a"));
    host.session.synchronise(true, host.now);
    assert!(matches!(host.events()[..], [Event::Completed(Err(_))]));
    assert_eq!(host.wait(34.9).0, "");
    assert_eq!(host.wait(0.2).0, r"AT\r");
}

#[test]
fn a_prompt_that_comes_late_is_not_answered() {
    let mut host = Host::new();
    host.ask(publish(6, b"\x00\r\n\x1a"));
    host.wait(20.0);
    host.ask(attention());
    assert_eq!(host.hear("\r\n> "), []);
    assert_eq!(host.wait(29.9).0, "");
    // Here the module gives up, and owes nothing any more.
    host.hear("\r\nERROR\r\n");
    assert_eq!(host.written(), r"AT\r");
    assert_eq!(host.session.counters().probes, 0);
}

#[test]
fn data_that_was_lost_on_the_way_is_not_filled_up_with_a_command() {
    let mut host = Host::new();
    host.ask(publish(6, b"\x00\r\n\x1a"));
    host.wait(4.0);
    host.hear("\r\n> ");
    assert_eq!(host.wait(30.0).1, []);
    assert_eq!(host.wait(0.1).1, [timeout("AT+LMQTTPUB", 30)]);
    host.ask(attention());
    assert_eq!(host.wait(4.8).0, "");
    assert_eq!(host.wait(0.2).0, r"AT\r");
}

#[test]
fn a_report_that_does_not_come_needs_no_fence() {
    let mut host = Host::new();
    host.ask(publish(5, b"abcd"));
    host.hear("\r\nOK\r\n");
    let error = ExchangeError::NoReport {
        command: "AT+LMQTTPUB".into(),
        limit: Duration::from_secs(30),
        sent_again: false,
    };
    assert_eq!(host.wait(30.0).1, [failed(error)]);
    assert_eq!(
        host.ask(publish(6, b"abcd")),
        r#"AT+LMQTTPUB=0,6,1,0,\"t\",4,\"abcd\"\r"#
    );
    // The report of the first comes when the second is waiting for its own.
    let events = host.hear("\r\n+LMQTTPUB: 0,5,0\r\n\r\nOK\r\n");
    assert_eq!(events, [Event::Urc(published(5))]);
}

#[test]
fn a_report_without_ok_tells_the_outcome() {
    let mut host = Host::new();
    host.ask(publish(5, b"abcd"));
    host.hear("\r\n+LMQTTPUB: 0,5,0\r\n");
    assert_eq!(host.wait(30.0).1, [completed(reported(published(5)))]);
    assert_eq!(host.ask(attention()), "");
}

/// The module may wait for data, and would publish a probe.
#[test]
fn an_interrupted_publish_leaves_the_module_time_to_give_up() {
    let mut host = Host::new();
    host.ask(publish(1, b"\r\r\r\r"));
    host.hear("\r\n> ");
    host.written();
    host.session.interrupt(host.now);
    host.session.interrupt(host.now);
    let (written, events) = host.wait(34.0);
    assert_eq!((written.as_str(), events), ("", Vec::new()));
    assert_eq!(host.wait(1.1).0, r"AT\r");
}

/// The probe's answer has begun: its `OK` must not be taken for the next command's.
#[test]
fn a_fence_does_not_come_down_in_the_middle_of_an_answer() {
    let mut host = Host::new();
    host.ask(signal());
    host.wait(5.0);
    host.ask(signal());
    assert_eq!(host.wait(10.0).0, PROBE.repeat(4));
    host.hear("\r\n+CMEE: 1\r\n");
    let (written, events) = host.wait(10.0);
    assert_eq!(written, "");
    let (command, probes) = ("AT+CSQ".into(), 0);
    assert_eq!(
        events,
        [failed(ExchangeError::Unresponsive {
            command,
            probes,
            awaits: None,
        })]
    );
    host.hear("\r\nOK\r\n");
    assert_eq!(
        host.done(signal(), "\r\n+CSQ: 29,0\r\n\r\nOK\r\n"),
        quality(29)
    );
}

/// Noise may look like a prompt; the real one still comes.
#[test]
fn two_late_prompts_are_two() {
    let mut host = Host::new();
    host.ask(publish(6, b"\x00\r\n\x1a"));
    host.wait(11.0);
    host.ask(attention());
    host.hear("\r\n> \r\n");
    host.wait(20.0);
    host.hear("\r\n> ");
    assert_eq!(host.wait(34.9).0, "");
    assert_eq!(host.wait(0.2).0, r"AT\r");
}
