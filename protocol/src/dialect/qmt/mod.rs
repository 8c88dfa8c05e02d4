//! `AT+QMT…`: Quectel's LTE Standard and BG modules (reference `qmt.md`, families F1 and F2).
//!
//! One grammar, and what differs between modules is data: how a message is published, which keys
//! there are, what test forms answer, what a close comes to.

mod captured;
mod codes;
mod connecting;
mod host;
mod information;
mod intent;
mod keys;
mod models;
mod module;
mod power;
mod publishing;
mod received;
mod request;
mod setting;
mod switches;
mod table;
#[cfg(test)]
mod tests;
mod tls;
mod urc;

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

pub use models::{BG95, BG96, BG770A, EC25, EC200, EC800M, EG800K};
pub use switches::{Extended, KeySet, TestForms, WhenClosed};
pub(super) use table::COMMANDS as SPECS;

use super::{Dialect, Host, Model, Module, Power, Recognised, Switch, Value};
use crate::at::command::{Command, Form};
use crate::at::parameter::Parameters;
use crate::limits::Limits;
use crate::spec::{Codes, Key, Spec};

/// The QMT dialect, with what differs between modules and firmwares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Qmt {
    /// Which keys `AT+QMTCFG` has.
    pub keys: KeySet,
    /// What answers test forms.
    pub test_forms: TestForms,
    /// Whether `AT+QMTPUB` without a length asks for the payload, which Ctrl-Z ends.
    pub publish_prompt: bool,
    /// Whether `AT+QMTPUB` takes a length, and then so many bytes.
    pub publish_length: bool,
    /// What `AT+QMTPUBEX` takes.
    pub publish_extended: Extended,
    /// Whether received messages can wait in the module: `recv/mode` and `AT+QMTRECV`.
    pub buffers: bool,
    /// Messages that a connection keeps with `recv/mode` 1.
    pub cache_slots: usize,
    /// Whether a received payload stands on the next line unless `view/mode` says otherwise.
    pub payload_on_next_line: bool,
    /// Whether the answer to a subscribe shows what was granted for each topic, not one value.
    pub granted_vector: bool,
    /// What CLOSE and DISC come to on an id that is not open.
    pub when_closed: WhenClosed,
    /// What `+QMTSTAT` tells behind a DISC; 0 if nothing.
    pub disconnect_status: u8,
    /// What `+QMTSTAT` tells when the broker closes the link of a client that it has refused.
    pub refused_status: u8,
    /// Whether `+QMTPING` tells of a ping that was not answered, before `+QMTSTAT` does.
    pub ping_urc: bool,
    /// Whether msgID is 0 with QoS 0 and nowhere else; a breach is an error.
    pub strict_message_ids: bool,
    /// Whether the version is MQTT 3.1 unless the host sets another.
    pub defaults_to_3_1: bool,
    /// The highest packet data context of `pdpcid`.
    pub contexts: u8,
    /// Whether there is `AT+QURCCFG`, which says on which port the module reports.
    pub urc_port: bool,
    /// Whether the module reports on another port until `AT+QURCCFG` says otherwise.
    pub reports_elsewhere: bool,
}

impl Qmt {
    /// A module of the LTE Standard family.
    pub const DEFAULT: Self = Self {
        keys: KeySet::Newer,
        test_forms: TestForms::Lte,
        publish_prompt: true,
        publish_length: false,
        publish_extended: Extended::Length,
        buffers: true,
        cache_slots: 5,
        payload_on_next_line: false,
        granted_vector: false,
        when_closed: WhenClosed::Done,
        disconnect_status: 0,
        refused_status: 1,
        ping_urc: false,
        strict_message_ids: true,
        defaults_to_3_1: false,
        contexts: 15,
        urc_port: true,
        reports_elsewhere: false,
    };

    /// Whether payloads can be written in hexadecimal digits.
    fn has_hex(&self) -> bool {
        self.keys >= KeySet::Standard
    }
}

impl Dialect for Qmt {
    fn name(&self) -> &'static str {
        "QMT"
    }

    fn models(&self) -> &'static [Model] {
        &models::ALL
    }

    fn recognised_by(&self) -> &'static str {
        "AT+QMTCFG=?"
    }

    fn reports(&self) -> &'static [&'static str] {
        &urc::BEGINNINGS
    }

    fn report<'l>(&self, line: &'l [u8]) -> Option<Recognised<'l>> {
        urc::report(line)
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

    /// What not all modules have stands at the ends of the table.
    fn specs(&self) -> &'static [Spec] {
        let first = match (self.urc_port, self.publish_extended) {
            (true, _) => 0,
            (false, Extended::No) => 2,
            (false, _) => 1,
        };
        let last = table::COMMANDS.len() - usize::from(!self.buffers);
        &table::COMMANDS[first..last]
    }

    fn has_key(&self, key: &Key) -> bool {
        self.keys >= keys::since(key.name)
    }

    fn has_urc(&self, name: &str) -> bool {
        match name {
            table::PUBEX => self.publish_extended == Extended::Length,
            urc::PING => self.ping_urc,
            _ => true,
        }
    }

    fn codes(&self) -> &'static [&'static Codes] {
        codes::ALL
    }

    fn host(&self, limits: &Limits) -> Box<dyn Host> {
        Box::new(host::QmtHost::new(self.clone(), limits.clone()))
    }

    fn module(&self, limits: &Limits) -> Box<dyn Module> {
        Box::new(module::QmtModule::new(self.clone(), limits.clone()))
    }

    fn power(&self, line: &[u8]) -> Option<Power> {
        power::decode(line)
    }

    fn asks_for_payload(&self, command: &Command<'_>) -> bool {
        let Form::Set(values) = command.form else {
            return false;
        };
        let values = Parameters::new(values);
        if command.is(table::PUB) || command.is(table::PUBEX) {
            return matches!(values.count(), 5 | 6);
        }
        let willex =
            |key: crate::at::parameter::Parameter<'_>| key.bytes().eq_ignore_ascii_case(b"willex");
        command.is(table::CFG) && values.clone().next().is_some_and(willex) && values.count() == 7
    }

    fn keeps_settings(&self) -> bool {
        true
    }

    fn farewell(&self) -> &'static str {
        power::DOWN
    }

    fn describe(&self, command: &Command<'_>, limits: &Limits) -> Vec<String> {
        let Some(spec) = self.spec(command.name) else {
            return Vec::new();
        };
        let captured = captured::lines(self.test_forms, spec.name);
        let captured: Vec<_> = captured.iter().map(|line| (*line).to_owned()).collect();
        if !captured.is_empty() {
            return captured;
        }
        spec.test_lines(limits, |key| self.has_key(key))
    }
}
