//! What a host sends for an operation, step by step, and what it makes of the answers.

use core::time::Duration;

use super::*;
use crate::dialect::{Answer, EncodeError, Host, IfRefused, Next, Plan, Said, Step, StepEnd, Then};
use crate::mqtt::{
    Connect, ConnectionState, OpenFailure, Operation, Outcome, PayloadFormat, Publish, Reason,
    ReasonKind, Refusal, TlsSetUp, TlsUse, TlsVersion, Will,
};

pub(super) const DONE: StepEnd<'_> = StepEnd::Done {
    answers: &[],
    report: None,
};

pub(super) fn host(model: &Model) -> Box<dyn Host> {
    dialect(model).host(&model.limits)
}

/// The steps of a plan that all go well; a step with data shows it behind the line.
pub(super) fn steps(plan: &mut Plan) -> Vec<Step> {
    let mut steps = vec![*plan.begin().expect("a plan has a step")];
    loop {
        match plan.next(&DONE) {
            Next::Step(step) => steps.push(*step),
            Next::Done(_) => return steps,
        }
    }
}

pub(super) fn shown(steps: &[Step]) -> Vec<String> {
    let lines = steps.iter().map(|step| {
        let data = step.data.as_ref().map(|data| &data.bytes[..]);
        let line = [step.line.trim_ascii_end(), data.map_or(&b""[..], |_| b">")].concat();
        String::from_utf8_lossy(&[&line[..], data.unwrap_or_default()].concat()).into_owned()
    });
    lines.collect()
}

fn connect() -> Connect {
    let mut connect = Connect::new(ID, "h", 1883, "c");
    connect.username = Some("u".into());
    connect.password = Some("p".to_string().into());
    connect
}

pub(super) fn publish(qos: QoS, payload: &[u8]) -> Operation {
    Operation::Publish(Publish {
        connection: ID,
        message_id: 1,
        qos,
        retain: true,
        topic: "a\"b".into(),
        payload: payload.into(),
    })
}

#[test]
fn a_client_is_acquired_connects_and_is_released() {
    for (model, client) in [
        (
            A7670,
            &[
                "AT+CMQTTACCQ=0,\"c\",0",
                "AT+CMQTTCFG=\"checkUTF8\",0,0",
                "AT+CMQTTCFG=\"version\",0,4",
            ][..],
        ),
        (
            SIM7600,
            &["AT+CMQTTACCQ=0,\"c\",0,4", "AT+CMQTTCFG=\"checkUTF8\",0,0"],
        ),
        (
            SIM7672,
            &[
                "AT+CMQTTACCQ=0,\"c\",0",
                "AT+CMQTTCFG=\"checkUTF8\",0,0",
                "AT+CMQTTCFG=\"version\",0,4",
            ],
        ),
    ] {
        let mut host = host(&model);
        let connect = Box::new(connect());
        let steps = steps(&mut host.perform(Operation::Connect(connect)).unwrap());
        let mut expected = vec!["AT+CMQTTSTART", "AT+CMQTTDISC=0,0", "AT+CMQTTREL=0"];
        expected.extend(client);
        expected.push("AT+CMQTTCONNECT=0,\"tcp://h:1883\",120,1,\"u\",\"p\"");
        assert_eq!(shown(&steps), expected, "{}", model.name);
        // What another program has left may be there or not.
        let tolerated = steps
            .iter()
            .map(|step| step.if_refused == IfRefused::Nothing);
        let count = tolerated.clone().take_while(|tolerated| *tolerated).count();
        assert_eq!((count, tolerated.filter(|is| *is).count()), (3, 3));
        let last = steps.last().unwrap();
        assert!(last.begins_link && last.report.is_some());
        assert!(!last.secrets.is_empty());
        assert_eq!(steps[0].then, Then::NoOtherSetUp);

        let operation = Operation::Disconnect {
            connection: ID,
            connected: true,
        };
        let steps = self::steps(&mut host.perform(operation).unwrap());
        assert_eq!(shown(&steps), ["AT+CMQTTDISC=0,60", "AT+CMQTTREL=0"]);
    }
}

