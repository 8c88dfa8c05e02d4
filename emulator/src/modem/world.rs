//! What surrounds the module: SIM, network, time. The application changes it at run time.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use atmq_protocol::standard::{Clock, Registration, SignalQuality, SimStatus};
use serde::Deserialize;
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

use super::{Happening, Modem, Sim};
use crate::profile::{NetworkRegistration, Sim as StartSim, Start};

/// What surrounds the module.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    pub(super) sim: Option<Sim>,
    pub(super) registration: Registration,
    /// Why the network denies the registration, if it does: a cause of 24.301.
    pub(super) rejection: u8,
    pub(super) signal: SignalQuality,
    pub(super) operator: Operator,
    /// The serving cell first.
    pub(super) cells: Vec<Cell>,
    /// Longitude and latitude, in degrees.
    pub(super) position: (f64, f64),
    /// Time zone, in quarters of an hour east of UTC.
    zone: i8,
    /// A moment, and which time it was then.
    clock: (Instant, SystemTime),
}

/// The cause of a denied registration unless another is set: PLMN not allowed (24.301 section
/// 9.9.3.9).
const NOT_ALLOWED_HERE: u8 = 11;

/// The operator of the network.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct Operator {
    /// Country code, three digits, and network code, two or three.
    #[serde(deserialize_with = "crate::profile::operator_number")]
    pub number: String,
    /// What it is called.
    pub name: String,
}

impl Operator {
    /// Country code and network code.
    pub(super) fn codes(&self) -> (&str, &str) {
        self.number
            .split_at_checked(3)
            .unwrap_or((&self.number, ""))
    }
}

/// A cell that the module sees.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct Cell {
    /// Tracking area code.
    pub area: u16,
    /// Cell identity, 28 bits.
    pub id: u32,
    /// Physical cell identity, 0 to 503.
    pub pci: u16,
    /// Downlink channel.
    pub earfcn: u32,
    /// Frequency band.
    pub band: u8,
    /// Reference signal received power.
    pub rsrp_dbm: i16,
    /// Reference signal received quality.
    pub rsrq_db: i16,
    /// Signal to noise ratio.
    pub snr_db: i16,
}

impl World {
    /// As a profile has it when the module is switched on. `time` is the time of day at `now`.
    pub(crate) fn new(start: &Start, now: Instant, time: SystemTime) -> Self {
        Self {
            sim: match start.sim {
                StartSim::Ready => Some(Sim::unlocked()),
                StartSim::PinRequired => Some(Sim::locked(start.pin.expose(), start.puk.expose())),
                StartSim::PukRequired => Some(Sim::blocked(start.pin.expose(), start.puk.expose())),
                StartSim::Absent => None,
            },
            registration: match start.registration {
                NetworkRegistration::NotRegistered => Registration::NotRegistered,
                NetworkRegistration::Home => Registration::Home,
                NetworkRegistration::Searching => Registration::Searching,
                NetworkRegistration::Denied => Registration::Denied,
                NetworkRegistration::Roaming => Registration::Roaming,
            },
            rejection: NOT_ALLOWED_HERE,
            signal: SignalQuality {
                rssi: start.rssi,
                ber: start.ber,
            },
            operator: start.operator.clone(),
            cells: start.cells.clone(),
            position: start.position,
            zone: start.time_zone_quarters,
            clock: (now, time),
        }
    }

    /// The SIM, if there is one.
    pub fn sim(&self) -> Option<&Sim> {
        self.sim.as_ref()
    }

    /// What the network says of the module, while its radio is on and its SIM can be used.
    pub fn registration(&self) -> Registration {
        self.registration
    }

    /// Signal strength and bit error rate.
    pub fn signal(&self) -> SignalQuality {
        self.signal
    }

    /// The cells that the module sees, the serving one first.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// Who runs the network.
    pub fn operator(&self) -> &Operator {
        &self.operator
    }

    /// The local time at `now`.
    pub(super) fn clock(&self, now: Instant) -> Clock {
        let (then, time) = self.clock;
        let time = date_and_time(
            time.checked_add(now.saturating_duration_since(then))
                .unwrap_or(time),
            self.zone,
        );
        Clock {
            year: u16::try_from(time.year()).unwrap_or(u16::MAX),
            month: time.month().into(),
            day: time.day(),
            hour: time.hour(),
            minute: time.minute(),
            second: time.second(),
            zone: Some(self.zone),
        }
    }

