//! The numbers by which a module says what went wrong.

use super::Source;

/// What a number means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    pub number: i64,
    /// What has happened.
    pub meaning: &'static str,
    /// What to do about it; empty if there is nothing to say.
    pub advice: &'static str,
}

/// The numbers at one place.
#[derive(Debug)]
pub struct Codes {
    /// What they are called in a question: `CME 30`, `STATS 13`.
    pub name: &'static str,
    /// What each of them is.
    pub what: &'static str,
    pub codes: &'static [Code],
    pub source: Source,
}

impl Codes {
    /// Every place where numbers have a meaning of their own.
    pub const ALL: [&'static Self; 10] = [
        &Self::CME,
        &Self::CMS,
        &Self::HTTP,
        &Self::STATS,
        &Self::OPEN,
        &Self::CONN,
        &Self::CONNACK,
        &Self::STATE,
        &Self::PUB,
        &Self::EXTEND,
    ];

    pub const CME: Self = Self {
        name: "CME",
        what: "an error of the module (+CME ERROR)",
        codes: CME,
        source: Source::standard("27.007 9.2 and reference lmqtt.md 1.10"),
    };

    pub const CMS: Self = Self {
        name: "CMS",
        what: "an error of a command for short messages (+CMS ERROR)",
        codes: &[
            code(300, "ME failure", ""),
            code(302, "operation not allowed", ""),
            code(303, "operation not supported", ""),
            code(304, "invalid PDU mode parameter", ""),
            code(305, "invalid text mode parameter", ""),
            code(310, "SIM not inserted", ""),
            code(311, "SIM PIN required", "enter it with AT+CPIN"),
            code(321, "invalid memory index", "there is no such message"),
            code(322, "memory full", "delete messages with AT+CMGD"),
            code(331, "no network service", ""),
            code(500, "unknown error", ""),
        ],
        source: Source::standard("27.005 3.2.5"),
    };

    /// What the HTTP client adds to the numbers of `+CME ERROR`.
    pub const HTTP: Self = Self {
        name: "HTTP",
        what: "an error of the HTTP client (+CME ERROR, +LHTTPGET, +LHTTPPOST)",
        codes: HTTP,
        source: Source::inferred("after Quectel's AT+QHTTP commands, reference lmqtt.md 1.10"),
    };

    pub const STATS: Self = Self {
        name: "STATS",
        what: "a state of a link (+LMQTTURC: STATS)",
        codes: &[
            code(0, "nothing is wrong", ""),
            code(
                1,
                "the broker closed or reset the link",
                "configure, open, connect and subscribe again; does another client use the same client id, was the keepalive missed?",
            ),
            code(
                2,
                "the address cannot be parsed",
                "check <host_name> of AT+LMQTTOPEN",
            ),
            code(
                3,
                "the host name cannot be resolved",
                "check <host_name>, and that the module has an address (AT+CGPADDR)",
            ),
            code(
                4,
                "the broker broke the protocol",
                "is it an MQTT broker, and the port not a TLS port?",
            ),
            code(7, "HTTP error, with its code behind", ""),
            code(
                8,
                "no connection within the time limit",
                "check host, port and firewall",
            ),
            code(9, "no connection", "check host, port and firewall"),
            code(10, "fatal error", "reboot the module: AT+CFUN=1,1"),
            code(
                11,
                "the link was closed by the module",
                "check the radio (AT+CFUN?) and the registration (AT+CEREG?)",
            ),
            code(12, "more data is needed", ""),
            code(
                13,
                "the cache is full, a received message was dropped",
                "read what waits with AT+LMQTTREAD",
            ),
            code(
                14,
                "TLS failed",
                "check the certificates and the TLS context",
            ),
            code(
                15,
                "the broker refused the client, with the return code behind",
                "see CONNACK",
            ),
        ],
        source: Source::documented("reference lmqtt.md 1.8"),
    };

