//! What the module does with messages and topics, and what it says of them.

use super::bench::Bench;
use super::*;
use crate::mqtt::{Connected, LinkStatus, PublishResult, Reason, ReasonKind, SubscriptionChange};

#[test]
fn topic_and_payload_are_given_and_then_forgotten() {
    let done = || Urc::Published {
        connection: ID,
        message_id: 0,
        result: PublishResult::Done,
        reason: Reason::NONE,
    };
    let mut bench = Bench::started(&A7670);
    assert_eq!(
        bench.types("AT+CMQTTTOPIC=0,1"),
        ["+CMQTTTOPIC: 0,20", "ERROR"]
    );
    bench.types("AT+CMQTTACCQ=0,\"c\"");
    assert_eq!(
        bench.types("AT+CMQTTTOPIC=0,1"),
        ["+CMQTTTOPIC: 0,11", "ERROR"]
    );

    let mut bench = Bench::connected(&A7670);
    assert_eq!(
        bench.types("AT+CMQTTPUB=0,1,60"),
        ["+CMQTTPUB: 0,18", "ERROR"]
    );
    assert_eq!(bench.gives("AT+CMQTTTOPIC=0,1", b"t"), ["OK"]);
    assert_eq!(bench.gives("AT+CMQTTPAYLOAD=0,2", b"ab"), ["OK"]);
    let published = ["publish 1 true t [97, 98]", "OK"];
    assert_eq!(bench.types("AT+CMQTTPUB=0,1,60,1"), published);
    // The next ones are taken before the outcome, but not sent.
    assert_eq!(bench.gives("AT+CMQTTTOPIC=0,1", b"u"), ["OK"]);
    assert_eq!(
        bench.types("AT+CMQTTPUB=0,0,60"),
        ["+CMQTTPUB: 0,14", "ERROR"]
    );
    assert_eq!(bench.happens(done()), ["+CMQTTPUB: 0,0"]);
    assert_eq!(
        bench.types("AT+CMQTTPUB=0,0,60"),
        ["+CMQTTPUB: 0,18", "ERROR"]
    );
    // Without a payload it is empty.
    bench.gives("AT+CMQTTTOPIC=0,1", b"u");
    assert_eq!(
        bench.types("AT+CMQTTPUB=0,0,60"),
        ["publish 0 false u []", "OK"]
    );
    // The broker has not answered.
    let unanswered = Urc::Published {
        connection: ID,
        message_id: 0,
        result: PublishResult::WrongAcknowledgement,
        reason: Reason::NONE,
    };
    assert_eq!(bench.happens(unanswered), ["+CMQTTPUB: 0,17"]);
    // What nobody has asked for is not reported.
    assert_eq!(bench.happens(done()), Vec::<String>::new());
}

#[test]
fn bytes_that_are_no_text_are_refused_unless_the_host_says_otherwise() {
    let mut bench = Bench::connected(&A7670);
    assert_eq!(
        bench.gives("AT+CMQTTPAYLOAD=0,1", b"\xff"),
        ["+CMQTTPAYLOAD: 0,2", "ERROR"]
    );
    assert_eq!(
        bench.gives("AT+CMQTTTOPIC=0,1", b"\xff"),
        ["+CMQTTTOPIC: 0,2", "ERROR"]
    );
    let mut bench = Bench::started(&A7670);
    bench.types("AT+CMQTTACCQ=0,\"c\"");
    bench.types("AT+CMQTTCFG=\"checkUTF8\",0,0");
    bench.types("AT+CMQTTCONNECT=0,\"tcp://h.test\",60,1");
    bench.happens(Urc::Connected {
        connection: ID,
        result: Connected::Accepted,
    });
    assert_eq!(bench.gives("AT+CMQTTPAYLOAD=0,1", b"\xff"), ["OK"]);
}

