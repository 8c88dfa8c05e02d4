//! The modules that speak it, and what each accepts (reference `cmqtt.md` 1).

use core::time::Duration;

use super::{Cmqtt, Family};
use crate::at::framing::DataEnd;
use crate::dialect::Model;
use crate::limits::Limits;

/// A7670, and what is built like it.
pub const A7670: Model = Model::new("A7670", &Cmqtt::DEFAULT, LIMITS);

/// SIM7600, and what is built like it.
pub const SIM7600: Model = Model::new("SIM7600", &Cmqtt::SIM76XX, LIMITS);

/// SIM7672, and what is built like it.
pub const SIM7672: Model = Model::new("SIM7672", &Cmqtt::SIM767X, SIM767X_LIMITS);

/// All of them.
pub(super) const ALL: [Model; 10] = [
    A7670,
    SIM7600,
    SIM7672,
    Model::new("A7600", &Cmqtt::DEFAULT, LIMITS),
    Model::new("A7608", &Cmqtt::DEFAULT, LIMITS),
    Model::new("A7672", &Cmqtt::DEFAULT, LIMITS),
    Model::new("A7680", &Cmqtt::DEFAULT, LIMITS),
    Model::new("SIM7500", &Cmqtt::SIM76XX, LIMITS),
    Model::new("SIM7800", &Cmqtt::SIM76XX, LIMITS),
    Model::new("SIM7670", &Cmqtt::SIM767X, SIM767X_LIMITS),
];

impl Cmqtt {
    /// A76xx, as decided where the manual and the sources disagree.
    pub const DEFAULT: Self = Self {
        family: Family::A76xx,
        strict_timeouts: false,
        piece: 1500,
    };

    /// SIM7500, SIM7600, SIM7800.
    pub const SIM76XX: Self = Self {
        family: Family::Sim76xx,
        ..Self::DEFAULT
    };

    /// SIM767x.
    pub const SIM767X: Self = Self {
        family: Family::Sim767x,
        ..Self::DEFAULT
    };
}

const LIMITS: Limits = Limits {
    connections: 2,
    // Inferred: nothing states it. The one-line forms have up to 500 bytes of topic.
    command_line: 1024,
    // The address has 256 bytes, with `tcp://` and the port.
    host: 244,
    client_id: 128,
    // Inferred: no source has a limit of user name and password.
    username: 256,
    password: 256,
    topic: 1024,
    will_payload: 1024,
    inline_payload: 0,
    prompt_payload: 10240,
    prompt_end: DataEnd::Length,
    // Inferred: A76xx is believed to leave the prompt after a while.
    prompt_timeout: Duration::from_secs(30),
    received_payload: 10240,
    keep_alive: 64800,
};

const SIM767X_LIMITS: Limits = Limits {
    prompt_payload: 4096,
    ..LIMITS
};
