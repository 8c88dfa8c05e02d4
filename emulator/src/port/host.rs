use std::fmt;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What becomes of the host at the other end of a TCP connection.
#[derive(Debug)]
pub enum HostEvent {
    /// It is there.
    Connected(SocketAddr),
    /// It has gone.
    Gone,
    /// It could not be reached, and is tried again after a while.
    NotReached {
        /// Why.
        error: io::Error,
        /// After how long.
        again: Duration,
    },
}

/// The host at the other end of a TCP connection, while there is one. While there is none, what
/// the module says is lost, as on a UART without a cable.
///
/// One that sends nothing more may still listen, and often cannot be told from one that has gone:
/// it is there until it is answered. As long as the module answers the last one there is no next.
pub(super) struct Host {
    stream: Option<TcpStream>,
    /// It sends nothing more.
    has_finished: bool,
    /// The module is answering.
    busy: bool,
    on_event: Box<dyn FnMut(HostEvent) + Send>,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Host").field(&self.stream).finish()
    }
}

impl Host {
    pub(super) fn none() -> Self {
        Self {
            stream: None,
            has_finished: false,
            busy: false,
            on_event: Box::new(|_| {}),
        }
    }

    pub(super) fn on_event(&mut self, on_event: impl FnMut(HostEvent) + Send + 'static) {
        self.on_event = Box::new(on_event);
    }

    pub(super) fn is_there(&self) -> bool {
        self.stream.is_some()
    }

    /// The host is there.
    pub(super) fn connected(&mut self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        notice_its_end(&stream)?;
        let address = stream.peer_addr()?;
        tracing::debug!(%address, "host connected");
        self.stream = Some(stream);
        self.has_finished = false;
        (self.on_event)(HostEvent::Connected(address));
        Ok(())
    }

    /// It could not be reached.
    pub(super) fn not_reached(&mut self, error: io::Error, again: Duration) {
        tracing::debug!(%error, ?again, "host not reached");
        (self.on_event)(HostEvent::NotReached { error, again });
    }

    /// Whether the module is answering what a host has sent.
    pub(super) fn set_busy(&mut self, busy: bool) {
        self.busy = busy;
    }

    /// Waits while the module answers a host that has gone; whoever says that it no longer does
    /// begins anew.
    pub(super) async fn answered(&mut self) {
        if self.busy {
            pending::<()>().await;
        }
    }

    /// Reads what the host has sent; `None` if there is none, or none any more.
    pub(super) async fn read(&mut self, buffer: &mut [u8]) -> Option<usize> {
        if !self.has_finished {
            match self.stream.as_mut()?.read(buffer).await {
                Ok(0) => self.has_finished = true,
                Ok(length) => return Some(length),
                Err(error) => {
                    self.gone(Some(&error));
                    return None;
                }
            }
        }
        self.answered().await;
        self.gone(None);
        None
    }

    /// Writes some of the bytes; all of them, into nowhere, if there is no host.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> usize {
        let Some(stream) = &mut self.stream else {
            return bytes.len();
        };
        match stream.write(bytes).await {
            Ok(written) => written,
            Err(error) => {
                self.gone(Some(&error));
                bytes.len()
            }
        }
    }

    fn gone(&mut self, error: Option<&io::Error>) {
        tracing::debug!(?error, "host disconnected");
        self.stream = None;
        (self.on_event)(HostEvent::Gone);
    }
}

/// After how long without a byte a host is asked whether it is still there, and how often: one
/// that vanishes, with its machine or its network, is missed after half a minute. Ours.
const PROBE: TcpKeepalive = TcpKeepalive::new()
    .with_time(Duration::from_secs(10))
    .with_interval(Duration::from_secs(5));
const PROBES: u32 = 4;
#[cfg(target_os = "linux")]
const MISSED: Duration = Duration::from_secs(30);

/// Has the system notice that the host has vanished, whether or not bytes wait for it.
fn notice_its_end(stream: &TcpStream) -> io::Result<()> {
    let socket = SockRef::from(stream);
    socket.set_tcp_keepalive(&PROBE.with_retries(PROBES))?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(MISSED))?;
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    #[tokio::test]
    async fn a_host_that_vanishes_is_noticed() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stream, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        drop(stream);
        let mut host = Host::none();
        host.connected(accepted.unwrap().0).unwrap();
        let socket = SockRef::from(host.stream.as_ref().unwrap());
        assert!(socket.keepalive().unwrap());
        let silence = socket.tcp_keepalive_time().unwrap();
        let probes =
            socket.tcp_keepalive_interval().unwrap() * socket.tcp_keepalive_retries().unwrap();
        assert_eq!(silence + probes, MISSED);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(MISSED));
    }
}
