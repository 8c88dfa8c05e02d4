//! The HTTP client. Of most of it the names alone are known; the rest is after Quectel's.

use super::parameter::Parameter;
use super::{Command, Key, Source};

const NAMED: Source = Source::seen("reference lmqtt.md 1.10");
const INFERRED: Source = Source::inferred("reference lmqtt.md 1.10");

const SECONDS: &[(i64, i64)] = &[(1, 65535)];
const BYTES: &[(i64, i64)] = &[(1, 16384)];

const RESPONSE_TIME: Parameter = Parameter::number(
    "rsptime",
    SECONDS,
    "how long the server may take, in seconds",
)
.optional();
const INPUT_TIME: Parameter =
    Parameter::number("timeout", SECONDS, "how long the data may take, in seconds").optional();

const RESULT: &[Parameter] = &[
    Parameter::number("err", &[(0, 0), (701, 730)], "the outcome").reads(outcome),
    Parameter::bare("code", "the server's status, 200 is good").optional(),
    Parameter::bare("length", "how many bytes the body has").optional(),
];

const fn key(name: &'static str, sets: &'static str, values: &'static [Parameter]) -> Key {
    Key {
        name,
        sets,
        values,
        source: INFERRED,
    }
}

const KEYS: &[Key] = &[
    key(
        "contextid",
        "the packet data context of the requests",
        &[Parameter::number("cid", &[(1, 15)], "the context")],
    ),
    key(
        "requestheader",
        "whether the host writes the head of requests",
        &[Parameter::switch("mode", "a head of one's own")],
    ),
    key(
        "responseheader",
        "whether the head of the answer is shown",
        &[Parameter::switch("mode", "the answer's head")],
    ),
    key(
        "sslctxid",
        "the TLS context of AT+LSSLCFG",
        &[Parameter::number("ctx", &[(0, 5)], "the context")],
    ),
    key(
        "contenttype",
        "the type of what is posted",
        &[Parameter::number("type", &[(0, 3)], "the type").values(&[
            ("0", "application/x-www-form-urlencoded"),
            ("1", "text/plain"),
            ("2", "application/octet-stream"),
            ("3", "multipart/form-data"),
        ])],
    ),
];

pub(super) const COMMANDS: &[Command] = &[
    Command::new(
        "+LHTTPCFG",
        "sets a value of the HTTP client, or shows it if no value is given",
        NAMED,
    )
    .takes(&[Parameter::key("key", "which value")])
    .keyed(KEYS),
    Command::new(
        "+LHTTPURL",
        "takes the address of the requests: the module answers CONNECT and takes exactly <url_length> bytes",
        NAMED,
    )
    .takes(&[
        Parameter::number("url_length", &[(1, 700)], "how many bytes the address has"),
        INPUT_TIME,
    ])
    .announcing(0)
    .answers(&[Parameter::bare("url", "the address")]),
    Command::new(
        "+LHTTPGET",
        "gets what is at the address. What came of it is reported by +LHTTPGET",
        NAMED,
    )
    .takes(&[
        RESPONSE_TIME,
        Parameter::number("data_length", BYTES, "how many bytes a request of one's own has")
            .optional(),
        INPUT_TIME,
    ])
    .announcing(1)
    .answers(RESULT),
    Command::new("+LHTTPGETEX", "gets a part of what is at the address", INFERRED)
        .takes(&[
            RESPONSE_TIME,
            Parameter::number("start_position", &[(0, 4_294_967_295)], "where the part begins"),
            Parameter::number("read_len", &[(1, 4_294_967_295)], "how many bytes it has"),
        ])
        .answers(RESULT),
    Command::new(
        "+LHTTPPOST",
        "posts to the address: the module answers CONNECT and takes exactly <data_length> bytes",
        INFERRED,
    )
    .takes(&[
        Parameter::number("data_length", BYTES, "how many bytes are posted"),
        INPUT_TIME,
        RESPONSE_TIME,
    ])
    .announcing(0)
    .answers(RESULT),
    Command::new("+LHTTPREAD", "shows what was got, behind CONNECT", INFERRED)
        .takes(&[Parameter::number("wait_time", SECONDS, "how long it may take, in seconds")
            .optional()])
        .answers(&[Parameter::number("err", &[(0, 0), (701, 730)], "the outcome").reads(outcome)]),
    Command::new("+LHTTPSTOP", "drops the request in progress", INFERRED),
];

fn outcome(number: i64) -> Option<String> {
    match number {
        0 => Some("done".to_owned()),
        _ => super::Codes::HTTP
            .find(number)
            .map(|code| code.meaning.to_owned()),
    }
}
