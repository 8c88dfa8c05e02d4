//! One link: the task that connects it, writes what is queued and reads what comes.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::outgoing::Outgoing;
use super::wire::{Progress, Wire};
use super::{CloseReason, NetworkEvent, OpenFailure, TlsOptions};

/// How long a link that was closed may take to send the rest and to see the peer close.
const LINGER: Duration = Duration::from_secs(2);

/// Where a link goes.
pub(super) struct Target {
    /// Host and port after the host map.
    pub(super) host: String,
    pub(super) port: u16,
    /// Host as the module names it, which is what a certificate is for.
    pub(super) name: String,
    pub(super) tls: Option<TlsOptions>,
    pub(super) time_limit: Duration,
}

/// The way of events to the module, marked with the link they belong to.
pub(super) struct Events {
    pub(super) link: u8,
    pub(super) epoch: u64,
    pub(super) sender: mpsc::Sender<(u64, NetworkEvent)>,
}

impl Events {
    /// Waits until the module has room. What comes after the module is gone is of no interest.
    async fn send(&self, event: NetworkEvent) {
        let _ = self.sender.send((self.epoch, event)).await;
    }
}

/// The end of a link that its task holds.
pub(super) struct Link {
    /// Bytes to send; ends when the link is to be closed.
    pub(super) outgoing: Arc<Outgoing>,
    pub(super) events: Events,
}

impl Link {
    /// The whole life of a link. Ends after its last event, or once it has been closed.
    pub(super) async fn run(self, target: Box<Target>) {
        let link = self.events.link;
        // Boxed: the state of name resolution and of the TLS handshake is large and soon gone.
        let connected = Box::pin(async {
            tokio::select! {
                result = timeout(target.time_limit, connect(&target)) => {
                    Some(result.unwrap_or(Err(OpenFailure::TimedOut)))
                }
                () = closed(&self.outgoing) => None,
            }
        })
        .await;
        drop(target);
        match connected {
            None => {}
            Some(Err(reason)) => {
                let event = NetworkEvent::OpenFailed { link, reason };
                self.events.send(event).await;
            }
            Some(Ok(stream)) => {
                self.events.send(NetworkEvent::Opened { link }).await;
                match stream {
                    Stream::Tcp(stream) => self.carry(stream).await,
                    Stream::Tls(stream) => self.carry(stream).await,
                }
            }
        }
    }

    async fn carry<S: AsyncRead + AsyncWrite + Unpin>(self, mut stream: S) {
        let mut wire = Wire::default();
        // Events the module has not taken yet. While there are any, nothing is read.
        let mut outbox = VecDeque::new();
        let link = self.events.link;
        let reason = loop {
            tokio::select! {
                bytes = self.outgoing.take() => match bytes {
                    Some(bytes) => wire.push(bytes),
                    None => {
                        let _ = timeout(LINGER, linger(wire, stream)).await;
                        return;
                    }
                },
                permit = self.events.sender.reserve(), if !outbox.is_empty() => {
                    let event = outbox.pop_front().expect("an event is waiting");
                    match permit {
                        Ok(permit) => permit.send((self.events.epoch, event)),
                        Err(_) => return,
                    }
                }
                progress = poll_fn(|cx| wire.poll(&mut stream, outbox.is_empty(), cx)) => {
                    match progress {
                        Progress::Read(Ok(bytes)) if bytes.is_empty() => break CloseReason::Peer,
                        Progress::Read(Ok(bytes)) => {
                            outbox.push_back(NetworkEvent::Received { link, bytes });
                        }
                        Progress::Read(Err(error)) => break error.into(),
                        Progress::Written(Ok(written)) => {
                            let drained = NetworkEvent::Drained { link };
                            if self.outgoing.settle(written) && !outbox.contains(&drained) {
                                outbox.push_back(drained);
                            }
                        }
                        // What the peer said before it closed is still to be read, and reading
                        // tells when that ends.
                        Progress::Written(Err(error)) if is_peer_gone(&error) => wire.give_up(),
                        Progress::Written(Err(error)) => break error.into(),
                    }
                }
            }
        };
        outbox.push_back(NetworkEvent::Closed { link, reason });
        for event in outbox {
            self.events.send(event).await;
        }
    }
}

enum Stream {
    Tcp(TcpStream),
    // Boxed, so that links without TLS do not pay for it.
    Tls(Box<TlsStream<TcpStream>>),
}

async fn connect(target: &Target) -> Result<Stream, OpenFailure> {
    let addresses = lookup_host((&*target.host, target.port))
        .await
        .map_err(|_| OpenFailure::Resolve)?;
    let mut failure = OpenFailure::Resolve;
    for address in addresses {
        let stream = match TcpStream::connect(address).await {
            Ok(stream) => stream,
            Err(error) => {
                failure = error.into();
                continue;
            }
        };
        // Small packets, each of them waited for: nothing is gained by holding one back.
        let _ = stream.set_nodelay(true);
        return match &target.tls {
            None => Ok(Stream::Tcp(stream)),
            Some(options) => secure(stream, options, &target.name).await,
        };
    }
    Err(failure)
}

async fn secure(
    stream: TcpStream,
    options: &TlsOptions,
    host: &str,
) -> Result<Stream, OpenFailure> {
    let unusable = |error: super::tls::TlsOptionsError| OpenFailure::Tls(error.to_string());
    let config = options.client_config().map_err(unusable)?;
    let server_name = options.server_name(host).map_err(unusable)?;
    TlsConnector::from(Arc::new(config))
        .connect(server_name, stream)
        .await
        .map(|stream| Stream::Tls(Box::new(stream)))
        .map_err(|error| OpenFailure::Tls(error.to_string()))
}

/// Waits until the link is closed, before it is open. What is sent so early is dropped.
async fn closed(outgoing: &Outgoing) {
    while let Some(bytes) = outgoing.take().await {
        outgoing.settle(bytes.iter().map(Vec::len).sum());
    }
}

/// Sends the rest and says that it was all. Reads on until the peer has closed too: closing a
/// socket with unread bytes resets it, and the peer would lose the end of what was sent.
async fn linger<S: AsyncRead + AsyncWrite + Unpin>(wire: Wire, mut stream: S) -> io::Result<()> {
    for bytes in wire.into_rest() {
        stream.write_all(&bytes).await?;
    }
    stream.shutdown().await?;
    let mut unread = Vec::new();
    while stream.read_buf(&mut unread).await? > 0 {
        unread.clear();
    }
    Ok(())
}

fn is_peer_gone(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(
        error.kind(),
        BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof
    )
}

impl From<io::Error> for CloseReason {
    fn from(error: io::Error) -> Self {
        if is_peer_gone(&error) {
            Self::Peer
        } else {
            Self::Failed(error.to_string())
        }
    }
}

impl From<io::Error> for OpenFailure {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable, TimedOut};
        match error.kind() {
            ConnectionRefused => Self::Refused,
            TimedOut => Self::TimedOut,
            HostUnreachable | NetworkUnreachable => Self::Unreachable,
            _ => Self::Other(error.to_string()),
        }
    }
}
