//! The broker on a TCP port.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use super::loss_log::LossLog;
use super::{CloseReason, ConnectionId, Core, Counters, Output};
use crate::accept::Acceptor;

/// Inputs that may wait for the core; when it is full, connections are not read.
const INPUTS: usize = 256;

/// Bytes read from a connection at a time. The buffer is on the stack while reading and nowhere
/// while idle.
const READ_BYTES: usize = 8 * 1024;

/// How long a connection may take to write what is left once the broker has closed it.
const CLOSE_GRACE: Duration = Duration::from_secs(1);

/// A running broker. Dropping it stops it and cuts its connections.
#[derive(Debug)]
pub struct Broker {
    address: SocketAddr,
    inputs: mpsc::Sender<Input>,
    task: JoinHandle<()>,
}

/// What reaches the task that owns the core.
#[derive(Debug)]
enum Input {
    Opened(TcpStream),
    Received(ConnectionId, Vec<u8>),
    Transmitted(ConnectionId, usize),
    Closed(ConnectionId),
    Count(oneshot::Sender<Counters>),
    Stop,
}

/// The owner of the core, and what leads to its connections.
struct Server {
    core: Core,
    losses: LossLog,
    links: HashMap<ConnectionId, Link>,
    tasks: JoinSet<()>,
    sender: mpsc::Sender<Input>,
}

/// The way to the task of one connection. Dropping it closes the connection once everything sent
/// before is written, or [`CLOSE_GRACE`] has passed.
struct Link {
    /// Needs no bound of its own: the core counts what waits in it.
    outgoing: mpsc::UnboundedSender<Vec<u8>>,
    _open: oneshot::Sender<()>,
}

/// The other ends of a [`Link`].
struct LinkEnds {
    outgoing: mpsc::UnboundedReceiver<Vec<u8>>,
    closed: oneshot::Receiver<()>,
}

impl Broker {
    /// Starts a broker with the default limits that lets everyone in. Meant for a loopback
    /// address; port 0 takes a free one. Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// The address cannot be resolved or is in use.
    pub async fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        Self::bind_core(address, Core::default()).await
    }

    /// Starts a broker with limits and authentication of its own.
    ///
    /// # Errors
    ///
    /// The address cannot be resolved or is in use.
    pub async fn bind_core(address: impl ToSocketAddrs, core: Core) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (sender, receiver) = mpsc::channel(INPUTS);
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(Acceptor::new(listener), sender.clone()));
        let server = Server {
            core,
            losses: LossLog::default(),
            links: HashMap::new(),
            tasks,
            sender: sender.clone(),
        };
        let task = tokio::spawn(server.run(receiver));
        Ok(Self {
            address,
            inputs: sender,
            task,
        })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// What it counted so far.
    pub async fn counters(&self) -> Counters {
        let (sender, receiver) = oneshot::channel();
        // The task ends only with `self`; should it have panicked, that panic is the news.
        let _ = self.inputs.send(Input::Count(sender)).await;
        receiver.await.unwrap_or_default()
    }

    /// Stops listening, cuts all connections, and returns when that is done. If the future is
    /// dropped before, the broker stops all the same.
    pub async fn shutdown(mut self) {
        let _ = self.inputs.send(Input::Stop).await;
        let _ = (&mut self.task).await;
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    async fn run(mut self, mut inputs: mpsc::Receiver<Input>) {
        loop {
            let counters = self.core.counters();
            self.losses.look(counters, self.core.limits(), now());
            let input = match self.carry_out() {
                None => Ok(inputs.recv().await),
                Some(deadline) => tokio::time::timeout_at(deadline.into(), inputs.recv()).await,
            };
            // Also after an input, or a steady stream of them would keep timeouts from coming.
            self.core.handle_timeout(now());
            // Let go of the tasks that have ended.
            while self.tasks.try_join_next().is_some() {}
            match input {
                Err(_elapsed) => {}
                Ok(Some(Input::Opened(stream))) => self.open(stream),
                Ok(Some(Input::Received(id, bytes))) => self.core.receive(id, &bytes, now()),
                Ok(Some(Input::Transmitted(id, bytes))) => self.core.transmitted(id, bytes),
                Ok(Some(Input::Closed(id))) => {
                    self.core.closed(id);
                    self.links.remove(&id);
                }
                Ok(Some(Input::Count(answer))) => {
                    let _ = answer.send(self.core.counters());
                }
                Ok(Some(Input::Stop) | None) => break,
            }
        }
        self.losses.end(self.core.counters());
        self.tasks.shutdown().await;
    }

    fn open(&mut self, stream: TcpStream) {
        let id = self.core.open(now());
        tracing::debug!(connection = %id, peer = ?stream.peer_addr().ok(), "opened");
        let (outgoing, receiver) = mpsc::unbounded_channel();
        let (open, closed) = oneshot::channel();
        self.links.insert(
            id,
            Link {
                outgoing,
                _open: open,
            },
        );
        let ends = LinkEnds {
            outgoing: receiver,
            closed,
        };
        // Reported rarely, so that a busy connection costs the core no second input per packet.
        let report_bytes = self.core.limits().outgoing_bytes / 4;
        let inputs = self.sender.clone();
        self.tasks.spawn(async move {
            serve(&stream, id, ends, &inputs, report_bytes).await;
            drop(stream);
            let _ = inputs.send(Input::Closed(id)).await;
        });
    }

    /// Does what the core says, and returns when it wants to be called again.
    fn carry_out(&mut self) -> Option<Instant> {
        loop {
            match self.core.poll() {
                Output::Transmit { connection, bytes } => {
                    if let Some(link) = self.links.get(&connection) {
                        // If the connection is gone, its task is about to say so.
                        let _ = link.outgoing.send(bytes);
                    }
                }
                Output::Close { connection, reason } => {
                    self.links.remove(&connection);
                    self.losses.closed(&reason, now());
                    match reason {
                        CloseReason::Violation(violation) => {
                            tracing::debug!(%connection, %violation, "closed");
                        }
                        reason => tracing::debug!(%connection, %reason, "closed"),
                    }
                }
                Output::Wait(deadline) => return deadline,
            }
        }
    }
}

