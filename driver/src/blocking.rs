//! The same for programs without an async runtime.
//!
//! ```no_run
//! use atmq_driver::{ConnectOptions, QoS, Settings, blocking};
//!
//! # fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let modem = blocking::Modem::open("/dev/ttyUSB0", Settings::default())?;
//! let options = ConnectOptions::new("broker.example", 1883, "meter-7");
//! let (client, messages) = modem.connect(options)?;
//! client.subscribe("meter/7/set", QoS::AtLeastOnce)?;
//! client.publish("meter/7", "21.5", QoS::AtLeastOnce, false)?;
//! for message in messages {
//!     println!("{}: {} bytes", message.topic, message.payload.len());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! All handles of a modem share one thread, in which a runtime of tokio moves the bytes. They can
//! be cloned and used from any number of threads. For what is not repeated here,
//! [`Modem::wait_for`] waits for any future on the [async modem](Modem::inner).
//!
//! None of it may be called from within an async runtime: it would block that runtime's thread,
//! and tokio panics instead.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::bring_up::{BringUp, BringUpError, Network};
use crate::client::Delivery;
use crate::connect::ConnectOptions;
use crate::error::{ConnectError, Disconnected, Error, OpenError, PublishError};
use crate::messages::Message;
use crate::modem::{Identity, Signal};
use crate::reconnect::{
    self, Delivered, Outgoing, Receipt, Reconnect, State, Stopped, Undelivered,
};
use crate::session::Response;
use crate::settings::Settings;
use crate::state::ModemState;
use atmq_protocol::mqtt::QoS;

/// How long the port may take to close when the last handle is dropped. Ours: what is under way
/// may go on for longer, and is cut then.
const CLOSING: Duration = Duration::from_secs(1);

/// A module on a port. See [`atmq_driver::Modem`](crate::Modem).
#[derive(Debug, Clone)]
pub struct Modem {
    // Before the thread, so that the port is no longer needed when that ends.
    inner: crate::Modem,
    thread: Arc<Thread>,
}

/// A connection to a broker. See [`atmq_driver::Client`](crate::Client).
#[derive(Debug, Clone)]
pub struct Client {
    inner: crate::Client,
    thread: Arc<Thread>,
}

/// A connection that comes back when it is lost. See
/// [`atmq_driver::reconnect::ReconnectingClient`](reconnect::ReconnectingClient).
#[derive(Debug, Clone)]
pub struct ReconnectingClient {
    inner: reconnect::ReconnectingClient,
    thread: Arc<Thread>,
}

/// The messages that a connection receives. As an iterator it waits for each, and ends with the
/// connection. See [`atmq_driver::Messages`](crate::Messages).
#[derive(Debug)]
pub struct Messages {
    inner: crate::Messages,
    thread: Arc<Thread>,
}

/// Nothing came in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no message came in time")]
pub struct TimedOut;

impl Modem {
    /// As [`Modem::open`](crate::Modem::open).
    ///
    /// # Errors
    /// As there; or no thread can be had, which is told as an error of the device.
    pub fn open(port: &str, settings: Settings) -> Result<Self, OpenError> {
        let thread = Thread::start().map_err(|source| OpenError::Device {
            path: port.into(),
            source,
        })?;
        let inner = thread.wait_for(crate::Modem::open(port, settings))?;
        Ok(Self {
            inner,
            thread: Arc::new(thread),
        })
    }

    /// As [`Modem::over`](crate::Modem::over). `stream` makes the stream, within the runtime: a
    /// stream of tokio's belongs to the one in which it was made.
    ///
    /// # Errors
    /// `stream` fails, or no thread can be had.
    pub fn over<S, F>(stream: impl FnOnce() -> F, settings: Settings) -> io::Result<Self>
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
        F: Future<Output = io::Result<S>>,
    {
        let thread = Thread::start()?;
        let inner = thread.wait_for(async {
            let stream = stream().await?;
            io::Result::Ok(crate::Modem::over(stream, settings))
        })?;
        Ok(Self {
            inner,
            thread: Arc::new(thread),
        })
    }

    /// The async modem, for [`wait_for`](Self::wait_for).
    pub fn inner(&self) -> &crate::Modem {
        &self.inner
    }

