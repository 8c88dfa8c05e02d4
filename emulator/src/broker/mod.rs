//! A small MQTT broker to run beside the emulated module: a bench for tests and demonstrations,
//! **not a product**.
//!
//! It speaks MQTT 3.1 and 3.1.1 on whatever carries its bytes: QoS 0 to 2 both ways, retained messages, wills,
//! wildcards, persistent sessions with a bounded queue, takeover of a client id, keep-alive, and
//! shared subscriptions (`$share/<group>/<filter>`, `$queue/<filter>`). It speaks no TLS, no
//! WebSocket and no MQTT 5, writes nothing to disk, and by default lets everyone in.
//!
//! [`Core`] is all of that without clock, socket or task.

mod authenticator;
mod close_reason;
mod codec;
mod core;
mod limits;
mod packet;
mod retained;
mod session;
mod splitter;
mod subscriptions;
mod topic;

pub use self::authenticator::{AcceptAll, Authenticator, ConnectReturnCode, Credentials};
pub use self::close_reason::{CloseReason, Violation};
pub use self::core::{ConnectionId, Core, Counters, Output};
pub use self::limits::Limits;
