//! What the module reports of its surroundings once a host has asked for it.

use std::ops::RangeInclusive;

use atmq_protocol::at::parameter::{Parameters, integer};
use atmq_protocol::spec::Source;

use super::Explanation;
use crate::grammar::command;
use crate::visible::visible;

/// The time zones that there are, in quarters of an hour (27.007 8.41).
const ZONES: RangeInclusive<i64> = -48..=56;

pub(super) fn explain(line: &[u8]) -> Option<Explanation> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let rest = line[colon + 1..].trim_ascii_start();
    match &line[..colon] {
        b"+CIEV" => indicator(rest),
        b"+CGEV" => packet(rest),
        b"+CTZV" | b"+CTZE" => zone(rest),
        _ => None,
    }
}

/// `<ind>,<value>`: the number counts the fields of `AT+CIND?`.
fn indicator(rest: &[u8]) -> Option<Explanation> {
    let mut values = Parameters::new(rest).map(|value| integer(value.bytes()));
    let (number, value) = (values.next()??, values.next()??);
    let at = usize::try_from(number).ok()?.checked_sub(1)?;
    let known = command(b"+CIND")?;
    let indicator = known.answer.get(at)?;
    let meaning = indicator.read(value.to_string().as_bytes());
    let reading = meaning.map_or_else(String::new, |meaning| format!(", {meaning}"));
    let text = format!(
        "An indicator has changed: {} ({}) is {value}{reading}.",
        indicator.name, indicator.meaning
    );
    Some(Explanation::new(text).from(Source::standard("27.007 8.10")))
}

/// What has happened, and to which context.
fn packet(rest: &[u8]) -> Option<Explanation> {
    let text = str::from_utf8(rest).ok()?;
    let happened = match text.rsplit_once(' ') {
        Some(("ME PDN ACT", cid)) => format!("the module has activated context {cid}"),
        Some(("ME PDN DEACT", cid)) => format!("the module has deactivated context {cid}"),
        Some(("ME", "DETACH")) => "the module has detached".to_owned(),
        Some(("NW", "DETACH")) => "the network has detached the module".to_owned(),
        _ => format!("`{}`", visible(rest)),
    };
    let text = format!("An event of the packet domain: {happened}.");
    Some(Explanation::new(text).from(Source::standard("27.007 10.1.19")))
}

/// `"<tz>"`, also without quotes, and with `+CTZE` daylight saving and universal time.
fn zone(rest: &[u8]) -> Option<Explanation> {
    let zone = Parameters::new(rest).next()?;
    let zone: i64 = str::from_utf8(zone.bytes()).ok()?.trim().parse().ok()?;
    let told = "The network tells another time zone";
    let unit = "quarters of an hour from universal time";
    let explanation = match ZONES.contains(&zone) {
        true => Explanation::new(format!("{told}: {zone:+} {unit}.")),
        false => Explanation::new(format!("{told}, but {zone} is none: it counts {unit}.")).and(
            format!("They are {:+} to {:+}.", ZONES.start(), ZONES.end()),
        ),
    };
    Some(explanation.from(Source::standard("27.007 8.41")))
}