#[test]
fn topics_are_collected_or_given_one_by_one() {
    let changed = |change, result| Urc::SubscriptionChanged {
        connection: ID,
        message_id: 0,
        change: Some(change),
        result,
    };
    let (subscribed, unsubscribed) = (
        SubscriptionChange::Subscribed,
        SubscriptionChange::Unsubscribed,
    );
    let mut bench = Bench::connected(&A7670);
    assert_eq!(bench.types("AT+CMQTTSUB=0"), ["+CMQTTSUB: 0,18", "ERROR"]);
    bench.gives("AT+CMQTTSUBTOPIC=0,1,1", b"a");
    bench.gives("AT+CMQTTSUBTOPIC=0,1,2", b"b");
    assert_eq!(bench.types("AT+CMQTTSUB=0"), ["subscribe a 1,b 2", "OK"]);
    assert_eq!(
        bench.types("AT+CMQTTUNSUB=0,0"),
        ["+CMQTTUNSUB: 0,14", "ERROR"]
    );
    assert_eq!(
        bench.happens(changed(subscribed, Ok(Some(2)))),
        ["+CMQTTSUB: 0,0"]
    );
    assert_eq!(
        bench.types("AT+CMQTTSUB?"),
        ["+CMQTTSUB:", "0,\"a\"", "0,\"b\"", "OK"]
    );
    assert_eq!(
        bench.gives("AT+CMQTTSUB=0,1,0", b"c"),
        ["subscribe c 0", "OK"]
    );
    let refused = Err(Reason::NONE);
    assert_eq!(
        bench.happens(changed(subscribed, refused)),
        ["+CMQTTSUB: 0,1"]
    );
    bench.gives("AT+CMQTTUNSUBTOPIC=0,1", b"a");
    assert_eq!(bench.types("AT+CMQTTUNSUB=0,0"), ["unsubscribe a", "OK"]);
    assert_eq!(
        bench.happens(changed(unsubscribed, Ok(None))),
        ["+CMQTTUNSUB: 0,0"]
    );
    assert_eq!(
        bench.gives("AT+CMQTTUNSUB=0,1,0", b"b"),
        ["unsubscribe b", "OK"]
    );
    let late = Err(ReasonKind::NotSent.into());
    assert_eq!(
        bench.happens(changed(unsubscribed, late)),
        ["+CMQTTUNSUB: 0,17"]
    );
    assert_eq!(bench.types("AT+CMQTTSUB?"), ["+CMQTTSUB:", "0,\"b\"", "OK"]);
}

#[test]
fn the_one_line_form_is_taken_where_it_was_asked_for() {
    let mut bench = Bench::connected(&A7670);
    for line in [
        "AT+CMQTTSUB=0,\"a\",1",
        "AT+CMQTTUNSUB=0,\"a\"",
        "AT+CMQTTPUB=0,\"a\",1,2",
    ] {
        assert_eq!(bench.types(line), ["ERROR"], "{line}");
    }
    let message = |payload: &[u8]| Urc::Received {
        connection: ID,
        message_id: 7,
        topic: "a".into(),
        payload: payload.into(),
    };
    for (flags, received) in [
        ("1", "+CMQTTRECV: 0,\"a\",\"x\""),
        ("1,1", "+CMQTTRECV: 0,\"a\",1,\"x\""),
    ] {
        let mut bench = Bench::started(&A7670);
        bench.types("AT+CMQTTACCQ=0,\"c\"");
        bench.types(&format!("AT+CMQTTCFG=\"argtopic\",0,{flags}"));
        bench.types("AT+CMQTTCONNECT=0,\"tcp://h.test\",60,1");
        bench.happens(Urc::Connected {
            connection: ID,
            result: Connected::Accepted,
        });
        assert_eq!(
            bench.types("AT+CMQTTSUB=0,\"a\",1"),
            ["subscribe a 1", "OK"]
        );
        assert_eq!(
            bench.gives("AT+CMQTTPUB=0,\"a\",2,1,1", b"x"),
            ["publish 2 true a [120]", "OK"]
        );
        assert_eq!(bench.happens(message(b"x")), [received]);
    }
}

