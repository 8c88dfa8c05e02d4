//! How the module reports what has happened.

use super::module::{CLOSED, CONNECTED, Talk, lines, status, subscribed};
use super::*;
use crate::dialect::Value;

#[test]
fn the_end_of_a_link_has_a_number() {
    let mut talk = Talk::new(&EC25);
    for (reason, line) in [
        (LinkStatus::ClosedByServer, "+QMTSTAT: 0,1"),
        (LinkStatus::PingTimeout, "+QMTSTAT: 0,2"),
        (LinkStatus::Closed, "+QMTSTAT: 0,7"),
        (LinkStatus::Protocol, "+QMTSTAT: 0,1"),
    ] {
        assert_eq!(talk.reports(status(reason)), [line]);
    }
    // Newer firmware tells of the ping as well.
    let mut talk = Talk::new(&EG800K);
    talk.says("+QURCCFG=\"urcport\",\"uart1\"", &CLOSED);
    let ping = talk.reports(status(LinkStatus::PingTimeout));
    assert_eq!(ping, ["+QMTPING: 0,1", "+QMTSTAT: 0,2"]);
    // Some tell that the broker has closed the link behind a DISC.
    let mut talk = Talk::with(&EC25, &[("disconnect_status", Value::Number(5))]);
    let left = talk.reports(Urc::Disconnected {
        connection: ID,
        result: Ok(()),
    });
    assert_eq!(left, ["+QMTDISC: 0,0", "+QMTSTAT: 0,5"]);
    // BG96 has another number where the broker has refused the client.
    let mut talk = Talk::new(&BG96);
    let refused = talk.reports(Urc::Connected {
        connection: ID,
        result: Connected::Refused(Refusal::Identifier),
    });
    assert_eq!(refused, ["+QMTCONN: 0,0,2"]);
    let closed = talk.reports(status(LinkStatus::ClosedByServer));
    assert_eq!(closed, ["+QMTSTAT: 0,4"]);
    let closed = talk.reports(status(LinkStatus::ClosedByServer));
    assert_eq!(closed, ["+QMTSTAT: 0,1"]);
}

#[test]
fn a_subscribe_shows_what_was_granted() {
    let refused = Err(Reason::NONE);
    for (vector, codes, result, line) in [
        (false, &[1][..], Ok(Some(1)), "+QMTSUB: 0,3,0,1"),
        (false, &[2, 0], Ok(Some(2)), "+QMTSUB: 0,3,0,2"),
        (true, &[2, 0], Ok(Some(2)), "+QMTSUB: 0,3,0,2,0"),
        (false, &[0x80], refused, "+QMTSUB: 0,3,0,128"),
        (true, &[1, 0x87], refused, "+QMTSUB: 0,3,0,1,128"),
    ] {
        let switches = [("granted_vector", Value::Flag(vector))];
        let mut talk = Talk::with(&EC25, &switches);
        talk.0.acknowledged(ID, 3, codes);
        assert_eq!(talk.reports(subscribed(3, result)), [line]);
    }
    let mut talk = Talk::new(&EC25);
    let unsent = Err(ReasonKind::NotSent.into());
    assert_eq!(talk.reports(subscribed(3, unsent)), ["+QMTSUB: 0,3,2"]);
    let unsubscribed = Urc::SubscriptionChanged {
        connection: ID,
        message_id: 4,
        change: Some(SubscriptionChange::Unsubscribed),
        result: Ok(None),
    };
    assert_eq!(talk.reports(unsubscribed), ["+QMTUNS: 0,4,0"]);
}

#[test]
fn a_publish_that_is_sent_again_is_told_where_the_host_wants_it() {
    let mut talk = Talk::new(&EC800M);
    let mut acts = Vec::new();
    talk.0.sent_again(ID, 7, 1, &mut acts);
    assert_eq!(acts, []);
    talk.says("+QMTCFG=\"timeout\",0,5,3,1", &CONNECTED);
    talk.command("+QMTPUBEX=0,7,1,0,\"t\",1", &CONNECTED)
        .unwrap();
    talk.0.data(b"x", &CONNECTED, &mut Vec::new()).unwrap();
    talk.0.sent_again(ID, 7, 2, &mut acts);
    assert_eq!(lines(acts), ["+QMTPUBEX: 0,7,1,2"]);
}

#[test]
fn messages_are_written_as_the_host_has_said() {
    let message = || received(7, "t", b"a\"b");
    for (settings, line) in [
        (&[][..], "+QMTRECV: 0,7,\"t\",\"a\"b\""),
        (&["\"recv/mode\",0,0,1"], "+QMTRECV: 0,7,\"t\",3,\"a\"b\""),
        (&["\"dataformat\",0,0,1"], "+QMTRECV: 0,7,\"t\",\"612262\""),
        (
            &["\"recv/mode\",0,0,1", "\"dataformat\",0,0,1"],
            "+QMTRECV: 0,7,\"t\",3,\"612262\"",
        ),
        (&["\"view/mode\",0,0"], "+QMTRECV: 0,7,\"t\",3\r\na\"b"),
    ] {
        let mut talk = Talk::new(&EC800M);
        for setting in settings {
            talk.says(&format!("+QMTCFG={setting}"), &CONNECTED);
        }
        assert_eq!(talk.reports(message()), [line]);
    }
}

#[test]
fn messages_wait_in_five_slots() {
    let mut talk = Talk::new(&EC800M);
    assert_eq!(talk.says("+QMTRECV?", &CLOSED), ["+QMTRECV: 0,0,0,0,0,0"]);
    talk.says("+QMTCFG=\"recv/mode\",0,1,1", &CONNECTED);
    for slot in 0..5 {
        let noted = talk.reports(received(slot + 10, "t", b"x\r\n"));
        assert_eq!(noted, [format!("+QMTRECV: 0,{slot}")]);
    }
    // A sixth is lost.
    assert_eq!(talk.reports(received(20, "t", b"x")), Vec::<String>::new());
    assert_eq!(
        talk.says("+QMTRECV?", &CONNECTED),
        ["+QMTRECV: 0,1,1,1,1,1"]
    );
    let read = talk.says("+QMTRECV=0,3", &CONNECTED);
    assert_eq!(read, ["+QMTRECV: 0,13,\"t\",3,\"x\r\n\""]);
    assert_eq!(talk.says("+QMTRECV=0,3", &CONNECTED), Vec::<String>::new());
    assert_eq!(
        talk.says("+QMTRECV?", &CONNECTED),
        ["+QMTRECV: 0,1,1,1,0,1"]
    );
    // The slot is free again.
    assert_eq!(talk.reports(received(21, "t", b"y")), ["+QMTRECV: 0,3"]);
    let all = talk.says("+QMTRECV=0", &CONNECTED);
    assert_eq!(all.len(), 5);
    assert_eq!(all[3], "+QMTRECV: 0,21,\"t\",1,\"y\"");
    assert_eq!(
        talk.says("+QMTRECV?", &CONNECTED),
        ["+QMTRECV: 0,0,0,0,0,0"]
    );
}
