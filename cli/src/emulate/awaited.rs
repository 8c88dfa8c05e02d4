//! What `wait` waits for.

use std::fmt;
use std::time::Instant;

use atmq_emulator::modem::{ArmedFault, FaultError, Modem};
use atmq_protocol::mqtt::ConnectionState;
use clap::Subcommand;

use super::faults::in_words;
use super::status::{registration_name, state_name};
use super::values::{connection, messages};

/// A state of the module that can be waited for.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(super) enum Awaited {
    /// the module is registered with the network
    Registered,
    /// the broker has accepted a connection, or this one
    Connected {
        #[arg(value_parser = connection)]
        connection: Option<u8>,
    },
    /// no connection is open, or this one is not
    Closed {
        #[arg(value_parser = connection)]
        connection: Option<u8>,
    },
    /// the host has published so many messages since the module was made
    Published {
        #[arg(value_parser = messages, default_value = "1")]
        count: u64,
    },
    /// no fault has still to happen; one without end has happened once
    Faults,
    /// so many messages have come from brokers since the module was made
    Received {
        #[arg(value_parser = messages, default_value = "1")]
        count: u64,
    },
}

impl Awaited {
    /// Refuses what can never be.
    pub(super) fn check(self, modem: &Modem) -> Result<(), FaultError> {
        let connections = modem.profile().limits.connections;
        match self.connection() {
            Some(connection) if connection >= connections => {
                let last = connections.saturating_sub(1);
                Err(FaultError::NoConnection { connection, last })
            }
            _ => Ok(()),
        }
    }

    fn connection(self) -> Option<u8> {
        match self {
            Self::Connected { connection } | Self::Closed { connection } => connection,
            Self::Registered | Self::Published { .. } | Self::Faults | Self::Received { .. } => {
                None
            }
        }
    }

    /// Whether the module is so.
    pub(super) fn is_so(self, modem: &Modem) -> bool {
        let connections = modem.connections().into_iter();
        let mut meant =
            connections.filter(|open| self.connection().is_none_or(|id| id == open.id.0));
        match self {
            Self::Registered => modem.own_registration().is_registered(),
            Self::Connected { .. } => meant.any(|open| open.state == ConnectionState::Connected),
            Self::Closed { .. } => meant.next().is_none(),
            Self::Published { count } => modem.messages().published >= count,
            Self::Received { count } => modem.messages().received >= count,
            Self::Faults => pending(modem).next().is_none(),
        }
    }

    /// How it stands with that instead.
    pub(super) fn instead(self, modem: &Modem) -> String {
        match self {
            Self::Registered => format!(
                "the registration is {}",
                registration_name(modem.own_registration())
            ),
            Self::Connected { .. } | Self::Closed { .. } => {
                let open = modem.connections();
                let open = open.iter();
                let open: Vec<_> = open
                    .map(|open| format!("{} is {}", open.id.0, state_name(open.state)))
                    .collect();
                match open.is_empty() {
                    true => "no connection is open".to_owned(),
                    false => format!("connection {}", open.join(", ")),
                }
            }
            Self::Published { .. } => format!("{} published", modem.messages().published),
            Self::Received { .. } => format!("{} received", modem.messages().received),
            Self::Faults => {
                let now = Instant::now();
                let waiting: Vec<_> = pending(modem).map(|armed| in_words(armed, now)).collect();
                format!("still to happen: {}", waiting.join("; "))
            }
        }
    }
}

/// The faults that have still to happen, of those without end the ones that never have.
fn pending(modem: &Modem) -> impl Iterator<Item = &ArmedFault> {
    let faults = modem.faults();
    faults.filter(|armed| armed.left().is_some() || armed.happened == 0)
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registered => f.write_str("registered"),
            Self::Connected { .. } => f.write_str("connected"),
            Self::Closed { .. } => f.write_str("closed"),
            Self::Published { count } => write!(f, "published {count}"),
            Self::Received { count } => write!(f, "received {count}"),
            Self::Faults => f.write_str("faults"),
        }?;
        match self.connection() {
            Some(id) => write!(f, " {id}"),
            None => Ok(()),
        }
    }
}
