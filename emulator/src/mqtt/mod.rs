//! The MQTT 3.1 and 3.1.1 client inside an emulated module, without I/O or clock.
//!
//! A module opens its TCP or TLS link with one command and speaks MQTT on it with another, so a
//! [`Client`] begins where a link is already open and lives as long as that link. Bytes, requests
//! and the time go in; bytes to transmit, [`Event`]s and the next deadline come out:
//!
//! 1. call one of the methods that take input ([`Client::receive`], [`Client::publish`],
//!    [`Client::handle_timeout`], …);
//! 2. drain [`Client::poll_transmit`] and [`Client::poll_event`] until both say `None`;
//! 3. call [`Client::handle_timeout`] when [`Client::poll_timeout`] has come, whatever else happens.
//!
//! What must outlive the link of a persistent session is kept in a [`Session`].
//!
//! The crate `mqtt-protocol-core` is used for framing and packets only, in `codec`, and not for
//! its connection. That connection keeps half a packet over a loss of the link, panics when an
//! unacknowledged packet is sent again, asks for a close when an acknowledgement comes twice and
//! takes the refusals above 5 for malformed: correct around it, the exchanges are as long to write
//! as they are without it, and harder to read.

mod client;
mod codec;
mod event;
mod exchange;
mod keep_alive;
mod options;

#[cfg(test)]
mod mosquitto_tests;

pub use client::Client;
pub use codec::EncodeError;
pub use event::{Event, Loss, Message, ProtocolError, RequestError, Unanswered};
pub use exchange::Session;
pub use options::{ConnectOptions, Publication, QoS, Version, Will};