    /// Sets the clock at `now`; `None` if there is no such time.
    pub(super) fn set_clock(&mut self, clock: Clock, now: Instant) -> Option<()> {
        let month = Month::try_from(clock.month).ok()?;
        let date = Date::from_calendar_date(clock.year.into(), month, clock.day).ok()?;
        let time = Time::from_hms(clock.hour, clock.minute, clock.second).ok()?;
        let zone = clock.zone.filter(|zone| (-96..=96).contains(zone))?;
        let local = PrimitiveDateTime::new(date, time)
            .assume_utc()
            .unix_timestamp();
        let seconds = u64::try_from(local - i64::from(zone) * 15 * 60).ok()?;
        self.clock = (now, UNIX_EPOCH + Duration::from_secs(seconds));
        self.zone = zone;
        Some(())
    }
}

/// The local date and time; `zone` is in quarters of an hour east of UTC.
pub(super) fn date_and_time(time: SystemTime, zone: i8) -> OffsetDateTime {
    let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let seconds = i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX / 2);
    let local = seconds + i64::from(zone) * 15 * 60;
    OffsetDateTime::from_unix_timestamp(local).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// Changes of the world. What the module notices, it reports to a host that has asked for it.
impl Modem {
    /// What surrounds the module.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Puts another SIM in, or takes it out.
    pub fn set_sim(&mut self, sim: Option<Sim>, now: Instant) {
        let status = sim.as_ref().map_or(SimStatus::NotInserted, Sim::status);
        self.happened(Happening::Sim(status));
        self.world.sim = sim;
        self.announce_sim(now);
        self.search(now);
        self.drive(now);
    }

    /// What the network says of the module, while its radio is on and its SIM can be used. Without
    /// registration there are no links: those that stand are lost.
    pub fn set_registration(&mut self, registration: Registration, now: Instant) {
        self.happened(Happening::Registration(registration));
        self.world.registration = registration;
        self.announce_registration(now);
        self.drive(now);
    }

    /// Why the network denies the registration, while it does: a cause of 24.301 section 9.9.3.9,
    /// such as 15, no suitable cells. A host hears it with `AT+CEREG=3`.
    pub fn set_rejection(&mut self, cause: u8) {
        self.happened(Happening::Rejection(cause));
        self.world.rejection = cause;
    }

    /// Signal strength and bit error rate.
    pub fn set_signal(&mut self, signal: SignalQuality) {
        self.happened(Happening::Signal(signal));
        self.world.signal = signal;
    }

    /// The cells that the module sees, the serving one first.
    pub fn set_cells(&mut self, cells: Vec<Cell>, now: Instant) {
        self.happened(Happening::Cell(cells.first().cloned()));
        self.world.cells = cells;
        self.announce_registration(now);
        self.drive(now);
    }

    /// Who runs the network.
    pub fn set_operator(&mut self, operator: Operator) {
        self.happened(Happening::Operator(operator.clone()));
        self.world.operator = operator;
    }

    /// Longitude and latitude, in degrees: what `AT+LBS` tells.
    pub fn set_position(&mut self, longitude: f64, latitude: f64) {
        self.happened(Happening::Position(longitude, latitude));
        self.world.position = (longitude, latitude);
    }

    /// The network tells its time, and its zone in quarters of an hour east of UTC. The module
    /// takes them over unless the host has forbidden it (`AT+CTZU=0`).
    pub fn set_network_time(&mut self, time: SystemTime, zone: i8, now: Instant) {
        self.happened(Happening::Time(time, zone));
        if self.settings.number("+CTZU") == 1 {
            self.world.clock = (now, time);
            self.world.zone = zone;
        }
        self.announce_zone(time, zone, now);
        self.drive(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;

    #[test]
    fn the_clock_shows_local_time() {
        let now = Instant::now();
        // 2026-11-21 01:05:07 UTC
        let time = UNIX_EPOCH + Duration::from_secs(1_795_223_100);
        let mut world = World::new(&Profile::nt35e().start, now, time);
        let clock = world.clock(now + Duration::from_secs(7));
        assert_eq!(clock.to_string(), "26/11/21,09:05:07+32");
        assert_eq!(world.set_clock(clock, now), Some(()));
        assert_eq!(world.clock(now), clock);
        let wrong = Clock { month: 13, ..clock };
        assert_eq!(world.set_clock(wrong, now), None);
    }
}
