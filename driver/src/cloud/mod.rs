//! Cloud platforms: credentials, frames, registration.
//!
//! What can be computed without a module stands in `atmq_protocol::cloud` and is repeated here:
//! [`aliyun`], [`onenet`]. This crate adds what needs one:
//!
//! | what | where |
//! |---|---|
//! | connect as an Alibaba Cloud device, credentials computed here | [`ConnectOptions::aliyun_device`] |
//! | the same, credentials computed by the module | [`ConnectOptions::aliauth`] |
//! | register an Alibaba Cloud device that has no secret | [`aliyun::register`] |
//! | connect as a OneNET Studio device, with a fresh token each time | [`ConnectOptions::onenet_studio`] |
//! | credentials of any other origin | [`ConnectOptions::cloud_credentials`], [`ConnectOptions::cloud_credentials_by`] |
//!
//! [`ConnectOptions::aliyun_device`]: crate::ConnectOptions::aliyun_device
//! [`ConnectOptions::aliauth`]: crate::ConnectOptions::aliauth
//! [`ConnectOptions::onenet_studio`]: crate::ConnectOptions::onenet_studio
//! [`ConnectOptions::cloud_credentials`]: crate::ConnectOptions::cloud_credentials
//! [`ConnectOptions::cloud_credentials_by`]: crate::ConnectOptions::cloud_credentials_by

pub mod aliyun;
mod identity;

pub use atmq_protocol::cloud::{Credentials, CredentialsError, Hash, onenet};

pub(crate) use identity::Identity;
