//! The commands that belong to no dialect, by who has defined them.
//!
//! rustfmt skips the tables here and in the dialects: it would give each value a line.

pub mod ts27005;
pub mod ts27007;
pub mod v250;
pub mod vendor;

use alloc::boxed::Box;

use crate::dialect::Face;
use crate::limits::Limits;
use crate::spec::{Codes, Spec};
use vendor::{eigencomm, lierda, nordic, quectel, simcom};

/// Commands beside MQTT's that one maker's modules have, and others do not: a profile names those
/// of its module.
#[derive(Debug)]
pub struct VendorSet {
    /// What profiles call it.
    pub name: &'static str,
    /// Its commands.
    pub specs: &'static [Spec],
    /// The module's face, where the commands do more than to tell what the module around them
    /// knows.
    pub face: Option<MakeFace>,
}

/// Makes the face of a module with these limits, which has just started.
pub type MakeFace = fn(&Limits) -> Box<dyn Face>;

impl VendorSet {
    const fn new(name: &'static str, specs: &'static [Spec]) -> Self {
        Self {
            name,
            specs,
            face: None,
        }
    }

    const fn with_face(mut self, face: MakeFace) -> Self {
        self.face = Some(face);
        self
    }

    /// The command of this name, in whatever letter case.
    pub fn find(&self, name: &[u8]) -> Option<&'static Spec> {
        self.specs.iter().find(|spec| spec.is(name))
    }
}

/// Every vendor set.
pub const VENDOR_SETS: [&VendorSet; 13] = [
    &lierda::MODULE,
    &eigencomm::MODULE,
    &lierda::HTTP,
    &simcom::BEARERS,
    &simcom::BEARER,
    &simcom::FILES,
    &simcom::SSL,
    &simcom::MODULE,
    &simcom::TLS,
    &simcom::NETWORK,
    &quectel::CONTEXTS,
    &quectel::FILES,
    &quectel::TLS,
];

/// The commands of the modules that speak one of our dialects.
pub const ALL: [&[Spec]; 15] = [
    v250::COMMANDS,
    ts27007::COMMANDS,
    ts27007::NETWORK,
    lierda::MODULE.specs,
    eigencomm::MODULE.specs,
    lierda::HTTP.specs,
    // The two kinds of bearer share their commands.
    simcom::BEARERS.specs,
    simcom::FILES.specs,
    simcom::MODULE.specs,
    simcom::TLS.specs,
    simcom::NETWORK.specs,
    quectel::CONTEXTS.specs,
    quectel::FILES.specs,
    quectel::TLS.specs,
    ts27005::COMMANDS,
];

/// Commands that none of those modules has: hosts send them even so.
pub const ELSEWHERE: [&[Spec]; 3] = [
    ts27007::ELSEWHERE,
    quectel::ecmt::COMMANDS,
    nordic::COMMANDS,
];

/// The numbers of errors that belong to no dialect.
pub const CODES: [&Codes; 3] = [&Codes::CME, &Codes::CMS, &lierda::HTTP_CODES];

/// Every command of the modules that speak one of our dialects.
pub fn all() -> impl Iterator<Item = &'static Spec> {
    ALL.into_iter().flatten()
}

/// The one of this name among [`all`], in whatever letter case.
pub fn find(name: &[u8]) -> Option<&'static Spec> {
    all().find(|spec| spec.is(name))
}
