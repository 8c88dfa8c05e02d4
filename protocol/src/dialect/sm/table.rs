//! What there is to know of SM's commands (reference `sm.md`).

use super::keys::KEYS;
use crate::dialect::Prompt;
use crate::spec::{Lasting, Param, SWITCH, Source, Spec};

pub(super) const CONF: &str = "+SMCONF";
pub(super) const CONN: &str = "+SMCONN";
pub(super) const DISC: &str = "+SMDISC";
pub(super) const PUB: &str = "+SMPUB";
pub(super) const SUB: &str = "+SMSUB";
pub(super) const UNSUB: &str = "+SMUNSUB";
pub(super) const STATE: &str = "+SMSTATE";
pub(super) const PUBHEX: &str = "+SMPUBHEX";
pub(super) const SSL: &str = "+SMSSL";
pub(super) const ALIAUTH: &str = "+SMALIAUTH";
pub(super) const ALIDYNA: &str = "+SMALIDYNA";
pub(super) const SLEEP: &str = "+SMRCVSLPTM";

/// What asks for a payload.
pub(super) const PROMPT: Prompt = Prompt::Sign(b">");

/// The longest that a host waits for what the network has to answer, in seconds (inferred: hosts
/// wait 10 to 60 for AT+SMCONN, no manual has a figure).
pub(super) const NETWORK: u16 = 75;
/// The same for what the module knows by itself, in seconds (inferred).
pub(super) const LOCAL: u16 = 5;

const SM: &str = "reference sm.md 2";
const MANUAL: Source = Source::documented(SM);
/// That nothing is stored, and that what is set outlives the connection.
const KEPT: Source = Source::inferred("reference sm.md 3");

pub(super) const QOS: Param = Param::number("qos", &[(0, 2)], "the quality of service").values(&[
    ("0", "at most once"),
    ("1", "at least once"),
    ("2", "exactly once"),
]);
const TOPIC: Param = Param::text_up_to("topic", |limits| limits.topic, "the topic").shown("128");
const FILTER: Param = Param::text_up_to(
    "topic",
    |limits| limits.topic,
    "a topic filter; + stands for a level, # for all that follow",
)
.shown("128");

const PRODUCT_KEY: Param =
    Param::text("productkey", 20, "the product of Alibaba Cloud").shown("\"Product Key\"");
const DEVICE_NAME: Param =
    Param::text("devicename", 32, "the device of that product").shown("\"Device Name\"");

/// The last so many of [`COMMANDS`] are not on the older modules.
pub(super) const LATEST: usize = 2;

/// Every command of the dialect.
#[rustfmt::skip]
pub(in crate::dialect) const COMMANDS: &[Spec] = &[
    Spec::new(CONF,
        "sets a value of the connection; as a question it shows all of them",
        MANUAL)
        .takes(&[Param::key("key", "which setting")]).keyed(KEYS).reads().within(LOCAL).lasting(Lasting::Start, KEPT),
    Spec::plain(CONN, "opens the link and connects to the broker; OK means that it has accepted", MANUAL)
        .within(NETWORK).acts().after(CONF),
    Spec::plain(DISC, "disconnects from the broker and closes the link", MANUAL)
        .within(LOCAL).acts().after(CONN),
    Spec::new(PUB,
        "publishes a message: the module asks for it with `>` and takes exactly <len> bytes. OK means that it was sent, and acknowledged as its quality of service demands",
        MANUAL)
        .takes(&[
            TOPIC,
            Param::up_to("len", |limits| limits.prompt_payload as i64, "how many bytes the payload has"),
            QOS,
            Param::number("retain", SWITCH, "whether the broker keeps the message for new subscribers")
                .values(&[("0", "no"), ("1", "yes")]).shown("(0-1)"),
        ]).announces(1, PROMPT).within(NETWORK).acts().after(CONN),
    Spec::new(SUB, "subscribes to a topic; OK means that the broker has acknowledged it", MANUAL)
        .takes(&[FILTER, QOS])
        .answers(&[
            Param::text_up_to("topic", |limits| limits.topic, "the topic of a message that has come"),
            Param::text_up_to("payload", |limits| limits.received_payload, "the payload"),
        ]).within(NETWORK).acts().after(CONN).urcs(&[SUB]),
    Spec::new(UNSUB, "takes a subscription back; OK means that the broker has acknowledged it", MANUAL)
        .takes(&[FILTER]).within(NETWORK).acts().after(CONN),
    Spec::new(STATE, "shows how far the connection is", MANUAL)
        .answers(&[Param::number("state", &[(0, 2)], "how far it is").values(&[
            ("0", "not connected"),
            ("1", "connected"),
            ("2", "connected, and the broker had a session"),
        ])]).reads().within(LOCAL).urcs(&[STATE]),
    Spec::new(PUBHEX, "has the payload of AT+SMPUB written in hexadecimal digits, which <len> counts", MANUAL)
        .takes(&[Param::number("flag", SWITCH, "hexadecimal digits").values(&[("0", "no"), ("1", "yes")]).shown("(0-1)")])
        .answers(&[Param::number("flag", SWITCH, "hexadecimal digits")]).reads().within(LOCAL).lasting(Lasting::Start, KEPT),
    Spec::new(SSL,
        "chooses the TLS context, one more than its number in AT+CSSLCFG, and its certificates; 0 is no TLS",
        MANUAL)
        .takes(&[
            Param::number("index", &[(0, 6)], "which context"),
            Param::text("ca_list", 20, "the file with the authorities, converted by AT+CSSLCFG").shown("20"),
            Param::text("cert_name", 20, "the file with the module's certificate; empty if it shows none")
                .optional().shown("20"),
        ]).answers(&[
            Param::number("index", &[(0, 6)], "which context"),
            Param::text("ca_list", 20, "the authorities"),
            Param::text("cert_name", 20, "the certificate"),
        ]).reads().within(LOCAL).lasting(Lasting::Start, KEPT),
    Spec::new(ALIAUTH, "has the module compute the credentials of a device of Alibaba Cloud", MANUAL)
        .takes(&[
            PRODUCT_KEY,
            DEVICE_NAME,
            Param::secret("devicesecret", "the secret of the device").shown("\"Device Secret\""),
        ]).reads().within(LOCAL).lasting(Lasting::Start, KEPT),
    Spec::new(ALIDYNA, "keeps what a device of Alibaba Cloud registers itself with", MANUAL)
        .takes(&[
            PRODUCT_KEY,
            DEVICE_NAME,
            Param::secret("productsecret", "the secret of the product").shown("\"Product Secret\""),
        ]).reads().within(LOCAL).lasting(Lasting::Start, KEPT),
    Spec::new(SLEEP, "keeps how long the task that receives sleeps", MANUAL)
        .takes(&[
            Param::switch("mode", "whether it sleeps"),
            Param::number("time", &[(10, 500)], "how long, in milliseconds").optional().shown("(10,500)"),
        ]).answers(&[
            Param::switch("mode", "whether it sleeps"),
            Param::number("time", &[(10, 500)], "how long, in milliseconds").optional(),
        ]).reads().within(LOCAL).lasting(Lasting::Start, KEPT),
];
