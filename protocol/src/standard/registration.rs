use core::fmt;

use crate::at::command::Command;
use crate::at::parameter::{Parameter, Parameters, integer};

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
    /// 6: registered for short messages alone, at home.
    HomeSmsOnly,
    /// 7: registered for short messages alone, roaming.
    RoamingSmsOnly,
    /// 8: attached for emergency bearer services alone.
    EmergencyOnly,
    /// 9: registered at home; calls by circuit-switched fallback are not preferred.
    HomeCsfbNotPreferred,
    /// 10: registered, roaming; calls by circuit-switched fallback are not preferred.
    RoamingCsfbNotPreferred,
    /// A number this crate does not know.
    Other(u8),
}

impl Registration {
    /// Whether the network can be used for data, which with 6 to 8 it cannot.
    pub fn is_registered(self) -> bool {
        matches!(
            self,
            Self::Home | Self::Roaming | Self::HomeCsfbNotPreferred | Self::RoamingCsfbNotPreferred
        )
    }

    /// Whether the network is one that the subscriber visits.
    pub fn is_roaming(self) -> bool {
        matches!(
            self,
            Self::Roaming | Self::RoamingSmsOnly | Self::RoamingCsfbNotPreferred
        )
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
            6 => Self::HomeSmsOnly,
            7 => Self::RoamingSmsOnly,
            8 => Self::EmergencyOnly,
            9 => Self::HomeCsfbNotPreferred,
            10 => Self::RoamingCsfbNotPreferred,
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
            Self::HomeSmsOnly => 6,
            Self::RoamingSmsOnly => 7,
            Self::EmergencyOnly => 8,
            Self::HomeCsfbNotPreferred => 9,
            Self::RoamingCsfbNotPreferred => 10,
            Self::Other(number) => number,
        }
    }
}

/// Which registration a command or URC tells of. An LTE module knows one registration and tells
/// it under all three names (inferred).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistrationDomain {
    /// `+CREG`: circuit-switched, 27.007 section 7.2.
    Circuit,
    /// `+CGREG`: packet-switched, 27.007 section 10.1.20.
    Packet,
    /// `+CEREG`: LTE, 27.007 section 10.1.22.
    Eps,
}

impl RegistrationDomain {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Circuit, Self::Packet, Self::Eps];

    /// The command's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Circuit => "+CREG",
            Self::Packet => "+CGREG",
            Self::Eps => "+CEREG",
        }
    }

    /// The largest `<n>`.
    pub(super) fn most_reports(self) -> i64 {
        match self {
            Self::Circuit => 3,
            Self::Packet | Self::Eps => 5,
        }
    }

    pub(super) fn of_command(command: &Command<'_>) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|domain| command.is(domain.name()))
    }
}

/// Where the module is registered: `"<tac>","<ci>"[,<AcT>]`, the first two in hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location {
    /// Tracking area code.
    pub area: u16,
    /// Cell identity.
    pub cell: u32,
    /// Access technology, where the module tells; 7 is LTE.
    pub technology: Option<u8>,
}

impl Location {
    /// Reads what is left of the list; `None` if it is no location.
    pub(super) fn decode(parameters: &mut Parameters<'_>) -> Option<Self> {
        let mut hexadecimal = || match parameters.next()? {
            Parameter::Quoted(digits) => {
                u32::from_str_radix(core::str::from_utf8(digits).ok()?, 16).ok()
            }
            Parameter::Omitted | Parameter::Bare(_) => None,
        };
        let (area, cell) = (hexadecimal()?, hexadecimal()?);
        Some(Self {
            area: u16::try_from(area).ok()?,
            cell,
            technology: parameters.optional_integer("AcT", 0, 255).ok()?,
        })
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            area,
            cell,
            technology,
        } = self;
        write!(f, "\"{area:04X}\",\"{cell:08X}\"")?;
        technology.map_or(Ok(()), |technology| write!(f, ",{technology}"))
    }
}

/// A change of the registration, which the module reports without being asked:
/// `+CEREG: <stat>[,"<tac>","<ci>",<AcT>]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegistrationChanged {
    /// Which registration.
    pub domain: RegistrationDomain,
    /// What it is now.
    pub registration: Registration,
    /// Where, if the host has asked for that and the module is registered.
    pub location: Option<Location>,
}