    /// Waits for a future, such as a question to the [async modem](Self::inner). It is polled in
    /// the calling thread.
    ///
    /// ```no_run
    /// # fn run(modem: atmq_driver::blocking::Modem) -> Result<(), atmq_driver::Error> {
    /// let signal = modem.wait_for(modem.inner().signal())?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// Within an async runtime, as everything here.
    pub fn wait_for<F: Future>(&self, future: F) -> F::Output {
        self.thread.wait_for(future)
    }

    /// As [`Modem::initialise`](crate::Modem::initialise).
    ///
    /// # Errors
    /// As there.
    pub fn initialise(&self) -> Result<(), Error> {
        self.wait_for(self.inner.initialise())
    }

    /// As [`Modem::identify`](crate::Modem::identify).
    ///
    /// # Errors
    /// As there.
    pub fn identify(&self) -> Result<Identity, Error> {
        self.wait_for(self.inner.identify())
    }

    /// As [`Modem::signal`](crate::Modem::signal).
    ///
    /// # Errors
    /// As there.
    pub fn signal(&self) -> Result<Signal, Error> {
        self.wait_for(self.inner.signal())
    }

    /// As [`Modem::bring_up`](crate::Modem::bring_up).
    ///
    /// # Errors
    /// As there.
    pub fn bring_up(&self, options: BringUp) -> Result<Network, BringUpError> {
        self.wait_for(self.inner.bring_up(options))
    }

    /// As [`Modem::command`](crate::Modem::command).
    ///
    /// # Errors
    /// As there.
    pub fn command(&self, line: impl AsRef<[u8]>) -> Result<Response, Error> {
        self.wait_for(self.inner.command(line))
    }

    /// As [`Modem::reset`](crate::Modem::reset).
    ///
    /// # Errors
    /// As there.
    pub fn reset(&self) -> Result<(), Error> {
        self.wait_for(self.inner.reset())
    }

    /// As [`Modem::state`](crate::Modem::state).
    pub fn state(&self) -> ModemState {
        self.inner.state()
    }

    /// As [`Modem::connect`](crate::Modem::connect).
    ///
    /// # Errors
    /// As there.
    pub fn connect(&self, options: ConnectOptions) -> Result<(Client, Messages), ConnectError> {
        let (client, messages) = self.wait_for(self.inner.connect(options))?;
        let client = Client {
            inner: client,
            thread: self.thread.clone(),
        };
        Ok((client, self.messages(messages)))
    }

    /// As [`Modem::keep_connected`](crate::Modem::keep_connected).
    pub fn keep_connected(
        &self,
        options: ConnectOptions,
        reconnect: Reconnect,
    ) -> (ReconnectingClient, Messages) {
        let kept = async { self.inner.keep_connected(options, reconnect) };
        let (client, messages) = self.wait_for(kept);
        let client = ReconnectingClient {
            inner: client,
            thread: self.thread.clone(),
        };
        (client, self.messages(messages))
    }

    fn messages(&self, inner: crate::Messages) -> Messages {
        Messages {
            inner,
            thread: self.thread.clone(),
        }
    }
}

impl Client {
    /// The async client, for [`Modem::wait_for`].
    pub fn inner(&self) -> &crate::Client {
        &self.inner
    }

    /// As [`Client::subscribe`](crate::Client::subscribe).
    ///
    /// # Errors
    /// As there.
    pub fn subscribe(&self, filter: impl Into<String>, qos: QoS) -> Result<(), Error> {
        self.thread.wait_for(self.inner.subscribe(filter, qos))
    }

    /// As [`Client::unsubscribe`](crate::Client::unsubscribe).
    ///
    /// # Errors
    /// As there.
    pub fn unsubscribe(&self, filter: impl Into<String>) -> Result<(), Error> {
        self.thread.wait_for(self.inner.unsubscribe(filter))
    }

    /// As [`Client::publish`](crate::Client::publish).
    ///
    /// # Errors
    /// As there.
    pub fn publish(
        &self,
        topic: impl Into<String>,
        payload: impl Into<Vec<u8>>,
        qos: QoS,
        retain: bool,
    ) -> Result<Delivery, PublishError> {
        let publish = self.inner.publish(topic, payload, qos, retain);
        self.thread.wait_for(publish)
    }

