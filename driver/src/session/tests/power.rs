use super::*;

const PROBE: &str = r"AT+CMEE?\r";

fn rebooted(command: &str, reached: Reached) -> Event {
    let command = command.into();
    failed(ExchangeError::Rebooted { command, reached })
}

#[test]
fn a_reboot_ends_the_exchange_and_what_was_configured() {
    let mut host = Host::new();
    host.done(show_length(), "\r\nOK\r\n");
    host.ask(publish(5, b"abcd"));
    let events = host.hear("\x00^boot.rom'v'!\n");
    assert_eq!(
        events,
        [Event::Rebooted, rebooted("AT+LMQTTPUB", Reached::Written)]
    );
    let events = host.hear("\r\n+LMQTTURC: RECV,0,1,\"t\",4,abcd\r\n");
    assert_eq!(events, [Event::Urc(received(b"4,abcd"))]);
    assert_eq!(host.wait(1.1).0, PROBE);
    host.hear("\r\n+CMEE: 0\r\n\r\nOK\r\n");
    assert_eq!(host.ask(attention()), r"AT\r");
}

#[test]
fn what_was_known_before_the_reboot_is_told() {
    let mut host = Host::new();
    host.ask(publish(5, b"abcd"));
    host.hear("\r\nOK\r\n");
    let events = host.hear("\r\nRDY\r\n");
    assert_eq!(
        events,
        [Event::Rebooted, rebooted("AT+LMQTTPUB", Reached::Accepted)]
    );
    let Event::Completed(Err(error)) = &events[1] else {
        panic!("{events:?}");
    };
    assert_eq!(
        error.to_string(),
        "the module rebooted after it had taken AT+LMQTTPUB"
    );
}

/// Silence first, as when the supply has failed.
#[test]
fn a_reboot_after_silence_is_one_reboot() {
    let mut host = Host::new();
    host.ask(signal());
    assert!(matches!(host.wait(5.0).1[..], [Event::Completed(Err(_))]));
    host.wait(2.0);
    assert_eq!(host.hear("\x00RDY\r\n"), [Event::Rebooted]);
    // The boot loader, the firmware and the maker say so in turn.
    for line in ["^boot.rom'v'!\n", "\r\nRDY\r\n", "\r\nLierda NT35E\r\n"] {
        assert_eq!(host.hear(line), []);
    }
    assert_eq!(host.session.counters().reboots, 1);
    assert_eq!(host.wait(0.3).0, PROBE);
    host.hear("\r\n+CMEE: 0\r\n\r\nOK\r\n");
    assert_eq!(host.session.counters().recoveries, 1);
    assert_eq!(host.hear("\r\nRDY\r\n"), [Event::Rebooted]);
}

/// A module that starts over and over must not keep a caller waiting.
#[test]
fn a_boot_loop_does_not_keep_the_fence_up() {
    let mut host = Host::new();
    host.hear("\r\nRDY\r\n");
    assert_eq!(host.ask(attention()), "");
    let mut seconds = 0;
    let outcome = loop {
        host.hear("^boot.rom'v'!\n");
        seconds += 1;
        if let Some(outcome) = host.wait(1.0).1.pop() {
            break outcome;
        }
        assert!(seconds < 17);
    };
    let (command, probes) = ("AT".into(), 4);
    assert_eq!(
        outcome,
        failed(ExchangeError::Unresponsive {
            command,
            probes,
            awaits: None,
        })
    );
}

#[test]
fn the_manufacturer_is_no_boot_banner() {
    let mut host = Host::new();
    let answer = host.done(
        Command::Standard(StandardRequest::Manufacturer),
        "\r\nLierda\r\n\r\nOK\r\n",
    );
    let text = StandardInformation::Text("Lierda".into());
    assert_eq!(answer, Answer::Standard(vec![text]));
    let answer = host.done(raw("ATI"), "\r\nLierda\r\nNT35E\r\n\r\nOK\r\n");
    let lines = vec![b"Lierda".into(), b"NT35E".into()];
    let (result, report) = (FinalResult::Ok, None);
    let response = Response {
        lines,
        result,
        report,
    };
    assert_eq!(answer, Answer::Raw(response));
    assert_eq!(host.hear("\r\nLierda NT35E\r\n"), [Event::Rebooted]);
}

