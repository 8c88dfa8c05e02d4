//! Reports of one line, both ways.

use super::super::{codes, report};
use super::*;
use crate::dialect::Recognised;
use crate::mqtt::{
    Connected, LinkStatus, OpenFailure, PublishResult, Reason, ReasonKind, Refusal,
    SubscriptionChange,
};

fn reason(kind: ReasonKind, code: i32) -> Reason {
    Reason::new(kind, Some(code))
}

#[test]
fn each_report_both_ways() {
    let changed = |change, result| Urc::SubscriptionChanged {
        connection: ID,
        message_id: 0,
        change: Some(change),
        result,
    };
    let published = |result, reason| Urc::Published {
        connection: ID,
        message_id: 0,
        result,
        reason,
    };
    let connected = |connection, result| Urc::Connected { connection, result };
    for (line, urc) in [
        ("+CMQTTCONNECT: 0,0", connected(ID, Connected::Accepted)),
        (
            "+CMQTTCONNECT: 1,30",
            connected(OTHER, Connected::Refused(Refusal::BadCredentials)),
        ),
        (
            "+CMQTTCONNECT: 0,3",
            connected(ID, Connected::Failed(reason(ReasonKind::Unknown, 3))),
        ),
        (
            "+CMQTTDISC: 0,0",
            Urc::Closed {
                connection: ID,
                result: Ok(()),
            },
        ),
        (
            "+CMQTTDISC: 0,11",
            Urc::Closed {
                connection: ID,
                result: Err(reason(ReasonKind::NotSent, 11)),
            },
        ),
        (
            "+CMQTTSUB: 0,0",
            changed(SubscriptionChange::Subscribed, Ok(None)),
        ),
        (
            "+CMQTTUNSUB: 0,1",
            changed(
                SubscriptionChange::Unsubscribed,
                Err(reason(ReasonKind::Unknown, 1)),
            ),
        ),
        (
            "+CMQTTPUB: 0,0",
            published(PublishResult::Done, Reason::NONE),
        ),
        (
            "+CMQTTPUB: 0,14",
            published(PublishResult::NotSent, reason(ReasonKind::NotSent, 14)),
        ),
        (
            "+CMQTTPUB: 0,17",
            published(
                PublishResult::WrongAcknowledgement,
                reason(ReasonKind::Unknown, 17),
            ),
        ),
        (
            "+CMQTTCONNLOST: 0,3",
            Urc::Status {
                connection: ID,
                status: LinkStatus::Closed,
                code: Some(3),
            },
        ),
    ] {
        assert_eq!(
            report::decode(line.as_bytes()).as_ref(),
            Some(&urc),
            "{line}"
        );
        assert_eq!(report::encode(&urc), line);
        let recognised = Cmqtt::DEFAULT.report(line.as_bytes());
        assert_eq!(recognised, Some(Recognised::Known(urc)));
    }
}

#[test]
fn what_is_about_the_service_is_about_no_client() {
    let opened = |result| Urc::Opened {
        connection: SERVICE,
        result,
    };
    for (line, urc) in [
        ("+CMQTTSTART: 0", opened(Ok(()))),
        ("+CMQTTSTART: 0,1", opened(Ok(()))),
        ("+CMQTTSTART: 23", opened(Err(OpenFailure::InUse))),
        ("+CMQTTSTART: 7", opened(Err(OpenFailure::PdpActivation))),
        ("+CMQTTSTART: 1", opened(Err(OpenFailure::Other(Some(1))))),
        (
            "+CMQTTSTOP: 0",
            Urc::Closed {
                connection: SERVICE,
                result: Ok(()),
            },
        ),
        (
            "+CMQTTNONET",
            Urc::Status {
                connection: SERVICE,
                status: LinkStatus::Closed,
                code: None,
            },
        ),
        (
            "+CMQTTPING: 1,1",
            Urc::Status {
                connection: OTHER,
                status: LinkStatus::PingTimeout,
                code: Some(1),
            },
        ),
    ] {
        assert_eq!(report::decode(line.as_bytes()), Some(urc), "{line}");
    }
}

#[test]
fn other_lines_are_no_report() {
    for line in [
        "",
        "OK",
        "+CMQTT",
        "+CMQTTSTART",
        "+CMQTTSTART: ",
        "+CMQTTPUB: 0",
        "+CMQTTPUB: 0,0,0",
        "+CMQTTPUB: 300,0",
        "+CMQTTPUB: 0,x",
        "+CMQTTTOPIC: 0,11",
        "+CMQTTCONNECT: 0,\"tcp://h\",60,1",
        "+CMQTTSUB: (0-1),(1-1024),(0-2),(0-1)",
        "+CMQTTNONET: 0",
    ] {
        assert_eq!(report::decode(line.as_bytes()), None, "{line}");
    }
}

/// Words stand in the table of numbers, their meaning to a program where they are decoded.
#[test]
fn every_number_has_words_and_comes_back() {
    for number in 0..=35 {
        let found = codes::RESULTS.find(number.into());
        assert!(found.is_some(), "{number}");
        let connected = codes::connected(number);
        assert_eq!(codes::of_connected(connected), number);
        let (result, reason) = codes::published(number);
        assert_eq!(codes::of_published(result, reason), number);
        if let Some(failure) = codes::open_failure(number) {
            let written = codes::of_open_failure(failure);
            assert_eq!(codes::open_failure(written), Some(failure), "{number}");
        }
    }
    assert!(codes::RESULTS.find(36).is_none());
}
