//! The modules that speak SM, and what each accepts.

use core::time::Duration;

use super::Sm;
use crate::at::framing::DataEnd;
use crate::dialect::Model;
use crate::limits::Limits;

/// SIMCom SIM7070.
pub const SIM7070: Model = Model::new("SIM7070", &Sm::DEFAULT, LATEST);

/// SIMCom SIM7080.
pub const SIM7080: Model = Model::new("SIM7080", &Sm::DEFAULT, LATEST);

/// SIMCom SIM7090.
pub const SIM7090: Model = Model::new("SIM7090", &Sm::DEFAULT, LATEST);

/// SIMCom SIM7000.
pub const SIM7000: Model = Model::new("SIM7000", &Sm::OLDER, OLDER);

/// All of them.
pub(super) const ALL: [Model; 4] = [SIM7070, SIM7080, SIM7090, SIM7000];

/// SIM7070, SIM7080 and SIM7090 (reference `sm.md` 2 and 3).
const LATEST: Limits = Limits {
    connections: 1,
    // Inferred: the longest line is that of a will.
    command_line: 1536,
    host: 246,
    client_id: 128,
    username: 256,
    password: 512,
    topic: 128,
    will_payload: 1024,
    // There is no other way than the prompt.
    inline_payload: 0,
    prompt_payload: 1024,
    prompt_end: DataEnd::Length,
    // Inferred (`sm.md` 2).
    prompt_timeout: Duration::from_secs(10),
    // Inferred: four times what the manual lets a host publish. No source has it.
    received_payload: 4096,
    keep_alive: 65535,
};

/// SIM7000 (reference `sm.md` 2; what is not known is taken to be as with the others).
const OLDER: Limits = Limits {
    prompt_payload: 512,
    ..LATEST
};
