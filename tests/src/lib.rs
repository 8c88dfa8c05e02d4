//! The harness that the end-to-end tests share.

pub mod authority;
pub mod bench;
pub mod brokers;
pub mod host;
pub mod module;
pub mod mosquitto;
pub mod raw_mqtt;
pub mod relay;
pub mod tls_front;
pub mod transcript;
pub mod web;
