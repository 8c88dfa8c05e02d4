//! The HTTP client. Of most of it the names alone are known; the rest is after Quectel's.

use crate::spec::Param;
use crate::spec::{Spec, Key, Source};

const NAMED: Source = Source::seen("reference lmqtt.md 1.10");
const INFERRED: Source = Source::inferred("reference lmqtt.md 1.10");

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

const fn key(name: &'static str, sets: &'static str, values: &'static [Param]) -> Key {
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
        &[Param::number("cid", &[(1, 15)], "the context")],
    ),
    key(
        "requestheader",
        "whether the host writes the head of requests",
        &[Param::switch("mode", "a head of one's own")],
    ),
    key(
        "responseheader",
        "whether the head of the answer is shown",
        &[Param::switch("mode", "the answer's head")],
    ),
    key(
        "sslctxid",
        "the TLS context of AT+LSSLCFG",
        &[Param::number("ctx", &[(0, 5)], "the context")],
    ),
    key(
        "contenttype",
        "the type of what is posted",
        &[Param::number("type", &[(0, 3)], "the type").values(&[
            ("0", "application/x-www-form-urlencoded"),
            ("1", "text/plain"),
            ("2", "application/octet-stream"),
            ("3", "multipart/form-data"),
        ])],
    ),
];

pub const COMMANDS: &[Spec] = &[
    Spec::new(
        "+LHTTPCFG",
        "sets a value of the HTTP client, or shows it if no value is given",
        NAMED,
    )
    .takes(&[Param::key("key", "which value")])
    .keyed(KEYS),
    Spec::new(
        "+LHTTPURL",
        "takes the address of the requests: the module answers CONNECT and takes exactly <url_length> bytes",
        NAMED,
    )
    .takes(&[
        Param::number("url_length", &[(1, 700)], "how many bytes the address has"),
        INPUT_TIME,
    ])
    .announcing(0)
    .answers(&[Param::bare("url", "the address")]),
    Spec::new(
        "+LHTTPGET",
        "gets what is at the address. What came of it is reported by +LHTTPGET",
        NAMED,
    )
    .takes(&[
        RESPONSE_TIME,
        Param::number("data_length", BYTES, "how many bytes a request of one's own has")
            .optional(),
        INPUT_TIME,
    ])
    .announcing(1)
    .answers(RESULT),
    Spec::new("+LHTTPGETEX", "gets a part of what is at the address", INFERRED)
        .takes(&[
            RESPONSE_TIME,
            Param::number("start_position", &[(0, 4_294_967_295)], "where the part begins"),
            Param::number("read_len", &[(1, 4_294_967_295)], "how many bytes it has"),
        ])
        .answers(RESULT),
    Spec::new(
        "+LHTTPPOST",
        "posts to the address: the module answers CONNECT and takes exactly <data_length> bytes",
        INFERRED,
    )
    .takes(&[
        Param::number("data_length", BYTES, "how many bytes are posted"),
        INPUT_TIME,
        RESPONSE_TIME,
    ])
    .announcing(0)
    .answers(RESULT),
    Spec::new("+LHTTPREAD", "shows what was got, behind CONNECT", INFERRED)
        .takes(&[Param::number("wait_time", SECONDS, "how long it may take, in seconds")
            .optional()])
        .answers(&[Param::number("err", &[(0, 0), (701, 730)], "the outcome").reads(outcome)]),
    Spec::new("+LHTTPSTOP", "drops the request in progress", INFERRED),
];

fn outcome(number: i64) -> Option<String> {
    match number {
        0 => Some("done".to_owned()),
        _ => super::Codes::HTTP
            .find(number)
            .map(|code| code.meaning.to_owned()),
    }
}