#[test]
fn a_will_and_a_tls_context_come_before_the_connection() {
    let mut host = host(&A7670);
    let mut connect = connect();
    connect.connection = OTHER;
    connect.clean_session = false;
    connect.will = Some(Will::new("w", "gone").qos(QoS::AtLeastOnce));
    connect.tls = Some(TlsUse {
        context: 3,
        set_up: Some(TlsSetUp {
            ca: Some(b"CA"[..].into()),
            identity: None,
            version: TlsVersion::V1_2,
            server_name: true,
            ignore_time: false,
        }),
    });
    let operation = || Operation::Connect(Box::new(connect.clone()));
    let first = steps(&mut host.perform(operation()).unwrap());
    let expected = [
        "AT+CMQTTSTART",
        "AT+CCERTDOWN=\"atmq_ca_3.pem\",2>CA",
        "AT+CSSLCFG=\"cacert\",3,\"atmq_ca_3.pem\"",
        "AT+CSSLCFG=\"sslversion\",3,3",
        "AT+CSSLCFG=\"authmode\",3,1",
        "AT+CSSLCFG=\"ignorelocaltime\",3,0",
        "AT+CSSLCFG=\"enableSNI\",3,1",
        "AT+CMQTTDISC=1,0",
        "AT+CMQTTREL=1",
        "AT+CMQTTACCQ=1,\"c\",1",
        "AT+CMQTTSSLCFG=1,3",
        "AT+CMQTTCFG=\"checkUTF8\",1,0",
        "AT+CMQTTCFG=\"version\",1,4",
        "AT+CMQTTWILLTOPIC=1,1>w",
        "AT+CMQTTWILLMSG=1,4,1>gone",
        "AT+CMQTTCONNECT=1,\"tcp://h:1883\",120,0,\"u\",\"p\"",
    ];
    assert_eq!(shown(&first), expected);
    assert!(first[1].data.as_ref().unwrap().secret);
    assert_eq!(first[6].then, Then::Anybody);
    assert_eq!(first[5].then, Then::NoOtherSetUp);
    // A file that the module has stored is not sent again.
    host.carried_out(b"AT+CCERTDOWN=\"atmq_ca_3.pem\",2\r");
    let second = steps(&mut host.perform(operation()).unwrap());
    assert_eq!(second.len(), first.len() - 1);
    host.started();
    let third = steps(&mut host.perform(operation()).unwrap());
    assert_eq!(third.len(), first.len());
}

#[test]
fn what_comes_of_a_connect() {
    let started = |result| Urc::Opened {
        connection: SERVICE,
        result,
    };
    let mut host = host(&SIM7600);
    let mut plan = || {
        let operation = Operation::Connect(Box::new(connect()));
        let mut plan = host.perform(operation).unwrap();
        plan.begin();
        plan
    };
    // The service cannot be started, or runs.
    let report = started(Err(OpenFailure::PdpActivation));
    let end = StepEnd::Done {
        answers: &[],
        report: Some(&report),
    };
    let Next::Done(outcome) = plan().next(&end) else {
        panic!("it goes on");
    };
    assert_eq!(outcome, Outcome::NotOpened(OpenFailure::PdpActivation));
    let report = started(Err(OpenFailure::InUse));
    let end = StepEnd::Done {
        answers: &[],
        report: Some(&report),
    };
    assert!(matches!(plan().next(&end), Next::Step(_)));

    for (line, expected) in [
        ("+CMQTTCONNECT: 0,0", Outcome::Done),
        (
            "+CMQTTCONNECT: 0,3",
            Outcome::NotOpened(OpenFailure::Network),
        ),
        ("+CMQTTCONNECT: 0,25", Outcome::NotOpened(OpenFailure::Dns)),
        ("+CMQTTCONNECT: 0,32", Outcome::NotOpened(OpenFailure::Tls)),
        ("+CMQTTCONNECT: 0,34", Outcome::NotOpened(OpenFailure::Tls)),
        ("+CMQTTCONNECT: 0,28", Outcome::Refused(Refusal::Identifier)),
        (
            "+CMQTTCONNECT: 0,26",
            Outcome::NotAccepted(Reason::new(ReasonKind::Unknown, Some(26))),
        ),
    ] {
        let mut plan = plan();
        let mut end = DONE;
        let report = super::super::report::decode(line.as_bytes()).unwrap();
        let outcome = loop {
            match plan.next(&end) {
                Next::Step(step) if step.begins_link => {
                    end = StepEnd::Done {
                        answers: &[],
                        report: Some(&report),
                    };
                }
                Next::Step(_) => {}
                Next::Done(outcome) => break outcome,
            }
        };
        assert_eq!(outcome, expected, "{line}");
    }
}

