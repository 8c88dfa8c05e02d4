//! `AT+CMQTT…`: SIMCom A76xx, SIM7500, SIM7600, SIM7800 and SIM767x (reference `cmqtt.md`).
//!
//! A service is started, which two clients share; each is acquired, connects, and is released.
//! Topics and payloads go behind prompts one after another. There are no packet identifiers, so a
//! client has one publish under way. A received message comes in several lines and counted blocks.

mod codes;
mod connecting;
mod host;
mod models;
mod module;
mod publishing;
mod receive;
mod report;
mod request;
mod switches;
mod table;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

pub use models::{A7670, SIM7600, SIM7672};
pub(super) use table::COMMANDS as SPECS;

use super::{Dialect, Host, Model, Module, Power, Recognised, Switch, Value};
use crate::at::command::Command;
use crate::at::parameter::ParameterError;
use crate::limits::Limits;
use crate::mqtt::ConnectionId;
use crate::spec::{Codes, Key, Spec};

/// In reports, the service that the clients share: none of the connections.
const SERVICE: ConnectionId = ConnectionId(u8::MAX);

/// The CMQTT dialect, with what differs between families and firmwares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cmqtt {
    /// Which commands there are, and how they are spelt.
    pub family: Family,
    /// Whether time limits of PUB and DISC are refused that are out of range. Hosts send such, and
    /// go on (seen in code; what modules make of them is inferred).
    pub strict_timeouts: bool,
    /// The most bytes of a received payload that are reported in one piece (seen in code).
    pub piece: usize,
}

/// Modules that spell the commands alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// A7600, A7670, A7672 and others with an `A`.
    A76xx,
    /// SIM7500, SIM7600, SIM7800.
    Sim76xx,
    /// SIM7670, SIM7672.
    Sim767x,
}

impl Cmqtt {
    /// Whether topics are collected before they are subscribed to.
    fn collects(&self) -> bool {
        self.family != Family::Sim767x
    }

    /// Whether commands may have their topic on the line (`argtopic`).
    fn has_one_line(&self) -> bool {
        self.family == Family::A76xx
    }

    /// The smallest time limit of PUB, and of DISC beside 0, in seconds.
    fn shortest_timeout(&self) -> u16 {
        match self.family {
            Family::A76xx => 1,
            Family::Sim76xx | Family::Sim767x => 60,
        }
    }

    /// Whether a time limit is taken.
    fn check_timeout(&self, seconds: u16, shortest: u16) -> Result<(), ParameterError> {
        if !self.strict_timeouts || (shortest..=LONGEST_TIMEOUT).contains(&seconds) {
            return Ok(());
        }
        Err(ParameterError::OutOfRange {
            name: "timeout",
            value: seconds.into(),
            min: shortest.into(),
            max: LONGEST_TIMEOUT.into(),
        })
    }

    /// Whether a command has a read form: that of SUB is not known of every family.
    fn reads(&self, spec: &Spec) -> bool {
        spec.read && (spec.name != table::SUB || self.family != Family::Sim76xx)
    }
}

/// The longest time limit of PUB and DISC, in seconds.
const LONGEST_TIMEOUT: u16 = 180;

impl Dialect for Cmqtt {
    fn name(&self) -> &'static str {
        "CMQTT"
    }

    fn models(&self) -> &'static [Model] {
        &models::ALL
    }

    fn recognised_by(&self) -> &'static str {
        "AT+CMQTTCONNECT=?"
    }

    fn reports(&self) -> &'static [&'static str] {
        &report::BEGINNINGS
    }

    fn report<'l>(&self, line: &'l [u8]) -> Option<Recognised<'l>> {
        report::decode(line).map(Recognised::Known)
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
        let (all, end) = (table::COMMANDS, table::COMMANDS.len() - table::COLLECTING);
        match self.collects() {
            true => all,
            false => all.split_at(end).0,
        }
    }

    fn has_key(&self, key: &Key) -> bool {
        match key.name {
            "aliauth" => self.family != Family::Sim767x,
            "version" => self.family != Family::Sim76xx,
            "argtopic" => self.has_one_line(),
            "cid" | "scid" => self.family == Family::Sim767x,
            _ => true,
        }
    }

    fn codes(&self) -> &'static [&'static Codes] {
        codes::ALL
    }

    fn host(&self, limits: &Limits) -> Box<dyn Host> {
        Box::new(host::CmqttHost::new(self.clone(), limits.clone()))
    }

    fn module(&self, limits: &Limits) -> Box<dyn Module> {
        Box::new(module::CmqttModule::new(self.clone(), limits.clone()))
    }

    fn power(&self, line: &[u8]) -> Option<Power> {
        // What a UART catches while it is switched on stands in front.
        let noise = line.iter().take_while(|byte| !byte.is_ascii_graphic());
        match &line[noise.count()..] {
            b"*ATREADY: 1" | b"RDY" => Some(Power::Started),
            line if line == self.farewell().as_bytes() => Some(Power::Down),
            _ => None,
        }
    }

    /// Seen on other modules of this maker (inferred).
    fn farewell(&self) -> &'static str {
        "NORMAL POWER DOWN"
    }

    fn sends_server_name(&self) -> bool {
        false
    }

    fn asks_for_payload(&self, command: &Command<'_>) -> bool {
        let request = request::decode(self, command, &A7670.limits);
        matches!(
            request,
            Ok((
                _,
                request::Request::Take(..) | request::Request::PublishTo { .. }
            ))
        )
    }

    fn describe(&self, command: &Command<'_>, limits: &Limits) -> Vec<String> {
        let Some(spec) = self.spec(command.name) else {
            return Vec::new();
        };
        let only = |values: &str| [format!("{}: {values}", spec.name)].to_vec();
        match (spec.name, self.family) {
            // It takes none there.
            (table::START, Family::A76xx | Family::Sim76xx) => Vec::new(),
            (table::ACCQ, Family::Sim76xx) => only("(0-1),(1-128),(0-1),(3-4)"),
            (table::CONNECT, Family::Sim76xx) => only("(0-1),(9-256),(1-64800),(0-1)"),
            (table::DISC, Family::Sim76xx | Family::Sim767x) => only("(0-1),(0,60-180)"),
            (table::PUB, Family::Sim76xx | Family::Sim767x) => {
                only("(0-1),(0-2),(60-180),(0-1),(0-1)")
            }
            (table::PAYLOAD, _) => only(&format!("(0-1),(1-{})", limits.prompt_payload)),
            (table::CFG, Family::A76xx) => spec
                .test_lines(limits, |key| self.has_key(key))
                .into_iter()
                // The manual prints it so.
                .map(|line| line.replace("\"optimeout\"", "\"optimeout \""))
                .collect(),
            _ => spec.test_lines(limits, |key| self.has_key(key)),
        }
    }
}
