//! The commands that hosts send around MQTT: V.250, 3GPP TS 27.007, and Lierda's identity
//! commands (reference `lmqtt.md` 1.10).

mod information;
mod registration;
mod request;

pub use information::{Clock, SignalQuality, SimStatus, StandardInformation};
pub use registration::{Location, Registration, RegistrationChanged, RegistrationDomain};
pub use request::{SerialNumber, StandardRequest};
