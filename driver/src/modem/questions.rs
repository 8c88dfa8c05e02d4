//! What a module can be asked.

use std::net::{IpAddr, Ipv6Addr};

use atmq_protocol::at::result_code::CmeError;
use atmq_protocol::standard::{
    Clock, ExtendedSignalQuality, Location, Operator, Registration, RegistrationDomain,
    SerialNumber, SignalQuality, SimStatus, StandardInformation, StandardRequest,
};

use super::Modem;
use crate::error::{Error, ExchangeError};
use crate::session::{Answer, Command};

impl Modem {
    /// Asks whether the module is there (`AT`).
    ///
    /// # Errors
    /// It is not.
    pub async fn attention(&self) -> Result<(), Error> {
        self.standard(StandardRequest::Attention).await.map(drop)
    }

    /// Asks for what module and SIM say they are. What is refused is `None`: without a SIM, or
    /// while it waits for its PIN, there is no ICCID or no IMSI.
    ///
    /// # Errors
    /// The module does not answer.
    pub async fn identify(&self) -> Result<Identity, Error> {
        Ok(Identity {
            manufacturer: self.identity(StandardRequest::Manufacturer).await?,
            model: self.identity(StandardRequest::Model).await?,
            revision: self.identity(StandardRequest::Revision).await?,
            imei: self
                .identity(StandardRequest::SerialNumber(SerialNumber::Imei))
                .await?,
            iccid: self.identity(StandardRequest::CardId).await?,
            imsi: self.identity(StandardRequest::Subscriber).await?,
        })
    }

    async fn identity(&self, request: StandardRequest) -> Result<Option<String>, Error> {
        let information = self.if_told(self.standard(request).await)?;
        Ok(information.and_then(text))
    }

