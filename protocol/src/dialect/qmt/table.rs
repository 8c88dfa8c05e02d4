//! What there is to know of QMT's commands (reference `qmt.md` 4), and of the one that says where
//! results are reported.

use super::keys::KEYS;
use crate::dialect::Prompt;
use crate::spec::{Param, SWITCH, Source, Spec};

pub(super) const URCCFG: &str = "+QURCCFG";
pub(super) const PUBEX: &str = "+QMTPUBEX";
pub(super) const CFG: &str = "+QMTCFG";
pub(super) const OPEN: &str = "+QMTOPEN";
pub(super) const CLOSE: &str = "+QMTCLOSE";
pub(super) const CONN: &str = "+QMTCONN";
pub(super) const DISC: &str = "+QMTDISC";
pub(super) const SUB: &str = "+QMTSUB";
pub(super) const UNS: &str = "+QMTUNS";
pub(super) const PUB: &str = "+QMTPUB";
pub(super) const RECV: &str = "+QMTRECV";

/// The values of `AT+QURCCFG="urcport"`: where the module reports.
pub(super) const PORTS: [&str; 4] = ["usbat", "usbmodem", "uart1", "all"];

const ID: Param = Param::up_to(
    "client_idx",
    |limits| i64::from(limits.connections) - 1,
    "which connection",
);
const MESSAGE_ID: Param = message_id(&[(1, 65535)]);

const fn message_id(ranges: &'static [(i64, i64)]) -> Param {
    Param::number(
        "msgID",
        ranges,
        "the packet identifier, by which the result URC is recognised; 0 with QoS 0 and nowhere else",
    )
}

const QOS: Param = Param::number("qos", &[(0, 2)], "the quality of service").values(&[
    ("0", "at most once"),
    ("1", "at least once"),
    ("2", "exactly once"),
]);
const TOPIC: Param = Param::text_up_to("topic", |limits| limits.topic, "the topic");
const FILTER: Param = Param::text_up_to(
    "topic",
    |limits| limits.topic,
    "a topic filter; + stands for a level, # for all that follow",
);
const LENGTH: Param = Param::up_to(
    "msglen",
    |limits| limits.prompt_payload as i64,
    "how many bytes the payload has",
);
const RESULT: Param = Param::bare("result", "what came of it");
const VALUE: Param = Param::bare("value", "more on the result").optional();

const PUBLISHED: &[Param] = &[ID, message_id(&[(0, 65535)]), RESULT, VALUE];
const PUBLISH: &[Param] = &[
    ID,
    message_id(&[(0, 65535)]),
    QOS,
    Param::number(
        "retain",
        SWITCH,
        "whether the broker keeps the message for new subscribers",
    )
    .values(&[("0", "no"), ("1", "yes")]),
    TOPIC,
    LENGTH.optional(),
];
const PUBLISH_EXTENDED: &[Param] = &[
    PUBLISH[0], PUBLISH[1], PUBLISH[2], PUBLISH[3], PUBLISH[4], LENGTH,
];

const NOTE: &str = "reference qmt.md 4";
const PROMPT: Prompt = Prompt::Sign(b">");

/// Those that not all modules have stand at the ends: [`Qmt::specs`](super::Qmt) leaves them out.
/// Time limits are what hosts wait (reference `qmt.md` 10) where the notes name the network's.
#[rustfmt::skip]
pub(in crate::dialect) const COMMANDS: &[Spec] = &[
    Spec::new(URCCFG, "says on which port the module reports what happens",
        Source::measured("reference qmt.md 2.1"))
        .takes(&[
            Param::words("urcport", &["urcport"], "what is set"),
            Param::words("port", &PORTS, "the port").optional(),
        ]).within(5),
    Spec::new(PUBEX,
        "publishes a message: the module asks for it with `> ` and takes exactly <msglen> bytes; BG95 takes it in quotes in place of the length. What came of it is reported by +QMTPUBEX, on BG95 by +QMTPUB",
        Source::documented("reference qmt.md 4.6"))
        .takes(PUBLISH_EXTENDED).answers(PUBLISHED).announces(5, PROMPT)
        .reported(PUBEX, 30).acts().after(CONN),
    Spec::new(CFG, "sets a value of a connection, or shows it if no value is given",
        Source::documented("reference qmt.md 3"))
        .takes(&[Param::key("key", "which setting"), ID]).keyed(KEYS).within(5),
    Spec::new(OPEN,
        "opens the TCP or TLS link to the broker; MQTT is not spoken yet",
        Source::documented(NOTE))
        .takes(&[
            ID,
            Param::text_up_to("host_name", |limits| limits.host, "name or address of the broker"),
            Param::number("port", &[(1, 65535)], "its TCP port; 1883 is usual, 8883 with TLS"),
        ]).answers(&[ID, RESULT]).reads().reported(OPEN, 120).acts(),
    Spec::new(CLOSE,
        "closes the link; settings are kept",
        Source::documented(NOTE))
        .takes(&[ID]).answers(&[ID, RESULT]).reported(CLOSE, 10).acts().after(OPEN),
    Spec::new(CONN,
        "sends MQTT's CONNECT on the open link",
        Source::documented(NOTE))
        .takes(&[
            ID,
            Param::text_up_to("clientID", |limits| limits.client_id, "the client id, unique on the broker"),
            Param::text_up_to("username", |limits| limits.username, "the user name").optional(),
            Param::secret("password", "the password").optional(),
        ]).answers(&[ID, RESULT, VALUE]).reads().reported(CONN, 60).acts().after(OPEN),
    Spec::new(DISC,
        "sends MQTT's DISCONNECT and closes the link",
        Source::documented(NOTE))
        .takes(&[ID]).answers(&[ID, RESULT]).reported(DISC, 30).acts().after(CONN),
    Spec::new(SUB, "subscribes to topics",
        Source::documented("reference qmt.md 4.5"))
        .takes(&[ID, MESSAGE_ID, FILTER, QOS]).repeating(2).answers(&[ID, MESSAGE_ID, RESULT, VALUE])
        .reported(SUB, 30).acts().after(CONN),
    Spec::new(UNS, "unsubscribes from topics",
        Source::documented("reference qmt.md 4.5"))
        .takes(&[ID, MESSAGE_ID, FILTER]).repeating(1).answers(&[ID, MESSAGE_ID, RESULT, VALUE])
        .reported(UNS, 30).acts().after(CONN),
    Spec::new(PUB,
        "publishes a message, for which the module asks with `> `: with a length exactly so many bytes, without up to Ctrl-Z; ESC leaves it",
        Source::documented("reference qmt.md 4.6"))
        .takes(PUBLISH).answers(PUBLISHED).announces(5, PROMPT).reported(PUB, 30).acts().after(CONN),
    Spec::new(RECV,
        "takes messages out of the module's buffer, one or all; as a question it tells which of the slots are full",
        Source::documented("reference qmt.md 4.7"))
        .takes(&[ID, Param::number("recv_id", &[(0, 4)], "which slot; all without it").optional()])
        .reads().within(5).acts().after(CONN),
];
