use core::fmt;
use core::time::Duration;

/// The module's clock: local time and its distance from UTC.
///
/// Before the network has told it the time, a module shows what its firmware begins with, such as the
/// first day of 1970, 1980, 2000 or 2020: see [`is_set`](Self::is_set).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// 1970 to 2069. Of two digits, 70 to 99 are of the last century, as a clock that is not set has
    /// them.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 60.
    pub second: u8,
    /// Quarters of an hour east of UTC, -96 to 96; `None` from a module that shows no time zone, which
    /// 27.007 section 8.15 allows.
    pub zone: Option<i8>,
}

impl Clock {
    /// The first year that a clock can rightly show: this crate is not older. Ours.
    pub const FIRST_YEAR: u16 = 2024;

    /// Reads `yy/MM/dd,hh:mm:ss[±zz]` (27.007 section 8.15), `None` if it is none.
    ///
    /// Also what other firmware shows, as host code for it has it (its meaning is inferred): four
    /// digits for the year, one digit where there is nothing before it, and the time zone in hours
    /// behind `GMT`, `2019/1/18,4:9:3GMT+8`. Behind `GMT`, what is too much for hours is quarters of an
    /// hour.
    pub fn decode(text: &str) -> Option<Self> {
        let (time, zone) = match text.rfind(['+', '-']) {
            Some(sign) => text.split_at(sign),
            None => (text, ""),
        };
        let (time, in_hours) = match time.strip_suffix("GMT") {
            Some(time) => (time, true),
            None => (time, false),
        };
        let zone = match zone {
            "" if in_hours => Some(0),
            "" => None,
            zone => Some(zone.parse().ok()?),
        };
        let zone = match zone {
            Some(hours @ -12..=14) if in_hours => Some(hours * 4),
            zone => zone,
        };
        let mut fields = time.split(['/', ',', ':']);
        let mut field = || {
            let digits = fields.next()?.trim();
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| digits.parse::<u16>().ok())?
        };
        let year = match field()? {
            year @ 0..70 => 2000 + year,
            year @ 70..100 => 1900 + year,
            year @ 1970..2070 => year,
            _ => return None,
        };
        let mut field = || field().and_then(|field| u8::try_from(field).ok());
        let clock = Self {
            year,
            month: field()?,
            day: field()?,
            hour: field()?,
            minute: field()?,
            second: field()?,
            zone,
        };
        fields.next().is_none().then_some(clock)
    }

    /// Whether somebody has set the clock, as far as one can see: it shows no time before
    /// [`FIRST_YEAR`](Self::FIRST_YEAR).
    pub fn is_set(self) -> bool {
        self.year >= Self::FIRST_YEAR
    }

    /// The time that the clock shows, in UTC, since the beginning of 1970; `None` if the clock is not
    /// [set](Self::is_set) or shows what is no time. Without a time zone it is taken for UTC. Add it to
    /// `SystemTime::UNIX_EPOCH` for the system's own type.
    pub fn since_epoch(self) -> Option<Duration> {
        if !self.is_set() {
            return None;
        }
        let zone = self.zone.unwrap_or(0);
        // Every fourth year from 1970 to 2099 has one more day.
        let leap = self.year.is_multiple_of(4);
        let lengths = [
            31,
            if leap { 29 } else { 28 },
            31,
            30,
            31,
            30,
            31,
            31,
            30,
            31,
            30,
            31,
        ];
        let month = usize::from(self.month).checked_sub(1)?;
        let length = *lengths.get(month)?;
        let valid = self.year < 2100
            && (1..=length).contains(&u32::from(self.day))
            && self.hour <= 23
            && self.minute <= 59
            && self.second <= 60
            && zone.unsigned_abs() <= 96;
        if !valid {
            return None;
        }
        let years = u32::from(self.year - 2000);
        let days = DAYS_TO_2000
            + years * 365
            + years.div_ceil(4)
            + lengths[..month].iter().sum::<u32>()
            + u32::from(self.day)
            - 1;
        let minutes = (u64::from(days) * 24 + u64::from(self.hour)) * 60 + u64::from(self.minute);
        let local = minutes * 60 + u64::from(self.second);
        let utc = local.checked_add_signed(i64::from(zone) * -15 * 60)?;
        Some(Duration::from_secs(utc))
    }
}

