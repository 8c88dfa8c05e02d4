//! Comma-separated parameters, as they stand behind `=` in a command and behind `: ` in a
//! response.
//!
//! The modules know no escaping: a quoted string may hold commas and quotes, and ends at the
//! first quote that is followed by a comma or by the end of the list. A field for which that is
//! not enough, the inline payload of a publish, carries its length: [`Parameters::rest`] hands it
//! over uncut, and [`counted`] checks it.

use alloc::vec::Vec;

use nom::branch::alt;
use nom::bytes::complete::{take, take_while};
use nom::character::complete::char;
use nom::combinator::{map, opt};
use nom::sequence::{pair, terminated};
use nom::{IResult, Parser};
use thiserror::Error;

/// One parameter, not yet interpreted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameter<'a> {
    /// Nothing stands between two commas.
    Omitted,
    /// Written without quotes: an integer, a key, a raw payload.
    Bare(&'a [u8]),
    /// Written between quotes, which are not part of the value.
    Quoted(&'a [u8]),
}

impl<'a> Parameter<'a> {
    /// The bytes of the value; none for an omitted one.
    pub fn bytes(self) -> &'a [u8] {
        match self {
            Self::Omitted => &[],
            Self::Bare(bytes) | Self::Quoted(bytes) => bytes,
        }
    }
}

/// What is wrong with a parameter.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParameterError {
    /// A parameter that the command needs is not there.
    #[error("{name} is missing")]
    Missing {
        /// The parameter, as the manual names it.
        name: &'static str,
    },
    /// An integer was expected.
    #[error("{name} is not a number")]
    NotANumber {
        /// The parameter, as the manual names it.
        name: &'static str,
    },
    /// The integer is outside of what the command allows.
    #[error("{name} is {value}, outside {min} to {max}")]
    OutOfRange {
        /// The parameter, as the manual names it.
        name: &'static str,
        /// What was given.
        value: i64,
        /// The smallest value allowed.
        min: i64,
        /// The largest value allowed.
        max: i64,
    },
    /// The text is longer than the command allows.
    #[error("{name} has {length} bytes, the limit is {max}")]
    TooLong {
        /// The parameter, as the manual names it.
        name: &'static str,
        /// Bytes given.
        length: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// The text is not UTF-8, which MQTT demands of its strings.
    #[error("{name} is not valid UTF-8")]
    NotUtf8 {
        /// The parameter, as the manual names it.
        name: &'static str,
    },
    /// The text is empty where MQTT or the command forbids it.
    #[error("{name} is empty")]
    Empty {
        /// The parameter, as the manual names it.
        name: &'static str,
    },
    /// Not one of the words the command knows, or not well-formed.
    #[error("{name} is not a value this command knows")]
    Unknown {
        /// The parameter, as the manual names it.
        name: &'static str,
    },
    /// A string that is opened by a quote is not closed by one.
    #[error("{name} begins with a quote and does not end with one")]
    Unterminated {
        /// The parameter, as the manual names it.
        name: &'static str,
    },
    /// The payload does not have the length that was announced.
    #[error("the payload has {found} bytes, {announced} were announced")]
    LengthMismatch {
        /// The `<msglen>` parameter.
        announced: usize,
        /// Bytes that came.
        found: usize,
    },
    /// More parameters than the command takes.
    #[error("there are more parameters than the command takes")]
    TooMany,
}

/// Reads parameters one after another and checks each against its limits.
#[derive(Debug, Clone)]
pub struct Parameters<'a> {
    // `None` once the last parameter has been read: an empty rest is still an omitted parameter.
    rest: Option<&'a [u8]>,
}

