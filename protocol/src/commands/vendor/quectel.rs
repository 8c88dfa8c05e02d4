//! Quectel's own, beside MQTT: packet data contexts, files, and TLS contexts (reference `qmt.md` 2.2
//! and 7); and what is known of the commands of other makers that follow Quectel, for what is a secret
//! in them.

pub mod contexts;
pub mod ecmt;
pub mod files;
pub mod ssl;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;

use crate::commands::VendorSet;

/// Packet data contexts.
pub const CONTEXTS: VendorSet = VendorSet::new("qpdp", contexts::COMMANDS)
    .with_face(|_| Box::new(contexts::Contexts::default()));

/// Files.
pub const FILES: VendorSet =
    VendorSet::new("qfile", files::COMMANDS).with_face(|_| Box::new(files::Files::default()));

/// TLS contexts.
pub const TLS: VendorSet =
    VendorSet::new("qssl", ssl::COMMANDS).with_face(|limits| Box::new(ssl::Ssl::new(limits)));
