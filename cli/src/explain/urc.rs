//! What the module reports by itself: outcomes of MQTT commands, messages, links, reboots.

use atmq_driver::Disconnected;
use atmq_protocol::at::command::Form;
use atmq_protocol::at::parameter::{Parameters, integer};
use atmq_protocol::dialect::{Dialect, Power, Recognised};
use atmq_protocol::mqtt::{Connected, ConnectionId, Operation, Reason, Urc};
use atmq_protocol::spec::{Codes, Param, Source, Spec};
use atmq_protocol::standard::RegistrationChanged;

use super::code::numbered;
use super::{Explained, Explanation, sentence};
use crate::dialect::{connect_command, line_for, power, report};
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
        let of = "The registration has changed";
        let explanation = match known.answer.get(1)?.read(state.as_bytes()) {
            Some(meaning) => Explanation::new(format!("{of}: {meaning}.")),
            None => Explanation::new(format!("{of}: a state that is not known.")).unknown(),
        };
        return Some(explanation.from(known.source));
    }
    // The answer to a question may look like a report, such as a connection with its state.
    if asked.is_some_and(|asked| is_question(asked, line)) {
        return None;
    }
    let (dialect, report) = report(line)?;
    Some(match report {
        Recognised::Known(urc) => explain_urc(dialect, &urc, line),
        Recognised::Unknown(kind) => Explanation::new(format!(
            "A report of the MQTT client that is not known: {}.",
            visible(kind)
        ))
        .unknown(),
    })
}

/// Whether the command is a question that the line may answer by its name.
fn is_question(command: &[u8], line: &[u8]) -> bool {
    let first = body(command).map(|body| split_first(body).0);
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
    first.is_some_and(|first| first.form == Form::Read && first.name.eq_ignore_ascii_case(name))
}

fn banner(line: &[u8], asked: Option<&[u8]>) -> Option<Explanation> {
    let started = match (power(line)?, asked) {
        (Power::Down, _) => {
            let off = "The module switches itself off.";
            return Some(Explanation::new(off).from(BOOT));
        }
        (Power::Started, _) => "The module has started.",
        // The answer is told as such.
        (Power::Banner, Some(asked)) if asked.to_ascii_uppercase().ends_with(b"GMI") => {
            return None;
        }
        (Power::Banner, Some(_)) => "The module has started.",
        (Power::Banner, None) => "The module has started, or its maker's name is shown.",
    };
    let lost = "After a start all connections and all settings of MQTT are lost.";
    Some(Explanation::new(started).and(lost).from(BOOT))
}

/// The words of the dialect's own table for the result that a line tells, where the dialect tells each
/// by a number of its own; `None` where what follows knows better.
fn by_own_table(dialect: &dyn Dialect, urc: &Urc, line: &[u8]) -> Option<Explanation> {
    if has_stats(dialect) {
        return None;
    }
    let connection = urc.connection();
    let name = line.split(|byte| *byte == b':').next()?;
    let spec = dialect.spec(name);
    let ended = match urc {
        Urc::Closed { result: Ok(()), .. } => Some("is closed"),
        Urc::Disconnected { result: Ok(()), .. } => Some("has said goodbye to the broker"),
        _ => None,
    };
    if let (Some(ended), Some(spec)) = (ended, spec) {
        let text = format!("Connection {connection} {ended}.");
        return Some(Explanation::new(text).from(spec.source));
    }
    let name = std::str::from_utf8(name).ok()?;
    // A table names the lines that it is for, or how the others all begin: `+X…`.
    let named = |codes: &&&Codes| {
        let words = codes
            .what
            .split(|c: char| !matches!(c, '+' | '…') && !c.is_ascii_alphanumeric());
        let of = |word: &str| match word.strip_suffix('…') {
            Some(beginning) => name.starts_with(beginning).then_some(1),
            None => (word == name).then_some(2),
        };
        words.filter_map(of).max().unwrap_or(0)
    };
    let values = numbers(line);
    let tables = dialect.codes().iter().filter(|codes| named(codes) > 0);
    let Some(codes) = tables.max_by_key(named) else {
        return by_its_fields(spec?, &values, connection);
    };
    let is_result = |field: &Param| matches!(field.name, "result" | "err");
    let result = spec.and_then(|spec| spec.answer.iter().position(is_result));
    let number = values.get(result.unwrap_or(1))?;
    let of = match urc {
        Urc::SubscriptionChanged { message_id, .. } | Urc::Published { message_id, .. } => {
            format!("Packet {message_id} on connection {connection}")
        }
        // It is about all of them.
        _ if spec.is_some_and(|spec| spec.answer.len() == 1) => name.to_owned(),
        _ => format!("Connection {connection}"),
    };
    let explanation = numbered(codes, *number, &of);
    Some(match urc {
        Urc::Connected {
            result: Connected::Refused(refusal),
            ..
        } => explanation.and(format!("The broker's return code is {}.", refusal.code())),
        _ => explanation,
    })
}

