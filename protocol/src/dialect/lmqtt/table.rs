//! The MQTT commands, and the two that belong to TLS. Their ranges are the dialect's.


use crate::spec::{Param, items, ranges_in};
use super::settings::{KEYS, TLS_KEYS};
use super::{Spec, DIALECT, Source};

pub const ID: Param = Param::described("tcpconnectID", "which connection");
const MESSAGE_ID: Param = Param::described(
    "msgID",
    "the packet identifier, by which the result URC is recognised; 0 with QoS 0",
);
const QOS: Param = Param::described("qos", "the quality of service").values(&[
    ("0", "at most once"),
    ("1", "at least once"),
    ("2", "exactly once"),
]);
const RETAIN: Param = Param::described(
    "retain",
    "whether the broker keeps the message for new subscribers",
)
.values(&[("0", "no"), ("1", "yes")]);
const TOPIC: Param = Param::text("topic", 256, "the topic");
const LENGTH: Param = Param::number(
    "msglen",
    &[(0, 8000)],
    "how many bytes the payload has, without quotes around it",
);

const RESULT_ID: Param = Param::number("tcpconnectID", &[(0, 4)], "which connection");
const RESULT_MESSAGE_ID: Param =
    Param::number("msgID", &[(0, 65535)], "the packet identifier");
const RESULT: Param = Param::bare("result", "what came of it");
const EXTEND: Param = Param::bare("extend", "more on the result").optional();

pub const COMMANDS: &[Spec] = &[
    Spec::new(
        "+LMQTTCFG",
        "sets a value of a connection, or shows it if no value is given; what is set is gone after CLOSE",
        Source::documented("reference lmqtt.md 1.3"),
    )
    .takes(&[Param::key("key", "which setting"), ID])
    .keyed(KEYS),
    Spec::new(
        "+LMQTTOPEN",
        "opens the TCP or TLS link to the broker; MQTT is not spoken yet. What came of it is reported by +LMQTTOPEN",
        Source::documented("reference lmqtt.md 1.4"),
    )
    .takes(&[
        ID,
        Param::text("host_name", 100, "name or address of the broker"),
        Param::number("port", &[(1, 65535)], "its TCP port; 1883 is usual, 8883 with TLS"),
    ])
    .answers(&[RESULT_ID, RESULT, EXTEND]),
    Spec::new(
        "+LMQTTCLOSE",
        "closes the link; the settings of AT+LMQTTCFG are lost with it. What came of it is reported by +LMQTTCLOSE",
        Source::documented("reference lmqtt.md 1.4"),
    )
    .takes(&[ID])
    .answers(&[RESULT_ID, RESULT, EXTEND]),
    Spec::new(
        "+LMQTTCONN",
        "sends MQTT's CONNECT on the open link. What came of it is reported by +LMQTTCONN",
        Source::documented("reference lmqtt.md 1.5"),
    )
    .takes(&[
        ID,
        Param::text("clientID", 256, "the client id, unique on the broker").optional(),
        Param::text("username", 256, "the user name").optional(),
        Param::secret("password", "the password").optional(),
    ])
    .answers(&[RESULT_ID, RESULT, EXTEND]),
    Spec::new(
        "+LMQTTDISC",
        "sends MQTT's DISCONNECT. What came of it is reported by +LMQTTDISC",
        Source::seen("reference lmqtt.md 1.5"),
    )
    .takes(&[ID])
    .answers(&[RESULT_ID, RESULT, EXTEND]),
    Spec::new(
        "+LMQTTSUBUNSUB",
        "subscribes to topics or unsubscribes from them. What came of it is reported by +LMQTTSUBUNSUB",
        Source::documented("reference lmqtt.md 1.6"),
    )
    .takes(&[
        ID,
        Param::described("subflag", "which of the two")
            .values(&[("0", "subscribe"), ("1", "unsubscribe")]),
        MESSAGE_ID,
        Param::text("topic", 256, "a topic filter; + stands for a level, # for all that follow"),
        QOS,
    ])
    .repeating(2)
    .answers(&[RESULT_ID, RESULT_MESSAGE_ID, RESULT, EXTEND]),
    Spec::new(
        "+LMQTTPUB",
        "publishes a message. Without the payload the module asks for it with `> ` and takes exactly <msglen> bytes. What came of it is reported by +LMQTTPUB",
        Source::documented("reference lmqtt.md 1.7"),
    )
    .takes(&[
        ID,
        MESSAGE_ID,
        QOS,
        RETAIN,
        TOPIC,
        LENGTH,
        Param::text("msg", 1460, "the payload; nothing in it is escaped").optional(),
    ])
    .answers(&[RESULT_ID, RESULT_MESSAGE_ID, RESULT, EXTEND]),
    Spec::new(
        "+LMQTTPUBEX",
        "publishes a message whose payload always comes behind the prompt `> `. What came of it is reported by +LMQTTPUBEX",
        Source::inferred("reference lmqtt.md 1.7"),
    )
    .takes(&[ID, MESSAGE_ID, QOS, RETAIN, TOPIC, LENGTH])
    .answers(&[RESULT_ID, RESULT_MESSAGE_ID, RESULT, EXTEND]),
    Spec::new(
        "+LMQTTREAD",
        "takes a message out of the module's cache; as a question it lists what waits there",
        Source::inferred("reference lmqtt.md 1.8"),
    )
    .takes(&[ID, MESSAGE_ID]),
    Spec::new(
        "+LSSLCFG",
        "sets a value of a TLS context, or shows it if no value is given. Our own after Quectel's: unverified",
        Source::inferred("reference README.md, Decisions"),
    )
    .takes(&[
        Param::key("key", "which value"),
        Param::described("ctx", "which TLS context"),
    ])
    .keyed(TLS_KEYS),
    Spec::new(
        "+LFUPL",
        "stores a file in the module: it answers CONNECT and takes exactly <filesize> bytes. Our own after Quectel's: unverified",
        Source::inferred("reference README.md, Decisions"),
    )
    .takes(&[
        Param::text("filename", 64, "how the file is called from then on"),
        Param::described("filesize", "how many bytes it has"),
        Param::described("timeout", "how long the module waits for the next byte, in seconds")
            .optional(),
    ]),
];

/// The ranges of a parameter, out of the dialect's test form.
pub fn described(command: &Spec, first: &[u8], place: usize) -> Vec<(i64, i64)> {
    let typed = Typed {
        name: command.name.as_bytes(),
        form: Form::Test,
    };
    let lines = DIALECT.describe(&typed, &atmq_protocol::dialect::lmqtt::NT35E.limits);
    let key = command.key(first).map(|key| format!("\"{}\"", key.name));
    let found = lines.iter().find_map(|line| {
        let items = items(line.split_once(": ")?.1);
        let wanted = key.as_deref().is_none_or(|key| items.first() == Some(&key));
        let item = items.get(place).filter(|_| wanted)?;
        ranges_in(item)
    });
    found.unwrap_or_default()
}
