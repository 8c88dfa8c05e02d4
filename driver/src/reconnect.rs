//! Connections that come back, with their subscriptions and a queue of messages.
//!
//! A [`Client`](crate::Client) is one connection; when that is lost, it has ended. What
//! [`Modem::keep_connected`] gives is one connection after the other:
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use atmq_driver::reconnect::{Outgoing, Reconnect};
//! use atmq_driver::{ConnectOptions, Modem, QoS, Settings};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let modem = Modem::open("/dev/ttyUSB0", Settings::default()).await?;
//! let options = ConnectOptions::new("broker.example", 1883, "meter-7");
//! let (client, mut messages) = modem.keep_connected(options, Reconnect::default());
//! client.subscribe("meter/7/set", QoS::AtLeastOnce).await?;
//! // Waits for the outcome, however often the connection is lost meanwhile.
//! client.publish("meter/7", "21.5", QoS::AtLeastOnce, false).await?;
//! // Waits for nothing but room in the queue.
//! let receipt = client.enqueue(Outgoing::new("meter/7", "21.6")).await?;
//! println!("{:?}", receipt.await);
//! client.disconnect(Duration::from_secs(10)).await?;
//! # Ok(())
//! # }
//! ```
//!
//! | what | where |
//! |---|---|
//! | publish, subscribe, watch, disconnect | [`ReconnectingClient`] |
//! | waits, limits, policies | [`Reconnect`], [`WhenFull`], [`InDoubt`], [`WhenRefused`] |
//! | how far it is, and why | [`State`], [`Setback`], [`Stopped`] |
//! | a message, and what became of it | [`Outgoing`], [`Receipt`], [`Delivered`], [`Undelivered`] |
//! | a queue that outlives the program | `Store`, with the feature `persist` |
//! | figures | [`Counters`], [`QueueDepth`] |
//!
//! What is promised, and the states, are in the section "Connections that come back" of
//! `docs/driver.md`.

mod client;
mod counters;
mod message;
mod outbox;
mod policy;
mod shared;
#[cfg(feature = "persist")]
mod store;
mod subscriptions;
mod supervisor;
mod task;

use std::sync::Arc;

use crate::connect::ConnectOptions;
use crate::messages::Messages;
use crate::modem::Modem;

use shared::{Handle, Shared};
use task::Task;

pub use client::ReconnectingClient;
pub use counters::{Counters, QueueDepth};
pub use message::{Delivered, Outgoing, Receipt, Undelivered};
pub use policy::{InDoubt, Reconnect, WhenFull, WhenRefused};
#[cfg(feature = "persist")]
pub use store::{Store, StoreError};
pub use supervisor::{Setback, State, Stopped};

impl Modem {
    /// Connects to the broker, and again whenever the connection is lost: configuration, link,
    /// CONNECT and all subscriptions. Messages wait in a queue meanwhile. Returns at once.
    ///
    /// The messages received are one stream over all connections; it ends when the client is
    /// disconnected or no further attempt makes sense.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn keep_connected(
        &self,
        options: ConnectOptions,
        mut reconnect: Reconnect,
    ) -> (ReconnectingClient, Messages) {
        let inbox = Arc::new(self.new_inbox());
        let shared = Shared::new(self.clone(), options, &mut reconnect);
        let handle = Arc::new(Handle {
            shared: shared.clone(),
        });
        let task = Task::new(shared, reconnect, inbox.clone());
        tokio::spawn(task.run());
        let messages = Messages::lasting(inbox, handle.clone());
        (ReconnectingClient::new(handle), messages)
    }
}