/// The words of the fields of a line for its numbers.
fn by_its_fields(spec: &Spec, values: &[i64], connection: ConnectionId) -> Option<Explanation> {
    let mut fields = spec.answer.iter().zip(values);
    let text = fields.find_map(|(field, value)| {
        let meaning = field.read(value.to_string().as_bytes())?;
        Some(format!("Connection {connection}: {meaning}."))
    });
    Some(Explanation::new(text?).from(spec.source))
}

/// The table by whose numbers one dialect tells what has become of links.
const STATS: &str = "STATS";

fn has_stats(dialect: &dyn Dialect) -> bool {
    dialect.codes().iter().any(|codes| codes.name == STATS)
}

fn explain_urc(dialect: &dyn Dialect, urc: &Urc, line: &[u8]) -> Explanation {
    if let Some(explanation) = by_own_table(dialect, urc, line) {
        return explanation;
    }
    let values = numbers(line);
    match urc {
        Urc::Opened { connection, result } => {
            let source = codes("OPEN").source;
            match result {
                Ok(()) => {
                    let next = connect_command(dialect);
                    let next = next.map_or_else(String::new, |next| format!("; {next} does that"));
                    Explanation::new(format!(
                        "Connection {connection} is open: the link to the broker stands."
                    ))
                    .and(format!("MQTT is not spoken yet{next}."))
                    .from(source)
                }
                Err(_) => failed(
                    codes("OPEN"),
                    values.get(2),
                    &format!("Connection {connection} could not be opened"),
                ),
            }
        }
        Urc::Connected { connection, result } => connected(dialect, *connection, *result, &values),
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
                    numbered(codes("EXTEND"), (*code).into(), &format!("{of} failed")).from(source)
                }
            }
        }
        Urc::Published {
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
            value(
                "msgID",
                &message_id.to_string(),
                "the packet identifier, 0 with QoS 0",
            ),
            value("topic", &cut(topic.as_bytes()), "the topic"),
            value("payload", &cut(payload), "the payload"),
        ])
        .from(Source::measured("reference lmqtt.md 1.8")),
        Urc::Buffered {
            connection,
            message_id,
        } => Explanation::new(format!(
            "A message for connection {connection} waits in the module{}.",
            taken_out_by(dialect, *connection, *message_id)
        ))
        .from(Source::documented("reference lmqtt.md 1.8")),
        Urc::Status {
            connection,
            status,
            code,
        } if !has_stats(dialect) => {
            let (status, code) = (*status, *code);
            let lost = Disconnected::LinkLost { status, code };
            let mut models = dialect.models().iter();
            let is_one = models.any(|model| connection.0 < model.limits.connections);
            Explanation::new(match is_one {
                true => format!("Connection {connection}: {lost}."),
                // It is about all of them.
                false => sentence(&lost.to_string()),
            })
        }
        Urc::Status {
            connection, code, ..
        } => {
            // Behind `STATS,<id>`.
            let number = line.split(|byte| *byte == b',').nth(2);
            let number = number.and_then(integer).unwrap_or_default();
            let explanation = numbered(
                codes(STATS),
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

fn connected(
    dialect: &dyn Dialect,
    connection: ConnectionId,
    result: Connected,
    values: &[i64],
) -> Explanation {
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
                Some(state) if values.len() == 2 => {
                    match line_for(dialect, Operation::State { connection }) {
                        Some(question) => explanation.and(format!(
                            "As the answer to {question} it says: {}.",
                            state.meaning
                        )),
                        None => explanation,
                    }
                }
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

/// The command that takes a message out of the cache.
fn taken_out_by(dialect: &dyn Dialect, connection: ConnectionId, message_id: u16) -> String {
    let read = Operation::Read {
        connection,
        message_id,
    };
    let read = line_for(dialect, read);
    read.map_or_else(String::new, |read| format!(": {read} takes it out"))
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
