//! The MQTT vocabulary that driver and emulator speak, whatever the dialect.
//!
//! A host wants an [`Operation`], which comes to an [`Outcome`]. Whoever listens to the commands
//! reads an [`Intent`] in each. What the module reports of them, and of what happens by itself, is
//! a [`Urc`].

mod cloud;
mod connect;
mod intent;
mod operation;
mod tls;
mod topic;
mod urc;

use core::fmt;

pub use cloud::{AliDevice, Registration, SignMethod};
pub use connect::{Connect, PayloadFormat, Pem, Timeouts, TlsSetUp, TlsUse, Version, Will};
pub use intent::{Change, Intent, Queried};
pub use operation::{Operation, Outcome, Publish, TopicFilter};
pub use tls::{MAX_FILE, SecurityLevel, TlsKey, TlsSetting, TlsVersion};
pub use topic::{TopicError, check_filter, check_topic, split_filter};
pub use urc::{
    Connected, ConnectionState, LinkStatus, OpenFailure, Proof, PublishResult, Reason, ReasonKind,
    Refusal, SubscriptionChange, Urc,
};

/// One of the module's connections, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ConnectionId(pub u8);

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// MQTT quality of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum QoS {
    /// 0: at most once.
    #[default]
    AtMostOnce = 0,
    /// 1: at least once.
    AtLeastOnce = 1,
    /// 2: exactly once.
    ExactlyOnce = 2,
}

impl QoS {
    /// From the number on the wire; `None` above 2.
    pub fn from_level(level: u8) -> Option<Self> {
        match level {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }

    /// The number on the wire.
    pub fn level(self) -> u8 {
        self as u8
    }
}
