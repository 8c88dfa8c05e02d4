//! The keys of `AT+QMTCFG` (reference `qmt.md` 3). All may be set at any time; what shapes the link
//! or the session holds from the next one on (inferred: F5 alone is known to refuse them).

use super::switches::KeySet;
use crate::spec::{Key, Param, Source};

const PLACE: &str = "reference qmt.md 3";
const NOTE: Source = Source::documented(PLACE);

const fn format(name: &'static str, meaning: &'static str) -> Param {
    Param::number(name, &[(0, 1)], meaning)
        .or("0")
        .values(&[("0", "text"), ("1", "hexadecimal digits")])
}

const fn device(name: &'static str, meaning: &'static str) -> Param {
    Param::text_up_to(name, |limits| limits.username, meaning)
}

/// Its values do not count a connection: it is one setting for all.
pub(super) const CLOSE_TIME: &str = "close/time";

/// Values of [`CLOSE_TIME`], in seconds.
pub(super) const CLOSE_TIMES: core::ops::RangeInclusive<u16> = 5..=60;

/// From which set of keys on a module has a key.
pub(super) fn since(name: &str) -> KeySet {
    match name {
        "recv/mode" => KeySet::Buffered,
        "send/mode" | "dataformat" | "onenet" | "hwauth" | "hwprodid" => KeySet::Standard,
        "willex" | "view/mode" | "edit/timeout" | "qmtping" | "CTWing" => KeySet::Newer,
        CLOSE_TIME | "protocol/check" | "wakeup/topic" => KeySet::Eg800k,
        _ => KeySet::First,
    }
}

