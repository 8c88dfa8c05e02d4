//! How `atmq sub` prints a message: the `-F` of mosquitto_sub, and lines of JSON.

use atmq_driver::Message;
use data_encoding::{BASE64, DecodeKind, HEXLOWER, HEXLOWER_PERMISSIVE, HEXUPPER};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::visible::{json as to_line, visible};

/// What is printed for a message, piece by piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Format(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(Vec<u8>),
    Field(Field),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Topic,
    Payload,
    Hex,
    UpperHex,
    Base64,
    Length,
    MessageId,
    Json,
    Time,
    UnixTime,
}

/// What `--help` says of formats.
pub(crate) const FORMAT_HELP: &str = "\
Output format instead of payload and line feed: %t topic, %p payload, %x and %X \
payload in hexadecimal digits, %b in base64, %l its length in bytes, %m message id, %j the message \
as JSON, %I time (ISO 8601, UTC), %U seconds since 1970, %% a percent sign; \\n \\r \\t \\0 \\\\";

impl Format {
    /// The payload, behind the topic and a blank if that is wanted.
    pub(crate) fn plain(topic: bool) -> Self {
        let payload = Piece::Field(Field::Payload);
        Self(match topic {
            true => vec![
                Piece::Field(Field::Topic),
                Piece::Text(b" ".to_vec()),
                payload,
            ],
            false => vec![payload],
        })
    }

    /// An object of JSON.
    pub(crate) fn json() -> Self {
        Self(vec![Piece::Field(Field::Json)])
    }

    /// Reads what `-F` is given.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut literal = Vec::new();
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            let byte = match character {
                '%' => match characters.next() {
                    Some('%') => b'%',
                    field => {
                        pieces.push(Piece::Text(std::mem::take(&mut literal)));
                        pieces.push(Piece::Field(Field::parse(field)?));
                        continue;
                    }
                },
                '\\' => escaped(characters.next())?,
                _ => {
                    literal.extend(character.encode_utf8(&mut [0; 4]).bytes());
                    continue;
                }
            };
            literal.push(byte);
        }
        pieces.push(Piece::Text(literal));
        pieces.retain(|piece| !matches!(piece, Piece::Text(text) if text.is_empty()));
        Ok(Self(pieces))
    }

    /// The message, as it is printed. `now` is when it was received.
    pub(crate) fn print(&self, message: &Message, now: OffsetDateTime) -> Vec<u8> {
        let mut out = Vec::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Field(field) => field.print(message, now, &mut out),
            }
        }
        out
    }
}

impl Field {
    fn parse(character: Option<char>) -> Result<Self, String> {
        Ok(match character {
            Some('t') => Self::Topic,
            Some('p') => Self::Payload,
            Some('x') => Self::Hex,
            Some('X') => Self::UpperHex,
            Some('b') => Self::Base64,
            Some('l') => Self::Length,
            Some('m') => Self::MessageId,
            Some('j') => Self::Json,
            Some('I') => Self::Time,
            Some('U') => Self::UnixTime,
            Some(field @ ('q' | 'r')) => {
                return Err(format!(
                    "%{field}: a module tells neither QoS nor retain of what it receives"
                ));
            }
            Some(field) => return Err(format!("%{field} is no field")),
            None => return Err("a field is missing behind the last %".into()),
        })
    }

    fn print(self, message: &Message, now: OffsetDateTime, out: &mut Vec<u8>) {
        let Message {
            topic,
            payload,
            message_id,
            ..
        } = message;
        let text = match self {
            Self::Topic => topic.clone(),
            Self::Payload => {
                out.extend_from_slice(payload);
                return;
            }
            Self::Hex => HEXLOWER.encode(payload),
            Self::UpperHex => HEXUPPER.encode(payload),
            Self::Base64 => BASE64.encode(payload),
            Self::Length => payload.len().to_string(),
            Self::MessageId => message_id.to_string(),
            Self::Json => to_line(&object(message, now)),
            Self::Time => iso(now),
            Self::UnixTime => {
                format!("{}.{:09}", now.unix_timestamp(), now.nanosecond())
            }
        };
        out.extend_from_slice(text.as_bytes());
    }
}

