//! SIMCom's own: packet data contexts, files, TLS.

mod bearer;
mod files;
mod ssl;

use alloc::boxed::Box;

use crate::commands::VendorSet;

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
