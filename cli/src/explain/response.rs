//! Information responses: what a module answers between a command and its final result code.

use atmq_protocol::at::command::Form;
use atmq_protocol::at::parameter::{Parameters, integer};
use atmq_protocol::dialect::Answer;
use atmq_protocol::spec::{Param, Source, Spec};

use super::urc::cut;
use super::{Explained, Explanation, sentence};
use crate::dialect::answer;
use crate::grammar::{body, codes, command, split_first};

pub(super) fn explain(line: &[u8], asked: Option<&[u8]>) -> Option<Explanation> {
    let named = named(line);
    if let Some((known, rest)) = named {
        if let Some(explanation) = of_client(known, line, rest) {
            return Some(explanation);
        }
        if is_test(rest, asked) {
            let text = format!("What AT{} takes.", known.name);
            return Some(Explanation::new(text).from(known.source));
        }
        let first = Parameters::new(rest)
            .next()
            .map_or(&b""[..], |first| first.bytes());
        let (about, fields, source) = match known.key(first) {
            Some(key) => (format!("sets {}", key.sets), key.values, key.source),
            None => (known.does.to_owned(), known.answer, known.source),
        };
        // A key and the context stand before the values.
        let before = match (known.key(first), known.name) {
            (None, _) => 0,
            (Some(_), "+LSSLCFG") => 2,
            (Some(_), _) => 1,
        };
        let readings = readings(fields, rest, before);
        let about = format!("answer of AT{}, which {about}{readings}", known.name);
        let values = fields_of(fields, rest, before);
        return Some(Explanation::new(sentence(&about)).with(values).from(source));
    }
    if let Some(basic) = neighbours(line) {
        return Some(basic);
    }
    free_text(line, asked?)
}

/// The command by whose name the line begins, and what stands behind the colon.
fn named(line: &[u8]) -> Option<(&'static Spec, &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let known = command(&line[..colon]).filter(|known| !known.name.is_empty())?;
    Some((known, line[colon + 1..].trim_ascii_start()))
}

fn is_test(rest: &[u8], asked: Option<&[u8]>) -> bool {
    let first = asked.and_then(body).map(|body| split_first(body).0);
    first.is_some_and(|first| first.form == Form::Test) || rest.starts_with(b"(")
}

/// Answers of the MQTT client that no table describes.
fn of_client(known: &Spec, line: &[u8], rest: &[u8]) -> Option<Explanation> {
    Some(match answer(known.name, line, rest)? {
        Answer::State { connection, .. } => {
            let state = Parameters::new(rest).nth(1)?;
            let state = integer(state.bytes())?;
            let of = format!("Connection {connection} is in state {state}");
            super::code::numbered(codes("STATE"), state, &of)
        }
        Answer::Link {
            connection,
            host,
            port,
        } => Explanation::new(format!(
            "Connection {connection} is open, to {} port {port}.",
            cut(host.as_bytes()),
        ))
        .from(Source::inferred("reference lmqtt.md 1.4")),
        Answer::Message {
            connection,
            message_id,
            topic,
            ..
        } => Explanation::new(format!(
            "Message {message_id} of connection {connection} out of the cache, on \"{}\".",
            cut(topic.as_bytes())
        ))
        .from(known.source),
        Answer::Unread {
            connection,
            message_ids,
        } if !message_ids.is_empty() => Explanation::new(format!(
            "{} message(s) of connection {connection} wait in the cache.",
            message_ids.len(),
        ))
        .from(known.source),
        _ => return None,
    })
}

/// What is known of single values, for those who read no more than a sentence.
fn readings(fields: &[Param], rest: &[u8], before: usize) -> String {
    let values = Parameters::new(rest).skip(before);
    let readings = fields.iter().zip(values).filter_map(|(field, value)| {
        let reading = field.read(value.bytes())?;
        Some(format!("{} {} ({reading})", field.name, cut(value.bytes())))
    });
    match readings.collect::<Vec<_>>().join("; ") {
        none if none.is_empty() => none,
        readings => format!(": {readings}"),
    }
}

fn fields_of(fields: &[Param], rest: &[u8], before: usize) -> Vec<Explained> {
    let values = Parameters::new(rest).skip(before);
    let explained = fields.iter().zip(values).map(|(field, value)| {
        let value = value.bytes();
        let meaning = match field.read(value) {
            Some(meaning) => format!("{}: {meaning}", field.meaning),
            None => field.meaning.to_owned(),
        };
        Explained {
            name: field.name.to_owned(),
            value: match value {
                [_, ..] if field.is_secret() => "***".to_owned(),
                _ => cut(value),
            },
            meaning,
        }
    });
    explained.collect()
}

/// `+ECBCINFOSC` and `+ECBCINFONC`, which have other names than their command.
fn neighbours(line: &[u8]) -> Option<Explanation> {
    let which = match line.strip_prefix(b"+ECBCINFO")?.get(..2)? {
        b"SC" => "The serving cell",
        b"NC" => "A neighbouring cell",
        _ => return None,
    };
    let text = format!("{which}: channel, physical id, RSRP, RSRQ, country, network, cell, area.");
    Some(Explanation::new(text).from(command(b"+ECBCINFO")?.source))
}

/// A line without a name, which only the command can tell.
fn free_text(line: &[u8], asked: &[u8]) -> Option<Explanation> {
    // A line of its own that begins with a sign is something else in between, and so is noise.
    if line.first().is_some_and(|byte| b"+^*$%".contains(byte)) || str::from_utf8(line).is_err() {
        return None;
    }
    let first = split_first(body(asked)?).0;
    let known = command(first.name).filter(|known| !known.name.is_empty())?;
    let does = match first.form {
        Form::Test => return None,
        Form::Read | Form::Execute | Form::Set(_) => known.does,
    };
    Some(
        Explanation::new(sentence(&format!(
            "Answer of AT{}, which {does}",
            known.name
        )))
        .from(known.source),
    )
}
