use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::StandardRequest;
use crate::parameter::{Parameters, integer};

/// What the module answers to a [`StandardRequest`] before the final result code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StandardInformation {
    /// A line of its own: `ATI`, `AT+CGMI`, `AT+CGMM`, `AT+CGMR`, `AT+LGMR`, `AT+CIMI`,
    /// `AT+CGSN`.
    Text(String),
    /// `+CGSN: "<number>"`
    SerialNumber(String),
    /// `+LCCID: <iccid>`
    CardId(String),
    /// `+CPIN: <status>`
    SimStatus(SimStatus),
    /// `+CSQ: <rssi>,<ber>`
    SignalQuality(SignalQuality),
    /// `+CEREG: <n>,<stat>`
    Registration {
        /// Whether changes are reported.
        reports: u8,
        /// The registration.
        registration: Registration,
    },
    /// `+CGATT: <state>`
    Attached(bool),
    /// `+CGPADDR: <cid>,"<address>"`
    Address {
        /// The packet data context.
        cid: u8,
        /// Its IP address.
        address: String,
    },
    /// `+CCLK: "<time>"`
    Clock(Clock),
    /// `+CMEE: <n>`
    ErrorReports(u8),
    /// `+CFUN: <fun>`
    Functionality(u8),
}

/// Whether the SIM can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SimStatus {
    /// `READY`
    Ready,
    /// `SIM PIN`: the PIN is missing.
    PinRequired,
    /// `SIM PUK`: the PIN is locked.
    PukRequired,
    /// Any other status, as it stands.
    Other(String),
}

/// Received signal strength and bit error rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignalQuality {
    /// 0 to 31, or 99 if unknown.
    pub rssi: u8,
    /// 0 to 7, or 99 if unknown.
    pub ber: u8,
}

impl SignalQuality {
    /// The signal strength in dBm: -113 for 0, 2 dB a step (27.007 section 8.5).
    pub fn rssi_dbm(self) -> Option<i16> {
        (self.rssi <= 31).then(|| i16::from(self.rssi) * 2 - 113)
    }
}

/// Registration with the network, by its number in 27.007 section 10.1.22.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// 0: not registered, not searching.
    NotRegistered,
    /// 1: registered at home.
    Home,
    /// 2: searching.
    Searching,
    /// 3: registration denied.
    Denied,
    /// 4: unknown, such as out of coverage.
    Unknown,
    /// 5: registered, roaming.
    Roaming,
    /// A number this crate does not know.
    Other(u8),
}

impl Registration {
    /// Whether the network can be used.
    pub fn is_registered(self) -> bool {
        matches!(self, Self::Home | Self::Roaming)
    }

    /// From the number on the wire.
    pub fn from_number(number: u8) -> Self {
        match number {
            0 => Self::NotRegistered,
            1 => Self::Home,
            2 => Self::Searching,
            3 => Self::Denied,
            4 => Self::Unknown,
            5 => Self::Roaming,
            other => Self::Other(other),
        }
    }

    /// The number on the wire.
    pub fn number(self) -> u8 {
        match self {
            Self::NotRegistered => 0,
            Self::Home => 1,
            Self::Searching => 2,
            Self::Denied => 3,
            Self::Unknown => 4,
            Self::Roaming => 5,
            Self::Other(number) => number,
        }
    }
}

/// The module's clock: local time and its distance from UTC.
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
    /// Reads `yy/MM/dd,hh:mm:ss±zz`; one host driver handles a form that ends with `GMT±zz`.
    fn decode(text: &str) -> Option<Self> {
        let sign = text.rfind(['+', '-'])?;
        let (time, zone) = text.split_at(sign);
        let time = time.strip_suffix("GMT").unwrap_or(time);
        let fields: Vec<u8> = time
            .split(['/', ',', ':'])
            .map(|field| field.trim().parse().ok())
            .collect::<Option<_>>()?;
        let &[year, month, day, hour, minute, second] = &fields[..] else {
            return None;
        };
        Some(Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
            zone: zone.parse().ok()?,
        })
    }
}

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

