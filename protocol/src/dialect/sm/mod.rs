//! `AT+SM…`: SIMCom SIM7070, SIM7080, SIM7090 and SIM7000 (reference `sm.md`).
//!
//! One connection. The final result code is the outcome of every command, and says nothing but
//! that it was done or was not. There are no packet identifiers.

mod command;
mod configuration;
mod connecting;
mod host;
mod keys;
mod models;
mod module;
mod power;
mod received;
mod request;
mod switches;
mod table;
#[cfg(test)]
mod tests;
mod tls;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

pub use models::{SIM7000, SIM7070, SIM7080, SIM7090};
pub(super) use table::COMMANDS as SPECS;

use super::{Dialect, Host, Model, Module, Power, Recognised, Switch, Value};
use crate::at::command::Command;
use crate::limits::Limits;
use crate::mqtt::ConnectionId;
use crate::spec::{Key, Spec};

/// The only connection.
const ID: ConnectionId = ConnectionId(0);

/// The packet data context that the connection goes over, by its number in 27.007.
const CID: u8 = 1;

/// The SM dialect, with what differs between firmwares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sm {
    /// How the bearer is switched on, and how the module reports it.
    pub bearer: Bearer,
    /// Whether `AT+SMCONF` has the key `SUBHEX`.
    pub sub_hex: bool,
    /// Whether `AT+SMCONF` has the key `ASYNCMODE`.
    pub async_mode: bool,
    /// Whether `AT+SMSTATE?` tells by 2 that the broker had a session.
    pub session_state: bool,
    /// Whether there are `AT+SMALIDYNA` and `AT+SMRCVSLPTM`.
    pub latest: bool,
}

/// How the bearer is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearer {
    /// By a number: `AT+CNACT=0,1` and `+APP PDP: 0,ACTIVE`.
    Indexed,
    /// There is one: `AT+CNACT=1` and `+APP PDP: ACTIVE`.
    Single,
}

impl Sm {
    /// SIM7070, SIM7080 and SIM7090.
    pub const DEFAULT: Self = Self {
        bearer: Bearer::Indexed,
        sub_hex: true,
        async_mode: true,
        session_state: true,
        latest: true,
    };

    /// SIM7000.
    pub const OLDER: Self = Self {
        bearer: Bearer::Single,
        sub_hex: true,
        async_mode: false,
        session_state: false,
        latest: false,
    };
}

impl Dialect for Sm {
    fn name(&self) -> &'static str {
        "SM"
    }

    fn models(&self) -> &'static [Model] {
        &models::ALL
    }

    fn recognised_by(&self) -> &'static str {
        "AT+SMCONF=?"
    }

    fn reports(&self) -> &'static [&'static str] {
        &received::BEGINNINGS
    }

    fn report<'l>(&self, line: &'l [u8]) -> Option<Recognised<'l>> {
        received::report(line)
    }

    fn switches(&self) -> &'static [Switch] {
        &switches::ALL
    }

    fn with(&self, switches: &[(&str, Value<'_>)]) -> Arc<dyn Dialect> {
        let mut dialect = self.clone();
        for (name, value) in switches {
            switches::set(&mut dialect, name, *value);
        }
        Arc::new(dialect)
    }

    fn specs(&self) -> &'static [Spec] {
        match self.latest {
            true => table::COMMANDS,
            false => {
                table::COMMANDS
                    .split_at(table::COMMANDS.len() - table::LATEST)
                    .0
            }
        }
    }

    fn has_key(&self, key: &Key) -> bool {
        match key.name {
            keys::SUBHEX => self.sub_hex,
            keys::ASYNCMODE => self.async_mode,
            _ => true,
        }
    }

    fn host(&self, limits: &Limits) -> Box<dyn Host> {
        Box::new(host::SmHost::new(self.clone(), limits.clone()))
    }

    fn module(&self, limits: &Limits) -> Box<dyn Module> {
        Box::new(module::SmModule::new(self.clone(), limits.clone()))
    }

    fn power(&self, line: &[u8]) -> Option<Power> {
        power::decode(line)
    }

    fn keeps_settings(&self) -> bool {
        true
    }

    fn farewell(&self) -> &'static str {
        power::DOWN
    }

    fn describe(&self, command: &Command<'_>, limits: &Limits) -> Vec<String> {
        if command.is(table::STATE) && !self.session_state {
            return vec![format!("{}: (0-1)", table::STATE)];
        }
        let spec = self.spec(command.name);
        spec.map_or_else(Vec::new, |spec| {
            spec.test_lines(limits, |key| self.has_key(key))
        })
    }
}
