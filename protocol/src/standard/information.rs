use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::{
    Clock, ExtendedSignalQuality, Location, OperatorSelection, Registration, RegistrationDomain,
    SignalQuality, SimStatus, StandardRequest,
};
use crate::at::parameter::{Parameter, Parameters, integer};

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
    /// `+CESQ: <rxlev>,<ber>,<rscp>,<ecno>,<rsrq>,<rsrp>`
    ExtendedSignalQuality(ExtendedSignalQuality),
    /// `+COPS: <mode>[,<format>,"<oper>"[,<AcT>]]`
    Operator(OperatorSelection),
    /// `+CEREG: <n>,<stat>[,"<tac>","<ci>",<AcT>]`, and `+CREG`, `+CGREG` likewise.
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
            | StandardRequest::MakersRevision => {
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
            StandardRequest::SimStatus => {
                Self::SimStatus(SimStatus::decode(fields("+CPIN")?.trim()))
            }
            StandardRequest::SignalQuality => {
                Self::SignalQuality(SignalQuality::decode(&mut parameters("+CSQ")?).ok()?)
            }
            StandardRequest::ExtendedSignalQuality => {
                let quality = ExtendedSignalQuality::decode(&mut parameters("+CESQ")?);
                Self::ExtendedSignalQuality(quality.ok()?)
            }
            StandardRequest::QueryOperator => {
                Self::Operator(OperatorSelection::decode(&mut parameters("+COPS")?).ok()?)
            }
            StandardRequest::QueryRegistration(domain) => {
                let domain = *domain;
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
            // Some firmware shows more behind it.
            StandardRequest::QueryFunctionality => {
                Self::Functionality(parameters("+CFUN")?.integer("fun", 0, 255).ok()?)
            }
            StandardRequest::Attention
            | StandardRequest::Echo(_)
            | StandardRequest::EnterPin(_)
            | StandardRequest::ReportRegistration(..)
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
            Self::SignalQuality(quality) => write!(f, "+CSQ: {quality}"),
            Self::ExtendedSignalQuality(quality) => write!(f, "+CESQ: {quality}"),
            Self::Operator(selection) => write!(f, "+COPS: {selection}"),
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

fn number(text: &str) -> Option<u8> {
    integer(text.trim().as_bytes()).and_then(|number| u8::try_from(number).ok())
}

#[cfg(test)]
mod tests {
    use super::super::{Operator, OperatorFormat, SerialNumber};
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
                Request::ExtendedSignalQuality,
                "+CESQ: 99,99,255,255,23,55",
                Information::ExtendedSignalQuality(ExtendedSignalQuality::lte(23, 55)),
            ),
            (
                Request::QueryOperator,
                "+COPS: 0,2,\"46000\",7",
                Information::Operator(OperatorSelection {
                    mode: 0,
                    operator: Some(Operator {
                        format: OperatorFormat::Number,
                        name: "46000".into(),
                        technology: Some(7),
                    }),
                }),
            ),
            (
                Request::QueryOperator,
                "+COPS: 1,0,\"CMCC, China\"",
                Information::Operator(OperatorSelection {
                    mode: 1,
                    operator: Some(Operator {
                        format: OperatorFormat::Long,
                        name: "CMCC, China".into(),
                        technology: None,
                    }),
                }),
            ),
            (
                Request::QueryOperator,
                "+COPS: 2",
                Information::Operator(OperatorSelection {
                    mode: 2,
                    operator: None,
                }),
            ),
            (
                Request::QueryRegistration(RegistrationDomain::Circuit),
                "+CREG: 1,3",
                Information::Registration {
                    domain: RegistrationDomain::Circuit,
                    reports: 1,
                    registration: Registration::Denied,
                    location: None,
                },
            ),
            (
                Request::QueryRegistration(RegistrationDomain::Eps),
                "+CEREG: 0,1",
                Information::Registration {
                    domain: RegistrationDomain::Eps,
                    reports: 0,
                    registration: Registration::Home,
                    location: None,
                },
            ),
            (
                Request::QueryRegistration(RegistrationDomain::Eps),
                "+CEREG: 2,5,\"1A2B\",\"00C0FFEE\",7",
                Information::Registration {
                    domain: RegistrationDomain::Eps,
                    reports: 2,
                    registration: Registration::Roaming,
                    location: Some(Location {
                        area: 0x1a2b,
                        cell: 0x00c0_ffee,
                        technology: Some(7),
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
                    year: 2026,
                    month: 11,
                    day: 21,
                    hour: 9,
                    minute: 5,
                    second: 7,
                    zone: Some(32),
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
    fn another_form_of_a_response_means_the_same() {
        use StandardInformation as Information;
        use StandardRequest as Request;
        for (request, line, information) in [
            (
                Request::QueryFunctionality,
                "+CFUN: 1,0",
                Information::Functionality(1),
            ),
            (
                Request::Address(Some(1)),
                "+CGPADDR:1,10.0.0.2",
                Information::Address {
                    cid: 1,
                    address: "10.0.0.2".into(),
                },
            ),
            (
                Request::SerialNumber(SerialNumber::Imei),
                "+CGSN:866901012345678",
                Information::SerialNumber("866901012345678".into()),
            ),
            (
                Request::QueryClock,
                "+CCLK:2026/11/21,9:5:7GMT+8",
                Information::Clock(Clock {
                    year: 2026,
                    month: 11,
                    day: 21,
                    hour: 9,
                    minute: 5,
                    second: 7,
                    zone: Some(32),
                }),
            ),
            (
                Request::QueryRegistration(RegistrationDomain::Eps),
                "+CEREG: 2,5,\"1A2B\",\"00C0FFEE\"",
                Information::Registration {
                    domain: RegistrationDomain::Eps,
                    reports: 2,
                    registration: Registration::Roaming,
                    location: Some(Location {
                        area: 0x1a2b,
                        cell: 0x00c0_ffee,
                        technology: None,
                    }),
                },
            ),
        ] {
            let decoded = Information::decode(&request, line.as_bytes());
            assert_eq!(decoded, Some(information), "{line}");
        }
    }

    #[test]
    fn a_urc_is_no_response() {
        for (request, line) in [
            (
                StandardRequest::QueryRegistration(RegistrationDomain::Eps),
                &b"+CEREG: 1"[..],
            ),
            (
                StandardRequest::QueryRegistration(RegistrationDomain::Eps),
                b"+CREG: 0,1",
            ),
            (
                StandardRequest::QueryOperator,
                b"+COPS: (2,\"T\",\"T\",\"00101\",7)",
            ),
            (StandardRequest::ExtendedSignalQuality, b"+CESQ: 99,99"),
            (
                StandardRequest::QueryRegistration(RegistrationDomain::Eps),
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
}