impl StandardInformation {
    /// Reads a line as a response to `request`; `None` if it is none.
    pub fn decode(request: &StandardRequest, line: &[u8]) -> Option<Self> {
        let line = core::str::from_utf8(line).ok()?;
        let fields = |name: &str| {
            let rest = line.strip_prefix(name)?.strip_prefix(':')?;
            Some(rest.strip_prefix(' ').unwrap_or(rest))
        };
        let parameters = |name: &str| Some(Parameters::new(fields(name)?.as_bytes()));
        Some(match request {
            StandardRequest::Identification
            | StandardRequest::Manufacturer
            | StandardRequest::Model
            | StandardRequest::Revision
            | StandardRequest::LierdaRevision => {
                // Free text, but not a URC that comes in between.
                let plain = !line.starts_with(['+', '^']);
                plain.then(|| Self::Text(line.into()))?
            }
            StandardRequest::SerialNumber(super::SerialNumber::Plain)
            | StandardRequest::Subscriber => {
                let plain = !line.is_empty() && line.bytes().all(|b| b.is_ascii_alphanumeric());
                plain.then(|| Self::Text(line.into()))?
            }
            StandardRequest::SerialNumber(_) => {
                let mut parameters = parameters("+CGSN")?;
                Self::SerialNumber(parameters.text("sn", usize::MAX).ok()?.into())
            }
            StandardRequest::CardId => Self::CardId(fields("+LCCID")?.trim().into()),
            StandardRequest::SimStatus => Self::SimStatus(match fields("+CPIN")?.trim() {
                "READY" => SimStatus::Ready,
                "SIM PIN" => SimStatus::PinRequired,
                "SIM PUK" => SimStatus::PukRequired,
                other => SimStatus::Other(other.into()),
            }),
            StandardRequest::SignalQuality => {
                let mut parameters = parameters("+CSQ")?;
                Self::SignalQuality(SignalQuality {
                    rssi: parameters.integer("rssi", 0, 255).ok()?,
                    ber: parameters.integer("ber", 0, 255).ok()?,
                })
            }
            StandardRequest::QueryRegistration => {
                // With one field it is the URC.
                let mut parameters = parameters("+CEREG")?;
                Self::Registration {
                    reports: parameters.integer("n", 0, 255).ok()?,
                    registration: Registration::from_number(
                        parameters.integer("stat", 0, 255).ok()?,
                    ),
                }
            }
            StandardRequest::QueryAttach => {
                Self::Attached(parameters("+CGATT")?.flag("state").ok()?)
            }
            StandardRequest::Address(_) => {
                let mut parameters = parameters("+CGPADDR")?;
                Self::Address {
                    cid: parameters.integer("cid", 0, 255).ok()?,
                    address: parameters
                        .optional_text("address", usize::MAX)
                        .ok()?
                        .unwrap_or_default()
                        .into(),
                }
            }
            StandardRequest::QueryClock => {
                let text = fields("+CCLK")?.trim().trim_matches('"');
                Self::Clock(Clock::decode(text)?)
            }
            StandardRequest::QueryErrorReports => Self::ErrorReports(number(fields("+CMEE")?)?),
            StandardRequest::QueryFunctionality => Self::Functionality(number(fields("+CFUN")?)?),
            StandardRequest::Attention
            | StandardRequest::Echo(_)
            | StandardRequest::ReportRegistration(_)
            | StandardRequest::Attach(_)
            | StandardRequest::ErrorReports(_)
            | StandardRequest::Functionality { .. } => return None,
        })
    }

    /// Appends the line, without its line end.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("{self}").as_bytes());
    }
}

impl fmt::Display for StandardInformation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::SerialNumber(number) => write!(f, "+CGSN: \"{number}\""),
            Self::CardId(iccid) => write!(f, "+LCCID: {iccid}"),
            Self::SimStatus(status) => write!(f, "+CPIN: {status}"),
            Self::SignalQuality(SignalQuality { rssi, ber }) => write!(f, "+CSQ: {rssi},{ber}"),
            Self::Registration {
                reports,
                registration,
            } => write!(f, "+CEREG: {reports},{}", registration.number()),
            Self::Attached(on) => write!(f, "+CGATT: {}", u8::from(*on)),
            Self::Address { cid, address } => write!(f, "+CGPADDR: {cid},\"{address}\""),
            Self::Clock(clock) => write!(f, "+CCLK: \"{clock}\""),
            Self::ErrorReports(n) => write!(f, "+CMEE: {n}"),
            Self::Functionality(level) => write!(f, "+CFUN: {level}"),
        }
    }
}

