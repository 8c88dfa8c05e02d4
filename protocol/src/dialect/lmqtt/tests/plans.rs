//! The steps of operations, and what their ends mean. Every byte is typed by hand.

use super::*;
use crate::at::result_code::{CmeError, FinalResult};
use crate::dialect::{Answer, Host, IfRefused, Next, Plan, Said, Step, StepEnd, Then};
use crate::mqtt::{
    Connect, Operation, Outcome, Proof, Publish, Reason, ReasonKind, TlsSetUp, TlsUse, TlsVersion,
};

fn host() -> Box<dyn Host> {
    Lmqtt::DEFAULT.host(&crate::dialect::lmqtt::NT35E.limits)
}

const DONE: StepEnd<'static> = StepEnd::Done {
    answers: &[],
    report: None,
};

/// Every step of a plan whose steps all end so.
fn steps(mut plan: Plan, end: &StepEnd<'_>) -> (Vec<Step>, Outcome) {
    let mut steps = vec![*plan.begin().expect("a plan has a step")];
    loop {
        match plan.next(end) {
            Next::Step(step) => steps.push(*step),
            Next::Done(outcome) => return (steps, outcome),
        }
    }
}

fn lines(steps: &[Step]) -> Vec<String> {
    let lines = steps.iter().map(|step| step.line.escape_ascii());
    lines
        .map(|line| line.to_string().replace("\\\"", "\""))
        .collect()
}

fn connect() -> Connect {
    let mut connect = Connect::new(ID, "broker.example", 1883, "meter");
    connect.username = Some("u".into());
    connect.password = Some(Secret::from("s3cret"));
    connect
}

fn refused() -> FinalResult {
    FinalResult::Cme(CmeError::Code(3))
}

