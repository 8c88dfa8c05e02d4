//! What lines mean to a host, by what was asked.

use super::plans::host;
use super::*;
use crate::dialect::{Answer, Caching, Said};

#[test]
fn answers_are_told_from_reports_by_what_is_pending() {
    let mut host = host(&EC25);
    let state = Answer::State {
        connection: ID,
        state: ConnectionState::Connected,
    };
    let said = host.read(b"+QMTCONN: 0,3", Some(b"AT+QMTCONN?\r"));
    assert_eq!(said, Some(Said::Answer(state)));
    assert_eq!(host.read(b"+QMTCONN: 0,3", None), None);
    let unread = Answer::Unread {
        connection: ConnectionId(1),
        message_ids: vec![0, 3],
    };
    let said = host.read(b"+QMTRECV: 1,1,0,0,1,0", Some(b"AT+QMTRECV?\r"));
    assert_eq!(said, Some(Said::Answer(unread)));
    let caching = host.carried_out(b"AT+QMTCFG=\"recv/mode\",1,1,1\r");
    let on = true;
    let connection = ConnectionId(1);
    assert_eq!(caching, Some(Caching { connection, on }));
    let message = Answer::Message {
        connection,
        message_id: 9,
        topic: "t".into(),
        payload: b"x".to_vec(),
    };
    let line = b"+QMTRECV: 1,9,\"t\",1,\"x\"";
    let said = host.read(line, Some(b"AT+QMTRECV=1,3\r"));
    assert_eq!(said, Some(Said::Answer(message)));
    // It is for another connection, and so reported.
    assert!(matches!(
        host.read(line, Some(b"AT+QMTRECV=0,3\r")),
        Some(Said::Urc(Urc::Received { .. }))
    ));
    let note = Urc::Buffered {
        connection,
        message_id: 3,
    };
    let said = host.read(b"+QMTRECV: 1,3", Some(b"AT+QMTRECV=1,2\r"));
    assert_eq!(said, Some(Said::Urc(note)));
    for (line, pending) in [
        (
            &b"+QMTCFG: \"keepalive\",120"[..],
            &b"AT+QMTCFG=\"keepalive\",0\r"[..],
        ),
        (b"+QFUPL: 2,4341", b"AT+QFUPL=\"f\",2\r"),
        (
            b"+QSSLCFG: \"seclevel\",2,0",
            b"AT+QSSLCFG=\"seclevel\",2\r",
        ),
        (
            b"+QURCCFG: \"urcport\",\"usbat\"",
            b"AT+QURCCFG=\"urcport\"\r",
        ),
    ] {
        let said = host.read(line, Some(pending));
        assert_eq!(said, Some(Said::Answer(Answer::Other)));
    }
    // How often a packet was sent is not what came of it.
    assert_eq!(host.read(b"+QMTPUB: 0,7,1,2", None), Some(Said::Part));
    assert_eq!(host.read(b"+QMTSUB: 0,7,1,2", None), Some(Said::Part));
}

#[test]
fn the_words_of_somebody_else_are_understood() {
    let host = host(&EC25);
    for (line, length) in [
        (&b"AT+QMTPUBEX=0,0,0,0,\"t\",5\r"[..], Some(Some(5))),
        (b"AT+QMTPUB=0,0,0,0,\"t\"", Some(None)),
        (b"AT+QFUPL=\"UFS:a.pem\",100,80", Some(Some(100))),
        (b"AT+QMTSUB=0,1,\"t\",0", None),
    ] {
        let commanded = host.command(line).expect("it is the dialect's");
        assert_eq!(commanded.ask.map(|ask| ask.length), length);
    }
    let conn = host.command(b"AT+QMTCONN=0,\"id\"\r").unwrap();
    assert!(conn.report.is_some());
    assert!(host.command(b"AT+CSQ\r").is_none());
    assert!(host.command(b"AT+QMTCONN=0\r").is_none());
}
