use alloc::string::String;
use alloc::vec::Vec;

use serde_json::{Deserializer, Value};
use thiserror::Error;

/// How a frame of data points is laid out, by its number (seen in the platform's SDK).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataType {
    /// 1: JSON with every detail.
    Json = 1,
    /// 2: bytes, described by JSON.
    Binary = 2,
    /// 3: JSON of names and values.
    Simple = 3,
    /// 4: the same with a time for each value.
    SimpleWithTime = 4,
    /// 5: text with separators.
    Text = 5,
    /// 6: the same, and perhaps one time for all.
    TextWithTime = 6,
    /// 7: numbers of four bytes.
    Floats = 7,
}

impl DataType {
    /// All of them, in order.
    pub const ALL: [Self; 7] = [
        Self::Json,
        Self::Binary,
        Self::Simple,
        Self::SimpleWithTime,
        Self::Text,
        Self::TextWithTime,
        Self::Floats,
    ];

    /// From the number; `None` if it is none of 1 to 7.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|data_type| *data_type as u8 == number)
    }
}

/// Why data points cannot be written as a frame, or a frame cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FrameError {
    /// No frame begins like this.
    #[error("there is no frame of type {0:#04x}")]
    DataType(u8),
    /// The frame is cut short.
    #[error("the frame ends {missing} bytes early")]
    Truncated {
        /// Bytes missing of the part that is cut short.
        missing: usize,
    },
    /// There is something behind the frame.
    #[error("{length} bytes stand behind the frame")]
    Trailing {
        /// Bytes behind it.
        length: usize,
    },
    /// A part is longer than the frame can tell.
    #[error("{field} has a length of {length}, a frame can carry at most {max}")]
    TooLong {
        /// The part.
        field: &'static str,
        /// Its length.
        length: usize,
        /// The largest length.
        max: usize,
    },
    /// A part must not be empty.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// The JSON is not what this type of frame holds.
    #[error("the JSON of the data points does not fit: {0}")]
    Json(String),
    /// The text is not UTF-8.
    #[error("the text of the frame is not UTF-8")]
    NotUtf8,
    /// There is no such time, or it is written in another way.
    #[error("`{0}` is no time as in 2015-03-22 22:31:12")]
    Time(String),
    /// The time before a frame has two digits for the year.
    #[error("the year {0} cannot stand before a frame, 2000 to 2099 can")]
    Year(u16),
    /// The separators of a text are not two different ASCII characters.
    #[error("a text needs two different ASCII characters as separators")]
    Separators,
    /// A part of a text would be taken apart.
    #[error("`{text}` holds the separator {separator:?}")]
    Separator {
        /// The part.
        text: String,
        /// The separator.
        separator: char,
    },
    /// A point of a text has more than name, time and value.
    #[error("point {index} of the text has {fields} fields, at most 3 are known")]
    Fields {
        /// Which point, from 0.
        index: usize,
        /// How many fields it has.
        fields: usize,
    },
    /// In a text only a point with a name can have a time.
    #[error("the point with the value `{0}` has a time but no name")]
    TimeWithoutName(String),
}

/// Puts the frame around a payload that is already written, as EigenComm's module does for its
/// host (reference `ecmt.md`, "OneNET helper").
///
/// | type | payload | frame |
/// |---|---|---|
/// | 1, 3, 4 | any JSON | type, length of two bytes (read in ECMT source) |
/// | 2 | JSON with `ds_id`, then the data | the same, and a length of four bytes before the data |
/// | 5, 6 | text | as 1 (inferred from the platform's layout) |
/// | 7 | the frame itself | none |
///
/// # Errors
/// The payload is not what its type says, or is longer than 65,535 bytes, data aside.
pub fn frame(data_type: DataType, payload: &[u8]) -> Result<Vec<u8>, FrameError> {
    let mut out = Vec::with_capacity(payload.len() + 7);
    match data_type {
        DataType::Json | DataType::Simple | DataType::SimpleWithTime => {
            serde_json::from_slice::<Value>(payload).map_err(json)?;
            push_counted(data_type as u8, payload, &mut out)?;
        }
        DataType::Binary => {
            let mut values = Deserializer::from_slice(payload).into_iter::<Value>();
            let description = values.next().ok_or(FrameError::Empty("the payload"))?;
            if description.map_err(json)?.get("ds_id").is_none() {
                return Err(FrameError::Json("missing field `ds_id`".into()));
            }
            let (description, data) = payload.split_at(values.byte_offset());
            push_counted(data_type as u8, description, &mut out)?;
            push_data(data, &mut out)?;
        }
        DataType::Text | DataType::TextWithTime => {
            push_counted(data_type as u8, payload, &mut out)?;
        }
        DataType::Floats => out.extend_from_slice(payload),
    }
    Ok(out)
}

/// First byte, length of two bytes, text.
pub(super) fn push_counted(first: u8, text: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
    out.push(first);
    push_text(text, out)
}

/// Length of two bytes, text.
pub(super) fn push_text(text: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
    let length = short("the text of the data points", text.len())?;
    out.extend(length.to_be_bytes());
    out.extend_from_slice(text);
    Ok(())
}

/// Length of four bytes, data.
pub(super) fn push_data(data: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
    let length = u32::try_from(data.len()).map_err(|_| FrameError::TooLong {
        field: "the data",
        length: data.len(),
        max: u32::MAX as usize,
    })?;
    out.extend(length.to_be_bytes());
    out.extend_from_slice(data);
    Ok(())
}

/// A length that two bytes hold.
pub(super) fn short(field: &'static str, length: usize) -> Result<u16, FrameError> {
    u16::try_from(length).map_err(|_| FrameError::TooLong {
        field,
        length,
        max: u16::MAX.into(),
    })
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "the shape that `map_err` wants"
)]
pub(super) fn json(error: serde_json::Error) -> FrameError {
    FrameError::Json(alloc::format!("{error}"))
}

/// What is left of a frame that is being read.
pub(super) struct Rest<'a>(pub(super) &'a [u8]);

impl<'a> Rest<'a> {
    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], FrameError> {
        let (taken, rest) =
            self.0
                .split_at_checked(length)
                .ok_or_else(|| FrameError::Truncated {
                    missing: length - self.0.len(),
                })?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], FrameError> {
        let taken = self.take(N)?;
        Ok(taken.try_into().expect("so many bytes were taken"))
    }

    pub(super) fn short(&mut self) -> Result<u16, FrameError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    /// A text behind its length.
    pub(super) fn text(&mut self) -> Result<&'a [u8], FrameError> {
        let length = self.short()?;
        self.take(length.into())
    }

    pub(super) fn end(&self) -> Result<(), FrameError> {
        match self.0.len() {
            0 => Ok(()),
            length => Err(FrameError::Trailing { length }),
        }
    }
}
