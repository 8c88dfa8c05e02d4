//! When a fault happens, in words: `after 20s every 3rd 5 times`.

use std::fmt;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use atmq_emulator::modem::Fault;

use crate::duration::{short, with_unit};

/// What may be said, for whoever has said something else.
pub(super) const FORMS: &str = "after TIME, every NTH, N times, always";

/// What may stand behind the number of a place.
const ORDINALS: [&str; 4] = ["st", "nd", "rd", "th"];

/// When a fault happens: without any of these once, at the next line that begins so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct When {
    /// Before that time it neither happens nor counts.
    after: Duration,
    /// Of so many lines, at the last.
    every: NonZeroU32,
    /// How often; `None`: until it is forgotten.
    times: Option<NonZeroU32>,
}

impl When {
    /// Reads the words, in any order. Who says which of the lines it happens to and not how often,
    /// wants it for each of them.
    ///
    /// # Errors
    /// What is wrong with the words, in one line.
    pub(super) fn read(words: &[String]) -> Result<Self, String> {
        let (mut after, mut every, mut times) = (None, None, None);
        let mut words = words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            let mut value = |what: &str| words.next().ok_or(format!("{word} what? {what}"));
            let twice = match word {
                "after" => {
                    let time = with_unit(value("a time, such as 20s")?, Duration::from_secs(1));
                    after
                        .replace(time.map_err(|error| format!("after: {error}"))?)
                        .is_some()
                }
                "every" => every.replace(ordinal(value("such as 3rd")?)?).is_some(),
                "always" | "forever" => times.replace(None).is_some(),
                "once" => times.replace(Some(NonZeroU32::MIN)).is_some(),
                number => {
                    let count = number.parse().map_err(|_| unexpected(number))?;
                    match words.next() {
                        Some("times" | "time") => times.replace(Some(count)).is_some(),
                        _ => return Err(format!("{number} what? write {number} times")),
                    }
                }
            };
            if twice {
                return Err(format!("{word} says again what was said before; {FORMS}"));
            }
        }
        Ok(Self {
            after: after.unwrap_or_default(),
            every: every.unwrap_or(NonZeroU32::MIN),
            times: times.unwrap_or(match every {
                Some(_) => None,
                None => Some(NonZeroU32::MIN),
            }),
        })
    }

    /// What may stand behind these words, by its first letters.
    pub(super) fn complete(before: &[&str]) -> &'static [&'static str] {
        match before.last() {
            Some(&"after") => &["10s"],
            Some(&"every") => &["2nd", "3rd"],
            Some(word) if word.parse::<u32>().is_ok() => &["times"],
            _ => &["after", "every", "always"],
        }
    }

    /// Of a fault that is armed, what is left of it.
    pub(super) fn left(fault: &atmq_emulator::modem::ArmedFault, now: Instant) -> Self {
        let from = fault.fault.from.unwrap_or(now);
        Self {
            after: from.saturating_duration_since(now),
            every: fault.fault.every,
            times: fault.left().and_then(NonZeroU32::new),
        }
    }

    /// The fault at these moments.
    pub(super) fn of(self, fault: Fault, now: Instant) -> Fault {
        let fault = fault.every(self.every).times(self.times);
        match now.checked_add(self.after) {
            Some(from) if !self.after.is_zero() => fault.from(from),
            _ => fault,
        }
    }

    /// Whether it is the next line, once.
    pub(super) fn is_next(self) -> bool {
        self.after.is_zero() && self.every == NonZeroU32::MIN && self.times == Some(NonZeroU32::MIN)
    }

    pub(super) fn after(self) -> Duration {
        self.after
    }

    pub(super) fn every(self) -> u32 {
        self.every.get()
    }

    pub(super) fn times(self) -> Option<u32> {
        self.times.map(NonZeroU32::get)
    }
}

