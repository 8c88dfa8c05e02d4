//! 3GPP TS 27.005: short messages.

use crate::spec::{Param, Source, Spec};

const fn storage(name: &'static str, meaning: &'static str) -> Param {
    Param::words(name, &["SM"], meaning)
}

const SWITCHED: &[(i64, i64)] = &[(0, 1)];

/// The commands for short messages.
#[rustfmt::skip]
pub const COMMANDS: &[Spec] = &[
    Spec::new("+CSMS", "chooses the service for messages", Source::standard("27.005 3.2.1"))
        .takes(&[Param::number("service", &[(0, 0)], "the service")])
        .answers(&[
            Param::bare("service", "the service, or whether messages can be received"),
            Param::bare("mt", "whether messages can be received or sent"),
            Param::bare("mo", "whether messages can be sent or broadcast"),
            Param::bare("bm", "whether broadcasts can be received").optional(),
        ]).reads(),
    Spec::new("+CMGF", "chooses the form of messages", Source::standard("27.005 3.2.3"))
        .keeps(&[Param::number("mode", SWITCHED, "the form").or("0")
            .values(&[("0", "PDU"), ("1", "text")])]),
    Spec::new("+CPMS", "chooses where messages are stored", Source::standard("27.005 3.2.2"))
        .takes(&[
            storage("mem1", "read and deleted here"),
            storage("mem2", "written here").optional(),
            storage("mem3", "received here").optional(),
        ]).reads(),
    Spec::new("+CNMI", "chooses how new messages are reported", Source::standard("27.005 3.4.1"))
        .keeps(&[
            Param::number("mode", &[(0, 2)], "when").or("0"),
            Param::number("mt", &[(0, 3)], "messages").or("0"),
            Param::number("bm", &[(0, 2)], "broadcasts").or("0"),
            Param::number("ds", SWITCHED, "reports of delivery").or("0"),
            Param::number("bfr", SWITCHED, "what waits").or("0"),
        ]),
    Spec::new("+CSCA", "shows or sets the service centre", Source::standard("27.005 3.3.1"))
        .takes(CENTRE).answers(CENTRE).reads(),
    Spec::new("+CMGL", "lists messages", Source::standard("27.005 3.4.2"))
        .takes(&[Param::number("stat", &[(0, 4)], "which").optional()
            .values(&[
                ("0", "received, unread"),
                ("1", "received, read"),
                ("2", "stored, unsent"),
                ("3", "stored, sent"),
                ("4", "all"),
            ])]).executes(),
    Spec::new("+CMGR", "shows a message", Source::standard("27.005 3.4.3"))
        .takes(&[Param::number("index", &[(0, 65535)], "which").shown("<index>")]),
    Spec::new("+CMGD", "deletes messages", Source::standard("27.005 3.5.4"))
        .takes(&[
            Param::number("index", &[(0, 65535)], "which").shown("()"),
            Param::number("delflag", &[(0, 4)], "which others").optional()
                .values(&[
                    ("0", "none"),
                    ("1", "all read"),
                    ("2", "all read and sent"),
                    ("3", "all read, sent and unsent"),
                    ("4", "all"),
                ]),
        ]),
    Spec::new("+CMGS", "sends a message; this module sends none", Source::standard("27.005 3.5.1"))
        .takes(&[Param::number("length", &[(0, 255)], "its length").shown("<length>")]),
];

const CENTRE: &[Param] = &[
    Param::text("sca", 32, "the number of the service centre").shown("<sca>"),
    Param::bare("tosca", "the kind of number")
        .optional()
        .shown("[,<tosca>]"),
];
