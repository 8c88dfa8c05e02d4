//! The command sets of the module families.
//!
//! A [`Dialect`] holds both directions of one family: what the host encodes is what the module
//! decodes, from one definition. Plain data tells look-alikes apart.

pub mod cmqtt;
mod error;
mod host;
pub mod lmqtt;
mod module;
pub mod qmt;
mod shared;
pub mod sm;
mod switch;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

pub use cmqtt::Cmqtt;
pub use error::{DecodeError, EncodeError};
pub use host::{
    Answer, Ask, Caching, Commanded, Course, Data, Expected, Follow, Host, IfRefused, Next, Plan,
    Probe, Prompt, Recognised, Reported, Said, Step, StepEnd, Then, done_or_failed,
};
pub use lmqtt::{CacheOverflow, HexLength, Lmqtt, PublishExtendedUrc, UnsubscribeUrc};
pub use module::{Act, Event, Face, Finish, Ground, Module, NoData, Refused, Report};
pub use qmt::Qmt;
pub use sm::Sm;
pub use switch::{Choice, Switch, Value};

use crate::at::command::{Command, Form};
use crate::at::parameter::Parameters;
use crate::limits::Limits;
use crate::spec::{Codes, Key, Spec};

/// What a module prints about its power, asked by nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// It has started: its connections and what it was told are gone.
    Started,
    /// The same, in words that also stand in answers, such as the maker's name: it counts only
    /// where nothing answers.
    Banner,
    /// It switches itself off.
    Down,
}

/// A module model: which command set it has, and what it accepts.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Model {
    /// What the module calls itself, or a part of that.
    pub name: &'static str,
    /// Its command set.
    pub dialect: &'static dyn Dialect,
    /// What it accepts.
    pub limits: Limits,
}

impl Model {
    /// A model of a command set, perhaps of one that is not among [`ALL`].
    pub const fn new(name: &'static str, dialect: &'static dyn Dialect, limits: Limits) -> Self {
        Self {
            name,
            dialect,
            limits,
        }
    }
}

/// Every command set.
pub const ALL: [&dyn Dialect; 4] = [
    &Lmqtt::DEFAULT,
    &Cmqtt::DEFAULT,
    &Qmt::DEFAULT,
    &Sm::DEFAULT,
];

/// Their commands, with everything in which firmwares differ.
pub(crate) const SPECS: [&[Spec]; 4] = [lmqtt::SPECS, cmqtt::SPECS, qmt::SPECS, sm::SPECS];

/// A module of which nothing is known gets the narrowest limits.
pub const UNKNOWN: Model = lmqtt::NT26;

/// The module that calls itself so (`AT+CGMM`), if one is known by that name: of several names in it
/// the longest, as an `EC200U` is an `EC200` and no `EC20`.
pub fn of_model(name: &str) -> Option<Model> {
    let models = ALL.iter().flat_map(|dialect| dialect.models());
    let known = models.filter(|model| name.contains(model.name));
    known.max_by_key(|model| model.name.len()).cloned()
}

/// A module of which only the command set is known: it accepts what every model with that command
/// set does.
pub fn any_model(dialect: &'static dyn Dialect) -> Model {
    let limits = dialect.models().iter().map(|model| model.limits.clone());
    let limits = limits.reduce(|some, other| some.common(&other));
    let limits = limits.unwrap_or(UNKNOWN.limits);
    Model::new(dialect.name(), dialect, limits)
}

/// The command set that users call so, in whatever letter case.
pub fn by_name(name: &str) -> Option<&'static dyn Dialect> {
    let mut all = ALL.into_iter();
    all.find(|dialect| dialect.name().eq_ignore_ascii_case(name))
}

/// The AT commands and result codes by which one family of modules speaks MQTT.
pub trait Dialect: fmt::Debug + Send + Sync {
    /// What users call it, such as `LMQTT`.
    fn name(&self) -> &'static str;

    /// The modules that speak it.
    fn models(&self) -> &'static [Model];