    pub const OPEN: Self = Self {
        name: "OPEN",
        what: "a reason why a link could not be opened (extend of +LMQTTOPEN)",
        codes: &[
            code(1, "a parameter is wrong", "check host and port"),
            code(
                2,
                "the connection is in use",
                "close it first: AT+LMQTTCLOSE",
            ),
            code(
                3,
                "the packet data context could not be activated",
                "check registration (AT+CEREG?) and access point (AT+CGDCONT?)",
            ),
            code(
                4,
                "the host name could not be resolved",
                "check the name, and that the module has an address (AT+CGPADDR)",
            ),
            code(
                5,
                "the network is down, or the host does not take the connection",
                "check host, port and firewall",
            ),
        ],
        source: Source::documented("reference lmqtt.md 1.4"),
    };

    pub const CONN: Self = Self {
        name: "CONN",
        what: "a result of a CONNECT (result of +LMQTTCONN)",
        codes: &[
            code(
                0,
                "sent, and the broker has answered; its return code behind tells what",
                "",
            ),
            code(1, "sent again", ""),
            code(
                2,
                "not sent or not answered",
                "is it an MQTT broker, and the port not a TLS port?",
            ),
        ],
        source: Source::documented("reference lmqtt.md 1.5"),
    };

    pub const CONNACK: Self = Self {
        name: "CONNACK",
        what: "a return code of the broker (ret_code of +LMQTTCONN)",
        codes: &[
            code(0, "accepted", ""),
            code(
                1,
                "the broker does not speak this version of MQTT",
                "set it with AT+LMQTTCFG=\"version\"",
            ),
            code(
                2,
                "the broker does not allow this client id",
                "choose another",
            ),
            code(3, "the broker is not available", "try later"),
            code(4, "wrong user name or password", "check both"),
            code(
                5,
                "not authorised",
                "check user name, password and the broker's rules",
            ),
            code(6, "the packet could not be sent", ""),
            code(7, "a parameter is wrong", ""),
        ],
        source: Source::documented("reference lmqtt.md 1.5"),
    };

    pub const STATE: Self = Self {
        name: "STATE",
        what: "a state of a connection (AT+LMQTTCONN?)",
        codes: &[
            code(
                1,
                "configured or open, MQTT not yet spoken",
                "AT+LMQTTCONN connects",
            ),
            code(2, "connecting", ""),
            code(3, "connected", ""),
            code(
                4,
                "disconnecting, or disconnected and not yet closed",
                "AT+LMQTTCLOSE closes",
            ),
        ],
        source: Source::documented("reference lmqtt.md 1.5"),
    };

    pub const PUB: Self = Self {
        name: "PUB",
        what: "a result of a publish (result of +LMQTTPUB)",
        codes: &[
            code(
                0,
                "sent, and acknowledged as its quality of service demands",
                "",
            ),
            code(
                1,
                "sent, but not acknowledged as it should be: it may have arrived",
                "to send it again can deliver it twice",
            ),
            code(2, "not sent", "the code behind tells why"),
        ],
        source: Source::documented("reference lmqtt.md 1.7"),
    };

    pub const EXTEND: Self = Self {
        name: "EXTEND",
        what: "a reason of a failed publish or subscribe (extend)",
        codes: &[
            code(
                6,
                "the packet could not be sent",
                "is the connection still there (AT+LMQTTCONN?)?",
            ),
            code(7, "a parameter is wrong", ""),
        ],
        source: Source::documented("reference lmqtt.md 1.7"),
    };

    /// The numbers of a place, by what it is called.
    pub fn named(name: &str) -> Option<&'static Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|codes| codes.name.eq_ignore_ascii_case(name))
    }

    /// What this number means here.
    pub fn find(&self, number: i64) -> Option<&'static Code> {
        self.codes.iter().find(|code| code.number == number)
    }
}

const fn code(number: i64, meaning: &'static str, advice: &'static str) -> Code {
    Code {
        number,
        meaning,
        advice,
    }
}

