//! Cloud platforms: what a device must present, and what it sends and receives there.
//!
//! | module | platform |
//! |---|---|
//! | [`aliyun`] | Alibaba Cloud IoT: credentials of a device, registration of one without a secret |
//! | [`onenet`] | OneNET: frames of data points, commands, credentials; OneNET Studio: tokens, topics |
//!
//! Everything is computed from what the caller gives; there is no clock and no random number
//! inside. What cannot be right is refused before anything is sent, by a [`CredentialsError`].
//!
//! Needs the crate's feature `cloud`.

pub mod aliyun;
mod credentials;
mod hash;
pub mod onenet;

pub use credentials::{Credentials, CredentialsError};
pub use hash::Hash;
