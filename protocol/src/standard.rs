//! The commands that hosts send around MQTT: V.250, 3GPP TS 27.007, and the makers' identity
//! commands (reference `lmqtt.md` 1.10).

mod clock;
mod information;
mod operator;
mod registration;
mod request;
mod signal;
mod sim;
mod urc;

pub use clock::Clock;
pub use information::StandardInformation;
pub use operator::{Operator, OperatorFormat, OperatorSelection};
pub use registration::{Location, Registration, RegistrationChanged, RegistrationDomain};
pub use request::{SerialNumber, StandardRequest};
pub use signal::{ExtendedSignalQuality, SignalQuality};
pub use sim::{Pin, PinError, SimStatus};
pub use urc::StandardUrc;
