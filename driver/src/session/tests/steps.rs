//! Steps as no dialect has them yet: what asks for data, what ends it, and what gives the outcome.

use atmq_protocol::dialect::{Ask, Data, Expected, Prompt, Reported, Step};

use super::*;

const LIMIT: Duration = Duration::from_secs(20);

fn step(prompt: Prompt, report: bool) -> Step {
    let mut step = Step::new(b"AT+PUB=1\r".into(), LIMIT);
    step.data = Some(Data {
        ask: Ask {
            prompt,
            length: None,
            end: DataEnd::ControlCharacters,
            patience: Some(Duration::from_secs(60)),
            escapable: true,
        },
        bytes: b"data\x1a".into(),
        secret: false,
    });
    step.report = report.then_some(Expected {
        what: Reported::Published,
        connection: ID,
        message_id: None,
    });
    step
}

fn command(step: Step) -> Command {
    Command::Step(step.into())
}

fn refused() -> Event {
    failed(ExchangeError::Refused {
        command: "AT+PUB".into(),
        result: FinalResult::Error,
    })
}

#[test]
fn a_sign_may_be_longer_than_one_character() {
    let mut host = Host::new();
    assert_eq!(
        host.ask(command(step(Prompt::Sign(b">>>"), false))),
        r"AT+PUB=1\r"
    );
    for piece in ["\r\n>", ">"] {
        host.hear(piece);
        assert_eq!(host.written(), "");
    }
    host.hear(">");
    assert_eq!(host.written(), r"data\x1a");
    assert_eq!(host.hear("\r\nOK\r\n"), [completed(plain())]);
}

#[test]
fn a_word_may_ask_for_data() {
    for said in ["\r\nDOWNLOAD\r\n", "\r\nDOWNLOAD 5\r\n"] {
        let mut host = Host::new();
        host.ask(command(step(Prompt::Line(b"DOWNLOAD"), false)));
        // As free text it is no word.
        host.hear("\r\nDOWNLOADING\r\n> ");
        assert_eq!(host.written(), "");
        host.hear("\r\n");
        host.hear(said);
        assert_eq!(host.written(), r"data\x1a");
        assert_eq!(host.hear("\r\nOK\r\n"), [completed(plain())]);
        assert_eq!(host.ask(attention()), r"AT\r");
    }
}

#[test]
fn ok_before_the_sign_is_not_the_end() {
    // A second `OK` ends it, an error refuses it.
    for (said, ended) in [
        ("\r\nOK\r\n", completed(plain())),
        ("\r\nERROR\r\n", refused()),
    ] {
        let mut host = Host::new();
        host.ask(command(step(Prompt::SignAfterOk(b">"), false)));
        assert_eq!(host.hear("\r\nOK\r\n"), []);
        assert_eq!(host.written(), "");
        assert_eq!(host.hear("\r\n> "), []);
        assert_eq!(host.written(), r"data\x1a");
        assert_eq!(host.hear(said), [ended]);
    }
    // Where there is a report, that ends it, and no other `OK` is waited for.
    let mut host = Host::new();
    host.ask(command(step(Prompt::SignAfterOk(b">"), true)));
    host.hear("\r\nOK\r\n\r\n> ");
    let events = host.hear("\r\n+LMQTTPUB: 0,7,0\r\n");
    assert_eq!(events, [completed(reported(published(7)))]);
    host.written();
    assert_eq!(host.ask(attention()), r"AT\r");
}

#[test]
fn data_may_follow_ok() {
    let mut host = Host::new();
    host.ask(command(step(Prompt::AfterOk, false)));
    assert_eq!(host.hear("\r\nOK\r\n"), []);
    assert_eq!(host.written(), r"data\x1a");
    assert_eq!(host.hear("\r\nOK\r\n"), [completed(plain())]);
}

#[test]
fn a_prompt_that_does_not_come_is_left_as_its_step_says() {
    for (escapable, left) in [(true, r"\x1b"), (false, "")] {
        let mut host = Host::new();
        let mut step = step(Prompt::SignAfterOk(b">"), false);
        if let Some(data) = &mut step.data {
            data.ask.escapable = escapable;
        }
        host.ask(command(step));
        host.hear("\r\nOK\r\n");
        let (written, events) = host.wait(10.0);
        assert_eq!(written, left);
        assert!(matches!(
            events[..],
            [Event::Completed(Err(ExchangeError::NoPrompt { .. }))]
        ));
        if !escapable {
            // It waits for data for 60 s.
            host.ask(attention());
            assert_eq!(host.wait(64.0).0, "");
            assert_eq!(host.wait(2.0).0, r"AT\r");
        }
    }
}

#[test]
fn a_report_behind_an_error_decides() {
    let patient = || {
        let mut step = Step::new(b"AT+PUB=1\r".into(), LIMIT);
        step.report = Some(Expected {
            what: Reported::Published,
            connection: ID,
            message_id: None,
        });
        step.report_after_error = Duration::from_secs(2);
        command(step)
    };
    let mut host = Host::new();
    host.ask(patient());
    assert_eq!(host.hear("\r\nERROR\r\n"), []);
    host.wait(1.0);
    let events = host.hear("\r\n+LMQTTPUB: 0,0,0\r\n");
    assert_eq!(events, [completed(reported(published(0)))]);
    // None comes: it was refused.
    let mut host = Host::new();
    host.ask(patient());
    assert_eq!(host.hear("\r\nERROR\r\n"), []);
    assert_eq!(host.wait(1.9).1, []);
    assert_eq!(host.wait(0.2).1, [refused()]);
    assert_eq!(host.ask(attention()), r"AT\r");
}

#[test]
fn a_link_that_is_lost_ends_what_needs_it() {
    let mut host = Host::new();
    let mut configure = Step::new(b"AT+SET\r".into(), LIMIT);
    configure.link = Some(ID);
    host.ask(command(configure));
    let events = host.hear("\r\n+LMQTTURC: STATS,0,1\r\n\r\nOK\r\n");
    assert!(
        matches!(
            events[1],
            Event::Completed(Err(ExchangeError::LinkLost { .. }))
        ),
        "{events:?}"
    );
}
