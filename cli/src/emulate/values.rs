//! The values behind the words: numbers within bounds, times, bytes, and what is said of those that
//! are none.

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::words::{Bytes, NetworkTime};
use crate::duration::with_unit;

/// The highest identity of a cell.
pub(super) const CELL_MAX: i64 = (1 << 28) - 1;

/// A number from `MIN` to `MAX`.
pub(super) fn whole<const MIN: i64, const MAX: i64, T: TryFrom<i64>>(
    text: &str,
) -> Result<T, String> {
    let number = text.parse().ok().filter(|n| (MIN..=MAX).contains(n));
    let number = number.and_then(|number| T::try_from(number).ok());
    number.ok_or_else(|| format!("a whole number from {MIN} to {MAX}"))
}

/// The number of a connection: the module knows which there are.
pub(super) fn connection(text: &str) -> Result<u8, String> {
    whole::<0, 255, u8>(text)
}

/// How many messages.
pub(super) fn messages(text: &str) -> Result<u64, String> {
    let number = text.parse();
    number.map_err(|_| "a whole number of messages, from 0 on".to_owned())
}

/// A number up to `MAX`, or 99, by which 27.007 says that it is not known.
pub(super) fn number<const MAX: u8>(text: &str) -> Result<u8, String> {
    match text.parse() {
        Ok(number) if number <= MAX || number == 99 => Ok(number),
        _ => Err(format!("a number from 0 to {MAX}, or 99 for not known")),
    }
}

pub(super) fn digits<const MIN: usize, const MAX: usize>(text: &str) -> Result<String, String> {
    if (MIN..=MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    Err(if MIN == MAX {
        format!("{MAX} digits")
    } else {
        format!("{MIN} to {MAX} digits")
    })
}

pub(super) fn operator_number(text: &str) -> Result<String, String> {
    digits::<5, 6>(text)
}

pub(super) fn network_time(text: &str) -> Result<NetworkTime, String> {
    if text == "now" {
        return Ok(NetworkTime::Now);
    }
    if let Ok(seconds) = text.parse() {
        return Ok(NetworkTime::Seconds(seconds));
    }
    OffsetDateTime::parse(text, &Rfc3339)
        .map(NetworkTime::At)
        .map_err(|_| "now, seconds since 1970, or a time such as 2026-11-21T09:05:07+08:00".into())
}

/// The longest delay. Ours: more than any host waits.
const LONGEST_DELAY_MS: u64 = 600_000;

pub(super) fn milliseconds(text: &str) -> Result<Duration, String> {
    match with_unit(text, Duration::from_millis(1)) {
        Ok(by) if by <= Duration::from_millis(LONGEST_DELAY_MS) => Ok(by),
        _ => Err(format!(
            "milliseconds, up to {LONGEST_DELAY_MS}, or a time such as 5s"
        )),
    }
}

/// The longest wait. Ours: more than any test takes.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn patience(text: &str) -> Result<Duration, String> {
    match with_unit(text, Duration::from_secs(1))? {
        time if time <= LONGEST_WAIT => Ok(time),
        _ => Err(format!("{text} is more than a day")),
    }
}

/// The beginning of a command, or of a URC: the module knows which there are.
pub(super) fn beginning(text: &str) -> Result<String, String> {
    match text.bytes().any(|byte| byte.is_ascii_control()) {
        true => Err("no command and no URC has control characters in it".to_owned()),
        false => Ok(text.to_owned()),
    }
}

pub(super) fn bytes(text: &str) -> Result<Bytes, String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        let wrong = "after \\ comes r, n, \\ or x and two digits";
        let (kind, tail) = rest.split_first().ok_or(wrong)?;
        rest = tail;
        bytes.push(match kind {
            b'r' => b'\r',
            b'n' => b'\n',
            b'\\' => b'\\',
            b'x' => {
                let (digits, tail) = rest.split_at_checked(2).ok_or(wrong)?;
                rest = tail;
                let digits = std::str::from_utf8(digits).map_err(|_| wrong)?;
                u8::from_str_radix(digits, 16).map_err(|_| wrong)?
            }
            _ => return Err(wrong.to_owned()),
        });
    }
    match bytes.is_empty() {
        true => Err("there is nothing to say; an empty line is --raw '\\r\\n'".to_owned()),
        false => Ok(Bytes(bytes)),
    }
}
