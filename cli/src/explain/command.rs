//! Commands, with each of their parameters.

use atmq_protocol::at::command::{Command as Typed, Form};
use atmq_protocol::at::parameter::{self, Parameters};
use atmq_protocol::spec::{Key, Kind, Param, Spec, show_ranges};

use data_encoding::HEXLOWER_PERMISSIVE;

use super::{Explained, Explanation, sentence};
use crate::grammar::{body, command, commands, limits, split_first};
use crate::visible::visible;

/// So many parameters of one command are explained; a line may hold thousands.
const SHOWN: usize = 32;

/// How much alike names must be for one to be taken for the other, by Jaro and Winkler. Ours.
const LIKE: f64 = 0.9;

/// `None` if the line is no command that is known.
pub(super) fn explain(line: &[u8]) -> Option<Explanation> {
    let mut rest = body(line)?;
    let mut whole: Option<Explanation> = None;
    loop {
        let (typed, left) = split_first(rest);
        let explanation = one(&typed)?;
        whole = Some(match whole {
            None => explanation,
            // Several commands of a line, of which the first tells its source.
            Some(mut before) => {
                before.sentences.extend(explanation.sentences);
                before.values.extend(explanation.values);
                before.wrong.extend(explanation.wrong);
                before
            }
        });
        if left.is_empty() {
            return whole;
        }
        rest = left;
    }
}

fn one(typed: &Typed<'_>) -> Option<Explanation> {
    let known = command(typed.name)?;
    let name = format!("AT{}", known.name);
    let explanation = match typed.form {
        Form::Test => Explanation::new(format!("Asks what {name} takes.")),
        Form::Read => Explanation::new(format!("Asks for what {name} has set or shows."))
            .and(sentence(&format!("{name} {}", known.does))),
        Form::Execute | Form::Set(_) => {
            let explanation = Explanation::new(sentence(&format!("{name} {}", known.does)));
            around(known).fold(explanation, Explanation::and)
        }
    };
    let Form::Set(parameters) = typed.form else {
        let explanation = explanation.and(format!(
            "Its forms: {}.",
            known.forms().collect::<Vec<_>>().join(", ")
        ));
        return Some(explanation.with(takes(known)).from(known.source));
    };
    let first = Parameters::new(parameters).next();
    let first = first.map_or(&b""[..], |first| first.bytes());
    let mut source = known.source;
    let explanation = match known.key(first) {
        Some(key) => {
            source = key.source;
            let given = Parameters::new(parameters).count() > known.parameters.len();
            let verb = if given { "sets" } else { "asks for" };
            let key = format!("{name}=\"{}\" {verb} {}", key.name, key.sets);
            Explanation::new(sentence(&key)).and(sentence(&format!("{name} {}", known.does)))
        }
        None if !known.keys.is_empty() => {
            let keys: Vec<_> = known.keys.iter().map(|key| key.name).collect();
            explanation.and(format!(
                "This key is not known; known are {}.",
                keys.join(", ")
            ))
        }
        None => explanation,
    };
    let mut wrong = Vec::new();
    let values = given(known, first, parameters, &mut wrong);
    let mut explanation = explanation.with(values).from(source);
    explanation.wrong = wrong;
    Some(explanation)
}

/// What comes before a command, behind it, and what is lost by it.
fn around(known: &Spec) -> impl Iterator<Item = String> {
    let first = known.needs.map(|name| format!("AT{name} comes first."));
    let report = known.report.map(|name| match known.limit {
        Some(limit) => format!("The outcome is reported by {name}, within {limit} s."),
        None => format!("The outcome is reported by {name}."),
    });
    let lost = known.loses;
    let lost = lost.map(|name| format!("The settings of AT{name} are lost with it."));
    [first, report, lost].into_iter().flatten()
}

/// What the set form takes, of a command that was typed in another.
fn takes(known: &Spec) -> Vec<Explained> {
    let parameters = known.parameters.iter().map(|one| explained(known, one));
    let keys = known.keys.iter().map(|key| Explained {
        name: format!("\"{}\"", key.name),
        value: String::new(),
        meaning: key.sets.to_owned(),
    });
    parameters.chain(keys).collect()
}

/// What a parameter takes.
pub(super) fn explained(known: &Spec, parameter: &Param) -> Explained {
    Explained {
        name: parameter.name.to_owned(),
        value: allowed(known, parameter),
        meaning: parameter.described_values(),
    }
}

