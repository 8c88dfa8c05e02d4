//! The keys of `AT+SMCONF`.

use super::table::QOS;
use crate::spec::{Key, Param, Source};

pub(super) const CLIENTID: &str = "CLIENTID";
pub(super) const URL: &str = "URL";
pub(super) const KEEPTIME: &str = "KEEPTIME";
pub(super) const USERNAME: &str = "USERNAME";
pub(super) const PASSWORD: &str = "PASSWORD";
pub(super) const CLEANSS: &str = "CLEANSS";
pub(super) const WILL_QOS: &str = "QOS";
pub(super) const TOPIC: &str = "TOPIC";
pub(super) const MESSAGE: &str = "MESSAGE";
pub(super) const RETAIN: &str = "RETAIN";
pub(super) const SUBHEX: &str = "SUBHEX";
pub(super) const ASYNCMODE: &str = "ASYNCMODE";

const MANUAL: Source = Source::documented("reference sm.md 3");

const fn flag(meaning: &'static str) -> [Param; 1] {
    [Param::switch("value", meaning)]
}

/// In the order of the module's lists.
#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    Key::new(CLIENTID, "the client id",
        &[Param::text_up_to("value", |limits| limits.client_id, "unique on the broker").shown("(0-128)")], MANUAL),
    Key::new(URL, "the broker: the only setting that must be made",
        &[
            Param::text_up_to("host", |limits| limits.host, "its name or address").shown("246"),
            Param::number("port", &[(0, 65535)], "its TCP port").optional().or("1883"),
        ], MANUAL),
    Key::new(KEEPTIME, "the keepalive of MQTT",
        &[Param::number("value", &[(0, 65535)], "in seconds").or("60")], MANUAL),
    Key::new(USERNAME, "the user name",
        &[Param::text_up_to("value", |limits| limits.username, "empty is none").shown("256")], MANUAL),
    Key::new(PASSWORD, "the password",
        &[Param::secret("value", "empty is none").shown("512")], MANUAL),
    Key::new(CLEANSS, "whether the broker forgets the session that this client id had before",
        &flag("a clean session"), MANUAL),
    Key::new(WILL_QOS, "the quality of service of the will", &[QOS], MANUAL),
    Key::new(TOPIC, "where the will is published; empty is no will",
        &[Param::text_up_to("value", |limits| limits.topic, "its topic").shown("128")], MANUAL),
    Key::new(MESSAGE, "the payload of the will",
        &[Param::text_up_to("value", |limits| limits.will_payload, "text").shown("1024")], MANUAL),
    Key::new(RETAIN, "whether the broker retains the will", &flag("it is retained"), MANUAL),
    Key::new(SUBHEX, "whether payloads that come are written in hexadecimal digits",
        &flag("in digits"), MANUAL),
    Key::new(ASYNCMODE, "whether AT+SMCONN is answered before the broker has answered",
        &flag("at once; AT+SMSTATE? tells what came of it"), MANUAL),
];
