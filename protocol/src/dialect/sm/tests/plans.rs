//! The steps of operations, and what their ends mean. Every byte is typed by hand.

use super::*;
use crate::Secret;
use crate::at::result_code::FinalResult;
use crate::dialect::{
    Answer, EncodeError, IfRefused, Next, Plan, Prompt, Reported, Step, StepEnd, Then,
};
use crate::mqtt::{
    AliDevice, Connect, Operation, Outcome, PayloadFormat, Proof, Publish, PublishResult, Reason,
    TlsSetUp, TlsUse, TlsVersion, TopicFilter, Version, Will,
};

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

fn plan(connect: Connect) -> Result<Plan, EncodeError> {
    host().perform(Operation::Connect(Box::new(connect)))
}

#[test]
fn a_connect_begins_with_a_clean_slate_and_sets_what_the_module_may_have_kept() {
    let (steps, outcome) = steps(plan(connect()).unwrap(), &DONE);
    assert_eq!(outcome, Outcome::Done);
    assert_eq!(
        lines(&steps),
        [
            r#"AT+SMDISC\r"#,
            r#"AT+CNACT=0,1\r"#,
            r#"AT+SMSSL=0,"",""\r"#,
            r#"AT+SMCONF="URL","broker.example",1883\r"#,
            r#"AT+SMCONF="CLIENTID","meter"\r"#,
            r#"AT+SMCONF="KEEPTIME",120\r"#,
            r#"AT+SMCONF="CLEANSS",1\r"#,
            r#"AT+SMCONF="USERNAME","u"\r"#,
            r#"AT+SMCONF="PASSWORD","s3cret"\r"#,
            r#"AT+SMCONF="TOPIC",""\r"#,
            r#"AT+SMCONF="SUBHEX",1\r"#,
            r#"AT+SMCONF="ASYNCMODE",0\r"#,
            r#"AT+SMPUBHEX=0\r"#,
            r#"AT+SMCONN\r"#,
        ]
    );
    let needed: Vec<_> = steps
        .iter()
        .filter(|step| step.if_refused == IfRefused::Fails)
        .map(|step| String::from_utf8_lossy(step.name()).into_owned())
        .collect();
    assert_eq!(
        needed,
        [
            "AT+SMCONF=\"URL\"",
            "AT+SMCONF=\"CLIENTID\"",
            "AT+SMCONF=\"KEEPTIME\"",
            "AT+SMCONF=\"CLEANSS\"",
            "AT+SMCONF=\"USERNAME\"",
            "AT+SMCONF=\"PASSWORD\"",
            "AT+SMCONN",
        ]
    );
    let costs = |step: &&Step| matches!(step.if_refused, IfRefused::Costs(_));
    let costly: Vec<_> = steps.iter().filter(costs).collect();
    assert_eq!(costly[0].name(), b"AT+SMCONF=\"SUBHEX\"");
    let begins: Vec<_> = steps.iter().map(|step| step.begins_link).collect();
    assert_eq!(begins.iter().filter(|begins| **begins).count(), 1);
    assert_eq!(begins.last(), Some(&true));
    // The bearer is there when the module says so.
    let report = steps[1].report.unwrap();
    assert_eq!(report.what, Reported::Activated);
    assert!(report.is_met_by(&status(LinkStatus::Fine)));
    assert!(!report.is_met_by(&status(LinkStatus::Closed)));
    // The password is no part of what is logged.
    for step in &steps {
        let secret = step.line.windows(6).position(|part| part == b"s3cret");
        let hidden = step.secrets.first();
        assert_eq!(secret.is_some(), hidden.is_some());
        if let (Some(at), Some(hidden)) = (secret, hidden) {
            assert!(hidden.contains(&at) && hidden.contains(&(at + 5)));
        }
    }
}

#[test]
fn the_older_modules_have_one_bearer() {
    let mut host = Sm::OLDER.host(&SIM7000.limits);
    let plan = host
        .perform(Operation::Connect(Box::new(connect())))
        .unwrap();
    let lines = lines(&steps(plan, &DONE).0);
    assert_eq!(lines[1], r"AT+CNACT=1\r");
    assert!(!lines.iter().any(|line| line.contains("ASYNCMODE")));
}

