//! From a module that answers to one that has an address in the network.

mod error;
mod walk;

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use atmq_protocol::standard::{Location, Operator, Pin, Registration, SimStatus};
use tokio::time::Instant;

use crate::modem::{Modem, NetworkStatus, Signal};

pub use error::{BringUpError, BringUpReason};
use walk::Walk;

/// How [`Modem::bring_up`] is to go about it.
///
/// ```
/// use std::time::Duration;
///
/// use atmq_driver::{BringUp, Pin};
///
/// # fn run() -> Result<(), atmq_driver::PinError> {
/// let bring_up = BringUp::default()
///     .pin(Pin::new("1234")?)
///     .limit(Duration::from_secs(60))
///     .on_progress(|progress| println!("{progress}"));
/// # Ok(())
/// # }
/// ```
pub struct BringUp {
    pub(crate) pin: Option<Pin>,
    pub(crate) apn: Option<String>,
    pub(crate) limit: Duration,
    pub(crate) on_progress: Box<dyn FnMut(&Progress) + Send>,
}

impl BringUp {
    /// The PIN of the SIM, for one that asks for it.
    ///
    /// Each wrong PIN counts, and the third one in a row locks the SIM. So it is entered once; one
    /// that was not seen to be accepted is never entered again by this [`Modem`], whoever brings
    /// it up how often. What an earlier run of the program has entered nobody remembers.
    pub fn pin(mut self, pin: Pin) -> Self {
        self.pin = Some(pin);
        self
    }

    /// The access point of the packet data context 1, where the network does not choose it by
    /// itself. A module that has another one is told it (`AT+CGDCONT`) and attaches anew.
    pub fn apn(mut self, apn: impl Into<String>) -> Self {
        self.apn = Some(apn.into());
        self
    }

    /// How long it may take altogether, 180 s unless set: a module that has been moved may search
    /// for minutes.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Is told how far it is, as it happens. It is called within the future that
    /// [`Modem::bring_up`] returns, so it must not block.
    pub fn on_progress(mut self, on_progress: impl FnMut(&Progress) + Send + 'static) -> Self {
        self.on_progress = Box::new(on_progress);
        self
    }
}

impl Default for BringUp {
    fn default() -> Self {
        Self {
            pin: None,
            apn: None,
            limit: Duration::from_secs(180),
            on_progress: Box::new(|_| {}),
        }
    }
}

impl fmt::Debug for BringUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BringUp")
            .field("pin", &self.pin)
            .field("apn", &self.apn)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// How far a module is.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Progress {
    /// How it is with the SIM; told when it changes.
    Sim(SimStatus),
    /// The PIN was entered, and accepted.
    PinAccepted,
    /// The module was told the access point.
    AccessPoint(String),
    /// The radio was off, and was switched on.
    RadioOn,
    /// The registration has changed.
    Registration(NetworkStatus),
    /// The signal, while the module is not registered yet.
    Signal(Signal),
    /// The module is attached to the packet network.
    Attached,
    /// The network has assigned an address.
    Address(IpAddr),
    /// The module has rebooted meanwhile, or the port was lost, and it begins anew.
    Restarted,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sim(SimStatus::Ready) => f.write_str("the SIM is ready"),
            Self::Sim(SimStatus::PinRequired) => f.write_str("the SIM asks for its PIN"),
            Self::Sim(SimStatus::PukRequired) => f.write_str("the SIM asks for its PUK"),
            Self::Sim(SimStatus::NotInserted) => f.write_str("no SIM"),
            Self::Sim(SimStatus::NotReady) => f.write_str("the SIM is busy"),
            Self::Sim(SimStatus::Failed) => f.write_str("the SIM does not work"),
            Self::Sim(SimStatus::Other(status)) => write!(f, "the SIM says {status}"),
            Self::PinAccepted => f.write_str("the PIN was accepted"),
            Self::AccessPoint(name) => write!(f, "the access point is {name}"),
            Self::RadioOn => f.write_str("the radio is switched on"),
            Self::Registration(status) => {
                f.write_str(registration_words(status.registration))?;
                match status.cell {
                    Some(Location { area, cell, .. }) => {
                        write!(f, ", area {area:04X}, cell {cell:08X}")
                    }
                    None => Ok(()),
                }
            }
            Self::Signal(signal) => f.write_str(&signal_words(*signal)),
            Self::Attached => f.write_str("attached to the packet network"),
            Self::Address(ip) => write!(f, "the address is {ip}"),
            Self::Restarted => f.write_str("the module has started anew"),
        }
    }
}

/// What a module that was brought up has got.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Network {
    /// The registration, at home or roaming, and the cell where the module tells it.
    pub status: NetworkStatus,
    /// How the module hears its cell.
    pub signal: Signal,
    /// Whose network it is, if the module tells.
    pub operator: Option<Operator>,
    /// The first address that the network has assigned; `None` from a module that does not tell.
    pub ip: Option<IpAddr>,
    /// How long it took.
    pub took: Duration,
}

impl Modem {
    /// Brings the module into the network: waits for the SIM and enters its PIN if it asks for
    /// one, sets the access point if one is given, switches the radio on, waits for the registration, at home or roaming, and for the
    /// attach and the address.
    ///
    /// The module is told to report changes of its registration with the cell (`AT+CEREG=2`), and
    /// is told so again after a reboot. So what changes is noticed at once; it is asked every 10 s
    /// as well, in case a report was lost, and every 2 s if it does not report. If it reboots
    /// meanwhile, or the port is lost and comes back, it begins anew within the same limit.
    ///
    /// Dropping the future leaves the module as far as it has come.
    ///
    /// # Errors
    /// See [`BringUpError`]: at which step, why, and how long it waited.
    pub async fn bring_up(&self, options: BringUp) -> Result<Network, BringUpError> {
        let began = Instant::now();
        let mut walk = Walk::new(self, options, began);
        match tokio::time::timeout_at(walk.deadline(), walk.run()).await {
            Ok(outcome) => outcome,
            Err(_) => Err(walk.out_of_time()),
        }
    }
}

fn registration_words(registration: Registration) -> &'static str {
    match registration {
        Registration::NotRegistered => "not registered, and not searching",
        Registration::Home => "registered at home",
        Registration::Searching => "searching for a network",
        Registration::Denied => "registration denied by the network",
        Registration::Unknown => "no network in reach",
        Registration::Roaming => "registered, roaming",
        Registration::HomeSmsOnly | Registration::RoamingSmsOnly => {
            "registered for short messages alone, not for data"
        }
        Registration::EmergencyOnly => "registered for emergency calls alone, not for data",
        Registration::HomeCsfbNotPreferred => "registered at home, calls by fallback not preferred",
        Registration::RoamingCsfbNotPreferred => {
            "registered, roaming, calls by fallback not preferred"
        }
        Registration::Other(_) => "in a state of registration that is not known",
    }
}

fn signal_words(signal: Signal) -> String {
    match (signal.rsrp_dbm, signal.rssi_dbm) {
        (Some(rsrp), Some(rssi)) => format!("signal {rssi} dBm, reference signal {rsrp} dBm"),
        (Some(rsrp), None) => format!("reference signal {rsrp} dBm"),
        (None, Some(rssi)) => format!("signal {rssi} dBm"),
        (None, None) => "no signal".into(),
    }
}