    /// What was told; `None` if the module refuses to.
    fn if_told<T>(&self, told: Result<T, Error>) -> Result<Option<T>, Error> {
        match told {
            Ok(told) => Ok(Some(told)),
            Err(Error::Exchange(ExchangeError::Refused { .. })) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks whether the SIM can be used (`AT+CPIN?`). An error that speaks of the SIM, as a number or
    /// in words, is an answer: without a SIM it is [`SimStatus::NotInserted`].
    ///
    /// # Errors
    /// The module does not answer, or with another error.
    pub async fn sim_status(&self) -> Result<SimStatus, Error> {
        let request = StandardRequest::SimStatus;
        let status = self.one(request, |information| match information {
            StandardInformation::SimStatus(status) => Some(status),
            _ => None,
        });
        let status = status.await;
        let told = status.as_ref().err().and_then(Error::cme);
        told.and_then(SimStatus::of_error).map_or(status, Ok)
    }

    /// Asks for the signal strength alone (`AT+CSQ`).
    ///
    /// # Errors
    /// The module does not answer, or with an error.
    pub async fn signal_quality(&self) -> Result<SignalQuality, Error> {
        let request = StandardRequest::SignalQuality;
        self.one(request, |information| match information {
            StandardInformation::SignalQuality(quality) => Some(quality),
            _ => None,
        })
        .await
    }

    /// Asks for all that the module measures of its cell (`AT+CSQ`, `AT+CESQ`).
    ///
    /// # Errors
    /// The module does not answer, or with an error to the first.
    pub async fn signal(&self) -> Result<Signal, Error> {
        let quality = self.signal_quality().await?;
        let request = StandardRequest::ExtendedSignalQuality;
        let extended = self.one(request, |information| match information {
            StandardInformation::ExtendedSignalQuality(quality) => Some(quality),
            _ => None,
        });
        // Not every module has it.
        let extended = self.if_told(extended.await)?;
        Ok(Signal {
            rssi_dbm: quality.rssi_dbm(),
            rsrp_dbm: extended.and_then(ExtendedSignalQuality::rsrp_dbm),
            rsrq_db: extended.and_then(ExtendedSignalQuality::rsrq_db),
        })
    }

    /// Asks for the registration with the LTE network (`AT+CEREG?`). A module that does not tell it is
    /// asked for that with the packet network (`AT+CGREG?`), and then for that of calls (`AT+CREG?`):
    /// an LTE module has one registration under three names (inferred).
    ///
    /// # Errors
    /// The module does not answer, or with an error to all three; then it is the first.
    pub async fn registration(&self) -> Result<NetworkStatus, Error> {
        let mut first = None;
        for domain in REGISTRATIONS {
            match self.registration_in(domain).await {
                Err(error) if is_refusal(&error) && !is_busy(&error) => {
                    first.get_or_insert(error);
                }
                told => return told,
            }
        }
        Err(first.expect("each of them was refused"))
    }

    /// As [`registration`](Self::registration), for one domain alone (`AT+CREG?`, `AT+CGREG?`).
    ///
    /// # Errors
    /// As there.
    pub async fn registration_in(
        &self,
        domain: RegistrationDomain,
    ) -> Result<NetworkStatus, Error> {
        let request = StandardRequest::QueryRegistration(domain);
        self.one(request, |information| match information {
            StandardInformation::Registration {
                registration,
                location,
                ..
            } => Some(NetworkStatus {
                registration,
                cell: location,
            }),
            _ => None,
        })
        .await
    }

    /// Asks whether the module is attached to the packet network (`AT+CGATT?`).
    ///
    /// # Errors
    /// The module does not answer, or with an error.
    pub async fn is_attached(&self) -> Result<bool, Error> {
        let request = StandardRequest::QueryAttach;
        self.one(request, |information| match information {
            StandardInformation::Attached(attached) => Some(attached),
            _ => None,
        })
        .await
    }

    /// Attaches the module to the packet network, or detaches it (`AT+CGATT=`), which takes up to
    /// 75 s. Attached is what an LTE module is by itself once it is registered.
    ///
    /// # Errors
    /// The module does not answer, or with an error.
    pub async fn attach(&self, attached: bool) -> Result<(), Error> {
        let request = StandardRequest::Attach(attached);
        self.standard(request).await.map(drop)
    }

    /// Asks for the addresses of the packet data contexts (`AT+CGPADDR`). Contexts without an
    /// address are left out.
    ///
    /// # Errors
    /// The module does not answer, or with an error.
    pub async fn addresses(&self) -> Result<Vec<Address>, Error> {
        let information = self.standard(StandardRequest::Address(None)).await?;
        let addresses = information.into_iter().filter_map(|information| {
            let StandardInformation::Address { cid, address } = information else {
                return None;
            };
            let ip = ip_address(&address).filter(|ip| !ip.is_unspecified())?;
            Some(Address { context: cid, ip })
        });
        Ok(addresses.collect())
    }

    /// Asks whose network the module uses (`AT+COPS?`); `None` while it is not registered.
    ///
    /// # Errors
    /// The module does not answer, or with an error.
    pub async fn operator(&self) -> Result<Option<Operator>, Error> {
        let request = StandardRequest::QueryOperator;
        self.one(request, |information| match information {
            StandardInformation::Operator(selection) => Some(selection.operator),
            _ => None,
        })
        .await
    }

    /// Asks for the module's clock (`AT+CCLK?`), which the network sets.
    /// [`Clock::since_epoch`] is its time in UTC.
    ///
    /// # Errors
    /// The module does not answer, or with an error.
    pub async fn clock(&self) -> Result<Clock, Error> {
        let request = StandardRequest::QueryClock;
        self.one(request, |information| match information {
            StandardInformation::Clock(clock) => Some(clock),
            _ => None,
        })
        .await
    }

    /// Asks how much of the module is on (`AT+CFUN?`).
    ///
    /// # Errors
    /// The module does not answer, or with an error.
    pub async fn functionality(&self) -> Result<Functionality, Error> {
        let request = StandardRequest::QueryFunctionality;
        self.one(request, |information| match information {
            StandardInformation::Functionality(level) => Some(Functionality::from_level(level)),
            _ => None,
        })
        .await
    }

    /// Switches the radio on or off (`AT+CFUN=`), which takes up to 15 s.
    ///
    /// # Errors
    /// The module does not answer, or with an error.
    pub async fn set_functionality(&self, functionality: Functionality) -> Result<(), Error> {
        let request = StandardRequest::Functionality {
            level: functionality.level(),
            reset: false,
        };
        self.standard(request).await.map(drop)
    }

    async fn one<T>(
        &self,
        request: StandardRequest,
        find: impl Fn(StandardInformation) -> Option<T>,
    ) -> Result<T, Error> {
        let information = self.standard(request).await?;
        let mut command = Vec::new();
        request.encode(&mut command);
        let command = String::from_utf8_lossy(command.trim_ascii_end()).into_owned();
        let found = information.into_iter().find_map(find);
        found.ok_or(Error::NoInformation { command })
    }

    pub(crate) async fn standard(
        &self,
        request: StandardRequest,
    ) -> Result<Vec<StandardInformation>, Error> {
        let command = Command::Standard(request);
        match self.exchange(command, None).await? {
            Answer::Standard(information) => Ok(information),
            _ => unreachable!("a standard command has a standard answer"),
        }
    }
}

/// Where a registration is looked for, the first that the module has.
pub(crate) const REGISTRATIONS: [RegistrationDomain; 3] = [
    RegistrationDomain::Eps,
    RegistrationDomain::Packet,
    RegistrationDomain::Circuit,
];

/// Whether the module refuses to tell, or tells something else.
pub(crate) fn is_refusal(error: &Error) -> bool {
    matches!(
        error,
        Error::Exchange(ExchangeError::Refused { .. }) | Error::NoInformation { .. }
    )
}

/// Whether the module asks to be asked again in a moment.
pub(crate) fn is_busy(error: &Error) -> bool {
    error.cme().is_some_and(CmeError::is_busy)
}

/// What module and SIM say they are. Each is `None` if the module does not tell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Identity {
    /// `AT+CGMI`
    pub manufacturer: Option<String>,
    /// `AT+CGMM`
    pub model: Option<String>,
    /// `AT+CGMR`: the firmware.
    pub revision: Option<String>,
    /// `AT+CGSN=1`: the number of the module.
    pub imei: Option<String>,
    /// `AT+LCCID`: the number of the SIM card.
    pub iccid: Option<String>,
    /// `AT+CIMI`: the number of the subscriber.
    pub imsi: Option<String>,
}

/// How the module hears its cell. Each is `None` if it is not known or not measured.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub struct Signal {
    /// Strength of all that is received, in dBm, -113 to -51.
    pub rssi_dbm: Option<i16>,
    /// Power of the cell's reference signal, in dBm, -140 to -43.
    pub rsrp_dbm: Option<i16>,
    /// Quality of the cell's reference signal, in dB, -19.5 to -2.5.
    pub rsrq_db: Option<f32>,
}

