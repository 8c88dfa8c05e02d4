//! The keys of `AT+LMQTTCFG` and `AT+LSSLCFG`.

use crate::spec::{OFF_ON, Param};
use crate::spec::{Key, Source};

const PLACE: &str = "reference lmqtt.md 1.3";
const TLS: Source = Source::inferred("reference README.md, Decisions");

const fn key(
    name: &'static str,
    sets: &'static str,
    values: &'static [Param],
    source: Source,
) -> Key {
    Key {
        name,
        sets,
        values,
        source,
    }
}

const fn flag(name: &'static str, meaning: &'static str) -> Param {
    Param::described(name, meaning).values(OFF_ON)
}

const fn format(name: &'static str, meaning: &'static str) -> Param {
    Param::described(name, meaning).or("0").values(&[
        ("0", "text"),
        ("1", "a string of hexadecimal digits"),
        ("2", "hexadecimal digits"),
    ])
}

pub const KEYS: &[Key] = &[
    key(
        "version",
        "the version of MQTT",
        &[Param::described("version", "the version")
            .or("4")
            .values(&[("3", "MQTT 3.1"), ("4", "MQTT 3.1.1")])],
        Source::seen(PLACE),
    ),
    key(
        "session",
        "whether the broker forgets the session at the end of the connection",
        &[Param::described("clean", "clean session")
            .or("0")
            .values(&[
                ("0", "the broker keeps subscriptions and messages"),
                ("1", "it forgets them"),
            ])],
        Source::documented(PLACE),
    ),
    key(
        "keepalive",
        "after how long without a packet the module pings the broker",
        &[Param::described("seconds", "seconds, 0 for never").or("120")],
        Source::documented(PLACE),
    ),
    key(
        "timeout",
        "how long the module waits for the broker, and how often it tries",
        &[
            Param::described("pkt_timeout", "seconds to wait for an answer").or("10"),
            Param::described("retry_times", "how often to send again").or("3"),
            flag("timeout_notice", "whether each repetition is reported").or("0"),
        ],
        Source::seen(PLACE),
    ),
    key(
        "will",
        "the message that the broker publishes when the connection is lost",
        &[
            flag("will_flag", "whether there is a will"),
            Param::described("will_qos", "its quality of service").optional(),
            flag("will_retain", "whether the broker retains it").optional(),
            Param::text("will_topic", 256, "its topic").optional(),
            Param::text("will_msg", 256, "its payload").optional(),
        ],
        Source::documented(PLACE),
    ),
    key(
        "recv/mode",
        "how received payloads are written",
        &[
            format("format", "the format of payloads"),
            Param::described("showLen", "whether the length stands before the payload")
                .or("0")
                .values(&[
                    (
                        "0",
                        "no: a payload with a line end cannot be told from lines",
                    ),
                    ("1", "yes"),
                ]),
        ],
        Source::documented(PLACE),
    ),
    key(
        "send/mode",
        "how payloads to publish are written",
        &[format("format", "the format of payloads")],
        Source::documented(PLACE),
    ),
    key(
        "dataformat",
        "how payloads are written, both ways",
        &[
            format("send", "the format of payloads to publish"),
            format("receive", "the format of received payloads"),
        ],
        Source::documented(PLACE),
    ),
    key(
        "cache",
        "whether received messages wait in the module until AT+LMQTTREAD",
        &[flag("mode", "cache").or("0")],
        Source::documented(PLACE),
    ),
    key(
        "urc",
        "whether the results of publishes are reported",
        &[flag("mode", "reports").or("1")],
        Source::measured(PLACE),
    ),
    key(
        "cloud",
        "the platform behind the broker",
        &[
            Param::described("cloud_type", "the platform").values(&[
                ("1", "OneNET"),
                ("2", "Alibaba Cloud"),
                ("3", "Eclipse"),
                ("4", "any broker"),
            ]),
            Param::described("data_type", "how payloads are framed").values(&[("1", "JSON")]),
        ],
        Source::documented(PLACE),
    ),
    key(
        "aliauth",
        "the device of Alibaba Cloud, from which the module computes its credentials",
        &[
            Param::text("product_key", 256, "the product key"),
            Param::text("device_name", 256, "the device name"),
            Param::secret("device_secret", "the device secret"),
            Param::text("product_name", 256, "the product name, to register").optional(),
            Param::secret("product_secret", "the product secret, to register").optional(),
            Param::words("auth_type", &["register", "regnwl"], "how to register").optional(),
            Param::text("sign_method", 16, "how credentials are signed").optional(),
        ],
        Source::documented(PLACE),
    ),
    key(
        "raimode",
        "whether the radio returns to idle quickly after a ping",
        &[flag("mode", "quick release")],
        Source::documented(PLACE),
    ),
    key(
        "pdpcid",
        "the packet data context of the link; probably not supported",
        &[Param::number("cid", &[(1, 15)], "the context")],
        Source::seen(PLACE),
    ),
    key(
        "sslenable",
        "whether the link is TLS",
        &[
            Param::described("enable", "TLS")
                .or("0")
                .values(&[("0", "plain TCP"), ("1", "TLS")]),
            Param::described("ctx", "the TLS context of AT+LSSLCFG").optional(),
        ],
        Source::documented(PLACE),
    ),
];

pub const TLS_KEYS: &[Key] = &[
    key(
        "cacert",
        "the certificates that may have signed the broker's",
        &[FILE],
        TLS,
    ),
    key("clientcert", "the module's own certificate", &[FILE], TLS),
    key(
        "clientkey",
        "the key of the module's certificate",
        &[FILE],
        TLS,
    ),
    key(
        "seclevel",
        "what is verified",
        &[Param::described("level", "the level").values(&[
            ("0", "nothing is verified"),
            ("1", "the broker is verified"),
            ("2", "both sides are verified"),
        ])],
        TLS,
    ),
    key(
        "sslversion",
        "the version of TLS",
        &[Param::described("version", "the version").values(&[
            ("0", "SSL 3.0"),
            ("1", "TLS 1.0"),
            ("2", "TLS 1.1"),
            ("3", "TLS 1.2"),
            ("4", "all of them"),
        ])],
        TLS,
    ),
    key(
        "sni",
        "whether the host name is sent to the broker",
        &[flag("mode", "server name indication")],
        TLS,
    ),
    key(
        "ignorelocaltime",
        "whether a certificate may be out of date",
        &[flag("mode", "ignore the time")],
        TLS,
    ),
];

const FILE: Param = Param::text("filename", 64, "a file stored by AT+LFUPL");
