//! The numbers by which LMQTT tells what went wrong, in words.

use crate::spec::{Code, Codes, Source};

/// Every place where numbers have a meaning of their own.
pub(super) const ALL: &[&Codes] = &[&STATS, &OPEN, &CONN, &CONNACK, &STATE, &PUB, &EXTEND];

/// The state of a link.
#[rustfmt::skip]
const STATS: Codes = Codes {
    name: "STATS",
    what: "a state of a link (+LMQTTURC: STATS)",
    codes: &[
        Code::new(0, "nothing is wrong", ""),
        Code::new(1, "the broker closed or reset the link",
            "configure, open, connect and subscribe again; does another client use the same client id, was the keepalive missed?"),
        Code::new(2, "the address cannot be parsed", "check <host_name> of AT+LMQTTOPEN"),
        Code::new(3, "the host name cannot be resolved",
            "check <host_name>, and that the module has an address (AT+CGPADDR)"),
        Code::new(4, "the broker broke the protocol",
            "is it an MQTT broker, and the port not a TLS port?"),
        Code::new(7, "HTTP error, with its code behind", ""),
        Code::new(8, "no connection within the time limit", "check host, port and firewall"),
        Code::new(9, "no connection", "check host, port and firewall"),
        Code::new(10, "fatal error", "reboot the module: AT+CFUN=1,1"),
        Code::new(11, "the link was closed by the module",
            "check the radio (AT+CFUN?) and the registration (AT+CEREG?)"),
        Code::new(12, "more data is needed", ""),
        Code::new(13, "the cache is full, a received message was dropped",
            "read what waits with AT+LMQTTREAD"),
        Code::new(14, "TLS failed", "check the certificates and the TLS context"),
        Code::new(15, "the broker refused the client, with the return code behind", "see CONNACK"),
    ],
    source: Source::documented("reference lmqtt.md 1.8"),
};

/// Why a link could not be opened.
#[rustfmt::skip]
const OPEN: Codes = Codes {
    name: "OPEN",
    what: "a reason why a link could not be opened (extend of +LMQTTOPEN)",
    codes: &[
        Code::new(1, "a parameter is wrong", "check host and port"),
        Code::new(2, "the connection is in use", "close it first: AT+LMQTTCLOSE"),
        Code::new(3, "the packet data context could not be activated",
            "check registration (AT+CEREG?) and access point (AT+CGDCONT?)"),
        Code::new(4, "the host name could not be resolved",
            "check the name, and that the module has an address (AT+CGPADDR)"),
        Code::new(5, "the network is down, or the host does not take the connection",
            "check host, port and firewall"),
    ],
    source: Source::documented("reference lmqtt.md 1.4"),
};

/// What came of a CONNECT.
#[rustfmt::skip]
const CONN: Codes = Codes {
    name: "CONN",
    what: "a result of a CONNECT (result of +LMQTTCONN)",
    codes: &[
        Code::new(0, "sent, and the broker has answered; its return code behind tells what", ""),
        Code::new(1, "sent again", ""),
        Code::new(2, "not sent or not answered",
            "is it an MQTT broker, and the port not a TLS port?"),
    ],
    source: Source::documented("reference lmqtt.md 1.5"),
};

/// What the broker answered.
#[rustfmt::skip]
const CONNACK: Codes = Codes {
    name: "CONNACK",
    what: "a return code of the broker (ret_code of +LMQTTCONN)",
    codes: &[
        Code::new(0, "accepted", ""),
        Code::new(1, "the broker does not speak this version of MQTT",
            "set it with AT+LMQTTCFG=\"version\""),
        Code::new(2, "the broker does not allow this client id", "choose another"),
        Code::new(3, "the broker is not available", "try later"),
        Code::new(4, "wrong user name or password", "check both"),
        Code::new(5, "not authorised", "check user name, password and the broker's rules"),
        Code::new(6, "the packet could not be sent", ""),
        Code::new(7, "a parameter is wrong", ""),
    ],
    source: Source::documented("reference lmqtt.md 1.5"),
};

/// The state of a connection.
#[rustfmt::skip]
const STATE: Codes = Codes {
    name: "STATE",
    what: "a state of a connection (AT+LMQTTCONN?)",
    codes: &[
        Code::new(1, "configured or open, MQTT not yet spoken", "AT+LMQTTCONN connects"),
        Code::new(2, "connecting", ""),
        Code::new(3, "connected", ""),
        Code::new(4, "disconnecting, or disconnected and not yet closed", "AT+LMQTTCLOSE closes"),
    ],
    source: Source::documented("reference lmqtt.md 1.5"),
};

/// What came of a publish.
#[rustfmt::skip]
const PUB: Codes = Codes {
    name: "PUB",
    what: "a result of a publish (result of +LMQTTPUB)",
    codes: &[
        Code::new(0, "sent, and acknowledged as its quality of service demands", ""),
        Code::new(1, "sent, but not acknowledged as it should be: it may have arrived",
            "to send it again can deliver it twice"),
        Code::new(2, "not sent", "the code behind tells why"),
    ],
    source: Source::documented("reference lmqtt.md 1.7"),
};

/// Why a publish or subscribe failed.
#[rustfmt::skip]
const EXTEND: Codes = Codes {
    name: "EXTEND",
    what: "a reason of a failed publish or subscribe (extend)",
    codes: &[
        Code::new(6, "the packet could not be sent",
            "is the connection still there (AT+LMQTTCONN?)?"),
        Code::new(7, "a parameter is wrong", ""),
    ],
    source: Source::documented("reference lmqtt.md 1.7"),
};
