//! What the module reports by itself: outcomes of MQTT commands, messages, links, reboots.

use atmq_protocol::at::command::Form;
use atmq_protocol::at::parameter::{Parameters, integer};
use atmq_protocol::dialect::Dialect as _;
use atmq_protocol::mqtt::{Connected, ConnectionId, DataFormat, FormatTable, Formats, Reason, Urc};
use atmq_protocol::spec::{Codes, Source};
use atmq_protocol::standard::RegistrationChanged;

use super::code::numbered;
use super::{Explained, Explanation};
use crate::dialogue::DIALECT;
use crate::grammar::{body, codes, command, split_first};
use crate::visible::visible;

const BOOT: Source = Source::measured("reference lmqtt.md 1.10");

/// So many bytes of a topic or a payload are shown.
const SHOWN: usize = 64;

pub(super) fn explain(line: &[u8], asked: Option<&[u8]>) -> Option<Explanation> {
    if let Some(explanation) = banner(line, asked) {
        return Some(explanation);
    }
    if let Some(event) = super::event::explain(line) {
        return Some(event);
    }
    if let Some(changed) = RegistrationChanged::decode(line) {
        let state = changed.registration.number().to_string();
        let known = command(changed.domain.name().as_bytes())?;
        let meaning = known.answer.get(1)?.read(state.as_bytes());
        let meaning = meaning.unwrap_or_else(|| "a state that is not known".to_owned());
        let text = format!("The registration has changed: {meaning}.");
        return Some(Explanation::new(text).from(known.source));
    }
    // The answer to a question looks like a report: `+LMQTTCONN: 0,1`.
    if asked.is_some_and(|asked| is_question(asked, line)) {
        return None;
    }
    let urc = [shown_lengths(), FormatTable::default()]
        .iter()
        .find_map(|formats| Some(explain_urc(&DIALECT.decode_urc(line, formats)?, line)));
    urc.or_else(|| unknown_result(line))
}

/// Whether the command is a question that the line may answer by its name.
fn is_question(command: &[u8], line: &[u8]) -> bool {
    let first = body(command).map(|body| split_first(body).0);
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
    first.is_some_and(|first| first.form == Form::Read && first.name.eq_ignore_ascii_case(name))
}

fn banner(line: &[u8], asked: Option<&[u8]>) -> Option<Explanation> {
    let text = String::from_utf8_lossy(line);
    if text == "NORMAL POWER DOWN" {
        let off = "The module switches itself off.";
        return Some(Explanation::new(off).from(BOOT));
    }
    let by_name = text.contains("Lierda") && !text.starts_with('+');
    let started = match asked {
        _ if text.starts_with("^boot.rom") => "The module has started.",
        // The answer is told as such.
        Some(asked) if asked.to_ascii_uppercase().ends_with(b"GMI") => return None,
        Some(_) if by_name => "The module has started.",
        None if by_name => "The module has started, or its maker's name is shown.",
        _ => return None,
    };
    let lost = "After a start all connections and all settings of AT+LMQTTCFG are lost.";
    Some(Explanation::new(started).and(lost).from(BOOT))
}

/// Formats in which all connections show the length of a payload.
fn shown_lengths() -> FormatTable {
    let mut formats = FormatTable::default();
    for connection in 0..=u8::MAX {
        formats[ConnectionId(connection)] = Formats {
            show_length: true,
            receive: DataFormat::Text,
            ..Formats::default()
        };
    }
    formats
}

