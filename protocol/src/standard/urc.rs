use core::fmt;

use super::{RegistrationChanged, SimStatus};
use crate::at::parameter::{Parameter, Parameters, integer};

/// What a module reports by itself that is not MQTT's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StandardUrc {
    /// `+CEREG: <stat>[,…]`, and `+CREG`, `+CGREG` likewise.
    Registration(RegistrationChanged),
    /// `+CPIN: <status>`: some firmware tells the state of the SIM when it starts.
    SimStatus(SimStatus),
    /// `+CTZV: <zone>`, `+CTZE: "<zone>",<dst>[,"<time>"]`: the network has told the time
    /// (27.007 section 8.41).
    TimeZone {
        /// Quarters of an hour east of UTC, -96 to 96.
        zone: i8,
        /// Hours of daylight saving time within it, 0 to 2, where the module tells.
        daylight_saving: Option<u8>,
    },
}

impl StandardUrc {
    /// Reads a line as one of these; `None` if it is none, such as the answer to a query.
    pub fn decode(line: &[u8]) -> Option<Self> {
        if let Some(changed) = RegistrationChanged::decode(line) {
            return Some(Self::Registration(changed));
        }
        let behind = |name: &[u8]| Some(line.strip_prefix(name)?.trim_ascii());
        if let Some(status) = behind(b"+CPIN:") {
            let status = core::str::from_utf8(status).ok()?;
            return Some(Self::SimStatus(SimStatus::decode(status)));
        }
        let (rest, extended) = match (behind(b"+CTZV:"), behind(b"+CTZE:")) {
            (Some(rest), _) => (rest, false),
            (_, Some(rest)) => (rest, true),
            _ => return None,
        };
        let mut parameters = Parameters::new(rest);
        let zone = match parameters.next()? {
            Parameter::Bare(zone) | Parameter::Quoted(zone) => zone,
            Parameter::Omitted => return None,
        };
        let zone = integer(zone.strip_prefix(b"+").unwrap_or(zone))?;
        let zone = i8::try_from(zone).ok().filter(|zone| zone.abs() <= 96)?;
        let daylight_saving = match extended {
            true => parameters.optional_integer("dst", 0, 2).ok()?,
            false => None,
        };
        Some(Self::TimeZone {
            zone,
            daylight_saving,
        })
    }
}

impl fmt::Display for StandardUrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registration(changed) => write!(f, "{changed}"),
            Self::SimStatus(status) => write!(f, "+CPIN: {status}"),
            Self::TimeZone {
                zone,
                daylight_saving: None,
            } => write!(f, "+CTZV: {zone:+03}"),
            Self::TimeZone {
                zone,
                daylight_saving: Some(hours),
            } => write!(f, "+CTZE: \"{zone:+03}\",{hours}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;
    use crate::standard::{Registration, RegistrationDomain};

    #[test]
    fn each_urc_both_ways() {
        let registration = RegistrationChanged {
            domain: RegistrationDomain::Eps,
            registration: Registration::Denied,
            location: None,
        };
        for (line, urc) in [
            ("+CEREG: 3", StandardUrc::Registration(registration)),
            ("+CPIN: READY", StandardUrc::SimStatus(SimStatus::Ready)),
            (
                "+CTZV: +32",
                StandardUrc::TimeZone {
                    zone: 32,
                    daylight_saving: None,
                },
            ),
            (
                "+CTZE: \"-08\",1",
                StandardUrc::TimeZone {
                    zone: -8,
                    daylight_saving: Some(1),
                },
            ),
        ] {
            assert_eq!(StandardUrc::decode(line.as_bytes()), Some(urc.clone()));
            assert_eq!(urc.to_string(), line);
        }
    }

    #[test]
    fn a_zone_may_be_quoted_and_followed_by_the_time() {
        for line in [
            "+CTZV: \"+32\"",
            "+CTZV:32",
            "+CTZV: +32,\"26/11/21,09:05:07\"",
        ] {
            let urc = StandardUrc::decode(line.as_bytes());
            let zone = StandardUrc::TimeZone {
                zone: 32,
                daylight_saving: None,
            };
            assert_eq!(urc, Some(zone), "{line}");
        }
    }

    #[test]
    fn other_lines_are_no_urc() {
        for line in [
            &b"+CEREG: 0,1"[..],
            b"+CSQ: 29,0",
            b"+CTZV: ",
            b"+CTZV: soon",
            b"+CTZV: 99",
            b"+CPIN: \xff",
            b"",
        ] {
            assert_eq!(StandardUrc::decode(line), None, "{}", line.escape_ascii());
        }
    }
}