#[test]
fn the_manufacturer_that_is_told_late_is_no_boot_banner_either() {
    let mut host = Host::new();
    host.ask(raw("AT+CGMI"));
    host.wait(5.0);
    let late = Event::Unrecognised(b"Lierda".to_vec());
    assert_eq!(host.hear("\r\nLierda\r\n\r\nOK\r\n"), [late]);
    assert_eq!(host.session.counters().reboots, 0);
}

#[test]
fn a_reboot_is_no_answer_even_where_any_text_is_one() {
    for command in [
        raw("ATI"),
        Command::Standard(StandardRequest::Model),
        Command::Standard(StandardRequest::Subscriber),
    ] {
        for line in ["^boot.rom'v'!\n", "\r\nRDY\r\n"] {
            let mut host = Host::new();
            host.ask(command.clone());
            let events = host.hear(line);
            assert_eq!(events[0], Event::Rebooted);
            assert_eq!(events.len(), 2);
        }
    }
}

#[test]
fn a_payload_that_speaks_of_a_reboot_is_a_payload() {
    let mut host = Host::new();
    host.done(show_length(), "\r\nOK\r\n");
    let payload = b"^boot.rom\r\nRDY\r\nNORMAL POWER DOWN\r\nLierda";
    let urc = [&b"\r\n+LMQTTURC: RECV,0,1,\"t\",41,"[..], payload, b"\r\n"];
    assert_eq!(host.hear(urc.concat()), [Event::Urc(received(payload))]);
    assert_eq!(host.session.counters().reboots, 0);
}

/// The reader cannot know that the payload goes no further.
#[test]
fn a_reboot_in_the_middle_of_a_message_is_noticed_when_the_rest_does_not_come() {
    for banner in ["^boot.rom'v'!\n", "\r\nRDY\r\n"] {
        let mut host = Host::new();
        host.done(show_length(), "\r\nOK\r\n");
        let cut = "\r\n+LMQTTURC: RECV,0,1,\"t\",100,abcd";
        assert_eq!(host.hear([cut, banner].concat()), []);
        assert_eq!(host.wait(9.9), (String::new(), Vec::new()));
        assert_eq!(host.wait(0.2).1, [Event::Rebooted]);
        assert_eq!(host.session.counters().abandoned_lines, 1);
    }
}

/// The port is not read while messages wait for a slow reader.
#[test]
fn a_message_that_waits_in_the_port_is_not_dropped() {
    let mut host = Host::new();
    host.done(show_length(), "\r\nOK\r\n");
    host.hear("\r\n+LMQTTURC: RECV,0,1,\"t\",4,ab");
    host.session.hold_back(true, host.now);
    host.wait(600.0);
    host.session.hold_back(false, host.now);
    host.wait(9.0);
    assert_eq!(host.hear("cd\r\n"), [Event::Urc(received(b"abcd"))]);
}

#[test]
fn a_module_that_is_switched_off_is_not_asked_before_somebody_wants_something() {
    let mut host = Host::new();
    host.ask(publish(5, b"abcd"));
    let (command, reached) = ("AT+LMQTTPUB".into(), Reached::Written);
    let error = ExchangeError::PoweredDown { command, reached };
    let events = host.hear("\r\nNORMAL POWER DOWN\r\n");
    assert_eq!(events, [Event::PoweredDown, failed(error)]);
    assert_eq!(host.wait(600.0), (String::new(), Vec::new()));
    assert_eq!(host.ask(attention()), PROBE);
    assert_eq!(host.hear("\r\nRDY\r\n"), [Event::Rebooted]);
    assert_eq!(host.wait(0.3).0, PROBE);
    // The first probe got lost.
    host.hear("\r\n+CMEE: 0\r\n\r\nOK\r\n");
    assert_eq!(host.written(), r"AT\r");
    assert_eq!(host.session.counters().power_downs, 1);
}
