//! The host (DTE) side: a typed async MQTT client over the AT commands of a cellular module.