impl<'a> Parameters<'a> {
    /// Over the bytes behind `=` or `: `. No bytes at all are no parameters.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: (!bytes.is_empty()).then_some(bytes),
        }
    }

    /// Whether every parameter has been read.
    pub fn is_empty(&self) -> bool {
        self.rest.is_none()
    }

    /// Everything not yet read, commas and quotes included; `None` at the end of the list.
    pub fn rest(&mut self) -> Option<&'a [u8]> {
        self.rest.take()
    }

    /// Errors unless every parameter has been read.
    pub fn end(&self) -> Result<(), ParameterError> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(ParameterError::TooMany)
        }
    }

    /// The next parameter's bytes; an omitted one is missing.
    pub fn required(&mut self, name: &'static str) -> Result<&'a [u8], ParameterError> {
        match self.next() {
            None | Some(Parameter::Omitted) => Err(ParameterError::Missing { name }),
            Some(parameter) => Ok(parameter.bytes()),
        }
    }

    /// The next parameter as an integer between `min` and `max`.
    pub fn integer<T: TryFrom<i64>>(
        &mut self,
        name: &'static str,
        min: i64,
        max: i64,
    ) -> Result<T, ParameterError> {
        let bytes = self.required(name)?;
        let value = integer(bytes).ok_or(ParameterError::NotANumber { name })?;
        let out_of_range = ParameterError::OutOfRange {
            name,
            value,
            min,
            max,
        };
        if value < min || value > max {
            return Err(out_of_range);
        }
        T::try_from(value).map_err(|_| out_of_range)
    }

    /// The next parameter as an integer, or `None` if it is omitted or the list has ended.
    pub fn optional_integer<T: TryFrom<i64>>(
        &mut self,
        name: &'static str,
        min: i64,
        max: i64,
    ) -> Result<Option<T>, ParameterError> {
        if self.skip_omitted() {
            return Ok(None);
        }
        self.integer(name, min, max).map(Some)
    }

    /// The next parameter as a switch: 0 is off, 1 is on.
    pub fn flag(&mut self, name: &'static str) -> Result<bool, ParameterError> {
        Ok(self.integer::<u8>(name, 0, 1)? == 1)
    }

    /// The next parameter as UTF-8 text of at most `max` bytes; `""` is empty text.
    pub fn text(&mut self, name: &'static str, max: usize) -> Result<&'a str, ParameterError> {
        let mut ahead = self.clone();
        if let Some(Parameter::Bare([b'"', ..])) = ahead.next() {
            return Err(ParameterError::Unterminated { name });
        }
        let bytes = self.required(name)?;
        if bytes.len() > max {
            return Err(ParameterError::TooLong {
                name,
                length: bytes.len(),
                max,
            });
        }
        core::str::from_utf8(bytes).map_err(|_| ParameterError::NotUtf8 { name })
    }

    /// The next parameter as text, or `None` if it is omitted or the list has ended.
    pub fn optional_text(
        &mut self,
        name: &'static str,
        max: usize,
    ) -> Result<Option<&'a str>, ParameterError> {
        if self.skip_omitted() {
            return Ok(None);
        }
        self.text(name, max).map(Some)
    }

    /// Passes over a parameter that is omitted; whether there was none to read.
    pub(crate) fn skip_omitted(&mut self) -> bool {
        let mut ahead = self.clone();
        match ahead.next() {
            None => true,
            Some(Parameter::Omitted) => {
                *self = ahead;
                true
            }
            Some(_) => false,
        }
    }
}

impl<'a> Iterator for Parameters<'a> {
    type Item = Parameter<'a>;

    fn next(&mut self) -> Option<Parameter<'a>> {
        let input = self.rest?;
        // `bare` takes any bytes up to the comma, so one of the two always matches.
        let (rest, (parameter, comma)) = pair(alt((quoted, bare)), opt(char(',')))
            .parse(input)
            .ok()?;
        self.rest = comma.map(|_| rest);
        Some(parameter)
    }
}

