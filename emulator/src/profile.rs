//! Module models, as data.

mod change;
mod error;
mod file;
mod latency;
mod merge;
mod switches;
mod table;
mod value;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use atmq_protocol::Secret;
use atmq_protocol::commands::{self, VENDOR_SETS, VendorSet};
use atmq_protocol::dialect::Dialect;
use atmq_protocol::limits::Limits;
use atmq_protocol::spec::Spec;
use serde::Deserialize;

pub use change::ProfileChange;
pub use error::{ProfileChangeError, ProfileError};
pub(crate) use value::operator_number;

use crate::modem::{Cell, Operator};
use crate::quirks::Quirks;

/// A module model, as data: what it is called, what it accepts, how long it takes.
///
/// The models this crate knows are TOML files in it; [`parse`](Self::parse) reads others. What
/// each key of such a file means is documented at the field that it fills.
#[derive(Debug, Clone)]
pub struct Profile {
    /// What the profile is called: `nt35e`, `nt26`.
    pub name: String,
    /// What the module says of itself.
    pub identity: Identity,
    /// Lengths, ranges and the number of connections.
    pub limits: Limits,
    /// The command set, with what differs between firmwares: the key `dialect` of the file, and
    /// those of the quirks that are the dialect's [switches](Dialect::switches).
    pub dialect: Arc<dyn Dialect>,
    /// The makers' commands that the module has beside MQTT's: the key `vendor_sets` of the file;
    /// one that does not name them has all that are known.
    pub vendor_sets: Vec<&'static VendorSet>,
    /// How long the module takes to answer.
    pub latency: Latency,
    /// What the module prints when it starts (measured on an Air780E of the same chip family,
    /// reference `lmqtt.md` 1.10).
    pub banner: String,
    /// What firmwares do differently, whatever their dialect.
    pub quirks: Quirks,
    /// What surrounds the module when it is switched on.
    pub start: Start,
    /// How sure each value is, by its key in the file, such as `limits.host`. A file that changes
    /// a value of its base without saying why leaves that value without evidence.
    pub evidence: BTreeMap<String, Evidence>,
}

/// What a module says of itself and of its SIM.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct Identity {
    /// `AT+CGMI`
    pub manufacturer: String,
    /// `AT+CGMM`
    pub model: String,
    /// `AT+CGMR`, `AT+LGMR`
    pub revision: String,
    /// The lines that answer `ATI`, in which `{manufacturer}`, `{model}`, `{revision}` and `{imei}`
    /// stand for what they name; empty for the model alone.
    #[serde(default, deserialize_with = "value::information")]
    pub information: Vec<String>,
    /// `AT+CGSN=0`
    pub serial_number: String,
    /// `AT+CGSN`, `AT+CGSN=1`: 15 digits.
    #[serde(deserialize_with = "value::digits::<15, _>")]
    pub imei: String,
    /// `AT+CIMI`: 15 digits.
    #[serde(deserialize_with = "value::digits::<15, _>")]
    pub imsi: String,
    /// `AT+LCCID`: 20 digits.
    #[serde(deserialize_with = "value::digits::<20, _>")]
    pub iccid: String,
    /// `AT+CGPADDR`
    pub address: String,
}

