//! SIMCom's own: packet data contexts, files, certificates, TLS contexts, the network of sockets,
//! identity.

mod bearer;
mod certificates;
mod files;
mod network;
mod ssl;

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

/// The bearers of SIM7070, SIM7080 and SIM7090, each with a number.
pub const BEARERS: VendorSet = VendorSet::new("simcom-bearers", bearer::COMMANDS)
    .with_face(|_| Box::new(bearer::Bearers::numbered()));

/// The one bearer of SIM7000.
pub const BEARER: VendorSet = VendorSet::new("simcom-bearer", bearer::COMMANDS)
    .with_face(|_| Box::new(bearer::Bearers::single()));

/// The files of the modules that speak SM.
pub const FILES: VendorSet = VendorSet::new("simcom-files", files::COMMANDS)
    .with_face(|limits| Box::new(files::Files::new(limits)));

/// The TLS contexts of the modules that speak SM.
pub const SSL: VendorSet = VendorSet::new("simcom-ssl", ssl::COMMANDS)
    .with_face(|limits| Box::new(ssl::Contexts::new(limits)));

#[rustfmt::skip]
const COMMANDS: &[Spec] = &[
    Spec::plain("+SIMCOMATI", "shows maker, model, revision and IMEI, a line each",
        Source::measured("reference cmqtt.md 8")),
];