impl RegistrationChanged {
    /// Reads a line as this URC; `None` if it is none, such as the answer to a query, which has
    /// `<n>` in front.
    pub fn decode(line: &[u8]) -> Option<Self> {
        let found = RegistrationDomain::ALL.iter().find_map(|domain| {
            let rest = line.strip_prefix(domain.name().as_bytes())?;
            Some((*domain, rest.strip_prefix(b":")?.trim_ascii_start()))
        });
        let (domain, rest) = found?;
        let mut parameters = Parameters::new(rest);
        let Some(Parameter::Bare(stat)) = parameters.next() else {
            return None;
        };
        // With causes asked for, a denial has `,,,,<type>,<cause>` behind it, and no cell. A cell that
        // cannot be read takes nothing from the registration. A number is `<stat>` behind `<n>`.
        let location = match parameters.clone().next() {
            None | Some(Parameter::Omitted) => None,
            Some(Parameter::Quoted(_)) => Location::decode(&mut parameters),
            Some(Parameter::Bare(_)) => return None,
        };
        Some(Self {
            domain,
            registration: Registration::from_number(u8::try_from(integer(stat)?).ok()?),
            location,
        })
    }
}

impl fmt::Display for RegistrationChanged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.domain.name(), self.registration.number())?;
        let mut location = self.location.iter();
        location.try_for_each(|location| write!(f, ",{location}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn each_change_both_ways() {
        let location = Location {
            area: 1,
            cell: 0xabc,
            technology: Some(7),
        };
        for (line, domain, registration, location) in [
            (
                "+CEREG: 2",
                RegistrationDomain::Eps,
                Registration::Searching,
                None,
            ),
            (
                "+CREG: 1,\"0001\",\"00000ABC\",7",
                RegistrationDomain::Circuit,
                Registration::Home,
                Some(location),
            ),
            (
                "+CEREG: 1,\"0001\",\"00000ABC\"",
                RegistrationDomain::Eps,
                Registration::Home,
                Some(Location {
                    technology: None,
                    ..location
                }),
            ),
        ] {
            let change = RegistrationChanged {
                domain,
                registration,
                location,
            };
            assert_eq!(change.to_string(), line);
            assert_eq!(RegistrationChanged::decode(line.as_bytes()), Some(change));
        }
    }

    #[test]
    fn each_registration_both_ways() {
        for number in 0..=u8::MAX {
            let registration = Registration::from_number(number);
            assert_eq!(registration.number(), number);
            // 27.007 section 10.1.22: 6 to 8 carry no data.
            let carries_data = matches!(number, 1 | 5 | 9 | 10);
            assert_eq!(registration.is_registered(), carries_data, "{number}");
            let roaming = matches!(number, 5 | 7 | 10);
            assert_eq!(registration.is_roaming(), roaming, "{number}");
            let known = !matches!(registration, Registration::Other(_));
            assert_eq!(known, number <= 10, "{number}");
        }
    }

    #[test]
    fn a_cause_behind_a_denial_is_passed_over() {
        let change = RegistrationChanged::decode(b"+CEREG: 3,,,,0,15").map(|c| c.registration);
        assert_eq!(change, Some(Registration::Denied));
    }

    #[test]
    fn a_cell_that_cannot_be_read_takes_nothing_from_the_registration() {
        for line in [
            "+CEREG: 5,\"12345678\",\"00000ABC\",7",
            "+CEREG: 5,\"\",\"\",7",
            "+CEREG: 5,\"0001\"",
        ] {
            let change = RegistrationChanged::decode(line.as_bytes()).expect(line);
            assert_eq!(change.registration, Registration::Roaming, "{line}");
            assert_eq!(change.location, None, "{line}");
        }
    }

    #[test]
    fn the_answer_to_a_query_is_no_change() {
        for line in [
            "+CEREG: 0,1",
            "+CEREG: 2,1,\"0001\",\"00000001\",7",
            "+CSQ: 1",
        ] {
            assert_eq!(RegistrationChanged::decode(line.as_bytes()), None, "{line}");
        }
    }
}