/// From the beginning of 1970 to that of 2000: thirty years, seven of them leap years.
const DAYS_TO_2000: u32 = 30 * 365 + 7;

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
            zone,
        } = self;
        // Two digits are all that the form has.
        let year = year % 100;
        write!(
            f,
            "{year:02}/{month:02}/{day:02},{hour:02}:{minute:02}:{second:02}"
        )?;
        zone.map_or(Ok(()), |zone| write!(f, "{zone:+03}"))
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    /// The numbers are from `date --utc --date … +%s`.
    #[test]
    fn the_time_is_told_in_utc() {
        for (text, seconds) in [
            ("26/11/21,09:05:07+32", Some(1_795_223_107)),
            ("26/11/21,01:05:07+00", Some(1_795_223_107)),
            ("26/11/20,20:05:07-20", Some(1_795_223_107)),
            // No time zone: taken for UTC.
            ("26/11/21,01:05:07", Some(1_795_223_107)),
            // Four digits, no zeros in front, hours behind GMT.
            ("2026/11/21,9:5:7GMT+8", Some(1_795_223_107)),
            ("26/11/20,20:05:07GMT-5", Some(1_795_223_107)),
            ("26/11/21,01:05:07GMT", Some(1_795_223_107)),
            ("2026/11/21,09:05:07+32", Some(1_795_223_107)),
            // Nowhere are 32 hours.
            ("26/11/21,09:05:07GMT+32", Some(1_795_223_107)),
            ("24/02/29,23:59:59+00", Some(1_709_251_199)),
            ("24/03/01,00:00:00+00", Some(1_709_251_200)),
            ("69/12/31,23:59:59+00", Some(3_155_759_999)),
            ("27/02/29,00:00:00+00", None),
            ("26/13/01,00:00:00+00", None),
            ("26/00/01,00:00:00+00", None),
            ("26/01/00,00:00:00+00", None),
            ("26/01/01,24:00:00+00", None),
            ("26/01/01,00:00:00+97", None),
        ] {
            let clock = Clock::decode(text).expect(text);
            assert_eq!(
                clock.since_epoch(),
                seconds.map(Duration::from_secs),
                "{text}"
            );
        }
    }

    #[test]
    fn a_clock_that_is_not_set_shows_no_time_of_2070() {
        for (text, year) in [
            ("70/01/01,00:00:12+00", 1970),
            ("80/01/06,00:00:12+00", 1980),
            ("1980/1/6,0:0:12GMT+0", 1980),
            ("99/12/31,23:59:59+00", 1999),
            ("00/01/01,00:00:00+00", 2000),
            ("20/01/01,00:00:00+00", 2020),
        ] {
            let clock = Clock::decode(text).expect(text);
            assert_eq!(clock.year, year, "{text}");
            assert!(!clock.is_set(), "{text}");
            assert_eq!(clock.since_epoch(), None, "{text}");
        }
        assert!(Clock::decode("24/01/01,00:00:00+00").is_some_and(Clock::is_set));
    }

    #[test]
    fn it_is_written_as_the_standard_has_it() {
        for (text, written) in [
            ("26/11/21,09:05:07+32", "26/11/21,09:05:07+32"),
            ("26/11/21,09:05:07", "26/11/21,09:05:07"),
            ("2019/1/18,4:9:3GMT-5", "19/01/18,04:09:03-20"),
            ("80/01/06,00:00:12+00", "80/01/06,00:00:12+00"),
        ] {
            let clock = Clock::decode(text).expect(text);
            assert_eq!(clock.to_string(), written);
            assert_eq!(Clock::decode(written), Some(clock));
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "soon",
            "26/11/21",
            "26/11/21,09:05+32",
            "26/11/21,09:05:07:08+32",
            "26/11/21,09:05:07+",
            "26/11/21,09:05:07+3x",
            "126/11/21,09:05:07+32",
            "2126/11/21,09:05:07+32",
            "1+1",
        ] {
            assert_eq!(Clock::decode(text), None, "{text}");
        }
    }
}