/// The value of the last parameter, whose length in bytes another one has announced: what stands
/// between the quotes around it, whatever quotes and commas that holds, or all of it where it does
/// not begin with a quote. Blanks around the quotes are passed over, as with every parameter.
///
/// # Errors
/// The quotes around it are no pair, or what they hold has another length.
pub fn counted<'a>(
    name: &'static str,
    rest: &'a [u8],
    announced: usize,
) -> Result<&'a [u8], ParameterError> {
    let value = match rest.trim_ascii() {
        [b'"', value @ .., b'"'] => value,
        [b'"', ..] => return Err(ParameterError::Unterminated { name }),
        _ => rest,
    };
    let found = value.len();
    if found != announced {
        return Err(ParameterError::LengthMismatch { announced, found });
    }
    Ok(value)
}

/// A decimal integer with an optional sign, and nothing else.
pub fn integer(bytes: &[u8]) -> Option<i64> {
    let (sign, digits) = match bytes {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] => (1, digits),
        digits => (1, digits),
    };
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0i64, |value, digit| {
        let digit = char::from(*digit).to_digit(10)?;
        value.checked_mul(10)?.checked_add(sign * i64::from(digit))
    })
}

/// Two hexadecimal digits a byte, in either case; `None` if it is anything else.
pub fn decode_hex(digits: &[u8]) -> Option<Vec<u8>> {
    let nibble = |digit: u8| char::from(digit).to_digit(16);
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits
        .chunks_exact(2)
        .map(|pair| Some((nibble(pair[0])? << 4 | nibble(pair[1])?) as u8))
        .collect()
}

/// Appends two upper-case hexadecimal digits a byte.
pub fn encode_hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

fn quoted(input: &[u8]) -> IResult<&[u8], Parameter<'_>> {
    let (body, _) = (take_while(is_blank), char('"')).parse(input)?;
    for (at, _) in body.iter().enumerate().filter(|(_, byte)| **byte == b'"') {
        let blanks = body[at + 1..].iter().take_while(|byte| is_blank(**byte));
        let next = at + 1 + blanks.count();
        if matches!(body.get(next), None | Some(b',')) {
            return map(terminated(take(at), take(next - at)), Parameter::Quoted).parse(body);
        }
    }
    Err(nom::Err::Error(nom::error::Error::new(
        input,
        nom::error::ErrorKind::Char,
    )))
}

fn bare(input: &[u8]) -> IResult<&[u8], Parameter<'_>> {
    map(
        take_while(|byte| byte != b','),
        |token: &[u8]| match token.trim_ascii() {
            [] => Parameter::Omitted,
            token => Parameter::Bare(token),
        },
    )
    .parse(input)
}

/// Writes parameters one after another, with the commas between them.
#[derive(Debug)]
pub struct ParameterWriter<'a> {
    out: &'a mut Vec<u8>,
    started: bool,
}

impl<'a> ParameterWriter<'a> {
    /// Appends to `out`, behind whatever introduces the list.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self {
            out,
            started: false,
        }
    }

    /// An integer.
    pub fn integer(&mut self, value: impl Into<i64>) -> &mut Self {
        self.comma();
        let value: i64 = value.into();
        if value < 0 {
            self.out.push(b'-');
        }
        let mut digits = [0; 20];
        let mut at = digits.len();
        let mut rest = value.unsigned_abs();
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.out.extend_from_slice(&digits[at..]);
        self
    }

    /// An integer, unless there is none.
    pub fn optional_integer(&mut self, value: Option<impl Into<i64>>) -> &mut Self {
        if let Some(value) = value {
            self.integer(value);
        }
        self
    }

    /// A switch: 0 or 1.
    pub fn flag(&mut self, on: bool) -> &mut Self {
        self.integer(on)
    }

    /// Bytes between quotes, unchanged: the caller has checked that they can stand there.
    pub fn quoted(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.comma();
        self.out.push(b'"');
        self.out.extend_from_slice(bytes.as_ref());
        self.out.push(b'"');
        self
    }

    /// Bytes without quotes, unchanged.
    pub fn bare(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.comma();
        self.out.extend_from_slice(bytes.as_ref());
        self
    }

    fn comma(&mut self) {
        if self.started {
            self.out.push(b',');
        }
        self.started = true;
    }
}

#[cfg(test)]
mod tests;
