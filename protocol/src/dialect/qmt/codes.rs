//! The numbers by which QMT tells what went wrong, in words (reference `qmt.md` 4 and 5).

use crate::spec::{Code, Codes, Source};

/// Every place where numbers have a meaning of their own.
pub(super) const ALL: &[&Codes] = &[&STAT, &OPEN, &CONN, &CONNACK, &STATE, &PUB, &SUB];

/// Why a link has ended.
#[rustfmt::skip]
const STAT: Codes = Codes {
    name: "QMTSTAT",
    what: "a reason why the link has ended (+QMTSTAT)",
    codes: &[
        Code::new(1, "the broker closed or reset the link",
            "open again; does another client use the same client id, was the keepalive missed, did AT+QMTCONN come too late?"),
        Code::new(2, "a ping timed out or could not be sent",
            "activate the packet data context anew (AT+QIDEACT, AT+QIACT), and open again"),
        Code::new(3, "the CONNECT timed out or could not be sent", "check client id and credentials"),
        Code::new(4, "the CONNACK timed out, or refused the client", "check client id and credentials"),
        Code::new(5, "the client disconnected, and the broker closed the link", ""),
        Code::new(6, "the client closed the link, because packets could not be sent",
            "check what is sent, and open again"),
        Code::new(7, "the link is down, or the broker cannot be reached",
            "check registration (AT+CEREG?), host and port"),
        Code::new(8, "the client disconnected by itself", ""),
    ],
    source: Source::documented("reference qmt.md 5"),
};

/// Why a link could not be opened.
#[rustfmt::skip]
const OPEN: Codes = Codes {
    name: "QMTOPEN",
    what: "a result of an open (+QMTOPEN)",
    codes: &[
        Code::new(-1, "it failed", "with TLS, check the certificates and AT+QSSLCFG"),
        Code::new(0, "the link is open", "AT+QMTCONN must follow soon"),
        Code::new(1, "a parameter is wrong", "check host and port"),
        Code::new(2, "the connection is in use", "close it first: AT+QMTCLOSE"),
        Code::new(3, "the packet data context could not be activated",
            "check registration (AT+CEREG?) and access point (AT+QICSGP, AT+QIACT)"),
        Code::new(4, "the host name could not be resolved", "check the name, and AT+QIACT?"),
        Code::new(5, "the network is down, or the host does not take the connection",
            "check host, port and firewall"),
    ],
    source: Source::documented("reference qmt.md 4.1"),
};

/// What came of a CONNECT.
#[rustfmt::skip]
const CONN: Codes = Codes {
    name: "QMTCONN",
    what: "a result of a CONNECT (result of +QMTCONN)",
    codes: &[
        Code::new(0, "sent, and the broker has answered; its return code behind tells what", ""),
        Code::new(1, "sent again", ""),
        Code::new(2, "not sent or not answered",
            "is it an MQTT broker, and the port not a TLS port?"),
    ],
    source: Source::documented("reference qmt.md 4.3"),
};

/// What the broker answered.
#[rustfmt::skip]
const CONNACK: Codes = Codes {
    name: "QMTCONNACK",
    what: "a return code of the broker (ret_code of +QMTCONN)",
    codes: &[
        Code::new(0, "accepted", ""),
        Code::new(1, "the broker does not speak this version of MQTT",
            "set it with AT+QMTCFG=\"version\""),
        Code::new(2, "the broker does not allow this client id", "choose another"),
        Code::new(3, "the broker is not available", "try later"),
        Code::new(4, "wrong user name or password", "check both"),
        Code::new(5, "not authorised", "check user name, password and the broker's rules"),
    ],
    source: Source::documented("reference qmt.md 4.3"),
};

/// The state of a connection.
#[rustfmt::skip]
const STATE: Codes = Codes {
    name: "QMTSTATE",
    what: "a state of a connection (AT+QMTCONN?)",
    codes: &[
        Code::new(1, "open, MQTT not yet spoken", "AT+QMTCONN connects"),
        Code::new(2, "connecting", ""),
        Code::new(3, "connected", ""),
        Code::new(4, "disconnecting", ""),
    ],
    source: Source::documented("reference qmt.md 4.3"),
};

/// What came of a publish.
#[rustfmt::skip]
const PUB: Codes = Codes {
    name: "QMTPUB",
    what: "a result of a publish (result of +QMTPUB, +QMTPUBEX)",
    codes: &[
        Code::new(0, "sent, and acknowledged as its quality of service demands", ""),
        Code::new(1, "sent again; how often stands behind, and the outcome comes later", ""),
        Code::new(2, "failed: it may have arrived", "to send it again can deliver it twice"),
    ],
    source: Source::documented("reference qmt.md 4.6"),
};

/// What came of a subscribe or unsubscribe.
#[rustfmt::skip]
const SUB: Codes = Codes {
    name: "QMTSUB",
    what: "a result of a subscribe or unsubscribe (result of +QMTSUB, +QMTUNS)",
    codes: &[
        Code::new(0, "answered; the QoS granted stands behind, 128 is a refusal",
            "with 128, check the filter and the broker's rules"),
        Code::new(1, "sent again; how often stands behind, and the outcome comes later", ""),
        Code::new(2, "failed", "is the connection still there (AT+QMTCONN?)?"),
    ],
    source: Source::documented("reference qmt.md 4.5"),
};