/// The message as an object, valid whatever its bytes are: text where the payload is UTF-8, else
/// base64 under another name.
fn object(message: &Message, now: OffsetDateTime) -> Value {
    let payload = &message.payload;
    let (key, shown) = match std::str::from_utf8(payload) {
        Ok(text) => ("payload", text.to_owned()),
        Err(_) => ("payload_base64", BASE64.encode(payload)),
    };
    let mut object = json!({
        "event": "message",
        "time": iso(now),
        "topic": message.topic,
        "message_id": message.message_id,
        "length": payload.len(),
    });
    object[key] = shown.into();
    object
}

fn iso(now: OffsetDateTime) -> String {
    now.format(&Rfc3339).expect("the year has four digits")
}

/// The bytes that hexadecimal digits stand for; white space between them does not count.
pub(crate) fn from_hex(digits: &[u8]) -> Result<Vec<u8>, String> {
    let digits = digits.iter().copied();
    let digits: Vec<u8> = digits.filter(|byte| !byte.is_ascii_whitespace()).collect();
    HEXLOWER_PERMISSIVE
        .decode(&digits)
        .map_err(|error| match error.kind {
            DecodeKind::Length => {
                let count = digits.len();
                format!("{count} hexadecimal digits are no whole number of bytes")
            }
            _ => {
                let byte = digits.get(error.position).copied().unwrap_or_default();
                format!("`{}` is no hexadecimal digit", visible(&[byte]))
            }
        })
}

fn escaped(character: Option<char>) -> Result<u8, String> {
    match character {
        Some('n') => Ok(b'\n'),
        Some('r') => Ok(b'\r'),
        Some('t') => Ok(b'\t'),
        Some('0') => Ok(0),
        Some('\\') => Ok(b'\\'),
        Some(other) => Err(format!("\\{other} stands for nothing")),
        None => Err("a character is missing behind the last \\".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(format: &str, payload: &[u8]) -> String {
        let message = Message {
            topic: "a/b".into(),
            payload: payload.into(),
            message_id: 7,
        };
        let now = OffsetDateTime::from_unix_timestamp(1_700_000_000).expect("a time");
        let format = Format::parse(format).expect("a format");
        String::from_utf8(format.print(&message, now)).expect("text")
    }

    #[test]
    fn every_field_is_printed() {
        assert_eq!(
            printed(r"%t|%p|%x|%X|%b|%l|%m|%U|%%\t\\ü", b"\x0a+"),
            "a/b|\n+|0a2b|0A2B|Cis=|2|7|1700000000.000000000|%\t\\ü"
        );
        assert_eq!(printed("%I", b""), "2023-11-14T22:13:20Z");
    }

    #[test]
    fn json_is_valid_for_any_bytes() {
        for payload in [&b"\"\\\x00\x1f\xc3\xbc"[..], b"\xff\xfe", b""] {
            let object: Value = serde_json::from_str(&printed("%j", payload)).expect("JSON");
            let back = match object.get("payload") {
                Some(text) => text.as_str().expect("text").as_bytes().to_vec(),
                None => {
                    let text = object["payload_base64"].as_str().expect("text");
                    BASE64.decode(text.as_bytes()).expect("base64")
                }
            };
            assert_eq!(back, payload);
            assert_eq!(object["length"], payload.len());
        }
    }

    #[test]
    fn what_is_no_format_is_refused() {
        for (format, complaint) in [
            ("%", "behind the last %"),
            ("%z", "%z is no field"),
            ("%q", "neither QoS"),
            ("\\", "behind the last \\"),
            ("\\x", "\\x stands for nothing"),
        ] {
            let told = Format::parse(format).expect_err("it is wrong");
            assert!(told.contains(complaint), "{told}");
        }
    }

    #[test]
    fn hexadecimal_digits_are_read() {
        assert_eq!(from_hex(b"00 fF\n"), Ok(vec![0, 255]));
        assert_eq!(from_hex(b""), Ok(Vec::new()));
        assert!(from_hex(b"0").is_err_and(|error| error.contains("1 hexadecimal digits")));
        assert!(from_hex(b"0g").is_err_and(|error| error.contains("`g`")));
    }
}