#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    Key::new("version", "the version of MQTT",
        &[Param::number("vsn", &[(3, 4)], "the version; 3 at first on some firmwares").or("4")
            .values(&[("3", "MQTT 3.1"), ("4", "MQTT 3.1.1")])], NOTE).at_any_time(),
    Key::new("pdpcid", "the packet data context of the link",
        &[Param::number("cid", &[(1, 16)], "the context").or("1")], NOTE).at_any_time(),
    Key::new(
        "ssl",
        "whether the link is TLS",
        &[
            Param::number("ssl_enable", &[(0, 1)], "TLS").or("0")
                .values(&[("0", "plain TCP"), ("1", "TLS")]),
            Param::number("ctx_index", &[(0, 5)], "the TLS context of AT+QSSLCFG").optional(),
        ],
        NOTE,
    ).at_any_time(),
    Key::new("keepalive", "after how long without a packet the module pings the broker",
        &[Param::up_to("keep_alive_time", |limits| limits.keep_alive.into(), "seconds, 0 for never")
            .or("120")], NOTE).at_any_time(),
    Key::new(
        "session",
        "whether the broker forgets the session at the end of the connection",
        &[Param::number("clean_session", &[(0, 1)], "clean session").or("1").values(&[
            ("0", "the broker keeps subscriptions and messages"),
            ("1", "it forgets them"),
        ])],
        NOTE,
    ).at_any_time(),
    Key::new(
        "timeout",
        "how long the module waits for the broker, and how often it tries",
        &[
            Param::number("pkt_timeout", &[(1, 60)], "seconds to wait for an answer").or("5"),
            Param::number("retry_times", &[(0, 10)], "how often to send again").or("3").optional(),
            Param::switch("timeout_notice", "whether each repetition is reported").or("0").optional(),
        ],
        NOTE,
    ).at_any_time(),
    Key::new(
        "will",
        "the message that the broker publishes when the connection is lost",
        &[
            Param::switch("will_flag", "whether there is a will; with 0 nothing follows"),
            Param::number("will_qos", &[(0, 2)], "its quality of service").optional(),
            Param::switch("will_retain", "whether the broker retains it").optional(),
            Param::text_up_to("will_topic", |limits| limits.topic, "its topic").optional(),
            Param::text_up_to("will_msg", |limits| limits.will_payload, "its payload").optional(),
        ],
        NOTE,
    ).at_any_time(),
    Key::new(
        "willex",
        "the same, with the payload behind the prompt `> `",
        &[
            Param::switch("will_flag", "whether there is a will; with 0 nothing follows"),
            Param::number("will_qos", &[(0, 2)], "its quality of service").optional(),
            Param::switch("will_retain", "whether the broker retains it").optional(),
            Param::text_up_to("will_topic", |limits| limits.topic, "its topic").optional(),
            Param::number("will_len", &[(0, 256)], "how many bytes its payload has").optional(),
        ],
        NOTE,
    ).at_any_time(),
    Key::new(
        "recv/mode",
        "whether received messages wait in the module, and whether their length is shown",
        &[
            Param::number("msg_recv_mode", &[(0, 1)], "where messages go").or("0").values(&[
                ("0", "into +QMTRECV"),
                ("1", "they wait until AT+QMTRECV"),
            ]),
            Param::number("msg_len_enable", &[(0, 1)], "whether the length stands before the payload")
            .or("0")
            .values(&[
                ("0", "no: a payload with a quote and a line end cannot be told from lines"),
                ("1", "yes"),
            ]).optional(),
        ],
        NOTE,
    ).at_any_time(),
    Key::new("send/mode", "how payloads to publish are written",
        &[format("send_mode", "the format")], NOTE).at_any_time(),
    Key::new(
        "dataformat",
        "how payloads are written, both ways",
        &[
            format("send_mode", "the format of payloads to publish"),
            format("recv_mode", "the format of received payloads"),
        ],
        NOTE,
    ).at_any_time(),
    Key::new("view/mode", "where a received payload stands",
        &[Param::number("mode", &[(0, 1)], "where").values(&[
            ("0", "on the next line"),
            ("1", "in the line that announces it"),
        ])], Source::inferred(PLACE)).at_any_time(),
    Key::new(
        "edit/timeout",
        "whether the module leaves the prompt by itself",
        &[
            Param::switch("enable", "leave it").or("0"),
            Param::number("timeout", &[(1, 180)], "seconds without a byte").optional(),
        ],
        NOTE,
    ).at_any_time(),
    Key::new("qmtping", "how long the module waits for the answer to a ping",
        &[Param::number("interval", &[(5, 60)], "seconds")], NOTE).at_any_time(),
    Key::new(
        "aliauth",
        "the device of Alibaba Cloud, from which the module computes its credentials",
        &[
            device("product_key", "the product key"),
            device("device_name", "the device name"),
            Param::secret("device_secret", "the device secret"),
        ],
        NOTE,
    ).at_any_time(),
    Key::new(
        "onenet",
        "the product of OneNET, from which the module computes its credentials",
        &[device("product_id", "the product id"), Param::secret("access_key", "the access key")],
        NOTE,
    ).at_any_time(),
    Key::new(
        "hwauth",
        "the device of Huawei's platform",
        &[device("device_id", "the device id"), Param::secret("device_secret", "the device secret")],
        NOTE,
    ).at_any_time(),
    Key::new(
        "hwprodid",
        "the product of Huawei's platform",
        &[
            device("product_id", "the product id"),
            Param::secret("product_secret", "the product secret"),
            device("nodeid", "the node"),
        ],
        NOTE,
    ).at_any_time(),
    Key::new(
        "CTWing",
        "the device of China Telecom's platform",
        &[device("client_id", "the client id"), Param::secret("feature_string", "its password")],
        Source::measured(PLACE),
    ).at_any_time(),
    Key::new(CLOSE_TIME, "how long a close may take, in seconds; it has no connection", &[],
        Source::documented(PLACE)).at_any_time(),
    Key::new("protocol/check", "whether the module checks what the broker sends",
        &[Param::switch("mode", "check")], Source::documented(PLACE)).at_any_time(),
    Key::new("wakeup/topic", "the topic whose messages wake the host",
        &[Param::text_up_to("topic", |limits| limits.topic, "a topic that is subscribed to")],
        Source::documented(PLACE)).at_any_time(),
];