/// The registration with a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct NetworkStatus {
    /// The registration.
    pub registration: Registration,
    /// The cell, if the module is registered and was told to report it (`AT+CEREG=2`), as
    /// [`Modem::bring_up`] does.
    pub cell: Option<Location>,
}

impl NetworkStatus {
    pub(crate) fn unknown() -> Self {
        Self {
            registration: Registration::Unknown,
            cell: None,
        }
    }

    /// Whether the network can be used.
    pub fn is_registered(&self) -> bool {
        self.registration.is_registered()
    }
}

/// An address that the network has assigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Address {
    /// The packet data context, 1 for the one that comes with the attach.
    pub context: u8,
    /// The address.
    pub ip: IpAddr,
}

/// How much of a module is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Functionality {
    /// 0: neither radio nor SIM.
    Minimum,
    /// 1: all of it.
    Full,
    /// 4: all but the radio.
    RadioOff,
    /// Another level of the module's own.
    Other(u8),
}

impl Functionality {
    fn from_level(level: u8) -> Self {
        match level {
            0 => Self::Minimum,
            1 => Self::Full,
            4 => Self::RadioOff,
            other => Self::Other(other),
        }
    }

    fn level(self) -> u8 {
        match self {
            Self::Minimum => 0,
            Self::Full => 1,
            Self::RadioOff => 4,
            Self::Other(level) => level,
        }
    }
}

fn text(information: Vec<StandardInformation>) -> Option<String> {
    information
        .into_iter()
        .find_map(|information| match information {
            StandardInformation::Text(text)
            | StandardInformation::SerialNumber(text)
            | StandardInformation::CardId(text) => Some(text),
            _ => None,
        })
}

/// Reads an address as it is usually written, and IPv6 as sixteen decimal numbers with dots
/// between, which 27.007 section 10.1.1 prefers.
fn ip_address(text: &str) -> Option<IpAddr> {
    text.parse().ok().or_else(|| {
        let mut bytes = [0; 16];
        let mut numbers = text.split('.');
        for byte in &mut bytes {
            *byte = numbers.next()?.parse().ok()?;
        }
        let whole = numbers.next().is_none();
        whole.then(|| IpAddr::V6(Ipv6Addr::from(bytes)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_in_two_notations() {
        let ip = |text| ip_address(text).map(|ip| ip.to_string());
        assert_eq!(ip("10.0.0.2").as_deref(), Some("10.0.0.2"));
        assert_eq!(ip("2409::1").as_deref(), Some("2409::1"));
        assert_eq!(
            ip("36.9.0.0.0.0.0.0.0.0.0.0.0.0.0.1").as_deref(),
            Some("2409::1")
        );
        for text in [
            "",
            "10.0.0",
            "1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17",
            "x",
        ] {
            assert_eq!(ip(text), None, "{text}");
        }
    }
}