/// The values of a set form, and what is wrong with them.
fn given(
    known: &Spec,
    first: &[u8],
    parameters: &[u8],
    objections: &mut Vec<String>,
) -> Vec<Explained> {
    let mut values = Vec::new();
    let mut list = Parameters::new(parameters);
    let length = known.data.map(|data| data.length);
    let mut announced = None;
    for place in 0..SHOWN {
        let Some(parameter) = known.parameter(first, place) else {
            break;
        };
        let mut why = None;
        let value = match known.rest() {
            Some(rest) if rest == place => list.rest().map(|rest| {
                why = announced.and_then(|announced| miscounted(parameter, rest, announced));
                unquoted(rest)
            }),
            _ => list.next().map(parameter::Parameter::bytes),
        };
        let Some(value) = value else {
            for parameter in missing(known, place) {
                objections.push(format!("{} is missing", parameter.name));
                values.push(Explained {
                    name: parameter.name.to_owned(),
                    value: String::new(),
                    meaning: format!("{}; missing", parameter.meaning),
                });
            }
            break;
        };
        if length == Some(place) {
            announced = parameter::integer(value).and_then(|value| usize::try_from(value).ok());
        }
        let mut meaning = meaning(known, parameter, value);
        let why = why.or_else(|| wrong(known, parameter, value).filter(|_| !value.is_empty()));
        if let Some(why) = why {
            meaning = format!("{meaning}; {why}");
            objections.push(format!("{}: {why}", parameter.name));
        }
        values.push(Explained {
            name: parameter.name.to_owned(),
            value: match value {
                [_, ..] if parameter.is_secret() => "***".to_owned(),
                _ => visible(value),
            },
            meaning,
        });
    }
    if !list.is_empty() {
        values.push(Explained {
            name: "…".to_owned(),
            value: String::new(),
            meaning: format!("more than AT{} is known to take", known.name),
        });
    }
    values
}

/// The parameters from this place on that may not be left out. Of what is repeated only the first
/// is certain: unsubscribing takes topics without their quality of service.
fn missing(known: &Spec, from: usize) -> impl Iterator<Item = &Param> {
    let needed = known.parameters.len() - known.repeated.saturating_sub(1);
    let parameters = known.parameters[..needed].iter().skip(from);
    parameters.filter(|parameter| !parameter.optional && parameter.default.is_none())
}

/// The name of a command that may be meant, if the line has one that is not known.
pub(super) fn meant(line: &[u8]) -> Option<String> {
    let mut rest = body(line)?;
    loop {
        let (typed, left) = split_first(rest);
        if command(typed.name).is_none() {
            let name = str::from_utf8(typed.name).ok()?.to_ascii_uppercase();
            let like = nearest(&name, commands().map(|known| known.name))?;
            return Some(format!("AT{like}"));
        }
        if left.is_empty() {
            return None;
        }
        rest = left;
    }
}

/// The name that is most like this one, if it is much alike.
pub(super) fn nearest<'n>(given: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let like = names.map(|name| (strsim::jaro_winkler(name, given), name));
    let (like, name) = like.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    (like >= LIKE).then_some(name)
}

/// What is wrong with a payload in the command, if it is not as long as was announced. Of
/// hexadecimal digits some firmware counts the bytes that they stand for.
fn miscounted(parameter: &Param, rest: &[u8], announced: usize) -> Option<String> {
    let payload = unquoted(rest);
    if payload.len() / 2 == announced && HEXLOWER_PERMISSIVE.decode(payload).is_ok() {
        return None;
    }
    let counted = parameter::counted(parameter.name, rest, announced);
    counted.err().map(|error| error.to_string())
}

fn unquoted(text: &[u8]) -> &[u8] {
    let inner = text.strip_prefix(b"\"");
    inner
        .and_then(|inner| inner.strip_suffix(b"\""))
        .unwrap_or(text)
}

fn meaning(known: &Spec, parameter: &Param, value: &[u8]) -> String {
    let about = parameter.meaning;
    if value.is_empty() {
        return match (parameter.default, parameter.optional) {
            (Some(default), _) => format!("{about}: left out, {default}"),
            (None, true) => format!("{about}: left out"),
            (None, false) => about.to_owned(),
        };
    }
    if let Some(meaning) = parameter.read(value) {
        return format!("{about}: {meaning}");
    }
    if let Some(Key { sets, .. }) = known
        .key(value)
        .filter(|_| matches!(parameter.kind, Kind::Key))
    {
        return (*sets).to_owned();
    }
    about.to_owned()
}

/// What is wrong with a value, if that can be told.
pub(crate) fn wrong(known: &Spec, parameter: &Param, value: &[u8]) -> Option<String> {
    let ranges = parameter.ranges(limits(known));
    if !ranges.is_empty() {
        let number = parameter::integer(value);
        let within = |number| {
            ranges
                .iter()
                .any(|(low, high)| (*low..=*high).contains(&number))
        };
        // Numbers may be documented as from 1 on and taken from 0 on.
        let taken = number.is_some_and(within) || (number == Some(0) && parameter.name == "msgID");
        return (!taken).then(|| format!("not within {}", show_ranges(&ranges)));
    }
    let longest = parameter.longest(limits(known));
    if let Some(limit) = longest.filter(|limit| value.len() > *limit) {
        return Some(format!("{} bytes, the limit is {limit}", value.len()));
    }
    match parameter.kind {
        Kind::Words(words) => {
            let mut words_taken = words.iter();
            let known = words_taken.any(|word| value.eq_ignore_ascii_case(word.as_bytes()));
            (!known).then(|| format!("known are {}", words.join(", ")))
        }
        _ => None,
    }
}

/// What may stand at a place, in short: `0-2`, `"IP"|"IPV6"`, `text`.
pub(crate) fn allowed(known: &Spec, parameter: &Param) -> String {
    let ranges = parameter.ranges(limits(known));
    if !ranges.is_empty() {
        return show_ranges(&ranges);
    }
    if let Some(limit) = parameter.longest(limits(known)) {
        return format!("text, up to {limit} bytes");
    }
    match parameter.kind {
        Kind::Words(words) => words.join("|"),
        Kind::Secret => "text".to_owned(),
        Kind::Key => "a key".to_owned(),
        _ => String::new(),
    }
}