/// From general knowledge of the standard; the numbers were not looked up.
const CME: &[Code] = &[
    code(0, "phone failure", ""),
    code(1, "no connection to phone", ""),
    code(2, "phone-adaptor link reserved", ""),
    code(
        3,
        "operation not allowed",
        "the module refuses a bad parameter, the wrong state or an unknown form alike; `atmq explain` of the command shows what it takes",
    ),
    code(4, "operation not supported", ""),
    code(5, "PH-SIM PIN required", ""),
    code(10, "SIM not inserted", "check the SIM and its slot"),
    code(11, "SIM PIN required", "enter it: AT+CPIN=\"<pin>\""),
    code(
        12,
        "SIM PUK required",
        "the PIN was wrong too often; AT+CPIN=\"<puk>\",\"<newpin>\"",
    ),
    code(13, "SIM failure", "check the SIM"),
    code(14, "SIM busy", "try again in a few seconds"),
    code(15, "SIM wrong", ""),
    code(16, "incorrect password", "a PIN may be tried three times"),
    code(17, "SIM PIN2 required", ""),
    code(18, "SIM PUK2 required", ""),
    code(20, "memory full", ""),
    code(21, "invalid index", ""),
    code(22, "not found", ""),
    code(23, "memory failure", ""),
    code(24, "text string too long", ""),
    code(25, "invalid characters in text string", ""),
    code(26, "dial string too long", ""),
    code(27, "invalid characters in dial string", ""),
    code(
        30,
        "no network service",
        "check antenna, signal (AT+CSQ) and registration (AT+CEREG?)",
    ),
    code(31, "network timeout", "try again"),
    code(
        32,
        "network not allowed, emergency calls only",
        "is the SIM active?",
    ),
    code(
        50,
        "incorrect parameters",
        "`atmq explain` of the command shows what it takes",
    ),
    code(51, "command implemented but currently disabled", ""),
    code(52, "command aborted by user", ""),
    code(
        53,
        "not attached to network due to MT functionality restrictions",
        "switch the radio on: AT+CFUN=1",
    ),
    code(
        100,
        "unknown",
        "the module does not know the command; check its spelling",
    ),
    code(103, "illegal MS", "the network rejects the SIM"),
    code(106, "illegal ME", "the network rejects the module's IMEI"),
    code(
        107,
        "packet services not allowed",
        "does the SIM's contract have data?",
    ),
    code(111, "PLMN not allowed", "does the SIM allow this network?"),
    code(112, "location area not allowed", ""),
    code(113, "roaming not allowed in this location area", ""),
    code(132, "service option not supported", ""),
    code(
        133,
        "requested service option not subscribed",
        "check the access point (AT+CGDCONT?)",
    ),
    code(134, "service option temporarily out of order", "try later"),
    code(148, "unspecified packet domain error", ""),
    code(
        149,
        "PDP authentication failure",
        "check the credentials of the access point",
    ),
    code(
        515,
        "please wait, init or command processing in progress",
        "try again in a few seconds",
    ),
];

/// Quectel's, from general knowledge.
const HTTP: &[Code] = &[
    code(701, "HTTP unknown error", ""),
    code(702, "HTTP timeout", ""),
    code(
        703,
        "HTTP busy",
        "wait for the request in progress, or drop it: AT+LHTTPSTOP",
    ),
    code(704, "HTTP UART busy", ""),
    code(
        705,
        "HTTP no request to read the answer of",
        "AT+LHTTPGET or AT+LHTTPPOST comes first",
    ),
    code(706, "HTTP network busy", ""),
    code(707, "HTTP network open failed", ""),
    code(708, "HTTP network not configured", ""),
    code(
        709,
        "HTTP network deactivated",
        "check registration (AT+CEREG?)",
    ),
    code(710, "HTTP network error", ""),
    code(711, "HTTP URL error", "it begins with http:// or https://"),
    code(712, "HTTP URL empty", "AT+LHTTPURL comes first"),
    code(713, "HTTP IP address error", ""),
    code(714, "HTTP DNS error", "check the host name"),
    code(715, "HTTP socket create error", ""),
    code(
        716,
        "HTTP socket connect error",
        "check host, port and firewall",
    ),
    code(717, "HTTP socket read error", ""),
    code(718, "HTTP socket write error", ""),
    code(719, "HTTP socket closed", ""),
    code(720, "HTTP data encode error", ""),
    code(721, "HTTP data decode error", ""),
    code(722, "HTTP read timeout", ""),
    code(723, "HTTP response failed", ""),
    code(
        726,
        "HTTP input timeout",
        "the announced bytes did not come in time",
    ),
    code(727, "HTTP wait data timeout", ""),
    code(
        728,
        "HTTP wait response timeout",
        "the server did not answer in time",
    ),
    code(729, "HTTP memory allocation failed", ""),
    code(730, "HTTP invalid parameter", ""),
];