    /// A test command that only a module with this command set answers otherwise than with an
    /// error; its answer begins with the name. Without carriage return.
    fn recognised_by(&self) -> &'static str;

    /// What the lines begin with by which a module reports something, for people who wait for one.
    fn reports(&self) -> &'static [&'static str] {
        &[]
    }

    /// Reads a line as a report without knowing what the module was told before; `None` if it is
    /// none.
    fn report<'l>(&self, _line: &'l [u8]) -> Option<Recognised<'l>> {
        None
    }

    /// In what firmwares differ, and what of that can be chosen.
    fn switches(&self) -> &'static [Switch] {
        &[]
    }

    /// The same dialect with these switches, by their names; what is no value of a switch, and what
    /// is not named, stays as it is.
    fn with(&self, switches: &[(&str, Value<'_>)]) -> Arc<dyn Dialect>;

    /// The commands that this firmware has.
    fn specs(&self) -> &'static [Spec];

    /// Whether this firmware has a key of one of its commands.
    fn has_key(&self, _key: &Key) -> bool {
        true
    }

    /// Whether this firmware calls a line so that it sends by itself; others of the same dialect may
    /// call it otherwise.
    fn has_urc(&self, _name: &str) -> bool {
        true
    }

    /// What the lines begin with that this firmware sends by itself, outcomes among them, from the
    /// table and from [`reports`](Self::reports): each once, in the order of the alphabet.
    fn urcs(&self) -> Vec<&'static str> {
        let specs = self.specs().iter().flat_map(Spec::unsolicited);
        let all = specs.chain(self.reports().iter().copied());
        let mut urcs: Vec<_> = all.filter(|urc| self.has_urc(urc)).collect();
        urcs.sort_unstable();
        urcs.dedup();
        urcs
    }

    /// Where its numbers have a meaning of their own.
    fn codes(&self) -> &'static [&'static Codes] {
        &[]
    }

    /// The command of this name, in whatever letter case, if this firmware has it.
    fn spec(&self, name: &[u8]) -> Option<&'static Spec> {
        self.specs().iter().find(|spec| spec.is(name))
    }

    /// The host's face, for a module with these limits.
    fn host(&self, limits: &Limits) -> Box<dyn Host>;

    /// The module's face, for a module with these limits that has just started.
    fn module(&self, limits: &Limits) -> Box<dyn Module>;

    /// Host: reads a line as what a module prints when it starts or switches itself off; `None`
    /// if it is no such line.
    fn power(&self, line: &[u8]) -> Option<Power>;

    /// Module: whether a command of this name belongs to the dialect. Such a command owns the
    /// rest of its command line.
    fn owns(&self, name: &[u8]) -> bool {
        self.spec(name).is_some()
    }

    /// Module: whether a command, if it is good, is answered by a prompt for a payload.
    fn asks_for_payload(&self, command: &Command<'_>) -> bool {
        let Form::Set(parameters) = command.form else {
            return false;
        };
        self.spec(command.name).is_some_and(|spec| {
            let data = spec
                .data
                .filter(|data| !matches!(data.prompt, Prompt::Line(_)));
            let before = data.map(|data| data.inline.unwrap_or(spec.parameters.len()));
            before == Some(Parameters::new(parameters).count())
        })
    }

    /// Module: whether the settings of a connection outlive its link.
    fn keeps_settings(&self) -> bool {
        false
    }

    /// Module: whether a TLS context that nobody has set up sends the host's name in the handshake.
    /// Ours unless a set says otherwise: brokers behind one address need it.
    fn sends_server_name(&self) -> bool {
        true
    }

    /// Module: what it says before it switches itself off.
    fn farewell(&self) -> &'static str;

    /// Module: the lines that answer the test form of a command that the dialect owns.
    fn describe(&self, command: &Command<'_>, limits: &Limits) -> Vec<String> {
        let spec = self.spec(command.name);
        spec.map_or_else(Vec::new, |spec| {
            spec.test_lines(limits, |key| self.has_key(key))
        })
    }
}