/// In the words that are read; nothing for the next line, once.
impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.after.is_zero() {
            write!(f, " after {}", short(self.after))?;
        }
        let every = self.every.get();
        if every > 1 {
            let ending = match (every % 100, every % 10) {
                (11..=13, _) => "th",
                (_, 1) => "st",
                (_, 2) => "nd",
                (_, 3) => "rd",
                _ => "th",
            };
            write!(f, " every {every}{ending}")?;
        }
        match self.times.map(NonZeroU32::get) {
            None if every > 1 => Ok(()),
            None => write!(f, " always"),
            Some(1) if every == 1 => Ok(()),
            Some(1) => write!(f, " once"),
            Some(times) => write!(f, " {times} times"),
        }
    }
}

fn ordinal(text: &str) -> Result<NonZeroU32, String> {
    let ending = ORDINALS.iter().find_map(|ending| text.strip_suffix(ending));
    let number = ending.unwrap_or(text).parse();
    number.map_err(|_| format!("every {text}? write 2nd, 3rd and so on"))
}

fn unexpected(word: &str) -> String {
    match word {
        "0" => "0 times is never".to_owned(),
        word => format!(
            "unexpected {word}: what stands here says when, {FORMS}; what has a blank in it stands in quotes"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<When, String> {
        let words: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
        When::read(&words)
    }

    #[test]
    fn words_say_when_in_any_order_and_are_said_again() {
        for (text, after_ms, every, times, again) in [
            ("", 0, 1, Some(1), ""),
            ("once", 0, 1, Some(1), ""),
            ("after 20s", 20_000, 1, Some(1), " after 20s"),
            ("after 20", 20_000, 1, Some(1), " after 20s"),
            ("after 1.5s", 1_500, 1, Some(1), " after 1500ms"),
            ("after 250ms", 250, 1, Some(1), " after 250ms"),
            ("after 2m", 120_000, 1, Some(1), " after 120s"),
            ("every 3rd", 0, 3, None, " every 3rd"),
            ("every 3", 0, 3, None, " every 3rd"),
            ("every 3rd always", 0, 3, None, " every 3rd"),
            ("every 3rd once", 0, 3, Some(1), " every 3rd once"),
            ("every 1st", 0, 1, None, " always"),
            ("every 12th", 0, 12, None, " every 12th"),
            ("every 22nd 1 time", 0, 22, Some(1), " every 22nd once"),
            ("5 times", 0, 1, Some(5), " 5 times"),
            ("always", 0, 1, None, " always"),
            ("forever", 0, 1, None, " always"),
            (
                "5 times every 3rd after 20s",
                20_000,
                3,
                Some(5),
                " after 20s every 3rd 5 times",
            ),
        ] {
            let when = read(text).expect(text);
            let parts = (when.after().as_millis(), when.every(), when.times());
            assert_eq!(parts, (after_ms, every, times), "{text}");
            assert_eq!(when.to_string(), again);
            assert_eq!(read(&when.to_string()), Ok(when), "{text}");
        }
    }

    #[test]
    fn other_words_are_told_what_is_wrong() {
        for (text, words) in [
            ("after", "after what? a time, such as 20s"),
            ("after never", "after: never"),
            ("after 9y", "after: 9y"),
            ("after -1s", "after: -1s"),
            ("every", "every what? such as 3rd"),
            ("every third", "every third? write 2nd, 3rd"),
            ("every 0th", "every 0th?"),
            ("5", "5 what?"),
            ("5 minutes", "5 what?"),
            ("0 times", "0 times is never"),
            ("99999999999 times", "unexpected 99999999999"),
            ("-1 times", "unexpected -1"),
            ("sometimes", "unexpected sometimes"),
            ("always 5 times", "5 says again what was said before"),
            ("after 1s after 2s", "after says again"),
        ] {
            let wrong = read(text).expect_err(text);
            assert!(wrong.contains(words), "{text}: {wrong}");
            assert!(!wrong.contains('\n'), "{wrong}");
        }
    }
}
