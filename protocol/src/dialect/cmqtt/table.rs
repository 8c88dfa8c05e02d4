//! What there is to know of the commands (reference `cmqtt.md` 3 and 4). Where families differ the
//! table has what the widest of them takes, and [`Cmqtt`](super::Cmqtt) what is less.

use crate::dialect::Prompt;
use crate::spec::{Key, Param, SWITCH, Source, Spec, Test};

pub(super) const START: &str = "+CMQTTSTART";
pub(super) const STOP: &str = "+CMQTTSTOP";
pub(super) const ACCQ: &str = "+CMQTTACCQ";
pub(super) const REL: &str = "+CMQTTREL";
pub(super) const SSLCFG: &str = "+CMQTTSSLCFG";
pub(super) const WILLTOPIC: &str = "+CMQTTWILLTOPIC";
pub(super) const WILLMSG: &str = "+CMQTTWILLMSG";
pub(super) const CONNECT: &str = "+CMQTTCONNECT";
pub(super) const DISC: &str = "+CMQTTDISC";
pub(super) const TOPIC: &str = "+CMQTTTOPIC";
pub(super) const PAYLOAD: &str = "+CMQTTPAYLOAD";
pub(super) const PUB: &str = "+CMQTTPUB";
pub(super) const SUBTOPIC: &str = "+CMQTTSUBTOPIC";
pub(super) const SUB: &str = "+CMQTTSUB";
pub(super) const UNSUBTOPIC: &str = "+CMQTTUNSUBTOPIC";
pub(super) const UNSUB: &str = "+CMQTTUNSUB";
pub(super) const CFG: &str = "+CMQTTCFG";

/// What asks for a topic, a payload or a file.
pub(super) const PROMPT: Prompt = Prompt::Sign(b">");

/// The longest topic of the one-line form, in bytes (documented).
pub(super) const ONE_LINE_TOPIC: usize = 500;

const ID: Param = Param::up_to(
    "client_index",
    |limits| i64::from(limits.connections) - 1,
    "which client",
);
const QOS: Param = Param::number("qos", &[(0, 2)], "the quality of service").values(&[
    ("0", "at most once"),
    ("1", "at least once"),
    ("2", "exactly once"),
]);
const DUP: Param = flag("dup", "whether the packet says that it was sent before").optional();
const ERR: Param = Param::bare("err", "what came of it");
const CONTEXT: Param =
    Param::number("ssl_ctx_index", &[(0, 9)], "which TLS context").shown("(0-9)");
const CID: Param = Param::number("cid", &[(1, 15)], "which packet data context");

/// 0 or 1, which these modules list as `(0-1)`.
const fn flag(name: &'static str, meaning: &'static str) -> Param {
    Param::switch(name, meaning).shown("(0-1)")
}

/// How many bytes of a topic follow, or of a will message.
const fn topic_length(name: &'static str) -> Param {
    Param::number(
        name,
        &[(1, 1024)],
        "how many bytes follow behind the prompt",
    )
}

const LENGTH: Param = topic_length("req_length");
const TIMEOUT: &str = "how long the module waits, in seconds";

const MANUAL: Source = Source::documented("reference cmqtt.md 3");

/// The keys of `AT+CMQTTCFG`, which hold from ACCQ to REL.
#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    Key::new("checkUTF8", "whether topic and payload must be UTF-8",
        &[ID, flag("checkutf8_flag", "the check").or("1")], MANUAL),
    Key::new("optimeout", "how long the broker may take to answer, in seconds",
        &[ID, Param::number("optimeout_val", &[(20, 120)], "the time").or("120")], MANUAL),
    Key::new("aliauth", "the device of Alibaba Cloud that the module connects as",
        &[
            ID,
            Param::text("productkey", 256, "the product").shown("\"productkey\""),
            Param::text("devicename", 256, "the device").shown("\"devicename\""),
            Param::secret("devicesecret", "its secret").shown("\"devicesecret\""),
        ], MANUAL),
    Key::new("version", "the version of MQTT",
        &[ID, Param::number("version_val", &[(3, 4)], "the version")
            .values(&[("3", "MQTT 3.1"), ("4", "MQTT 3.1.1")]).or("3").shown("(3-4)")], MANUAL),
    Key::new("argtopic", "whether commands and messages have their topic on one line",
        &[
            ID,
            flag("argtopic_flag", "one line").or("0"),
            flag("length_flag", "the length before a received payload").or("0").optional().shown(""),
        ], MANUAL),
    Key::new("cid", "the packet data context of both clients", &[CID], MANUAL),
    Key::new("scid", "the packet data context of one client",
        &[ID, CID], MANUAL),
];

/// How many of the commands collect topics, the last ones: not every family has them.
pub(super) const COLLECTING: usize = 2;

