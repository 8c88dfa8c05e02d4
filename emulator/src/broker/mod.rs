//! A small MQTT broker to run beside the emulated module: a bench for tests and demonstrations,
//! **not a product**.
//!
//! It speaks MQTT 3.1 and 3.1.1 over TCP: QoS 0 to 2 both ways, retained messages, wills,
//! wildcards, persistent sessions with a bounded queue, takeover of a client id, keep-alive, and
//! shared subscriptions (`$share/<group>/<filter>`, `$queue/<filter>`). It speaks no TLS, no
//! WebSocket and no MQTT 5, writes nothing to disk, and by default lets everyone in.
//!
//! [`AlibabaCloud`] and [`OneNet`] let in whom those platforms would.
//!
//! [`Core`] is all of that without clock, socket or task; [`Broker`] puts it on a TCP port.
//!
//! ```
//! use atmq_emulator::broker::Broker;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let broker = Broker::bind("127.0.0.1:0").await?;
//! println!("mqtt://{}", broker.local_addr());
//! broker.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod alibaba;
mod authenticator;
mod close_reason;
mod codec;
mod core;
mod limits;
mod loss_log;
mod onenet;
mod packet;
mod retained;
mod server;
mod session;
mod splitter;
mod subscriptions;
mod topic;

pub use self::alibaba::{AlibabaCloud, AlibabaProduct};
pub use self::authenticator::{AcceptAll, Authenticator, ConnectReturnCode, Credentials, Greeting};
pub use self::close_reason::{CloseReason, Violation};
pub use self::core::{ConnectionId, Core, Counters, Output};
pub use self::limits::Limits;
pub use self::onenet::OneNet;
pub use self::server::Broker;