#[test]
fn a_will_and_digits_are_set() {
    let mut connect = connect();
    connect.will = Some(Will::new("w", "gone").qos(QoS::AtLeastOnce).retain(true));
    connect.payloads = PayloadFormat::Hex;
    connect.clean_session = false;
    let lines = lines(&steps(plan(connect).unwrap(), &DONE).0);
    for line in [
        r#"AT+SMCONF="TOPIC","w"\r"#,
        r#"AT+SMCONF="MESSAGE","gone"\r"#,
        r#"AT+SMCONF="QOS",1\r"#,
        r#"AT+SMCONF="RETAIN",1\r"#,
        r#"AT+SMCONF="CLEANSS",0\r"#,
        r#"AT+SMPUBHEX=1\r"#,
    ] {
        assert!(lines.iter().any(|known| known == line), "{line}");
    }
}

#[test]
fn a_device_of_alibaba_cloud_has_the_module_compute() {
    let mut connect = connect();
    connect.device = Some(AliDevice::new("key", "name", Secret::from("s3cret")));
    let (steps, _) = steps(plan(connect).unwrap(), &DONE);
    let lines = lines(&steps);
    let line = r#"AT+SMALIAUTH="key","name","s3cret"\r"#;
    let at = lines.iter().position(|known| known == line).unwrap();
    assert_eq!(steps[at].secrets.len(), 1);
}

#[test]
fn what_the_module_cannot_do_is_refused_before_the_first_byte() {
    let refused = |change: fn(&mut Connect)| {
        let mut connect = connect();
        change(&mut connect);
        plan(connect).map(drop).unwrap_err().to_string()
    };
    for (change, word) in [
        (
            (|connect| connect.version = Version::V3_1) as fn(&mut Connect),
            "3.1.1",
        ),
        (|connect| connect.cached = true, "keeps no messages"),
        (
            |connect| connect.timeouts = Some(Default::default()),
            "time limits",
        ),
        (
            |connect| connect.connection = ConnectionId(1),
            "the connection is 1",
        ),
        (
            |connect| connect.host = String::new(),
            "the host name is empty",
        ),
        (
            |connect| connect.client_id = "\"".into(),
            "no AT command can carry",
        ),
        (
            |connect| connect.will = Some(Will::new("w", b"\xff")),
            "not text",
        ),
    ] {
        let message = refused(change);
        assert!(message.contains(word), "{message}");
    }
    for operation in [
        Operation::ListUnread,
        Operation::Read {
            connection: ID,
            message_id: 0,
        },
    ] {
        assert!(host().perform(operation).is_err());
    }
}

fn set_up(size: usize) -> TlsSetUp {
    TlsSetUp {
        ca: Some(vec![b'c'; size].into()),
        identity: Some((b"cert"[..].into(), b"key"[..].into())),
        version: TlsVersion::V1_2,
        server_name: true,
        ignore_time: false,
    }
}

fn with_tls(size: usize) -> Operation {
    let mut connect = connect();
    connect.tls = Some(TlsUse {
        context: 0,
        set_up: Some(set_up(size)),
    });
    Operation::Connect(Box::new(connect))
}

