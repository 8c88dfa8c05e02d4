//! How the lines begin that a fault can happen to: what this module has no command or no URC for is
//! refused, because a fault that never happens proves nothing of a host.

use std::fmt;

use atmq_protocol::at::command::{Command, is_sign};
use atmq_protocol::spec::Spec;

use super::FaultError;
use crate::modem::Modem;

/// A command line with nothing behind `AT`.
const BARE: &str = "AT";

/// A name is told which one may be meant if it is as like as this, 1 being the same.
const LIKE: f64 = 0.75;

/// More characters of a name are neither shown nor looked at to find one that is like it. Ours.
const NAME: usize = 64;

/// Whether a line begins so: a command line without `AT`, or a URC.
pub(super) fn begins(on: &str, line: &[u8]) -> bool {
    if on == BARE {
        return line.is_empty();
    }
    let Some((start, rest)) = line.split_at_checked(on.len()) else {
        return false;
    };
    // The letters behind a basic command belong to the next one.
    let is_basic = start.first().is_some_and(|first| !is_sign(*first));
    let goes_on = |byte: &u8| match is_basic {
        true => byte.is_ascii_digit(),
        false => byte.is_ascii_alphanumeric(),
    };
    let same = start.eq_ignore_ascii_case(on.as_bytes());
    same && !(start.last().is_some_and(goes_on) && rest.first().is_some_and(goes_on))
}

impl Modem {
    /// The beginning of a command line in the words of the tables.
    pub(super) fn command_beginning(&self, given: &str) -> Result<String, FaultError> {
        let text = given.trim();
        if text.is_empty() {
            return Ok(String::new());
        }
        let text = match text.get(..2) {
            Some(start) if start.eq_ignore_ascii_case(BARE) => text[2..].trim_start(),
            _ => text,
        };
        if text.is_empty() {
            return Ok(BARE.to_owned());
        }
        let end = text.find(['=', '?', ';']).unwrap_or(text.len());
        let (name, behind) = text.split_at(end);
        let signed = self.command_names().find(|known| {
            let bare = known.strip_prefix(|sign: char| sign.is_ascii() && is_sign(sign as u8));
            bare.is_some_and(|bare| bare.eq_ignore_ascii_case(name.trim_end()))
        });
        // As basic commands in a row, or as a number to dial, a mistyped name is never meant.
        let is_word = name.len() > 2 && name.bytes().all(|byte| byte.is_ascii_alphabetic());
        let text = match signed {
            Some(name) => name.to_owned() + behind,
            None => text.to_owned(),
        };
        let unknown = || FaultError::UnknownCommand {
            given: shown(given),
            like: nearest(name, self.command_names()),
        };
        if is_word && signed.is_none() || text.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(unknown());
        }
        let mut left = text.as_bytes();
        let mut beginning = None;
        // What stands behind the first command is looked at as well.
        loop {
            let (command, behind) = self.first_command(left);
            let known = self.known_command(&command).ok_or_else(unknown)?;
            let beginning =
                beginning.get_or_insert_with(|| known.to_owned() + &text[command.name.len()..]);
            if behind.is_empty() {
                return Ok(std::mem::take(beginning));
            }
            left = behind;
        }
    }

    /// The name of a command as the tables have it.
    fn known_command(&self, command: &Command<'_>) -> Option<&'static str> {
        let mut names = self.command_names().filter(|known| !known.is_empty());
        names.find(|known| command.is(known))
    }

    /// The names of all commands.
    fn command_names(&self) -> impl Iterator<Item = &'static str> {
        let owned = self.profile.dialect.specs().iter().map(|spec| spec.name);
        owned.chain(self.profile.commands().map(|spec| spec.name))
    }

    /// The beginning of a URC as the module writes it.
    pub(super) fn urc_beginning(&self, given: &str) -> Result<String, FaultError> {
        let text = given.trim();
        if text.is_empty() {
            return Ok(String::new());
        }
        let banner = self.profile.banner.lines();
        let farewell = self.profile.dialect.farewell().lines();
        for line in banner.chain(farewell) {
            if begins(text, line.as_bytes()) {
                return Ok(line.get(..text.len()).unwrap_or(text).to_owned());
            }
        }
        // As the module has it, a blank follows the colon.
        let text = match text.split_once(':') {
            Some((name, rest)) if !rest.is_empty() => format!("{name}: {}", rest.trim_start()),
            _ => text.to_owned(),
        };
        let urcs = self.urcs();
        for urc in &urcs {
            let sign = urc.get(..1).filter(|sign| is_sign(sign.as_bytes()[0]));
            for text in [&text, &(sign.unwrap_or_default().to_owned() + &text)] {
                if begins(text, urc.as_bytes()) {
                    return Ok(urc[..text.len()].to_owned());
                }
                let separator = if urc.contains(':') { ',' } else { ':' };
                let behind = begins(urc, text.as_bytes()).then(|| &text[urc.len()..]);
                if let Some(behind) = behind.filter(|behind| behind.starts_with(separator)) {
                    return Ok((*urc).to_owned() + behind);
                }
            }
        }
        let name = text.split(':').next().unwrap_or(&text);
        Err(FaultError::UnknownUrc {
            like: nearest(name, urcs.iter().copied()),
            known: format!(
                "it sends {}, and what it prints when it starts or switches itself off",
                urcs.join(", ")
            ),
            given: shown(given),
        })
    }

    /// What the lines begin with that this module sends by itself while it runs.
    fn urcs(&self) -> Vec<&'static str> {
        let sim_urc = self.profile.quirks.sim_urc;
        let mut urcs = self.profile.dialect.urcs();
        let others = self.profile.commands().flat_map(Spec::unsolicited);
        urcs.extend(others.filter(|urc| sim_urc || *urc != "+CPIN"));
        urcs
    }
}

fn shown(given: &str) -> String {
    given.chars().take(NAME).collect()
}

/// The name that may be meant.
fn nearest<'n>(given: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
    let bare = |name: &str| {
        let name = name.trim_start_matches(|sign: char| !sign.is_alphanumeric());
        shown(name).to_ascii_uppercase()
    };
    let given = bare(given);
    let likeness = |name: &str| {
        let name = bare(name);
        // A part of the name is often taken for all of it.
        if given.len() > 2 && name.contains(&given) {
            return 0.8 + 0.2 * given.len() as f64 / name.len() as f64;
        }
        strsim::jaro_winkler(&name, &given)
    };
    // A basic command is like anything.
    let names = names.filter(|name| bare(name).len() > 2);
    let like = names.map(|name| (likeness(name), name));
    let like = like.max_by(|(one, _), (other, _)| one.total_cmp(other));
    like.filter(|(like, _)| *like >= LIKE)
        .map(|(_, name)| name.to_owned())
}

/// What may be meant, or else what there is.
pub(super) struct Instead<'n>(pub(super) Option<&'n str>, pub(super) &'n str);

impl fmt::Display for Instead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self(Some(like), _) => write!(f, ", but {like}"),
            Self(None, known) => write!(f, "; {known}"),
        }
    }
}

#[cfg(test)]
mod tests;
