//! The HTTP client. Of most of it the names alone are known; the rest is after Quectel's.

mod module;

use alloc::borrow::ToOwned as _;
use alloc::string::String;

use crate::dialect::Prompt;
use crate::spec::{Code, Codes, Key, Lasting, Param, Source, Spec};

pub(super) use module::HttpClient;

const CONNECT: Prompt = Prompt::Line(b"CONNECT");

const NAMED: Source = Source::seen("reference lmqtt.md 1.10");
const INFERRED: Source = Source::inferred("reference lmqtt.md 1.10");
const NOT_STORED: Source = Source::inferred("as the settings of MQTT, 1.3");

const SECONDS: &[(i64, i64)] = &[(1, 65535)];
const BYTES: &[(i64, i64)] = &[(1, 16384)];

const RESPONSE_TIME: Param = Param::number(
    "rsptime",
    SECONDS,
    "how long the server may take, in seconds",
)
.optional();
const INPUT_TIME: Param =
    Param::number("timeout", SECONDS, "how long the data may take, in seconds").optional();

const RESULT: &[Param] = &[
    Param::number("err", &[(0, 0), (701, 730)], "the outcome").reads(outcome),
    Param::bare("code", "the server's status, 200 is good").optional(),
    Param::bare("length", "how many bytes the body has").optional(),
];

/// The keys of `AT+LHTTPCFG`.
#[rustfmt::skip]
const KEYS: &[Key] = &[
    Key::new("contextid", "the packet data context of the requests",
        &[Param::number("cid", &[(1, 15)], "the context")], INFERRED),
    Key::new("requestheader", "whether the host writes the head of requests",
        &[Param::switch("mode", "a head of one's own")], INFERRED),
    Key::new("responseheader", "whether the head of the answer is shown",
        &[Param::switch("mode", "the answer's head")], INFERRED),
    Key::new("sslctxid", "the TLS context of AT+LSSLCFG",
        &[Param::number("ctx", &[(0, 5)], "the context")], INFERRED),
    Key::new(
        "contenttype",
        "the type of what is posted",
        &[Param::number("type", &[(0, 3)], "the type").values(&[
            ("0", "application/x-www-form-urlencoded"),
            ("1", "text/plain"),
            ("2", "application/octet-stream"),
            ("3", "multipart/form-data"),
        ])],
        INFERRED,
    ),
];

/// The commands of the HTTP client.
#[rustfmt::skip]
pub(super) const COMMANDS: &[Spec] = &[
    Spec::new("+LHTTPCFG", "sets a value of the HTTP client, or shows it if no value is given",
        NAMED).takes(&[Param::key("key", "which value")]).keyed(KEYS)
        .lasting(Lasting::Start, NOT_STORED),
    Spec::new("+LHTTPURL",
        "takes the address of the requests: the module answers CONNECT and takes exactly <url_length> bytes",
        NAMED)
        .takes(&[
            Param::number("url_length", &[(1, 700)], "how many bytes the address has"),
            INPUT_TIME,
        ]).announces(0, CONNECT).answers(&[Param::bare("url", "the address")]).reads()
        .lasting(Lasting::Start, NOT_STORED),
    Spec::new("+LHTTPGET", "gets what is at the address. What came of it is reported by +LHTTPGET",
        NAMED)
        .takes(&[
            RESPONSE_TIME,
            Param::number("data_length", BYTES, "how many bytes a request of one's own has").optional(),
            INPUT_TIME,
        ]).announces(1, CONNECT).answers(RESULT).executes().acts().after("+LHTTPURL")
        .urcs(&["+LHTTPGET"]),
    Spec::new("+LHTTPGETEX", "gets a part of what is at the address", INFERRED)
        .takes(&[
            RESPONSE_TIME,
            Param::number("start_position", &[(0, 4_294_967_295)], "where the part begins"),
            Param::number("read_len", &[(1, 4_294_967_295)], "how many bytes it has"),
        ]).answers(RESULT).acts().after("+LHTTPURL").urcs(&["+LHTTPGETEX"]),
    Spec::new("+LHTTPPOST",
        "posts to the address: the module answers CONNECT and takes exactly <data_length> bytes",
        INFERRED)
        .takes(&[
            Param::number("data_length", BYTES, "how many bytes are posted"),
            INPUT_TIME,
            RESPONSE_TIME,
        ]).announces(0, CONNECT).answers(RESULT).acts().after("+LHTTPURL")
        .urcs(&["+LHTTPPOST"]),
    Spec::new("+LHTTPREAD", "shows what was got, behind CONNECT", INFERRED)
        .takes(&[Param::number("wait_time", SECONDS, "how long it may take, in seconds")
            .optional()])
        .answers(&[Param::number("err", &[(0, 0), (701, 730)], "the outcome").reads(outcome)]).executes().acts()
        .urcs(&["+LHTTPREAD"]),
    Spec::plain("+LHTTPSTOP", "drops the request in progress", INFERRED),
];

fn outcome(number: i64) -> Option<String> {
    match number {
        0 => Some("done".to_owned()),
        _ => CODES.find(number).map(|code| code.meaning.to_owned()),
    }
}

/// What the HTTP client adds to the numbers of `+CME ERROR`.
pub const CODES: Codes = Codes {
    name: "HTTP",
    what: "an error of the HTTP client (+CME ERROR, +LHTTPGET, +LHTTPPOST)",
    codes: NUMBERS,
    source: Source::inferred("after Quectel's AT+QHTTP commands, reference lmqtt.md 1.10"),
};

/// Quectel's, from general knowledge.
#[rustfmt::skip]
const NUMBERS: &[Code] = &[
    Code::new(701, "HTTP unknown error", ""),
    Code::new(702, "HTTP timeout", ""),
    Code::new(703, "HTTP busy", "wait for the request in progress, or drop it: AT+LHTTPSTOP"),
    Code::new(704, "HTTP UART busy", ""),
    Code::new(705, "HTTP no request to read the answer of",
        "AT+LHTTPGET or AT+LHTTPPOST comes first"),
    Code::new(706, "HTTP network busy", ""),
    Code::new(707, "HTTP network open failed", ""),
    Code::new(708, "HTTP network not configured", ""),
    Code::new(709, "HTTP network deactivated", "check registration (AT+CEREG?)"),
    Code::new(710, "HTTP network error", ""),
    Code::new(711, "HTTP URL error", "it begins with http:// or https://"),
    Code::new(712, "HTTP URL empty", "AT+LHTTPURL comes first"),
    Code::new(713, "HTTP IP address error", ""),
    Code::new(714, "HTTP DNS error", "check the host name"),
    Code::new(715, "HTTP socket create error", ""),
    Code::new(716, "HTTP socket connect error", "check host, port and firewall"),
    Code::new(717, "HTTP socket read error", ""),
    Code::new(718, "HTTP socket write error", ""),
    Code::new(719, "HTTP socket closed", ""),
    Code::new(720, "HTTP data encode error", ""),
    Code::new(721, "HTTP data decode error", ""),
    Code::new(722, "HTTP read timeout", ""),
    Code::new(723, "HTTP response failed", ""),
    Code::new(726, "HTTP input timeout", "the announced bytes did not come in time"),
    Code::new(727, "HTTP wait data timeout", ""),
    Code::new(728, "HTTP wait response timeout", "the server did not answer in time"),
    Code::new(729, "HTTP memory allocation failed", ""),
    Code::new(730, "HTTP invalid parameter", ""),
];
