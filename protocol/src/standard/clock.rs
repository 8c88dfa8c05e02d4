use core::fmt;
use core::time::Duration;

/// The module's clock: local time and its distance from UTC.
///
/// Before the network has told it the time, a module shows what its firmware begins with, often
/// the first day of 2000, 1970 (`70`) or 1980 (`80`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// Two digits, 2000 to 2099.
    pub year: u8,
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
    /// Quarters of an hour east of UTC, -96 to 96.
    pub zone: i8,
}

impl Clock {
    /// Reads `yy/MM/dd,hh:mm:ss±zz`, `None` if it is none; one host driver handles a form that ends with `GMT±zz`.
    pub fn decode(text: &str) -> Option<Self> {
        let sign = text.rfind(['+', '-'])?;
        let (time, zone) = text.split_at(sign);
        let time = time.strip_suffix("GMT").unwrap_or(time);
        let mut fields = time.split(['/', ',', ':']);
        let mut field = || fields.next()?.trim().parse().ok();
        let clock = Self {
            year: field()?,
            month: field()?,
            day: field()?,
            hour: field()?,
            minute: field()?,
            second: field()?,
            zone: zone.parse().ok()?,
        };
        fields.next().is_none().then_some(clock)
    }

    /// The time that the clock shows, in UTC, since the beginning of 1970; `None` if there is no
    /// such time. Add it to `SystemTime::UNIX_EPOCH` for the system's own type.
    pub fn since_epoch(self) -> Option<Duration> {
        let year = 2000 + u32::from(self.year);
        let leap = year.is_multiple_of(4);
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
        let valid = self.year <= 99
            && (1..=length).contains(&u32::from(self.day))
            && self.hour <= 23
            && self.minute <= 59
            && self.second <= 60
            && self.zone.unsigned_abs() <= 96;
        if !valid {
            return None;
        }
        // From 2000 to 2099 every fourth year has one more day, 2000 the first.
        let years = u32::from(self.year);
        let days = DAYS_TO_2000
            + years * 365
            + years.div_ceil(4)
            + lengths[..month].iter().sum::<u32>()
            + u32::from(self.day)
            - 1;
        let minutes = (u64::from(days) * 24 + u64::from(self.hour)) * 60 + u64::from(self.minute);
        let local = minutes * 60 + u64::from(self.second);
        let utc = local.checked_add_signed(i64::from(self.zone) * -15 * 60)?;
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
        write!(
            f,
            "{year:02}/{month:02}/{day:02},{hour:02}:{minute:02}:{second:02}{zone:+03}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers are from `date --utc --date … +%s`.
    #[test]
    fn the_time_is_told_in_utc() {
        for (text, seconds) in [
            ("26/11/21,09:05:07+32", Some(1_795_223_107)),
            ("26/11/21,09:05:07GMT+32", Some(1_795_223_107)),
            ("26/11/21,01:05:07+00", Some(1_795_223_107)),
            ("26/11/20,20:05:07-20", Some(1_795_223_107)),
            ("00/01/01,00:00:00+00", Some(946_684_800)),
            ("24/02/29,23:59:59+00", Some(1_709_251_199)),
            ("24/03/01,00:00:00+00", Some(1_709_251_200)),
            ("99/12/31,23:59:59+00", Some(4_102_444_799)),
            ("23/02/29,00:00:00+00", None),
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
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "soon",
            "26/11/21,09:05+32",
            "26/11/21,09:05:07:08+32",
            "1+1",
        ] {
            assert_eq!(Clock::decode(text), None, "{text}");
        }
    }
}
