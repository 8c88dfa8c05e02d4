//! What a host sends to publish, subscribe and unsubscribe, and what it makes of the answers.

use core::time::Duration;

use super::plans::{DONE, host, publish, shown, steps};
use super::*;
use crate::at::result_code::FinalResult;
use crate::dialect::{Next, StepEnd, Then};
use crate::mqtt::{Operation, Outcome, Proof, PublishResult, Reason, ReasonKind};

#[test]
fn a_message_goes_behind_two_prompts_which_belong_together() {
    let mut host = host(&A7670);
    let payload = b"\r\nOK\r\n\x1a\x00";
    let message = steps(&mut host.perform(publish(QoS::AtLeastOnce, payload)).unwrap());
    let expected = [
        "AT+CMQTTTOPIC=0,3>a\"b",
        "AT+CMQTTPAYLOAD=0,8>\r\nOK\r\n\u{1a}\0",
        "AT+CMQTTPUB=0,1,60,1",
    ];
    assert_eq!(shown(&message), expected);
    assert_eq!(
        (message[0].then, message[1].then),
        (Then::Nobody, Then::Nobody)
    );
    assert!(message[2].limit > Duration::from_secs(60));
    // An empty payload is none.
    let empty = steps(&mut host.perform(publish(QoS::AtMostOnce, b"")).unwrap());
    assert_eq!(
        shown(&empty),
        ["AT+CMQTTTOPIC=0,3>a\"b", "AT+CMQTTPUB=0,0,60,1"]
    );
}

#[test]
fn what_the_end_of_a_publish_proves() {
    let mut host = host(&A7670);
    let error = FinalResult::Error;
    // Before the last step nothing has been sent, however it ends.
    for end in [StepEnd::Refused(&error), StepEnd::Broken] {
        for steps in [0, 1] {
            let mut plan = host.perform(publish(QoS::AtLeastOnce, b"x")).unwrap();
            plan.begin();
            for _ in 0..steps {
                plan.next(&DONE);
            }
            let Next::Done(outcome) = plan.next(&end) else {
                panic!("it goes on");
            };
            assert_eq!(outcome, Outcome::Failed(Proof::NeverLeft));
        }
    }
    let mut outcome = |end: &StepEnd<'_>| {
        let mut plan = host.perform(publish(QoS::AtLeastOnce, b"x")).unwrap();
        plan.begin();
        plan.next(&DONE);
        plan.next(&DONE);
        match plan.next(end) {
            Next::Done(outcome) => outcome,
            Next::Step(step) => panic!("{step:?}"),
        }
    };
    let unknown = Outcome::Failed(Proof::MayHaveArrived);
    assert_eq!(
        outcome(&StepEnd::Refused(&error)),
        Outcome::Failed(Proof::NeverLeft)
    );
    assert_eq!(outcome(&StepEnd::Unreported { sent_again: false }), unknown);
    assert_eq!(outcome(&StepEnd::Broken), unknown);
    // A report that may be an earlier one's proves nothing.
    assert_eq!(outcome(&DONE), Outcome::Accepted);
    for (code, result, proof) in [
        (0, PublishResult::Done, Proof::Acknowledged),
        (2, PublishResult::NotSent, Proof::NeverLeft),
        (6, PublishResult::NotSent, Proof::MayHaveArrived),
        (11, PublishResult::NotSent, Proof::NeverLeft),
        (14, PublishResult::NotSent, Proof::NeverLeft),
        (16, PublishResult::NotSent, Proof::MayHaveArrived),
        (
            17,
            PublishResult::WrongAcknowledgement,
            Proof::MayHaveArrived,
        ),
        (18, PublishResult::NotSent, Proof::NeverLeft),
        (99, PublishResult::NotSent, Proof::MayHaveArrived),
    ] {
        let line = format!("+CMQTTPUB: 0,{code}");
        let report = super::super::report::decode(line.as_bytes()).unwrap();
        let end = StepEnd::Done {
            answers: &[],
            report: Some(&report),
        };
        let Outcome::Published {
            result: told,
            proof: proved,
            ..
        } = outcome(&end)
        else {
            panic!("{line}");
        };
        assert_eq!((told, proved), (result, proof), "{line}");
    }
}