/// How long the module takes. Each range is spread over evenly, by the modem's seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Latency {
    /// From a query or configuration to its final result code: about 7 ms (measured, reference
    /// `lmqtt.md` 1.1).
    pub query: (Duration, Duration),
    /// From a command that does something to its final result code or prompt: half a second in an
    /// older note.
    pub command: (Duration, Duration),
    /// From the final result code to the URC with the outcome, at least. Hosts exist that lose a
    /// result URC which comes right behind `OK` (reference `README.md`, "Decisions").
    pub result: (Duration, Duration),
    /// The same for single commands, by their names with the sign in front, in capitals: from each
    /// of its forms to the final result code, in place of what stands above and below.
    pub commands: BTreeMap<String, (Duration, Duration)>,
    /// From a reboot to the banner (a guess).
    pub boot: (Duration, Duration),
    /// From the radio's start to the registration (a guess).
    pub registration: (Duration, Duration),
    /// From `AT+CFUN=` to its final result code (a guess).
    pub radio: (Duration, Duration),
    /// From `AT+CGATT=` and `AT+COPS=` to their final result codes (a guess).
    pub attach: (Duration, Duration),
    /// From `AT+COPS=?` to the list of operators (a guess: on air it takes a minute and more).
    pub scan: (Duration, Duration),
    /// From the first byte of a host to a module that is awake (a guess).
    pub wake: (Duration, Duration),
    /// Whether the serial line takes its time for each byte, both ways, at the rate of `AT+IPR`.
    pub paced: bool,
}

impl Latency {
    /// No time at all, for speed.
    pub const INSTANT: Self = Self {
        query: (Duration::ZERO, Duration::ZERO),
        command: (Duration::ZERO, Duration::ZERO),
        result: (Duration::ZERO, Duration::ZERO),
        commands: BTreeMap::new(),
        boot: (Duration::ZERO, Duration::ZERO),
        registration: (Duration::ZERO, Duration::ZERO),
        radio: (Duration::ZERO, Duration::ZERO),
        attach: (Duration::ZERO, Duration::ZERO),
        scan: (Duration::ZERO, Duration::ZERO),
        wake: (Duration::ZERO, Duration::ZERO),
        paced: false,
    };
}

/// The state of SIM and network when the module is switched on.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct Start {
    /// The SIM.
    pub sim: Sim,
    /// Whether the module is in a low-power state, and holds its URCs until the host has sent
    /// something.
    pub asleep: bool,
    /// The PIN of a SIM that asks for it.
    #[serde(deserialize_with = "value::secret::<4, 8, _>")]
    pub pin: Secret<'static>,
    /// The PUK of a SIM that asks for it.
    #[serde(deserialize_with = "value::secret::<8, 8, _>")]
    pub puk: Secret<'static>,
    /// Registration with the network.
    pub registration: NetworkRegistration,
    /// `<rssi>` of `AT+CSQ`: 0 to 31, or 99 for not known.
    #[serde(deserialize_with = "value::up_to_or_99::<31, _>")]
    pub rssi: u8,
    /// `<ber>` of `AT+CSQ`: 0 to 7, or 99 for not known.
    #[serde(deserialize_with = "value::up_to_or_99::<7, _>")]
    pub ber: u8,
    /// The time zone, in quarters of an hour east of UTC.
    #[serde(deserialize_with = "value::between::<-48, 56, _, _>")]
    pub time_zone_quarters: i8,
    /// Longitude and latitude, in degrees.
    pub position: (f64, f64),
    /// The access points that the network refuses, in any letter case.
    pub refused_access_points: Vec<String>,
    /// Who runs the network.
    pub operator: Operator,
    /// The cells that the module sees, the serving one first.
    pub cells: Vec<Cell>,
}

/// A SIM, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sim {
    /// There, and unlocked.
    Ready,
    /// Locked until its PIN is entered.
    PinRequired,
    /// Locked until its PUK is entered.
    PukRequired,
    /// None in the slot.
    Absent,
}

/// Registration with the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkRegistration {
    /// Not registered, and not searching.
    NotRegistered,
    /// Registered at home.
    Home,
    /// Searching.
    Searching,
    /// Denied by the network.
    Denied,
    /// Registered abroad.
    Roaming,
}

/// How sure a value is, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct Evidence {
    /// How sure it is.
    pub confidence: Confidence,
    /// The source, by its key in `docs/sources.md`, with a word where that is not enough.
    pub source: String,
}

/// How sure a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// By analogy, or for want of anything better.
    Inferred,
    /// A host driver or the module's own source does it so.
    SeenInCode,
    /// The vendor says so.
    Documented,
    /// Somebody has measured it on hardware.
    Measured,
}

