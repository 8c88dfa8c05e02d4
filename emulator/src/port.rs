mod both;
mod device;
mod dial;
mod host;
mod listen;

use std::future::{Future, ready};
use std::io;
use std::time::Duration;

use atmq_protocol::throttle::Throttle;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout};

pub use both::BothPorts;
pub use device::DevicePort;
pub use dial::DialPort;
pub use host::HostEvent;
pub use listen::TcpPort;

#[cfg(unix)]
use crate::pty::Pty;

/// Where the host is: what the module's UART is wired to.
pub trait Port {
    /// Reads what the host has sent; waits until there is something. 0 means that no host will
    /// ever come back. Dropping the future loses nothing.
    fn read(&mut self, buffer: &mut [u8]) -> impl Future<Output = io::Result<usize>> + Send;

    /// Writes some of the bytes to the host; waits until at least one can be taken. Dropping the
    /// future before it is done writes nothing.
    fn write(&mut self, bytes: &[u8]) -> impl Future<Output = io::Result<usize>> + Send;

    /// The rate that the host has set, in bits per second, where the port has one.
    fn rate(&self) -> Option<u32> {
        None
    }

    /// The module speaks and listens at another rate from now on, in bits per second: what was
    /// written before still goes out at the old one. Means nothing to a port without a rate.
    fn set_rate(&mut self, _rate: u32) -> impl Future<Output = io::Result<()>> + Send {
        ready(Ok(()))
    }

    /// Whether the module is answering what it was sent. A port to which hosts connect keeps one
    /// that sends nothing more while it is, and takes the next one when it is not: nobody gets
    /// the answers to another.
    fn set_busy(&mut self, _busy: bool) {}
}

/// Any stream, such as one end of [`tokio::io::duplex`] or a real serial port.
#[derive(Debug)]
pub struct StreamPort<S>(pub S);

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Port for StreamPort<S> {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).await
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.0.write(bytes).await?;
        self.0.flush().await?;
        Ok(written)
    }
}

#[cfg(unix)]
impl Port for Pty {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Self::read(self, buffer).await
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Self::write(self, bytes).await
    }

    fn rate(&self) -> Option<u32> {
        Self::rate(self)
    }
}

/// How long a host may take nothing. A pseudo terminal and a socket hold some 16 KiB for it before
/// that begins to count.
const PATIENCE: Duration = Duration::from_secs(1);

/// Writes to a host that may not be reading, as a UART does: what nobody takes is lost.
#[derive(Debug)]
pub(crate) struct Patient<P> {
    pub(crate) port: P,
    /// How long the host may take nothing while the module has something to say.
    patience: Duration,
    /// The host has taken nothing for a while; it is not waited for again before it does.
    stalled: bool,
    lost: u64,
    /// For the log, and whether the last stall is in it.
    stalls: Throttle<Instant>,
    told: bool,
}

impl<P: Port> Patient<P> {
    pub(crate) fn new(port: P) -> Self {
        Self::with_patience(port, PATIENCE)
    }

    fn with_patience(port: P, patience: Duration) -> Self {
        Self {
            port,
            patience,
            stalled: false,
            lost: 0,
            stalls: Throttle::new(),
            told: false,
        }
    }

    pub(crate) async fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let patience = if self.stalled {
                Duration::ZERO
            } else {
                self.patience
            };
            let Ok(written) = timeout(patience, self.port.write(bytes)).await else {
                self.lost += bytes.len() as u64;
                if !self.stalled {
                    self.told = self.stalls.pass(Instant::now()).is_some();
                    if self.told {
                        tracing::warn!(lost = self.lost, "the host does not read: output is lost");
                    }
                }
                self.stalled = true;
                return Ok(());
            };
            let written = written?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            if std::mem::take(&mut self.stalled) && self.told {
                tracing::info!(lost = self.lost, "the host reads again");
            }
            bytes = &bytes[written..];
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_host_that_does_not_read_is_not_waited_for_twice() {
        let (module, mut host) = tokio::io::duplex(4);
        let mut port = Patient::new(StreamPort(module));
        let start = Instant::now();
        port.write(b"123456").await.unwrap();
        port.write(b"789").await.unwrap();
        assert_eq!(start.elapsed(), Duration::from_secs(1));
        let mut heard = [0; 4];
        host.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"1234");
        port.write(b"abc").await.unwrap();
        let mut heard = [0; 3];
        host.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"abc");
        assert_eq!(port.lost, 5);
    }
}
