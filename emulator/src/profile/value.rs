//! Single values of the TOML file of a profile: numbers within bounds, times, words.

use std::fmt;
use std::time::Duration;

use atmq_protocol::Secret;
use atmq_protocol::at::framing::DataEnd;
use atmq_protocol::commands::{self, VENDOR_SETS, VendorSet};
use atmq_protocol::dialect;
use atmq_protocol::mqtt::SignMethod;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, Unexpected, Visitor};

/// A number from `MIN` to `MAX`.
pub(super) fn between<'de, const MIN: i64, const MAX: i64, T, D>(
    deserializer: D,
) -> Result<T, D::Error>
where
    T: TryFrom<i64>,
    D: Deserializer<'de>,
{
    within(deserializer, MIN, MAX)
}

/// A number from the first to the second.
pub(super) fn within<'de, T: TryFrom<i64>, D: Deserializer<'de>>(
    deserializer: D,
    min: i64,
    max: i64,
) -> Result<T, D::Error> {
    number(
        deserializer,
        |n| (min..=max).contains(&n),
        || format!("a number from {min} to {max}"),
    )
}

/// A number from 0 to `MAX`, or 99, by which 27.007 says that it is not known.
pub(super) fn up_to_or_99<'de, const MAX: i64, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<u8, D::Error> {
    number(
        deserializer,
        |n| (0..=MAX).contains(&n) || n == 99,
        || format!("a number from 0 to {MAX}, or 99 for not known"),
    )
}

fn number<'de, T: TryFrom<i64>, D: Deserializer<'de>>(
    deserializer: D,
    fits: impl Fn(i64) -> bool,
    expected: impl Fn() -> String,
) -> Result<T, D::Error> {
    let number = deserializer.deserialize_i64(Number(&expected))?;
    let value = T::try_from(number).ok().filter(|_| fits(number));
    value.ok_or_else(|| D::Error::invalid_value(Unexpected::Signed(number), &expected().as_str()))
}

/// Any integer; says what is expected where there is something else.
struct Number<F>(F);

impl<F: Fn() -> String> Visitor<'_> for Number<F> {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0())
    }

    fn visit_i64<E>(self, number: i64) -> Result<i64, E> {
        Ok(number)
    }
}

/// A string of exactly `LENGTH` digits.
pub(super) fn digits<'de, const LENGTH: usize, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if is_digits(&text, LENGTH, LENGTH) {
        return Ok(text);
    }
    Err(D::Error::custom(format!(
        "\"{text}\" must be {LENGTH} digits"
    )))
}

/// A string of `MIN` to `MAX` digits that is not shown.
pub(super) fn secret<'de, const MIN: usize, const MAX: usize, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Secret<'static>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if is_digits(&text, MIN, MAX) {
        return Ok(Secret::from(text));
    }
    Err(D::Error::custom(match MIN == MAX {
        true => format!("it must be {MAX} digits"),
        false => format!("it must be {MIN} to {MAX} digits"),
    }))
}

/// The number of an operator: country code, three digits, and network code, two or three.
pub(crate) fn operator_number<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    match is_digits(&text, 5, 6) {
        true => Ok(text),
        false => Err(D::Error::custom(format!(
            "\"{text}\" must be 5 to 6 digits"
        ))),
    }
}

fn is_digits(text: &str, min: usize, max: usize) -> bool {
    (min..=max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What stands for a value in a line of `information`.
pub(super) const PLACES: [&str; 4] = ["{manufacturer}", "{model}", "{revision}", "{imei}"];

/// Lines in which a word in braces is one of [`PLACES`].
pub(super) fn information<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<String>, D::Error> {
    let lines = Vec::<String>::deserialize(deserializer)?;
    for line in &lines {
        for (at, _) in line.match_indices('{') {
            let rest = &line[at..];
            let Some(end) = rest.find('}') else { continue };
            let place = &rest[..=end];
            let is_word = place[1..end]
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if is_word && !PLACES.contains(&place) {
                return Err(D::Error::custom(format!(
                    "{place} stands for nothing, known are {}",
                    PLACES.join(", ")
                )));
            }
        }
    }
    Ok(lines)
}

#[derive(Deserialize)]
#[serde(remote = "DataEnd", rename_all = "kebab-case")]
pub(super) enum PromptEndName {
    Length,
    ControlCharacters,
}

/// As Alibaba Cloud calls them.
#[derive(Deserialize)]
#[serde(remote = "SignMethod", rename_all = "lowercase")]
pub(super) enum SignMethodName {
    HmacMd5,
    HmacSha1,
    HmacSha256,
}

/// The name of a command, as it is typed behind `AT`: an extended one with its sign, or a basic one.
#[derive(PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct CommandName(pub(super) String);

impl TryFrom<String> for CommandName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let mut dialects = dialect::ALL.into_iter();
        let known = dialects.any(|dialect| dialect.owns(name.as_bytes()));
        if !known && commands::find(name.as_bytes()).is_none() {
            return Err(format!(
                "the module has no command `{name}`: write its name as `+CSQ`"
            ));
        }
        Ok(Self(name.to_ascii_uppercase()))
    }
}

/// A vendor set, by its name.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct VendorSetName(pub(super) &'static VendorSet);

impl VendorSetName {
    /// Those of a module of which nothing is said.
    pub(super) fn all() -> Vec<Self> {
        VENDOR_SETS.into_iter().map(Self).collect()
    }
}

impl TryFrom<String> for VendorSetName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let mut sets = VENDOR_SETS.into_iter();
        let found = sets.find(|set| set.name.eq_ignore_ascii_case(&name));
        let names = || VENDOR_SETS.map(|set| set.name).join("`, `");
        found
            .map(Self)
            .ok_or_else(|| format!("there is no vendor set `{name}`, known are `{}`", names()))
    }
}

/// From and to, at most ten minutes.
#[derive(Deserialize)]
#[serde(try_from = "Range")]
pub(super) struct Milliseconds(u64, u64);

/// Ten minutes.
const LONGEST: i64 = 600_000;

#[derive(Deserialize)]
#[serde(expecting = "two numbers of milliseconds, such as [5, 9]")]
struct Range(
    #[serde(deserialize_with = "between::<0, LONGEST, _, _>")] u64,
    #[serde(deserialize_with = "between::<0, LONGEST, _, _>")] u64,
);

impl TryFrom<Range> for Milliseconds {
    type Error = String;

    fn try_from(Range(from, to): Range) -> Result<Self, String> {
        if from > to {
            return Err(format!(
                "{from} to {to} is no range: it ends before it begins"
            ));
        }
        Ok(Self(from, to))
    }
}

impl From<Milliseconds> for (Duration, Duration) {
    fn from(Milliseconds(from, to): Milliseconds) -> Self {
        (Duration::from_millis(from), Duration::from_millis(to))
    }
}
