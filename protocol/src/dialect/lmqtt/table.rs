//! What there is to know of LMQTT's commands, and of the two that belong to TLS (reference
//! `lmqtt.md`). The test forms are inferred from ECMT and QMT: ranges where they are known, the
//! parameter's name in angle brackets where they are not.

use super::command::{CFG, CLOSE, CONN, DISC, OPEN, PUB, PUBEX, READ, SUBUNSUB};
use super::keys::{KEYS, TLS_KEYS};
use super::tls::{FUPL, SSLCFG};
use super::urc::UNSUNSUB;
use crate::dialect::Prompt;
use crate::mqtt::MAX_FILE;
use crate::spec::{Lasting, Param, SWITCH, Source, Spec};

const ID: Param = Param::up_to(
    "tcpconnectID",
    |limits| i64::from(limits.connections) - 1,
    "which connection",
);
/// By the manual from 1 on; 0 is taken too.
const MESSAGE_ID: Param = message_id(&[(1, 65535)]);
const ANY_MESSAGE_ID: Param = message_id(&[(0, 65535)]);

const fn message_id(ranges: &'static [(i64, i64)]) -> Param {
    Param::number(
        "msgID",
        ranges,
        "the packet identifier, by which the result URC is recognised; 0 with QoS 0",
    )
}

const QOS: Param = Param::number("qos", &[(0, 2)], "the quality of service").values(&[
    ("0", "at most once"),
    ("1", "at least once"),
    ("2", "exactly once"),
]);
const RETAIN: Param = Param::number(
    "retain",
    SWITCH,
    "whether the broker keeps the message for new subscribers",
)
.values(&[("0", "no"), ("1", "yes")]);
const TOPIC: Param = Param::text_up_to("topic", |limits| limits.topic, "the topic");
const LENGTH: Param = Param::up_to(
    "msglen",
    |limits| limits.prompt_payload as i64,
    "how many bytes the payload has, without quotes around it",
)
.shown("<len>");

const RESULT_MESSAGE_ID: Param = Param::number("msgID", &[(0, 65535)], "the packet identifier");
const RESULT: Param = Param::bare("result", "what came of it");
const EXTEND: Param = Param::bare("extend", "more on the result").optional();

const TLS_CONTEXT: Param = Param::number("ctx", &[(0, 5)], "which TLS context");

const PROMPT: Prompt = Prompt::Sign(b">");

/// How many of the commands are our own: those about TLS, the last ones.
pub(super) const TLS: usize = 2;