#[test]
fn several_topics_are_collected_where_the_family_does() {
    let filter = |filter: &str, qos| TopicFilter {
        filter: filter.into(),
        qos,
    };
    let one = vec![filter("a/#", QoS::ExactlyOnce)];
    let two = vec![
        filter("a/#", QoS::ExactlyOnce),
        filter("b", QoS::AtMostOnce),
    ];
    for (model, filters, expected) in [
        (&A7670, &one, &["AT+CMQTTSUB=0,3,2>a/#"][..]),
        (&SIM7672, &one, &["AT+CMQTTSUB=0,3,2>a/#"]),
        (
            &A7670,
            &two,
            &[
                "AT+CMQTTSUBTOPIC=0,3,2>a/#",
                "AT+CMQTTSUBTOPIC=0,1,0>b",
                "AT+CMQTTSUB=0",
            ],
        ),
        (
            &SIM7672,
            &two,
            &["AT+CMQTTSUB=0,3,2>a/#", "AT+CMQTTSUB=0,1,0>b"],
        ),
    ] {
        let operation = Operation::Subscribe {
            connection: ID,
            message_id: 1,
            filters: filters.clone(),
        };
        let steps = steps(&mut host(model).perform(operation).unwrap());
        assert_eq!(shown(&steps), expected);
        let reported = steps.iter().filter(|step| step.report.is_some()).count();
        let collects = model.name == "A7670" && filters.len() > 1;
        assert_eq!(reported, if collects { 1 } else { filters.len() });
    }
    for (model, expected) in [
        (
            &SIM7600,
            &[
                "AT+CMQTTUNSUBTOPIC=0,1>a",
                "AT+CMQTTUNSUBTOPIC=0,1>b",
                "AT+CMQTTUNSUB=0,0",
            ][..],
        ),
        (
            &SIM7672,
            &["AT+CMQTTUNSUB=0,1,0>a", "AT+CMQTTUNSUB=0,1,0>b"],
        ),
    ] {
        let operation = Operation::Unsubscribe {
            connection: ID,
            message_id: 1,
            filters: vec!["a".into(), "b".into()],
        };
        let steps = steps(&mut host(model).perform(operation).unwrap());
        assert_eq!(shown(&steps), expected);
    }
    // More than can be collected goes one by one.
    let long = || filter(&"x".repeat(1024), QoS::AtMostOnce);
    let operation = Operation::Subscribe {
        connection: ID,
        message_id: 1,
        filters: (0..6).map(|_| long()).collect(),
    };
    let steps = steps(&mut host(&SIM7600).perform(operation).unwrap());
    assert!(steps.iter().all(|step| step.report.is_some()));
}

#[test]
fn a_subscription_that_fails_ends_the_plan() {
    let mut host = host(&SIM7672);
    let filter = |filter: &str| TopicFilter {
        filter: filter.into(),
        qos: QoS::AtMostOnce,
    };
    let operation = Operation::Subscribe {
        connection: ID,
        message_id: 1,
        filters: vec![filter("a"), filter("b")],
    };
    let mut plan = host.perform(operation).unwrap();
    plan.begin();
    let report = super::super::report::decode(b"+CMQTTSUB: 0,1").unwrap();
    let end = StepEnd::Done {
        answers: &[],
        report: Some(&report),
    };
    let Next::Done(outcome) = plan.next(&end) else {
        panic!("it goes on");
    };
    let reason = Reason::new(ReasonKind::Unknown, Some(1));
    assert_eq!(outcome, Outcome::SubscriptionFailed(reason));
}
