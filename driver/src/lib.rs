//! The host (DTE) side: a typed async MQTT client over the AT commands of a cellular module.
//!
//! The module (Lierda NT35E, NT26) has an MQTT client inside; a host speaks to it in AT commands
//! over a serial port. This crate makes that an API that never takes one command's answer for
//! another's, carries any payload unchanged, and says honestly what became of each message.
//!
//! ```no_run
//! use atmq_driver::{ConnectOptions, Modem, QoS, Settings};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let modem = Modem::open("/dev/ttyUSB0", Settings::default()).await?;
//! let options = ConnectOptions::new("broker.example", 1883, "meter-7");
//! let (client, mut messages) = modem.connect(options).await?;
//! client.subscribe("meter/7/set", QoS::AtLeastOnce).await?;
//! client.publish("meter/7", "21.5", QoS::AtLeastOnce, false).await?;
//! while let Some(message) = messages.recv().await {
//!     println!("{}: {} bytes", message.topic, message.payload.len());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Where to look
//!
//! | what | where |
//! |---|---|
//! | open a port, identify, signal, raw commands, connect | [`Modem`], [`Settings`], [`open_port`] |
//! | bring a module into the network, with progress | [`Modem::bring_up`], [`BringUp`] |
//! | a port or a module that fails and comes back | [`Modem::state`], [`Settings::reopen`], [`Settings::recover`] |
//! | subscribe, publish, disconnect | [`Client`], [`ConnectOptions`], [`Tls`] |
//! | stay connected, with a queue of messages | [`reconnect`], [`Modem::keep_connected`] |
//! | clouds: credentials, frames, registration | [`cloud`] |
//! | receive | [`Messages`], [`Message`]; what happens when you are slow is told there |
//! | what can go wrong | [`Error`], [`OpenError`], [`ConnectError`], [`PublishError`], [`Disconnected`] |
//! | look inside | [`Modem::counters`], [`Settings::tap`], [`Modem::urcs`], [`Modem::lines`], `tracing` events |
//! | programs without an async runtime | [`blocking`] |
//! | the rules of the conversation, without I/O | [`session`] |
//!
//! One task owns the port and the [`session::Session`]; handles send it their commands. It runs
//! on the tokio runtime in which the modem was made, and ends with the port or with the last
//! handle.

pub mod blocking;
mod bring_up;
mod client;
pub mod cloud;
mod connect;
mod counters;
mod error;
mod messages;
mod modem;
mod port;
mod port_task;
pub mod reconnect;
pub mod session;
mod settings;
mod state;
mod tls;
mod unsolicited;

/// The crate with the types of the wire, for what is not repeated here.
pub use atmq_protocol as protocol;
pub use atmq_protocol::Secret;
pub use atmq_protocol::at::framing::DataEnd;
pub use atmq_protocol::at::result_code::{CmeError, FinalResult};
pub use atmq_protocol::dialect::EncodeError;
pub use atmq_protocol::limits::Limits;
pub use atmq_protocol::mqtt::{
    ConnectionId, ConnectionState, LinkStatus, OpenFailure, QoS, Reason, ReasonKind, Refusal,
    Timeouts, TlsVersion, TopicError, Version, Will,
};
pub use atmq_protocol::standard::{
    Clock, Location, Operator, OperatorFormat, Pin, PinError, Registration, RegistrationChanged,
    RegistrationDomain, SignalQuality, SimStatus,
};
pub use bring_up::{BringUp, BringUpError, BringUpReason, Network, Progress};
pub use client::{Client, Delivery};
pub use connect::{ConnectOptions, PayloadFormat};
pub use counters::Counters;
pub use error::{
    ConnectError, Disconnected, Error, ExchangeError, OpenError, PortClosed, PortLost,
    PublishError, Reached, RequestError,
};
pub use messages::{Message, Messages};
pub use modem::{Address, Functionality, Identity, Modem, NetworkStatus, Signal};
pub use port::{Port, open_port};
pub use reconnect::{Reconnect, ReconnectingClient};
pub use session::{RawCommand, Response};
pub use settings::{Direction, Settings, Tapped};
pub use state::{ModemState, StateChanges};
pub use tls::{Tls, TlsError};
pub use unsolicited::{Lines, ModuleUrc, Urcs};