/// The profiles in this crate, by name.
const BUILT_IN: [(&str, &str); 14] = [
    ("nt35e", include_str!("../profiles/nt35e.toml")),
    ("nt26", include_str!("../profiles/nt26.toml")),
    ("a7670", include_str!("../profiles/a7670.toml")),
    ("sim7600", include_str!("../profiles/sim7600.toml")),
    ("sim7672", include_str!("../profiles/sim7672.toml")),
    ("sim7080", include_str!("../profiles/sim7080.toml")),
    ("sim7000", include_str!("../profiles/sim7000.toml")),
    ("ec25", include_str!("../profiles/ec25.toml")),
    ("ec200", include_str!("../profiles/ec200.toml")),
    ("ec800m", include_str!("../profiles/ec800m.toml")),
    ("eg800k", include_str!("../profiles/eg800k.toml")),
    ("bg95", include_str!("../profiles/bg95.toml")),
    ("bg96", include_str!("../profiles/bg96.toml")),
    ("bg770a", include_str!("../profiles/bg770a.toml")),
];

impl Identity {
    /// What answers `ATI`: one line behind the other, as one information response.
    pub(crate) fn information(&self) -> String {
        let values = [&self.manufacturer, &self.model, &self.revision, &self.imei];
        let fill = |line: &String| {
            let places = value::PLACES.iter().zip(values);
            places.fold(line.clone(), |line, (place, value)| {
                line.replace(place, value)
            })
        };
        match &self.information[..] {
            [] => self.model.clone(),
            lines => lines.iter().map(fill).collect::<Vec<_>>().join("\r\n"),
        }
    }
}

impl Profile {
    /// Lierda NT35E.
    pub fn nt35e() -> Self {
        Self::by_name("nt35e").expect("the profile is in this crate")
    }

    /// Lierda NT26E-CN and NT26-KCN.
    pub fn nt26() -> Self {
        Self::by_name("nt26").expect("the profile is in this crate")
    }

    /// The profile of this name in this crate.
    pub fn by_name(name: &str) -> Option<Self> {
        let text = Self::text(name)?;
        Some(Self::parse(text).expect("the profiles in this crate can be read"))
    }

    /// The TOML file of the profile of this name in this crate, which [`parse`](Self::parse)
    /// reads.
    pub fn text(name: &str) -> Option<&'static str> {
        let found = BUILT_IN.iter().find(|(known, _)| *known == name);
        found.map(|(_, text)| *text)
    }

    /// The names of the profiles in this crate.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// Reads a TOML file. With `base`, the name of a profile in this crate, it holds what differs
    /// from that one; without, it must be complete.
    ///
    /// # Errors
    /// The first thing that is wrong with the file, and where: the syntax, a key that no profile
    /// has, a value of the wrong type or out of range.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        file::parse(text)
    }

    /// Reads a TOML file as [`parse`](Self::parse) does, and then changes single values of it, one
    /// after another.
    ///
    /// # Errors
    /// What is wrong with the file, or the first thing that is wrong with a change.
    pub fn parse_with(text: &str, changes: &[ProfileChange]) -> Result<Self, ProfileChangeError> {
        file::parse_with(text, changes)
    }

    /// The module's commands beside those of its dialect.
    pub fn commands(&self) -> impl Iterator<Item = &'static Spec> {
        commands::all().filter(|spec| self.has(spec.name))
    }

    /// Whether the module has a command that is not its dialect's: others than its own makers'
    /// commands it has all.
    pub(crate) fn has(&self, name: &str) -> bool {
        let has = |sets: &[&VendorSet]| sets.iter().any(|set| set.find(name.as_bytes()).is_some());
        has(&self.vendor_sets) || !has(&VENDOR_SETS)
    }

    /// The same module, answering at once.
    pub fn instant(self) -> Self {
        Self {
            latency: Latency::INSTANT,
            ..self
        }
    }
}
