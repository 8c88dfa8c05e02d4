//! The module (DCE) side: a virtual serial device with a real MQTT client behind its AT commands.

pub mod broker;
pub mod mqtt;

#[cfg(test)]
mod mosquitto;

