//! Times as users write and read them.

use std::time::Duration;

/// The longest time that can be given; a clock can be made to overflow.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Reads a number of seconds, which may have a fraction.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|_| "a number of seconds")?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(limit) if limit <= LONGEST => Ok(limit),
        Ok(_) => Err("that is more than a year".into()),
        Err(error) => Err(error.to_string()),
    }
}

/// Reads a time such as `20s`, `1.5s`, `300ms`, `2m` or `1h`; a number alone counts this unit.
pub(crate) fn with_unit(text: &str, unit: Duration) -> Result<Duration, String> {
    let end = text.find(|c: char| c.is_ascii_alphabetic());
    let (number, name) = text.split_at(end.unwrap_or(text.len()));
    let unit = match name {
        "" => Some(unit),
        "ms" => Some(Duration::from_millis(1)),
        "s" => Some(Duration::from_secs(1)),
        "m" | "min" => Some(Duration::from_secs(60)),
        "h" => Some(Duration::from_secs(3600)),
        _ => None,
    };
    let number = number.parse::<f64>().ok();
    let time = unit
        .zip(number)
        .and_then(|(unit, number)| Duration::try_from_secs_f64(unit.as_secs_f64() * number).ok());
    match time {
        Some(time) if time <= LONGEST => Ok(time),
        Some(_) => Err(format!("{text} is more than a year")),
        None => Err(format!("{text} is no time such as 20s, 300ms or 2m")),
    }
}

/// As [`with_unit`] reads it, to the millisecond.
pub(crate) fn short(time: Duration) -> String {
    match time.subsec_millis() {
        0 => format!("{}s", time.as_secs()),
        _ => format!("{}ms", time.as_millis()),
    }
}

/// Milliseconds with their microseconds, and without what floating point adds behind these.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    // Beyond 2^53 µs, after 285 years, the last digits are lost.
    duration.as_micros() as f64 / 1e3
}

/// A time that people can read: three figures or so.
pub(crate) fn span(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match time.as_millis() {
        0..1_000 => format!("{:.1} ms", seconds * 1e3),
        1_000..60_000 => format!("{seconds:.2} s"),
        60_000..3_600_000 => format!("{} min {} s", time.as_secs() / 60, time.as_secs() % 60),
        _ => format!(
            "{} h {} min",
            time.as_secs() / 3600,
            time.as_secs() / 60 % 60
        ),
    }
}
