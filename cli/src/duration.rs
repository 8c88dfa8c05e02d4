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
