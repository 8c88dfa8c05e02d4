use std::time::Duration;

use atmq_protocol::dialect::Lmqtt;
use atmq_protocol::limits::Limits;

use crate::quirks::Quirks;

/// A module model, as data: what it is called, what it accepts, how long it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// What the profile is called: `nt35e`, `nt26`.
    pub name: &'static str,
    /// What the module says of itself.
    pub identity: Identity,
    /// Lengths, ranges and the number of connections.
    pub limits: Limits,
    /// The command set, with what differs between firmwares.
    pub dialect: Lmqtt,
    /// How long the module takes to answer.
    pub latency: Latency,
    /// What the module prints when it starts (measured on an Air780E of the same chip family,
    /// reference `lmqtt.md` 1.10).
    pub banner: &'static str,
    /// How long the module waits for the next byte of an announced payload (inferred).
    pub data_timeout: Duration,
    /// Whether outcomes of publishes are reported before the host asks for it with the key
    /// `urc`: firmwares differ (reference `README.md`, "Decisions").
    pub result_urcs: bool,
    /// What firmwares do differently.
    pub quirks: Quirks,
}

/// What a module says of itself and of its SIM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `AT+CGMI`
    pub manufacturer: String,
    /// `AT+CGMM`, `ATI`
    pub model: String,
    /// `AT+CGMR`, `AT+LGMR`
    pub revision: String,
    /// `AT+CGSN=0`
    pub serial_number: String,
    /// `AT+CGSN`, `AT+CGSN=1`: 15 digits.
    pub imei: String,
    /// `AT+CIMI`: 15 digits.
    pub imsi: String,
    /// `AT+LCCID`: 20 digits.
    pub iccid: String,
    /// `AT+CGPADDR`
    pub address: String,
}

/// How long the module takes. Each range is spread over evenly, by the modem's seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency {
    /// From a query or configuration to its final result code.
    pub query: (Duration, Duration),
    /// From a command that does something to its final result code or prompt.
    pub command: (Duration, Duration),
    /// From the final result code to the URC with the outcome, at least.
    pub result: (Duration, Duration),
    /// From a reboot to the banner.
    pub boot: (Duration, Duration),
}

impl Latency {
    /// No time at all, for speed.
    pub const INSTANT: Self = Self {
        query: (Duration::ZERO, Duration::ZERO),
        command: (Duration::ZERO, Duration::ZERO),
        result: (Duration::ZERO, Duration::ZERO),
        boot: (Duration::ZERO, Duration::ZERO),
    };

    /// About 7 ms for queries and configuration is measured, half a second for the others is an
    /// older note; hosts exist that lose a result URC which comes right behind `OK` (reference
    /// `lmqtt.md` 1.1 and `README.md`, "Decisions"). The time to boot is a guess.
    pub const MODULE: Self = Self {
        query: (Duration::from_millis(5), Duration::from_millis(9)),
        command: (Duration::from_millis(100), Duration::from_millis(500)),
        result: (Duration::from_millis(300), Duration::from_millis(600)),
        boot: (Duration::from_millis(1500), Duration::from_millis(2500)),
    };
}

impl Profile {
    /// Lierda NT35E.
    pub fn nt35e() -> Self {
        Self {
            name: "nt35e",
            identity: Identity::new("NT35E", "NT35ECNA00NNA-L1.0.0"),
            limits: Limits::NT35E,
            dialect: Lmqtt::DEFAULT,
            latency: Latency::MODULE,
            banner: "^boot.rom'v'!",
            data_timeout: Duration::from_secs(30),
            result_urcs: true,
            quirks: Quirks::DEFAULT,
        }
    }

    /// Lierda NT26E-CN and NT26-KCN.
    pub fn nt26() -> Self {
        Self {
            name: "nt26",
            identity: Identity::new("NT26KCN", "NT26KCNA00NNA-L1.0.0"),
            limits: Limits::NT26,
            ..Self::nt35e()
        }
    }

    /// The profile of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "nt35e" => Some(Self::nt35e()),
            "nt26" => Some(Self::nt26()),
            _ => None,
        }
    }

    /// The same module, answering at once.
    pub fn instant(self) -> Self {
        Self {
            latency: Latency::INSTANT,
            ..self
        }
    }
}

impl Identity {
    /// Numbers that no real module or SIM has: test IMEI, test network 001-01.
    fn new(model: &str, revision: &str) -> Self {
        Self {
            manufacturer: "Lierda".into(),
            model: model.into(),
            revision: revision.into(),
            serial_number: "EMULATED00000001".into(),
            imei: "004999010640000".into(),
            imsi: "001010123456789".into(),
            iccid: "89001010000000000001".into(),
            address: "10.0.0.2".into(),
        }
    }
}
