//! The module (DCE) side: a virtual serial device with a real MQTT client behind its AT commands.
//!
//! An [`Emulator`] runs a module on a [`Port`]: a pseudo terminal ([`Pty`]), a TCP listener
//! ([`TcpPort`]), a TCP peer that it dials ([`DialPort`]), a serial device ([`DevicePort`]), or any
//! tokio stream ([`StreamPort`]). What it does is decided elsewhere:
//!
//! | module | what it holds |
//! |---|---|
//! | [`modem`] | the whole module as a state machine without I/O or clock |
//! | [`mqtt`] | the MQTT client behind its commands, likewise |
//! | [`network`] | its TCP and TLS links, on tokio |
//! | [`lint`] | what hosts do that they should not |
//! | [`broker`] | a small MQTT broker for tests and demos |
//!
//! A [`Profile`] says which module it is. This module answers at once, and its broker is the one
//! on this machine, whatever host name its firmware knows:
//!
//! ```no_run
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! use atmq_emulator::{Emulator, HostMap, NetworkOptions, Profile, Pty};
//!
//! let pty = Pty::open()?;
//! println!("the module is at {}", pty.path().display());
//! let network = NetworkOptions {
//!     hosts: HostMap::everything_to("127.0.0.1", 1883).into(),
//!     ..NetworkOptions::default()
//! };
//! let emulator = Emulator::new(Profile::nt35e().instant()).network(network);
//! emulator.serve(pty).await
//! # }
//! ```

mod accept;
pub mod broker;
mod emulator;
mod http;
#[cfg(unix)]
mod link;
pub mod lint;
pub mod modem;
pub mod mqtt;
pub mod network;
mod port;
mod profile;
#[cfg(unix)]
mod pty;
mod quirks;

#[cfg(test)]
mod mosquitto;
#[cfg(test)]
mod within;

pub use emulator::{Control, Emulator, Passed};
#[cfg(unix)]
pub use link::Link;
pub use network::{HostMap, HostRule, HostRuleError, NetworkOptions};
pub use port::{BothPorts, DevicePort, DialPort, HostEvent, Port, StreamPort, TcpPort};
pub use profile::{
    Confidence, Evidence, Identity, Latency, NetworkRegistration, Profile, ProfileChange,
    ProfileChangeError, ProfileError, Sim, Start,
};
#[cfg(unix)]
pub use pty::Pty;
pub use quirks::{Quirks, ResultOrder};