#[test]
fn what_the_modules_cannot_do_is_refused_before_anything_is_sent() {
    let changed = |change: &dyn Fn(&mut Connect)| {
        let mut connect = connect();
        change(&mut connect);
        Operation::Connect(Box::new(connect))
    };
    for operation in [
        changed(&|connect| connect.keep_alive = 0),
        changed(&|connect| connect.cached = true),
        changed(&|connect| connect.receive_hex = true),
        changed(&|connect| connect.payloads = PayloadFormat::Hex),
        changed(&|connect| connect.will = Some(Will::new("w", "x").retain(true))),
        changed(&|connect| connect.will = Some(Will::new("w", ""))),
        changed(&|connect| connect.client_id = String::new()),
        changed(&|connect| connect.client_id = "c\"".into()),
        changed(&|connect| connect.host = "h".repeat(245)),
        changed(&|connect| connect.password = Some("p\r".to_string().into())),
        changed(&|connect| connect.username = None),
        changed(&|connect| connect.connection = ConnectionId(2)),
        Operation::ListUnread,
        publish(QoS::AtMostOnce, &[0; 10241]),
    ] {
        let refused = host(&A7670).perform(operation.clone());
        assert!(refused.is_err(), "{operation:?}");
    }
    let long = host(&SIM7672).perform(publish(QoS::AtMostOnce, &[0; 4097]));
    let expected = EncodeError::TooLong {
        field: "the payload",
        length: 4097,
        max: 4096,
    };
    assert_eq!(long.unwrap_err(), expected);
}

#[test]
fn the_state_is_asked_for_by_disc() {
    let mut host = host(&A7670);
    let mut plan = host
        .perform(Operation::State { connection: OTHER })
        .unwrap();
    let line = plan.begin().unwrap().line;
    assert_eq!(line, b"AT+CMQTTDISC?\r");
    let answer = |host: &mut Box<dyn Host>, text: &[u8]| match host.read(text, Some(&line)) {
        Some(Said::Answer(answer)) => answer,
        said => panic!("{said:?}"),
    };
    let answers = [
        answer(&mut host, b"+CMQTTDISC: 0,1"),
        answer(&mut host, b"+CMQTTDISC: 1,0"),
    ];
    let connected = Answer::State {
        connection: OTHER,
        state: ConnectionState::Connected,
    };
    assert_eq!(answers[1], connected);
    let end = StepEnd::Done {
        answers: &answers,
        report: None,
    };
    let Next::Done(outcome) = plan.next(&end) else {
        panic!("it goes on");
    };
    assert_eq!(outcome, Outcome::State(Some(ConnectionState::Connected)));
    // Nobody has asked: the same line is a report.
    assert!(matches!(
        host.read(b"+CMQTTDISC: 1,0", None),
        Some(Said::Urc(Urc::Closed { .. }))
    ));
}

#[test]
fn commands_of_others_are_understood() {
    use crate::mqtt::Intent;
    let host = host(&A7670);
    let known = |line: &str| host.command(line.as_bytes()).expect("it is known");
    let connect = known("AT+CMQTTCONNECT=0,\"tcp://h:8883\",60,1");
    assert_eq!(
        connect.intent,
        Intent::Open {
            connection: ID,
            host: "h".into(),
            port: 8883,
        }
    );
    assert_eq!(connect.limit, Duration::from_secs(120));
    let topic = known("AT+CMQTTTOPIC=0,5");
    assert_eq!(topic.ask.unwrap().length, Some(5));
    assert_eq!(topic.report, None);
    assert!(known("AT+CMQTTSUB=0,5,1").report.is_some());
    let upload = known("AT+CCERTDOWN=\"ca.pem\",1295");
    assert_eq!(upload.ask.unwrap().length, Some(1295));
    assert!(matches!(upload.intent, Intent::Upload { length: 1295, .. }));
    assert!(matches!(
        known("AT+CSSLCFG=\"authmode\",2,1").intent,
        Intent::ConfigureTls { context: 2 }
    ));
    assert!(host.command(b"AT+CSQ").is_none());
    assert!(host.command(b"AT+CMQTTTOPIC=0").is_none());
}

#[test]
fn with_the_network_every_connection_is_lost() {
    use crate::mqtt::LinkStatus;
    let mut host = host(&A7670);
    host.read(b"+CMQTTCONNECT: 1,0", None);
    let lost = host.read(b"+CMQTTNONET", None);
    let expected = Urc::Status {
        connection: OTHER,
        status: LinkStatus::Closed,
        code: None,
    };
    assert_eq!(lost, Some(Said::Urc(expected)));
    let service = host.read(b"+CMQTTNONET", None);
    assert!(matches!(
        service,
        Some(Said::Urc(Urc::Status {
            connection: SERVICE,
            ..
        }))
    ));
}
