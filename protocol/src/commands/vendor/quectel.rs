//! Quectel's own, and those of firmware that follows it: known for what is a secret in them and
//! what is none (reference `ecmt.md`, `qmt.md`, `others.md`).

use crate::spec::{Param, Source, Spec};

const QMT: Source = Source::documented("reference qmt.md");
const ECMT: Source = Source::documented("reference ecmt.md");

const CLIENT: Param = Param::number("client_idx", &[(0, 5)], "which connection");

const CONNECT: &[Param] = &[
    CLIENT,
    Param::text("clientID", 256, "the client id"),
    Param::text("username", 256, "the user name").optional(),
    Param::secret("password", "the password").optional(),
];

const TOPICS: &[Param] = &[
    CLIENT,
    Param::number("msgID", &[(1, 65535)], "the packet identifier"),
    Param::text("topic", 256, "a topic filter"),
    Param::number("qos", &[(0, 2)], "the quality of service").optional(),
];

/// The commands of firmware that speaks no dialect of ours.
#[rustfmt::skip]
pub const COMMANDS: &[Spec] = &[
    Spec::new("+QMTCONN", "connects a client to the broker", QMT).takes(CONNECT),
    Spec::new("+QMTSUB", "subscribes to topics", QMT).takes(TOPICS).repeating(2),
    Spec::new("+QMTUNS", "unsubscribes from topics", QMT).takes(TOPICS).repeating(1),
    Spec::new("+ECMTCONN", "connects a client to the broker", ECMT).takes(CONNECT),
    Spec::new("+ECMTSUB", "subscribes to topics", ECMT).takes(TOPICS).repeating(2),
    Spec::new("+ECMTUNS", "unsubscribes from topics", ECMT).takes(TOPICS).repeating(1),
    Spec::new("+QICSGP", "defines a packet data context", Source::documented("reference others.md"))
        .takes(&[
            Param::number("contextID", &[(1, 16)], "the context"),
            Param::number("context_type", &[(1, 3)], "the protocol"),
            Param::text("APN", 100, "the access point").optional(),
            Param::text("username", 64, "the user name").optional(),
            Param::secret("password", "the password").optional(),
            Param::number("authentication", &[(0, 3)], "the method").optional(),
        ]),
];