/// Time limits are the manual's (reference `lmqtt.md` 1.2).
#[rustfmt::skip]
pub(in crate::dialect) const COMMANDS: &[Spec] = &[
    Spec::new(CFG,
        "sets a value of a connection, or shows it if no value is given",
        Source::documented("reference lmqtt.md 1.3"))
        .takes(&[Param::key("key", "which setting"), ID]).keyed(KEYS).within(5)
        // That nothing of it is stored; measured is that it is gone even after CLOSE.
        .lasting(Lasting::Start, Source::inferred("reference lmqtt.md 1.3")),
    Spec::new(OPEN,
        "opens the TCP or TLS link to the broker; MQTT is not spoken yet",
        Source::documented("reference lmqtt.md 1.4"))
        .takes(&[
            ID,
            Param::text_up_to("host_name", |limits| limits.host, "name or address of the broker")
                .shown("<host_name>"),
            Param::number("port", &[(1, 65535)], "its TCP port; 1883 is usual, 8883 with TLS")
                .shown("<port>"),
        ]).answers(&[ID, RESULT, EXTEND]).reads().reported(OPEN, 160).acts(),
    Spec::new(CLOSE,
        "closes the link",
        Source::documented("reference lmqtt.md 1.4"))
        .takes(&[ID]).answers(&[ID, RESULT, EXTEND])
        .reported(CLOSE, 5).acts().after(OPEN).losing(CFG),
    Spec::new(CONN,
        "sends MQTT's CONNECT on the open link",
        Source::documented("reference lmqtt.md 1.5"))
        .takes(&[
            ID,
            Param::text_up_to("clientID", |limits| limits.client_id, "the client id, unique on the broker")
                .optional().shown("<clientID>"),
            Param::text_up_to("username", |limits| limits.username, "the user name")
                .optional().shown("<username>"),
            Param::secret("password", "the password").optional().shown("<password>"),
        ]).answers(&[ID, RESULT, EXTEND]).reads().reported(CONN, 30).acts().after(OPEN),
    Spec::new(DISC, "sends MQTT's DISCONNECT",
        Source::seen("reference lmqtt.md 1.5"))
        .takes(&[ID]).answers(&[ID, RESULT, EXTEND])
        .reported(DISC, 5).acts().after(CONN),
    Spec::new(SUBUNSUB,
        "subscribes to topics or unsubscribes from them",
        Source::documented("reference lmqtt.md 1.6"))
        .takes(&[
            ID,
            Param::number("subflag", SWITCH, "which of the two")
                .values(&[("0", "subscribe"), ("1", "unsubscribe")]),
            MESSAGE_ID,
            Param::text_up_to("topic", |limits| limits.topic, "a topic filter; + stands for a level, # for all that follow"),
            QOS,
        ]).repeating(2).answers(&[ID, RESULT_MESSAGE_ID, RESULT, EXTEND]).reported(SUBUNSUB, 30).acts()
        .after(CONN).urcs(&[UNSUNSUB]),
    Spec::new(PUB,
        "publishes a message. Without the payload the module asks for it with `> ` and takes exactly <msglen> bytes",
        Source::documented("reference lmqtt.md 1.7"))
        .takes(&[
            ID,
            MESSAGE_ID,
            QOS,
            RETAIN,
            TOPIC,
            LENGTH,
            Param::text_up_to("msg", |limits| limits.inline_payload, "the payload; nothing in it is escaped")
                .optional().shown("[,\"<payload>\"]"),
        ]).answers(&[ID, RESULT_MESSAGE_ID, RESULT, EXTEND]).announces(5, PROMPT).or_inline(6)
        .reported(PUB, 30).acts().after(CONN),
    Spec::new(PUBEX,
        "publishes a message whose payload always comes behind the prompt `> `",
        Source::inferred("reference lmqtt.md 1.7"))
        .takes(&[ID, ANY_MESSAGE_ID, QOS, RETAIN, TOPIC, LENGTH])
        .answers(&[ID, RESULT_MESSAGE_ID, RESULT, EXTEND]).announces(5, PROMPT).reported(PUBEX, 30)
        .acts().after(CONN),
    Spec::new(READ,
        "takes a message out of the module's cache; as a question it lists what waits there",
        Source::inferred("reference lmqtt.md 1.8"))
        .takes(&[ID, ANY_MESSAGE_ID]).reads().within(5).acts().after(CONN),
    Spec::new(SSLCFG,
        "sets a value of a TLS context, or shows it if no value is given. Our own after Quectel's: unverified",
        Source::inferred("reference README.md, Decisions"))
        .takes(&[
            Param::key("key", "which value"),
            TLS_CONTEXT,
        ]).keyed(TLS_KEYS).answers(&[TLS_CONTEXT]).within(5).acts()
        .lasting(Lasting::Start, Source::inferred("as the settings of MQTT, 1.3")),
    Spec::new(FUPL,
        "stores a file in the module: it answers CONNECT and takes exactly <filesize> bytes. Our own after Quectel's: unverified",
        Source::inferred("reference README.md, Decisions"))
        .takes(&[
            Param::text("filename", 64, "how the file is called from then on"),
            Param::number("filesize", &[(1, MAX_FILE as i64)], "how many bytes it has"),
            Param::number("timeout", &[(1, 65535)], "how long the module waits for the next byte, in seconds")
                .optional(),
        ]).announces(1, Prompt::Line(b"CONNECT"))
        // No source has it. A file may take long at a low rate.
        .within(60).acts()
        // Files are there to be stored once.
        .lasting(Lasting::Always, Source::inferred("no source has it")),
];
