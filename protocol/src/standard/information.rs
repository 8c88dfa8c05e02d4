use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::{Location, Registration, RegistrationDomain, StandardRequest};
use crate::parameter::{Parameter, Parameters, integer};

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
    /// `+CEREG: <n>,<stat>[,"<tac>","<ci>",<AcT>]`
    Registration {
        /// Which registration.
        domain: RegistrationDomain,
        /// Whether changes are reported: 0 no, 1 yes, 2 with the cell.
        reports: u8,
        /// The registration.
        registration: Registration,
        /// Where, if `reports` is 2 and the module is registered.
        location: Option<Location>,
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
    /// Reads `yy/MM/dd,hh:mm:ss±zz`, `None` if it is none; one host driver handles a form that ends with `GMT±zz`.
    pub fn decode(text: &str) -> Option<Self> {
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
                let domain = RegistrationDomain::Eps;
                let mut parameters = parameters(domain.name())?;
                let reports = parameters.integer("n", 0, 255).ok()?;
                // With one number it is the URC, with or without the cell behind it.
                let Some(Parameter::Bare(stat)) = parameters.next() else {
                    return None;
                };
                let stat = integer(stat)?;
                Self::Registration {
                    domain,
                    reports,
                    registration: Registration::from_number(u8::try_from(stat).ok()?),
                    location: Location::decode(&mut parameters),
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
                domain,
                reports,
                registration,
                location,
            } => {
                let (name, stat) = (domain.name(), registration.number());
                write!(f, "{name}: {reports},{stat}")?;
                location.map_or(Ok(()), |location| write!(f, ",{location}"))
            }
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
                    domain: RegistrationDomain::Eps,
                    reports: 0,
                    registration: Registration::Home,
                    location: None,
                },
            ),
            (
                Request::QueryRegistration,
                "+CEREG: 2,5,\"1A2B\",\"00C0FFEE\",7",
                Information::Registration {
                    domain: RegistrationDomain::Eps,
                    reports: 2,
                    registration: Registration::Roaming,
                    location: Some(Location {
                        area: 0x1a2b,
                        cell: 0x00c0_ffee,
                        technology: 7,
                    }),
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
            (
                StandardRequest::QueryRegistration,
                b"+CEREG: 1,\"0001\",\"00000001\",7",
            ),
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
