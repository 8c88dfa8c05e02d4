//! The steps of operations, and what their ends mean. Every byte is typed by hand.

use core::time::Duration;

use super::*;
use crate::at::result_code::FinalResult;
use crate::dialect::{Host, IfRefused, Next, Plan, Step, StepEnd};
use crate::mqtt::{PayloadFormat, Timeouts, TlsSetUp, TlsUse, TlsVersion};

pub(super) fn host(model: &Model) -> Box<dyn Host> {
    model.dialect.host(&model.limits)
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

fn planned(model: &Model, connect: Connect) -> Vec<Step> {
    let plan = host(model).perform(Operation::Connect(Box::new(connect)));
    let (steps, outcome) = steps(plan.expect("it can be written"), &DONE);
    assert_eq!(outcome, Outcome::Done);
    steps
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

/// The line of a publish, and what follows it.
fn published(model: &Model, payload: &[u8]) -> Result<(String, Vec<u8>), EncodeError> {
    let plan = host(model).perform(Operation::Publish(publish(payload)))?;
    let (steps, _) = steps(plan, &DONE);
    let [step] = &steps[..] else {
        panic!("{steps:?}");
    };
    let data = step.data.as_ref().expect("it asks for data");
    Ok((lines(&steps).concat(), data.bytes.clone()))
}

#[test]
fn a_connect_begins_with_a_clean_slate_and_sets_what_it_depends_on() {
    assert_eq!(
        lines(&planned(&EC25, connect())),
        [
            r#"AT+QMTCLOSE=0\r"#,
            r#"AT+QMTCFG="recv/mode",0,0,1\r"#,
            r#"AT+QMTCFG="dataformat",0,0,0\r"#,
            r#"AT+QMTCFG="version",0,4\r"#,
            r#"AT+QMTCFG="ssl",0,0\r"#,
            r#"AT+QMTCFG="session",0,1\r"#,
            r#"AT+QMTCFG="keepalive",0,120\r"#,
            r#"AT+QMTCFG="will",0,0\r"#,
            r#"AT+QMTOPEN=0,"broker.example",1883\r"#,
            r#"AT+QMTCONN=0,"meter","u","s3cret"\r"#,
        ]
    );
    let steps = planned(&BG96, connect());
    assert_eq!(
        lines(&steps),
        [
            r#"AT+QMTCLOSE=0\r"#,
            r#"AT+QMTCFG="version",0,4\r"#,
            r#"AT+QMTCFG="ssl",0,0\r"#,
            r#"AT+QMTCFG="session",0,1\r"#,
            r#"AT+QMTCFG="keepalive",0,120\r"#,
            r#"AT+QMTCFG="will",0,0\r"#,
            r#"AT+QMTOPEN=0,"broker.example",1883\r"#,
            r#"AT+QMTCONN=0,"meter","u","s3cret"\r"#,
        ]
    );
    let needed: Vec<_> = steps
        .iter()
        .filter(|step| step.if_refused == IfRefused::Fails)
        .map(|step| String::from_utf8_lossy(step.name()).into_owned())
        .collect();
    assert_eq!(needed, ["AT+QMTOPEN", "AT+QMTCONN"]);
    let begins = steps.iter().position(|step| step.begins_link);
    assert_eq!(begins, Some(6));
    let last = steps.last().unwrap();
    let mut secrets = last.secrets.iter().map(|place| &last.line[place.clone()]);
    assert!(secrets.any(|secret| secret.starts_with(b"s3cret")));
}

#[test]
fn all_that_a_connect_asks_for_is_set() {
    let mut wanted = connect();
    wanted.keep_alive = 30;
    wanted.clean_session = false;
    wanted.cached = true;
    wanted.receive_hex = true;
    wanted.payloads = PayloadFormat::Hex;
    wanted.version = crate::mqtt::Version::V3_1;
    wanted.timeouts = Some(Timeouts {
        packet_seconds: 60,
        retries: 10,
        notice: true,
    });
    wanted.will = Some(Will::new("w", "gone").retain(true));
    let steps = planned(&EC800M, wanted);
    assert_eq!(
        lines(&steps)[1..9],
        [
            r#"AT+QMTCFG="recv/mode",0,1,1\r"#,
            r#"AT+QMTCFG="dataformat",0,1,1\r"#,
            r#"AT+QMTCFG="version",0,3\r"#,
            r#"AT+QMTCFG="ssl",0,0\r"#,
            r#"AT+QMTCFG="session",0,0\r"#,
            r#"AT+QMTCFG="keepalive",0,30\r"#,
            r#"AT+QMTCFG="timeout",0,60,10,1\r"#,
            r#"AT+QMTCFG="will",0,1,0,1,"w","gone"\r"#,
        ]
    );
    let mut fails = steps
        .iter()
        .filter(|step| step.if_refused == IfRefused::Fails);
    assert!(fails.any(|step| step.name() == b"AT+QMTCFG=\"timeout\""));
    // Once it is set, acknowledgements may take that long.
    let mut host = host(&EC800M);
    host.carried_out(b"AT+QMTCFG=\"timeout\",0,60,10,1\r");
    let plan = host.perform(Operation::Publish(publish(b"x"))).unwrap();
    let limit = steps_of(plan)[0].limit;
    assert_eq!(limit, Duration::from_secs(60 * 11 + 5));
}

fn steps_of(plan: Plan) -> Vec<Step> {
    steps(plan, &DONE).0
}

#[test]
fn what_a_model_cannot_do_is_refused_before_anything_is_sent() {
    let refused = |model: &Model, change: &dyn Fn(&mut Connect)| {
        let mut wanted = connect();
        change(&mut wanted);
        let plan = host(model).perform(Operation::Connect(Box::new(wanted)));
        plan.expect_err("it is refused")
    };
    for model in [BG96, BG95, BG770A] {
        let error = refused(&model, &|wanted| wanted.payloads = PayloadFormat::Hex);
        assert!(matches!(error, EncodeError::Contradiction(_)), "{error}");
        refused(&model, &|wanted| wanted.receive_hex = true);
        // No command can carry such a will.
        refused(&model, &|wanted| wanted.will = Some(Will::new("w", "\"")));
        refused(&model, &|wanted| {
            wanted.will = Some(Will::new("w", b"\xff"));
        });
    }
    refused(&BG96, &|wanted| wanted.cached = true);
    for change in [
        (|wanted| wanted.client_id = "a\"b".into()) as fn(&mut Connect),
        |wanted| wanted.host = "h\r".into(),
        |wanted| wanted.host = String::new(),
        |wanted| wanted.host = "h".repeat(101),
        |wanted| wanted.port = 0,
        |wanted| wanted.keep_alive = 3601,
        |wanted| wanted.username = None,
        |wanted| wanted.connection = ConnectionId(6),
    ] {
        refused(&EC25, &change);
    }
}

#[test]
fn a_will_of_any_bytes_goes_behind_a_prompt_where_there_is_one() {
    let mut wanted = connect();
    wanted.will = Some(Will::new("w", b"\"\xff\r").qos(QoS::ExactlyOnce));
    let steps = planned(&EC800M, wanted);
    let step = &steps[7];
    assert_eq!(lines(&steps)[7], r#"AT+QMTCFG="willex",0,1,2,0,"w",3\r"#);
    let data = step.data.as_ref().unwrap();
    assert_eq!(
        (data.ask.length, &data.bytes[..]),
        (Some(3), &b"\"\xff\r"[..])
    );
}

#[test]
fn a_payload_goes_by_the_command_that_carries_it() {
    let awkward = b"\"a\",\r\nOK\x1a\x1b\xff\0";
    for (model, line) in [
        (EC25, r#"AT+QMTPUBEX=0,7,1,1,"t",12\r"#),
        (EC800M, r#"AT+QMTPUBEX=0,7,1,1,"t",12\r"#),
        (EG800K, r#"AT+QMTPUBEX=0,7,1,1,"t",12\r"#),
        (BG95, r#"AT+QMTPUB=0,7,1,1,"t",12\r"#),
        (BG770A, r#"AT+QMTPUB=0,7,1,1,"t",12\r"#),
    ] {
        let expected = (line.to_string(), awkward.to_vec());
        assert_eq!(published(&model, awkward), Ok(expected), "{}", model.name);
    }
    let plain = published(&BG96, b"\"a\",\r\nOK");
    let expected = r#"AT+QMTPUB=0,7,1,1,"t"\r"#.to_string();
    assert_eq!(plain, Ok((expected.clone(), b"\"a\",\r\nOK\x1a".to_vec())));
    let error = published(&BG96, awkward).unwrap_err();
    assert!(
        matches!(error, EncodeError::EndsPrompt { at: 8, .. }),
        "{error}"
    );
    // Nothing at all: a length of 0 is taken by few.
    for model in [EC25, BG95, BG96, BG770A] {
        let empty = published(&model, b"");
        assert_eq!(empty, Ok((expected.clone(), b"\x1a".to_vec())));
    }
    let empty = published(&EG800K, b"").unwrap();
    assert_eq!(empty.0, r#"AT+QMTPUBEX=0,7,1,1,"t",0\r"#);
    for (model, max) in [(EC25, 4096), (BG96, 1548), (BG95, 4096)] {
        assert!(published(&model, &vec![b'x'; max]).is_ok());
        let error = published(&model, &vec![b'x'; max + 1]).unwrap_err();
        assert!(matches!(error, EncodeError::TooLong { max: known, .. } if known == max));
    }
    // In digits.
    let mut host = host(&EC25);
    host.carried_out(b"AT+QMTCFG=\"dataformat\",0,1,0\r");
    let plan = host
        .perform(Operation::Publish(publish(b"\x1a\xff")))
        .unwrap();
    let steps = steps_of(plan);
    assert_eq!(lines(&steps), [r#"AT+QMTPUBEX=0,7,1,1,"t",4\r"#]);
    assert_eq!(steps[0].data.as_ref().unwrap().bytes, b"1AFF");
}

#[test]
fn what_the_end_of_a_publish_proves() {
    let report = |result| Urc::Published {
        connection: ID,
        message_id: 7,
        result,
        reason: Reason::NONE,
    };
    let judged = |end: &StepEnd<'_>| {
        let plan = host(&EC25).perform(Operation::Publish(publish(b"x")));
        steps(plan.unwrap(), end).1
    };
    for (result, proof) in [
        (PublishResult::Done, Proof::Acknowledged),
        (PublishResult::NotSent, Proof::MayHaveArrived),
    ] {
        let end = StepEnd::Done {
            answers: &[],
            report: Some(&report(result)),
        };
        let reason = Reason::NONE;
        let expected = Outcome::Published {
            result,
            reason,
            proof,
        };
        assert_eq!(judged(&end), expected);
    }
    let refused = judged(&StepEnd::Refused(&FinalResult::Error));
    assert_eq!(refused, Outcome::Failed(Proof::NeverLeft));
    let unreported = judged(&StepEnd::Unreported { sent_again: false });
    assert_eq!(unreported, Outcome::Failed(Proof::MayHaveArrived));
}

#[test]
fn filters_are_subscribed_to_one_by_one() {
    let filter = |filter: &str, qos| TopicFilter {
        filter: filter.into(),
        qos,
    };
    let subscribe = || Operation::Subscribe {
        connection: ID,
        message_id: 3,
        filters: vec![
            filter("a/+", QoS::AtMostOnce),
            filter("b/#", QoS::ExactlyOnce),
        ],
    };
    let plan = host(&EC25).perform(subscribe()).unwrap();
    let (all, outcome) = steps(plan, &DONE);
    let expected = [r#"AT+QMTSUB=0,3,"a/+",0\r"#, r#"AT+QMTSUB=0,3,"b/#",2\r"#];
    assert_eq!(lines(&all), expected);
    assert_eq!(outcome, Outcome::Done);
    // A refusal is the end.
    let reason = Reason::new(ReasonKind::Refused, Some(128));
    let refused = Urc::SubscriptionChanged {
        connection: ID,
        message_id: 3,
        change: Some(SubscriptionChange::Subscribed),
        result: Err(reason),
    };
    let end = StepEnd::Done {
        answers: &[],
        report: Some(&refused),
    };
    let plan = host(&EC25).perform(subscribe()).unwrap();
    let (some, outcome) = steps(plan, &end);
    assert_eq!(some.len(), 1);
    assert_eq!(outcome, Outcome::SubscriptionFailed(reason));
    let unsubscribe = Operation::Unsubscribe {
        connection: ID,
        message_id: 4,
        filters: vec!["a/+".into(), "b/#".into()],
    };
    let plan = host(&EC25).perform(unsubscribe).unwrap();
    let expected = [r#"AT+QMTUNS=0,4,"a/+"\r"#, r#"AT+QMTUNS=0,4,"b/#"\r"#];
    assert_eq!(lines(&steps_of(plan)), expected);
}

#[test]
fn who_leaves_disconnects_and_closes() {
    for (connected, expected) in [
        (true, &["AT+QMTDISC=5\\r", "AT+QMTCLOSE=5\\r"][..]),
        (false, &["AT+QMTCLOSE=5\\r"]),
    ] {
        let plan = host(&EC25).perform(Operation::Disconnect {
            connection: ConnectionId(5),
            connected,
        });
        let steps = steps_of(plan.unwrap());
        assert_eq!(lines(&steps), expected);
        assert!(
            steps
                .iter()
                .all(|step| step.if_refused == IfRefused::Nothing)
        );
    }
}

#[test]
fn a_module_whose_results_go_elsewhere_is_named() {
    let end_of_open = |model: &Model| {
        let plan = host(model).perform(Operation::Connect(Box::new(connect())));
        let mut plan = plan.unwrap();
        let mut step = plan.begin().unwrap();
        while !step.line.starts_with(b"AT+QMTOPEN") {
            let Next::Step(next) = plan.next(&DONE) else {
                panic!("OPEN is a step");
            };
            step = next;
        }
        match plan.next(&StepEnd::Unreported { sent_again: false }) {
            Next::Done(outcome) => outcome,
            Next::Step(step) => panic!("{step:?}"),
        }
    };
    for model in [EC25, EG800K] {
        let outcome = end_of_open(&model);
        let Outcome::Unheard(remedy) = outcome else {
            panic!("{outcome:?}");
        };
        assert!(
            remedy.contains("AT+QURCCFG=\"urcport\",\"uart1\""),
            "{remedy}"
        );
    }
    assert_eq!(end_of_open(&BG96), Outcome::Failed(Proof::MayHaveArrived));
}

#[test]
fn certificates_are_stored_once_and_named() {
    let mut wanted = connect();
    wanted.port = 8883;
    wanted.tls = Some(TlsUse {
        context: 2,
        set_up: Some(TlsSetUp {
            ca: Some(b"CA"[..].into()),
            identity: Some((b"CERT"[..].into(), b"KEY"[..].into())),
            version: TlsVersion::V1_2,
            server_name: true,
            ignore_time: false,
        }),
    });
    let mut host = host(&EC25);
    let mut plan = |wanted: &Connect| {
        let plan = host.perform(Operation::Connect(Box::new(wanted.clone())));
        let steps = steps_of(plan.unwrap());
        for step in &steps {
            host.carried_out(&step.line);
        }
        steps
    };
    let first = plan(&wanted);
    assert_eq!(
        lines(&first)[1..15],
        [
            r#"AT+QFDEL="UFS:atmq_ca_2.pem"\r"#,
            r#"AT+QFUPL="UFS:atmq_ca_2.pem",2\r"#,
            r#"AT+QFDEL="UFS:atmq_cert_2.pem"\r"#,
            r#"AT+QFUPL="UFS:atmq_cert_2.pem",4\r"#,
            r#"AT+QFDEL="UFS:atmq_key_2.pem"\r"#,
            r#"AT+QFUPL="UFS:atmq_key_2.pem",3\r"#,
            r#"AT+QSSLCFG="cacert",2,"UFS:atmq_ca_2.pem"\r"#,
            r#"AT+QSSLCFG="clientcert",2,"UFS:atmq_cert_2.pem"\r"#,
            r#"AT+QSSLCFG="clientkey",2,"UFS:atmq_key_2.pem"\r"#,
            r#"AT+QSSLCFG="seclevel",2,2\r"#,
            r#"AT+QSSLCFG="sslversion",2,3\r"#,
            r#"AT+QSSLCFG="sni",2,1\r"#,
            r#"AT+QSSLCFG="ignorelocaltime",2,0\r"#,
            r#"AT+QMTCFG="recv/mode",0,0,1\r"#,
        ]
    );
    assert!(lines(&first).contains(&r#"AT+QMTCFG="ssl",0,1,2\r"#.into()));
    let data = first[2].data.as_ref().unwrap();
    assert!(data.secret && data.bytes == b"CA");
    let again = plan(&wanted);
    assert!(!lines(&again).concat().contains("QFUPL"));
    // A link that could not be made may have failed for want of them.
    host.read(b"+QMTOPEN: 0,-1", None);
    let plan = host.perform(Operation::Connect(Box::new(wanted)));
    assert!(lines(&steps_of(plan.unwrap())).concat().contains("QFUPL"));
}