#[test]
fn tls_gives_files_converts_them_and_names_them() {
    let mut host = host();
    let (given, _) = steps(host.perform(with_tls(10241)).unwrap(), &DONE);
    assert_eq!(
        lines(&given)[2..15],
        [
            r#"AT+CFSINIT\r"#,
            r#"AT+CFSWFILE=3,"atmq_ca_0.pem",0,10240,10000\r"#,
            r#"AT+CFSWFILE=3,"atmq_ca_0.pem",1,1,10000\r"#,
            r#"AT+CFSWFILE=3,"atmq_cert_0.pem",0,4,10000\r"#,
            r#"AT+CFSWFILE=3,"atmq_key_0.pem",0,3,10000\r"#,
            r#"AT+CFSTERM\r"#,
            r#"AT+CSSLCFG="CONVERT",2,"atmq_ca_0.pem"\r"#,
            r#"AT+CSSLCFG="CONVERT",1,"atmq_cert_0.pem","atmq_key_0.pem"\r"#,
            r#"AT+CSSLCFG="SSLVERSION",0,3\r"#,
            r#"AT+CSSLCFG="SNI",0,"broker.example"\r"#,
            r#"AT+CSSLCFG="IGNORERTCTIME",0,0\r"#,
            r#"AT+SMSSL=1,"atmq_ca_0.pem","atmq_cert_0.pem"\r"#,
            r#"AT+SMCONF="URL","broker.example",1883\r"#,
        ]
    );
    let data = given[3].data.as_ref().unwrap();
    assert_eq!(data.ask.prompt, Prompt::Line(b"DOWNLOAD"));
    assert!(data.secret);
    assert_eq!(data.bytes.len(), 10240);
    let set_ups = given.iter().take(13);
    assert!(set_ups.clone().all(|step| step.then == Then::NoOtherSetUp));
    // What was converted is there.
    for step in &given {
        host.carried_out(&step.line);
    }
    let (again, _) = steps(host.perform(with_tls(10241)).unwrap(), &DONE);
    assert_eq!(lines(&again)[2], r#"AT+CSSLCFG="SSLVERSION",0,3\r"#);
    let (other, _) = steps(host.perform(with_tls(7)).unwrap(), &DONE);
    assert_eq!(
        lines(&other)[2..6],
        [
            r#"AT+CFSINIT\r"#,
            r#"AT+CFSWFILE=3,"atmq_ca_0.pem",0,7,10000\r"#,
            r#"AT+CFSTERM\r"#,
            r#"AT+CSSLCFG="CONVERT",2,"atmq_ca_0.pem"\r"#,
        ]
    );
    host.estranged();
    let (anew, _) = steps(host.perform(with_tls(10241)).unwrap(), &DONE);
    assert_eq!(anew.len(), given.len());
}

#[test]
fn what_a_connect_comes_to() {
    let refused = FinalResult::Error;
    let refused = StepEnd::Refused(&refused);
    // SMCONN is the last of them.
    for (end, expected) in [
        (&DONE, Outcome::Done),
        (&refused, Outcome::NotAccepted(Reason::NONE)),
        (&StepEnd::Broken, Outcome::Failed(Proof::MayHaveArrived)),
    ] {
        let mut plan = plan(connect()).unwrap();
        let mut step = plan.begin().unwrap();
        let outcome = loop {
            let end = match step.name() {
                b"AT+SMCONN" => end,
                // That it comes up is not always told.
                b"AT+CNACT" => &StepEnd::Unreported { sent_again: false },
                _ => &DONE,
            };
            match plan.next(end) {
                Next::Step(next) => step = next,
                Next::Done(outcome) => break outcome,
            }
        };
        assert_eq!(outcome, expected);
    }
    let mut tls = host().perform(with_tls(1)).unwrap();
    tls.begin();
    for _ in 0..3 {
        assert!(matches!(tls.next(&DONE), Next::Step(_)));
    }
    assert!(matches!(
        tls.next(&refused),
        Next::Done(Outcome::TlsNotTaken)
    ));
}

fn publish(payload: &[u8]) -> Publish {
    Publish {
        connection: ID,
        message_id: 7,
        qos: QoS::AtLeastOnce,
        retain: true,
        topic: "t".into(),
        payload: payload.into(),
    }
}

#[test]
fn a_message_goes_behind_the_prompt() {
    let mut host = host();
    let any = b"\"a\",\r\nOK\r\n\x1a\x1b\0\xff";
    let mut plan = host.perform(Operation::Publish(publish(any))).unwrap();
    let step = plan.begin().unwrap();
    assert_eq!(step.line, b"AT+SMPUB=\"t\",14,1,1\r");
    let data = step.data.as_ref().unwrap();
    assert_eq!((&data.bytes[..], data.ask.length), (&any[..], Some(14)));
    assert_eq!(step.link, Some(ID));
    let Next::Done(outcome) = plan.next(&DONE) else {
        panic!("there is one step");
    };
    let done = Outcome::Published {
        result: PublishResult::Done,
        reason: Reason::NONE,
        proof: Proof::Acknowledged,
    };
    assert_eq!(outcome, done);
    // Nothing tells when the module has given up.
    for end in [
        StepEnd::Refused(&FinalResult::Error),
        StepEnd::Broken,
        StepEnd::LinkLost(LinkStatus::Closed),
    ] {
        let mut plan = host.perform(Operation::Publish(publish(b"x"))).unwrap();
        plan.begin();
        let Next::Done(outcome) = plan.next(&end) else {
            panic!("there is one step");
        };
        assert_eq!(outcome, Outcome::Failed(Proof::MayHaveArrived));
    }
    host.carried_out(b"AT+SMPUBHEX=1\r");
    let mut plan = host.perform(Operation::Publish(publish(b"\0a"))).unwrap();
    let step = plan.begin().unwrap();
    assert_eq!(step.line, b"AT+SMPUB=\"t\",4,1,1\r");
    assert_eq!(step.data.unwrap().bytes, b"0061");
    for (hexadecimal, most) in [(false, 1024), (true, 512)] {
        let mut connect = connect();
        if hexadecimal {
            connect.payloads = PayloadFormat::Hex;
        }
        let fits = |length| host.check_publish(&connect, publish(&vec![b'x'; length]));
        assert_eq!(fits(most), Ok(()));
        let too_long = EncodeError::TooLong {
            field: "the payload",
            length: most + 1,
            max: most,
        };
        assert_eq!(fits(most + 1), Err(too_long));
    }
    let topic = Publish {
        topic: "t".repeat(129),
        ..publish(b"")
    };
    assert!(host.perform(Operation::Publish(topic)).is_err());
}

#[test]
fn each_topic_has_its_command() {
    let filters = [("a/#", QoS::AtMostOnce), ("b", QoS::ExactlyOnce)];
    let filters = filters.map(|(filter, qos)| TopicFilter {
        filter: filter.into(),
        qos,
    });
    let subscribe = || Operation::Subscribe {
        connection: ID,
        message_id: 1,
        filters: filters.to_vec(),
    };
    let (subscribed, outcome) = steps(host().perform(subscribe()).unwrap(), &DONE);
    assert_eq!(outcome, Outcome::Done);
    let expected = [r#"AT+SMSUB="a/#",0\r"#, r#"AT+SMSUB="b",2\r"#];
    assert_eq!(lines(&subscribed), expected);
    let mut plan = host().perform(subscribe()).unwrap();
    plan.begin();
    assert!(matches!(
        plan.next(&StepEnd::Refused(&FinalResult::Error)),
        Next::Done(Outcome::SubscriptionFailed(Reason::NONE))
    ));
    let unsubscribe = Operation::Unsubscribe {
        connection: ID,
        message_id: 1,
        filters: vec!["a/#".into(), "b".into()],
    };
    let (unsubscribed, _) = steps(host().perform(unsubscribe).unwrap(), &DONE);
    let expected = [r#"AT+SMUNSUB="a/#"\r"#, r#"AT+SMUNSUB="b"\r"#];
    assert_eq!(lines(&unsubscribed), expected);
}

#[test]
fn the_state_tells_of_a_lost_link_as_well() {
    let mut host = host();
    let mut plan = host.perform(Operation::State { connection: ID }).unwrap();
    let step = plan.begin().unwrap();
    assert_eq!(step.line, b"AT+SMSTATE?\r");
    let state = ConnectionState::Connected;
    for line in [b"+SMSTATE: 1", b"+SMSTATE: 2"] {
        let answer = Answer::State {
            connection: ID,
            state,
        };
        assert_eq!(
            host.read(line, Some(&step.line)),
            Some(Said::Answer(answer))
        );
    }
    let lost = Some(Said::Urc(status(LinkStatus::Closed)));
    assert_eq!(host.read(b"+SMSTATE: 0", Some(&step.line)), lost);
    assert_eq!(host.read(b"+SMSTATE: 0", None), lost);
    assert!(matches!(plan.next(&DONE), Next::Done(Outcome::State(None))));
}

#[test]
fn what_others_write_is_understood() {
    let host = host();
    let commanded = host.command(b"AT+SMPUB=\"t\",3,1,0\r").unwrap();
    assert_eq!(commanded.ask.unwrap().length, Some(3));
    assert_eq!(commanded.intent.connection(), Some(ID));
    assert!(host.command(b"AT+SMCONN\r").is_some());
    assert!(host.command(b"AT+CSQ\r").is_none());
    assert!(host.command(b"AT+SMPUB=\"t\",3\r").is_none());
}

#[test]
fn a_disconnect_may_find_nothing() {
    let operation = Operation::Disconnect {
        connection: ID,
        connected: false,
    };
    let (steps, outcome) = steps(host().perform(operation).unwrap(), &DONE);
    assert_eq!(lines(&steps), [r"AT+SMDISC\r"]);
    assert_eq!(steps[0].if_refused, IfRefused::Nothing);
    assert_eq!(outcome, Outcome::Done);
}

/// Also where the module shows it without the name of a command in front.
#[test]
fn no_secret_is_shown() {
    for line in [
        "AT+SMCONF=\"PASSWORD\",\"s3cret\"",
        "AT+SMCONF=PASSWORD,s3cret",
        "AT+SMALIAUTH=\"k\",\"n\",\"s3cret\"",
        "+SMCONF:\r\nUSERNAME: \"u\"\r\nPASSWORD: \"s3cret\"\r\nCLEANSS: 0\r\n",
        "+SMALIAUTH:\r\nDevice Name: \"n\"\r\nDevice Secret: \"s3cret\"\r\n",
        "+SMALIDYNA:\r\nDevice Name: \"n\"\r\nProduct Secret: \"s3cret\"\r\n",
    ] {
        let shown = crate::redact::redacted(line.as_bytes());
        let shown = String::from_utf8_lossy(&shown);
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}
