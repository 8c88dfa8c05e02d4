use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use atmq_protocol::standard::{Clock, Registration, SignalQuality, SimStatus};
use time::OffsetDateTime;

/// What surrounds the module: SIM, network, time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct World {
    /// The SIM, or none.
    pub sim: Option<SimStatus>,
    /// Registration with the network while the radio is on.
    pub registration: Registration,
    /// Signal quality.
    pub signal: SignalQuality,
    /// Time zone of the network, in quarters of an hour east of UTC.
    pub zone: i8,
    /// A moment, and which time it was then.
    clock: (Instant, SystemTime),
}

impl World {
    /// A SIM that is ready, registered at home, with a good signal. `time` is the time at `now`.
    pub fn new(now: Instant, time: SystemTime) -> Self {
        Self {
            sim: Some(SimStatus::Ready),
            registration: Registration::Home,
            signal: SignalQuality { rssi: 29, ber: 0 },
            zone: 32,
            clock: (now, time),
        }
    }

    /// The local time at `now`.
    pub(super) fn clock(&self, now: Instant) -> Clock {
        let (then, time) = self.clock;
        let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let seconds = (since_epoch + now.saturating_duration_since(then)).as_secs();
        let local = i64::try_from(seconds).unwrap_or(i64::MAX) + i64::from(self.zone) * 15 * 60;
        let time = OffsetDateTime::from_unix_timestamp(local).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        Clock {
            // Two digits are all that the answer has.
            year: time.year().rem_euclid(100) as u8,
            month: time.month().into(),
            day: time.day(),
            hour: time.hour(),
            minute: time.minute(),
            second: time.second(),
            zone: self.zone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_shows_local_time() {
        let now = Instant::now();
        // 2026-11-21 01:05:07 UTC
        let time = UNIX_EPOCH + Duration::from_secs(1_795_223_100);
        let world = World::new(now, time);
        let clock = world.clock(now + Duration::from_secs(7));
        assert_eq!(clock.to_string(), "26/11/21,09:05:07+32");
    }
}
