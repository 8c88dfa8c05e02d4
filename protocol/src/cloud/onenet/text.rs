use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::{FrameError, Time};

/// Data points as text, such as `,;temperature,2015-03-22 22:31:12,22.5;102;pm2.5,89`: the first
/// character separates fields, the second separates points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextPoints {
    /// What separates the fields of a point, an ASCII character; `,` in all samples.
    pub field_separator: char,
    /// What separates points, another ASCII character; `;` in all samples.
    pub point_separator: char,
    /// The points, at least one.
    pub points: Vec<TextPoint>,
}

/// One point of a [`TextPoints`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextPoint {
    /// The stream that it belongs to; `None`: the platform knows by the order.
    pub stream: Option<String>,
    /// When it was measured; only with a stream.
    pub at: Option<Time>,
    /// The value as text, not empty.
    pub value: String,
}

impl TextPoint {
    /// A value of a stream.
    pub fn new(stream: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            stream: Some(stream.into()),
            at: None,
            value: value.into(),
        }
    }

    /// A value of a stream at a time.
    pub fn at(stream: impl Into<String>, time: Time, value: impl Into<String>) -> Self {
        Self {
            at: Some(time),
            ..Self::new(stream, value)
        }
    }

    /// A value whose stream the platform knows by the order.
    pub fn value(value: impl Into<String>) -> Self {
        Self {
            stream: None,
            at: None,
            value: value.into(),
        }
    }
}

impl FromIterator<TextPoint> for TextPoints {
    /// With `,` and `;`, as all samples have them.
    fn from_iter<I: IntoIterator<Item = TextPoint>>(points: I) -> Self {
        Self {
            field_separator: ',',
            point_separator: ';',
            points: points.into_iter().collect(),
        }
    }
}

impl TextPoints {
    pub(super) fn encode(&self) -> Result<String, FrameError> {
        self.check_separators()?;
        if self.points.is_empty() {
            return Err(FrameError::Empty("the list of points"));
        }
        let mut out = String::from_iter([self.field_separator, self.point_separator]);
        for (index, point) in self.points.iter().enumerate() {
            if index > 0 {
                out.push(self.point_separator);
            }
            match (&point.stream, &point.at) {
                (None, Some(_)) => return Err(FrameError::TimeWithoutName(point.value.clone())),
                (None, None) => {}
                (Some(stream), at) => {
                    self.push("the name of a stream", stream, &mut out)?;
                    out.push(self.field_separator);
                    if let Some(time) = at {
                        let text = time.to_string();
                        // It would be written, but not read again.
                        if !time.is_real() {
                            return Err(FrameError::Time(text));
                        }
                        self.push("the time", &text, &mut out)?;
                        out.push(self.field_separator);
                    }
                }
            }
            self.push("the value", &point.value, &mut out)?;
        }
        Ok(out)
    }

    fn push(&self, field: &'static str, text: &str, out: &mut String) -> Result<(), FrameError> {
        if text.is_empty() {
            return Err(FrameError::Empty(field));
        }
        for separator in [self.field_separator, self.point_separator] {
            if text.contains(separator) {
                let text = text.into();
                return Err(FrameError::Separator { text, separator });
            }
        }
        out.push_str(text);
        Ok(())
    }

    pub(super) fn decode(text: &[u8]) -> Result<Self, FrameError> {
        let text = core::str::from_utf8(text).map_err(|_| FrameError::NotUtf8)?;
        let mut characters = text.chars();
        let (Some(field_separator), Some(point_separator)) = (characters.next(), characters.next())
        else {
            return Err(FrameError::Separators);
        };
        let mut decoded = Self {
            field_separator,
            point_separator,
            points: Vec::new(),
        };
        decoded.check_separators()?;
        for (index, point) in characters.as_str().split(point_separator).enumerate() {
            let point = decoded.point(index, point)?;
            decoded.points.push(point);
        }
        Ok(decoded)
    }

    fn point(&self, index: usize, point: &str) -> Result<TextPoint, FrameError> {
        let fields: Vec<&str> = point.split(self.field_separator).collect();
        let (stream, at, value) = match fields[..] {
            [value] => (None, None, value),
            [stream, value] => (Some(stream), None, value),
            [stream, at, value] => (Some(stream), Some(Time::parse(at)?), value),
            _ => {
                let fields = fields.len();
                return Err(FrameError::Fields { index, fields });
            }
        };
        if stream == Some("") {
            return Err(FrameError::Empty("the name of a stream"));
        }
        if value.is_empty() {
            return Err(FrameError::Empty("the value"));
        }
        Ok(TextPoint {
            stream: stream.map(String::from),
            at,
            value: value.into(),
        })
    }

    fn check_separators(&self) -> Result<(), FrameError> {
        let (field, point) = (self.field_separator, self.point_separator);
        if field.is_ascii() && point.is_ascii() && field != point {
            return Ok(());
        }
        Err(FrameError::Separators)
    }
}