impl fmt::Display for SimStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready => "READY",
            Self::PinRequired => "SIM PIN",
            Self::PukRequired => "SIM PUK",
            Self::Other(status) => status,
        })
    }
}

fn number(text: &str) -> Option<u8> {
    integer(text.trim().as_bytes()).and_then(|number| u8::try_from(number).ok())
}

#[cfg(test)]
mod tests {
    use super::super::SerialNumber;
    use super::*;

    #[test]
    fn each_response_both_ways() {
        use StandardInformation as Information;
        use StandardRequest as Request;
        for (request, line, information) in [
            (Request::Model, "NT35E", Information::Text("NT35E".into())),
            (
                Request::SerialNumber(SerialNumber::Plain),
                "866901012345678",
                Information::Text("866901012345678".into()),
            ),
            (
                Request::SerialNumber(SerialNumber::Imei),
                "+CGSN: \"866901012345678\"",
                Information::SerialNumber("866901012345678".into()),
            ),
            (
                Request::CardId,
                "+LCCID: 89860012345678901234",
                Information::CardId("89860012345678901234".into()),
            ),
            (
                Request::SimStatus,
                "+CPIN: SIM PIN",
                Information::SimStatus(SimStatus::PinRequired),
            ),
            (
                Request::SignalQuality,
                "+CSQ: 29,0",
                Information::SignalQuality(SignalQuality { rssi: 29, ber: 0 }),
            ),
            (
                Request::QueryRegistration,
                "+CEREG: 0,1",
                Information::Registration {
                    reports: 0,
                    registration: Registration::Home,
                },
            ),
            (
                Request::QueryAttach,
                "+CGATT: 1",
                Information::Attached(true),
            ),
            (
                Request::Address(Some(1)),
                "+CGPADDR: 1,\"10.0.0.2\"",
                Information::Address {
                    cid: 1,
                    address: "10.0.0.2".into(),
                },
            ),
            (
                Request::QueryClock,
                "+CCLK: \"26/11/21,09:05:07+32\"",
                Information::Clock(Clock {
                    year: 26,
                    month: 11,
                    day: 21,
                    hour: 9,
                    minute: 5,
                    second: 7,
                    zone: 32,
                }),
            ),
            (
                Request::QueryErrorReports,
                "+CMEE: 1",
                Information::ErrorReports(1),
            ),
            (
                Request::QueryFunctionality,
                "+CFUN: 1",
                Information::Functionality(1),
            ),
        ] {
            assert_eq!(
                Information::decode(&request, line.as_bytes()),
                Some(information.clone()),
                "{line}"
            );
            assert_eq!(format!("{information}"), line);
        }
    }

    #[test]
    fn a_urc_is_no_response() {
        for (request, line) in [
            (StandardRequest::QueryRegistration, &b"+CEREG: 1"[..]),
            (StandardRequest::Subscriber, b"+CEREG: 1"),
            (StandardRequest::Model, b"+CEREG: 1"),
            (StandardRequest::SignalQuality, b"+LMQTTURC: STATS,0,1"),
            (StandardRequest::QueryClock, b"+CCLK: \"soon\""),
            (StandardRequest::Attention, b"hello"),
        ] {
            assert_eq!(StandardInformation::decode(&request, line), None);
        }
    }

    #[test]
    fn the_signal_is_told_in_dbm() {
        let dbm = |rssi| SignalQuality { rssi, ber: 99 }.rssi_dbm();
        assert_eq!(dbm(0), Some(-113));
        assert_eq!(dbm(31), Some(-51));
        assert_eq!(dbm(99), None);
    }
}