/// Time limits are the manual's where it has one, and else those that hosts were seen to wait.
#[rustfmt::skip]
pub(in crate::dialect) const COMMANDS: &[Spec] = &[
    Spec::new(START,
        "starts the MQTT service, which activates the packet data context",
        MANUAL)
        .takes(&[CID]).executes().answers(&[ERR]).reported(START, 120).acts(),
    Spec::new(STOP,
        "stops the MQTT service; the clients must be released",
        MANUAL)
        .executes().tested(Test::Nothing).answers(&[ERR]).reported(STOP, 12).acts(),
    Spec::new(ACCQ, "acquires a client, gives it its client id and says whether it uses TLS", MANUAL)
        .takes(&[
            ID,
            Param::text_up_to("clientID", |limits| limits.client_id, "the client id, unique on the broker"),
            flag("server_type", "the link").values(&[("0", "TCP"), ("1", "TLS")]).or("0").optional(),
            Param::number("version", &[(3, 4)], "the version of MQTT, where the family has it here")
                .values(&[("3", "MQTT 3.1"), ("4", "MQTT 3.1.1")]).or("3").optional(),
        ]).answers(&[ID, ERR]).tested(Test::Lines(&["(0-1),(1-128)[,(0-1)]"])).reads().acts().after(START),
    Spec::new(REL, "releases a client; its settings are lost", MANUAL)
        .takes(&[ID]).answers(&[ID, ERR]).reads().acts().losing(CFG),
    Spec::new(SSLCFG, "chooses the TLS context of a client, until it disconnects", MANUAL)
        .takes(&[ID, CONTEXT]).answers(&[ID, CONTEXT]).reads().acts(),
    Spec::new(WILLTOPIC,
        "takes the topic of the will: the module asks for it with `>` and takes exactly <req_length> bytes",
        MANUAL)
        .takes(&[ID, LENGTH]).answers(&[ID, ERR]).announces(1, PROMPT).acts().after(ACCQ),
    Spec::new(WILLMSG,
        "takes the message of the will: the module asks for it with `>` and takes exactly <req_length> bytes",
        MANUAL)
        .takes(&[ID, LENGTH, QOS]).answers(&[ID, ERR]).announces(1, PROMPT).acts().after(WILLTOPIC),
    Spec::new(CONNECT,
        "makes the link to the broker and connects",
        MANUAL)
        .takes(&[
            ID,
            Param::text("server_addr", 256, "the broker as tcp://<host>[:<port>], 9 to 256 bytes; port 1883 unless given")
                .shown("(9-256)"),
            Param::number("keepalive_time", &[(1, 64800)], "after how many seconds without a packet the module pings"),
            flag("clean_session", "a clean session"),
            Param::text_up_to("user_name", |limits| limits.username, "the user name")
                .optional().shown("[,<user_name>"),
            Param::secret("pass_word", "the password").optional().shown(",<pass_word>]"),
        ]).answers(&[ID, ERR]).tested(Test::Lines(&["(0-1),(9-256),(1-64800),(0-1)[,<user_name>,<pass_word>]"]))
        .reads().reported(CONNECT, 120).acts().after(ACCQ),
    Spec::new(DISC, "disconnects from the broker", MANUAL)
        .takes(&[ID, Param::number("timeout", &[(0, 180)], TIMEOUT).shown("(0,1-180)")])
        .answers(&[ID, ERR]).reads().reported(DISC, 180).acts().after(CONNECT),
    Spec::new(TOPIC,
        "takes the topic of the next message: the module asks for it with `>` and takes exactly <req_length> bytes",
        MANUAL)
        .takes(&[ID, LENGTH]).answers(&[ID, ERR]).announces(1, PROMPT).acts().after(CONNECT),
    Spec::new(PAYLOAD,
        "takes the payload of the next message: the module asks for it with `>` and takes exactly <req_length> bytes",
        MANUAL)
        .takes(&[ID, Param::up_to("req_length", |limits| limits.prompt_payload as i64,
            "how many bytes follow behind the prompt")])
        .answers(&[ID, ERR]).announces(1, PROMPT).acts().after(CONNECT),
    Spec::new(PUB,
        "publishes the message whose topic and payload were given before; both are forgotten then",
        MANUAL)
        .takes(&[
            ID,
            QOS,
            Param::number("pub_timeout", &[(1, 180)], TIMEOUT),
            flag("retained", "whether the broker keeps the message for new subscribers").optional(),
            DUP,
        ]).answers(&[ID, ERR]).reported(PUB, 180).acts().after(TOPIC),
    Spec::new(SUB,
        "subscribes to the topics that were collected, or to one that the module asks for with `>`",
        MANUAL)
        .takes(&[ID, LENGTH, QOS, DUP]).answers(&[ID, ERR]).announces(1, PROMPT)
        .tested(Test::Lines(&["(0-1),(1-1024),(0-2),(0-1)"])).reads().reported(SUB, 120).acts().after(CONNECT),
    Spec::new(UNSUB,
        "takes back the subscriptions that were collected, or one that the module asks for with `>`",
        MANUAL)
        .takes(&[ID, LENGTH, DUP]).answers(&[ID, ERR]).announces(1, PROMPT)
        .tested(Test::Lines(&["(0-1),(1-1024),(0-1)"])).reported(UNSUB, 120).acts().after(CONNECT),
    Spec::new(CFG, "sets a value of a client; what is set is lost when it is released", MANUAL)
        .takes(&[Param::key("key", "which setting")]).keyed(KEYS).answers(&[
            ID,
            Param::number("checkutf8_flag", SWITCH, "whether topic and payload must be UTF-8"),
            Param::bare("optimeout_val", "how long the broker may take, in seconds"),
        ]).reads().acts().after(ACCQ),
    Spec::new(SUBTOPIC,
        "collects a topic for the next AT+CMQTTSUB: the module asks for it with `>` and takes exactly <req_length> bytes",
        MANUAL)
        .takes(&[ID, LENGTH, QOS]).answers(&[ID, ERR]).announces(1, PROMPT).acts().after(CONNECT),
    Spec::new(UNSUBTOPIC,
        "collects a topic for the next AT+CMQTTUNSUB: the module asks for it with `>` and takes exactly <req_length> bytes",
        MANUAL)
        .takes(&[ID, LENGTH]).answers(&[ID, ERR]).announces(1, PROMPT).acts().after(CONNECT),
];
