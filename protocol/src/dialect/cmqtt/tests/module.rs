//! What the module does about service, clients and connections, and what it says of them.

use super::bench::Bench;
use super::*;
use crate::mqtt::{Connected, ConnectionState, LinkStatus, OpenFailure, Reason, Refusal};

#[test]
fn the_service_is_started_once() {
    for (model, starts, comes, again) in [
        (
            A7670,
            &["activate 1 true", "OK"][..],
            &["+CMQTTSTART: 0"][..],
            &["ERROR"][..],
        ),
        // Measured: the report comes before `OK`, and a line before `ERROR`.
        (
            SIM7600,
            &["activate 1 true"],
            &["+CMQTTSTART: 0", "OK"],
            &["+CMQTTSTART: 23", "ERROR"],
        ),
        (
            SIM7672,
            &["activate 1 true", "OK"],
            &["+CMQTTSTART: 0"],
            &["ERROR"],
        ),
    ] {
        let mut bench = Bench::new(&model);
        for line in [
            "AT+CMQTTACCQ=0,\"c\"",
            "AT+CMQTTREL=0",
            "AT+CMQTTDISC?",
            "AT+CMQTTSTOP",
        ] {
            assert_eq!(bench.types(line), ["ERROR"], "{line}");
        }
        assert_eq!(bench.types("AT+CMQTTSTART"), starts);
        assert_eq!(bench.notices(true), comes);
        assert_eq!(bench.types("AT+CMQTTSTART"), again);
        assert_eq!(bench.types("AT+CMQTTSTOP"), ["+CMQTTSTOP: 0", "OK"]);
        assert_eq!(bench.types("AT+CMQTTSTOP"), ["ERROR"]);
    }
    let mut bench = Bench::new(&SIM7672);
    bench.types("AT+CMQTTSTART=1");
    assert_eq!(bench.notices(true), ["+CMQTTSTART: 0,1"]);
    let mut bench = Bench::new(&SIM7600);
    bench.types("AT+CMQTTSTART");
    assert_eq!(bench.notices(false), ["+CMQTTSTART: 7", "ERROR"]);
}

#[test]
fn a_client_is_acquired_once_and_released() {
    for (model, unacquired) in [
        (A7670, &["+CMQTTREL: 0,20", "ERROR"][..]),
        // Measured.
        (SIM7600, &["OK"]),
    ] {
        let mut bench = Bench::started(&model);
        assert_eq!(bench.types("AT+CMQTTREL=0"), unacquired);
        assert_eq!(bench.types("AT+CMQTTACCQ=0,\"a12mmmm\",1"), ["OK"]);
        assert_eq!(
            bench.types("AT+CMQTTACCQ=0,\"b\""),
            ["+CMQTTACCQ: 0,19", "ERROR"]
        );
        assert_eq!(
            bench.types("AT+CMQTTACCQ?"),
            ["+CMQTTACCQ: 0,\"a12mmmm\",1", "+CMQTTACCQ: 1,\"\",0", "OK"]
        );
        assert_eq!(bench.types("AT+CMQTTSTOP"), ["+CMQTTSTOP: 21", "ERROR"]);
        assert_eq!(bench.types("AT+CMQTTREL=0"), ["OK"]);
        assert_eq!(bench.types("AT+CMQTTREL?"), ["OK"]);
        assert_eq!(bench.types("AT+CMQTTSTOP"), ["+CMQTTSTOP: 0", "OK"]);
    }
    let mut bench = Bench::connected(&A7670);
    assert_eq!(bench.types("AT+CMQTTREL=0"), ["+CMQTTREL: 0,14", "ERROR"]);
}

#[test]
fn settings_hold_from_acquire_to_release() {
    let mut bench = Bench::started(&A7670);
    assert_eq!(bench.types("AT+CMQTTCFG=\"optimeout\",0,20"), ["ERROR"]);
    bench.types("AT+CMQTTACCQ=0,\"c\"");
    for (line, expected) in [
        ("AT+CMQTTCFG=\"checkUTF8\",0,0", &["OK"][..]),
        ("AT+CMQTTCFG=\"optimeout\",0,20", &["OK"]),
        ("AT+CMQTTCFG=\"version\",0,4", &["OK"]),
        (
            "AT+CMQTTCFG?",
            &["+CMQTTCFG: 0,0,20", "+CMQTTCFG: 1,1,120", "OK"],
        ),
        (
            "AT+CMQTTSSLCFG?",
            &["+CMQTTSSLCFG: 0,0", "+CMQTTSSLCFG: 1,1", "OK"],
        ),
        ("AT+CMQTTSSLCFG=0,5", &["OK"]),
        (
            "AT+CMQTTSSLCFG?",
            &["+CMQTTSSLCFG: 0,5", "+CMQTTSSLCFG: 1,1", "OK"],
        ),
        ("AT+CMQTTREL=0", &["OK"]),
        (
            "AT+CMQTTCFG?",
            &["+CMQTTCFG: 0,1,120", "+CMQTTCFG: 1,1,120", "OK"],
        ),
    ] {
        assert_eq!(bench.types(line), expected, "{line}");
    }
    let mut bench = Bench::connected(&A7670);
    assert_eq!(bench.types("AT+CMQTTCFG=\"checkUTF8\",0,0"), ["ERROR"]);
    let mut bench = Bench::started(&SIM7672);
    bench.types("AT+CMQTTACCQ=0,\"c\"");
    for (line, expected) in [
        ("AT+CMQTTCFG=\"cid\"", &["+CMQTTCFG: \"CID\",1", "OK"][..]),
        ("AT+CMQTTCFG=\"scid\",0,3", &["OK"]),
        ("AT+CMQTTCFG=\"scid\",0", &["+CMQTTCFG: \"SCID\",0,3", "OK"]),
        (
            "AT+CMQTTCFG=\"scid\"",
            &["+CMQTTCFG: \"SCID\",0,3", "+CMQTTCFG: \"SCID\",1,1", "OK"],
        ),
    ] {
        assert_eq!(bench.types(line), expected, "{line}");
    }
}