#[test]
fn a_connect_begins_with_a_clean_slate_and_sets_what_it_depends_on() {
    let plan = host()
        .perform(Operation::Connect(Box::new(connect())))
        .unwrap();
    let (steps, outcome) = steps(plan, &DONE);
    assert_eq!(outcome, Outcome::Done);
    assert_eq!(
        lines(&steps),
        [
            r#"AT+LMQTTCLOSE=0\r"#,
            r#"AT+LMQTTCFG="recv/mode",0,0,1\r"#,
            r#"AT+LMQTTCFG="send/mode",0,0\r"#,
            r#"AT+LMQTTCFG="cache",0,0\r"#,
            r#"AT+LMQTTCFG="urc",0,1\r"#,
            r#"AT+LMQTTCFG="version",0,4\r"#,
            r#"AT+LMQTTCFG="session",0,1\r"#,
            r#"AT+LMQTTCFG="keepalive",0,120\r"#,
            r#"AT+LMQTTOPEN=0,"broker.example",1883\r"#,
            r#"AT+LMQTTCONN=0,"meter","u","s3cret"\r"#,
        ]
    );
    let needed: Vec<_> = steps
        .iter()
        .filter(|step| step.if_refused == IfRefused::Fails)
        .map(|step| String::from_utf8_lossy(step.name()).into_owned())
        .collect();
    assert_eq!(
        needed,
        [r#"AT+LMQTTCFG="session""#, "AT+LMQTTOPEN", "AT+LMQTTCONN"]
    );
    let begins: Vec<_> = steps.iter().map(|step| step.begins_link).collect();
    assert_eq!(begins.iter().position(|begins| *begins), Some(8));
    let last = steps.last().unwrap();
    let secret = last.secrets.iter().map(|place| &last.line[place.clone()]);
    assert!(
        secret
            .into_iter()
            .any(|secret| secret.starts_with(b"s3cret"))
    );
    let shown = format!("{last:?}");
    assert!(!shown.contains("s3cret"), "{shown}");
}

#[test]
fn tls_is_set_up_by_one_plan_at_a_time_and_a_file_is_given_once() {
    let mut connect = connect();
    connect.tls = Some(TlsUse {
        context: 1,
        set_up: Some(TlsSetUp {
            ca: Some(b"CA".as_slice().into()),
            identity: None,
            version: TlsVersion::All,
            server_name: true,
            ignore_time: false,
        }),
    });
    let mut host = host();
    let upload = r#"AT+LFUPL="atmq_ca_1.pem",2\r"#;
    for (known, given) in [(false, true), (true, false)] {
        let plan = host
            .perform(Operation::Connect(Box::new(connect.clone())))
            .unwrap();
        let (steps, _) = steps(plan, &DONE);
        let all = lines(&steps);
        assert_eq!(all.contains(&upload.to_string()), given, "known: {known}");
        for step in &steps {
            host.carried_out(&step.line);
        }
        let alone: Vec<_> = steps
            .iter()
            .filter(|step| step.then == Then::NoOtherSetUp)
            .map(|step| step.name().to_vec())
            .collect();
        let expected: &[&[u8]] = match given {
            true => &[
                b"AT+LMQTTCLOSE",
                b"AT+LFUPL",
                b"AT+LSSLCFG",
                b"AT+LSSLCFG",
                b"AT+LSSLCFG",
                b"AT+LSSLCFG",
            ],
            false => &[
                b"AT+LMQTTCLOSE",
                b"AT+LSSLCFG",
                b"AT+LSSLCFG",
                b"AT+LSSLCFG",
                b"AT+LSSLCFG",
            ],
        };
        assert_eq!(alone, expected);
    }
    host.estranged();
    let plan = host.perform(Operation::Connect(Box::new(connect))).unwrap();
    assert!(lines(&steps(plan, &DONE).0).contains(&upload.to_string()));
}

/// What came of a connect whose OPEN and CONN are reported so.
fn reported(opened: &[u8], connected: &[u8]) -> Outcome {
    let mut host = host();
    let mut plan = host
        .perform(Operation::Connect(Box::new(connect())))
        .unwrap();
    let mut step = plan.begin().unwrap();
    loop {
        let line = match step.name() {
            b"AT+LMQTTOPEN" => Some(opened),
            b"AT+LMQTTCONN" => Some(connected),
            _ => None,
        };
        let said = line.and_then(|line| host.read(line, Some(&step.line)));
        let report = match &said {
            Some(Said::Urc(urc)) => Some(urc),
            _ => None,
        };
        let met = report.is_none_or(|urc| step.report.is_some_and(|of| of.is_met_by(urc)));
        assert!(met, "{said:?}");
        match plan.next(&StepEnd::Done {
            answers: &[],
            report,
        }) {
            Next::Step(next) => step = next,
            Next::Done(outcome) => return outcome,
        }
    }
}

#[test]
fn the_reports_of_a_connect_decide() {
    let opened = b"+LMQTTOPEN: 0,0";
    for (open, conn, outcome) in [
        (&opened[..], &b"+LMQTTCONN: 0,0,0"[..], Outcome::Done),
        (
            b"+LMQTTOPEN: 0,-1,4",
            b"",
            Outcome::NotOpened(OpenFailure::Dns),
        ),
        (
            opened,
            b"+LMQTTCONN: 0,0,4",
            Outcome::Refused(Refusal::BadCredentials),
        ),
        (
            opened,
            b"+LMQTTCONN: 0,0,7",
            Outcome::NotAccepted(Reason::new(ReasonKind::BadParameter, Some(7))),
        ),
        (
            opened,
            b"+LMQTTCONN: 0,2,6",
            Outcome::NotAccepted(Reason::new(ReasonKind::NotSent, Some(6))),
        ),
    ] {
        assert_eq!(reported(open, conn), outcome, "{}", conn.escape_ascii());
    }
}

#[test]
fn a_connect_that_was_sent_again_asks_for_the_state() {
    for (state, outcome) in [
        (Some(ConnectionState::Connected), Outcome::Done),
        (
            Some(ConnectionState::Initial),
            Outcome::Failed(Proof::MayHaveArrived),
        ),
        (None, Outcome::Failed(Proof::MayHaveArrived)),
    ] {
        let mut plan = host()
            .perform(Operation::Connect(Box::new(connect())))
            .unwrap();
        let mut step = plan.begin().unwrap();
        while step.name() != b"AT+LMQTTCONN" {
            let Next::Step(next) = plan.next(&DONE) else {
                panic!("CONN comes last");
            };
            step = next;
        }
        let Next::Step(query) = plan.next(&StepEnd::Unreported { sent_again: true }) else {
            panic!("it asks");
        };
        assert_eq!(query.line, b"AT+LMQTTCONN?\r");
        let answers: Vec<_> = state
            .map(|state| Answer::State {
                connection: ID,
                state,
            })
            .into_iter()
            .collect();
        let end = StepEnd::Done {
            answers: &answers,
            report: None,
        };
        assert!(matches!(plan.next(&end), Next::Done(found) if found == outcome));
    }
}

#[test]
fn leaving_goes_to_its_end() {
    let refused = refused();
    let both = ["AT+LMQTTDISC=0\\r", "AT+LMQTTCLOSE=0\\r"];
    for (connected, end, expected, outcome) in [
        (true, DONE, &both[..], Outcome::Done),
        (true, StepEnd::Refused(&refused), &both, Outcome::Done),
        (false, DONE, &both[1..], Outcome::Done),
        (
            true,
            StepEnd::Broken,
            &both,
            Outcome::Failed(Proof::MayHaveArrived),
        ),
    ] {
        let operation = Operation::Disconnect {
            connection: ID,
            connected,
        };
        let (steps, found) = steps(host().perform(operation).unwrap(), &end);
        assert_eq!(lines(&steps), expected);
        assert_eq!(found, outcome);
    }
}

#[test]
fn the_end_of_a_publish_proves_what_it_proves() {
    let publish = || {
        Operation::Publish(Publish {
            connection: ID,
            message_id: 5,
            qos: QoS::AtLeastOnce,
            retain: false,
            topic: "t".into(),
            payload: b"a\"b".to_vec(),
        })
    };
    let (steps_of, accepted) = steps(host().perform(publish()).unwrap(), &DONE);
    assert_eq!(lines(&steps_of), ["AT+LMQTTPUB=0,5,1,0,\"t\",3\\r"]);
    let data = steps_of[0].data.as_ref().unwrap();
    assert_eq!(data.bytes, b"a\"b");
    assert_eq!(accepted, Outcome::Accepted);
    let refused = refused();
    let ends = [
        (StepEnd::Refused(&refused), Proof::NeverLeft),
        (StepEnd::Broken, Proof::MayHaveArrived),
        (
            StepEnd::Unreported { sent_again: false },
            Proof::MayHaveArrived,
        ),
    ];
    for (end, proof) in ends {
        let (_, outcome) = steps(host().perform(publish()).unwrap(), &end);
        assert_eq!(outcome, Outcome::Failed(proof));
    }
    for (line, proof) in [
        (&b"+LMQTTPUB: 0,5,0"[..], Proof::Acknowledged),
        (b"+LMQTTPUB: 0,5,1", Proof::MayHaveArrived),
        (b"+LMQTTPUB: 0,5,2,6", Proof::MayHaveArrived),
        (b"+LMQTTPUB: 0,5,2,7", Proof::NeverLeft),
    ] {
        let mut host = host();
        let Some(Said::Urc(urc)) = host.read(line, None) else {
            panic!("{}", line.escape_ascii());
        };
        let end = StepEnd::Done {
            answers: &[],
            report: Some(&urc),
        };
        let (_, outcome) = steps(host.perform(publish()).unwrap(), &end);
        assert!(
            matches!(outcome, Outcome::Published { proof: found, .. } if found == proof),
            "{}: {outcome:?}",
            line.escape_ascii()
        );
    }
}

#[test]
fn what_the_module_was_told_decides_what_follows() {
    let mut host = host();
    assert!(host.carried_out(b"AT+LMQTTCFG=\"cache\",0,1\r").unwrap().on);
    assert_eq!(host.carried_out(b"AT+LMQTTCFG=\"urc\",0,0\r"), None);
    let publish = Operation::Publish(Publish {
        connection: ID,
        message_id: 0,
        qos: QoS::AtMostOnce,
        retain: false,
        topic: "t".into(),
        payload: b"x".to_vec(),
    });
    let mut plan = host.perform(publish.clone()).unwrap();
    assert_eq!(plan.begin().unwrap().report, None);
    assert_eq!(host.carried_out(b"AT+LMQTTCFG=\"send/mode\",0,1\r"), None);
    let mut plan = host.perform(publish.clone()).unwrap();
    assert_eq!(
        plan.begin().unwrap().line,
        b"AT+LMQTTPUB=0,0,0,0,\"t\",2,\"78\"\r"
    );
    // A close loses it all.
    host.read(b"+LMQTTCLOSE: 0,0", None);
    let mut plan = host.perform(publish).unwrap();
    let step = plan.begin().unwrap();
    assert_eq!(step.line, b"AT+LMQTTPUB=0,0,0,0,\"t\",1,\"x\"\r");
    assert!(step.report.is_some());
}

/// Said of a command that somebody else has typed.
#[test]
fn commands_of_others_are_understood() {
    let host = host();
    let announced = |line: &str| host.command(line.as_bytes()).unwrap().ask.unwrap();
    assert_eq!(announced("AT+LMQTTPUB=0,1,1,0,\"t\",4").length, Some(4));
    assert_eq!(
        announced("at+lfupl=\"f\",9,7\r")
            .patience
            .unwrap()
            .as_secs(),
        7
    );
    let inline = host.command(b"AT+LMQTTPUB=0,1,1,0,\"t\",1,\"x\"").unwrap();
    assert_eq!(inline.ask, None);
    assert_eq!(inline.limit.as_secs(), 30);
    assert_eq!(host.command(b"AT+CSQ"), None);
    assert_eq!(host.command(b"AT+LMQTTPUB=0"), None);
    assert_eq!(host.command(b"AT"), None);
    assert_eq!(host.command(b""), None);
}