    /// As [`Client::disconnect`](crate::Client::disconnect).
    ///
    /// # Errors
    /// As there.
    pub fn disconnect(&self) -> Result<(), Error> {
        self.thread.wait_for(self.inner.disconnect())
    }

    /// Why the connection has ended; `None` while it has not.
    pub fn ended(&self) -> Option<Disconnected> {
        self.inner.ended()
    }
}

impl ReconnectingClient {
    /// The async client, for [`Modem::wait_for`].
    pub fn inner(&self) -> &reconnect::ReconnectingClient {
        &self.inner
    }

    /// As [`ReconnectingClient::publish`](reconnect::ReconnectingClient::publish).
    ///
    /// # Errors
    /// As there.
    pub fn publish(
        &self,
        topic: impl Into<String>,
        payload: impl Into<Vec<u8>>,
        qos: QoS,
        retain: bool,
    ) -> Result<Delivered, Undelivered> {
        let publish = self.inner.publish(topic, payload, qos, retain);
        self.thread.wait_for(publish)
    }

    /// As [`ReconnectingClient::enqueue`](reconnect::ReconnectingClient::enqueue). For what became
    /// of the message, ask the receipt, or wait for it with [`Modem::wait_for`].
    ///
    /// # Errors
    /// As there.
    pub fn enqueue(&self, message: Outgoing) -> Result<Receipt, Undelivered> {
        self.thread.wait_for(self.inner.enqueue(message))
    }

    /// As [`ReconnectingClient::subscribe`](reconnect::ReconnectingClient::subscribe).
    ///
    /// # Errors
    /// As there.
    pub fn subscribe(&self, filter: impl Into<String>, qos: QoS) -> Result<(), Error> {
        self.thread.wait_for(self.inner.subscribe(filter, qos))
    }

    /// As [`ReconnectingClient::unsubscribe`](reconnect::ReconnectingClient::unsubscribe).
    ///
    /// # Errors
    /// As there.
    pub fn unsubscribe(&self, filter: impl Into<String>) -> Result<(), Error> {
        self.thread.wait_for(self.inner.unsubscribe(filter))
    }

    /// As [`ReconnectingClient::connected`](reconnect::ReconnectingClient::connected).
    ///
    /// # Errors
    /// As there.
    pub fn connected(&self) -> Result<(), Stopped> {
        self.thread.wait_for(self.inner.connected())
    }

    /// How far the connection is.
    pub fn state(&self) -> State {
        self.inner.state()
    }

    /// As [`ReconnectingClient::disconnect`](reconnect::ReconnectingClient::disconnect).
    ///
    /// # Errors
    /// As there.
    pub fn disconnect(&self, limit: Duration) -> Result<usize, Stopped> {
        self.thread.wait_for(self.inner.disconnect(limit))
    }
}

impl Messages {
    /// The next message, if it comes within `limit`; `None` when the connection has ended and
    /// all its messages have been read.
    ///
    /// # Errors
    /// It does not. Nothing is lost by that.
    pub fn next_within(&mut self, limit: Duration) -> Result<Option<Message>, TimedOut> {
        let next = async { timeout(limit, self.inner.recv()).await };
        self.thread.wait_for(next).map_err(|_| TimedOut)
    }

    /// Why the connection has ended; `None` while it has not.
    pub fn ended(&self) -> Option<Disconnected> {
        self.inner.ended()
    }
}

impl Iterator for Messages {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        self.thread.wait_for(self.inner.recv())
    }
}

/// The thread in which the runtime moves the bytes.
#[derive(Debug)]
struct Thread {
    handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Thread {
    fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new().name("atmq".into());
        let thread = thread.spawn(move || {
            // Dropped or told, both mean the end.
            let _ = runtime.block_on(stopped);
            let metrics = runtime.metrics();
            runtime.block_on(async {
                let closed = async {
                    while metrics.num_alive_tasks() > 0 {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                };
                // Otherwise what is left is cut.
                let _ = timeout(CLOSING, closed).await;
            });
        })?;
        Ok(Self {
            handle,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    fn wait_for<F: Future>(&self, future: F) -> F::Output {
        self.handle.block_on(future)
    }
}

impl Drop for Thread {
    /// The port is closed when this is done.
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != thread::current().id()
        {
            // It does not panic, and if it did, it is over as well.
            let _ = thread.join();
        }
    }
}
