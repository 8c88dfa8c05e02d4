//! The modules that speak LMQTT, and what each accepts.

use core::time::Duration;

use super::Lmqtt;
use crate::at::framing::DataEnd;
use crate::dialect::Model;
use crate::limits::Limits;

/// Lierda NT35E.
pub const NT35E: Model = Model::new("NT35E", &Lmqtt::DEFAULT, NT35E_LIMITS);

/// Lierda NT26E-CN and NT26-KCN.
pub const NT26: Model = Model::new("NT26", &Lmqtt::DEFAULT, NT26_LIMITS);

/// All of them.
pub(super) const ALL: [Model; 2] = [NT35E, NT26];

/// Lierda NT35E (reference: article S, "What S adds for NT35E"; `lmqtt.md` 1.2).
const NT35E_LIMITS: Limits = Limits {
    connections: 5,
    command_line: 4096,
    host: 100,
    client_id: 256,
    username: 256,
    password: 256,
    topic: 256,
    will_payload: 256,
    inline_payload: 1460,
    prompt_payload: 8000,
    prompt_end: DataEnd::Length,
    // Inferred (`lmqtt.md` 1.7).
    prompt_timeout: Duration::from_secs(30),
    // Inferred: four times what the manual lets a host publish. No source has it.
    received_payload: 32_000,
    keep_alive: 3600,
};

/// Lierda NT26E-CN and NT26-KCN (reference `lmqtt.md` 1.2).
const NT26_LIMITS: Limits = Limits {
    connections: 1,
    inline_payload: 1024,
    ..NT35E_LIMITS
};
