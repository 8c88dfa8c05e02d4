use alloc::string::{String, ToString as _};
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::FrameError;

/// A date and time of day, as data points carry it: `2015-03-22 22:31:12`. Which zone it is in is
/// the platform's affair; its SDK writes UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    /// 0 to 9999; where a frame has two digits for it, 2000 to 2099.
    pub year: u16,
    /// 1 to 12
    pub month: u8,
    /// 1 to 31
    pub day: u8,
    /// 0 to 23
    pub hour: u8,
    /// 0 to 59
    pub minute: u8,
    /// 0 to 59
    pub second: u8,
}

impl Time {
    /// Reads `2015-03-22 22:31:12`.
    ///
    /// # Errors
    /// It is written in another way, or there is no such time.
    pub fn parse(text: &str) -> Result<Self, FrameError> {
        Self::read(text.as_bytes()).ok_or_else(|| FrameError::Time(text.to_string()))
    }

    fn read(text: &[u8]) -> Option<Self> {
        let [
            a,
            b,
            c,
            d,
            b'-',
            e,
            f,
            b'-',
            g,
            h,
            b' ',
            i,
            j,
            b':',
            k,
            l,
            b':',
            m,
            n,
        ] = text
        else {
            return None;
        };
        let two = |tens: &u8, ones: &u8| {
            (tens.is_ascii_digit() && ones.is_ascii_digit())
                .then(|| (tens - b'0') * 10 + (ones - b'0'))
        };
        let time = Self {
            year: u16::from(two(a, b)?) * 100 + u16::from(two(c, d)?),
            month: two(e, f)?,
            day: two(g, h)?,
            hour: two(i, j)?,
            minute: two(k, l)?,
            second: two(m, n)?,
        };
        time.is_real().then_some(time)
    }

    /// From the six bytes of a frame: years since 2000, month, day, hour, minute, second.
    pub(super) fn from_bytes(bytes: [u8; 6]) -> Result<Self, FrameError> {
        let [year, month, day, hour, minute, second] = bytes;
        let time = Self {
            year: 2000 + u16::from(year),
            month,
            day,
            hour,
            minute,
            second,
        };
        time.to_bytes().map(|_| time)
    }

    /// The six bytes of a frame.
    pub(super) fn to_bytes(self) -> Result<[u8; 6], FrameError> {
        let year = self.year.checked_sub(2000).filter(|year| *year < 100);
        let year = year.ok_or(FrameError::Year(self.year))?;
        if !self.is_real() {
            return Err(FrameError::Time(self.to_string()));
        }
        // Below 100.
        let year = year as u8;
        let Self {
            month,
            day,
            hour,
            minute,
            second,
            ..
        } = self;
        Ok([year, month, day, hour, minute, second])
    }

    /// Whether there is such a time, with a year of four digits.
    pub(super) fn is_real(&self) -> bool {
        let leap = self.year.is_multiple_of(4)
            && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400));
        let days = match self.month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return false,
        };
        self.year <= 9999
            && (1..=days).contains(&self.day)
            && self.hour < 24
            && self.minute < 60
            && self.second < 60
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
            self.year, self.month, self.day, self.hour, self.minute, self.second
        )
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !self.is_real() {
            return Err(serde::ser::Error::custom(FrameError::Time(
                self.to_string(),
            )));
        }
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}