async fn accept(mut acceptor: Acceptor, inputs: mpsc::Sender<Input>) {
    loop {
        let stream = acceptor.accept().await;
        if inputs.send(Input::Opened(stream)).await.is_err() {
            return;
        }
    }
}

/// Moves bytes until either side has closed.
async fn serve(
    stream: &TcpStream,
    id: ConnectionId,
    ends: LinkEnds,
    inputs: &mpsc::Sender<Input>,
    report_bytes: usize,
) {
    let LinkEnds {
        mut outgoing,
        closed,
    } = ends;
    // Acknowledgements are small and waited for; without it they come late, but they come.
    let _ = stream.set_nodelay(true);
    tokio::select! {
        () = read(stream, id, inputs) => {}
        () = write(stream, id, &mut outgoing, inputs, report_bytes) => {}
        () = async {
            // Nothing is ever sent: this ends when the other end is dropped.
            let _ = closed.await;
            tokio::time::sleep(CLOSE_GRACE).await;
        } => {}
    }
}

/// Ends when the peer has closed, or the connection is lost.
async fn read(stream: &TcpStream, id: ConnectionId, inputs: &mpsc::Sender<Input>) {
    while stream.readable().await.is_ok() {
        match read_some(stream) {
            Ok(bytes) if bytes.is_empty() => return,
            Ok(bytes) => {
                if inputs.send(Input::Received(id, bytes)).await.is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

/// What there is to read; nothing at the end.
fn read_some(stream: &TcpStream) -> io::Result<Vec<u8>> {
    let mut buffer = [0; READ_BYTES];
    let length = stream.try_read(&mut buffer)?;
    Ok(buffer[..length].to_vec())
}

/// Ends when the broker has closed and everything is written, or the connection is lost.
async fn write(
    stream: &TcpStream,
    id: ConnectionId,
    outgoing: &mut mpsc::UnboundedReceiver<Vec<u8>>,
    inputs: &mpsc::Sender<Input>,
    report_bytes: usize,
) {
    let mut unreported = 0;
    while let Some(bytes) = outgoing.recv().await {
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            if stream.writable().await.is_err() {
                return;
            }
            match stream.try_write(rest) {
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
        unreported += bytes.len();
        if unreported > report_bytes {
            let _ = inputs.send(Input::Transmitted(id, unreported)).await;
            unreported = 0;
        }
    }
}

/// The clock of tokio, so that its paused time is ours too.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[cfg(test)]
mod tests;
