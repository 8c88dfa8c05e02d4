//! The module (DCE) side: a virtual serial device with a real MQTT client behind its AT commands.

pub mod broker;
pub mod mqtt;
pub mod network;

#[cfg(test)]
mod mosquitto;

pub use network::{HostMap, HostRule, HostRuleError};