#[test]
fn messages_come_in_pieces() {
    let mut bench = Bench::connected(&A7670);
    let message = |payload: Vec<u8>| Urc::Received {
        connection: ID,
        message_id: 7,
        topic: "test".into(),
        payload,
    };
    let long = vec![b'x'; 1520];
    let text = String::from_utf8(long.clone()).unwrap();
    let expected = format!(
        "+CMQTTRXSTART: 0,4,1520\r\n+CMQTTRXTOPIC: 0,4\r\ntest\r\n\
         +CMQTTRXPAYLOAD: 0,1500\r\n{}\r\n+CMQTTRXPAYLOAD: 0,20\r\n{}\r\n+CMQTTRXEND: 0",
        &text[..1500],
        &text[..20]
    );
    assert_eq!(bench.happens(message(long)), [expected]);
    assert_eq!(
        bench.happens(message(Vec::new())),
        ["+CMQTTRXSTART: 0,4,0\r\n+CMQTTRXTOPIC: 0,4\r\ntest\r\n+CMQTTRXEND: 0"]
    );
    // Measured.
    let mut bench = Bench::connected(&SIM7672);
    assert_eq!(
        bench.happens(message(b"ab".to_vec())),
        [
            "+CMQTTRXSTART: 0,4,2\r\n\r\n+CMQTTRXTOPIC: 0,4\r\ntest\r\n\r\n+CMQTTRXPAYLOAD: 0,2\r\nab\r\n\r\n+CMQTTRXEND: 0"
        ]
    );
}

#[test]
fn a_lost_link_ends_what_is_under_way() {
    let lost = |status| Urc::Status {
        connection: ID,
        status,
        code: None,
    };
    let mut bench = Bench::connected(&A7670);
    bench.gives("AT+CMQTTTOPIC=0,1", b"t");
    bench.types("AT+CMQTTPUB=0,1,60");
    bench.gives("AT+CMQTTSUB=0,1,1", b"s");
    // As when a broker closes the link because it forbids the topic.
    assert_eq!(
        bench.happens(lost(LinkStatus::ClosedByServer)),
        ["+CMQTTPUB: 0,6", "+CMQTTSUB: 0,6", "+CMQTTCONNLOST: 0,1"]
    );
    assert_eq!(
        bench.happens(lost(LinkStatus::ClosedByServer)),
        Vec::<String>::new()
    );
    // It is acquired still, and forgets what was given.
    bench.around.state = None;
    assert_eq!(
        bench.types("AT+CMQTTPUB=0,1,60"),
        ["+CMQTTPUB: 0,18", "ERROR"]
    );
    // Before the answer to CONNECT it is CONNECT that fails.
    bench.types("AT+CMQTTCONNECT=0,\"tcp://h.test\",60,1");
    assert_eq!(
        bench.happens(lost(LinkStatus::ClosedByServer)),
        ["OK", "+CMQTTCONNECT: 0,26"]
    );
}

#[test]
fn with_the_network_the_service_is_gone() {
    let mut bench = Bench::connected(&SIM7600);
    assert_eq!(bench.notices(false), ["+CMQTTCONNLOST: 0,3", "+CMQTTNONET"]);
    let lost = Urc::Status {
        connection: ID,
        status: LinkStatus::Closed,
        code: None,
    };
    assert_eq!(bench.happens(lost), Vec::<String>::new());
    bench.around.state = None;
    assert_eq!(bench.types("AT+CMQTTACCQ=0,\"c\""), ["ERROR"]);
    assert_eq!(bench.types("AT+CMQTTSTART"), ["activate 1 true"]);
}

#[test]
fn data_that_does_not_come_is_an_error() {
    let mut bench = Bench::connected(&A7670);
    assert_eq!(bench.types("AT+CMQTTTOPIC=0,3"), [">"]);
    assert_eq!(bench.gives_nothing(), ["ERROR"]);
    assert_eq!(
        bench.types("AT+CMQTTPUB=0,1,60"),
        ["+CMQTTPUB: 0,18", "ERROR"]
    );
}