#[test]
fn a_client_connects_with_what_it_was_given() {
    let mut bench = Bench::started(&SIM7600);
    assert_eq!(
        bench.types("AT+CMQTTCONNECT=0,\"tcp://h\",60,1"),
        ["+CMQTTCONNECT: 0,20", "ERROR"]
    );
    bench.types("AT+CMQTTACCQ=0,\"c\",1,4");
    assert_eq!(bench.gives("AT+CMQTTWILLTOPIC=0,1", b"w"), ["OK"]);
    assert_eq!(bench.gives("AT+CMQTTWILLMSG=0,1,1", b"x"), ["OK"]);
    bench.types("AT+CMQTTSSLCFG=0,3");
    for line in [
        "AT+CMQTTCONNECT=0,\"broker.test:1883\",60,1",
        "AT+CMQTTCONNECT=0,\"tcp://\",60,1",
        "AT+CMQTTCONNECT=0,\"tcp://broker.test:0\",60,1",
        "AT+CMQTTCONNECT=0,\"tcp://h\",60,1",
    ] {
        assert_eq!(bench.types(line), ["ERROR"], "{line}");
    }
    assert_eq!(
        bench.types("AT+CMQTTCONNECT?"),
        ["+CMQTTCONNECT: 0", "+CMQTTCONNECT: 1", "OK"]
    );
    assert_eq!(
        bench.types("AT+CMQTTCONNECT=0,\"tcp://h.test\",60,1,\"u\",\"p\""),
        [
            "open h.test 1883 1 Some(3)",
            "connect c true V3_1_1 Some(Will { topic: \"w\", payload: [120], qos: AtLeastOnce, retain: false })",
            "OK",
        ]
    );
    bench.around.state = Some(ConnectionState::Connecting);
    // A second one fails alone.
    assert_eq!(
        bench.types("AT+CMQTTCONNECT=0,\"tcp://h.test\",60,1"),
        ["ERROR"]
    );
    let accepted = Urc::Connected {
        connection: ID,
        result: Connected::Accepted,
    };
    assert_eq!(bench.happens(accepted), ["+CMQTTCONNECT: 0,0"]);
    assert_eq!(
        bench.types("AT+CMQTTCONNECT?"),
        [
            "+CMQTTCONNECT: 0,\"tcp://h.test\",60,1,\"u\",\"p\"",
            "+CMQTTCONNECT: 1",
            "OK"
        ]
    );
    assert_eq!(
        bench.types("AT+CMQTTDISC?"),
        ["+CMQTTDISC: 0,0", "+CMQTTDISC: 1,1", "OK"]
    );
}

#[test]
fn why_a_connect_fails_is_told_in_the_order_of_the_family() {
    let opened = |failure| Urc::Opened {
        connection: ID,
        result: Err(failure),
    };
    let connected = |result| Urc::Connected {
        connection: ID,
        result,
    };
    let refused = Connected::Refused(Refusal::NotAuthorized);
    let silent = Connected::Failed(Reason::NONE);
    for (model, urc, expected) in [
        (
            A7670,
            opened(OpenFailure::Network),
            &["+CMQTTCONNECT: 0,3", "ERROR"][..],
        ),
        (
            A7670,
            opened(OpenFailure::Tls),
            &["OK", "+CMQTTCONNECT: 0,32"],
        ),
        (
            A7670,
            connected(silent),
            &["OK", "+CMQTTCONNECT: 0,17", "close"],
        ),
        // Its `OK` came at once.
        (
            SIM7600,
            opened(OpenFailure::Network),
            &["+CMQTTCONNECT: 0,3"],
        ),
        (SIM7600, opened(OpenFailure::Dns), &["+CMQTTCONNECT: 0,25"]),
        (
            SIM7672,
            connected(refused),
            &["+CMQTTCONNECT: 0,31", "close"],
        ),
    ] {
        let mut bench = Bench::started(&model);
        bench.types("AT+CMQTTACCQ=0,\"c\"");
        bench.types("AT+CMQTTCONNECT=0,\"tcp://h.test\",60,1");
        assert_eq!(bench.happens(urc.clone()), expected, "{urc:?}");
        // What follows says nothing new.
        let lost = Urc::Status {
            connection: ID,
            status: LinkStatus::Tls,
            code: None,
        };
        assert_eq!(bench.happens(lost), Vec::<String>::new());
        // The client is still acquired.
        assert_eq!(
            bench
                .types("AT+CMQTTCONNECT=0,\"tcp://h.test\",60,1")
                .first()
                .unwrap(),
            "open h.test 1883 1 None"
        );
    }
}

#[test]
fn a_client_leaves_in_the_order_of_the_family() {
    let closed = || Urc::Closed {
        connection: ID,
        result: Ok(()),
    };
    for (model, types, comes) in [
        (A7670, &["close"][..], &["+CMQTTDISC: 0,0", "OK"][..]),
        (SIM7600, &["close"], &["+CMQTTDISC: 0,0", "OK"]),
        (SIM7672, &["close", "OK"], &["+CMQTTDISC: 0,0"]),
    ] {
        let mut bench = Bench::connected(&model);
        assert_eq!(bench.types("AT+CMQTTDISC=0,120"), types);
        assert_eq!(bench.happens(closed()), comes);
        bench.around.state = None;
        assert_eq!(
            bench.types("AT+CMQTTDISC=0,120"),
            ["+CMQTTDISC: 0,11", "ERROR"]
        );
    }
}
