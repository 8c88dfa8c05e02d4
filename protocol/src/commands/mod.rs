//! The commands that belong to no dialect, by who has defined them.
//!
//! rustfmt skips the tables here and in the dialects: it would give each value a line.

pub mod ts27005;
pub mod ts27007;
pub mod v250;
pub mod vendor;

pub use vendor::HTTP_KEYS;

use crate::spec::{Codes, Spec};
use vendor::{eigencomm, nordic, quectel};

/// The commands of the modules that speak one of our dialects.
pub const ALL: [&[Spec]; 7] = [
    v250::COMMANDS,
    ts27007::COMMANDS,
    ts27007::NETWORK,
    vendor::MODULE,
    eigencomm::COMMANDS,
    vendor::HTTP,
    ts27005::COMMANDS,
];

/// Commands that none of those modules has: hosts send them even so.
pub const ELSEWHERE: [&[Spec]; 3] = [ts27007::ELSEWHERE, quectel::COMMANDS, nordic::COMMANDS];

/// The numbers of errors that belong to no dialect.
pub const CODES: [&Codes; 3] = [&Codes::CME, &Codes::CMS, &vendor::HTTP_CODES];

/// Every command of the modules that speak one of our dialects.
pub fn all() -> impl Iterator<Item = &'static Spec> {
    ALL.into_iter().flatten()
}

/// The one of this name among [`all`], in whatever letter case.
pub fn find(name: &[u8]) -> Option<&'static Spec> {
    all().find(|spec| spec.is(name))
}
