//! SIMCom's own: certificates and TLS contexts, the network of sockets, identity.

mod certificates;
mod network;

use alloc::boxed::Box;

use crate::commands::VendorSet;
use crate::spec::{Source, Spec};

pub(crate) use certificates::{CERTDOWN, CONTEXTS, FILE_LIMIT, LONGEST_FILE, SSLCFG, intent};

/// Identity on A76xx, SIM7500, SIM7600 and SIM767x.
pub const MODULE: VendorSet = VendorSet::new("simcom", COMMANDS);

/// Certificates and TLS contexts of the same modules.
pub const TLS: VendorSet = VendorSet::new("simcom-tls", certificates::COMMANDS)
    .with_face(|limits| Box::new(certificates::Certificates::new(limits)));

/// The network of sockets of the same modules, which hosts open beside MQTT's.
pub const NETWORK: VendorSet = VendorSet::new("simcom-net", network::COMMANDS)
    .with_face(|_| Box::new(network::Network::default()));

#[rustfmt::skip]
const COMMANDS: &[Spec] = &[
    Spec::plain("+SIMCOMATI", "shows maker, model, revision and IMEI, a line each",
        Source::measured("reference cmqtt.md 8")),
];
