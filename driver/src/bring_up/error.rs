use std::fmt;
use std::time::Duration;

use atmq_protocol::standard::Registration;
use thiserror::Error;

use super::{registration_words, signal_words};
use crate::error::Error;
use crate::modem::Signal;

/// Why a module could not be brought up.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{reason}{}", waited_words(*.waited))]
#[non_exhaustive]
pub struct BringUpError {
    /// What stood in the way.
    pub reason: BringUpReason,
    /// How long it was waited for altogether.
    pub waited: Duration,
    /// Why a command failed, if that was the reason.
    #[source]
    pub source: Option<Error>,
}

/// What stood in the way of a module. What was waited for in vain is told as it was seen last.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum BringUpReason {
    /// There is no SIM.
    NoSim,
    /// The SIM is not ready, and the module gives another reason, if any.
    SimNotReady(Option<String>),
    /// The SIM asks for its PIN, and none was given.
    PinRequired,
    /// The SIM does not accept the PIN.
    PinRefused,
    /// The PIN was entered before and not seen to be accepted. It is not entered again.
    PinSpent,
    /// The PIN was wrong too often: the SIM asks for its PUK.
    PukRequired,
    /// The module does not take the access point, or no command can carry its name.
    AccessPointRefused,
    /// The radio is off, and cannot be switched on.
    RadioOff,
    /// The network does not let the module register.
    Denied,
    /// The module does not register.
    NotRegistered {
        /// The last state of its registration.
        registration: Registration,
        /// The last signal.
        signal: Signal,
    },
    /// The module is registered, but not attached to the packet network.
    NotAttached,
    /// The module is attached, but has no address.
    NoAddress,
    /// A command failed; the error's source tells why.
    Command,
}

/// Below this power of the reference signal, in dBm, or without one below that strength, a
/// failing registration is put down to the signal. Ours.
const WEAK_DBM: (i16, i16) = (-125, -109);

fn is_weak(signal: Signal) -> bool {
    match (signal.rsrp_dbm, signal.rssi_dbm) {
        (Some(rsrp), _) => rsrp < WEAK_DBM.0,
        (None, Some(rssi)) => rssi < WEAK_DBM.1,
        (None, None) => false,
    }
}

impl fmt::Display for BringUpReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSim => "no SIM",
            Self::SimNotReady(None) => "the SIM is not ready",
            Self::SimNotReady(Some(why)) => return write!(f, "the SIM is not ready ({why})"),
            Self::PinRequired => "the SIM asks for its PIN, and none was given",
            Self::PinRefused => "the SIM does not accept the PIN",
            Self::PinSpent => {
                "the PIN was entered before and not seen to be accepted, so it is not entered again"
            }
            Self::PukRequired => "the PIN was wrong too often, the SIM asks for its PUK",
            Self::AccessPointRefused => "the module does not take the access point",
            Self::RadioOff => "the radio cannot be switched on",
            Self::Denied => registration_words(Registration::Denied),
            Self::NotRegistered { signal, .. } if is_weak(*signal) => {
                return write!(f, "signal too weak: {}", signal_words(*signal));
            }
            Self::NotRegistered {
                registration,
                signal,
            } => {
                let words = registration_words(*registration);
                return write!(f, "not registered: {words}, {}", signal_words(*signal));
            }
            Self::NotAttached => "registered, but not attached to the packet network",
            Self::NoAddress => "attached, but the network has assigned no address",
            Self::Command => "a command failed on the way",
        })
    }
}

fn waited_words(waited: Duration) -> String {
    format!(", after {:.1} s", waited.as_secs_f64())
}
