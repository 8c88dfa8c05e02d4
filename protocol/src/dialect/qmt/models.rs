//! The modules that speak QMT, and what each accepts (reference `qmt.md` 1, 4.6 and 11).

use core::time::Duration;

use super::Qmt;
use super::switches::{Extended, KeySet, TestForms, WhenClosed};
use crate::at::framing::DataEnd;
use crate::dialect::Model;
use crate::limits::Limits;

/// Quectel EC25, and EC20, EC21, EG25 with the same notes.
pub const EC25: Model = Model::new(
    "EC25",
    &Qmt {
        keys: KeySet::Standard,
        test_forms: TestForms::Derived,
        defaults_to_3_1: true,
        contexts: 16,
        ..Qmt::DEFAULT
    },
    LTE_STANDARD,
);

/// Quectel EC200x.
pub const EC200: Model = Model::new("EC200", &Qmt::DEFAULT, LTE_STANDARD);

/// Quectel EC800M.
pub const EC800M: Model = Model::new("EC800M", &Qmt::DEFAULT, LTE_STANDARD);

/// Quectel EG800K and EG800AK.
pub const EG800K: Model = Model::new("EG800K", &EG800K_DIALECT, LTE_STANDARD);

/// Quectel BG96.
pub const BG96: Model = Model::new(
    "BG96",
    &Qmt {
        keys: KeySet::First,
        test_forms: TestForms::Bg96,
        publish_extended: Extended::No,
        buffers: false,
        publish_length: false,
        refused_status: 4,
        defaults_to_3_1: true,
        contexts: 16,
        ..BG
    },
    Limits {
        prompt_payload: 1548,
        prompt_end: DataEnd::ControlCharacters,
        ..LTE_STANDARD
    },
);

/// Quectel BG95, BG77 and BG600L.
pub const BG95: Model = Model::new("BG95", &BG, BG95_LIMITS);

/// The same.
const BG77: Model = Model::new("BG77-", &BG, BG95_LIMITS);

/// Quectel BG770A.
pub const BG770A: Model = Model::new(
    "BG770A",
    &Qmt {
        test_forms: TestForms::Bg770a,
        publish_extended: Extended::No,
        contexts: 5,
        ..BG
    },
    LTE_STANDARD,
);

/// All of them.
pub(super) const ALL: [Model; 17] = [
    EC25,
    Model {
        name: "EC21",
        ..EC25
    },
    Model {
        name: "EG25",
        ..EC25
    },
    Model {
        name: "EG915",
        ..EC200
    },
    Model {
        name: "EG91",
        ..EC25
    },
    Model {
        name: "EG95",
        ..EC25
    },
    Model {
        name: "EC600",
        ..EC200
    },
    EC800M,
    Model {
        name: "EC800",
        ..EC200
    },
    EC200,
    Model {
        name: "EC20",
        ..EC25
    },
    EG800K,
    Model {
        name: "EG800AK",
        ..EG800K
    },
    BG96,
    BG95,
    BG77,
    BG770A,
];

const EG800K_DIALECT: Qmt = Qmt {
    keys: KeySet::Eg800k,
    test_forms: TestForms::Eg800k,
    publish_prompt: false,
    reports_elsewhere: true,
    ping_urc: true,
    ..Qmt::DEFAULT
};

/// The family F2.
const BG: Qmt = Qmt {
    keys: KeySet::Buffered,
    test_forms: TestForms::Derived,
    publish_length: true,
    publish_extended: Extended::Inline,
    when_closed: WhenClosed::Error,
    urc_port: false,
    ..Qmt::DEFAULT
};

/// Lengths are those of the LTE Standard notes where others are not stated; client id, user name
/// and password are EC200U's.
const LTE_STANDARD: Limits = Limits {
    connections: 6,
    // Inferred: nothing states it.
    command_line: 4096,
    host: 100,
    client_id: 256,
    username: 256,
    password: 256,
    topic: 255,
    will_payload: 255,
    inline_payload: 0,
    prompt_payload: 4096,
    prompt_end: DataEnd::Length,
    // Most firmwares wait for ever; this is how long a host takes them to (inferred).
    prompt_timeout: Duration::from_secs(30),
    // Inferred: four times what a host may publish. No source has it.
    received_payload: 16_384,
    keep_alive: 3600,
};

const BG95_LIMITS: Limits = Limits {
    inline_payload: 560,
    ..LTE_STANDARD
};
