//! The keys of `AT+LMQTTCFG` and `AT+LSSLCFG`.

use crate::spec::{Key, Param, Source};

const PLACE: &str = "reference lmqtt.md 1.3";
const TLS: Source = Source::inferred("reference README.md, Decisions");

const fn format(name: &'static str, meaning: &'static str) -> Param {
    Param::number(name, &[(0, 2)], meaning).or("0").values(&[
        ("0", "text"),
        ("1", "a string of hexadecimal digits"),
        ("2", "hexadecimal digits"),
    ])
}

/// Formats and reports may change at any time (inferred); all else shapes the session that OPEN
/// begins (documented for will, session, keepalive and aliauth; inferred for the others).
#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    Key::new(
        "version",
        "the version of MQTT",
        &[Param::number("version", &[(3, 4)], "the version").or("4")
            .values(&[("3", "MQTT 3.1"), ("4", "MQTT 3.1.1")])],
        Source::seen(PLACE),
    ),
    Key::new(
        "session",
        "whether the broker forgets the session at the end of the connection",
        &[Param::number("clean", &[(0, 1)], "clean session").or("0")
            .values(&[
                ("0", "the broker keeps subscriptions and messages"),
                ("1", "it forgets them"),
            ])],
        Source::documented(PLACE),
    ),
    Key::new(
        "keepalive",
        "after how long without a packet the module pings the broker",
        &[Param::up_to("seconds", |limits| limits.keep_alive.into(), "seconds, 0 for never")
        .or("120")],
        Source::documented(PLACE),
    ),
    Key::new(
        "timeout",
        "how long the module waits for the broker, and how often it tries",
        &[
            Param::number("pkt_timeout", &[(1, 60)], "seconds to wait for an answer").or("10"),
            Param::number("retry_times", &[(1, 10)], "how often to send again").or("3"),
            Param::switch("timeout_notice", "whether each repetition is reported").or("0"),
        ],
        Source::seen(PLACE),
    ),
    Key::new(
        "will",
        "the message that the broker publishes when the connection is lost",
        &[
            Param::switch("will_flag", "whether there is a will"),
            Param::number("will_qos", &[(0, 2)], "its quality of service").optional(),
            Param::switch("will_retain", "whether the broker retains it").optional(),
            Param::text_up_to("will_topic", |limits| limits.topic, "its topic").optional(),
            Param::text_up_to("will_msg", |limits| limits.will_payload, "its payload").optional(),
        ],
        Source::documented(PLACE),
    ),
    Key::new(
        "recv/mode",
        "how received payloads are written",
        &[
            format("format", "the format of payloads"),
            Param::number("showLen", &[(0, 1)], "whether the length stands before the payload")
            .or("0")
            .values(&[
                ("0", "no: a payload with a line end cannot be told from lines"),
                ("1", "yes"),
            ]),
        ],
        Source::documented(PLACE),
    ).at_any_time(),
    Key::new("send/mode", "how payloads to publish are written",
        &[format("format", "the format of payloads")], Source::documented(PLACE)).at_any_time(),
    Key::new(
        "dataformat",
        "how payloads are written, both ways",
        &[
            format("send", "the format of payloads to publish"),
            format("receive", "the format of received payloads"),
        ],
        Source::documented(PLACE),
    ).at_any_time(),
    Key::new("cache", "whether received messages wait in the module until AT+LMQTTREAD",
        &[Param::switch("mode", "cache").or("0")], Source::documented(PLACE)).at_any_time(),
    Key::new("urc", "whether the results of publishes are reported",
        &[Param::switch("mode", "reports").or("1")], Source::measured(PLACE)).at_any_time(),
    Key::new(
        "cloud",
        "the platform behind the broker",
        &[
            Param::number("cloud_type", &[(0, 255)], "the platform").values(&[
                ("1", "OneNET"),
                ("2", "Alibaba Cloud"),
                ("3", "Eclipse"),
                ("4", "any broker"),
            ]),
            Param::number("data_type", &[(0, 255)], "how payloads are framed")
                .values(&[("1", "JSON")]),
        ],
        Source::documented(PLACE),
    ),
    Key::new(
        "aliauth",
        "the device of Alibaba Cloud, from which the module computes its credentials",
        &[
            Param::text_up_to("product_key", |limits| limits.username, "the product key"),
            Param::text_up_to("device_name", |limits| limits.username, "the device name"),
            Param::secret("device_secret", "the device secret"),
            Param::text_up_to(
                "product_name",
                |limits| limits.client_id,
                "the product name, to register",
            ).optional().shown(""),
            Param::secret("product_secret", "the product secret, to register").optional().shown(""),
            Param::words("auth_type", &["register", "regnwl"], "how to register").optional()
                .shown(""),
            Param::text("sign_method", 16, "how credentials are signed").optional().shown(""),
            Param::words("auth_mode", &["tls-ca"], "how the link is secured").optional().shown(""),
            Param::number("secure_mode", &[(-2, 2)], "as auth_type has it").optional().shown(""),
            Param::text_up_to("instance_id", |limits| limits.username, "the instance")
                .optional().shown(""),
            // What the numbers mean is not known; those that ECMT takes are taken.
            Param::number("dynreg", &[(0, 8)], "not known").optional().shown(""),
        ],
        Source::documented(PLACE),
    ),
    Key::new("raimode", "whether the radio returns to idle quickly after a ping",
        &[Param::switch("mode", "quick release")], Source::documented(PLACE)),
    Key::new("pdpcid", "the packet data context of the link; probably not supported",
        &[Param::number("cid", &[(1, 15)], "the context")], Source::seen(PLACE)),
    Key::new(
        "sslenable",
        "whether the link is TLS",
        &[
            Param::number("enable", &[(0, 1)], "TLS").or("0")
                .values(&[("0", "plain TCP"), ("1", "TLS")]),
            Param::number("ctx", &[(0, 5)], "the TLS context of AT+LSSLCFG").optional(),
        ],
        Source::documented(PLACE),
    ),
];

#[rustfmt::skip]
pub(super) const TLS_KEYS: &[Key] = &[
    Key::new("cacert", "the certificates that may have signed the broker's", &[FILE], TLS),
    Key::new("clientcert", "the module's own certificate", &[FILE], TLS),
    Key::new("clientkey", "the key of the module's certificate", &[FILE], TLS),
    Key::new(
        "seclevel",
        "what is verified",
        &[Param::number("level", &[(0, 2)], "the level").values(&[
            ("0", "nothing is verified"),
            ("1", "the broker is verified"),
            ("2", "both sides are verified"),
        ])],
        TLS,
    ),
    Key::new(
        "sslversion",
        "the version of TLS",
        &[Param::number("version", &[(0, 4)], "the version").values(&[
            ("0", "SSL 3.0"),
            ("1", "TLS 1.0"),
            ("2", "TLS 1.1"),
            ("3", "TLS 1.2"),
            ("4", "all of them"),
        ])],
        TLS,
    ),
    Key::new("sni", "whether the host name is sent to the broker",
        &[Param::switch("mode", "server name indication")], TLS),
    Key::new("ignorelocaltime", "whether a certificate may be out of date",
        &[Param::switch("mode", "ignore the time")], TLS),
];

const FILE: Param = Param::text("filename", 64, "a file stored by AT+LFUPL");
