//! `AT+ECMT…`, of firmware that follows Quectel: known for what is a secret in it and what is none
//! (reference `ecmt.md`).

use crate::spec::{Param, Source, Spec};

const ECMT: Source = Source::documented("reference ecmt.md");

const CLIENT: Param = Param::number("client_idx", &[(0, 5)], "which connection");

const TOPICS: &[Param] = &[
    CLIENT,
    Param::number("msgID", &[(1, 65535)], "the packet identifier"),
    Param::text("topic", 256, "a topic filter"),
    Param::number("qos", &[(0, 2)], "the quality of service").optional(),
];

/// The commands of firmware that speaks no dialect of ours.
#[rustfmt::skip]
pub const COMMANDS: &[Spec] = &[
    Spec::new("+ECMTCONN", "connects a client to the broker", ECMT)
        .takes(&[
            CLIENT,
            Param::text("clientID", 256, "the client id"),
            Param::text("username", 256, "the user name").optional(),
            Param::secret("password", "the password").optional(),
        ]),
    Spec::new("+ECMTSUB", "subscribes to topics", ECMT).takes(TOPICS).repeating(2),
    Spec::new("+ECMTUNS", "unsubscribes from topics", ECMT).takes(TOPICS).repeating(1),
];