fn explain_urc(urc: &Urc, line: &[u8]) -> Explanation {
    let values = numbers(line);
    match urc {
        Urc::Opened { connection, result } => {
            let source = codes("OPEN").source;
            match result {
                Ok(()) => Explanation::new(format!(
                    "Connection {connection} is open: the link to the broker stands."
                ))
                .and("MQTT is not spoken yet; AT+LMQTTCONN does that.")
                .from(source),
                Err(_) => failed(
                    codes("OPEN"),
                    values.get(2),
                    &format!("Connection {connection} could not be opened"),
                ),
            }
        }
        Urc::Connected { connection, result } => connected(*connection, *result, &values),
        Urc::Closed { connection, result } => {
            let text = match result {
                Ok(()) => format!("Connection {connection} is closed, its settings are lost."),
                Err(reason) => format!(
                    "Connection {connection} could not be closed{}.",
                    because(*reason)
                ),
            };
            Explanation::new(text).from(Source::documented("reference lmqtt.md 1.4"))
        }
        Urc::Disconnected { connection, result } => {
            let text = match result {
                Ok(()) => format!("Connection {connection} has said goodbye to the broker."),
                Err(reason) => format!(
                    "Connection {connection} could not be disconnected{}.",
                    because(*reason)
                ),
            };
            Explanation::new(text).from(Source::inferred("reference lmqtt.md 1.5"))
        }
        Urc::SubscriptionChanged {
            connection,
            message_id,
            result,
            ..
        } => {
            let of = format!("Subscribe or unsubscribe {message_id} on connection {connection}");
            let source = Source::documented("reference lmqtt.md 1.6");
            match result {
                Ok(None) => Explanation::new(format!("{of}: done.")).from(source),
                Ok(Some(count)) => Explanation::new(format!(
                    "{of}: done, acknowledged for {count} topic filter{}.",
                    if *count == 1 { "" } else { "s" }
                ))
                .from(source),
                Err(Reason { code: None, .. }) => {
                    Explanation::new(format!("{of}: failed.")).from(source)
                }
                Err(Reason {
                    code: Some(code), ..
                }) => {
                    numbered(codes("EXTEND"), (*code).into(), &format!("{of} failed"))
                        .from(source)
                }
            }
        }
        Urc::Published {
            connection,
            message_id,
            reason,
            ..
        }
        | Urc::PublishedExtended {
            connection,
            message_id,
            reason,
            ..
        } => {
            let result = values.get(2).copied().unwrap_or_default();
            let of = format!("Publish {message_id} on connection {connection}");
            let explanation = numbered(codes("PUB"), result, &of);
            match reason.code.map(|code| codes("EXTEND").find(code.into())) {
                Some(Some(code)) => explanation.and(format!("Reason: {}.", code.meaning)),
                _ => explanation,
            }
        }
        Urc::Received {
            connection,
            message_id,
            topic,
            payload,
        } => Explanation::new(format!(
            "A message for connection {connection}: {} bytes on \"{}\".",
            payload.len(),
            cut(topic.as_bytes())
        ))
        .with(vec![
            value("tcpconnectID", &connection.to_string(), "the connection"),
            value("msgID", &message_id.to_string(), "the packet identifier, 0 with QoS 0"),
            value("topic", &cut(topic.as_bytes()), "the topic"),
            value("payload", &cut(payload), "the payload"),
        ])
        .from(Source::measured("reference lmqtt.md 1.8")),
        Urc::Buffered {
            connection,
            message_id,
        } => Explanation::new(format!(
            "A message for connection {connection} waits in the module: AT+LMQTTREAD={connection},{message_id} takes it out."
        ))
        .from(Source::documented("reference lmqtt.md 1.8")),
        Urc::Status { connection, code, .. } => {
            // Behind `STATS,<id>`.
            let number = line.split(|byte| *byte == b',').nth(2);
            let number = number.and_then(integer).unwrap_or_default();
            let explanation = numbered(
                codes("STATS"),
                number,
                &format!("State of the link of connection {connection}"),
            );
            match code.and_then(|code| codes("CONNACK").find(code.into())) {
                Some(code) if number == 15 => {
                    explanation.and(format!("The broker says: {}.", code.meaning))
                }
                _ => explanation,
            }
        }
    }
}

fn connected(connection: ConnectionId, result: Connected, values: &[i64]) -> Explanation {
    let of = format!("Connection {connection}");
    match result {
        Connected::Accepted => Explanation::new(format!(
            "{of} is connected: the broker has accepted the client."
        ))
        .from(codes("CONNACK").source),
        Connected::Refused(refusal) => {
            let code = i64::from(refusal.code());
            numbered(
                codes("CONNACK"),
                code,
                &format!("{of}: the broker refuses the client"),
            )
            .and("The result before it is 0 even so: the packet was sent and answered.")
        }
        Connected::Retransmitted(_) | Connected::Failed(_) => {
            let result = values.get(1).copied().unwrap_or_default();
            let explanation = numbered(codes("CONN"), result, &format!("{of}, CONNECT"));
            match codes("STATE").find(result) {
                Some(state) if values.len() == 2 => explanation.and(format!(
                    "As the answer to AT+LMQTTCONN? it says: {}.",
                    state.meaning
                )),
                _ => explanation,
            }
        }
    }
}

/// A failure whose reason may stand behind it.
fn failed(codes: &Codes, reason: Option<&i64>, of: &str) -> Explanation {
    match reason {
        Some(reason) => numbered(codes, *reason, of),
        None => Explanation::new(format!("{of}; the module does not say why.")).from(codes.source),
    }
}

fn because(reason: Reason) -> String {
    match reason.code {
        Some(code) => format!(": number {code}, of which nothing is known"),
        None => String::new(),
    }
}

/// A line of the module that begins as a URC does and is none the dialect knows.
fn unknown_result(line: &[u8]) -> Option<Explanation> {
    let rest = line.strip_prefix(b"+LMQTTURC: ")?;
    let kind = rest.split(|byte| *byte == b',').next()?;
    Some(Explanation::new(format!(
        "A report of the MQTT client that is not known: {}.",
        visible(kind)
    )))
}

/// The numbers behind the colon, as long as there are numbers.
fn numbers(line: &[u8]) -> Vec<i64> {
    let behind = line.iter().position(|byte| *byte == b':');
    let rest = behind.map_or(&b""[..], |at| line[at + 1..].trim_ascii());
    Parameters::new(rest)
        .map_while(|value| integer(value.bytes()))
        .collect()
}

fn value(name: &str, value: &str, meaning: &str) -> Explained {
    Explained {
        name: name.to_owned(),
        value: value.to_owned(),
        meaning: meaning.to_owned(),
    }
}

/// As much as can be shown.
pub(super) fn cut(bytes: &[u8]) -> String {
    match bytes.get(..SHOWN) {
        Some(shown) if bytes.len() > SHOWN => format!("{}…", visible(shown)),
        _ => visible(bytes),
    }
}
